"""Made-up load, always the same for the same seed: bursts of jobs with heavy-tailed durations, and restless workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from stanchion.domain.estimates import Work, size_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

    from stanchion.domain.units import Millis

_SOON: Final = 1.0


class Sort(NamedTuple):
    """One sort of job that tenants ask for.

    Attributes:
        task: Its task's name.
        median: The median duration, in ms.
        spread: The sigma of its lognormal body; 0 makes all alike.
        tail: The share of jobs that come from a Pareto tail instead, which begins at three medians.
        weight: The index of that tail: the smaller, the heavier it is.
        cost: The value of its cost drivers.
        model: The model that must be loaded to run it.
    """

    task: str
    median: Millis
    spread: float = 0.5
    tail: float = 0.0
    weight: float = 2.5
    cost: float | None = None
    model: str = ""

    def takes(self, chance: Random) -> Millis:
        """Return a duration, at least 1 ms."""
        if chance.random() < self.tail:
            return round(3 * self.median * chance.paretovariate(self.weight))
        return max(1, round(self.median * chance.lognormvariate(0.0, self.spread)))


class Tenant(NamedTuple):
    """Who asks: a weight in the line, a share of all requests, and what is asked for, each with its frequency."""

    name: str
    sorts: Mapping[Sort, float]
    weight: int = 1
    share: float = 1.0
    priority: int = 5


class Request(NamedTuple):
    """A job to come. `takes` is what no policy may look at."""

    at: Millis
    tenant: str
    weight: int
    priority: int
    work: Work
    model: str
    takes: Millis


class Turn(NamedTuple):
    """A worker of one slot comes (`up`), ends its job and goes (`down`), or dies with its job (`crash`)."""

    at: Millis
    worker: int
    event: Literal["up", "down", "crash"]


def bursts(chance: Random, until: Millis, *, calm: float, burst: float, stay: tuple[Millis, Millis]) -> Iterator[int]:
    """Give the instants of a Poisson process whose rate changes between two values (MMPP-2).

    Args:
        chance: The source of chance.
        until: No instant lies beyond this one.
        calm: Arrivals per second in calm times.
        burst: Arrivals per second in a burst.
        stay: The mean length of a calm time and of a burst, in ms.
    """
    now, fast = 0.0, False
    change = chance.expovariate(1 / stay[0])
    while True:
        step = chance.expovariate((burst if fast else calm) / 1000)
        if now + step >= change:  # the process has no memory: draw anew from the change on
            now, fast = change, not fast
            change = now + chance.expovariate(1 / stay[fast])
        else:
            now += step
            if now <= until:
                yield round(now)
        if now > until:
            return


def requests(chance: Random, instants: Iterator[int] | Sequence[int], tenants: Sequence[Tenant]) -> list[Request]:
    """Return a job for each instant, from a tenant and of a sort drawn by their shares."""
    shares = [tenant.share for tenant in tenants]
    found: list[Request] = []
    for at in instants:
        (tenant,) = chance.choices(tenants, shares)
        (sort,) = chance.choices(list(tenant.sorts), list(tenant.sorts.values()))
        work = Work(sort.task, size_of(sort.cost))
        found.append(Request(at, tenant.name, tenant.weight, tenant.priority, work, sort.model, sort.takes(chance)))
    return found


def steady(workers: int) -> list[Turn]:
    """Return workers that come at once and stay."""
    return [Turn(0, worker, "up") for worker in range(workers)]


def restless(  # noqa: PLR0913 - what chance there is
    chance: Random, workers: int, until: Millis, *, life: Millis, away: Millis, crashing: float = 0.5
) -> list[Turn]:
    """Return workers that come and go until an instant, and then stay.

    Args:
        chance: The source of chance.
        workers: How many.
        until: From then on all stay.
        life: How long one works on average before it goes or dies, in ms.
        away: How long it is away on average, in ms.
        crashing: The share of those that die with their job.
    """
    turns: list[Turn] = []
    for worker in range(workers):
        now = 0.0
        turns.append(Turn(0, worker, "up"))
        while (now := now + chance.expovariate(1 / life)) < until:
            turns.append(Turn(round(now), worker, "crash" if chance.random() < crashing else "down"))
            now += chance.expovariate(1 / away) + _SOON
            turns.append(Turn(round(now), worker, "up"))
    return sorted(turns)
