"""Figures on two legs: a face, clothes of a trade, and what they carry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes import arms, heads
from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene


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
    "paladin": Look(body="plate", cloth="gold", hat="winged", hair="", right="hammer", shield=True, cape=True),
    "guard": Look(body="plate", cloth="iron", hat="kettle", right="spear"),
    "soldier": Look(body="plate", cloth="iron", hat="kettle", right="spear", shield=True),
    "warrior": Look(body="plate", cloth="bronze", hat="horned", right="sword", shield=True),
    "viking": Look(body="tunic", cloth="brown", hat="horned", beard="amber", right="axe", shield=True, bulk=1.15),
    "barbarian": Look(body="bare", hair="long", beard="brown", right="axe", bulk=1.25),
    "gladiator": Look(skin="tan", body="bare", hat="crest", right="sword", shield=True),
    "samurai": Look(body="plate", cloth="crimson", hat="crescent", right="katana"),
    "wizard": Look(body="robe", cloth="navy", hat="pointed", beard="white", right="staff"),
    "mage": Look(body="robe", cloth="violet", hat="hood", right="staff"),
    "witch": Look(body="robe", cloth="purple", hat="pointed", hair="long", right="wand"),
    "sorceress": Look(body="robe", cloth="crimson", hair="long", right="staff", hat="circlet"),
    "necromancer": Look(skin="undead", body="robe", cloth="shadow", hat="hood", face="glow", hair="", right="scythe"),
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
    "dwarf": Look(body="plate", cloth="bronze", beard="orange", hat="horned", right="hammer", bulk=1.25, tall=0.82),
    "gnome": Look(body="tunic", cloth="blue", beard="white", hat="cone", tall=0.75),
    "halfling": Look(body="tunic", cloth="olive", hair="curly", tall=0.78, right="dagger"),
    "king": Look(body="robe", cloth="crimson", hat="crown", beard="brown", right="sword", cape=True, bulk=1.1),
    "queen": Look(body="robe", cloth="purple", hat="crown", hair="long", cape=True),
    "princess": Look(body="robe", cloth="pink", hat="circlet", hair="long"),
    "prince": Look(body="tunic", cloth="blue", hat="circlet", cape=True, right="sword"),
    "pirate": Look(body="tunic", cloth="crimson", hat="tricorn", beard="ink", face="patch", right="cutlass"),
    "farmer": Look(body="tunic", cloth="blue", hat="straw", right="shovel"),
    "miner": Look(body="tunic", cloth="orange", hat="lamp", right="pickaxe", beard="brown"),
    "blacksmith": Look(skin="tan", body="tunic", cloth="leather", right="hammer", beard="ink", bulk=1.2, hair=""),
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
    "goblin": Look(skin="goblin", ears="wide", face="sly", hair="", right="dagger", tall=0.8, cloth="leather"),
    "kobold": Look(skin="coral", ears="wide", face="sly", hair="", right="spear", tall=0.8, hat="horns"),
    "demon": Look(skin="ember", body="bare", hat="horns", face="fangs", hair="", wings="bat", right="trident", bulk=1.2),
    "devil": Look(skin="red", body="bare", hat="horns", face="grin", hair="", wings="bat", right="trident"),
    "imp": Look(skin="red", body="bare", hat="horns", face="grin", hair="", wings="bat", tall=0.75, ears="wide"),
    "minotaur": Look(skin="brown", body="bare", hat="horns", face="snout", hair="topknot", right="axe", bulk=1.4),
    "vampire": Look(skin="cream", body="robe", cloth="ink", hair="slick", face="fangs", cape=True, ears="point"),
    "angel": Look(body="robe", cloth="white", hair="long", wings="feather", hat="halo"),
    "fairy": Look(body="robe", cloth="mint", hair="long", wings="gauze", ears="point", right="wand", tall=0.85),
    "skeleton": Look(skin="bone", body="bones", face="skull", hair="", right="sword", shield=True),
    "lich": Look(skin="bone", body="robe", cloth="violet", face="skull", hair="", hat="crown", right="staff"),
    "reaper": Look(skin="bone", body="robe", cloth="ink", face="skull", hair="", hat="hood", right="scythe"),
    "zombie": UNDEAD, "ghoul": replace(UNDEAD, skin="grey", body="bare", face="fangs"),
    "mummy": Look(skin="cream", body="wraps", face="dead", hair="", hat="wraps"),
    "golem": Look(skin="stone", body="bare", hair="", face="glow", bulk=1.55, cloth="rock"),
    "lizardman": Look(skin="green", body="bare", hair="", hat="fin", face="snout", right="spear", cloth="leather"),
    "dryad": Look(skin="mint", body="robe", cloth="leaf", hair="long", hat="flower", ears="point"),
    "treant": Look(skin="wood", body="bare", hair="", hat="foliage", face="glow", bulk=1.35, cloth="leaf"),
    "alien": Look(skin="lime", body="tunic", cloth="silver", hair="", face="alien", hat="feelers"),
    "elemental": Look(skin="flame", body="bare", hair="", hat="flames", face="glow", bulk=1.3, cloth="lava"),
}  # fmt: skip
ALIASES = {
    "warlock": "necromancer", "enchantress": "sorceress", "rogue": "thief", "bandit": "thief", "crusader": "paladin",
    "smith": "blacksmith", "lumberjack": "viking", "huntress": "archer", "hunter": "ranger", "berserker": "barbarian",
    "explorer": "cowboy", "shopkeeper": "merchant", "baker": "chef", "spaceman": "astronaut", "giant": "ogre",
    "shaman": "druid", "healer": "cleric", "child": "boy", "peasant": "farmer", "captain": "pirate", "ent": "treant",
    "adventurer": "hero", "bear-man": "minotaur", "pixie": "fairy", "cyclops": "ogre", "sorcerer": "wizard",
}  # fmt: skip
OWN_SKIN = frozenset("golem elemental orc goblin troll ogre demon imp lizardman alien slime treant kobold".split())
"""Whose colour in the prompt is the skin's; for others it is the clothes'."""


def figure(scene: Scene) -> None:
    """Draw a person, or something like one."""
    noun = ALIASES.get(scene.brief.noun, scene.brief.noun)
    look = LOOKS[noun]
    chance, says = scene.chance, scene.says
    skin = look.skin or chance.pick(("skin", "skin", "tan", "umber", "cream"))
    cloth = look.cloth or chance.pick(("blue", "crimson", "teal", "olive", "purple", "rust"))
    if noun in OWN_SKIN:
        skin = scene.main(skin)
        if noun in {"golem", "elemental"}:
            cloth = blend(skin, "ink", 0.35)
    else:
        cloth = scene.main(cloth)
    bulk = look.bulk * chance.between(0.96, 1.06) * (1.2 if says("giant", "huge", "fat", "burly") else 1)
    tall = look.tall * (0.8 if says("tiny", "little", "baby", "small", "young") else 1)
    weapon = next((word for word in scene.brief.words if word in arms.UPRIGHT), look.right)
    look = replace(
        look, skin=skin, cloth=cloth, bulk=min(bulk, 1.6), right=weapon, cape=look.cape or says("cape", "cloak"),
        shield=look.shield and weapon not in {"bow", "crossbow", "staff"} or says("shield"),
        wings=look.wings or ("feather" if says("winged", "wings") else ""),
        beard=look.beard or ("brown" if says("bearded", "beard") else ""),
        hat=_hat(scene, look.hat),
    )  # fmt: skip
    scene.stand(32, 59.5, 17 * min(look.bulk, 1.3))
    with scene.at(32, 60, scale=0.94, pivot=(32, 60)):
        _body(scene, look, 60 - 16 * tall - 16 + 2, tall)
    if noun in {"elemental"}:
        scene.glow(32, 34, 32, skin)


def _hat(scene: Scene, usual: str) -> str:
    named = {"crown": "crown", "hood": "hood", "hooded": "hood", "horned": "horned", "turban": "turban",
             "hat": "pointed", "helmet": "helm", "goggles": "goggles", "halo": "halo"}  # fmt: skip
    for word, hat in named.items():
        if scene.says(word) and not (word == "hat" and usual):
            return hat
    return usual


def _body(scene: Scene, look: Look, neck: float, tall: float) -> None:
    half = 8.6 * look.bulk
    hip = neck + 16 * tall
    left, right = 32 - half, 32 + half
    hand = (right + 5.5, hip - 0.5)
    if look.wings:
        _wings(scene, look, neck)
    if look.cape:
        cape = scene.brief.near("cape", scene.brief.near("cloak", scene.accent("crimson", "purple", "navy")))
        scene.poly(((left + 2, neck), (right - 2, neck), (right + 7, 58), (left - 7, 58)), cape, 4)
    if look.right and look.right != "bow":
        arms.held(scene, look.right, *hand, scale=0.72, turn=14)
    if look.right == "bow":
        with scene.at(hand[0] + 1, hand[1] - 4, scale=0.62, pivot=(42, 32)):
            arms.bow(scene, scene.brief.near("bow", "wood"))
    _legs(scene, look, hip, half)
    _torso(scene, look, (neck, hip, half))
    sleeve = {"bare": look.skin, "bones": "bone", "snow": "wood", "wraps": look.skin}.get(look.body, look.cloth)
    thick = {"bones": 1.5, "snow": 1.2, "bare": 3.9 * look.bulk**0.7}.get(look.body, 3.6 * look.bulk**0.6)
    scene.limb(((left + 1, neck + 4), (left - 4, neck + 10), (left - 4.5, hip - 1)), thick, thick * 0.85, sleeve)
    scene.limb(((right - 1, neck + 4), (right + 4, neck + 10), hand), thick, thick * 0.85, sleeve)
    glove = "iron" if look.body == "plate" and look.skin in {"skin", "tan", "umber", "cream"} else look.skin
    if look.body != "snow":
        scene.ball(left - 4.5, hip + 0.5, 2.2 + thick * 0.32, glove)
        scene.ball(hand[0], hand[1] + 0.5, 2.2 + thick * 0.32, glove)
    if look.body == "plate":
        scene.ellipse(left + 0.5, neck + 4, 5 * look.bulk, 4.4, look.cloth, gloss=0.6, mirror=True)
    if look.shield:
        _shield(scene, left - 5, hip - 2)
    with scene.at(32, neck + 3, scale=1.0 if look.bulk < 1.5 else 0.9, pivot=(32, 32)):
        heads.head(scene, look)


def _legs(scene: Scene, look: Look, hip: float, half: float) -> None:
    if look.body == "robe":
        points = ((32 - half + 1, hip - 4), (32 + half - 1, hip - 4), (32 + half + 5, 59), (32 - half - 5, 59))
        robe = scene.poly(points, look.cloth, 4.5)
        trim = blend(look.cloth, "gold", 0.7)
        scene.box(32 - half - 6, 55.5, 2 * half + 12, 3.5, trim, 1.5, clip=robe)
        for x in (-half * 0.45, half * 0.5):
            scene.stroke(((32 + x * 0.7, hip + 2), (32 + x, 54)), look.cloth, 1)
        return
    if look.body == "snow":
        scene.ellipse(32, 50, 15, 11, "snow")
        return
    bare = look.body in {"bare", "bones", "wraps"}
    pants = look.skin if bare else blend(look.cloth, "ink", 0.55)
    thick = 1.8 if look.body == "bones" else 3.9 * look.bulk**0.8
    foot = "iron" if look.body == "plate" else look.skin if bare else "leather"
    x = 32 - half * 0.52
    scene.limb(((x, hip - 1), (x - 0.8, 56)), thick, thick * 0.9, pants, mirror=True)
    scene.ellipse(x - 1.6, 57.6, thick * 1.25, 2.9, foot, mirror=True)


def _torso(scene: Scene, look: Look, frame: tuple[float, float, float]) -> None:
    neck, hip, half = frame
    shape = ((32 - half, neck + 2), (32 + half, neck + 2), (32 + half * 0.82, hip + 2), (32 - half * 0.82, hip + 2))
    match look.body:
        case "bones":
            scene.limb(((32, neck), (32, hip)), 1.6, 1.6, "bone")
            for y in range(int(neck) + 3, int(hip) - 2, 4):
                scene.limb(((25, y + 2), (28, y), (36, y), (39, y + 2)), 1.3, 1.3, "bone")
            scene.ellipse(32, hip, 6, 2.6, "bone")
            return
        case "snow":
            scene.ellipse(32, neck + 7, 11, 9, "snow")
            for y in (neck + 5, neck + 10, hip + 8):
                scene.spot(32, y, 1.3, "ink", 1)
            scene.limb(((23, neck - 1), (32, neck + 1), (41, neck - 1)), 2.4, 2.4, scene.accent("red", "blue"))
            return
        case "bare":
            scene.poly(shape, look.skin, 5.5)
            kilt = look.cloth if look.cloth != look.skin else "leather"
            scene.poly(((32 - half, hip - 2), (32 + half, hip - 2), (32 + half * 0.9, hip + 6), (32, hip + 4), (32 - half * 0.9, hip + 6)), kilt, 2)
            scene.stroke(((32, neck + 5), (32, hip - 4)), look.skin, 1)
            scene.stroke(((32 - half * 0.6, neck + 9), (32 + half * 0.6, neck + 9)), look.skin, 1)
        case "plate":
            scene.poly(shape, look.cloth, 4.5, gloss=0.7)
            emblem = scene.accent("gold", "crimson", "sapphire", "purple")
            scene.dot(32, neck + 9, emblem, 3, w=2.4, h=8)
            scene.dot(32, neck + 8, emblem, 3, w=7, h=2.4)
        case "wraps":
            scene.poly(shape, look.skin, 5)
            for y in range(int(neck) + 4, 58, 4):
                scene.stroke(((24, y), (41, y - 2)), look.skin, 1)
        case _:
            scene.poly(shape, look.cloth, 4.5)
            trim = blend(look.cloth, "cream", 0.6)
            scene.stroke(((32, neck + 4), (32, hip - 3)), trim, 3)
    if look.body != "bones":
        scene.box(32 - half * 0.9, hip - 2.5, half * 1.8, 3.6, "leather", 1.2)
        scene.dot(32, hip - 0.7, "gold", 4, w=3.2, h=3.2)


def _shield(scene: Scene, x: float, y: float) -> None:
    colour = scene.brief.near("shield", scene.accent("crimson", "blue", "pine", "purple"))
    with scene.at(x, y, scale=0.4):
        scene.poly(((10, 6), (32, 0), (54, 6), (54, 34), (32, 62), (10, 34)), "gold", 7, gloss=0.5)
        scene.poly(((16, 12), (32, 7), (48, 12), (48, 32), (32, 53), (16, 32)), colour, 6, gloss=0.3, soft=True)
        scene.dot(32, 29, "gold", 4, w=5, h=30)
        scene.dot(32, 24, "gold", 4, w=24, h=5)


def _wings(scene: Scene, look: Look, neck: float) -> None:
    y = neck + 4
    if look.wings == "bat":
        wing = blend(look.skin, "ink", 0.45)
        scene.poly(((28, y + 4), (14, y - 14), (2, y - 8), (1, y + 14), (8, y + 8), (13, y + 16), (20, y + 10), (27, y + 14)), wing, 2.5, mirror=True)
        scene.stroke(((27, y + 4), (14, y - 13), (8, y + 8)), wing, 4)
    elif look.wings == "gauze":
        wing = scene.accent("cyan", "lavender", "mint")
        scene.oval(17, y - 4, 15, 7, 40, wing, gloss=0.8, tone=0.6, mirror=True)
        scene.oval(18, y + 11, 11, 5.5, -30, wing, gloss=0.8, tone=0.6, mirror=True)
        scene.glow(32, y, 30, wing)
    else:
        for i in range(4):
            scene.limb(((27, y + 5), (15 - i, y - 8 + i * 6), (5 + i * 3, y - 4 + i * 8)), 5, 3, "white", mirror=True)


draws(" ".join((*LOOKS, *ALIASES)))(figure)
