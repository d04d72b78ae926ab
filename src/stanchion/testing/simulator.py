"""A queue in virtual time: jobs arrive, a policy says which goes next, workers serve. Hours pass in milliseconds.

A policy is a plain function: it is shown the first job of each lane and says which starts on a worker that is free.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from stanchion.domain.turnover import Life

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from stanchion.domain.estimates import Work
    from stanchion.domain.units import Millis
    from stanchion.testing.load import Request, Turn

RESCUE: Final[Millis] = 1_000
"""So long after a crash the job of the dead worker is back in line."""


class Head(NamedTuple):
    """The first job of a lane, as a policy may see it.

    Attributes:
        number: Its place in the order of arrival.
        at: When it arrived.
        tenant: Whose it is.
        weight: The tenant's weight.
        priority: 0 is the most urgent.
        work: Its task and size.
        model: What must be loaded to run it.
        waiting: How many jobs of this tenant and priority wait, this one included.
    """

    number: int
    at: Millis
    tenant: str
    weight: int
    priority: int
    work: Work
    model: str
    waiting: int

    @property
    def lane(self) -> tuple[int, str, str]:
        """What it shares with the jobs behind it: priority, tenant and model."""
        return self.priority, self.tenant, self.model


@dataclass(slots=True, eq=False)
class Worker:
    """A worker of one slot, as a policy may see it; `model` is what it has loaded."""

    number: int
    model: str | None = None
    job: int | None = None
    began: Millis = 0
    leaving: bool = False
    attempt: int = 0


Choose: TypeAlias = "Callable[[Sequence[Head], Worker, Millis], Head]"
"""From the first jobs of all lanes, a free worker and the time: the job that starts on it."""


def _nothing(_head: Head, _ms: Millis) -> None:
    """Take no note."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A choice, and what it wants to be told.

    Attributes:
        choose: Which job starts.
        started: Told of each start, and when.
        ended: Told of each end, and how long the attempt took.
    """

    choose: Choose
    started: Callable[[Head, Millis], None] = _nothing
    ended: Callable[[Head, Millis], None] = _nothing


@dataclass(slots=True, eq=False)
class Served:
    """A job, and what became of it.

    Attributes:
        number: Its place in the order of arrival.
        request: What was asked for.
        started: When its first attempt began; -1 before.
        ended: When it was done; -1 before.
        attempts: How many attempts began.
        overtaken: How many jobs that came later started before it.
    """

    number: int
    request: Request
    started: Millis = -1
    ended: Millis = -1
    attempts: int = 0
    overtaken: int = 0


@dataclass(slots=True)
class Report:
    """What happened: all jobs in the order of arrival, those ended in the order of their end, and the model swaps."""

    jobs: list[Served]
    ended: list[Served] = field(default_factory=list["Served"])
    swaps: int = 0
    clock: Millis = 0


class Simulation:
    """One run.

    Args:
        requests: The jobs to come.
        turns: When workers come and go.
        policy: Which job goes next: a function, or a `Policy`.
        swap: What it takes to load another model, in ms.
        arriving: Called when a job joins the line, before anything starts.
        ending: Called when a job has ended, with how long its attempt took.
    """

    def __init__(  # noqa: PLR0913 - what one run is made of
        self,
        requests: Iterable[Request],
        turns: Iterable[Turn],
        policy: Policy | Choose,
        *,
        swap: Millis = 0,
        arriving: Callable[[Simulation, Served], None] | None = None,
        ending: Callable[[Simulation, Served, Millis], None] | None = None,
    ) -> None:
        self.policy = policy if isinstance(policy, Policy) else Policy(policy)
        self.report = Report(
            [Served(n, request) for n, request in enumerate(sorted(requests, key=lambda request: request.at))]
        )
        self.now: Millis = 0
        self.waiting: Counter[Work] = Counter()
        self._swap, self._arriving, self._ending = swap, arriving, ending
        self._lanes: dict[tuple[int, str, str], deque[int]] = {}
        self._lines: Counter[tuple[int, str]] = Counter()
        self._workers: dict[int, Worker] = {}
        self._came: dict[int, Millis] = {}
        self._gone: list[tuple[Millis, Millis, bool]] = []
        self._serial = count()
        self._events: list[tuple[Millis, int, Callable[[], None]]] = []
        self._begun = _Ranks(len(self.report.jobs))
        for turn in turns:
            self._later(turn.at, self._turned, turn)
        for job in self.report.jobs:
            self._later(job.request.at, self._arrived, job)

    @property
    def running(self) -> list[tuple[Work, Millis]]:
        """The attempts that run on workers that stay: the kind of work, and for how many ms each runs."""
        return [
            (self.report.jobs[worker.job].request.work, self.now - worker.began)
            for worker in self._workers.values()
            if worker.job is not None and not worker.leaving
        ]

    @property
    def slots(self) -> int:
        """How many workers are there and stay."""
        return sum(not worker.leaving for worker in self._workers.values())

    @property
    def lives(self) -> list[Life]:
        """The workers that are there and those that were, as a registry knows them."""
        gone = [Life(self.now - came, self.now - went, lost) for came, went, lost in self._gone]
        return gone + [Life(self.now - came) for came in self._came.values()]

    def run(self, ends: int | None = None) -> Report:
        """Play until all jobs have ended, or so many; return what happened."""
        wanted = len(self.report.jobs) if ends is None else ends
        while self._events and len(self.report.ended) < wanted:
            self.now, _, call = heappop(self._events)
            call()
            if not self._events or self._events[0][0] > self.now:
                self._deal()
        self.report.clock = self.now
        return self.report

    def _later(self, at: Millis, call: Callable[..., None], *given: object) -> None:
        heappush(self._events, (at, next(self._serial), lambda: call(*given)))

    def _arrived(self, job: Served) -> None:
        if self._arriving is not None:
            self._arriving(self, job)
        self._join(job)

    def _join(self, job: Served) -> None:
        request = job.request
        lane = self._lanes.setdefault((request.priority, request.tenant, request.model), deque())
        lane.append(job.number)
        if len(lane) > 1 and lane[-2] > job.number:  # a job that was rescued goes back to its old place
            ordered = sorted(lane)
            lane.clear()
            lane.extend(ordered)
        self._lines[request.priority, request.tenant] += 1
        self.waiting[request.work] += 1

    def _deal(self) -> None:
        for worker in sorted(self._workers.values(), key=lambda worker: worker.number):
            if worker.job is None and not worker.leaving:
                heads = self._heads()
                if not heads:
                    return
                head = self.policy.choose(heads, worker, self.now)
                self._start(head, worker)

    def _heads(self) -> list[Head]:
        return [self._head(self.report.jobs[lane[0]]) for lane in self._lanes.values() if lane]

    def _head(self, job: Served) -> Head:
        at, tenant, weight, priority, work, model, _ = job.request
        return Head(job.number, at, tenant, weight, priority, work, model, self._lines[priority, tenant])

    def _start(self, head: Head, worker: Worker) -> None:
        job = self.report.jobs[head.number]
        self._lanes[head.lane].popleft()
        self._lines[head.priority, head.tenant] -= 1
        self.waiting[head.work] -= 1
        if job.attempts == 0:
            job.started, job.overtaken = self.now, self._begun.above(job.number)
            self._begun.add(job.number)
        job.attempts += 1
        self.policy.started(head, self.now)
        loading = worker.model is not None and worker.model != head.model
        self.report.swaps += loading
        worker.model, worker.job, worker.began = head.model, job.number, self.now
        worker.attempt += 1
        takes = job.request.takes + (self._swap if loading else 0)
        self._later(self.now + takes, self._ended, worker, worker.attempt, head)

    def _ended(self, worker: Worker, attempt: int, head: Head) -> None:
        if worker.attempt != attempt:
            return  # it died before
        job = self.report.jobs[head.number]
        took = self.now - worker.began
        job.ended, worker.job = self.now, None
        self.report.ended.append(job)
        if worker.leaving:
            self._workers.pop(worker.number, None)
        self.policy.ended(head, took)
        if self._ending is not None:
            self._ending(self, job, took)

    def _turned(self, turn: Turn) -> None:
        worker = self._workers.get(turn.worker)
        if turn.event == "up":
            self._came.setdefault(turn.worker, self.now)
            # One that has not finished its last job yet simply stays.
            if worker is None:
                self._workers[turn.worker] = Worker(turn.worker)
            else:
                worker.leaving = False
            return
        if turn.worker in self._came:
            self._gone.append((self._came.pop(turn.worker), self.now, turn.event == "crash"))
        if worker is not None and (turn.event == "crash" or worker.job is None):
            del self._workers[turn.worker]
            if worker.job is not None:
                worker.attempt += 1
                self._later(self.now + RESCUE, self._join, self.report.jobs[worker.job])
        elif worker is not None:
            worker.leaving = True


class _Ranks:
    """Counts how many of the numbers added lie above one, in O(log n).

    Source:
        Fenwick, A new data structure for cumulative frequency tables, 1994.
    """

    def __init__(self, size: int) -> None:
        self._sums = [0] * (size + 1)
        self._all = 0

    def add(self, number: int) -> None:
        self._all += 1
        at = number + 1
        while at < len(self._sums):
            self._sums[at] += 1
            at += at & -at

    def above(self, number: int) -> int:
        at, below = number + 1, 0
        while at:
            below += self._sums[at]
            at -= at & -at
        return self._all - below


def simulate(
    requests: Iterable[Request],
    turns: Iterable[Turn],
    policy: Policy | Choose,
    *,
    swap: Millis = 0,
    ends: int | None = None,
) -> Report:
    """Return what happens when these jobs meet these workers under a policy; see `Simulation`."""
    return Simulation(requests, turns, policy, swap=swap).run(ends)
