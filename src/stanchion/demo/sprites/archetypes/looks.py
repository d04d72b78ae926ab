"""How kinds of figures look: what each wears and carries."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What sets one kind of figure apart."""

    skin: str = ""
    """A material; '' draws one of the human ones."""
    body: str = "tunic"
    """tunic, plate, robe, bare or bones."""
    cloth: str = ""
    """The clothes' colour when the prompt names none; '' draws one."""
    hat: str = ""
    """What is on the head; see `heads.HATS`."""
    hair: str = "any"
    face: str = "plain"
    """See `heads.FACES`."""
    ears: str = ""
    beard: str = ""
    right: str = ""
    """The weapon in the hand on the viewer's right."""
    shield: bool = False
    cape: bool = False
    wings: str = ""
    bulk: float = 1.0
    tall: float = 1.0


ORCISH = Look(skin="orc", body="bare", hair="topknot", face="tusks", ears="point", right="axe", bulk=1.3)
UNDEAD = Look(skin="undead", hair="", face="dead", cloth="cloth")
LOOKS: dict[str, Look] = {
    "knight": Look(body="plate", cloth="steel", hat="helm", hair="", right="sword", shield=True),
    "paladin": Look(body="plate", cloth="gold", hat="winged", hair="", right="hammer", shield=True,
        cape=True),
    "guard": Look(body="plate", cloth="iron", hat="kettle", right="spear"),
    "soldier": Look(body="plate", cloth="iron", hat="kettle", right="spear", shield=True),
    "warrior": Look(body="plate", cloth="bronze", hat="horned", right="sword", shield=True),
    "viking": Look(body="tunic", cloth="brown", hat="horned", beard="amber", right="axe", shield=True,
        bulk=1.15),
    "barbarian": Look(body="bare", hair="long", beard="brown", right="axe", bulk=1.25),
    "gladiator": Look(skin="tan", body="bare", hat="crest", right="sword", shield=True),
    "samurai": Look(body="plate", cloth="crimson", hat="crescent", right="katana"),
    "wizard": Look(body="robe", cloth="navy", hat="pointed", beard="white", right="staff"),
    "mage": Look(body="robe", cloth="violet", hat="hood", right="staff"),
    "witch": Look(body="robe", cloth="purple", hat="pointed", hair="long", right="wand"),
    "sorceress": Look(body="robe", cloth="crimson", hair="long", right="staff", hat="circlet"),
    "necromancer": Look(skin="undead", body="robe", cloth="shadow", hat="hood", face="glow", hair="",
        right="scythe"),
    "druid": Look(body="robe", cloth="leaf", hat="antlers", beard="brown", right="staff"),
    "priest": Look(body="robe", cloth="white", hat="mitre", right="staff"),
    "cleric": Look(body="robe", cloth="cream", hat="hood", right="mace"),
    "monk": Look(body="robe", cloth="orange", hair=""),
    "ninja": Look(body="tunic", cloth="ink", hat="mask", hair="", right="katana"),
    "thief": Look(body="tunic", cloth="darkwood", hat="hood", hair="", right="dagger", face="sly"),
    "assassin": Look(body="tunic", cloth="ink", hat="hood", hair="", right="dagger", face="glow", cape=True),
    "archer": Look(body="tunic", cloth="leaf", hat="feather", right="bow"),
    "ranger": Look(body="tunic", cloth="pine", hat="hood", right="bow", cape=True),
    "bard": Look(body="tunic", cloth="rose", hat="feather"),
    "elf": Look(body="tunic", cloth="leaf", ears="point", hair="long", right="bow"),
    "dwarf": Look(body="plate", cloth="bronze", beard="orange", hat="horned", right="hammer", bulk=1.25,
        tall=0.82),
    "gnome": Look(body="tunic", cloth="blue", beard="white", hat="cone", tall=0.75),
    "halfling": Look(body="tunic", cloth="olive", hair="curly", tall=0.78, right="dagger"),
    "king": Look(body="robe", cloth="crimson", hat="crown", beard="brown", right="sword", cape=True,
        bulk=1.1),
    "queen": Look(body="robe", cloth="purple", hat="crown", hair="long", cape=True),
    "princess": Look(body="robe", cloth="pink", hat="circlet", hair="long"),
    "prince": Look(body="tunic", cloth="blue", hat="circlet", cape=True, right="sword"),
    "pirate": Look(body="tunic", cloth="crimson", hat="tricorn", beard="ink", face="patch", right="cutlass"),
    "farmer": Look(body="tunic", cloth="blue", hat="straw", right="shovel"),
    "miner": Look(body="tunic", cloth="orange", hat="lamp", right="pickaxe", beard="brown"),
    "blacksmith": Look(skin="tan", body="tunic", cloth="leather", right="hammer", beard="ink", bulk=1.2,
        hair=""),
    "chef": Look(body="tunic", cloth="white", hat="toque"),
    "merchant": Look(body="robe", cloth="teal", hat="turban", beard="ink", bulk=1.15),
    "alchemist": Look(body="robe", cloth="emerald", hat="goggles", hair="wild"),
    "scientist": Look(body="robe", cloth="white", hat="goggles", hair="wild"),
    "astronaut": Look(body="plate", cloth="white", hat="bubble"),
    "cowboy": Look(body="tunic", cloth="brown", hat="wide"),
    "detective": Look(body="robe", cloth="tan", hat="wide"),
    "jester": Look(body="tunic", cloth="magenta", hat="bells", face="grin"),
    "villager": Look(body="tunic"), "girl": Look(body="robe", hair="long", tall=0.85),
    "boy": Look(body="tunic", tall=0.85), "hero": Look(body="tunic", cape=True, right="sword", cloth="blue"),
    "santa": Look(body="robe", cloth="red", hat="cone", beard="white", bulk=1.25),
    "snowman": Look(skin="snow", body="snow", hat="top", hair="", face="carrot"),
    "orc": ORCISH, "ogre": replace(ORCISH, skin="olive", bulk=1.45, right="club", hair="", cloth="leather"),
    "troll": replace(ORCISH, skin="teal", bulk=1.4, right="club", hair="wild"),
    "goblin": Look(skin="goblin", ears="wide", face="sly", hair="", right="dagger", tall=0.8,
        cloth="leather"),
    "kobold": Look(skin="coral", ears="wide", face="sly", hair="", right="spear", tall=0.8, hat="horns"),
    "demon": Look(skin="ember", body="bare", hat="horns", face="fangs", hair="", wings="bat",
        right="trident", bulk=1.2),
    "devil": Look(skin="red", body="bare", hat="horns", face="grin", hair="", wings="bat", right="trident"),
    "imp": Look(skin="red", body="bare", hat="horns", face="grin", hair="", wings="bat", tall=0.75,
        ears="wide"),
    "minotaur": Look(skin="brown", body="bare", hat="horns", face="snout", hair="topknot", right="axe",
        bulk=1.4),
    "vampire": Look(skin="cream", body="robe", cloth="ink", hair="slick", face="fangs", cape=True,
        ears="point"),
    "angel": Look(body="robe", cloth="white", hair="long", wings="feather", hat="halo"),
    "fairy": Look(body="robe", cloth="mint", hair="long", wings="gauze", ears="point", right="wand",
        tall=0.85),
    "skeleton": Look(skin="bone", body="bones", face="skull", hair="", right="sword", shield=True),
    "lich": Look(skin="bone", body="robe", cloth="violet", face="skull", hair="", hat="crown", right="staff"),
    "reaper": Look(skin="bone", body="robe", cloth="ink", face="skull", hair="", hat="hood", right="scythe"),
    "zombie": UNDEAD, "ghoul": replace(UNDEAD, skin="grey", body="bare", face="fangs"),
    "mummy": Look(skin="cream", body="wraps", face="dead", hair="", hat="wraps"),
    "golem": Look(skin="stone", body="bare", hair="", face="glow", bulk=1.55, cloth="rock"),
    "lizardman": Look(skin="green", body="bare", hair="", hat="fin", face="snout", right="spear",
        cloth="leather"),
    "dryad": Look(skin="mint", body="robe", cloth="leaf", hair="long", hat="flower", ears="point"),
    "treant": Look(skin="wood", body="bare", hair="", hat="foliage", face="glow", bulk=1.35, cloth="leaf"),
    "alien": Look(skin="lime", body="tunic", cloth="silver", hair="", face="alien", hat="feelers"),
    "elemental": Look(skin="flame", body="bare", hair="", hat="flames", face="glow", bulk=1.3, cloth="lava"),
}  # fmt: skip
ALIASES = {
    "warlock": "necromancer", "enchantress": "sorceress", "rogue": "thief", "bandit": "thief",
    "crusader": "paladin",
    "smith": "blacksmith", "lumberjack": "viking", "huntress": "archer", "hunter": "ranger",
    "berserker": "barbarian",
    "explorer": "cowboy", "shopkeeper": "merchant", "baker": "chef", "spaceman": "astronaut", "giant": "ogre",
    "shaman": "druid", "healer": "cleric", "child": "boy", "peasant": "farmer", "captain": "pirate",
    "ent": "treant",
    "adventurer": "hero", "bear-man": "minotaur", "pixie": "fairy", "cyclops": "ogre", "sorcerer": "wizard",
}  # fmt: skip
TRADES = frozenset(noun for noun, look in LOOKS.items() if look.skin in {"", "tan"} and not look.ears) - {"dwarf"}
TITLES = TRADES | {"necromancer"} | {one for one, noun in ALIASES.items() if noun in TRADES | {"necromancer"}}
"""Trades and ranks; the rest are peoples."""
OWN_SKIN = frozenset(
    [
        "golem",
        "elemental",
        "orc",
        "goblin",
        "troll",
        "ogre",
        "demon",
        "imp",
        "lizardman",
        "alien",
        "slime",
        "treant",
        "kobold",
    ]
)
"""Whose colour in the prompt is the skin's; for others it is the clothes'."""
