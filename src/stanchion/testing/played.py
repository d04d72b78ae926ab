"""A real store in virtual time: jobs arrive, workers of one slot claim, and the store's own line says which starts."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.affinity import Warm
from stanchion.domain.ids import uuid7
from stanchion.domain.job import NewJob
from stanchion.domain.outcome import Completed, settle
from stanchion.domain.policy import TenantPolicy
from stanchion.domain.retry import RetryPolicy
from stanchion.domain.units import DAY
from stanchion.store import Want, WorkerInfo
from stanchion.stores.memory import MemoryStore
from stanchion.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from stanchion.domain.job import Lease
    from stanchion.domain.outcome import Settlement
    from stanchion.domain.units import Instant, Millis
    from stanchion.store import Store
    from stanchion.testing.load import Request

BEGINNING: Final[Instant] = 1_800_000_000_000
TASK: Final = "generate"


@dataclass
class Clock:
    """The store's clock, moved by hand."""

    at: Instant = BEGINNING

    def __call__(self) -> Instant:
        """Return the instant."""
        return self.at


class Start(NamedTuple):
    """A job that started: its number in the order of arrival, when in ms, on which worker, and whether it swapped."""

    number: int
    at: Millis
    worker: int
    swapped: bool


@dataclass(slots=True)
class Run:
    """What became of a load: the starts in their order, and when all had ended."""

    requests: Sequence[Request]
    starts: list[Start] = field(default_factory=list[Start])
    clock: Millis = 0

    @property
    def swaps(self) -> int:
        """How often a worker loaded another model; its first one does not count."""
        return sum(start.swapped for start in self.starts)

    def most_overtaken(self) -> int:
        """Return by how many of its tenant's later jobs of its priority the unluckiest job was overtaken."""
        worst = 0
        lines: dict[tuple[str, int], list[int]] = {}
        for start in self.starts:
            request = self.requests[start.number]
            lines.setdefault((request.tenant, request.priority), []).append(start.number)
        for line in lines.values():
            for place, number in enumerate(line):
                worst = max(worst, sum(other > number for other in line[:place]))
        return worst

    def waits(self) -> list[Millis]:
        """Return how long the jobs waited, in ms."""
        return [start.at - self.requests[start.number].at for start in self.starts]


@contextmanager
def stores(kind: str, clock: Clock) -> Generator[Store]:
    """Give a store of a kind that runs by a clock; what it keeps is gone afterwards.

    Raises:
        ValueError: There is no such kind.
    """
    if kind == "memory":
        yield MemoryStore(clock)
    elif kind == "sqlite":
        with TemporaryDirectory(prefix="stanchion-") as folder:
            yield SqliteStore(Path(folder) / "played.db", clock=clock, synchronous="off", ballast=0)
    else:
        message = f"no store {kind!r} can be played in virtual time; memory and sqlite can"
        raise ValueError(message)


async def play(  # noqa: PLR0913 - what one run is made of
    store: Store,
    clock: Clock,
    requests: Sequence[Request],
    *,
    workers: int = 1,
    swap: Millis = 0,
    affinity_jobs: int | None = None,
) -> Run:
    """Play a load on a store that runs by a clock, and return what happened.

    Args:
        store: A fresh store; it is opened and closed here.
        clock: Its clock.
        requests: The jobs to come, in the order of their arrival; their model and priority are what the line sees.
        workers: How many workers of one slot there are, each with room for one model.
        swap: What it takes to load another model, in ms.
        affinity_jobs: The queue's bound; 0 switches affinity off; None leaves the default.
    """
    await store.open()
    try:
        return await _Play(store, clock, requests, swap).run(workers, affinity_jobs)
    finally:
        await store.close()


class _Play:
    def __init__(self, store: Store, clock: Clock, requests: Sequence[Request], swap: Millis) -> None:
        self._store, self._clock, self._swap = store, clock, swap
        self._run = Run(requests)
        self._numbers: dict[str, int] = {}
        self._events: list[tuple[Millis, int, int]] = []
        self._warm: dict[int, Warm] = {}
        self._free: list[int] = []
        self._ended: list[Settlement] = []
        self._serial = count()
        self._held: dict[int, Lease] = {}

    async def run(self, workers: int, affinity_jobs: int | None) -> Run:
        await self._store.configure("default", affinity_jobs=affinity_jobs)
        for tenant, weight in {one.tenant: one.weight for one in self._run.requests}.items():
            await self._store.configure_tenant(TenantPolicy(tenant, weight))
        for number in range(workers):
            info = WorkerInfo(f"played-{number}", "here", number, 1, None, (TASK,))
            worker = await self._store.register(info, 400 * DAY)
            self._warm[worker] = Warm(most=1)
            self._free.append(worker)
        arriving = 0
        while len(self._run.starts) < len(self._run.requests) or self._events:
            ends = self._events[0][0] if self._events else None
            comes = self._run.requests[arriving].at if arriving < len(self._run.requests) else None
            now = min(at for at in (ends, comes) if at is not None)
            self._clock.at = BEGINNING + now
            batch: list[NewJob] = []
            while arriving < len(self._run.requests) and self._run.requests[arriving].at <= now:
                batch.append(self._new(arriving))
                arriving += 1
            if batch:
                await self._store.enqueue(batch)
            while self._events and self._events[0][0] <= now:
                _, _, worker = heappop(self._events)
                self._ended.append(settle(self._held.pop(worker), Completed(b"1"), RetryPolicy()))
                self._free.append(worker)
            await self._deal(now)
        self._run.clock = self._clock.at - BEGINNING
        return self._run

    def _new(self, number: int) -> NewJob:
        request = self._run.requests[number]
        job_id = uuid7(BEGINNING + number, number.to_bytes(10, "big"))
        self._numbers[job_id] = number
        return NewJob(
            job_id, TASK, b"{}", tenant=request.tenant, priority=request.priority, model=request.model, max_attempts=1
        )

    async def _deal(self, now: Millis) -> None:
        for worker in sorted(self._free):
            warm = self._warm[worker]
            want = Want(1, frozenset({TASK}), warm=warm.models)
            settled, self._ended = self._ended, []
            _, claimed = await self._store.claim(worker, want, settled)
            for lease in claimed.leases:
                self._start(worker, warm, lease, now)
        self._free = [worker for worker in self._free if worker not in self._held]

    def _start(self, worker: int, warm: Warm, lease: Lease, now: Millis) -> None:
        number = self._numbers[lease.id]
        swapped = warm.cold(lease.model)
        warm.use(lease.model)
        self._held[worker] = lease
        self._run.starts.append(Start(number, now, worker, swapped))
        takes = self._run.requests[number].takes + (self._swap if swapped else 0)
        heappush(self._events, (now + takes, next(self._serial), worker))
