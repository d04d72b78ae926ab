"""Chance that is always the same: numbers drawn from a seed, so that the same question has the same answer."""

from __future__ import annotations

from math import inf, log
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_WHOLE: Final = 1 << 32
NORMAL: Final = tuple(NormalDist().inv_cdf((n + 0.5) / 1024) for n in range(1024))
"""Equally likely values of a standard normal variable, lowest first."""


class Dice:
    """Numbers that look random and are always the same: a linear congruential sequence (Knuth's MMIX)."""

    def __init__(self, seed: int) -> None:
        self._state = (seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) & 0xFFFFFFFFFFFFFFFF
        self.roll()

    def roll(self) -> int:
        """Return the next number, from 0 to below 2**32."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        return self._state >> 32

    def of(self, values: Sequence[float]) -> float:
        """Return one of the values, all equally likely."""
        return values[self.roll() * len(values) >> 32]

    def share(self) -> float:
        """Return a number between 0 and 1, never one of them."""
        return (self.roll() + 0.5) / _WHOLE

    def wait(self, rate: float) -> float:
        """Return how long something takes to come that comes so often; infinity for a rate of 0."""
        return -log(self.share()) / rate if rate > 0 else inf

    def gamma(self, shape: float) -> float:
        """Return a gamma variable of scale 1, near enough for shapes from 0.5 on.

        Source:
            Wilson and Hilferty, The Distribution of Chi-Square, PNAS 1931.
        """
        return shape * max(0.1, 1 - 1 / (9 * shape) + self.of(NORMAL) / (3 * shape**0.5)) ** 3
