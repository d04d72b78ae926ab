"""The time left of many jobs at once, from what waits, what runs and who serves.

How many jobs stand before a job is exact (its position); which kinds they are is told by the kinds that wait in its
queue, in their proportion. Jobs that differ in their position alone share a reckoning: it is done at a few positions,
and those between lie on a line. So the cost depends neither on how many jobs wait nor on how many are asked for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.estimates import Range
from stanchion.domain.eta import MOST_SLOTS, Eta, Line, eta
from stanchion.domain.turnover import Life, turnover

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stanchion.domain.estimates import Durations, Work
    from stanchion.domain.units import JobId, Millis

MOST: Final = 16
"""So many reckonings at most for one answer; jobs of further kinds have no estimate in it."""
KNOTS: Final = 4
"""Jobs that differ in their position alone are reckoned at so many positions."""
MOST_GONE: Final = 256
"""So many workers that ended lately are told at most, the latest."""
_NOW: Final = Range(0, 0)


class Asked(NamedTuple):
    """A job whose time left is asked for.

    Attributes:
        work: What it is.
        queue: Where it waits.
        priority: How urgent it is; less is sooner.
        attempts: How many attempts it may still make.
        elapsed: For how many ms it runs; None while it waits.
    """

    work: Work
    queue: str
    priority: int
    attempts: int
    elapsed: Millis | None = None


class Kind(NamedTuple):
    """Jobs of a queue that wait and may start: how urgent, what they are, and about how many."""

    priority: int
    work: Work
    jobs: float


class Serving(NamedTuple):
    """A living worker: its slots, queues (None: all) and tasks, what runs for how many ms, and how long ago it came."""

    slots: int
    queues: tuple[str, ...] | None
    tasks: frozenset[str]
    running: tuple[tuple[Work, Millis], ...] = ()
    came: Millis = 0

    def serves(self, queue: str, task: str) -> bool:
        """Return whether it takes jobs of a task from a queue."""
        return task in self.tasks and (self.queues is None or queue in self.queues)


class Gone(NamedTuple):
    """A worker that ended lately: its queues (None: all) and tasks, and its time."""

    queues: tuple[str, ...] | None
    tasks: frozenset[str]
    life: Life

    def served(self, queue: str, task: str) -> bool:
        """Return whether it took jobs of a task from a queue."""
        return task in self.tasks and (self.queues is None or queue in self.queues)


class Outlook(NamedTuple):
    """What is needed to tell the time left of some jobs: the jobs, what waits, who works, and who did lately."""

    jobs: Mapping[JobId, Asked]
    waiting: Mapping[str, tuple[Kind, ...]]
    workers: tuple[Serving, ...]
    gone: tuple[Gone, ...] = ()


def forecast(outlook: Outlook, positions: Mapping[JobId, int], durations: Durations) -> dict[JobId, Eta]:
    """Return when jobs will start and end; those of which it cannot be said are left out.

    Args:
        outlook: As the store read it.
        positions: Where the jobs stand: 0 runs, 1 starts next. A job that is not named here is left out.
        durations: What was learned.
    """
    found: dict[JobId, Eta] = {}
    groups: defaultdict[Asked, list[tuple[int, JobId]]] = defaultdict(list)
    for job_id, position in positions.items():
        asked = outlook.jobs.get(job_id)
        if asked is None:
            continue
        if asked.elapsed is not None:
            running = _running(asked, asked.elapsed, durations)
            if running is not None:
                found[job_id] = running
        elif position > 0:
            groups[asked].append((position, job_id))
    knots = max(1, min(KNOTS, MOST // max(len(groups), 1)))
    for asked, standing in list(groups.items())[:MOST]:
        found |= _group(outlook, asked, standing, knots, durations)
    return found


def _running(asked: Asked, elapsed: Millis, durations: Durations) -> Eta | None:
    rest, whole = durations.remaining(asked.work, elapsed), durations.estimate(asked.work)
    return None if rest is None or whole is None else Eta(_NOW, rest, late=elapsed > whole.p90)


def _group(
    outlook: Outlook, asked: Asked, standing: list[tuple[int, JobId]], knots: int, durations: Durations
) -> dict[JobId, Eta]:
    """Return the time left of jobs that differ in their position alone."""
    workers = [worker for worker in outlook.workers if worker.serves(asked.queue, asked.work.task)]
    gone = [worker.life for worker in outlook.gone if worker.served(asked.queue, asked.work.task)]
    kinds = outlook.waiting.get(asked.queue, ())
    known: list[tuple[int, Eta]] = []
    for position in _spaced(sorted({position for position, _ in standing}), knots):
        line = _line(workers, gone, _ahead(kinds, asked.priority, position - 1))
        when = eta(asked.work, line, durations, attempts=asked.attempts)
        if when is None:
            return {}
        known.append((position, when))
    return {job_id: _between(known, position) for position, job_id in standing}


def _spaced(values: Sequence[int], count: int) -> list[int]:
    """Return the first and the last of some values and others between, at most `count`; the middle one for 1."""
    if len(values) <= count:
        return list(values)
    if count == 1:
        return [values[len(values) // 2]]
    return [values[step * (len(values) - 1) // (count - 1)] for step in range(count)]


def _between(known: Sequence[tuple[int, Eta]], position: int) -> Eta:
    """Return what lies at a position, on the line between the two reckoned ones around it."""
    for (low, before), (high, after) in pairwise(known):
        if low <= position <= high:
            share = (position - low) / (high - low)
            return Eta(
                _mixed(before.starts_in, after.starts_in, share), _mixed(before.finishes_in, after.finishes_in, share)
            )
    return known[0][1]


def _mixed(one: Range, other: Range, share: float) -> Range:
    return Range(*(round(a + (b - a) * share) for a, b in zip(one, other, strict=True)))


def _ahead(kinds: Iterable[Kind], priority: int, count: int) -> dict[Work, int]:
    """Return what stands before a job: all that is more urgent, and its equals in proportion, `count` in all."""
    sooner = [kind for kind in kinds if kind.priority < priority and kind.jobs > 0]
    equals = [kind for kind in kinds if kind.priority == priority and kind.jobs > 0]
    above = min(sum(kind.jobs for kind in sooner), float(count)) if equals else float(count)
    ahead = Counter(_dealt(sooner, round(above)))
    ahead.update(_dealt(equals, count - (round(above) if sooner else 0)))
    return dict(ahead)


def _dealt(kinds: Sequence[Kind], count: int) -> dict[Work, int]:
    """Return so many jobs as kinds of work, in proportion."""
    whole = sum(kind.jobs for kind in kinds)
    dealt: Counter[Work] = Counter()
    so_far, given = 0.0, 0
    for kind in kinds:
        so_far += kind.jobs
        upto = round(count * so_far / whole)
        dealt[kind.work] += upto - given
        given = upto
    return dealt


def _line(workers: Sequence[Serving], gone: Sequence[Life], ahead: dict[Work, int]) -> Line:
    """Return the line; one that very many slots serve is told as a smaller one of the same pace."""
    running = [item for worker in workers for item in worker.running]
    slots = max(sum(worker.slots for worker in workers), len(running))
    together = slots / len(workers) if workers else 1.0
    moves = turnover([*gone, *(Life(worker.came) for worker in workers)], together)
    if slots <= MOST_SLOTS:
        return Line(ahead, running, slots, turnover=moves)
    fewer = MOST_SLOTS / slots
    kept = round(len(running) * fewer)
    kinds = [Kind(0, work, jobs) for work, jobs in ahead.items()]
    less = _dealt(kinds, round(sum(ahead.values()) * fewer))
    some = [running[step * len(running) // kept] for step in range(kept)]
    return Line(less, some, MOST_SLOTS, turnover=moves and moves.part(fewer))
