"""Weapons: drawn upright, grip at the bottom, so that a figure can hold one; alone they lie diagonally."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: PLR0913

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws

if TYPE_CHECKING:
    from collections.abc import Callable

    from stanchion.demo.sprites.scene import Scene

GRIP = (32, 52)
ELEMENTS = frozenset(["flame", "lava", "ice", "poison", "toxic", "spark", "arcane", "holy", "shadow", "ember"])


def held(scene: Scene, weapon: str, x: float, y: float, *, scale: float = 0.7, turn: float = 12) -> None:
    """Draw a weapon with its grip in a hand."""
    with scene.at(x, y, scale=scale, turn=turn, pivot=GRIP):
        UPRIGHT[weapon](scene, scene.brief.near(weapon, "steel"))


def alone(scene: Scene, upright: Callable[[Scene, str], None], *defaults: str, scale: float = 1.12) -> None:
    """Draw a weapon as an item of its own."""
    colour = scene.main(*defaults)
    with scene.at(32, 32, scale=scale, turn=45):
        upright(scene, colour)
    if colour in ELEMENTS:
        scene.glow(40, 24, 26, colour)
        scene.glint(50, 12, 4)


def sword(scene: Scene, colour: str) -> None:
    """A straight blade in two facets, a guard, a grip and a pommel."""
    wide = 7.5 if scene.says("great", "greatsword", "broadsword", "claymore") else 5.0
    if scene.says("dagger", "knife", "dirk"):
        top, wide = 20.0, 4.6
    else:
        top = 1.0
    guard = scene.brief.near("hilt", "gold")
    scene.poly(((32, top), (32 + wide, top + 8), (32 + wide, 45), (32, 45)), colour, 0, tone=-0.6, soft=True)
    scene.poly(((32, top), (32, 45), (32 - wide, 45), (32 - wide, top + 8)), colour, 0, tone=1.0, soft=True)
    scene.stroke(((32, top + 9), (32, 42)), colour, 2, 1.4)
    scene.limb(((20, 45), (32, 46.5), (44, 45)), 2.2, 2.2, guard, gloss=0.7)
    scene.post(29.6, 47, 4.8, 10, "leather")
    for y in (49.5, 53):
        scene.stroke(((30, y + 1), (34, y)), "leather", 1)
    scene.ball(32, 59, 3.4, scene.accent("ruby", "gold", "sapphire"), gloss=1)


def curved(scene: Scene, colour: str) -> None:
    """A blade with a belly: scimitar, cutlass, katana."""
    thin = scene.says("katana")
    belly = 3 if thin else 9
    scene.poly(
        ((26, 1), (34, 10), (36 + belly * 0.6, 24), (35 + belly * 0.3, 45), (29, 45), (31, 26), (30, 13)),
        colour, 2.6, gloss=0.7,
    )  # fmt: skip
    scene.box(24, 44, 16, 4, "gold", 1.6, gloss=0.5)
    scene.post(29.5, 48, 5, 13, scene.accent("crimson", "navy", "leather"))
    for y in (50, 54, 58):
        scene.dot(32, y, "cream", 3, w=1.6, h=1.6)


def axe(scene: Scene, colour: str) -> None:
    """One blade or two on a shaft."""
    scene.post(29.8, 6, 4.4, 57, "wood")
    two = scene.says("double", "battle", "battleaxe", "great", "twin", "double-bladed")
    blade = ((34, 11), (42, 9), (51, 3), (54, 17), (51, 32), (42, 25), (34, 24))
    scene.poly(blade, colour, 4.5, gloss=0.6, mirror=two)
    if not two:
        scene.poly(((30, 13), (25, 15), (25, 21), (30, 23)), colour, 2, gloss=0.4)
    scene.box(28.6, 10, 6.8, 15, "iron", 2)
    scene.ball(32, 62, 2.6, "gold", gloss=0.6)


def hammer(scene: Scene, colour: str) -> None:
    """A block on a shaft."""
    scene.post(29.6, 18, 4.8, 45, "darkwood")
    scene.box(13, 6, 38, 18, colour, 4, gloss=0.5)
    scene.box(10, 4, 7, 22, colour, 2.5, gloss=0.5, mirror=True)
    scene.box(27, 4, 10, 22, "gold", 2.5, gloss=0.4)
    scene.spot(32, 15, 3, scene.accent("sapphire", "ruby", "arcane"), 4)


def mace(scene: Scene, colour: str) -> None:
    """A ball with spikes on a shaft."""
    scene.post(29.6, 22, 4.8, 41, "wood")
    for x, y in ((32, 1), (19, 8), (45, 8), (15, 20), (49, 20), (21, 31), (43, 31)):
        scene.poly(
            ((32 - (y - 17) / 3, 17 + (x - 32) / 3), (x, y), (32 + (y - 17) / 3, 17 - (x - 32) / 3)),
            colour, 1,
        )  # fmt: skip
    scene.ball(32, 17, 11, colour, gloss=0.7)
    scene.box(28.6, 27, 6.8, 4, "gold", 1.4)


def club(scene: Scene, colour: str) -> None:
    """A rough wooden club; a colour that is metal is a studded one."""
    scene.limb(((32, 60), (32, 30), (32, 12)), 2.6, 8.5, "wood")
    for x, y in ((28, 10), (36, 14), (30, 20), (35, 25)):
        scene.spot(x, y, 1.6, colour, 4)


def spear(scene: Scene, colour: str) -> None:
    """A leaf blade on a long shaft; three for a trident."""
    scene.post(30.2, 14, 3.6, 50, "wood")
    if scene.says("trident"):
        scene.limb(((20, 4), (20, 16), (32, 20), (44, 16), (44, 4)), 1.8, 1.8, colour, gloss=0.6)
        for x in (20, 32, 44):
            scene.poly(((x, -4), (x + 4, 6), (x, 9), (x - 4, 6)), colour, 1.6, gloss=0.6)
        scene.post(30.2, 6, 3.6, 16, colour)
        return
    scene.poly(((32, -3), (38, 9), (33.6, 20), (32, 20)), colour, 0, tone=-0.5, soft=True)
    scene.poly(((32, -3), (32, 20), (30.4, 20), (26, 9)), colour, 0, tone=1, soft=True)
    scene.box(28.5, 19, 7, 4, scene.accent("crimson", "gold"), 1.4)


def staff(scene: Scene, colour: str) -> None:
    """A crooked shaft with an orb or crystal at its head."""
    orb = colour if colour not in {"wood", "steel"} else scene.accent("arcane", "cyan", "emerald", "spark")
    scene.limb(((32, 64), (33, 48), (31, 32), (32, 20)), 2.2, 2.6, "darkwood")
    scene.limb(((32, 22), (23, 18), (22, 9), (27, 3)), 2.6, 1.4, "darkwood", mirror=True)
    if scene.chance.likely(0.5):
        scene.ball(32, 9, 7, orb, gloss=1)
    else:
        scene.poly(((32, -3), (38, 8), (32, 18), (26, 8)), orb, 4, gloss=1)
    scene.dot(29.5, 6, "white", 5)
    scene.glow(32, 9, 20, orb)


def wand(scene: Scene, colour: str) -> None:
    """A short staff with a star."""
    tip = colour if colour != "steel" else "spark"
    scene.limb(((32, 62), (32, 20)), 2.8, 1.8, "darkwood")
    scene.box(28.6, 50, 6.8, 3, "gold", 1)
    scene.poly(
        ((32, -2), (35, 6), (43, 7), (37, 13), (39, 21), (32, 17), (25, 21), (27, 13), (21, 7), (29, 6)),
        tip, 3, gloss=0.7,
    )  # fmt: skip
    scene.glow(32, 10, 20, tip)


def bow(scene: Scene, colour: str) -> None:
    """A recurved bow with its string and an arrow on it."""
    wood = colour if colour != "steel" else "wood"
    scene.stroke(((24, 3), (24, 61)), "cream", 4)
    scene.limb(((24, 3), (30, 6), (40, 18), (42, 32)), 1.6, 3.2, wood, gloss=0.3)
    scene.limb(((24, 61), (30, 58), (40, 46), (42, 32)), 1.6, 3.2, wood, gloss=0.3)
    scene.box(38.6, 27, 6.6, 10, "leather", 2)
    scene.limb(((16, 32), (54, 32)), 1.1, 1.1, "cream")
    scene.poly(((53, 27.5), (62, 32), (53, 36.5)), "steel", 1.6, gloss=0.6)
    scene.poly(
        ((10, 28), (18, 30.5), (18, 33.5), (10, 36), (13, 32)), scene.accent("red", "white", "teal"), 0,
    )  # fmt: skip


def crossbow(scene: Scene, colour: str) -> None:
    """A short bow across a stock."""
    scene.box(28.5, 8, 7, 52, "wood", 2.4)
    scene.limb(((32, 12), (18, 16), (6, 26)), 3, 1.6, colour, gloss=0.5, mirror=True)
    scene.stroke(((6, 26), (32, 32), (58, 26)), "cream", 4)
    scene.limb(((32, 4), (32, 34)), 1.2, 1.2, "cream")
    scene.poly(((28, 6), (32, -3), (36, 6)), "steel", 1.5, gloss=0.5)
    scene.box(30, 46, 10, 3, "iron", 1)


def scythe(scene: Scene, colour: str) -> None:
    """A long curved blade on a shaft."""
    scene.limb(((36, 64), (34, 34), (38, 6)), 2.2, 2.2, "darkwood")
    scene.poly(((40, 4), (26, 2), (12, 9), (3, 24), (14, 15), (26, 11), (40, 13)), colour, 3, gloss=0.7)
    scene.box(34.5, 3, 7, 11, "iron", 2)


def pick(scene: Scene, colour: str) -> None:
    """A pickaxe."""
    scene.post(29.8, 8, 4.4, 55, "wood")
    scene.poly(((6, 26), (14, 14), (26, 7), (32, 6), (32, 14), (22, 16)), colour, 3, gloss=0.6, mirror=True)
    scene.box(27.6, 5, 8.8, 11, "iron", 2)


def shovel(scene: Scene, colour: str) -> None:
    """A shovel, its blade up."""
    scene.post(30, 24, 4, 36, "wood")
    scene.poly(((23, 8), (32, 0), (41, 8), (41, 24), (35, 28), (29, 28), (23, 24)), colour, 4, gloss=0.5)
    scene.limb(((26, 61), (38, 61)), 2, 2, "wood")


UPRIGHT: dict[str, Callable[[Scene, str], None]] = {
    "sword": sword, "dagger": sword, "greatsword": sword, "scimitar": curved, "cutlass": curved,
    "katana": curved,
    "axe": axe, "hammer": hammer, "mace": mace, "club": club, "spear": spear, "trident": spear,
    "staff": staff,
    "wand": wand, "bow": bow, "crossbow": crossbow, "scythe": scythe, "pickaxe": pick, "shovel": shovel,
}  # fmt: skip


def _sign(nouns: str, upright: Callable[[Scene, str], None], *defaults: str) -> None:
    def archetype(scene: Scene) -> None:
        alone(scene, upright, *defaults, scale=1.0 if upright in {hammer, axe, mace, pick, scythe} else 1.12)

    draws(nouns)(archetype)


_sign("sword blade longsword broadsword greatsword claymore rapier dagger knife dirk", sword, "steel", "silver")
_sign("scimitar cutlass katana sabre saber", curved, "steel", "silver")
_sign("axe battleaxe hatchet tomahawk", axe, "steel", "iron")
_sign("hammer warhammer mallet", hammer, "iron", "steel", "stone")
_sign("mace morningstar flail", mace, "iron", "steel")
_sign("club cudgel", club, "iron")
_sign("spear lance trident halberd pike javelin", spear, "steel", "bronze")
_sign("staff sceptre scepter", staff, "wood")
_sign("wand", wand, "spark", "rose", "cyan")
_sign("bow longbow", bow, "wood", "darkwood")
_sign("crossbow arbalest", crossbow, "steel", "iron")
_sign("scythe sickle", scythe, "steel", "silver")
_sign("pickaxe pick", pick, "iron", "steel")
_sign("shovel spade", shovel, "iron", "steel")
