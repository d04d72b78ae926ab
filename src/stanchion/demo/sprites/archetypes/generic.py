"""What is drawn when no archetype is known: a figure of its own, mirrored, grown from chance.

Source:
    The mirrored-mask way of making sprites: Bollinger, Pixel Spaceships, 2007 (davebollinger.org).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene

HALF, ROWS = 5, 11


def figure(scene: Scene) -> None:
    """Draw a mirrored creature or relic."""
    colour, second = (
        scene.main("violet", "teal", "coral", "amber", "sky"),
        scene.accent("cream", "amber", "cyan", "rose"),
    )
    cells = _grow(scene)
    scene.stand(32, 60, 20)
    step = 5.2
    with scene.group():
        for row, column in cells:
            x, y = 32 - (column + 0.5) * step, 5 + row * step
            scene.ball(x, y, step * 0.82, colour, mirror=True, gloss=0.4)
    dark = blend(colour, "ink", 0.35)
    for row, column in cells:
        if scene.chance.likely(0.16):
            scene.ball(32 - (column + 0.5) * step, 5 + row * step, step * 0.55, dark, mirror=True)
    middle = [row for row, column in cells if column == 0]
    top = min(middle) * step + 5
    scene.eyes(top + 10, 6, 3.6)
    scene.ball(32, min(top + 26, 52), 4, second, gloss=1)


def _grow(scene: Scene) -> set[tuple[int, int]]:
    """Return cells of the left half, joined to the spine."""
    chance = scene.chance
    cells = {(row, 0) for row in range(1, ROWS - 1)} | {(row, 1) for row in range(2, 6)}
    for _ in range(46):
        row, column = chance.pick(sorted(cells))
        row, column = row + chance.pick((-1, 0, 0, 1)), column + chance.pick((0, 1))
        if 0 <= row < ROWS and column < HALF:
            cells.add((row, column))
    return cells
