"""How many workers a queue should have: from what arrives, what waits, and how long jobs take.

What arrives gives the slots that are busy on average (Little's law); a margin that grows with its root keeps waits
short although arrivals come in lumps; what waits already must be gone within the wait target. More workers are asked
for at once, fewer only when the need was lower all through a quiet time, and never fewer than run jobs.

Source:
    Halfin and Whitt, Heavy-Traffic Limits for Queues with Many Exponential Servers, Operations Research 1981, for the
    square-root margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp2, expm1, log, sqrt
from operator import add
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.units import MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.units import Instant, Millis

RATE_HALF_LIFE: Final[Millis] = 5 * MINUTE
SLACK: Final = 1.15
"""A worker is taken away only where so much more would still be served without it."""
_LEAST: Final[Millis] = 1
_HAIR: Final = 1e-9


class Arrivals(NamedTuple):
    """How many jobs arrive, smoothed: an average that halves the weight of what was every five minutes.

    Attributes:
        began: When counting began; 0 before the first count.
        at: The instant of the latest count.
        weight: The jobs counted, old ones as less than one, as of then.
    """

    began: Instant = 0
    at: Instant = 0
    weight: float = 0.0

    def counted(self, jobs: int, now: Instant) -> Arrivals:
        """Return the rate after `jobs` more have arrived since the count before; the first count only begins."""
        if not self.began:
            return Arrivals(now, now, 0.0)
        now = max(now, self.at)
        span = (now - self.at) / RATE_HALF_LIFE
        # The jobs came at any time since the last count: each has faded by the mean over that time.
        fresh = jobs * (-expm1(-span * log(2)) / (span * log(2)) if span else 1.0)
        return Arrivals(self.began, now, self.weight * exp2(-span) + fresh)

    def rate(self) -> float:
        """Return the jobs that arrive per ms; 0 before two counts."""
        seen = -expm1(-(self.at - self.began) / RATE_HALF_LIFE * log(2)) * RATE_HALF_LIFE / log(2)
        return self.weight / seen if seen > 0 else 0.0


class Took(NamedTuple):
    """How long attempts take, smoothed as arrivals are.

    Attributes:
        at: The instant of the latest count.
        ended: The attempts counted, old ones as less than one, as of then.
        total: Their durations, weighed alike, summed, in ms.
    """

    at: Instant = 0
    ended: float = 0.0
    total: float = 0.0

    def counted(self, ended: int, total: Millis, now: Instant) -> Took:
        """Return the durations after `ended` more attempts that took `total` ms together."""
        now = max(now, self.at)
        left = exp2(-(now - self.at) / RATE_HALF_LIFE)
        return Took(now, self.ended * left + ended, self.total * left + total)

    def mean(self) -> float | None:
        """Return what an attempt takes on average, in ms; None before the first has ended."""
        return self.total / self.ended if self.ended > 0 else None


class Look(NamedTuple):
    """What a look at a queue showed: what happened since the look before, and how it stands now.

    Attributes:
        arrived: How often a job came to wait for a worker.
        started: Attempts that started.
        ended: Attempts that ended by themselves.
        took: How long those that ended ran, summed, in ms.
        waiting: Jobs that wait now and that a worker could start.
        held: Jobs that wait now and that no worker may start: for a limit, or in a paused queue.
        running: Attempts that run now.
    """

    arrived: int = 0
    started: int = 0
    ended: int = 0
    took: Millis = 0
    waiting: int = 0
    held: int = 0
    running: int = 0

    def __add__(self, other: object) -> Look:
        """Return what was seen of two queues together."""
        return Look(*map(add, self, other)) if isinstance(other, Look) else NotImplemented


class Trend(NamedTuple):
    """What was learned from the looks at a queue."""

    arrivals: Arrivals = Arrivals()
    took: Took = Took()

    def seen(self, look: Look, since: Instant, now: Instant) -> Trend:
        """Return the trend after a look at what happened from `since` to `now`.

        What waits for a limit would not start on any number of workers: while some does, what started counts for what
        arrived.
        """
        arrivals = self.arrivals if self.arrivals.began else self.arrivals.counted(0, since)
        jobs = min(look.arrived, look.started) if look.held else look.arrived
        return Trend(arrivals.counted(jobs, now), self.took.counted(look.ended, look.took, now))

    def demand(self, look: Look, policy: ScalePolicy) -> Demand:
        """Return what the queue asks; while no duration is known, a job counts for as long as one may wait.

        Where nothing waits or runs, and fewer than one job is expected in the quiet time (or in the time that one may
        wait), it asks for nothing.
        """
        mean = self.took.mean()
        if mean is None:
            return Demand(0.0, policy.wait, float(look.waiting + look.running) * policy.wait, look.running)
        rate = self.arrivals.rate()
        if not look.waiting and not look.running and rate * max(policy.quiet, policy.wait) < 1:
            rate = 0.0
        return Demand(rate, mean, look.waiting * mean, look.running)


class Demand(NamedTuple):
    """What a queue asks of its workers.

    Attributes:
        rate: Jobs that arrive per ms.
        mean: What a job takes on average, in ms.
        backlog: The expected durations of the jobs that wait, summed, in ms.
        running: How many attempts run.
    """

    rate: float
    mean: float
    backlog: float
    running: int


def together(demands: Sequence[Demand]) -> Demand:
    """Return what several queues ask of the same workers: a job takes what it takes in its queue, by what arrives."""
    rate = sum(demand.rate for demand in demands)
    busy = sum(demand.rate * demand.mean for demand in demands)
    mean = busy / rate if rate else max((demand.mean for demand in demands), default=0.0)
    return Demand(rate, mean, sum(d.backlog for d in demands), sum(d.running for d in demands))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalePolicy:
    """What an operator wants.

    Attributes:
        least: Never fewer workers.
        most: Never more workers; this holds even where more still run jobs.
        slots: The slots of one worker.
        wait: How long a job may wait, in ms.
        quiet: So long the need must have been lower before a worker is taken away, in ms.
    """

    least: int = 1
    most: int = 8
    slots: int = 1
    wait: Millis = 30 * SECOND
    quiet: Millis = 5 * MINUTE

    def __post_init__(self) -> None:
        if not (0 <= self.least <= self.most and self.most >= 1 and self.slots >= 1 and self.wait >= _LEAST):
            message = "scaling needs 0 <= least <= most, and at least one worker, one slot and 1 ms of wait"
            raise ValueError(message)


class Scale(NamedTuple):
    """How many workers there should be, and what the next decision must remember.

    Attributes:
        desired: So many workers.
        peak: The highest need since `since`, with some slack.
        since: Since when the need has been below `desired`; None while it is not.
    """

    desired: int
    peak: int = 0
    since: Instant | None = None


def needed(demand: Demand, policy: ScalePolicy) -> int:
    """Return how many workers the demand of this moment needs, between the policy's bounds."""
    busy = demand.rate * demand.mean
    # A wait much longer than a job levels lumps out by itself.
    margin = sqrt(busy) * demand.mean / (demand.mean + policy.wait) if busy else 0.0
    slots = max(busy + margin + demand.backlog / policy.wait, demand.running)
    return max(policy.least, min(ceil(slots / policy.slots - _HAIR), policy.most))


def scaled(before: Scale | None, demand: Demand, policy: ScalePolicy, now: Instant) -> Scale:
    """Return how many workers there should be now.

    Up at once. Down only after the need was lower for the whole quiet time, and then to the highest need in it, so that
    a load that stays about the same never makes workers come and go.

    Args:
        before: The decision before; None for the first.
        demand: What the queue asks.
        policy: What the operator wants.
        now: The instant of this decision, not before the one before.
    """
    need = needed(demand, policy)
    if before is None or need >= before.desired:
        return Scale(need)
    bounded = min(before.desired, policy.most)
    if bounded < before.desired:
        return Scale(bounded)
    roomy = needed(demand._replace(rate=demand.rate * SLACK), policy)
    if roomy >= before.desired:
        return Scale(before.desired)
    if before.since is None:
        return Scale(before.desired, roomy, now)
    peak = max(before.peak, roomy)
    if now - before.since < policy.quiet:
        return Scale(before.desired, peak, before.since)
    return Scale(peak, roomy, now) if roomy < peak else Scale(peak)
