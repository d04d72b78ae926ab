"""Signs of an interface: stars, arrows, gears, locks, weather, trophies, letters."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: PLR2004

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene


@draws("star")
def star(scene: Scene) -> None:
    """Five points, in facets."""
    colour = scene.main("yellow", "gold")
    for i in range(5):
        tip, left, right = (math.tau * (i + shift) / 5 - math.pi / 2 for shift in (0, -0.5, 0.5))
        outer = (32 + math.cos(tip) * 29, 34 + math.sin(tip) * 29)
        for angle in (left, right):
            inner = (32 + math.cos(angle) * 13, 34 + math.sin(angle) * 13)
            middle = (tip + angle) / 2
            tone = -(math.cos(middle) * 0.5 + math.sin(middle) * 0.66) * 1.3 + (0.5 if angle < tip else -0.3)
            scene.poly(((32, 34), inner, outer), colour, 0, tone=tone, soft=True)
    if scene.says("happy", "smiling", "cute", "face"):
        scene.eyes(32, 6, 3)
        scene.stroke(((28, 39), (30, 41), (34, 41), (36, 39)), colour, 0, 1.2)
    if scene.says("shooting", "falling", "wishing", "glowing"):
        scene.glow(32, 34, 36, colour)
    scene.glint(22, 24, 3)


@draws("arrow cursor pointer chevron")
def arrow(scene: Scene) -> None:
    """An arrow to the right; up, down or left if the prompt says so."""
    colour = scene.main("lime", "sky", "amber")
    turn = 180 if scene.says("left", "back") else -90 if scene.says("up", "upward") else 90 if scene.says("down") else 0
    with scene.at(32, 32, turn=turn):
        scene.poly(((5, 23), (32, 23), (32, 8), (60, 32), (32, 56), (32, 41), (5, 41)), colour, 7, gloss=0.7)


@draws("gear cog cogwheel settings")
def gear(scene: Scene) -> None:
    """Eight teeth and a hub."""
    colour = scene.main("steel", "bronze", "iron")
    for i in range(8):
        with scene.at(32, 32, turn=i * 45 + 11):
            scene.poly(((26, 12), (28, 3), (36, 3), (38, 12)), colour, 2, gloss=0.6, soft=True)
    scene.ball(32, 32, 22, colour, gloss=0.7)
    scene.ball(32, 32, 15, blend(colour, "ink", 0.2), soft=True)
    scene.cut(32, 32, 8, 8)


@draws("lock padlock")
def lock(scene: Scene) -> None:
    """A padlock, shut or open."""
    colour = scene.main("gold", "steel")
    lift = -5 if scene.says("open", "unlocked") else 0
    scene.limb(
        ((19, 32 if not lift else 22), (19, 18 + lift), (24, 10 + lift), (40, 10 + lift), (45, 18 + lift),
        (45, 32)), 4, 4, "steel", gloss=0.9,
    )  # fmt: skip
    scene.box(10, 28, 44, 32, colour, 5, gloss=0.7)
    scene.ball(32, 41, 4.4, "ink", soft=True)
    scene.box(30, 42, 4, 10, "ink", 0, soft=True)


@draws("cloud raincloud snowcloud weather")
def cloud(scene: Scene) -> None:
    """A cloud, and what falls from it."""
    says = scene.says
    stormy = says("storm", "rain", "raincloud", "thunder", "lightning", "rainy")
    colour = blend("grey", "navy", 0.3) if stormy else scene.main("white")
    if says("sun", "sunny"):
        scene.ball(46, 18, 13, "amber", gloss=0.5)
        scene.glow(46, 18, 24, "spark")
    with scene.group():
        for x, y, r in ((16, 32, 11), (28, 23, 14), (43, 27, 12), (52, 35, 9)):
            scene.ball(x, y, r, colour)
        scene.ellipse(33, 37, 25, 8, colour)
    if says("rain", "rainy", "raincloud"):
        for x in (16, 27, 38, 49):
            scene.limb(((x, 50), (x - 3, 58)), 1.7, 2.2, "sky", gloss=0.6)
    if says("lightning", "thunder", "storm"):
        scene.poly(
            ((34, 38), (24, 53), (31, 53), (27, 64), (42, 48), (35, 48), (40, 38)), "spark", 1.5, tone=0.6,
        )  # fmt: skip
        scene.glow(32, 52, 18, "spark")
    if says("snow", "snowy", "snowcloud"):
        for x, y in ((16, 50), (28, 55), (40, 50), (50, 56)):
            scene.glint(x, y, 3)
    if says("happy", "smiling", "cute", "sleepy"):
        scene.eyes(32, 7, 2.8)
        scene.stroke(((29, 38), (31, 39.5), (34, 39.5), (36, 38)), colour, 0, 1.2)


@draws("bolt lightning thunderbolt energy")
def bolt(scene: Scene) -> None:
    """A bolt of lightning."""
    colour = scene.main("spark")
    scene.poly(((38, 2), (12, 36), (28, 36), (20, 62), (52, 24), (34, 24), (46, 2)), colour, 5, gloss=0.8)
    scene.glow(32, 32, 34, colour)


@draws("snowflake")
def snowflake(scene: Scene) -> None:
    """Six arms."""
    colour = scene.main("ice", "sky")
    for i in range(6):
        with scene.at(32, 32, turn=i * 60):
            scene.limb(((32, 32), (32, 5)), 2.4, 2, colour, gloss=0.6, soft=True)
            for y in (10, 18):
                scene.limb(
                    ((32, y + 5), (26 + (y - 10) / 8, y - 1)), 1.7, 1.3, colour, mirror=True, soft=True,
                )  # fmt: skip
    scene.glow(32, 32, 33, colour)


@draws("drop droplet raindrop tear")
def drop(scene: Scene) -> None:
    """A drop."""
    colour = scene.main("water", "sky")
    with scene.group() as body:
        scene.ball(32, 41, 19, colour, gloss=1)
        scene.poly(((32, 3), (49.5, 33), (14.5, 33)), colour, 8, gloss=0.6)
    scene.oval(24, 38, 3, 6.4, 20, "white", tone=1.8, clip=body)


@draws("leaf-emblem trophy")
def trophy(scene: Scene) -> None:
    """A cup with two handles."""
    colour = scene.main("gold", "silver", "bronze")
    scene.limb(((20, 14), (8, 14), (8, 25), (20, 32)), 2.8, 2.4, colour, gloss=0.7, mirror=True)
    scene.post(29, 40, 6, 12, colour, gloss=0.8)
    scene.poly(((14, 6), (50, 6), (48, 26), (38, 42), (26, 42), (16, 26)), colour, -1, gloss=1)
    scene.ellipse(32, 7, 18.5, 4, blend(colour, "rust", 0.35), gloss=0.5)
    scene.box(18, 50, 28, 10, "darkwood", 2.5)
    scene.box(25, 52.5, 14, 4.4, "gold", 1.4)
    with scene.at(32, 22, scale=0.28):
        scene.poly(
            ((32, 4), (39, 24), (60, 24), (43, 37), (49, 58), (32, 45), (15, 58), (21, 37), (4, 24), (25,
            24)), "white", 6,
        )  # fmt: skip
    scene.glint(44, 12, 3)


@draws("envelope mail message")
def envelope(scene: Scene) -> None:
    """A letter with a seal."""
    paper = scene.main("cream", "white")
    scene.box(4, 13, 56, 40, paper, 3)
    scene.stroke(((6, 51), (25, 32)), paper, 1)
    scene.stroke(((58, 51), (39, 32)), paper, 1)
    scene.poly(((4, 14), (60, 14), (32, 37)), paper, 2.5)
    scene.ball(32, 34, 6.6, scene.accent("crimson", "blue", "purple"), gloss=0.6)


@draws("check checkmark tick cross plus minus")
def check(scene: Scene) -> None:
    """A tick, a plus or a cross."""
    if scene.says("check", "checkmark", "tick"):
        scene.poly(
            ((5, 34), (15, 25), (26, 36), (49, 9), (59, 18), (27, 55)), scene.main("green"), 5, gloss=0.7,
        )  # fmt: skip
        return
    plus = scene.says("plus", "medical", "health")
    with scene.at(32, 32, turn=0 if plus else 45):
        scene.poly(
            ((25, 5), (39, 5), (39, 25), (59, 25), (59, 39), (39, 39), (39, 59), (25, 59), (25, 39), (5,
            39), (5, 25), (25, 25)), scene.main("green" if plus else "red"), 5, gloss=0.7,
        )  # fmt: skip


@draws("flag banner pennant")
def flag(scene: Scene) -> None:
    """A flag on its pole."""
    colour, charge = scene.main("crimson", "blue", "purple", "pine"), scene.accent("gold", "white")
    scene.post(9, 4, 5, 58, "wood")
    scene.ball(11.5, 4, 4, "gold", gloss=0.8)
    cloth = scene.poly(
        ((14, 8), (26, 11), (40, 7), (60, 11), (52, 25), (60, 40), (42, 37), (27, 41), (14, 38)), colour, 3,
    )  # fmt: skip
    for x in (26, 41):
        scene.stroke(((x, 11), (x + 1, 39)), colour, 2, 1.6)
    with scene.at(34, 24, scale=0.3):
        scene.poly(
            ((32, 4), (39, 24), (60, 24), (43, 37), (49, 58), (32, 45), (15, 58), (21, 37), (4, 24), (25,
            24)), charge, 6, clip=cloth,
        )  # fmt: skip


@draws("target bullseye")
def target(scene: Scene) -> None:
    """Rings, and an arrow in the middle."""
    for r, colour in ((29, "white"), (23, "red"), (17, "white"), (11, "red"), (5, "gold")):
        scene.ball(32, 33, r, colour, soft=r < 29)
    scene.limb(((33, 32), (58, 7)), 1.6, 1.6, "wood")
    scene.poly(((50, 10), (57, 2), (58, 6), (62, 7), (54, 14)), "teal", 1)


@draws("clock-tower sun-emblem rainbow")
def rainbow(scene: Scene) -> None:
    """Bands over two clouds."""
    for r, colour in (
        (29, "red"), (25, "orange"), (21, "yellow"), (17, "green"), (13, "blue"), (9, "purple"),
    ):  # fmt: skip
        scene.ball(32, 42, r, colour, soft=r < 29)
    scene.cut(32, 42, 5.5, 5.5)
    scene.cut(32, 62, 40, 18)
    for x in (12, 52):
        with scene.group():
            for dx, dy, r in ((-5, 2, 6), (2, -2, 7.5), (7, 3, 5.5)):
                scene.ball(x + dx, 46 + dy, r, "white")
