"""Creatures with no bones: slimes, ghosts, eyes, wisps, jellyfish, and planets of the sky."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: PLR2004

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.chance import noise
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from collections.abc import Callable

    from stanchion.demo.sprites.scene import Scene

    Texture = Callable[[float, float], float]


@draws("slime blob ooze jelly pudding")
def slime(scene: Scene) -> None:
    """A drop of jelly with a face and bubbles."""
    colour, chance = scene.main("lime", "cyan", "rose", "violet", "green"), scene.chance
    wide, high = chance.between(22, 26), chance.between(18, 25)
    top = 57 - 2 * high * 0.95
    scene.stand(32, 58, wide)
    with scene.group() as body:
        scene.ellipse(32, 50, wide, 8, colour, gloss=0.7)
        scene.ellipse(32, 57 - high * 0.95, wide * 0.86, high * 0.95, colour, gloss=1)
        if chance.likely(0.5):
            scene.limb(((32, top + 8), (34, top - 1), (38, top - 5)), 7, 1.6, colour, gloss=1)
    scene.oval(24, top + 10, 5, 2.6, -30, "white", tone=2, clip=body)
    for _ in range(5):
        scene.spot(chance.between(14, 50), chance.between(44, 54), chance.between(0.9, 2), colour, 4)
    if scene.says("king", "royal", "queen"):
        scene.poly(
            ((22, top + 4), (19, top - 9), (26, top - 3), (32, top - 11), (38, top - 3), (45, top - 9),
            (42, top + 4)), "gold", 2.5, gloss=0.9,
        )  # fmt: skip
    y = 58 - high
    scene.eyes(y, 8, 4.4)
    if scene.says("angry", "evil", "fierce", "grumpy"):
        scene.stroke(((18, y - 7), (27, y - 4)), colour, 0, 1.8)
        scene.stroke(((46, y - 7), (37, y - 4)), colour, 0, 1.8)
        scene.stroke(((28, y + 8), (32, y + 6), (36, y + 8)), colour, 0, 1.5)
    else:
        scene.stroke(((28, y + 5), (30, y + 7), (34, y + 7), (36, y + 5)), colour, 0, 1.4)
        scene.dot(18, y + 4, "coral", 3, w=4, h=2)
        scene.dot(46, y + 4, "coral", 3, w=4, h=2)


@draws("ghost spirit phantom spectre specter poltergeist wraith")
def ghost(scene: Scene) -> None:
    """A sheet that floats, with a ragged hem."""
    colour = scene.main("white", "sky", "lavender", "mint")
    with scene.group():
        scene.ellipse(32, 24, 18, 18, colour)
        scene.poly(
            ((14, 24), (50, 24), (53, 56), (46, 51), (40, 60), (33, 53), (26, 60), (19, 51), (11, 57)),
            colour, 6,
        )  # fmt: skip
    scene.limb(((15, 32), (8, 36), (6, 30)), 4.4, 3, colour, mirror=True)
    for x in (25, 39):
        scene.spot(x, 24, 4, "ink", 0)
        scene.dot(x - 1.2, 22.5, "white", 5, w=2, h=2)
    scene.spot(32, 34, 3.6, "ink", 0)
    for x in (20, 44):
        scene.dot(x, 30, "pink", 3, w=4, h=2)
    scene.glow(32, 30, 34, blend(colour, "cyan", 0.4))


@draws("eye eyeball beholder watcher")
def beholder(scene: Scene) -> None:
    """One great eye with smaller ones on stalks."""
    colour = scene.main("crimson", "violet", "teal")
    for x, y in ((14, 12), (24, 6), (40, 6), (50, 12)):
        scene.limb(((32, 30), ((x + 32) / 2 + (x - 32) * 0.2, y + 10), (x, y)), 3, 2, colour)
        scene.ball(x, y, 4.2, "cream")
        scene.spot(x, y, 1.8, "ink", 0)
    scene.ball(32, 36, 21, colour, tex=_pores(scene))
    scene.ball(32, 32, 12.5, "cream", gloss=0.5)
    iris = scene.accent("amber", "lime", "cyan")
    scene.ball(32, 33, 7.5, iris, soft=True)
    scene.dot(32, 33, "ink", 0, w=3, h=11)
    scene.spot(28.5, 29, 2, "white", 5)
    scene.poly(((18, 46), (32, 50), (46, 46), (40, 54), (24, 54)), "ink", 0)
    for x in (22, 28, 34, 40):
        scene.poly(((x, 47.5), (x + 5, 47.8), (x + 2.5, 52)), "white", 0, soft=True)


@draws("wisp fireball flame fire ember campfire bonfire")
def fire(scene: Scene) -> None:
    """A flame; over logs when it is a campfire."""
    colour = scene.main("flame")
    camp = scene.says("campfire", "bonfire")
    base = 50 if camp else 58
    if camp:
        scene.stand(32, 58, 24)
        for x in range(12, 56, 8):
            scene.ellipse(x, 57, 5, 3.6, "stone")
        scene.limb(((16, 56), (48, 46)), 3.6, 3.6, "wood")
        scene.limb(((48, 56), (16, 46)), 3.6, 3.6, "darkwood")
    outer, inner = colour, blend(colour, "yellow", 0.7)
    for scale, material in ((1.0, outer), (0.68, inner), (0.38, "cream")):
        with scene.at(32, base, scale=scale, pivot=(32, 58)):
            scene.poly(
                ((32, 58), (20, 55), (13, 45), (14, 33), (20, 24), (23, 31), (26, 16), (34, 5), (36, 18),
                    (42, 25), (44, 19), (51, 33), (50, 46), (44, 55)),
                material, 6 * scale, tone=0.5, soft=scale < 1,
            )  # fmt: skip
    if scene.says("wisp", "spirit"):
        scene.eyes(base - 13, 6, 3.2)
    for x, y in ((14, 18), (50, 12), (44, 6)):
        scene.spot(x, y, 1.4, colour, 4)
    scene.glow(32, 34, 34, colour)


@draws("jellyfish")
def jellyfish(scene: Scene) -> None:
    """A bell with tentacles."""
    colour = scene.main("pink", "violet", "cyan")
    for i, x in enumerate((17, 25, 32, 39, 47)):
        sway = 4 if i % 2 else -4
        scene.limb(
            ((x, 30), (x + sway, 40), (x - sway, 50), (x + sway / 2, 61)), 2.6, 1, blend(colour,
            "white", 0.25),
        )  # fmt: skip
    with scene.group():
        scene.ellipse(32, 24, 22, 18, colour, gloss=0.9)
        scene.ellipse(32, 34, 22, 6, colour, gloss=0.4)
    for x, y in ((22, 17), (40, 14), (46, 24), (31, 10)):
        scene.spot(x, y, 1.9, colour, 4)
    scene.eyes(29, 7, 3)
    scene.glow(32, 26, 36, colour)


@draws("octopus squid kraken")
def octopus(scene: Scene) -> None:
    """A head over curled arms."""
    colour = scene.main("coral", "purple", "teal")
    scene.stand(32, 59, 26)
    for x, y, hook in ((4, 48, -1), (12, 57, -1), (24, 60, 1)):
        scene.limb(
            ((28, 38), ((x + 28) / 2, y - 2), (x, y), (x + 3 * hook, y - 6)), 5, 1.8, colour, mirror=True,
        )  # fmt: skip
    scene.ellipse(32, 24, 19, 20, colour, gloss=0.6)
    for x, y in ((22, 10), (38, 8), (44, 17), (30, 14)):
        scene.spot(x, y, 2, colour, 4)
    scene.eyes(30, 8, 4.4)
    scene.stroke(((29, 37), (32, 38.5), (35, 37)), colour, 0, 1.4)


@draws("planet moon world asteroid comet sun star-system gasgiant")
def planet(scene: Scene) -> None:
    """A ball in space: banded, cratered or burning."""
    says = scene.says
    if says("sun"):
        colour = scene.main("amber")
        for i in range(12):
            angle = math.tau * i / 12
            far = 30 if i % 2 else 26
            x, y = math.cos(angle), math.sin(angle)
            scene.poly(
                ((32 + x * far, 32 + y * far), (32 - y * 5 + x * 17, 32 + x * 5 + y * 17),
                (32 + y * 5 + x * 17, 32 - x * 5 + y * 17)), blend(colour, "orange", 0.6), 1.5,
            )  # fmt: skip
        scene.ball(32, 32, 18, colour, gloss=0.5)
        if scene.chance.likely(0.6) or says("happy", "smiling"):
            scene.eyes(30, 6, 2.8)
            scene.stroke(((27, 38), (30, 40), (34, 40), (37, 38)), colour, 0, 1.4)
        scene.glow(32, 32, 33, colour)
        return
    if says("moon") and says("crescent"):
        moon = scene.ball(30, 32, 24, scene.main("cream"), gloss=0.3)
        del moon
        scene.cut(41, 26, 20, 20)
        scene.glow(28, 34, 33, "holy")
        scene.glint(46, 22, 4)
        return
    colour = scene.main(
        "teal", "coral", "violet", "sand") if not says("moon", "asteroid") else scene.main("stone",
    )  # fmt: skip
    ringed = says("ring", "ringed", "rings", "saturn", "gas")
    r = 17 if ringed else 25
    if says("comet"):
        scene.poly(
            ((28, 14), (62, 2), (52, 12), (63, 14), (50, 24), (58, 28), (40, 44)), blend(colour,
            "white", 0.5), 5,
        )  # fmt: skip
        r = 17
        with scene.at(24, 40):
            scene.ball(32, 32, r, colour, tex=_pores(scene))
            _craters(scene, colour, r)
        scene.glow(30, 34, 32, colour)
        return
    if ringed:
        _ring(scene, math.pi, math.tau)
    scene.ball(
        32, 32, r, colour, gloss=0.3,
        tex=_bands(scene) if ringed or scene.chance.likely(0.3) else _lands(scene),
    )  # fmt: skip
    if says("moon", "asteroid", "cratered"):
        _craters(scene, colour, r)
    if ringed:
        _ring(scene, 0, math.pi)
    for x, y in ((6, 10), (58, 8), (54, 57), (8, 54)):
        scene.glint(x, y, 1.4)
    scene.glow(32, 32, r + 7, colour)


def _ring(scene: Scene, start: float, stop: float) -> None:
    path = [
        (
            32 + math.cos(start + (stop - start) * i / 12) * 28,
            34 + math.sin(start + (stop - start) * i / 12) * 7 - 0.25 * math.cos(start + (stop - start) * i / 12) * 28,
        )
        for i in range(13)
    ]
    scene.limb(path, 2.2, 2.2, scene.brief.others[0] if scene.brief.others else "sand", tone=0.4)


def _craters(scene: Scene, colour: str, r: float) -> None:
    for x, y, size in (
        (-0.3, -0.25, 0.2), (0.35, 0.1, 0.26), (-0.2, 0.45, 0.17), (0.15, -0.55, 0.13), (-0.62, 0.12, 0.12),
    ):  # fmt: skip
        scene.spot(32 + x * r, 32 + y * r, size * r, colour, 2)
        scene.spot(32 + x * r + size * r * 0.25, 32 + y * r + size * r * 0.3, size * r * 0.72, colour, 3)


def _pores(scene: Scene) -> Texture:
    grain = scene.chance.grain
    return lambda x, y: (noise(x / 4, y / 4, grain) - 0.5) * 1.1


def _bands(scene: Scene) -> Texture:
    grain = scene.chance.grain
    return lambda x, y: (noise(x / 24, (y + x * 0.25) / 4, grain) - 0.5) * 2.2


def _lands(scene: Scene) -> Texture:
    grain = scene.chance.grain

    def land(x: float, y: float) -> float:
        high = noise(x / 11, y / 11, grain) * 0.7 + noise(x / 5, y / 5, grain + 1) * 0.3
        return 0.6 if high > 0.55 else -0.5

    return land
