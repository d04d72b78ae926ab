"""Progress and throughput arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stanchion.domain.units import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.job import Progress
    from stanchion.domain.units import Instant, Millis


FOREVER: Final[Millis] = 365 * DAY
"""A longer time left than this is no estimate."""


def fraction(index: float, length: float) -> float | None:
    """Return how much is done, from 0 to 1; None where the length is unknown (0 or less)."""
    if length <= 0:
        return None
    return min(max(index / length, 0.0), 1.0)


def remaining(progress: Progress, started_at: Instant, now: Instant) -> Millis | None:
    """Return the time left in ms if work goes on at its mean speed; None before there is a speed.

    The elapsed time since the report is taken off; it never goes below 0.
    """
    done = fraction(progress.index, progress.length)
    worked = progress.at - started_at
    if done is None or done <= 0 or worked <= 0:
        return None
    left = worked * (1 - done) / done
    if left > FOREVER:
        return None
    return max(round(left - (now - progress.at)), 0)


def per_second(count: int, over: Millis) -> float:
    """Return a rate per second; 0 where no time has passed."""
    return count * 1000 / over if over > 0 else 0.0


def quantile(ordered: Sequence[float], q: float) -> float | None:
    """Return the q-quantile of values in ascending order, by linear interpolation; None where empty."""
    if not ordered:
        return None
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
