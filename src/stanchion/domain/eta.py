"""When a job in line will start and end, as a range: from what stands before it, what runs, and who serves.

The answer is a spread over some hundred scenarios. In each, the attempts that run end after a time drawn from what is
known of them, and the jobs before this one go, each when it is its turn, to the slot that is free first. Only the last
few of a long line are dealt out one by one; those before them count as one sum, whose spread follows from the moments
of its parts (Pearson's type III curve), and fill the slots like water. So the cost depends on how many kinds of work
wait and how many slots serve, not on how many jobs wait. The draws are the same numbers each time: the same line gives
the same answer, and a line that moves a little gives one that moves a little.

Source:
    Wilson and Hilferty, The Distribution of Chi-Square, PNAS 1931, for the quantiles of the sum.
"""

from __future__ import annotations

from collections import Counter
from heapq import heapify, heapreplace
from math import hypot, sqrt
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.dice import NORMAL, Dice
from stanchion.domain.estimates import Range, rest_of
from stanchion.domain.turnover import Staff
from stanchion.domain.unended import completed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stanchion.domain.estimates import Durations, Work
    from stanchion.domain.sketch import Sketch
    from stanchion.domain.turnover import Turnover
    from stanchion.domain.units import Millis

MOST_SLOTS: Final = 64
"""More slots are reckoned as so many, with a line that is shorter in proportion."""
ROUNDS: Final = 3
"""So many jobs for each slot, the last of the line, are dealt out one by one."""
FEWEST_DEALT: Final = 12
SCENARIOS: Final = 400
FEWEST_SCENARIOS: Final = 96
_EFFORT: Final = 20_000
_SLOWEST: Final = 0.05
_UNSURE: Final = 1.5
_MOST_SKEW: Final = 4.0
_FASTEST: Final = 0.1
_UNSEEN: Final = 1.5
"""What was never seen takes about so many times the longest that was."""
_OPEN: Final = 0.7
"""How much the attempts that run, as a share of those seen, are in doubt: how long they take is not known yet."""
_MANY_TRIES: Final = 20


class Line(NamedTuple):
    """What stands between a job and its start.

    Attributes:
        ahead: How many jobs of each kind of work start before it.
        running: The attempts on the slots that serve the line: the kind of work, and for how many ms each runs.
        slots: How many slots serve the line, those of `running` included.
        pace: How much of their time the slots give to this line, 1 for all; see `pace`.
        turnover: How the workers behind the slots come and go; None where they stay.
    """

    ahead: Mapping[Work, int]
    running: Sequence[tuple[Work, Millis]]
    slots: int
    pace: float = 1.0
    turnover: Turnover | None = None


class Eta(NamedTuple):
    """When a job will start, and when it will have ended, from now on.

    `late` says that it runs for longer than nine of ten of its kind.
    """

    starts_in: Range
    finishes_in: Range
    late: bool = False


class Left(NamedTuple):
    """What is left of a range some time later; `late` once its p90 has passed."""

    p50: Millis
    p90: Millis
    late: bool


def eta(work: Work, line: Line, durations: Durations, *, attempts: int = 1, pause: Millis = 0) -> Eta | None:
    """Return when a job starts and ends; None where it cannot be said.

    That is: no slot serves the line, or of some work before the job, or of its own, too little is known.

    Args:
        work: What the job is.
        line: What stands before it.
        durations: What was learned.
        attempts: At most so many attempts are made; those that fail often count.
        pause: The mean wait between two of them, in ms.
    """
    slots = max(line.slots, len(line.running))
    if slots < 1:
        return None
    running = Counter(kind for kind, _ in line.running)
    ahead = {kind: count for kind, count in line.ahead.items() if count > 0}
    spreads = {kind: _spread(durations, kind, line) for kind in {work, *ahead, *running}}
    own = spreads[work]
    parts = {
        kind: _Part.of(spread, ahead.get(kind, 0), *durations.evidence(kind), running[kind])
        for kind in {work: None, **ahead, **running}
        if (spread := spreads[kind]) is not None
    }
    if own is None or None in spreads.values():
        return None
    numbers = {kind: number for number, kind in enumerate(parts)}
    rests = [
        _Rest(rest_of(spread, elapsed), elapsed, numbers[kind])
        for kind, elapsed in line.running
        if (spread := spreads[kind]) is not None
    ]
    rests += [_FREE] * (slots - len(rests))
    starts, draws = _starts(list(parts.values()), rests, max(line.pace, _SLOWEST), line.turnover)
    chance, tries = durations.failing(work), min(max(attempts, 1), _MANY_TRIES)
    ends = [
        start + speed * _whole(own.slices, dice, chance, tries, pause)
        for start, (dice, speed) in zip(starts, draws, strict=True)
    ]
    return Eta(_range(starts), _range(ends))


def left(span: Range, since: Millis) -> Left:
    """Return what is left of a range after `since` ms: never below zero, and late once even the p90 has passed."""
    return Left(max(0, span.p50 - since), max(0, span.p90 - since), since > span.p90)


def pace(work_done: float, slots: int, window: Millis, *, typical: float) -> float:
    """Return how much of their time slots gave to a line lately, for `Line.pace`: above 0, at most 1.

    It is below 1 where the slots also serve other queues, or stand still between jobs. Little evidence moves it little.

    Args:
        work_done: The durations of the line's attempts that ended in the window, summed, in ms.
        slots: How many slots served.
        window: For how long, in ms, all the while with jobs waiting.
        typical: What an attempt takes, in ms: the window must hold many of them to be believed.
    """
    offered = float(slots) * window
    doubt = 4.0 * max(typical, 1.0) * max(slots, 1)
    return min(1.0, max(_SLOWEST, (work_done + doubt) / (offered + doubt)))


def _spread(durations: Durations, work: Work, line: Line) -> Sketch | None:
    """Return how long attempts take, those that run now considered; None where too little is known."""
    spread = durations.spread(work)
    return spread and completed(spread, [elapsed for kind, elapsed in line.running if kind == work], durations.now)


class _Part(NamedTuple):
    """The jobs of one kind of work that stand before: how many, what each takes, and how well that is known."""

    jobs: float
    slices: tuple[float, ...]
    mean: float
    variance: float
    third: float
    doubt: float
    lean: float

    @classmethod
    def of(cls, spread: Sketch, count: float, samples: float, longest: float, running: int) -> _Part:
        moments = spread.moments
        # The mean of few is uncertain; and one in n + 1 is longer than all that were seen.
        doubts = (
            sqrt(moments.variance / samples) / moments.mean,
            _UNSEEN * longest / moments.mean / samples,
            sqrt(_OPEN) * running / samples,
        )
        deviation = sqrt(moments.variance)
        lean = 2 * moments.third / (deviation**3 * sqrt(samples)) if deviation else 0.0
        return cls(count, spread.slices, *moments, min(_UNSURE, hypot(*doubts)), min(max(lean, 0.0), _MOST_SKEW))

    def speed(self, dice: Dice) -> float:
        """Return how much longer than learned this kind of work takes in one scenario."""
        return max(_FASTEST, 1 + self.doubt * _skewed(dice.of(NORMAL), self.lean))


class _Rest(NamedTuple):
    """What a slot still runs: equally likely rests, how long it ran, and the number of its part (-1: it is free)."""

    left: tuple[float, ...]
    elapsed: Millis
    part: int

    def drawn(self, speeds: Sequence[float], dice: Dice) -> float:
        return dice.of(self.left) * speeds[self.part] if self.part >= 0 else 0.0


_FREE: Final = _Rest((0.0,), 0, -1)


def _starts(
    parts: Sequence[_Part],
    rests: Sequence[_Rest],
    share: float,
    turnover: Turnover | None,
) -> tuple[list[float], list[tuple[Dice, float]]]:
    """Return the start in each scenario, in ms, and with what to go on: the dice, and the speed of the first part."""
    if len(rests) > MOST_SLOTS:
        fewer = MOST_SLOTS / len(rests)
        parts = [part._replace(jobs=part.jobs * fewer) for part in parts]
        turnover = turnover and turnover.part(fewer)
        rests = [rests[n * len(rests) // MOST_SLOTS] for n in range(MOST_SLOTS)]
    slots = len(rests)
    count = sum(part.jobs for part in parts)
    dealt = min(round(count), max(FEWEST_DEALT, ROUNDS * slots))
    last = _last(parts, dealt)
    bulk = [part._replace(jobs=part.jobs - last.count(n)) for n, part in enumerate(parts)] if count > dealt else []
    scenarios = max(FEWEST_SCENARIOS, min(SCENARIOS, _EFFORT // (slots + dealt + 1)))
    age = _age(parts)
    starts: list[float] = []
    thrown: list[tuple[Dice, float]] = []
    for number in range(scenarios):
        dice = Dice(number)
        speeds = [part.speed(dice) for part in parts]
        work = _sum(bulk, speeds, dice) if bulk else 0.0
        jobs = [speeds[n] * dice.of(parts[n].slices) for n in _order(last, dice)]
        if turnover is None:
            free = [rest.drawn(speeds, dice) for rest in rests]
            first, start = min(free), _played(free, work, jobs)
        else:
            taken = [(left, left + rest.elapsed) for rest in rests for left in (rest.drawn(speeds, dice),)]
            staff = Staff(taken, turnover, dice)
            first = staff.first
            staff.fill(work, age)
            start = staff.deal(jobs)
        starts.append(first + (start - first) / share if bulk or dealt else start)
        thrown.append((dice, speeds[0]))
    return starts, thrown


def _played(free: list[float], work: float, jobs: Sequence[float]) -> float:
    """Return when the next job starts on slots that are free at these times, after so much work and these jobs."""
    _fill(free, work)
    heapify(free)
    for took in jobs:
        heapreplace(free, free[0] + took)
    return free[0]


def _age(parts: Sequence[_Part]) -> float:
    """Return for how long the attempt that runs at any one instant has run on average, in ms: what a crash costs."""
    whole = sum(part.jobs * part.mean for part in parts)
    return sum(part.jobs * (part.variance + part.mean**2) for part in parts) / (2 * whole) if whole else 0.0


def _last(parts: Sequence[_Part], dealt: int) -> list[int]:
    """Return so many of the line's jobs as the numbers of their parts, each part in proportion."""
    whole = sum(part.jobs for part in parts) or 1.0
    found: list[int] = []
    so_far = 0.0
    for number, part in enumerate(parts):
        so_far += part.jobs
        found += [number] * (round(dealt * so_far / whole) - len(found))
    return found


def _order(last: list[int], dice: Dice) -> Iterator[int]:
    """Give the last jobs of the line in an order of chance: what is known is how many there are of each kind."""
    rest = list(last)
    for size in range(len(rest), 0, -1):
        at = dice.roll() * size >> 32
        yield rest[at]
        rest[at] = rest[size - 1]


def _sum(bulk: Sequence[_Part], speeds: Sequence[float], dice: Dice) -> float:
    """Return what all jobs of the bulk take together, in ms: one draw from the curve with their moments."""
    mean = sum(part.jobs * part.mean * speed for part, speed in zip(bulk, speeds, strict=True))
    variance = sum(part.jobs * part.variance * speed**2 for part, speed in zip(bulk, speeds, strict=True))
    third = sum(part.jobs * part.third * speed**3 for part, speed in zip(bulk, speeds, strict=True))
    if variance <= 0:
        return mean
    spread, normal = sqrt(variance), dice.of(NORMAL)
    return max(0.0, mean + spread * _skewed(normal, min(third / (variance * spread), _MOST_SKEW)))


def _skewed(normal: float, skew: float) -> float:
    """Return a value of mean 0, variance 1 and so much skew, for one of a standard normal variable."""
    if skew < 0.01:  # noqa: PLR2004 - as good as symmetric
        return normal
    return (max(0.0, 1 + skew * normal / 6 - skew**2 / 36) ** 3 - 1) * 2 / skew


def _fill(free: list[float], work: float) -> None:
    """Pour work into the slots: those that are free first fill up to one level."""
    if work <= 0:
        return
    free.sort()
    level, rest = free[0], work
    for number, until in enumerate(free):
        need = (until - level) * number
        if need >= rest:
            break
        rest -= need
        level = until
    else:
        number = len(free)
    level += rest / number
    for place in range(number):
        free[place] = level


def _whole(slices: Sequence[float], dice: Dice, chance: float, tries: int, pause: Millis) -> float:
    """Return what a job takes from its first start to its end, with the attempts that fail."""
    took = dice.of(slices)
    while tries > 1 and dice.roll() < chance * 2**32:
        took += pause + dice.of(slices)
        tries -= 1
    return took


def _range(values: list[float]) -> Range:
    values.sort()
    return Range(round(values[len(values) // 2]), round(values[len(values) * 9 // 10]))
