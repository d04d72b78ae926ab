"""Batches: which jobs run together in one call, when it pays to wait for more, and how many fit into memory.

Jobs of one task in one queue that have the same *batch key* may run together. One of them *leads*: its turn has come.
The others join it, first those of its own lane, then of other lanes, the most urgent and then the oldest first. A
group takes one slot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.limits import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stanchion.domain.job import Lease
    from stanchion.domain.limits import Weights
    from stanchion.domain.units import Instant, Millis

MAX_SIZE: Final = 1_000
"""At most so many jobs in one call."""
MAX_WAIT: Final[Millis] = 60_000
GROW_AFTER: Final = 16
"""So many calls of the largest size that fits must end well before one job more is tried."""
_SMOOTHING: Final = 0.3
_PATIENCE: Final = 2.0
"""A key of which nothing came for so many of its usual intervals has dried up."""


class Batching(NamedTuple):
    """How a worker runs the jobs of a task together.

    Attributes:
        size: At most so many in one call.
        cost: At most so much in one call, as the task's `cost=` tells; None does not bound it.
        across: Jobs of other tenants may join.
        sizes: Keys of which fewer fit, and how many.
        within: Tell what more of a group's key falls due within so many ms.
    """

    size: int
    cost: float | None = None
    across: bool = False
    sizes: Mapping[str, int] = {}
    within: Millis = 0

    def fit(self, key: str) -> int:
        """Return how many jobs of a key run together at most."""
        return min(self.size, self.sizes.get(key, self.size))


class Joining(NamedTuple):
    """A group that waits for more: who may still join it.

    Attributes:
        queue: Where its jobs come from.
        task: Their task.
        key: Their batch key.
        tenant: Whose jobs they must be; None: anybody's.
        size: How many more.
        cost: How much more; None is not bounded.
        within: Tell what more of the key falls due within so many ms.
        waits: The resources that the group holds for all its jobs: those that wait for them may join.
    """

    queue: str
    task: str
    key: str
    tenant: str | None
    size: int
    cost: float | None = None
    within: Millis = 0
    waits: tuple[str, ...] = ()


class Offer(NamedTuple):
    """A job that waits, as a group sees it.

    Attributes:
        late: It expired; it starts in no group.
        alone: It has ended a worker before, and runs alone so that it cannot harm others.
        cost: What its task tells of it; None where that is not known.
    """

    late: bool
    alone: bool
    cost: float | None


class Group(NamedTuple):
    """Which of the offered jobs start together, by place, and how many and how much more may join them."""

    places: tuple[int, ...]
    size: int
    cost: float | None
    alone: bool = False
    """Whether it is one job that runs alone."""


def alike(key: str, model: str, resources: Weights) -> str:
    """Return the batch key of a job: what its task tells, and what else those must share that run in one call."""
    return "\n".join((key, model, text_of(resources))) if model or resources else key


def led(offers: Sequence[Offer], size: int, cost: float | None, room: int) -> Group:
    """Return the group that the first job in time leads; a job that must run alone leads nobody.

    Whoever leads starts, whatever it costs. Nobody starts where all offered jobs are late.

    Args:
        offers: Jobs of one lane, the oldest first.
        size: At most so many in the group.
        cost: At most so much in the group; None does not bound it.
        room: At most so many of this lane, 1 or more.
    """
    place = next((place for place, offer in enumerate(offers) if not offer.late), None)
    if place is None:
        return Group((), 0, cost)
    first = offers[place]
    if first.alone or (cost is not None and first.cost is None):
        return Group((place,), 0, cost, alone=True)
    left = None if cost is None or first.cost is None else cost - first.cost
    rest = joining(offers[place + 1 :], size - 1, left, room - 1)
    return rest._replace(places=(place, *(place + 1 + other for other in rest.places)))


def joining(offers: Sequence[Offer], size: int, cost: float | None, room: int) -> Group:
    """Return who joins a group that has room for so many and so much; who does not fit waits for its own turn."""
    places: list[int] = []
    for place, offer in enumerate(offers):
        if len(places) >= min(size, room):
            break
        if offer.late or offer.alone:
            continue
        if cost is not None:
            if offer.cost is None or offer.cost > cost:
                continue
            cost -= offer.cost
        places.append(place)
    return Group(tuple(places), size - len(places), cost)


def slots(leases: Iterable[Lease]) -> int:
    """Return how many slots leases take: a group takes one."""
    alone, groups = 0, set[int]()
    for lease in leases:
        if lease.batch is None:
            alone += 1
        else:
            groups.add(lease.batch)
    return alone + len(groups)


class Pace(NamedTuple):
    """How jobs of a key arrive: when the last one came, and how long after the one before that usually is."""

    last: Instant
    interval: float | None = None

    def arrived(self, at: Instant) -> Pace:
        """Return the pace after another arrival; what arrives together counts once."""
        gap = at - self.last
        if gap <= 0:
            return self
        known = self.interval
        return Pace(at, gap if known is None else known + _SMOOTHING * (gap - known))


def pause(now: Instant, until: Instant, due: Instant | None, pace: Pace | None) -> Millis:
    """Return how long a group waits for more, in ms; 0: it starts now.

    It waits only for what is known to come before `until`.

    Args:
        now: The store's clock.
        until: When it starts at the latest.
        due: When the next job of its key falls due; None: none is known.
        pace: How jobs of its key arrive; None: not known.
    """
    ends = [0]
    if due is not None and due <= until:
        ends.append(due - now)
    if pace is not None and pace.interval is not None:
        expected, over = pace.last + pace.interval, pace.last + _PATIENCE * pace.interval
        if expected <= until and now < over:
            ends.append(int(min(over, until) - now))
    return max(min(max(ends), until - now), 0)


class Fit(NamedTuple):
    """How many jobs of a key fit into memory, as learned from calls that did not; `well` counts calls that did."""

    size: int
    well: int = 0

    def ended(self, size: int) -> Fit:
        """Return what is known after a call of so many jobs that had enough memory: in time one more is tried."""
        if size < self.size:
            return self
        return Fit(self.size + 1) if self.well + 1 >= GROW_AFTER else Fit(self.size, self.well + 1)
