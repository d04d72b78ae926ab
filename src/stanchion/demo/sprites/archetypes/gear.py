"""What an adventurer wears: shields, armour, helmets, boots, rings, amulets, crowns, cloaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene

METALS = frozenset(["steel", "iron", "silver", "gold", "bronze", "copper"])


@draws("shield buckler aegis")
def shield(scene: Scene) -> None:
    """A rim, a field and a charge on it."""
    colour, rim = scene.main("blue", "crimson", "pine", "purple"), scene.accent("gold", "steel", "bronze")
    chance = scene.chance
    round_one = scene.says("round", "buckler", "viking", "wooden")
    if round_one:
        scene.ball(32, 32, 27, rim, gloss=0.6)
        field = scene.ball(32, 32, 22, colour, soft=True)
        for x in (18, 25, 39, 46):
            scene.stroke(((x, 12), (x, 52)), colour, 1)
        scene.ball(32, 32, 7.5, "iron", gloss=0.9)
        for x, y in ((32, 7.5), (32, 56.5), (7.5, 32), (56.5, 32), (15, 15), (49, 15), (15, 49), (49, 49)):
            scene.dot(x, y, rim, 5, w=2.4, h=2.4)
        del field
        return
    scene.poly(
        ((8, 8), (20, 9), (32, 3), (44, 9), (56, 8), (55, 34), (46, 50), (32, 62), (18, 50), (9, 34)),
        rim, 5, gloss=0.7,
    )  # fmt: skip
    scene.poly(((13, 13), (22, 14), (32, 9), (32, 56), (22, 47), (14, 33)), colour, 4, soft=True)
    scene.poly(
        ((51, 13), (42, 14), (32, 9), (32, 56), (42, 47), (50, 33)), blend(colour,
        "white", 0.25) if chance.likely(0.5) else colour, 4, soft=True,
    )  # fmt: skip
    charge = chance.pick(("cross", "gem", "chevron")) if not scene.says("dragon", "skull", "star", "sun") else "star"
    if charge == "cross":
        scene.box(29, 17, 6, 32, rim, 1.5, gloss=0.5)
        scene.box(20, 25, 24, 6, rim, 1.5, gloss=0.5, soft=True)
    elif charge == "gem":
        scene.poly(((32, 18), (42, 31), (32, 46), (22, 31)), rim, 2, gloss=0.7)
        scene.poly(
            ((32, 23), (38, 31), (32, 41), (26, 31)), scene.accent("ruby", "emerald", "cyan"), 3, gloss=1,
        )  # fmt: skip
    elif charge == "chevron":
        for y in (20, 30):
            scene.poly(
                ((18, y + 10), (32, y), (46, y + 10), (46, y + 15), (32, y + 5), (18, y + 15)), rim, 1.5,
                gloss=0.5,
            )  # fmt: skip
    else:
        with scene.at(32, 31, scale=0.5):
            scene.poly(
                ((32, 4), (39, 24), (60, 24), (43, 37), (49, 58), (32, 45), (15, 58), (21, 37), (4, 24),
                (25, 24)), rim, 6, gloss=0.8,
            )  # fmt: skip


@draws("armor armour chestplate breastplate cuirass chainmail tunic vest jerkin robe robes cloak cape")
def armour(scene: Scene) -> None:
    """A breastplate, or a garment, without its wearer."""
    colour = scene.main("steel", "iron", "gold", "bronze")
    trim = scene.accent("gold", "crimson", "silver")
    if scene.says("cloak", "cape", "robe"):
        scene.poly(((22, 8), (42, 8), (56, 58), (44, 55), (32, 60), (20, 55), (8, 58)), colour, 6)
        scene.limb(((20, 12), (32, 17), (44, 12)), 4.4, 4.4, blend(colour, "white", 0.3))
        for x in (-1, 0, 1):
            scene.stroke(((32 + x * 5, 22), (32 + x * 13, 54)), colour, 1, 1.4)
        scene.ball(32, 18, 4, trim, gloss=1)
        return
    shiny = 0.9 if colour in METALS else 0.2
    scene.poly(
        ((20, 10), (27, 16), (37, 16), (44, 10), (50, 24), (47, 38), (49, 56), (15, 56), (17, 38), (14,
        24)), colour, 7, gloss=shiny,
    )  # fmt: skip
    scene.ellipse(13, 18, 9.5, 8.5, colour, gloss=shiny, mirror=True)
    scene.limb(((6, 21), (13, 25), (21, 21)), 1.5, 1.5, trim, gloss=0.6, mirror=True)
    scene.stroke(((32, 19), (32, 46)), colour, 1)
    scene.stroke(((19, 32), (27, 37), (32, 35), (37, 37), (45, 32)), colour, 1, 1.2)
    if scene.says("chainmail"):
        for y in range(22, 46, 4):
            for x in range(20 + (y % 8) // 2, 46, 4):
                scene.dot(x, y, colour, 1, w=1.6, h=1.2)
    scene.box(15.5, 45, 33, 5, "leather", 1.5)
    scene.box(28, 44, 8, 7, trim, 1.5, gloss=0.7)
    scene.poly(((32, 21), (36, 26), (32, 31), (28, 26)), scene.accent("ruby", "cyan", "emerald"), 2, gloss=1)


@draws("helmet helm visor")
def helmet(scene: Scene) -> None:
    """A closed helmet with a plume, or horns."""
    colour = scene.main("steel", "bronze", "gold", "iron")
    if scene.says("horned", "viking", "horns"):
        scene.limb(((16, 26), (5, 20), (5, 6)), 5, 1, "bone", mirror=True)
    else:
        scene.limb(
            ((32, 12), (38, 4), (50, 5), (58, 15), (59, 27)), 5.4, 2, scene.accent("crimson", "blue",
            "purple"),
        )  # fmt: skip
    scene.poly(
        ((12, 54), (11, 27), (18, 15), (32, 9), (46, 15), (53, 27), (52, 54), (40, 58), (32, 52), (24, 58)),
        colour, 8, gloss=0.9,
    )  # fmt: skip
    scene.poly(((17, 30), (30, 33), (30, 37), (18, 36)), "ink", 0, soft=True, mirror=True)
    scene.box(29.6, 30, 4.8, 24, colour, 1.6, gloss=0.7)
    scene.limb(((13, 26), (32, 28), (51, 26)), 2, 2, scene.accent("gold"), gloss=0.7)
    for x in (20, 25):
        for y in (43, 48):
            scene.dot(x, y, "ink", 1, w=1.8, h=1.8)
            scene.dot(64 - x, y, "ink", 1, w=1.8, h=1.8)


@draws("boot shoe greave sandal")
def boots(scene: Scene) -> None:
    """A pair of boots, toes to the left."""
    colour = scene.main("leather", "darkwood", "brown")
    for x, y, material in ((12, -4, blend(colour, "ink", 0.2)), (0, 0, colour)):
        with scene.at(32 + x, 32 + y):
            with scene.group():
                scene.poly(((20, 12), (38, 12), (37, 44), (42, 56), (22, 56)), material, 5)
                scene.limb(((15, 51), (32, 50)), 6.5, 7, material)
            scene.limb(((9, 58), (42, 58)), 2, 2, "darkwood")
            scene.limb(((20, 13), (38, 13)), 3, 3, scene.accent("cream", "gold", "sand"))
            scene.box(20, 32, 18, 4, "darkwood", 1.2)
            scene.dot(25, 34, "gold", 4, w=4, h=4)
    if scene.says("winged", "speed", "wings"):
        for i in range(3):
            scene.limb(((38, 28 + i * 5), (50, 20 + i * 6), (58, 18 + i * 7)), 3.4, 1.6, "white")


@draws("glove gauntlet mitten")
def glove(scene: Scene) -> None:
    """An open gauntlet."""
    colour = scene.main("steel", "leather", "bronze")
    for x, y in ((20, 17), (28, 9), (36, 9), (44, 15)):
        scene.limb(((x * 0.6 + 12.8, 34), (x, y)), 4.2, 3.6, colour, gloss=0.7)
    scene.limb(((22, 40), (10, 30)), 4.4, 3.8, colour, gloss=0.7)
    scene.box(18, 26, 27, 20, colour, 5, gloss=0.7)
    scene.poly(((18, 45), (45, 45), (51, 61), (12, 61)), colour, 4, gloss=0.5)
    scene.box(15.5, 44, 32, 4, scene.accent("gold", "crimson"), 1.4, gloss=0.6)
    scene.ball(32, 36, 5, scene.accent("ruby", "cyan", "amethyst"), gloss=1)


@draws("ring band signet")
def ring(scene: Scene) -> None:
    """A hoop with a stone."""
    metal = scene.main("gold", "silver") if scene.brief.colours and scene.brief.colours[0] in METALS else "gold"
    stone = next((one for one in (*scene.brief.colours, *scene.brief.others) if one not in METALS), "ruby")
    scene.ball(32, 40, 21, metal, gloss=1)
    scene.cut(32, 40, 14, 14)
    scene.poly(((22, 18), (42, 18), (38, 25), (26, 25)), metal, 2, gloss=0.6)
    scene.poly(((24, 5), (40, 5), (47, 12), (32, 23), (17, 12)), stone, 5, gloss=1)
    scene.poly(((24, 5), (40, 5), (36, 11), (28, 11)), stone, 0, tone=1.2, soft=True)
    scene.glint(45, 7, 4)
    scene.glow(32, 14, 22, stone)


@draws("amulet necklace pendant locket medallion talisman medal")
def amulet(scene: Scene) -> None:
    """A stone on a chain."""
    named = (*scene.brief.colours, *scene.brief.others)
    stone = next((one for one in named if one not in METALS), "") or scene.chance.pick(("emerald", "ruby", "cyan"))
    metal = next((one for one in named if one in METALS), "gold")
    for i in range(9):
        across = (i - 4) / 4
        scene.ball(32 + across * 22, 30 - abs(across) ** 1.6 * 24, 2.4, metal, gloss=0.8)
    scene.ball(32, 44, 16, metal, gloss=0.9)
    scene.ball(32, 44, 11, stone, gloss=1)
    scene.oval(28, 39, 4, 2, -35, "white", tone=2, soft=True)
    scene.glint(42, 53, 3)
    scene.glow(32, 44, 24, stone)


@draws("crown tiara diadem")
def crown(scene: Scene) -> None:
    """Five points with a stone on each."""
    colour = scene.main("gold", "gold", "silver")
    scene.ellipse(32, 20, 22, 6, blend(colour, "ink", 0.45))
    scene.poly(
        ((7, 54), (5, 14), (17, 33), (22, 10), (32, 30), (42, 10), (47, 33), (59, 14), (57, 54)), colour, 4,
        gloss=1,
    )  # fmt: skip
    for (x, y), gem in zip(((5.5, 13), (22, 9), (42, 9), (58.5, 13)), ("ruby", "cyan", "cyan", "ruby"), strict=True):
        scene.ball(x, y, 3.6, gem, gloss=1)
    scene.box(7, 47, 50, 8, blend(colour, "rust", 0.3), 2.5, gloss=0.8)
    for x, gem in ((17, "emerald"), (32, scene.accent("ruby", "amethyst")), (47, "emerald")):
        scene.poly(((x, 46), (x + 5, 51), (x, 56), (x - 5, 51)), gem, 2.5, gloss=1)
    scene.glint(50, 24, 4)


@draws("hat cap fez sombrero")
def hat(scene: Scene) -> None:
    """A wizard's hat lying ready."""
    colour = scene.main("violet", "navy", "crimson", "pine")
    scene.limb(((32, 46), (30, 26), (36, 12), (48, 8)), 17, 1.6, colour)
    scene.ellipse(32, 50, 29, 9, colour)
    scene.limb(((15, 43), (32, 48), (49, 43)), 3, 3, scene.accent("gold", "amber", "cream"))
    scene.box(27, 43, 10, 9, "gold", 2, gloss=0.7)
    for x, y in ((26, 32), (36, 24), (40, 36)):
        scene.glint(x, y, 2.2)


@draws("backpack bag pouch sack purse satchel")
def bag(scene: Scene) -> None:
    """A sack tied at the neck, or a pack with straps."""
    colour = scene.brief.colours[0] if scene.brief.colours and not scene.says("coin") else "leather"
    scene.stand(32, 58, 20)
    if scene.says("backpack", "satchel"):
        scene.limb(((22, 18), (24, 6), (40, 6), (42, 18)), 2.4, 2.4, "darkwood")
        scene.box(7, 34, 12, 18, blend(colour, "ink", 0.25), 4, mirror=True)
        scene.box(13, 14, 38, 44, colour, 8)
        scene.poly(((12, 16), (52, 16), (50, 34), (32, 39), (14, 34)), blend(colour, "cream", 0.2), 5)
        scene.box(21, 42, 22, 13, blend(colour, "ink", 0.15), 3)
        scene.box(29, 34, 6, 9, "gold", 1.6, gloss=0.7)
        return
    with scene.group():
        scene.ellipse(32, 41, 22, 18, colour)
        scene.ellipse(32, 27, 12, 10, colour)
    scene.poly(((20, 8), (27, 11), (32, 7), (37, 11), (44, 8), (39, 20), (25, 20)), colour, 3)
    scene.limb(((22, 20), (32, 22), (42, 20)), 2.6, 2.6, "rust")
    if scene.says("gold", "coin", "money", "treasure"):
        scene.ball(32, 42, 9, "gold", gloss=0.9)
        scene.box(30.5, 36, 3, 12, "amber", 1, soft=True)
        for x, y in ((10, 57), (52, 56), (44, 58)):
            scene.ellipse(x, y, 5, 3, "gold", gloss=0.9)
    else:
        scene.stroke(((22, 34), (26, 50)), colour, 1)
        scene.stroke(((41, 33), (39, 52)), colour, 1)
