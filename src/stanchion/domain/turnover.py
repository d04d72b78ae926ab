"""How workers come and go, learned from those that came and went lately; and places that stand empty for a time.

A worker that goes leaves a place; one that comes takes an empty place, or makes one more if there was none. How often
workers go, which of them die with their jobs, and how soon a place is taken again give what a line may count on: not
the slots of this moment, but those of the time until a job's turn.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush, heapreplace
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.units import HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stanchion.domain.dice import Dice
    from stanchion.domain.units import Millis

WINDOW: Final[Millis] = HOUR
"""Workers that ended longer ago say nothing any more."""
_HALF: Final = 0.5
"""What Jeffreys' prior adds to a count: as if half an event more had been seen."""


_MANY: Final = 300
"""So many stays are played in a scenario; who comes then stays."""


class Life(NamedTuple):
    """A worker's time: how many ms ago it came, and went (None: it is there), and whether it fell silent."""

    came: Millis
    went: Millis | None = None
    lost: bool = False


class Turnover(NamedTuple):
    """How workers come and go.

    Attributes:
        served: The times of all workers in the window, summed, in ms.
        ends: How many went.
        losses: How many of these died with what they ran.
        empty: The times that places stood empty, summed, in ms.
        returns: How many empty places were taken again.
        vacant: How many places are empty now.
        together: How many slots a worker has: they go together.
    """

    served: float
    ends: int
    losses: int
    empty: float
    returns: int
    vacant: int
    together: float = 1.0

    def part(self, share: float) -> Turnover:
        """Return what a share of the slots knows: fewer empty places, the same rates."""
        return self._replace(vacant=round(self.vacant * share), together=max(1.0, self.together * share))


def turnover(lives: Iterable[Life], together: float = 1.0) -> Turnover | None:
    """Return how workers come and go; None where none went within the window."""
    seen = [life for life in lives if life.went is None or life.went <= WINDOW]
    ends = [life.went for life in seen if life.went is not None]
    if not ends:
        return None
    turns = sorted([*((-min(life.came, WINDOW), 1) for life in seen), *((-went, -1) for went in ends)])
    there = most = returns = 0
    served = empty = 0.0
    last = turns[0][0]
    for at, turn in turns:
        served += there * (at - last)
        empty += (most - there) * (at - last)
        last = at
        returns += turn > 0 and there < most
        there += turn
        most = max(most, there)
    served -= there * last
    empty -= (most - there) * last
    losses = sum(life.lost for life in seen if life.went is not None)
    return Turnover(served, len(ends), losses, empty, returns, most - there, together)


class Rates(NamedTuple):
    """One guess at the truth: how often a worker goes and a place is taken, per ms, and the share that dies."""

    going: float
    coming: float
    dying: float

    @classmethod
    def drawn(cls, known: Turnover, dice: Dice) -> Rates:
        """Return a guess that what was seen leaves open."""
        going = dice.gamma(known.ends + _HALF) / (known.served + _HALF * MINUTE)
        coming = dice.gamma(known.returns + _HALF) / (known.empty + _HALF * MINUTE)
        died, left = dice.gamma(known.losses + _HALF), dice.gamma(known.ends - known.losses + _HALF)
        return cls(going, coming, died / max(died + left, 1e-12))


class _Stay(NamedTuple):
    """From when until when a place is taken, in ms from now, and whether what runs at its end is lost."""

    start: float
    end: float
    dies: bool


class Staff:
    """The slots of one scenario, whose workers come and go as the rates say.

    Args:
        running: For each slot, for how long it is still taken by what it runs, and what that takes anew, in ms.
        known: How workers come and go.
        dice: The chance of this scenario.
    """

    def __init__(self, running: Sequence[tuple[float, float]], known: Turnover, dice: Dice) -> None:
        self._dice, self._rates = dice, Rates.drawn(known, dice)
        self._lost: list[tuple[float, float]] = []
        self._drawn = 0
        together = max(1, round(known.together))
        workers = -(-len(running) // together)
        self._stays = [[self._stay(0.0)] for _ in range(workers)]
        self._stays += [[self._stay(dice.wait(self._rates.coming))] for _ in range(known.vacant)]
        self._worker = [slot // together for slot in range(len(running))]
        self._worker += [workers + place for place in range(known.vacant) for _ in range(together)]
        self._free = [self._done(slot, 0.0, rest, anew) for slot, (rest, anew) in enumerate(running)]
        self._free += [self._open(slot, 0.0) for slot in range(len(running), len(self._worker))]

    @property
    def first(self) -> float:
        """When the first slot is free."""
        return min(self._free)

    def fill(self, work: float, age: float) -> None:
        """Pour work into the slots, those that are free first up to one level; a worker that dies loses `age` of it.

        Attempts that were lost already belong to the work.
        """
        work += sum(took for _, took in self._lost)
        self._lost = []
        starts = [(free, slot) for slot, free in enumerate(self._free)]
        heapify(starts)
        ends: list[tuple[float, int, bool]] = []
        level, turns = starts[0][0], 0
        while work > 0:
            upcoming = min(starts[0][0] if starts else inf, ends[0][0] if ends else inf)
            done = len(ends) * (upcoming - level) if ends else 0.0
            if done >= work or turns > _MANY:
                level += work / max(len(ends), 1)
                break
            work, level, turns = work - done, upcoming, turns + 1
            if starts and starts[0][0] <= level:
                _, slot = heappop(starts)
                stay = self._stay_of(slot, level)
                heappush(ends, (stay.end, slot, stay.dies))
            else:
                end, slot, dies = heappop(ends)
                work += age if dies else 0.0
                heappush(starts, (self._open(slot, end), slot))
        for _, slot, _ in ends:
            self._free[slot] = self._open(slot, level)
        for start, slot in starts:
            self._free[slot] = self._open(slot, max(start, level))

    def deal(self, jobs: Iterable[float]) -> float:
        """Give each job in turn to the slot that is free first; return when the next one would start."""
        free = [(at, slot) for slot, at in enumerate(self._free)]
        heapify(free)
        for took in jobs:
            self._rerun(free)
            self._run(free, took)
        self._rerun(free)
        return free[0][0]

    def _rerun(self, free: list[tuple[float, int]]) -> None:
        """Run again what was lost before the next slot is free: it goes first."""
        while self._lost and self._lost[0][0] <= free[0][0]:
            self._run(free, heappop(self._lost)[1])

    def _run(self, free: list[tuple[float, int]], took: float) -> None:
        at, slot = free[0]
        heapreplace(free, (self._done(slot, at, took, took), slot))

    def _done(self, slot: int, at: float, took: float, anew: float) -> float:
        """Return when a slot is free again after an attempt; note what is lost."""
        stay = self._stay_of(slot, at)
        if at + took <= stay.end:
            return at + took
        if stay.dies:
            heappush(self._lost, (stay.end, anew))
            return self._open(slot, stay.end)
        return self._open(slot, at + took)

    def _open(self, slot: int, at: float) -> float:
        """Return when a slot that has nothing to do from an instant on has a worker."""
        return max(at, self._stay_of(slot, at).start)

    def _stay_of(self, slot: int, at: float) -> _Stay:
        """Return the stay at an instant, or else the next one."""
        stays = self._stays[self._worker[slot]]
        while stays[-1].end <= at:
            stays.append(self._stay(stays[-1].end + self._dice.wait(self._rates.coming)))
        number = len(stays) - 1
        while number and stays[number - 1].end > at:
            number -= 1
        return stays[number]

    def _stay(self, start: float) -> _Stay:
        self._drawn += 1
        if self._drawn > _MANY:
            return _Stay(start, inf, dies=False)
        rates = self._rates
        return _Stay(start, start + self._dice.wait(rates.going), self._dice.share() < rates.dying)
