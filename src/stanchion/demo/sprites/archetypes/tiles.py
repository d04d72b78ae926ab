"""Ground and walls: square textures that meet their own copies without a seam."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: PLR2004

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.chance import noise, speckle

if TYPE_CHECKING:
    from collections.abc import Callable

    from stanchion.demo.sprites.scene import Scene

    Paint = Callable[[float, float], tuple[str, float]]

SIDE = 64


def wanted(scene: Scene) -> bool:
    """Return whether the prompt is for a tile."""
    return scene.says("tile", "floor", "wall", "ground", "texture", "terrain", "pavement", "seamless", "flooring")


@draws("tile floor wall ground texture terrain pavement flooring")
def tile(scene: Scene) -> None:
    """Draw the texture that the prompt names."""
    for words, make in MAKERS:
        if scene.says(*words):
            scene.fill(make(scene))
            _extras(scene)
            return
    scene.fill(_flagstones(scene))


def _extras(scene: Scene) -> None:
    """Put flowers, pebbles or cracks on a ground that is to have them."""
    chance, says = scene.chance, scene.says
    if says("flower", "meadow", "flowery"):
        for _ in range(7):
            x, y, colour = (
                chance.between(6, 58),
                chance.between(6, 58),
                chance.pick(("pink", "white", "yellow", "lavender")),
            )
            for dx, dy in ((-2, 0), (2, 0), (0, -2), (0, 2)):
                scene.dot(x + dx, y + dy, colour, 4)
            scene.dot(x, y, "amber", 3)
    if says("crack", "cracked", "broken", "ancient"):
        for _ in range(3):
            x, y = chance.between(8, 50), chance.between(4, 20)
            points = [(x, y)]
            for _ in range(4):
                points.append((points[-1][0] + chance.between(-5, 7), points[-1][1] + chance.between(4, 10)))
            scene.stroke(points, "ink", 1)
    if says("mossy", "moss"):
        for _ in range(40):
            scene.dot(chance.between(0, 64), chance.between(0, 64), "leaf", chance.whole(2, 3), w=3, h=2)


def _blades(colour: str) -> Callable[[Scene], Paint]:
    def make(scene: Scene) -> Paint:
        grain, base = scene.chance.grain, scene.main(colour)

        def paint(x: float, y: float) -> tuple[str, float]:
            patch = noise(x / 16, y / 16, grain, 4) - 0.5
            column, row = int(x / 2), int(y / 4)
            shift = speckle(column, row, grain)
            blade = 1.1 if shift > 0.83 and y % 4 < 3 else -0.8 if shift < 0.12 else 0.0
            return base, 2.5 + patch * 1.5 + blade

        return paint

    return make


def _waves(colour: str) -> Callable[[Scene], Paint]:
    def make(scene: Scene) -> Paint:
        grain, base = scene.chance.grain, scene.main(colour)

        def paint(x: float, y: float) -> tuple[str, float]:
            bend = noise(x / 8, y / 8, grain, 8) * 6
            crest = noise(x / 16, (y + bend) / 4, grain + 7, 16)
            tone = 4.1 if crest > 0.8 else 3.0 if crest > 0.66 else 2.4 if crest > 0.3 else 1.5
            return base, tone

        return paint

    return make


def _molten(scene: Scene) -> Paint:
    grain, base = scene.chance.grain, scene.main("lava")

    def paint(x: float, y: float) -> tuple[str, float]:
        first = abs(noise(x / 16, y / 16, grain, 4) - 0.5)
        second = abs(noise(x / 8, y / 8, grain + 3, 8) - 0.5)
        heat = min(first, second * 1.4)
        if heat < 0.035:
            return "yellow", 3.6
        if heat < 0.09:
            return base, 2.6
        return "ink", 1.2 + heat * 4 + speckle(int(x / 2), int(y / 2), grain) * 0.6

    return paint


def _grains(colour: str) -> Callable[[Scene], Paint]:
    def make(scene: Scene) -> Paint:
        grain, base = scene.chance.grain, scene.main(colour)

        def paint(x: float, y: float) -> tuple[str, float]:
            dune = noise(x / 16, y / 8, grain, 8 if colour == "sand" else 4) - 0.5
            fleck = speckle(int(x / 2), int(y / 2), grain)
            return base, 2.6 + dune * 1.6 + (0.9 if fleck > 0.93 else -0.9 if fleck < 0.06 else 0)

        return paint

    return make


def _courses(colour: str, wide: int, high: int, joint: str) -> Callable[[Scene], Paint]:
    def make(scene: Scene) -> Paint:
        grain = scene.chance.grain
        base = scene.main(colour)

        def paint(x: float, y: float) -> tuple[str, float]:
            row = int(y / high)
            across = (x + (wide / 2 if row % 2 else 0)) % SIDE
            u, v = across % wide, y % high
            if u < 2 or v < 2:
                return joint, 1.4
            edge = 1.0 if u < 4 or v < 4 else -0.9 if u > wide - 2 or v > high - 2 else 0.0
            own = (speckle(int(across / wide), row, grain) - 0.5) * 1.0
            return base, 2.5 + edge + own + (speckle(int(x / 2), int(y / 2), grain) - 0.5) * 0.6

        return paint

    return make


def _planks(scene: Scene) -> Paint:
    grain, base = scene.chance.grain, scene.main("wood")

    def paint(x: float, y: float) -> tuple[str, float]:
        row = int(y / 16)
        seam = (x + row * 24) % SIDE
        if y % 16 < 1.5 or seam < 1.5:
            return base, 0.4
        fibre = noise(x / 16, y / 2, grain + row, 32) - 0.5
        nail = (3 < seam < 5.5 or seam > 61) and 3 < y % 16 < 5.5
        if nail:
            return "iron", 2.0
        return base, 2.5 + (speckle(row, int((x + row * 24) / SIDE), grain) - 0.5) * 0.8 + fibre * 1.5 + (
            0.8 if y % 16 < 3 else 0
        )

    return paint


def _cobbles(scene: Scene) -> Paint:
    grain, base = scene.chance.grain, scene.main("stone")
    joint = "dirt" if scene.says("path", "dirt", "road") else "ink"
    cell, across = 16, 4
    middles = {
        (i, j): (
            (i + 0.25 + speckle(i % across, j % across, grain) * 0.5) * cell,
            (j + 0.25 + speckle(i % across, j % across, grain + 1) * 0.5) * cell,
            (speckle(i % across, j % across, grain + 2) - 0.5) * 0.9,
        )
        for i in range(-1, across + 1)
        for j in range(-1, across + 1)
    }
    around = {
        (i, j): [middles[i + di, j + dj] for di in (-1, 0, 1) for dj in (-1, 0, 1)]
        for i in range(across)
        for j in range(across)
    }

    def paint(x: float, y: float) -> tuple[str, float]:
        near = sorted(
            ((x - px) * (x - px) + (y - py) * (y - py), px, py, own)
            for px, py, own in around[int(x // cell), int(y // cell)]
        )
        (first, px, py, own), second = near[0], near[1][0]
        if math.sqrt(second) - math.sqrt(first) < 2.2:
            return joint, 1.2
        slope = -((x - px) * 0.5 + (y - py) * 0.66) / cell * 2.6
        return base, 2.5 + slope + own

    return paint


def _frozen(scene: Scene) -> Paint:
    grain, base = scene.chance.grain, scene.main("ice")

    def paint(x: float, y: float) -> tuple[str, float]:
        crack = abs(noise(x / 16, y / 16, grain, 4) - 0.5)
        if crack < 0.018:
            return "white", 3.6
        gleam = (x - y) % SIDE
        return base, 2.6 + (1.2 if 8 < gleam < 14 or 18 < gleam < 21 or 44 < gleam < 47 else 0) - (
            0.6 if crack > 0.3 else 0
        )

    return paint


def _plates(scene: Scene) -> Paint:
    base = scene.main("iron")

    def paint(x: float, y: float) -> tuple[str, float]:
        u, v = x % 32, y % 32
        if u < 1.5 or v < 1.5:
            return base, 0.3
        if u < 3.5 or v < 3.5:
            return base, 3.6
        if u > 30 or v > 30:
            return base, 1.4
        rivet = min(abs(u - 6.5), abs(u - 27)) < 1.6 and min(abs(v - 6.5), abs(v - 27)) < 1.6
        return base, 4.0 if rivet else 2.4 + (0.5 if (u + v) % 10 < 2 else 0)

    return paint


def _circuit(scene: Scene) -> Paint:
    grain, light = scene.chance.grain, scene.main("lime", "cyan")

    def paint(x: float, y: float) -> tuple[str, float]:
        i, j = int(x / 8), int(y / 8)
        u, v = x % 8, y % 8
        across, down = speckle(i, j, grain) > 0.5, speckle(i, j, grain + 1) > 0.5
        if 3 <= u < 5 and 3 <= v < 5 and speckle(i, j, grain + 2) > 0.55:
            return light, 4.2
        if (across and 3 <= v < 4.5) or (down and 3 <= u < 4.5):
            return light, 2.2
        return "pine", 0.8 + (0.5 if (i + j) % 2 else 0)

    return paint


def _checks(scene: Scene) -> Paint:
    grain = scene.chance.grain
    first, second = scene.main("white", "cream"), scene.accent("ink", "crimson", "teal", "navy")

    def paint(x: float, y: float) -> tuple[str, float]:
        dark = (int(x / 16) + int(y / 16)) % 2
        u, v = x % 16, y % 16
        edge = 0.9 if u < 2 or v < 2 else -0.9 if u > 14 or v > 14 else 0
        vein = 0.6 if abs(noise(x / 8, y / 8, grain, 8) - 0.5) < 0.03 else 0
        return (second if dark else first), 2.5 + edge - vein

    return paint


def _rug(scene: Scene) -> Paint:
    first, second = scene.main("crimson", "purple", "navy"), scene.accent("gold", "cream")

    def paint(x: float, y: float) -> tuple[str, float]:
        u, v = abs(x % 32 - 16), abs(y % 32 - 16)
        diamond = u + v
        weave = 0.4 if (int(x) + int(y)) % 2 else -0.2
        if 11 < diamond < 14 or diamond < 3:
            return second, 2.5 + weave
        return first, (2.9 if diamond < 11 else 1.9) + weave

    return paint


def _flagstones(scene: Scene) -> Paint:
    return _courses("stone", 32, 32, "ink")(scene)


MAKERS: tuple[tuple[tuple[str, ...], Callable[[Scene], Paint]], ...] = (
    (("lava", "magma", "molten", "volcanic"), _molten),
    (("ice", "frozen", "icy", "glacier"), _frozen),
    (("water", "ocean", "sea", "river", "lake", "pond"), _waves("water")),
    (("swamp", "poison", "acid", "slime"), _waves("olive")),
    (("brick", "bricks"), _courses("brick", 16, 8, "cream")),
    (("cobble", "cobblestone", "path", "pebble", "gravel", "road"), _cobbles),
    (("plank", "planks", "wooden", "wood", "deck"), _planks),
    (("metal", "steel", "iron", "plate", "hull"), _plates),
    (("circuit", "tech", "cyber", "computer"), _circuit),
    (("checkered", "checker", "checkerboard", "marble", "chequered"), _checks),
    (("carpet", "rug", "tapestry", "wallpaper"), _rug),
    (("grass", "meadow", "lawn", "field", "jungle"), _blades("grass")),
    (("sand", "desert", "beach", "dune"), _grains("sand")),
    (("snow", "snowy"), _grains("snow")),
    (("dirt", "mud", "soil", "earth", "farmland"), _grains("dirt")),
    (("stone", "dungeon", "castle", "temple", "wall"), _courses("stone", 32, 16, "ink")),
)
"""What each texture is called, the more particular first."""
