"""A clock for tests: it stands still until it is told to move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from stanchion.domain.units import Instant, Millis

T0: Final[Instant] = 1_800_000_000_000


@dataclass
class FakeClock:
    """A store's clock, in ms since the epoch."""

    at: Instant = T0

    def __call__(self) -> Instant:
        return self.at

    def pass_(self, time: Millis) -> None:
        """Let time pass, in ms."""
        self.at += time
