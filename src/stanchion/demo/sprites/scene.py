"""Where archetypes draw: shapes in a 64-unit square become parts, materials and tones for each pixel.

A shape knows its normals, so it is lit as it is drawn, from the top left; what depends on neighbours
(contact shadows, outlines) is left to `shade`. Details and light effects are kept for later steps.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Unpack

    from stanchion.demo.sprites.chance import Chance
    from stanchion.demo.sprites.words import Brief

UNITS = 64
LIGHT_X, LIGHT_Y, LIGHT_Z = -0.50, -0.66, 0.56
Point = tuple[float, float]
Texture = "Callable[[float, float], float]"


class Ink(TypedDict, total=False):
    """How a shape is painted."""

    gloss: float
    """0 is dull, 1 is polished."""
    tone: float
    """Added to every tone; 1 is one step of the ramp."""
    clip: int
    """Paint only on this part."""
    soft: bool
    """No line and no shadow where it lies on another part."""
    mirror: bool
    """Draw it a second time, mirrored left to right."""
    tex: Callable[[float, float], float]
    """Added to the tone of a point, given in units."""


class Mark(NamedTuple):
    """A detail: some pixels in one colour, hidden by parts drawn after it."""

    cells: list[int]
    material: str
    tone: int
    part: int


class Halo(NamedTuple):
    """A glow behind the sprite, in pixels."""

    x: float
    y: float
    radius: float
    material: str


class Frame(NamedTuple):
    """A similarity: x' = a x + b y + e, y' = c x + d y + f."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def map(self, x: float, y: float) -> Point:
        """Return a point of the archetype in pixels."""
        return self.a * x + self.b * y + self.e, self.c * x + self.d * y + self.f

    @property
    def scale(self) -> float:
        """Pixels per unit."""
        return math.hypot(self.a, self.c)

    def mirrored(self) -> Frame:
        """Return the frame with left and right exchanged."""
        return Frame(-self.a, self.b, -self.c, self.d, self.e + self.a * UNITS, self.f + self.c * UNITS)


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
        self, x: float, y: float, *, scale: float = 1, turn: float = 0, pivot: Point = (32, 32), flip: bool = False
    ) -> Iterator[None]:
        """Draw what follows scaled and turned (degrees, clockwise), its `pivot` placed at the point."""
        before = self._frame
        cos, sin = math.cos(math.radians(turn)) * scale, math.sin(math.radians(turn)) * scale
        side = -1 if flip else 1
        a, b, c, d = cos * side, -sin, sin * side, cos
        e, f = x - a * pivot[0] - b * pivot[1], y - c * pivot[0] - d * pivot[1]
        o = before
        self._frame = Frame(
            o.a * a + o.b * c, o.a * b + o.b * d, o.c * a + o.d * c, o.c * b + o.d * d, *o.map(e, f)
        )
        try:
            yield
        finally:
            self._frame = before

    @contextmanager
    def group(self) -> Iterator[int]:
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

    def oval(
        self, x: float, y: float, rx: float, ry: float, tilt: float, material: str, **ink: Unpack[Ink]
    ) -> int:
        """Draw an ellipsoid turned by `tilt` degrees, clockwise."""
        part = 0
        for frame in self._frames(ink):
            part = self._begin(ink)
            self._oval(frame, (x, y, rx, ry, tilt), part, material, ink)
        return part

    def limb(self, points: Sequence[Point], r1: float, r2: float, material: str, **ink: Unpack[Ink]) -> int:
        """Draw a round-ended tube along the points, its radius going from `r1` to `r2`."""
        part = 0
        for frame in self._frames(ink):
            part = self._begin(ink)
            self._limb(frame, points, (r1, r2), part, material, ink)
        return part

    def poly(self, points: Sequence[Point], material: str, bevel: float = 3, **ink: Unpack[Ink]) -> int:
        """Draw a plate whose edge is bevelled over that many units; 0 is flat."""
        part = 0
        for frame in self._frames(ink):
            part = self._begin(ink)
            self._poly(frame, points, bevel, part, material, ink)
        return part

    def box(
        self, x: float, y: float, w: float, h: float, material: str, bevel: float = 3, **ink: Unpack[Ink]
    ) -> int:
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
        px, py = self._frame.map(x, y)
        k = self._frame.scale
        for at, p, q in self._oval_cells(px, py, rx * k, ry * k, 1, 0):
            del p, q
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
        px, py = self._frame.map(x, y)
        self._mark([at for at, _, _ in self._oval_cells(px, py, r * k, r * k, 1, 0)], material, tone)

    def stroke(self, points: Sequence[Point], material: str, tone: int = 1, width: float = 1) -> None:
        """Mark a thin line along the points."""
        k = self._frame.scale
        thick = max(1, round(width * k))
        cells: list[int] = []
        for (x1, y1), (x2, y2) in zip(points, points[1:], strict=False):
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
        if r * k < 1.5:
            self.dot(x, y, iris, 0 if iris == "ink" else 3, w=r * 1.6, h=r * 2)
            return
        self.spot(x, y, r, "white", 4)
        self.spot(x + r * 0.12, y + r * 0.15, r * 0.66, iris, 1 if iris == "ink" else 3)
        if r * k >= 2.5:
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

    # --- rasters -------------------------------------------------------------------------------

    def _frames(self, ink: Ink) -> tuple[Frame, ...]:
        return (self._frame, self._frame.mirrored()) if ink.get("mirror") else (self._frame,)

    def _begin(self, ink: Ink) -> int:
        if self._group:
            return self._group
        self.soft.append(ink.get("soft", "clip" in ink))
        return len(self.soft) - 1

    def _put(self, at: int, part: int, material: str, tone: float, ink: Ink) -> None:
        clip = ink.get("clip")
        if clip is not None and self.part[at] != clip and self.part[at] != part:
            return
        tex = ink.get("tex")
        if tex is not None:
            step = UNITS / self.size
            tone += tex((at % self.size) * step, (at // self.size) * step)
        self.part[at], self.material[at] = part, material
        self.tone[at] = tone + ink.get("tone", 0.0)

    def _cell(self, x: int, y: int) -> int:
        return y * self.size + x if 0 <= x < self.size and 0 <= y < self.size else -1

    def _mark(self, cells: list[int], material: str, tone: int) -> None:
        self.marks.append(Mark([at for at in cells if at >= 0], material, tone, len(self.soft) - 1))

    def _oval_cells(
        self, px: float, py: float, rx: float, ry: float, ux: float, uy: float
    ) -> Iterator[tuple[int, float, float]]:
        """Yield cells inside an ellipse, with their place along its axes from -1 to 1."""
        reach_x, reach_y = math.hypot(rx * ux, ry * uy), math.hypot(rx * uy, ry * ux)
        left, right = max(0, int(px - reach_x)), min(self.size - 1, int(px + reach_x))
        for row in range(max(0, int(py - reach_y)), min(self.size - 1, int(py + reach_y)) + 1):
            dy = row + 0.5 - py
            for column in range(left, right + 1):
                dx = column + 0.5 - px
                p, q = (dx * ux + dy * uy) / rx, (dy * ux - dx * uy) / ry
                if p * p + q * q <= 1:
                    yield row * self.size + column, p, q

    def _oval(
        self, frame: Frame, shape: tuple[float, float, float, float, float], part: int, material: str, ink: Ink
    ) -> None:
        x, y, rx, ry, tilt = shape
        px, py = frame.map(x, y)
        k = frame.scale
        cos, sin = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
        ux, uy = (frame.a * cos + frame.b * sin) / k, (frame.c * cos + frame.d * sin) / k
        gloss = ink.get("gloss", 0.0)
        for at, p, q in self._oval_cells(px, py, max(rx * k, 0.6), max(ry * k, 0.6), ux, uy):
            self._put(at, part, material, lit(p * ux - q * uy, p * uy + q * ux, gloss), ink)

    def _limb(
        self, frame: Frame, points: Sequence[Point], radii: Point, part: int, material: str, ink: Ink
    ) -> None:
        k = frame.scale
        path = [frame.map(x, y) for x, y in points]
        count = max(1, len(path) - 1)
        best: dict[int, tuple[float, float, float]] = {}
        for i, ((ax, ay), (bx, by)) in enumerate(zip(path, path[1:], strict=False)):
            start = max(0.62, k * (radii[0] + (radii[1] - radii[0]) * i / count))
            stop = max(0.62, k * (radii[0] + (radii[1] - radii[0]) * (i + 1) / count))
            ex, ey = bx - ax, by - ay
            span = ex * ex + ey * ey or 1e-9
            wide = max(start, stop)
            left, right = max(0, int(min(ax, bx) - wide)), min(self.size - 1, int(max(ax, bx) + wide))
            for row in range(max(0, int(min(ay, by) - wide)), min(self.size - 1, int(max(ay, by) + wide)) + 1):
                wy = row + 0.5 - ay
                for column in range(left, right + 1):
                    wx = column + 0.5 - ax
                    t = (wx * ex + wy * ey) / span
                    t = 0.0 if t < 0 else min(t, 1.0)
                    radius = start + (stop - start) * t
                    nx, ny = (wx - ex * t) / radius, (wy - ey * t) / radius
                    far = nx * nx + ny * ny
                    if far <= 1:
                        at = row * self.size + column
                        if at not in best or far < best[at][0]:
                            best[at] = far, nx, ny
        gloss = ink.get("gloss", 0.0)
        for at, (_, nx, ny) in best.items():
            self._put(at, part, material, lit(nx, ny, gloss), ink)

    def _poly(
        self, frame: Frame, points: Sequence[Point], bevel: float, part: int, material: str, ink: Ink
    ) -> None:
        path = [frame.map(x, y) for x, y in points]
        sides = [_side(one, other) for one, other in zip(path, (*path[1:], path[0]), strict=True)]
        turn = sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(path, (*path[1:], path[0]), strict=True))
        facing = 1 if turn > 0 else -1
        k, gloss = frame.scale, ink.get("gloss", 0.0)
        flat = lit(0, 0, gloss)
        reach = bevel * k
        axis = _axis(path, frame) if bevel < 0 else None
        for row, column in self._inside(path):
            x, y = column + 0.5, row + 0.5
            tone = flat
            if axis:
                place = max(-1.0, min(1.0, (x * axis[0] + y * axis[1] - axis[2]) / axis[3])) * 0.94
                tone = lit(place * axis[0], place * axis[1], gloss)
            elif reach > 0:
                near, nx, ny = reach, 0.0, 0.0
                for ax, ay, tx, ty, length in sides:
                    along = (x - ax) * tx + (y - ay) * ty
                    if -reach <= along <= length + reach:
                        far = abs((x - ax) * ty - (y - ay) * tx)
                        if far < near:
                            near, nx, ny = far, ty * facing, -tx * facing
                steep = (1 - near / reach) * 0.8
                tone = lit(nx * steep, ny * steep, gloss)
            self._put(row * self.size + column, part, material, tone, ink)

    def _inside(self, path: list[Point]) -> Iterator[tuple[int, int]]:
        top, bottom = min(y for _, y in path), max(y for _, y in path)
        edges = list(zip(path, (*path[1:], path[0]), strict=True))
        for row in range(max(0, int(top)), min(self.size - 1, int(bottom)) + 1):
            y = row + 0.5
            hits = sorted(
                ax + (y - ay) * (bx - ax) / (by - ay) for (ax, ay), (bx, by) in edges if (ay <= y) != (by <= y)
            )
            for start, stop in zip(hits[::2], hits[1::2], strict=False):
                for column in range(max(0, math.ceil(start - 0.5)), min(self.size, math.ceil(stop - 0.5))):
                    yield row, column


def lit(nx: float, ny: float, gloss: float = 0.0) -> float:
    """Return the tone of a surface: about 2.5 where it faces the viewer, more towards the light."""
    nz = math.sqrt(max(0.0, 1 - nx * nx - ny * ny))
    light = nx * LIGHT_X + ny * LIGHT_Y + nz * LIGHT_Z - LIGHT_Z
    return 2.5 + light * ((3.3 + gloss * 2.4) if light > 0 else (1.9 + gloss * 0.7))


def _side(one: Point, other: Point) -> tuple[float, float, float, float, float]:
    """Return where an edge starts, its direction and its length."""
    dx, dy = other[0] - one[0], other[1] - one[1]
    length = math.hypot(dx, dy) or 1e-9
    return one[0], one[1], dx / length, dy / length, length


def _axis(path: list[Point], frame: Frame) -> tuple[float, float, float, float]:
    """Return the direction across a cylinder, its middle and its radius along it."""
    k = frame.scale
    ux, uy = frame.a / k, frame.c / k
    places = [x * ux + y * uy for x, y in path]
    low, high = min(places), max(places)
    return ux, uy, (low + high) / 2, max((high - low) / 2, 0.5)
