"""Trees, mushrooms, flowers, and what else stands in a meadow: rocks, signs, statues, fences."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: C901, PLR0912, PLR2004

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.chance import speckle
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from collections.abc import Callable

    from stanchion.demo.sprites.scene import Scene


@draws("tree pine fir oak-tree palm spruce willow cypress sapling maple birch")
def tree(scene: Scene) -> None:
    """A conifer, a palm, a bare or a broad tree."""
    says, chance = scene.says, scene.chance
    bark = "white" if says("birch") else "darkwood"
    scene.stand(32, 60, 20)
    if says("pine", "fir", "spruce", "christmas", "cypress", "conifer"):
        _conifer(scene)
        return
    if says("palm"):
        scene.limb(((38, 60), (36, 44), (31, 30), (29, 20)), 4, 2.6, "tan")
        for y in (54, 47, 40, 33):
            scene.stroke(((32 + (y - 30) * 0.12, y), (40, y - 1)), "tan", 1, 1.2)
        leaf = scene.main("leaf", "emerald")
        for x, y, bend in (
            (6, 30, 8), (10, 12, 4), (30, 3, 0), (52, 12, 4), (56, 30, 8), (44, 36, 14), (18, 38, 14),
        ):  # fmt: skip
            scene.limb(((29, 19), ((x + 29) / 2, (y + 19) / 2 - bend), (x, y)), 4.6, 1.2, leaf)
        for x, y in ((26, 22), (33, 23)):
            scene.ball(x, y, 3.4, "darkwood")
        return
    if says("dead", "bare", "haunted", "withered", "burnt"):
        scene.limb(((32, 60), (30, 42), (33, 26)), 7, 4, bark)
        for points in (
            ((31, 40), (20, 30), (8, 28)), ((20, 30), (16, 18)), ((32, 30), (24, 14), (26, 3)), ((33, 28),
            (44, 16), (56, 12)), ((44, 16), (44, 4)), ((32, 36), (46, 32), (58, 34)),
        ):  # fmt: skip
            scene.limb(points, 3, 1, bark, soft=True)
        if says("haunted"):
            for x in (28.5, 35):
                scene.spot(x, 43, 2.4, "ink", 0)
            scene.spot(31.5, 50, 2.6, "ink", 0)
        return
    colour = _foliage(scene)
    scene.limb(((32, 60), (31, 46), (33, 34)), 5.6, 4, bark)
    scene.limb(((32, 46), (43, 36)), 2.6, 2, bark, soft=True)
    for x in (23, 41):
        scene.limb(((32, 56), (x, 60)), 3, 1.4, bark, soft=True)
    for shift, tone in ((2.5, -0.9), (0, 0.1)):
        with scene.group():
            for i in range(9):
                angle = math.tau * i / 9
                x, y = (
                    32 + math.cos(angle) * 16 + chance.between(-2, 2),
                    23 + math.sin(angle) * 11 + shift * 2,
                )
                scene.ball(x, y, 9.5, colour, tone=tone, tex=_leaves(scene))
            scene.ellipse(32, 22 + shift, 18, 13, colour, tone=tone, tex=_leaves(scene))
            scene.ellipse(26, 15 + shift, 11, 8, colour, tone=tone + 0.5, tex=_leaves(scene))
    fruit = (
        "red" if says("apple", "fruit") else "gold" if says("golden") else "pink" if says("blossom", "cherry") else ""
    )
    if fruit:
        for x, y in ((20, 28), (30, 16), (42, 24), (34, 32), (46, 34), (18, 17)):
            scene.spot(x, y, 2.2, fruit, 3)
            scene.dot(x - 0.7, y - 0.8, "white", 5, w=1, h=1)


def _foliage(scene: Scene) -> str:
    """Return the colour of the leaves: bark and snow are not theirs."""
    if scene.says("blossom", "cherry", "sakura"):
        return "pink"
    named = [one for one in scene.brief.colours if one not in {"wood", "snow", "white", "darkwood"}]
    usual = ("orange", "ember", "amber") if scene.says("autumn", "maple") else ("leaf", "grass", "pine")
    return named[0] if named else scene.chance.pick(usual)


def _leaves(scene: Scene) -> Callable[[float, float], float]:
    grain = scene.chance.grain
    return lambda x, y: (speckle(int(x / 2), int(y / 2), grain) - 0.5) * 0.9


def _conifer(scene: Scene) -> None:
    named = [one for one in scene.brief.colours if one not in {"wood", "snow", "white"}]
    colour = named[0] if named else scene.chance.pick(("pine", "emerald"))
    scene.post(28.5, 50, 7, 10, "darkwood")
    snowy = scene.says("snow", "snowy", "winter")
    for y, half, high in ((54, 22, 20), (42, 18, 18), (30, 13.5, 16), (19, 9, 15)):
        points = [(32.0, y - high)]
        points += [(32 + half * (i / 4), y - (0 if i % 2 else 2.6)) for i in (4, 3, 2, 1, 0, -1, -2, -3, -4)]
        scene.poly(points, colour, 5, tex=_leaves(scene))
        if snowy:
            scene.poly(
                ((32, y - high), (32 + half * 0.5, y - high * 0.4), (32 + half * 0.2, y - high * 0.5),
                (32 - half * 0.2, y - high * 0.3), (32 - half * 0.55, y - high * 0.35)), "white", 1.5,
                soft=True,
            )  # fmt: skip
    if scene.says("christmas", "festive", "lights"):
        for i, (x, y) in enumerate(((22, 50), (34, 51), (44, 49), (27, 39), (38, 40), (30, 29), (36, 27), (32, 18))):
            scene.ball(x, y, 2.4, ("red", "gold", "cyan", "pink")[i % 4], gloss=1)
        with scene.at(32, 5, scale=0.17):
            scene.poly(
                ((32, 4), (39, 24), (60, 24), (43, 37), (49, 58), (32, 45), (15, 58), (21, 37), (4, 24),
                (25, 24)), "gold", 6,
            )  # fmt: skip
        scene.glow(32, 5, 14, "gold")


@draws("mushroom toadstool fungus shroom")
def mushroom(scene: Scene) -> None:
    """A cap with spots on a stem; a face if it is said to be alive."""
    colour, chance = scene.main("red", "violet", "amber", "teal"), scene.chance
    scene.stand(32, 60, 17)
    glowing = scene.says("glowing", "luminous", "magic", "bioluminescent")
    scene.poly(((25, 30), (39, 30), (42, 52), (40, 59), (24, 59), (22, 52)), "cream", 6)
    scene.ellipse(32, 34, 22, 5.5, blend("cream", "rust", 0.4))
    if chance.likely(0.6) or scene.says("small", "cluster"):
        scene.limb(((49, 59), (50, 48)), 3, 2.4, "cream")
        scene.dome(50, 49, 9, 9, colour, gloss=0.6)
        scene.spot(48, 44, 1.6, "cream", 4)
    cap = scene.dome(32, 32, 28, 28, colour, gloss=0.6)
    for x, y, r in ((20, 16, 4.4), (35, 10, 4), (46, 19, 4.6), (30, 24, 5), (12, 26, 3.4), (42, 30, 2.6)):
        scene.ball(x + chance.between(-1, 1), y, r, "cream", clip=cap, tone=0.4)
    if scene.says("walking", "angry", "cute", "happy", "monster", "smiling", "sleepy", "face"):
        scene.eyes(44, 5, 3)
        scene.stroke(((29, 50), (32, 51.5), (35, 50)), "rust", 1)
    if glowing:
        scene.glow(32, 28, 36, colour)


@draws("flower rose tulip daisy sunflower lily lotus bouquet orchid poppy violet-flower")
def flower(scene: Scene) -> None:
    """A bloom on a stalk with two leaves."""
    noun, says = scene.brief.noun, scene.says
    colour = scene.main(
        {"sunflower": "yellow", "daisy": "white", "poppy": "red", "rose": "crimson"}.get(noun, "pink"),
    )  # fmt: skip
    if noun == "lotus":
        scene.ellipse(32, 50, 28, 8, "leaf")
        for turn in (-64, 64, -40, 40, -18, 18, 0):
            with scene.at(32, 48, turn=turn, pivot=(32, 48)):
                scene.ellipse(32, 30, 7, 18, colour, gloss=0.3)
        return
    scene.limb(((32, 60), (33, 46), (32, 28)), 2, 2, "leaf")
    scene.oval(22, 50, 10, 4, 28, "leaf", gloss=0.3)
    scene.oval(43, 46, 10, 4, -30, "leaf", gloss=0.3)
    if noun == "tulip":
        scene.poly(
            ((18, 10), (25, 17), (32, 6), (39, 17), (46, 10), (46, 26), (39, 36), (25, 36), (18, 26)),
            colour, 6, gloss=0.4,
        )  # fmt: skip
        scene.stroke(((26, 18), (28, 34)), colour, 1)
        scene.stroke(((38, 18), (36, 34)), colour, 1)
        return
    if noun == "rose":
        scene.ball(32, 20, 15, colour, gloss=0.4)
        for x, y, r in ((26, 26, 9), (39, 25, 9), (32, 18, 9.5), (33, 16, 5)):
            scene.ball(x, y, r, colour, gloss=0.4)
        scene.stroke(((30, 16), (33, 14), (35, 17), (32, 19)), colour, 0)
        for y, side in ((38, 1), (44, -1)):
            scene.poly(((32, y - 2), (32 + side * 5, y - 1), (32, y + 2)), "leaf", 1)
        return
    count = 12 if says("sunflower", "daisy") else 6
    for i in range(count):
        angle = math.tau * i / count
        scene.oval(
            32 + math.cos(angle) * 12, 21 + math.sin(angle) * 12, 8.5, 4 if count == 12 else 6.6,
                math.degrees(angle),
            colour, gloss=0.3,
        )  # fmt: skip
    scene.ball(
        32, 21, 8.5 if count == 12 else 6, "darkwood" if noun == "sunflower" else scene.accent("yellow",
        "amber"),
    )  # fmt: skip
    if says("smiling", "happy", "face"):
        scene.eyes(20, 3, 1.8)


@draws("cactus")
def cactus(scene: Scene) -> None:
    """Arms, ribs, a flower; in a pot if the prompt says so."""
    colour = scene.main("green", "emerald")
    scene.stand(32, 60, 17)
    low = 46 if scene.says("potted", "pot") else 58
    scene.limb(((32, 40), (15, 39), (14, 27)), 4.6, 4.2, colour)
    scene.limb(((32, 32), (49, 31), (50, 18)), 4.2, 3.8, colour)
    scene.limb(((32, low), (32, 16)), 9.4, 8.6, colour)
    for x in (27, 32, 37):
        for y in range(14, int(low), 7):
            scene.dot(x, y + (x % 2) * 3, "cream", 4, w=1.2, h=2)
    scene.ball(36, 8, 4.6, "rose")
    scene.ball(28, 7, 4, "pink")
    if scene.says("potted", "pot"):
        scene.poly(((16, 46), (48, 46), (43, 60), (21, 60)), "brick", 4)
        scene.box(14, 42, 36, 7, "brick", 2.5)
        scene.eyes(28, 5, 2.4)
        scene.stroke(((30, 34), (34, 34)), colour, 0)


@draws("bush shrub hedge fern grass-tuft vine ivy seedling sprout clover bamboo reed herb leaf")
def bush(scene: Scene) -> None:
    """Leaves: a round bush, a fern, a sprout, a clover, bamboo."""
    says, chance = scene.says, scene.chance
    colour = scene.main("leaf", "emerald", "grass")
    scene.stand(32, 59, 22)
    if says("clover"):
        scene.limb(((34, 60), (32, 34)), 1.8, 1.6, colour)
        for x, y in ((22, 18), (42, 18), (20, 36), (44, 36)):
            scene.ball(x, y, 10.5, colour, gloss=0.5)
            scene.stroke(((32, 28), (x, y)), colour, 4)
    elif says("sprout", "seedling"):
        scene.ellipse(32, 55, 22, 6, "dirt")
        scene.limb(((32, 54), (31, 40), (33, 26)), 2.2, 1.8, colour)
        scene.oval(21, 22, 13, 7, 25, colour, gloss=0.5)
        scene.oval(45, 19, 13, 7, -28, colour, gloss=0.5)
    elif says("bamboo", "reed"):
        for x, top in ((18, 10), (32, 2), (45, 14)):
            for y in range(top, 56, 12):
                scene.post(x - 3.4, y, 6.8, 11.4, colour, gloss=0.4)
            scene.oval(x + 9, top + 6, 8, 2.6, -30, blend(colour, "leaf", 0.5))
    elif says("fern", "herb", "vine", "ivy", "leaf"):
        for x, y in ((4, 34), (10, 14), (24, 4), (40, 4), (54, 14), (60, 34)):
            scene.limb(((32, 58), ((x + 32) / 2, y + 8), (x, y)), 3.4, 1, colour)
            for i in (0.4, 0.6, 0.8):
                scene.oval(
                    32 + (x - 32) * i, 58 + (y - 46) * i * 1.3 - 8 * i, 5.6, 2.2, (x - 32) * 1.4, colour,
                    soft=True,
                )  # fmt: skip
    else:
        with scene.group():
            for x, y, r in (
                (15, 46, 12), (49, 46, 12), (22, 33, 13), (42, 33, 13), (32, 26, 12), (32, 46, 14),
            ):  # fmt: skip
                scene.ball(x, y, r, colour, tex=_leaves(scene))
        dots = "red" if says("berry", "berries", "holly") else scene.chance.pick(("pink", "amber", "rose", "white"))
        for _ in range(8):
            x, y = chance.between(12, 52), chance.between(24, 52)
            scene.spot(x, y, 1.9, dots, 3)


@draws("pumpkin jack-o-lantern gourd melon watermelon")
def pumpkin(scene: Scene) -> None:
    """Ribs and a stalk; a face if it is a lantern."""
    colour = scene.main("orange" if not scene.says("melon", "watermelon") else "green")
    scene.stand(32, 59, 24)
    scene.limb(((32, 20), (33, 12), (39, 7)), 3.6, 2.4, "olive")
    for x, rx in ((14, 11), (50, 11), (22, 12), (42, 12), (32, 12)):
        scene.ellipse(x, 39, rx, 19, colour, gloss=0.4)
    if scene.says("jack-o-lantern", "lantern", "carved", "halloween", "grinning", "evil"):
        for x in (21, 43):
            scene.poly(((x, 28), (x + 6, 38), (x - 6, 38)), "spark", 0, tone=1, soft=True)
        scene.poly(
            ((13, 44), (22, 47), (26, 44), (31, 48), (36, 44), (41, 47), (51, 44), (43, 54), (32, 57), (21,
            54)), "spark", 0, tone=1, soft=True,
        )  # fmt: skip
        scene.glow(32, 42, 34, "flame")
