"""Sprites from a prompt, drawn by rules: no model, no network, no dependency.

The prompt's keywords choose an archetype, colours and props; a seed varies the proportions. The same
prompt, seed, size and palette give the same pixels on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes import draw, understand
from stanchion.demo.sprites.canvas import Canvas
from stanchion.demo.sprites.chance import Chance
from stanchion.demo.sprites.palette import PALETTES
from stanchion.demo.sprites.png import png
from stanchion.demo.sprites.scene import Scene
from stanchion.demo.sprites.shade import Finisher

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LARGEST", "PALETTES", "SMALLEST", "STAGES", "Canvas", "Step", "png", "render"]

SMALLEST, LARGEST = 8, 256
STAGES = ("sketch", "mask", "colour", "shade", "outline", "detail", "finish")


@dataclass(frozen=True, slots=True)
class Step:
    """A step that is done: step `index` of `length`, counted from 1, and the picture so far."""

    stage: str
    index: int
    length: int
    pixels: Canvas


def render(prompt: str, *, size: int = 64, seed: int = 0, palette: str | None = None) -> Iterator[Step]:
    """Draw a sprite step by step; the last step holds the finished picture.

    Args:
        prompt: What to draw, in a few words.
        size: Pixels a side, 8 to 256.
        seed: Varies what the prompt leaves open.
        palette: Bounds the colours; one of `PALETTES`, or None for all colours.

    Raises:
        ValueError: At the call, not at the first step, when an argument cannot be used.
    """
    text = " ".join(prompt.split())
    if not text:
        message = "the prompt is empty: say what to draw, for example 'a red slime'"
        raise ValueError(message)
    if not SMALLEST <= size <= LARGEST:
        message = f"size is {size}: it must be from {SMALLEST} to {LARGEST} pixels"
        raise ValueError(message)
    if palette is not None and palette not in PALETTES:
        message = f"no palette is called {palette!r}: the known ones are {', '.join(sorted(PALETTES))}"
        raise ValueError(message)
    return _steps(text, size, seed, palette)


def _steps(prompt: str, size: int, seed: int, palette: str | None) -> Iterator[Step]:
    scene = Scene(size, understand(prompt), Chance(f"{prompt}\n{seed}"))
    draw(scene)
    finisher = Finisher(scene, palette)
    makers = (
        finisher.sketch,
        finisher.mask,
        finisher.colour,
        finisher.shade,
        finisher.outline,
        finisher.detail,
        finisher.finish,
    )
    for index, (stage, make) in enumerate(zip(STAGES, makers, strict=True), start=1):
        yield Step(stage, index, len(STAGES), make())
