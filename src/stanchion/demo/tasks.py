"""The demo's app: a sprite drawn step by step, each step a preview; and a slower task, which a limit holds back."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from stanchion import Context, Image, Stanchion, TaskError
from stanchion.demo.sprites import png, render

app: Final = Stanchion()

QUEUE: Final = "sprites"
PROVIDER: Final = "provider:atelier"
"""What the slower task pretends to ask: it takes only so many at once, which the demo keeps to with a limit."""
SLOWER: Final = 2
_SLUG: Final = re.compile(r"[^a-z0-9]+")
_LONGEST: Final = 48


@app.task(queue=QUEUE, timeout=60)
async def sprite(  # noqa: PLR0913, PLR0917 - the columns of a row
    ctx: Context,
    prompt: str,
    size: int = 64,
    seed: int = 0,
    palette: str | None = None,
    row: int = 0,
    problem: str | None = None,
    step_ms: int = 0,
) -> Image:
    """Draw a sprite.

    Args:
        ctx: The running job.
        prompt: What to draw.
        size: Pixels a side.
        seed: Varies what the prompt leaves open.
        palette: Bounds the colours.
        row: The row of the input, counted from 1.
        problem: Why the row cannot be drawn, as the reader of the input found it.
        step_ms: Sleep after each step, so that a person can watch; a real model needs no such thing.
    """
    if problem is not None:
        raise TaskError(problem, kind="validation")
    data = b""
    for step in render(prompt, size=size, seed=seed, palette=palette):
        data = png(step.pixels)
        await ctx.progress(step.index, step.length, unit="step", stage=step.stage)
        await ctx.preview(data, step=step.index)
        await asyncio.sleep(step_ms / 1000)
    return Image(data, name=file_name(row, prompt))


@app.task(queue=QUEUE, timeout=60, limits=[PROVIDER])
async def commissioned(  # noqa: PLR0913, PLR0917 - the columns of a row
    ctx: Context,
    prompt: str,
    size: int = 64,
    seed: int = 0,
    palette: str | None = None,
    row: int = 0,
    problem: str | None = None,
    step_ms: int = 0,
) -> Image:
    """Draw a sprite as a provider would that is slower and takes few at once; the arguments are those of `sprite`."""
    return await sprite(ctx, prompt, size, seed, palette, row, problem, step_ms * SLOWER)


def file_name(row: int, prompt: str) -> str:
    """Return what the picture of a row is called: its number and the prompt's words."""
    words = _SLUG.sub("-", prompt.lower()).strip("-")[:_LONGEST].rstrip("-")
    return f"{row:04d}-{words or 'sprite'}.png"
