"""Draw every row of a prompt list and put the sprites side by side in one PNG.

    python examples/sprites/contact_sheet.py sheet.png [prompts.csv] [--columns 20] [--cell 128]

Sprites are enlarged by whole numbers, so that a pixel stays a pixel.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from stanchion.demo.inputs import read_rows
from stanchion.demo.sprites import Canvas, png, render

BACKDROP = (38, 40, 54, 255), (44, 46, 62, 255)
GAP = 4


def main() -> None:
    """Read the command line and write the sheet."""
    options = argparse.ArgumentParser(description="A contact sheet of sprites.")
    options.add_argument("out", type=Path)
    options.add_argument("prompts", type=Path, nargs="?", default=Path(__file__).with_name("prompts.csv"))
    options.add_argument("--columns", type=int, default=20)
    options.add_argument("--cell", type=int, default=128, help="pixels a side for each sprite")
    given = options.parse_args()
    rows = [row for row in read_rows(given.prompts) if row.problem is None]
    started = time.perf_counter()
    sprites = [list(render(row.prompt, size=row.size, seed=row.seed, palette=row.palette))[-1].pixels for row in rows]
    spent = time.perf_counter() - started
    given.out.write_bytes(png(sheet(sprites, given.columns, given.cell)))
    print(f"{len(sprites)} sprites in {spent:.1f} s, {given.out}")


def sheet(sprites: list[Canvas], columns: int, cell: int) -> Canvas:
    """Return one canvas with every sprite in its own square."""
    lines = -(-len(sprites) // columns)
    pitch = cell + GAP
    width, height = columns * pitch + GAP, lines * pitch + GAP
    rgba = bytearray(bytes(BACKDROP[0]) * (width * height))
    for index, sprite in enumerate(sprites):
        left, top = GAP + index % columns * pitch, GAP + index // columns * pitch
        for y in range(cell):
            start = ((top + y) * width + left) * 4
            rgba[start : start + cell * 4] = bytes(BACKDROP[1]) * cell
        _paste(rgba, width, sprite, (left, top, cell))
    return Canvas(width, height, rgba)


def _paste(rgba: bytearray, width: int, sprite: Canvas, square: tuple[int, int, int]) -> None:
    left, top, cell = square
    scale = max(1, cell // sprite.width)
    shrink = max(1, -(-sprite.width // cell))
    shown = sprite.width // shrink * scale
    inset = (cell - shown) // 2
    for y in range(shown):
        for x in range(shown):
            red, green, blue, alpha = sprite.at(x // scale * shrink, y // scale * shrink)
            if alpha:
                at = ((top + inset + y) * width + left + inset + x) * 4
                for channel, value in enumerate((red, green, blue)):
                    rgba[at + channel] = (value * alpha + rgba[at + channel] * (255 - alpha)) // 255


if __name__ == "__main__":
    main()
