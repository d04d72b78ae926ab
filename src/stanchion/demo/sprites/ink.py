"""How shapes are painted and where: the small values that a scene is made of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable

UNITS = 64
"""The side of the square that archetypes draw in."""
LIGHT_X, LIGHT_Y, LIGHT_Z = -0.50, -0.66, 0.56
Point = tuple[float, float]


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

    def within(self, inner: Frame) -> Frame:
        """Return the frame that maps by `inner` first and by this one then."""
        e, f = self.map(inner.e, inner.f)
        return Frame(
            self.a * inner.a + self.b * inner.c,
            self.a * inner.b + self.b * inner.d,
            self.c * inner.a + self.d * inner.c,
            self.c * inner.b + self.d * inner.d,
            e,
            f,
        )


def lit(nx: float, ny: float, gloss: float = 0.0) -> float:
    """Return the tone of a surface: about 2.5 where it faces the viewer, more towards the light."""
    nz = math.sqrt(max(0.0, 1 - nx * nx - ny * ny))
    light = nx * LIGHT_X + ny * LIGHT_Y + nz * LIGHT_Z - LIGHT_Z
    return 2.5 + light * ((3.3 + gloss * 2.4) if light > 0 else (1.9 + gloss * 0.7))
