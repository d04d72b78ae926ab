"""Where archetypes draw: shapes in a 64-unit square become parts, materials and tones for each pixel.

A shape knows its normals, so it is lit as it is drawn, from the top left; what depends on neighbours
(contact shadows, outlines) is left to `shade`. Details and light effects are kept for later steps.
"""
# A shape is its numbers: naming each in a value of its own would make drawings longer, not clearer.
# ruff: noqa: PLR0913, PLR0917

from __future__ import annotations

import math
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

from stanchion.demo.sprites import raster
from stanchion.demo.sprites.ink import UNITS, Frame, Halo, Mark

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence
    from typing import Unpack

    from stanchion.demo.sprites.chance import Chance
    from stanchion.demo.sprites.ink import Ink, Point
    from stanchion.demo.sprites.words import Brief

ROOM_FOR_EYE, ROOM_FOR_PUPIL = 1.5, 2.5
"""Radii in pixels from which an eye has a white, and a pupil of its own."""


class Scene:
    """One sprite in the making."""

    def __init__(self, size: int, brief: Brief, chance: Chance) -> None:
        self.size, self.brief, self.chance = size, brief, chance
        self.margin = max(1, round(size / UNITS))
        self.material = [""] * (size * size)
        self.part = [0] * (size * size)
        self.tone = [0.0] * (size * size)
        self.soft = [True]
        self.marks: list[Mark] = []
        self.halos: list[Halo] = []
        self.ground: tuple[float, float, float] | None = None
        self.opaque = False
        self._group = 0
        scale = (size - 2 * self.margin) / UNITS
        self._frame = Frame(scale, 0, 0, scale, self.margin, self.margin)

    # --- what the prompt asks -----------------------------------------------------------------

    def main(self, *defaults: str) -> str:
        """Return the subject's colour as the prompt names it, or one of the defaults by chance."""
        return self.brief.colours[0] if self.brief.colours else self.chance.pick(defaults)

    def accent(self, *defaults: str) -> str:
        """Return the second colour that the prompt names, or one of the defaults by chance."""
        named = (*self.brief.colours[1:], *self.brief.others)
        return named[0] if named else self.chance.pick(defaults)

    def says(self, *words: str) -> bool:
        """Return whether the prompt has one of these words."""
        return self.brief.says(*words)

    # --- where ---------------------------------------------------------------------------------

    @contextmanager
    def at(
        self,
        x: float,
        y: float,
        *,
        scale: float = 1,
        turn: float = 0,
        pivot: Point = (32, 32),
        flip: bool = False,
    ) -> Generator[None]:
        """Draw what follows scaled and turned (degrees, clockwise), its `pivot` placed at the point."""
        before = self._frame
        cos, sin = math.cos(math.radians(turn)) * scale, math.sin(math.radians(turn)) * scale
        side = -1 if flip else 1
        a, b, c, d = cos * side, -sin, sin * side, cos
        e, f = x - a * pivot[0] - b * pivot[1], y - c * pivot[0] - d * pivot[1]
        self._frame = before.within(Frame(a, b, c, d, e, f))
        try:
            yield
        finally:
            self._frame = before

    @contextmanager
    def group(self) -> Generator[int]:
        """Draw what follows as one part, with no lines inside it."""
        self.soft.append(False)
        self._group = len(self.soft) - 1
        try:
            yield self._group
        finally:
            self._group = 0

    # --- shapes: each returns its part ---------------------------------------------------------

    def ellipse(self, x: float, y: float, rx: float, ry: float, material: str, **ink: Unpack[Ink]) -> int:
        """Draw an ellipsoid."""
        return self.oval(x, y, rx, ry, 0, material, **ink)

    def ball(self, x: float, y: float, r: float, material: str, **ink: Unpack[Ink]) -> int:
        """Draw a sphere."""
        return self.oval(x, y, r, r, 0, material, **ink)

    def oval(self, x: float, y: float, rx: float, ry: float, tilt: float, material: str, **ink: Unpack[Ink]) -> int:
        """Draw an ellipsoid turned by `tilt` degrees, clockwise."""
        part = 0
        for frame in self._frames(ink):
            part = self._begin(ink)
            self._put(raster.oval(self.size, frame, (x, y, rx, ry, tilt), ink.get("gloss", 0)), part, material, ink)
        return part

    def dome(self, x: float, y: float, rx: float, ry: float, material: str, **ink: Unpack[Ink]) -> int:
        """Draw the upper half of an ellipsoid, its rim bent a little towards the viewer."""
        part = self._begin(ink)
        self._put(raster.dome(self.size, self._frame, (x, y, rx, ry), ink.get("gloss", 0)), part, material, ink)
        return part

    def limb(self, points: Sequence[Point], r1: float, r2: float, material: str, **ink: Unpack[Ink]) -> int:
        """Draw a round-ended tube along the points, its radius going from `r1` to `r2`."""
        part = 0
        for frame in self._frames(ink):
            part = self._begin(ink)
            self._put(raster.limb(self.size, frame, points, (r1, r2), ink.get("gloss", 0)), part, material, ink)
        return part

    def poly(self, points: Sequence[Point], material: str, bevel: float = 3, **ink: Unpack[Ink]) -> int:
        """Draw a plate whose edge is bevelled over that many units; 0 is flat."""
        part = 0
        for frame in self._frames(ink):
            part = self._begin(ink)
            self._put(raster.poly(self.size, frame, points, bevel, ink.get("gloss", 0)), part, material, ink)
        return part

    def box(self, x: float, y: float, w: float, h: float, material: str, bevel: float = 3, **ink: Unpack[Ink]) -> int:
        """Draw a rectangle from its top left, corners a little cut."""
        r = min(1.2, w / 4, h / 4)
        points = (
            (x + r, y), (x + w - r, y), (x + w, y + r), (x + w, y + h - r),
            (x + w - r, y + h), (x + r, y + h), (x, y + h - r), (x, y + r),
        )  # fmt: skip
        return self.poly(points, material, bevel, **ink)

    def post(self, x: float, y: float, w: float, h: float, material: str, **ink: Unpack[Ink]) -> int:
        """Draw an upright cylinder from its top left, seen from the side."""
        return self.poly(((x, y), (x + w, y), (x + w, y + h), (x, y + h)), material, -1, **ink)

    def cut(self, x: float, y: float, rx: float, ry: float) -> None:
        """Take an ellipse away."""
        k = self._frame.scale
        for at, _, _ in raster.oval_cells(self.size, self._frame.map(x, y), (rx * k, ry * k)):
            self.part[at], self.material[at] = 0, ""

    def fill(self, paint: Callable[[float, float], tuple[str, float]]) -> None:
        """Paint the whole square, from a material and tone at each point (in units): the way of tiles."""
        self.opaque = True
        step = UNITS / self.size
        part = self._begin({"soft": True})
        for at in range(self.size * self.size):
            self.material[at], self.tone[at] = paint((at % self.size) * step, (at // self.size) * step)
            self.part[at] = part

    # --- details and light ---------------------------------------------------------------------

    def dot(self, x: float, y: float, material: str, tone: int = 3, *, w: float = 2, h: float = 2) -> None:
        """Mark a small rectangle around a point, at least one pixel."""
        px, py = self._frame.map(x, y)
        k = self._frame.scale
        width, height = max(1, round(w * k)), max(1, round(h * k))
        left, top = round(px - width / 2), round(py - height / 2)
        cells = [self._cell(left + i, top + j) for j in range(height) for i in range(width)]
        self._mark(cells, material, tone)

    def spot(self, x: float, y: float, r: float, material: str, tone: int = 3) -> None:
        """Mark a flat disc."""
        k = self._frame.scale
        if r * k < 1:
            self.dot(x, y, material, tone, w=2 * r, h=2 * r)
            return
        cells = raster.oval_cells(self.size, self._frame.map(x, y), (r * k, r * k))
        self._mark([at for at, _, _ in cells], material, tone)

    def stroke(self, points: Sequence[Point], material: str, tone: int = 1, width: float = 1) -> None:
        """Mark a thin line along the points."""
        k = self._frame.scale
        thick = max(1, round(width * k))
        cells: list[int] = []
        for (x1, y1), (x2, y2) in pairwise(points):
            (ax, ay), (bx, by) = self._frame.map(x1, y1), self._frame.map(x2, y2)
            steps = max(1, math.ceil(max(abs(bx - ax), abs(by - ay))))
            for i in range(steps + 1):
                left, top = int(ax + (bx - ax) * i / steps), int(ay + (by - ay) * i / steps)
                cells += [self._cell(left + dx, top + dy) for dx in range(thick) for dy in range(thick)]
        self._mark(cells, material, tone)

    def eyes(self, y: float, gap: float, r: float, iris: str = "ink", *, x: float = 32) -> None:
        """Mark a pair of eyes, `gap` units from the middle."""
        for side in (-gap, gap):
            self.eye(x + side, y, r, iris)

    def eye(self, x: float, y: float, r: float, iris: str = "ink") -> None:
        """Mark one eye: white, iris and a glint where there is room, else one dark pixel."""
        k = self._frame.scale
        if r * k < ROOM_FOR_EYE:
            self.dot(x, y, iris, 0 if iris == "ink" else 3, w=r * 1.6, h=r * 2)
            return
        self.spot(x, y, r, "white", 4)
        self.spot(x + r * 0.12, y + r * 0.15, r * 0.66, iris, 1 if iris == "ink" else 3)
        if r * k >= ROOM_FOR_PUPIL:
            self.spot(x + r * 0.12, y + r * 0.2, r * 0.34, "ink", 0)
        self.dot(x - r * 0.2, y - r * 0.3, "white", 5, w=r * 0.5, h=r * 0.5)

    def glint(self, x: float, y: float, r: float = 3) -> None:
        """Mark a four-pointed sparkle."""
        self.stroke(((x - r, y), (x + r, y)), "white", 5)
        self.stroke(((x, y - r), (x, y + r)), "white", 5)

    def glow(self, x: float, y: float, r: float, material: str) -> None:
        """Light the air around a point."""
        self.halos.append(Halo(*self._frame.map(x, y), r * self._frame.scale, material))

    def stand(self, x: float = 32, y: float = 60, rx: float = 18) -> None:
        """Cast a shadow on the ground under the sprite."""
        self.ground = (*self._frame.map(x, y), rx * self._frame.scale)

    # --- below ---------------------------------------------------------------------------------

    def _frames(self, ink: Ink) -> tuple[Frame, ...]:
        return (self._frame, self._frame.mirrored()) if ink.get("mirror") else (self._frame,)

    def _begin(self, ink: Ink) -> int:
        if self._group:
            return self._group
        self.soft.append(ink.get("soft", "clip" in ink))
        return len(self.soft) - 1

    def _put(self, cells: Iterable[tuple[int, float]], part: int, material: str, ink: Ink) -> None:
        clip, tex, more = ink.get("clip"), ink.get("tex"), ink.get("tone", 0.0)
        step = UNITS / self.size
        for at, tone in cells:
            if clip is not None and self.part[at] != clip and self.part[at] != part:
                continue
            self.part[at], self.material[at] = part, material
            self.tone[at] = tone + more + (tex((at % self.size) * step, (at // self.size) * step) if tex else 0)

    def _cell(self, x: int, y: int) -> int:
        return y * self.size + x if 0 <= x < self.size and 0 <= y < self.size else -1

    def _mark(self, cells: list[int], material: str, tone: int) -> None:
        self.marks.append(Mark([at for at in cells if at >= 0], material, tone, len(self.soft) - 1))
