"""What stands in a room: machines with a plug, furniture, dice, and things that sound."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: C901, PLR0912, PLR0915, PLR2004

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene


@draws("dice die")
def dice(scene: Scene) -> None:
    """A die in three faces."""
    colour = scene.main("white", "red", "violet")
    pips = "ink" if colour in {"white", "cream"} else "white"
    for points, tone in (
        (((32, 4), (58, 17), (32, 31), (6, 17)), 1.0), (((6, 17), (32, 31), (32, 61), (6, 46)), 0),
        (((58, 17), (32, 31), (32, 61), (58, 46)), -1.1),
    ):  # fmt: skip
        scene.poly(points, colour, 0, tone=tone, soft=True)
    for x, y in ((32, 17), (13, 29), (25, 47), (19, 38), (39, 36), (51, 30), (39, 50), (51, 43)):
        scene.spot(x, y, 2.9, pips, 1 if pips == "ink" else 4)


@draws(
    "gamepad controller joystick console computer monitor keyboard phone camera television radio "
    "headphones battery magnet lightbulb bulb"
)
def device(scene: Scene) -> None:
    """Things with a plug."""
    says = scene.says
    colour = scene.main("violet", "teal", "iron")
    if says("gamepad", "controller", "joystick"):
        with scene.group():
            scene.box(12, 18, 40, 24, colour, 6, gloss=0.4)
            scene.limb(((14, 28), (9, 48)), 9, 6.5, colour, mirror=True)
        scene.dot(18, 29, "ink", 1, w=4, h=12)
        scene.dot(18, 29, "ink", 1, w=12, h=4)
        for x, y, one in ((46, 23, "amber"), (52, 29, "red"), (40, 29, "sky"), (46, 35, "lime")):
            scene.spot(x, y, 2.7, one, 3)
    elif says("camera"):
        scene.box(20, 10, 22, 12, colour, 3)
        scene.box(4, 17, 56, 39, colour, 5, gloss=0.4)
        scene.ball(32, 37, 15, "steel", gloss=0.7)
        scene.ball(32, 37, 10.5, "navy", gloss=1)
        scene.spot(28, 33, 2.4, "white", 5)
        scene.box(47, 21, 9, 6, "spark", 1.5)
    elif says("headphones"):
        scene.limb(((10, 38), (10, 22), (20, 9), (44, 9), (54, 22), (54, 38)), 4, 4, colour, gloss=0.6)
        scene.box(5, 33, 13, 23, blend(colour, "ink", 0.4), 4, mirror=True)
    elif says("battery"):
        scene.box(24, 2, 16, 8, "steel", 2, gloss=0.7)
        body = scene.post(14, 8, 36, 52, "ink", gloss=0.8)
        top = 12 if says("full") else 44 if says("low", "empty") else 30
        scene.post(14, top, 36, 60 - top, scene.main("lime"), gloss=0.8, clip=body)
        scene.poly(((35, 16), (24, 34), (31, 34), (28, 50), (41, 29), (34, 29)), "white", 1, clip=body)
    elif says("magnet"):
        scene.limb(
            ((12, 14), (12, 34), (20, 50), (44, 50), (52, 34), (52, 14)), 8, 8, scene.main("red"),
            gloss=0.6,
        )  # fmt: skip
        scene.box(4, 6, 16, 13, "silver", 3, gloss=0.8, mirror=True)
    elif says("lightbulb", "bulb"):
        scene.ball(32, 25, 21, scene.main("yellow"), gloss=1)
        scene.poly(((19, 39), (45, 39), (40, 50), (24, 50)), "yellow", 4, soft=True)
        scene.stroke(((27, 40), (25, 26), (32, 32), (39, 26), (37, 40)), "ember", 3, 1.4)
        for y in (50, 55):
            scene.box(23, y, 18, 4.6, "steel", 1.6, gloss=0.6)
        scene.glow(32, 26, 34, "spark")
    elif says("phone"):
        scene.box(16, 3, 32, 58, "ink", 4, gloss=0.6)
        scene.box(19, 9, 26, 43, colour, 2, soft=True)
        for y, one in ((16, "white"), (26, "white"), (36, "spark")):
            scene.box(22 if one == "white" else 28, y, 14, 7, one, 2)
        scene.spot(32, 56.5, 2, "grey", 3)
    elif says("radio"):
        scene.limb(((46, 22), (56, 4)), 1.2, 1.2, "steel")
        scene.box(4, 20, 56, 38, colour, 5)
        scene.ball(20, 40, 12, "ink")
        for y in (35, 40, 45):
            scene.stroke(((13, y), (27, y)), "grey", 3)
        scene.box(37, 27, 18, 8, "cream", 1.5)
        for x in (40, 51):
            scene.ball(x, 46, 4, "gold", gloss=0.8)
    else:
        scene.box(26, 46, 12, 8, "iron", 2)
        scene.box(16, 53, 32, 6, "iron", 2, gloss=0.4)
        scene.box(4, 6, 56, 41, colour, 5, gloss=0.4)
        scene.box(9, 11, 46, 30, "ink", 2, soft=True, gloss=0.5)
        for i, w in enumerate((18, 28, 12, 22)):
            scene.dot(13 + w / 2, 17 + i * 6, "lime", 4, w=w, h=2)


@draws("note music")
def note(scene: Scene) -> None:
    """Two quavers."""
    colour = scene.main("violet", "cyan", "rose")
    scene.poly(((22, 10), (54, 4), (54, 15), (22, 21)), colour, 3, gloss=0.5)
    scene.box(21, 12, 5, 38, colour, 2, gloss=0.5)
    scene.box(49, 8, 5, 36, colour, 2, gloss=0.5)
    scene.oval(17, 50, 9.5, 7.4, -18, colour, gloss=0.9)
    scene.oval(45, 44, 9.5, 7.4, -18, colour, gloss=0.9)


@draws("chair table bed throne bookshelf desk stool sofa wardrobe cabinet bench rug")
def furniture(scene: Scene) -> None:
    """Something to sit, lie, eat or read at."""
    says = scene.says
    wood, cloth = scene.brief.near("wood", "wood"), scene.main("crimson", "teal", "navy")
    cloth = "crimson" if cloth == "gold" else cloth
    scene.stand(32, 60, 26)
    if says("bookshelf", "wardrobe", "cabinet"):
        scene.box(8, 3, 48, 57, wood, 3)
        for row, y in enumerate((8, 25, 42)):
            scene.box(12, y, 40, 14, "darkwood", 0, tone=-1)
            x = 13.0
            while x < 49:
                wide = scene.chance.between(3.4, 5.6)
                high = scene.chance.between(9, 13)
                scene.box(
                    x, y + 14 - high, wide, high, scene.chance.pick(("red", "navy", "pine", "amber",
                    "purple", "cream", "teal")), 1.2,
                )  # fmt: skip
                x += wide + (3 if scene.chance.likely(0.1) else 0.2)
            del row
    elif says("bed"):
        scene.box(4, 16, 6, 44, wood, 2)
        scene.box(54, 28, 6, 32, wood, 2)
        scene.box(6, 36, 52, 16, "cream", 3)
        scene.box(24, 34, 33, 19, cloth, 4)
        scene.box(10, 29, 15, 10, "white", 4)
    elif says("table", "desk"):
        for x in (10, 48):
            scene.box(x, 30, 6, 30, wood, 2)
        scene.box(3, 24, 58, 8, wood, 3)
        for x, y in ((20, 18), (40, 16)):
            scene.ball(x, y, 5, "gold" if x == 20 else "red", gloss=0.7)
    else:
        royal = says("throne")
        frame = "gold" if royal else wood
        scene.box(14, 2 if royal else 8, 36, 42, frame, 4, gloss=0.5 if royal else 0)
        scene.box(19, 9 if royal else 13, 26, 28, cloth, 4)
        for x in (10, 46):
            scene.box(x, 30, 8, 30, frame, 2.5, gloss=0.4 if royal else 0)
        scene.box(14, 38, 36, 11, cloth, 4)
        if royal:
            for x in (17, 32, 47):
                scene.ball(x, 3, 4, "ruby" if x == 32 else "gold", gloss=1)
