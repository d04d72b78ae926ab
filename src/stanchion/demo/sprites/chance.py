"""Seeded chance: the same text gives the same draws on every Python, so sprites can be pinned by hash."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
MASK = (1 << 64) - 1


class Chance:
    """A stream of draws.

    Source:
        Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014 (SplitMix64).
    """

    def __init__(self, text: str) -> None:
        self._state = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
        self.grain = self._state & 0xFFFF
        """The seed of this sprite's `noise`."""

    def unit(self) -> float:
        """Return a number from 0 up to, not including, 1."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return ((z ^ (z >> 31)) >> 11) / (1 << 53)

    def between(self, low: float, high: float) -> float:
        """Return a number from `low` up to `high`."""
        return low + (high - low) * self.unit()

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + int(self.unit() * (high - low + 1))

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return choices[int(self.unit() * len(choices))]

    def likely(self, share: float) -> bool:
        """Return True in that share of all draws."""
        return self.unit() < share


def speckle(x: int, y: int, grain: int) -> float:
    """Return white noise at a lattice point: 0 up to 1, always the same for the same point and grain."""
    z = (x * 0x1F123BB5 + y * 0x5851F42D + grain * 0x2545F491) & 0xFFFFFFFF
    z = ((z ^ (z >> 15)) * 0x2C1B3C6D) & 0xFFFFFFFF
    z = ((z ^ (z >> 12)) * 0x297A2D39) & 0xFFFFFFFF
    return (z ^ (z >> 15)) / 0x100000000


def noise(x: float, y: float, grain: int, wrap: int = 1 << 16) -> float:
    """Return smooth value noise at a point, 0 to 1; it repeats every `wrap` lattice steps."""
    left, top = int(x // 1), int(y // 1)
    u, v = x - left, y - top
    u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
    x0, x1, y0, y1 = left % wrap, (left + 1) % wrap, top % wrap, (top + 1) % wrap
    upper = speckle(x0, y0, grain) * (1 - u) + speckle(x1, y0, grain) * u
    lower = speckle(x0, y1, grain) * (1 - u) + speckle(x1, y1, grain) * u
    return upper * (1 - v) + lower * v
