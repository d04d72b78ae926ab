"""Things to find and keep: potions, gems, coins, chests, keys, books, lamps and other curiosities."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: PLR0913, PLR2004

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene


@draws("book storybook tome grimoire spellbook journal diary")
def book(scene: Scene) -> None:
    """A shut book, leaning a little."""
    colour = scene.main("crimson", "navy", "pine", "purple", "leather")
    with scene.at(32, 32, turn=-8):
        scene.box(15, 8, 40, 51, blend(colour, "ink", 0.4), 3)
        scene.box(16, 7, 37, 48, "cream", 2)
        for y in (50, 52.6):
            scene.stroke(((18, y), (52, y)), "cream", 2)
        scene.box(11, 4, 40, 46, colour, 4)
        scene.box(11, 4, 7, 52, blend(colour, "ink", 0.25), 3)
        for x, y in ((46, 9), (46, 45), (22, 9), (22, 45)):
            scene.poly(
                ((x - 4, y - 4), (x + 4, y - 4), (x + 4, y + 4), (x - 4, y + 4)), "gold", 1.4, gloss=0.7,
            )  # fmt: skip
        light = scene.accent("gold", "cyan", "amber")
        if scene.says("eye", "cursed", "dark", "necronomicon"):
            scene.ellipse(34, 27, 9, 6, "cream")
            scene.spot(34, 27, 4, "crimson", 3)
            scene.dot(34, 27, "ink", 0, w=2, h=7)
        else:
            scene.poly(((34, 15), (43, 27), (34, 39), (25, 27)), light, 2, gloss=0.8)
            scene.poly(((34, 20), (39, 27), (34, 34), (29, 27)), colour, 2, soft=True)
        scene.box(48, 24, 8, 6, "gold", 1.4, gloss=0.6)
    if scene.says("magic", "spellbook", "grimoire", "glowing", "arcane"):
        scene.glow(32, 30, 36, light)
        scene.glint(54, 10, 3)


@draws("scroll map parchment letter treaty")
def scroll(scene: Scene) -> None:
    """Paper between two rolls; a map has a route and a cross."""
    paper = scene.main("paper")
    sheet = scene.poly(
        ((13, 10), (51, 10), (49, 22), (51, 36), (50, 54), (14, 54), (12, 38), (15, 24)), paper, 3,
    )  # fmt: skip
    scene.limb(((10, 9), (54, 9)), 5, 5, paper)
    scene.limb(((10, 55), (54, 55)), 5, 5, paper)
    for y in (9, 55):
        scene.ball(9, y, 4.4, "wood", mirror=True)
    if scene.says("map", "treasure"):
        scene.poly(((18, 20), (28, 17), (33, 25), (26, 33), (18, 31)), "leaf", 0, clip=sheet)
        scene.poly(((38, 36), (47, 33), (47, 46), (36, 47)), "leaf", 0, clip=sheet)
        for x, y in ((24, 42), (28, 38), (33, 36), (37, 31), (40, 26)):
            scene.dot(x, y, "darkwood", 2, w=2.4, h=1.6)
        scene.stroke(((40, 17), (46, 23)), "red", 3, 2)
        scene.stroke(((46, 17), (40, 23)), "red", 3, 2)
    else:
        for i, y in enumerate(range(20, 44, 5)):
            scene.stroke(((19, y), (44 - (i * 7) % 11, y)), "darkwood", 2)
        scene.ball(40, 45, 5, scene.accent("crimson", "blue", "violet"))


@draws("bomb dynamite grenade")
def bomb(scene: Scene) -> None:
    """A ball with a lit fuse."""
    colour = scene.main("ink")
    scene.stand(30, 59, 19)
    scene.ball(29, 38, 21, colour, gloss=1)
    with scene.at(44, 20, turn=40):
        scene.box(25, 25, 14, 12, "iron", 3, gloss=0.8)
    scene.limb(((46, 18), (52, 11), (50, 6)), 1.7, 1.4, "sand")
    scene.oval(21, 28, 5.6, 3.2, -40, "white", tone=1.4, soft=True)
    if scene.says("angry", "face"):
        scene.eyes(38, 7, 3.8, x=28)
    for dx, dy in ((0, -6), (6, 0), (-6, 0), (4, -5), (-4, -5)):
        scene.stroke(((50, 6), (50 + dx, 6 + dy)), "spark", 4, 1.4)
    scene.spot(50, 5, 2.4, "white", 5)
    scene.glow(50, 6, 18, "flame")


@draws("lantern lamp torch candle candelabra brazier")
def lamp(scene: Scene) -> None:
    """A light: a lantern, a torch or a candle."""
    light, says = scene.main("flame", "amber"), scene.says
    if says("torch", "brazier"):
        scene.poly(((26, 30), (38, 30), (34.5, 62), (29.5, 62)), "wood", 3)
        scene.box(22.5, 26, 19, 8, "iron", 2.5, gloss=0.5)
        scene.limb(((27, 45), (37, 43)), 1.6, 1.6, "leather")
        _flame(scene, 32, 27, 1.0, light)
        return
    if says("candle", "candelabra"):
        scene.stand(32, 59, 18)
        scene.ellipse(32, 56, 19, 5.5, "gold", gloss=0.8)
        scene.post(24, 26, 16, 30, "cream")
        with scene.group():
            scene.ellipse(32, 27, 8.4, 3, "cream")
            scene.limb(((25, 28), (25, 37)), 2, 2.6, "cream")
            scene.limb(((38, 28), (38, 42)), 1.8, 2.4, "cream")
        scene.limb(((32, 26), (32, 22)), 0.9, 0.9, "ink")
        _flame(scene, 32, 25, 0.72, light)
        return
    scene.limb(((20, 16), (24, 5), (40, 5), (44, 16)), 1.7, 1.7, "iron")
    scene.poly(((18, 20), (26, 12), (38, 12), (46, 20)), "iron", 3, gloss=0.7)
    scene.box(18, 20, 28, 32, light, 8, tone=1.1)
    _flame(scene, 32, 50, 0.66, blend(light, "ember", 0.5), glow=False)
    for x in (16, 30, 44):
        scene.box(x, 19, 4, 35, "iron", 1.2, gloss=0.6) if x != 30 else None
    scene.box(13, 52, 38, 7, "iron", 2.5, gloss=0.7)
    scene.glow(32, 36, 36, light)


def _flame(scene: Scene, x: float, y: float, scale: float, light: str, *, glow: bool = True) -> None:
    for size, material, soft in ((1.0, light, False), (0.58, blend(light, "yellow", 0.8), True)):
        with scene.at(x, y, scale=scale * size, pivot=(32, 30)):
            scene.poly(
                ((32, 30), (23, 27), (20, 18), (25, 10), (28, 14), (33, -2), (38, 8), (43, 14), (43, 22),
                (40, 28)), material, 4, tone=0.7, soft=soft,
            )  # fmt: skip
    if glow:
        scene.glow(x, y - 14 * scale, 28 * scale, light)


@draws("barrel keg cask")
def barrel(scene: Scene) -> None:
    """Staves and hoops."""
    wood, hoop = scene.main("wood"), scene.accent("iron", "gold")
    scene.stand(32, 59, 22)
    body = scene.poly(
        ((17, 8), (47, 8), (53, 24), (53, 42), (47, 59), (17, 59), (11, 42), (11, 24)), wood, -1,
    )  # fmt: skip
    for x in (20, 27, 36, 44):
        scene.stroke(((x, 9), (32 + (x - 32) * 1.35, 32), (x, 58)), wood, 1)
    for y in (15, 46):
        scene.box(10, y, 44, 5.5, hoop, 1.6, clip=body, gloss=0.6)
    scene.ellipse(32, 8.5, 15.5, 4, blend(wood, "ink", 0.25))
    if scene.says("explosive", "powder", "gunpowder", "tnt"):
        scene.poly(((32, 24), (41, 42), (23, 42)), "ember", 2, clip=body)
    elif scene.says("water", "wine", "ale", "beer"):
        scene.box(29, 36, 6, 6, "iron", 1.5, gloss=0.5)


@draws("crate box package present gift")
def crate(scene: Scene) -> None:
    """Planks in a frame; a present has a bow."""
    gift = scene.says("present", "gift", "birthday")
    wood, ribbon = scene.main("rose" if gift else "wood"), scene.accent("gold", "white", "cyan")
    scene.stand(32, 59, 27)
    if gift:
        scene.box(10, 26, 44, 33, wood, 4)
        scene.box(7, 18, 50, 11, wood, 3)
        scene.box(28, 18, 8, 41, ribbon, 2)
        scene.oval(23, 12, 8, 5, 25, ribbon, mirror=True)
        scene.ball(32, 15, 4, ribbon)
        return
    scene.box(7, 8, 50, 51, wood, 3)
    for x in (20, 32, 44):
        scene.stroke(((x, 12), (x, 56)), wood, 0)
    scene.poly(((10, 50), (48, 12), (54, 17), (16, 56)), blend(wood, "cream", 0.2), 1.8)
    for y in (8, 50):
        scene.box(6, y, 52, 9, blend(wood, "cream", 0.12), 2)
    for x in (6, 49):
        scene.box(x, 8, 9, 51, blend(wood, "cream", 0.12), 2)
    for x in (10.5, 53.5):
        for y in (12.5, 54.5):
            scene.dot(x, y, "iron", 1, w=2.4, h=2.4)


@draws("hourglass sandglass")
def hourglass(scene: Scene) -> None:
    """Two bulbs in a frame."""
    wood = scene.main("gold", "wood", "darkwood")
    sand = scene.accent("sand", "amber", "cyan")
    glass = scene.poly(
        ((16, 10), (48, 10), (46, 22), (35, 32), (46, 42), (48, 54), (16, 54), (18, 42), (29, 32), (18,
        22)), "glass", 5, gloss=0.8,
    )  # fmt: skip
    scene.poly(((21, 21), (43, 21), (34, 31), (30, 31)), sand, 2, clip=glass)
    scene.poly(((17, 54), (24, 47), (32, 43), (40, 47), (47, 54)), sand, 2, clip=glass)
    scene.dot(32, 38, sand, 4, w=1.4, h=12)
    for x in (11, 48):
        scene.post(x, 8, 5, 48, wood, gloss=0.5)
    for y in (4, 54):
        scene.box(7, y, 50, 7, wood, 2.5, gloss=0.6)
    scene.stroke(((22, 14), (23, 19)), "white", 5, 1.6)


@draws("bell gong")
def bell(scene: Scene) -> None:
    """A bell with its clapper."""
    colour = scene.main("gold", "bronze")
    scene.ball(32, 56, 6, blend(colour, "rust", 0.5), gloss=0.8)
    scene.ball(32, 8, 4.4, colour, gloss=0.8)
    scene.poly(
        ((25, 14), (32, 10), (39, 14), (46, 26), (48, 42), (55, 53), (9, 53), (16, 42), (18, 26)),
        colour, -1, gloss=1,
    )  # fmt: skip
    scene.limb(((10, 52), (54, 52)), 3, 3, colour, gloss=0.9)
    scene.limb(((17, 40), (47, 40)), 1.4, 1.4, blend(colour, "rust", 0.4))


@draws("feather quill")
def feather(scene: Scene) -> None:
    """A feather, its tip in ink when it is a quill."""
    colour = scene.main("white", "sky", "crimson", "flame")
    with scene.at(32, 32, turn=35):
        vane = scene.poly(
            ((32, -4), (42, 8), (44, 26), (39, 42), (34, 50), (24, 42), (20, 28), (23, 10)), colour, 5,
        )  # fmt: skip
        for y in range(8, 44, 7):
            scene.stroke(((32, y + 4), (41, y - 3)), colour, 2)
            scene.stroke(((32, y + 4), (22, y - 2)), colour, 2)
        del vane
        scene.limb(((32, 2), (32, 64)), 1.5, 1.1, blend(colour, "cream", 0.6))
        scene.dot(32, 64, "ink", 0, w=2.4, h=5)


@draws("compass clock watch pocketwatch sundial")
def dial(scene: Scene) -> None:
    """A round case with a needle or hands."""
    metal = scene.main("gold", "bronze", "silver")
    scene.limb(((32, 10), (28, 4), (36, 4), (32, 10)), 1.8, 1.8, metal, gloss=0.8)
    scene.ball(32, 35, 25, metal, gloss=0.9)
    scene.ball(32, 35, 19.5, "cream", soft=True)
    for i in range(12):
        angle = math.tau * i / 12
        scene.dot(
            32 + math.sin(angle) * 16, 35 - math.cos(angle) * 16, "ink", 1, w=2.2 if i % 3 == 0 else 1.2,
            h=2.2 if i % 3 == 0 else 1.2,
        )  # fmt: skip
    if scene.says("compass"):
        turn = scene.chance.between(10, 70)
        with scene.at(32, 35, turn=turn):
            scene.poly(((32, 17), (36, 32), (28, 32)), "red", 0, tone=0.4)
            scene.poly(((28, 32), (36, 32), (32, 47)), "navy", 0, tone=0.4)
    else:
        scene.stroke(((32, 35), (32, 23)), "ink", 0, 2)
        scene.stroke(((32, 35), (40, 39)), "ink", 0, 2)
    scene.spot(32, 35, 2.2, "gold", 4)


@draws("telescope spyglass magnifier lens")
def lens(scene: Scene) -> None:
    """A magnifying glass."""
    colour = scene.main("gold", "bronze")
    scene.limb(((40, 40), (57, 57)), 4.4, 5, "wood")
    scene.limb(((40, 40), (45, 45)), 4, 4, colour, gloss=0.7)
    scene.ball(26, 26, 21, colour, gloss=0.9)
    scene.ball(26, 26, 16, "glass", gloss=1, soft=True)
    scene.stroke(((17, 26), (19, 20), (24, 16)), "white", 5, 2)


@draws("lute guitar harp drum flute horn violin banjo")
def lute(scene: Scene) -> None:
    """A stringed instrument; a drum when it is one."""
    wood = scene.main("amber", "wood", "rust")
    if scene.says("drum"):
        scene.stand(32, 59, 22)
        scene.post(10, 22, 44, 32, wood)
        scene.ellipse(32, 54, 22, 6, wood, soft=True)
        for x in (16, 27, 38, 49):
            scene.stroke(((x - 5, 26), (x, 54), (x + 5, 26)), "cream", 4)
        scene.ellipse(32, 21, 23, 7.5, "gold", gloss=0.5)
        scene.ellipse(32, 20, 20, 5.6, "cream", soft=True)
        scene.limb(((40, 18), (58, 4)), 1.6, 1.6, "wood")
        scene.limb(((24, 18), (6, 4)), 1.6, 1.6, "wood")
        return
    with scene.at(32, 32, turn=40, scale=1.05):
        scene.box(28.5, -2, 7, 34, "darkwood", 2)
        for y in (0, 5):
            scene.limb(((25, y), (39, y)), 1.4, 1.4, "cream")
        with scene.group():
            scene.ellipse(32, 48, 16, 15, wood, gloss=0.5)
            scene.ellipse(32, 36, 11, 10, wood, gloss=0.5)
        scene.ball(32, 43, 5, "ink")
        scene.box(25, 54, 14, 3.4, "darkwood", 1)
        for x in (30.4, 33.6):
            scene.stroke(((x, 0), (x, 54)), "cream", 5, 0.8)
