"""What a job is charged for its turn: the compute time that its kind of work is known to take.

Jobs of a task that names its cost drivers wait in lanes by size class, so that all jobs of a lane are charged the same.
The class stands among a lane's keys as one that no limit can have, since it has no kind. Jobs of other tasks bear no
class, and each counts 1, as much as a second of compute.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from stanchion.domain.estimates import Durations, size_of
from stanchion.domain.limits import of_text
from stanchion.domain.units import DAY, SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stanchion.domain.estimates import Seen, Work
    from stanchion.domain.limits import Weights
    from stanchion.domain.units import Instant, Millis

UNKNOWN: Final[Millis] = SECOND
"""What a job is charged while nothing is known of its task."""
MOST: Final[Millis] = 30 * DAY
"""No job is charged more."""
_CLASS: Final = "size "


def classed(keys: Weights, size: float | None) -> Weights:
    """Return the keys of a job's lane: its own, and its size class if its task names its cost drivers."""
    return keys if size is None else (*keys, (f"{_CLASS}{size_of(size)}", 1))


def class_of(keys: Weights) -> int | None:
    """Return the size class among a lane's keys; None where its jobs are charged 1 each."""
    return next((int(key[len(_CLASS) :]) for key, _ in keys if key.startswith(_CLASS)), None)


@lru_cache(maxsize=4096)
def class_in(text: str) -> int | None:
    """Return the same of a lane's keys in their text form."""
    return class_of(of_text(text))


def known(seen: Mapping[Work, Seen]) -> Durations:
    """Return what was learned of one task, as of the last attempt of it."""
    return Durations(seen, max((one.took.newest for one in seen.values()), default=0))


def charge(durations: Durations, work: Work) -> Millis:
    """Return what a job is charged at its claim, in ms: the mean for its kind of work, or 1 s."""
    mean = durations.charge(work)
    return UNKNOWN if mean is None else within(round(mean))


def ran(started: Instant, ended: Instant, mates: int = 1) -> Millis:
    """Return what an attempt is charged in the end, in ms: its part of the time that its group of `mates` ran."""
    return within((ended - started) // mates)


def within(took: Millis) -> Millis:
    """Return a time that can be charged: at least 1 ms, so that every start moves a turn."""
    return min(max(took, 1), MOST)
