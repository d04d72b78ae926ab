"""Policies to try in the simulator: first come first served, turns, fair turns by weight, and warm models first."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Final

from stanchion.domain.estimates import Durations, Ended
from stanchion.domain.fairness import joined, step
from stanchion.domain.units import SECOND
from stanchion.testing.simulator import Choose, Head, Policy, Worker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.units import Instant, Millis

UNKNOWN: Final = 1_000
"""What a job of unknown duration is charged, in ms, until it has ended."""


def fifo(heads: Sequence[Head], worker: Worker, now: Millis) -> Head:  # noqa: ARG001 - a policy's signature
    """Return the oldest of the most urgent jobs."""
    return min(heads, key=lambda head: (head.priority, head.number))


def round_robin() -> Policy:
    """Return the policy that serves the tenants of a priority in turn, one job each."""
    last: defaultdict[tuple[int, str], int] = defaultdict(int)
    served = 0

    def choose(heads: Sequence[Head], _worker: Worker, _now: Millis) -> Head:
        return min(heads, key=lambda head: (head.priority, last[head.priority, head.tenant], head.number))

    def started(head: Head, _now: Millis) -> None:
        nonlocal served
        served += 1
        last[head.priority, head.tenant] = served

    return Policy(choose, started)


def fair(*, by_time: bool = False) -> Policy:
    """Return the policy of Stanchion's own line: by priority, then by the tenant's virtual time; see `domain.fairness`.

    Args:
        by_time: Charge a job what its work takes on average, as learned, and correct that when it has ended; otherwise
            each job counts the same.
    """
    return _Fair(by_time=by_time).policy


class _Fair:
    """The turns of all tenants, by priority."""

    def __init__(self, *, by_time: bool) -> None:
        self.policy = Policy(self.choose, self.started, self.ended)
        self._turns: defaultdict[tuple[int, str], int] = defaultdict(int)
        self._clocks: defaultdict[int, int] = defaultdict(int)
        self._present: set[tuple[int, str]] = set()
        self._charged: dict[int, int] = {}
        self._by_time = by_time
        self._durations = Durations()
        self._now: Instant = 0

    def choose(self, heads: Sequence[Head], _worker: Worker, now: Millis) -> Head:
        self._now = now
        for head in heads:
            who = head.priority, head.tenant
            if who not in self._present:
                self._present.add(who)
                self._turns[who] = joined(self._turns[who], self._clocks[head.priority])
        return min(heads, key=lambda head: (head.priority, self._turns[head.priority, head.tenant], head.number))

    def started(self, head: Head, now: Millis) -> None:
        who = head.priority, head.tenant
        self._now = now
        self._clocks[head.priority] = max(self._clocks[head.priority], self._turns[who])
        self._charged[head.number] = self._charge(head)
        self._turns[who] += step(head.weight, self._charged[head.number])
        if head.waiting == 1:
            self._present.discard(who)

    def ended(self, head: Head, took: Millis) -> None:
        charged = self._charged.pop(head.number)
        if self._by_time:
            self._turns[head.priority, head.tenant] += step(head.weight, took) - step(head.weight, charged)
            self._durations = self._durations.learned([Ended(head.work, took)], self._now)

    def _charge(self, head: Head) -> int:
        if not self._by_time:
            return 1
        known = self._durations.charge(head.work)
        return UNKNOWN if known is None else max(1, round(known))


def affine(base: Policy | Choose, *, most: int = 8, longest: Millis = 30 * SECOND) -> Policy:
    """Return a policy that prefers jobs whose model a worker has loaded, within bounds.

    Args:
        base: Whose turn it is without regard to models.
        most: No job is passed over more often, by jobs that came later.
        longest: Nor once it was first passed over so many ms ago.
    """
    return _Affine(base if isinstance(base, Policy) else Policy(base), most, longest).policy


class _Affine:
    """Who was passed over, by lane: the jobs that went past its first one, and when."""

    def __init__(self, base: Policy, most: int, longest: Millis) -> None:
        self.policy = Policy(self.choose, self.started, base.ended)
        self._base, self._most, self._longest = base, most, longest
        self._passes: defaultdict[tuple[int, str, str], deque[tuple[int, Millis]]] = defaultdict(deque)
        self._passing: list[Head] = []

    def choose(self, heads: Sequence[Head], worker: Worker, now: Millis) -> Head:
        rest, passed = list(heads), list[Head]()
        self._passing = []
        while rest:
            pick = self._base.choose(rest, worker, now)
            if worker.model in {None, pick.model}:
                break
            passed.append(pick)
            rest.remove(pick)
        else:
            return passed[0]
        if any(self._spent(head, now) for head in passed):
            return passed[0]
        self._passing = passed
        return pick

    def started(self, head: Head, now: Millis) -> None:
        for other in self._passing:
            self._passes[other.lane].append((head.number, now))
        self._passing = []
        self._base.started(head, now)

    def _spent(self, head: Head, now: Millis) -> bool:
        """Return whether a job was passed over often or long enough."""
        past = [when for number, when in self._passes[head.lane] if number > head.number]
        self._passes[head.lane] = deque(
            (number, when) for number, when in self._passes[head.lane] if number > head.number
        )
        return len(past) >= self._most or (bool(past) and now - past[0] >= self._longest)
