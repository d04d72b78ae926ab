"""How long jobs take, learned: durations by task and by the size of what was asked.

A task that names its cost drivers (`cost=lambda prompt, size=64: size * size`) is learned in size classes: jobs whose
cost lies between the same two powers of two share one. A class that has seen little borrows from the task's others,
scaled by how the task's durations grow with cost; a task that has seen too little says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from math import floor, isfinite, log, log2
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.sketch import HALF_LIFE, SLICES, Sketch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stanchion.domain.units import Instant, Millis

ENOUGH: Final = 20.0
"""A class that has seen so many attempts stands for itself; with fewer it borrows the rest from its task."""
FEWEST: Final = 3.0
"""A task that has seen fewer attempts gives no estimate."""
_TELLING: Final = 5.0
"""Classes that have seen so many attempts tell how durations grow with cost."""
_STEEPEST: Final = 2.0
_LARGEST: Final = 1_000
_MANY_TRIES: Final = 50


class Work(NamedTuple):
    """What kind of work a job is: its task, and the class of its cost (0 where the task names no cost)."""

    task: str
    size: int = 0


class Ended(NamedTuple):
    """An attempt that ran to its own end: a completion, or a failure of the task's own making.

    What was cancelled, lost or given back says nothing about durations and is not learned.
    """

    work: Work
    took: Millis
    failed: bool = False


class Range(NamedTuple):
    """A duration that is not certain, in ms: half the time it is at most `p50`, nine times out of ten `p90`."""

    p50: Millis
    p90: Millis


class Estimate(NamedTuple):
    """What is known of one attempt.

    Attributes:
        p50: The median, in ms.
        p90: Nine of ten attempts take at most so many ms.
        mean: The mean, in ms: what to charge for it.
        samples: The attempts that this rests on, old ones counted as less than one.
    """

    p50: Millis
    p90: Millis
    mean: float
    samples: float


class Seen(NamedTuple):
    """What was seen of one kind of work: the durations of attempts, and of those that failed."""

    took: Sketch
    failed: Sketch


def size_of(cost: float | None) -> int:
    """Return the size class of a job's cost: 1 for costs from 1 to below 2, one more for each doubling, 0 for none.

    A cost that is not above 0, or not finite, counts as none.
    """
    if cost is None or not isfinite(cost) or cost <= 0:
        return 0
    return max(-_LARGEST, min(floor(log2(cost)) + 1, _LARGEST))


@dataclass(frozen=True)
class Durations:
    """All that was learned, by kind of work; every change gives a new value, so that readers share it freely.

    Attributes:
        seen: What was seen of each kind of work.
        now: The instant of the latest attempt learned from; old attempts weigh less by their distance to it.
        half_life: After so many ms an attempt weighs half.
    """

    seen: Mapping[Work, Seen] = field(default_factory=dict[Work, Seen])
    now: Instant = 0
    half_life: Millis = HALF_LIFE

    def learned(self, batch: Iterable[Ended], now: Instant) -> Durations:
        """Return what is known once these attempts have ended."""
        took: defaultdict[Work, list[float]] = defaultdict(list)
        failed: defaultdict[Work, list[float]] = defaultdict(list)
        for ended in batch:
            took[ended.work].append(ended.took)
            if ended.failed:
                failed[ended.work].append(ended.took)
        if not took:
            return self
        empty = Sketch(self.half_life)
        seen = dict(self.seen)
        for work, values in took.items():
            was = seen.get(work, Seen(empty, empty))
            seen[work] = Seen(was.took.added(values, now), was.failed.added(failed[work], now))
        return Durations(seen, max(now, self.now), self.half_life)

    def merged(self, other: Durations) -> Durations:
        """Return what is known of both: what two processes learned apart."""
        seen = dict(self.seen)
        for work, theirs in other.seen.items():
            mine = seen.get(work)
            seen[work] = theirs if mine is None else Seen(*(a.merged(b) for a, b in zip(mine, theirs, strict=True)))
        return Durations(seen, max(self.now, other.now), self.half_life)

    def spread(self, work: Work) -> Sketch | None:
        """Return how long an attempt takes, as a spread in ms; None where too little is known."""
        known = self._spreads
        if work not in known:
            known[work] = self._spread(work)
        return known[work]

    def evidence(self, work: Work) -> tuple[float, float]:
        """Return how many attempts tell of a kind of work, at least 1, and the longest it is thought to take, in ms.

        An attempt of another size class counts by how near that is: half for each doubling of cost between them.
        """
        spread = self.spread(work)
        own = self.seen[work].took.weight(self.now) if work in self.seen else 0.0
        if own < ENOUGH:
            own += min(
                ENOUGH - own,
                sum(
                    sketch.weight(self.now) * 0.5 ** abs(size - work.size)
                    for size, sketch in self._tasks.get(work.task, ())
                    if size != work.size
                ),
            )
        return max(own, 1.0), 0.0 if spread is None else spread.quantile(1.0)

    def estimate(self, work: Work) -> Estimate | None:
        """Return how long an attempt takes; None where too little is known."""
        spread = self.spread(work)
        if spread is None:
            return None
        return Estimate(
            round(spread.quantile(0.5)), round(spread.quantile(0.9)), spread.mean, round(spread.weight(self.now), 3)
        )

    def charge(self, work: Work) -> float | None:
        """Return what to charge for an attempt before it ran: its mean, in ms; None where too little is known."""
        spread = self.spread(work)
        return None if spread is None else spread.mean

    def remaining(self, work: Work, elapsed: Millis) -> Range | None:
        """Return how long an attempt still runs that has run for `elapsed` ms; None where too little is known."""
        spread = self.spread(work)
        if spread is None:
            return None
        rest = rest_of(spread, elapsed)
        return Range(_quantile(rest, 0.5), _quantile(rest, 0.9))

    def failing(self, work: Work) -> float:
        """Return the share of attempts that fail, from 0 up to 1, drawn towards 0 where little was seen."""
        seen = self.seen.get(work)
        if seen is None or not seen.failed.counts:
            return 0.0
        return seen.failed.weight(self.now) / (seen.took.weight(self.now) + 1.0)

    def total(self, work: Work, attempts: int = 1, pause: Millis = 0) -> float | None:
        """Return the mean time to a final end, in ms, with retries; None where too little is known.

        Args:
            work: The kind of work.
            attempts: At most so many are made.
            pause: The mean wait between two of them.
        """
        mean = self.charge(work)
        if mean is None:
            return None
        chance, reached, sum_ = self.failing(work), 1.0, 0.0
        for number in range(min(max(attempts, 1), _MANY_TRIES)):
            sum_ += reached * (mean + (pause if number else 0))
            reached *= chance
        return sum_

    @cached_property
    def _spreads(self) -> dict[Work, Sketch | None]:
        """What `spread` found already: the value never changes, so an answer stays right."""
        return {}

    @cached_property
    def _tasks(self) -> dict[str, list[tuple[int, Sketch]]]:
        """The classes of each task."""
        tasks: defaultdict[str, list[tuple[int, Sketch]]] = defaultdict(list)
        for work, seen in self.seen.items():
            tasks[work.task].append((work.size, seen.took))
        return dict(tasks)

    def _spread(self, work: Work) -> Sketch | None:
        own = self.seen[work].took if work in self.seen else Sketch(self.half_life)
        has = own.weight(self.now)
        if has >= ENOUGH:
            return own
        others = [(size, sketch) for size, sketch in self._tasks.get(work.task, ()) if size != work.size]
        if has + sum(sketch.weight(self.now) for _, sketch in others) < FEWEST:
            return None
        slope = _slope([*others, (work.size, own)], self.now)
        pool = Sketch(self.half_life)
        for size, sketch in others:
            # A near class says more than a far one: each doubling of cost between them halves what it says.
            near = sketch.weighing(sketch.weight(self.now) * 0.5 ** abs(size - work.size), self.now)
            pool = pool.merged(near.scaled(2.0 ** (slope * (work.size - size))))
        lent = min(ENOUGH - has, sum(sketch.weight(self.now) for _, sketch in others))
        return own.merged(pool.weighing(lent, self.now)) if pool.counts else own


def rest_of(spread: Sketch, elapsed: Millis) -> tuple[float, ...]:
    """Return equally likely durations, lowest first, that an attempt still has before it after `elapsed` ms.

    Beyond everything ever seen, the longer something has run, the longer it will: as in a Pareto spread of index 2,
    where the median still to go is 0.41 of what has passed.
    """
    if elapsed <= 0:
        return spread.slices
    return spread.beyond(elapsed) or tuple(
        elapsed * ((1 - (step + 0.5) / SLICES) ** -0.5 - 1) for step in range(SLICES)
    )


def _quantile(values: tuple[float, ...], q: float) -> Millis:
    return round(values[min(int(q * len(values)), len(values) - 1)])


def _slope(classes: list[tuple[int, Sketch]], now: Instant) -> float:
    """Return how durations grow with cost: they double with cost at 1; a line through the logs of the means, by weight.

    0 where fewer than two classes have seen enough to tell.
    """
    points = [(size, log(sketch.mean), sketch.weight(now)) for size, sketch in classes if sketch.counts]
    telling = [point for point in points if point[2] >= _TELLING]
    weight = sum(w for _, _, w in telling)
    if len(telling) < 2:  # noqa: PLR2004 - a line needs two points
        return 0.0
    middle = sum(x * w for x, _, w in telling) / weight
    level = sum(y * w for _, y, w in telling) / weight
    across = sum(w * (x - middle) ** 2 for x, _, w in telling)
    along = sum(w * (x - middle) * (y - level) for x, y, w in telling)
    return min(max(along / across / log(2), 0.0), _STEEPEST) if across else 0.0
