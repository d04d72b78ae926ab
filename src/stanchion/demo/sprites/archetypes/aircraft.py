"""What flies: rockets, starships, balloons, planes."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: PLR2004

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes import generic
from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene


@draws("rocket missile shuttle")
def rocket(scene: Scene) -> None:
    """A rocket on its flame."""
    colour, fin = scene.main("white", "cream", "sky"), scene.accent("red", "orange", "blue")
    with scene.at(32, 32, turn=scene.chance.pick((0, 28, 28)), scale=0.95):
        scene.poly(((25, 50), (39, 50), (36, 60), (32, 70), (28, 60)), "flame", 3, tone=0.7)
        scene.poly(((28.5, 50), (35.5, 50), (32, 62)), "yellow", 2, tone=0.8, soft=True)
        scene.poly(((22, 34), (11, 48), (12, 56), (24, 48)), fin, 2.5, gloss=0.5, mirror=True)
        body = scene.poly(
            ((32, -4), (40, 8), (43, 22), (41, 48), (23, 48), (21, 22), (24, 8)), colour, -1, gloss=0.9,
        )  # fmt: skip
        scene.poly(((20, -6), (44, -6), (44, 9), (20, 9)), fin, -1, clip=body, gloss=0.7)
        scene.box(18, 41, 28, 4, fin, 1.2, clip=body)
        scene.ball(32, 22, 6.8, "iron", gloss=0.8)
        scene.ball(32, 22, 4.6, "sky", gloss=1, soft=True)
        scene.box(25, 47, 14, 4.4, "iron", 1.4)
    scene.glow(30, 54, 24, "flame")


@draws(
    "ufo saucer spaceship starship spacecraft starfighter fighter interceptor cruiser freighter satellite probe station"
)
def starship(scene: Scene) -> None:
    """A saucer in profile, or a ship from above, mirrored."""
    says, chance = scene.says, scene.chance
    colour, light = (
        scene.main("steel", "sky", "silver", "cream"),
        scene.accent("cyan", "ember", "lime", "amber"),
    )
    if says("ufo", "saucer"):
        scene.poly(((22, 40), (42, 40), (54, 63), (10, 63)), light, 0, tone=1.5) if says("beam", "abducting") else None
        scene.ellipse(32, 24, 15, 15, "glass" if light != "cyan" else "mint", gloss=1)
        scene.ball(32, 22, 6.4, "lime")
        scene.eyes(21, 2.6, 1.8)
        scene.ellipse(32, 34, 30, 9.5, colour, gloss=1)
        scene.ellipse(32, 31, 19, 4, blend(colour, "ink", 0.25), gloss=0.6)
        for x in (9, 20, 32, 44, 55):
            scene.ball(x, 36 + (1 - abs(x - 32) / 26) * 3, 2.6, light, gloss=1)
        scene.glow(32, 42, 30, light)
        return
    if says("satellite", "probe", "station"):
        for x in (2, 46):
            scene.box(x, 24, 16, 18, "navy", 1.5, gloss=0.6)
            for i in range(1, 3):
                scene.stroke(((x, 24 + i * 6), (x + 16, 24 + i * 6)), "sky", 4)
            scene.stroke(((x + 8, 24), (x + 8, 42)), "sky", 4)
        scene.limb(((16, 33), (48, 33)), 1.6, 1.6, "iron")
        scene.box(23, 20, 18, 28, colour, 4, gloss=0.9)
        scene.box(23, 30, 18, 5, "gold", 1.5, soft=True, gloss=0.8)
        scene.limb(((32, 20), (32, 12)), 1.4, 1.4, "iron")
        scene.ellipse(32, 10, 12, 5.4, "white", gloss=0.6)
        scene.ball(32, 6, 2.2, "red", gloss=1)
        scene.ball(32, 50, 3.4, light, gloss=1)
        return
    dark = blend(colour, "ink", 0.4)
    wing, sweep, nose = chance.between(22, 29), chance.between(-8, 14), chance.between(2, 8)
    width = chance.between(6, 9)
    for x in (32 - width * 0.6, 32 + width * 0.6):
        scene.poly(((x - 3, 52), (x + 3, 52), (x, 64)), "flame" if light != "cyan" else "sky", 2, tone=1)
    scene.poly(
        ((32, 26), (32 - wing, 40 + sweep), (32 - wing, 48 + sweep * 0.6), (32, 52)), colour, 3, gloss=0.6,
        mirror=True,
    )  # fmt: skip
    if chance.likely(0.7):
        scene.limb(
            ((32 - wing + 1.5, 28 + sweep), (32 - wing + 1.5, 50 + sweep * 0.6)), 1.8, 2.2, dark, gloss=0.5,
            mirror=True,
        )  # fmt: skip
    scene.poly(
        ((32, 36), (32 - wing * 0.55, 46 + sweep * 0.5), (32 - wing * 0.5, 50 + sweep * 0.4), (32, 46)),
        light if light != "cyan" else "red", 2, mirror=True, soft=True,
    )  # fmt: skip
    if chance.likely(0.6):
        scene.poly(
            ((32 - width, 44), (32 - width - 8, 56), (32 - width - 2, 58), (32 - 2, 50)), dark, 2,
            mirror=True,
        )  # fmt: skip
    scene.poly(
        ((32, nose), (32 + width * 0.6, nose + 12), (32 + width, 34), (32 + width * 0.8, 54),
        (32 - width * 0.8, 54), (32 - width, 34), (32 - width * 0.6, nose + 12)), colour, -1, gloss=0.9,
    )  # fmt: skip
    scene.ellipse(32, 24, width * 0.5, 7, light, gloss=1)
    scene.stroke(((32 - width * 0.6, 40), (32 + width * 0.6, 40)), colour, 1)
    scene.stroke(((32 - width * 0.5, 45), (32 + width * 0.5, 45)), colour, 1)
    scene.glow(32, 60, 16, "flame" if light != "cyan" else "cyan")


@draws("balloon airship zeppelin blimp")
def balloon(scene: Scene) -> None:
    """An envelope with a basket, or a dirigible."""
    colour, second = scene.main("red", "amber", "violet", "teal"), scene.accent("cream", "white")
    if scene.says("airship", "zeppelin", "blimp"):
        scene.poly(((48, 14), (62, 6), (60, 24), (62, 42), (48, 34)), second, 2.5)
        body = scene.ellipse(29, 24, 28, 17, colour, gloss=0.6)
        for y in (14, 24, 34):
            scene.box(0, y - 1.6, 64, 3.2, second, 0, clip=body)
        for x in (20, 42):
            scene.stroke(((x, 38), (x + 2, 48)), "darkwood", 2)
        scene.poly(((13, 46), (49, 46), (44, 58), (19, 58)), "wood", 3)
        for x in (22, 31, 40):
            scene.dot(x, 51, "spark", 4, w=4, h=4)
        return
    for x in (24, 40):
        scene.stroke(((x + (x - 32) * 0.5, 38), (x, 52)), "darkwood", 2, 1)
    with scene.group() as envelope:
        scene.ball(32, 22, 22, colour, gloss=0.5)
        scene.poly(((12.5, 30), (51.5, 30), (38, 46), (26, 46)), colour, 7)
    for rx in (15.5, 5):
        pass_ = second if rx > 10 else colour
        scene.ellipse(32, 22, rx, 22, pass_, clip=envelope, soft=True)
    scene.box(24, 50, 16, 11, "wood", 2.5)
    scene.box(23, 48.5, 18, 3.4, "tan", 1.2)


@draws("plane airplane biplane jet helicopter glider")
def plane(scene: Scene) -> None:
    """A plane from above; a helicopter from the side."""
    colour, second = scene.main("red", "sky", "amber"), scene.accent("cream", "white", "navy")
    if scene.says("helicopter"):
        scene.limb(((38, 32), (60, 26)), 3.4, 1.8, colour)
        scene.poly(((57, 14), (63, 18), (61, 32)), second, 1.5)
        scene.ellipse(25, 35, 21, 15, colour, gloss=0.6)
        scene.ellipse(16, 33, 11, 9, "sky", gloss=1)
        scene.post(25, 13, 3, 9, "iron")
        scene.ellipse(27, 12, 28, 2, "iron")
        for x in (17, 33):
            scene.limb(((x, 48), (x, 55)), 1, 1, "iron")
        scene.limb(((6, 56), (44, 56)), 1.5, 1.5, "iron")
        return
    scene.poly(((28, 22), (2, 30), (2, 37), (28, 38)), second, 3, mirror=True)
    if scene.says("biplane"):
        scene.poly(((28, 15), (6, 20), (6, 26), (28, 27)), colour, 3, mirror=True)
    scene.poly(((30, 50), (18, 56), (18, 60), (30, 59)), second, 2, mirror=True)
    scene.limb(((32, 12), (32, 34), (32, 58)), 6.4, 2, colour, gloss=0.7)
    scene.ellipse(32, 24, 3.4, 6, "sky", gloss=1)
    scene.ball(32, 5, 3, "iron")
    scene.ellipse(32, 4.5, 13, 1.6, "grey")


@draws("mothership")
def mothership(scene: Scene) -> None:
    """A ship no two of which are alike."""
    generic.figure(scene)
