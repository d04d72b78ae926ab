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

from heapq import heapify, heapreplace
from math import exp, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.estimates import Range, rest_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stanchion.domain.estimates import Durations, Work
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
_MANY_TRIES: Final = 20
_NORMAL: Final = tuple(NormalDist().inv_cdf((n + 0.5) / 1024) for n in range(1024))


class Line(NamedTuple):
    """What stands between a job and its start.

    Attributes:
        ahead: How many jobs of each kind of work start before it.
        running: The attempts on the slots that serve the line: the kind of work, and for how many ms each runs.
        slots: How many slots serve the line, those of `running` included.
        pace: How much of their time the slots give to this line, 1 for all; see `pace`.
    """

    ahead: Mapping[Work, int]
    running: Sequence[tuple[Work, Millis]]
    slots: int
    pace: float = 1.0


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
    own = durations.spread(work)
    if slots < 1 or own is None:
        return None
    ahead = [_Part.of(durations, kind, count) for kind, count in line.ahead.items() if count > 0]
    running = [(durations.spread(kind), elapsed) for kind, elapsed in line.running]
    if any(part is None for part in ahead) or any(spread is None for spread, _ in running):
        return None
    rests = [rest_of(spread, elapsed) for spread, elapsed in running if spread is not None]
    rests += [(0.0,)] * (slots - len(rests))
    known = [part for part in ahead if part is not None]
    starts, draws = _starts(known, rests, max(line.pace, _SLOWEST))
    chance, tries = durations.failing(work), min(max(attempts, 1), _MANY_TRIES)
    ends = [start + _whole(own.slices, draw, chance, tries, pause) for start, draw in zip(starts, draws, strict=True)]
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


class _Part(NamedTuple):
    """The jobs of one kind of work that stand before: how many, what each takes, and how well that is known."""

    jobs: float
    slices: tuple[float, ...]
    mean: float
    variance: float
    third: float
    doubt: float

    @classmethod
    def of(cls, durations: Durations, work: Work, count: float) -> _Part | None:
        spread = durations.spread(work)
        if spread is None:
            return None
        moments = spread.moments
        samples = max(spread.weight(durations.now), 1.0)
        doubt = min(_UNSURE, sqrt(moments.variance / samples) / moments.mean)
        return cls(count, spread.slices, *moments, doubt)


class _Dice:
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


def _starts(
    parts: Sequence[_Part], rests: Sequence[tuple[float, ...]], share: float
) -> tuple[list[float], list[_Dice]]:
    """Return the start in each scenario, in ms, and the dice to go on with."""
    if len(rests) > MOST_SLOTS:
        fewer = MOST_SLOTS / len(rests)
        parts = [part._replace(jobs=part.jobs * fewer) for part in parts]
        rests = [rests[n * len(rests) // MOST_SLOTS] for n in range(MOST_SLOTS)]
    slots = len(rests)
    count = sum(part.jobs for part in parts)
    dealt = min(round(count), max(FEWEST_DEALT, ROUNDS * slots))
    last = _last(parts, dealt)
    bulk = [part._replace(jobs=part.jobs - last.count(n)) for n, part in enumerate(parts)] if count > dealt else []
    scenarios = max(FEWEST_SCENARIOS, min(SCENARIOS, _EFFORT // (slots + dealt + 1)))
    starts: list[float] = []
    thrown: list[_Dice] = []
    for number in range(scenarios):
        dice = _Dice(number)
        speeds = [exp(part.doubt * dice.of(_NORMAL) - part.doubt**2 / 2) for part in parts]
        free = [dice.of(rest) for rest in rests]
        first = min(free)
        if bulk:
            _fill(free, _sum(bulk, speeds, dice))
        heapify(free)
        for n in _order(last, dice):
            heapreplace(free, free[0] + speeds[n] * dice.of(parts[n].slices))
        starts.append(first + (free[0] - first) / share if bulk or dealt else first)
        thrown.append(dice)
    return starts, thrown


def _last(parts: Sequence[_Part], dealt: int) -> list[int]:
    """Return so many of the line's jobs as the numbers of their parts, each part in proportion."""
    whole = sum(part.jobs for part in parts)
    found: list[int] = []
    so_far = 0.0
    for number, part in enumerate(parts):
        so_far += part.jobs
        found += [number] * (round(dealt * so_far / whole) - len(found))
    return found


def _order(last: list[int], dice: _Dice) -> Iterator[int]:
    """Give the last jobs of the line in an order of chance: what is known is how many there are of each kind."""
    rest = list(last)
    for size in range(len(rest), 0, -1):
        at = dice.roll() * size >> 32
        yield rest[at]
        rest[at] = rest[size - 1]


def _sum(bulk: Sequence[_Part], speeds: Sequence[float], dice: _Dice) -> float:
    """Return what all jobs of the bulk take together, in ms: one draw from the curve with their moments."""
    mean = sum(part.jobs * part.mean * speed for part, speed in zip(bulk, speeds, strict=True))
    variance = sum(part.jobs * part.variance * speed**2 for part, speed in zip(bulk, speeds, strict=True))
    third = sum(part.jobs * part.third * speed**3 for part, speed in zip(bulk, speeds, strict=True))
    if variance <= 0:
        return mean
    spread, normal = sqrt(variance), dice.of(_NORMAL)
    skew = min(third / (variance * spread), 4.0)
    if skew < 0.01:  # noqa: PLR2004 - as good as symmetric
        return max(0.0, mean + spread * normal)
    cube = max(0.0, 1 + skew * normal / 6 - skew**2 / 36) ** 3
    return max(0.0, mean + spread * (cube - 1) * 2 / skew)


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


def _whole(slices: Sequence[float], dice: _Dice, chance: float, tries: int, pause: Millis) -> float:
    """Return what a job takes from its first start to its end, with the attempts that fail."""
    took = dice.of(slices)
    while tries > 1 and dice.roll() < chance * 2**32:
        took += pause + dice.of(slices)
        tries -= 1
    return took


def _range(values: list[float]) -> Range:
    values.sort()
    return Range(round(values[len(values) // 2]), round(values[len(values) * 9 // 10]))
