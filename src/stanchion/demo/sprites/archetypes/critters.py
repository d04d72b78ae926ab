"""Small and watery creatures: insects, spiders, snakes, bats, fish, crabs, frogs, snails; and robots."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: C901

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene


@draws("spider tarantula scorpion")
def spider(scene: Scene) -> None:
    """Eight legs and many eyes, from the front."""
    colour = scene.main("ink", "purple", "rust", "night")
    scene.stand(32, 58, 26)
    for i, (knee_x, knee_y, x, y) in enumerate(((13, 16, 4, 34), (9, 26, 2, 46), (11, 36, 5, 56), (18, 42, 15, 59))):
        scene.limb(((28, 32 + i), (knee_x, knee_y), (x, y)), 2.2, 1, blend(colour, "grey", 0.15), mirror=True)
    if scene.brief.noun == "scorpion":
        scene.limb(((32, 30), (44, 20), (44, 8), (34, 4)), 4.6, 2.4, colour)
        scene.poly(((36, 1), (28, 4), (33, 9)), "ember", 1)
    scene.ellipse(32, 25, 15, 14, colour, gloss=0.4)
    mark = scene.accent("red", "lime", "amber", "violet")
    scene.poly(((32, 14), (36, 20), (32, 25), (28, 20)), mark, 1.5, soft=True)
    scene.ellipse(32, 41, 10.5, 9, colour, gloss=0.3)
    scene.eyes(39, 4, 2.7, mark)
    scene.eyes(35, 7.5, 1.5, mark)
    for x in (29, 35):
        scene.dot(x, 49, "bone", 4, w=2, h=4)


@draws("beetle ladybug ladybird scarab bug cockroach ant")
def beetle(scene: Scene) -> None:
    """A beetle from above."""
    colour = scene.main("red" if scene.says("ladybug", "ladybird") else "emerald", "teal", "violet", "amber")
    for y, far in ((24, 20), (36, 36), (46, 54)):
        scene.limb(((26, y), (12, (y + far) / 2 - 2), (7, far)), 2, 1.2, "ink", mirror=True)
    scene.limb(((29, 12), (22, 3)), 1.4, 1, "ink", mirror=True)
    scene.ellipse(32, 15, 9, 8, "ink", gloss=0.7)
    body = scene.ellipse(32, 37, 18, 21, colour, gloss=1)
    scene.ellipse(32, 22, 14, 6, blend(colour, "ink", 0.5), gloss=0.7)
    scene.stroke(((31.5, 27), (31.5, 57)), colour, 0, 1.2)
    if scene.says("ladybug", "ladybird", "spotted"):
        for x, y in ((23, 33), (41, 33), (20, 43), (44, 43), (26, 50), (38, 50)):
            scene.ball(x, y, 3, "ink", clip=body)
    scene.eyes(12, 5, 2)


@draws("bee wasp hornet bumblebee")
def bee(scene: Scene) -> None:
    """A striped body in profile, wings up."""
    colour = scene.main("amber")
    scene.oval(30, 16, 6, 13, -20, "sky", gloss=0.8, tone=0.8)
    scene.oval(40, 17, 6, 12, 25, "sky", gloss=0.8, tone=0.8)
    scene.poly(((52, 34), (62, 40), (51, 44)), "ink", 1)
    body = scene.ellipse(35, 39, 20, 14, colour, gloss=0.5)
    for x in (32, 41, 49):
        scene.limb(((x, 24), (x + 2, 39), (x, 54)), 2.4, 2.4, "ink", clip=body)
    scene.ball(19, 38, 11, blend(colour, "brown", 0.2))
    scene.limb(((15, 29), (9, 20)), 1.3, 1, "ink")
    scene.limb(((21, 28), (19, 18)), 1.3, 1, "ink")
    scene.eye(15, 37, 3.8)
    scene.dot(20, 43, "coral", 3, w=3.4, h=2)
    for x in (28, 36, 44):
        scene.stroke(((x, 53), (x - 2, 58)), "ink", 1, 1.4)


@draws("butterfly moth")
def butterfly(scene: Scene) -> None:
    """Two pairs of wings with spots."""
    colour, second = scene.main("sky", "orange", "violet", "rose"), scene.accent("cream", "amber", "ink")
    scene.oval(17, 21, 16, 12, 38, colour, mirror=True)
    scene.oval(20, 45, 12, 10, -35, blend(colour, second, 0.35), mirror=True)
    for x, y, r in ((14, 18, 4.4), (22, 25, 3), (19, 46, 3.6)):
        scene.spot(x, y, r, second, 4)
        scene.spot(64 - x, y, r, second, 4)
        scene.spot(x, y, r * 0.45, "ink", 1)
        scene.spot(64 - x, y, r * 0.45, "ink", 1)
    scene.limb(((31, 14), (26, 4)), 1.1, 1, "ink", mirror=True)
    scene.limb(((32, 15), (32, 50)), 3.4, 2, "darkwood")
    scene.ball(32, 14, 4.4, "darkwood")


@draws("snail slug")
def snail(scene: Scene) -> None:
    """A spiral shell on a soft foot."""
    shell, skin = scene.main("rust", "violet", "coral", "teal"), scene.accent("cream", "lime", "sand")
    scene.stand(32, 59, 27)
    scene.limb(((58, 57), (36, 55), (18, 54), (12, 42)), 3, 5.6, skin)
    scene.limb(((10, 38), (6, 26)), 1.5, 1.3, skin)
    scene.limb(((14, 38), (16, 26)), 1.5, 1.3, skin)
    scene.ball(38, 36, 20, shell, gloss=0.7)
    scene.limb(
        ((38, 52), (25, 44), (25, 30), (37, 22), (49, 30), (47, 43), (37, 46), (31, 38), (36, 31), (42, 36),
        (38, 39)), 1.5, 1, blend(shell, "ink", 0.45), soft=True,
    )  # fmt: skip
    scene.eye(6, 24, 3)
    scene.eye(16, 24, 3)
    scene.stroke(((8, 47), (12, 48)), skin, 0, 1.2)


@draws("snake serpent cobra viper worm basilisk")
def snake(scene: Scene) -> None:
    """Coils with a head raised."""
    colour = scene.main("green", "emerald", "olive", "coral", "violet")
    pale = blend(colour, "cream", 0.65)
    scene.stand(34, 59, 26)
    scene.limb(((50, 50), (59, 46), (61, 38)), 3.4, 1, colour)
    scene.ellipse(34, 53, 24, 7, colour)
    scene.ellipse(35, 45, 18, 6.5, colour)
    if scene.says("cobra"):
        scene.ellipse(26, 24, 13, 13, colour)
    scene.limb(((38, 42), (40, 32), (29, 27), (26, 16)), 7, 5.6, colour)
    scene.limb(((33, 40), (34, 34), (24, 28), (22, 18)), 2.4, 2, pale, soft=True)
    scene.stroke(((13, 19), (6, 21), (3, 19)), "red", 3, 1.4)
    scene.stroke(((6, 21), (3, 24)), "red", 3, 1.4)
    scene.ellipse(22, 14, 10.5, 7.6, colour, gloss=0.4)
    scene.eye(19, 11.5, 2.9, "amber")
    scene.stroke(((13, 17), (22, 18.5)), colour, 0, 1.2)
    for x, y in ((24, 52), (34, 55), (45, 53), (30, 44), (41, 45)):
        scene.poly(((x - 3, y), (x, y - 2.4), (x + 3, y), (x, y + 2.4)), pale, 0, soft=True)


@draws("bat vampire-bat gargoyle")
def bat(scene: Scene) -> None:
    """Wings out, ears up, teeth."""
    colour = scene.main("purple", "night", "brown")
    wing = blend(colour, "ink", 0.35)
    scene.poly(
        ((30, 28), (18, 12), (3, 10), (1, 34), (7, 31), (11, 40), (18, 35), (24, 44), (32, 42)), wing, 2.5,
        mirror=True,
    )  # fmt: skip
    scene.stroke(((28, 30), (18, 13), (11, 38)), wing, 4)
    scene.stroke(((36, 30), (46, 13), (53, 38)), wing, 4)
    scene.poly(((24, 24), (20, 8), (31, 19)), colour, 2, mirror=True)
    scene.ellipse(32, 34, 12, 14, colour)
    scene.ellipse(32, 40, 7, 7, blend(colour, "cream", 0.35), soft=True)
    scene.eyes(29, 5, 3.4, "red")
    for x in (29, 35):
        scene.dot(x, 37, "white", 4, w=2, h=3.4)
    scene.limb(((28, 48), (28, 52)), 1.6, 1.2, wing, mirror=True)


@draws("fish shark goldfish whale dolphin piranha anglerfish pufferfish salmon koi")
def fish(scene: Scene) -> None:
    """A fish in profile, swimming left."""
    noun = scene.brief.noun
    colour = scene.main(
        {"shark": "iron", "whale": "blue", "dolphin": "sky", "goldfish": "orange", "piranha": "crimson",
        "anglerfish": "night", "pufferfish": "amber", "salmon": "coral", "koi": "white"}.get(noun, "teal"),
    )  # fmt: skip
    fin, pale = scene.accent(blend(colour, "ink", 0.25)), blend(colour, "white", 0.65)
    high = {"shark": 12, "whale": 17, "dolphin": 11, "anglerfish": 18, "pufferfish": 20}.get(noun, 15)
    scene.poly(((46, 33), (61, 17), (57, 33), (61, 50)), fin, 2.5)
    if noun in {"shark", "dolphin"}:
        scene.poly(((28, 24), (40, 8), (42, 26)), colour, 2)
    elif noun == "pufferfish":
        for x, y in ((14, 14), (28, 9), (42, 14), (16, 54), (30, 58), (44, 52)):
            scene.poly(((30, 28), (x, y), (34, 40)), fin, 1)
    elif noun != "whale":
        scene.poly(((20, 22), (30, 11), (44, 16), (44, 26)), fin, 2.5)
        scene.poly(((26, 46), (34, 55), (40, 46)), fin, 2)
    body = scene.ellipse(28, 34, 24, high, colour, gloss=0.6)
    scene.ellipse(26, 34 + high * 0.75, 22, high * 0.6, pale, clip=body)
    if noun == "koi":
        for x, y in ((22, 26), (36, 33), (44, 30)):
            scene.ball(x, y, 5.4, "orange", clip=body)
    scene.oval(31, 40, 7, 3.6, 30, fin)
    scene.eye(13, 30, 3.8 if noun != "whale" else 2.6)
    if noun in {"shark", "piranha", "anglerfish"}:
        scene.poly(((5, 39), (22, 39), (18, 45), (8, 44)), "ink", 0, soft=True)
        for x in (8, 12, 16):
            scene.poly(((x, 39), (x + 3.4, 39), (x + 1.7, 43)), "white", 0, soft=True)
    else:
        scene.stroke(((5, 38), (10, 39.5)), colour, 0, 1.4)
    if noun == "anglerfish":
        scene.limb(((20, 18), (14, 6), (5, 10)), 1.4, 1, colour)
        scene.ball(5, 12, 3.4, "spark", gloss=1)
        scene.glow(5, 12, 14, "spark")
    if noun == "whale":
        scene.limb(((24, 17), (24, 9), (18, 5)), 1.6, 1.6, "sky")
        scene.limb(((24, 9), (30, 5)), 1.6, 1.6, "sky")
    for x, y in ((22, 29), (29, 26), (29, 33), (36, 29), (36, 37)):
        scene.stroke(((x, y), (x + 2, y + 2), (x, y + 4)), colour, 2)


@draws("crab lobster")
def crab(scene: Scene) -> None:
    """A shell between two claws."""
    colour = scene.main("red", "orange", "coral", "blue")
    scene.stand(32, 58, 25)
    for y, x in ((42, 6), (48, 8), (53, 14)):
        scene.limb(((24, y - 4), (x + 4, y - 3), (x, y + 4)), 2.2, 1.2, colour, mirror=True)
    scene.limb(((20, 36), (10, 30), (11, 22)), 3, 3, colour, mirror=True)
    scene.ball(11, 16, 8.5, colour, gloss=0.5, mirror=True)
    scene.cut(12, 9, 2.6, 7)
    scene.cut(52, 9, 2.6, 7)
    scene.limb(((26, 30), (25, 22)), 1.5, 1.5, colour, mirror=True)
    scene.ellipse(32, 42, 19, 14, colour, gloss=0.7)
    scene.eyes(21, 7, 3.4)
    scene.stroke(((26, 46), (32, 48.5), (38, 46)), colour, 0, 1.4)
    for x, y in ((22, 37), (32, 33), (42, 37)):
        scene.spot(x, y, 1.6, colour, 4)


@draws("frog toad")
def frog(scene: Scene) -> None:
    """A wide mouth and two eyes on top."""
    colour = scene.main("green", "lime", "teal", "orange")
    pale = blend(colour, "cream", 0.65)
    scene.stand(32, 59, 24)
    scene.ellipse(13, 49, 9, 10, colour, mirror=True)
    scene.ellipse(11, 58, 9, 3, colour, mirror=True)
    scene.ellipse(32, 41, 19, 18, colour)
    scene.ellipse(32, 49, 12, 10, pale, soft=True)
    scene.limb(((24, 46), (23, 57)), 3.4, 2.8, colour, mirror=True)
    scene.ball(20, 20, 8, colour, mirror=True)
    scene.eyes(19, 12, 5.2, "amber")
    scene.stroke(((17, 35), (24, 39), (40, 39), (47, 35)), colour, 0, 1.5)
    for x, y in ((30, 27), (35, 25), (44, 43)):
        scene.spot(x, y, 1.6, colour, 2)
    if scene.says("crown", "prince", "king"):
        scene.poly(
            ((24, 20), (22, 6), (28, 12), (32, 4), (36, 12), (42, 6), (40, 20)), "gold", 2.5, gloss=0.9,
        )  # fmt: skip


@draws("robot mech android droid automaton drone cyborg")
def robot(scene: Scene) -> None:
    """Boxes, rivets and a lit face."""
    colour, light = (
        scene.main("steel", "sky", "amber", "mint"),
        scene.accent("cyan", "lime", "ember", "spark"),
    )
    chance, dark = scene.chance, blend("iron", "ink", 0.3)
    if scene.says("drone"):
        scene.limb(((24, 30), (10, 18)), 2.4, 2.4, dark, mirror=True)
        scene.ellipse(10, 15, 10, 2.4, "grey", mirror=True)
        scene.ball(32, 36, 15, colour, gloss=0.9)
        scene.ball(32, 37, 7.5, "ink", gloss=1)
        scene.spot(32, 37, 3.6, light, 4)
        scene.dot(30, 34, "white", 5)
        scene.glow(32, 38, 30, light)
        return
    scene.stand(32, 60, 19)
    big = scene.says("mech", "giant", "war")
    wide = 14 if big else 11
    scene.limb(((32, 12), (32, 4)), 1.3, 1.3, dark)
    scene.ball(32, 3, 2.8, light, gloss=1)
    if chance.likely(0.4):
        scene.ellipse(32, 57, 17, 4.4, dark)
        scene.box(20, 48, 24, 8, colour, 3, gloss=0.6)
        for x in (20, 28, 36, 44):
            scene.spot(x, 57, 1.8, "grey", 4)
    else:
        scene.post(32 - wide + 1, 46, 6, 9, dark, mirror=True)
        scene.box(32 - wide - 2, 53, 11, 6.5, colour, 2.5, gloss=0.6, mirror=True)
    scene.limb(((32 - wide - 1, 33), (32 - wide - 6, 39), (32 - wide - 6, 45)), 2.8, 2.8, dark, mirror=True)
    scene.ball(32 - wide - 6, 47, 4.4 if not big else 6, colour, gloss=0.8, mirror=True)
    scene.box(32 - wide, 29, 2 * wide, 20, colour, 4, gloss=0.8)
    scene.box(25, 34, 14, 9, "ink", 1.5, soft=True)
    for i, shade in enumerate((light, "red", "amber")):
        scene.dot(28 + i * 4, 37, shade, 4, w=2.4, h=2.4)
    scene.stroke(((27, 41), (30, 41), (32, 39.5), (34, 41), (37, 41)), light, 3)
    scene.box(28, 26, 8, 4, dark, 1)
    scene.box(32 - wide - 2, 11, 2 * wide + 4, 16, colour, 4.5, gloss=0.9)
    scene.box(32 - wide - 5, 16, 4, 7, dark, 1.5, mirror=True)
    scene.box(32 - wide + 2, 14.5, 2 * wide - 4, 9, "ink", 1.5, soft=True)
    if chance.likely(0.3):
        scene.dot(32, 19, light, 4, w=2 * wide - 8, h=3)
    else:
        for x in (26, 38):
            scene.dot(x, 18.8, light, 4, w=4, h=4.6)
    scene.glow(32, 20, 26, light)
