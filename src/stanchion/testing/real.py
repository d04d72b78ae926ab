"""A store's own line in virtual time: tenants whose lines never run out, and workers that take what the store gives."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from stanchion.domain.estimates import Work, size_of
from stanchion.domain.ids import uuid7
from stanchion.domain.job import NewJob
from stanchion.domain.outcome import Completed, settle
from stanchion.domain.policy import TenantPolicy
from stanchion.domain.retry import RetryPolicy
from stanchion.domain.units import DAY, SECOND
from stanchion.engine.learning import learn
from stanchion.store import Want, WorkerInfo
from stanchion.stores.memory import MemoryStore
from stanchion.stores.sqlite import SqliteStore
from stanchion.testing.load import Request
from stanchion.testing.simulator import Report, Served

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from random import Random

    from stanchion.domain.job import Lease
    from stanchion.domain.outcome import Settlement
    from stanchion.domain.units import Instant, Millis
    from stanchion.store import Store
    from stanchion.testing.load import Tenant

STARTS: Final[Instant] = 1_800_000_000_000
LEARNING: Final[Millis] = 5 * SECOND
"""So often durations are learned, as by upkeep."""
_WAITING: Final = 8
"""So many jobs of each tenant wait at all times."""


@asynccontextmanager
async def opened(kind: str, clock: Clock) -> AsyncGenerator[Store]:
    """Give an empty store, `memory` or `sqlite`, that goes by a clock; what it wrote is deleted afterwards."""
    with TemporaryDirectory(prefix="stanchion-") as folder:
        store: Store = MemoryStore(clock)
        if kind == "sqlite":
            store = SqliteStore(Path(folder) / "play.db", clock=clock, synchronous="off", ballast=0)
        await store.open()
        try:
            yield store
        finally:
            await store.close()


class Clock:
    """The clock of a store that is played, in ms since the epoch; it stands still until it is set."""

    def __init__(self) -> None:
        self.now: Instant = STARTS

    def __call__(self) -> Instant:
        """Return the instant now."""
        return self.now


class Play:
    """One play of a store.

    Args:
        store: A store that is open and empty.
        clock: Its clock.
        tenants: Who asks; of each some jobs wait at all times.
        chance: The source of what each job is and takes.
    """

    def __init__(self, store: Store, clock: Clock, tenants: Sequence[Tenant], chance: Random) -> None:
        self._store, self._clock, self._tenants, self._chance = store, clock, tenants, chance
        self._jobs: dict[str, Served] = {}
        self._waiting: Counter[str] = Counter()
        self._running: list[tuple[Instant, int, Lease]] = []
        self.report = Report([])

    async def run(self, slots: int, ends: int) -> Report:
        """Let `slots` workers take jobs, each for its time, until so many have ended; return what happened."""
        store, clock = self._store, self._clock
        for tenant in self._tenants:
            await store.configure_tenant(TenantPolicy(tenant.name, tenant.weight))
        tasks = tuple({sort.task for tenant in self._tenants for sort in tenant.sorts})
        worker = await store.register(WorkerInfo("play", "here", 1, slots, None, tasks), DAY)
        settled: list[Settlement] = []
        learning = clock.now
        while len(self.report.ended) < ends:
            await self._ask()
            want = Want(slots - len(self._running), frozenset(tasks))
            for lease in (await store.claim(worker, want, settled))[1].leases:
                self._start(lease)
            settled = self._end()
            if clock.now >= learning + LEARNING:
                learning = clock.now
                await learn(store)
        self.report.clock = clock.now - STARTS
        return self.report

    async def _ask(self) -> None:
        """Bring each tenant's line up to its length."""
        batch: list[NewJob] = []
        for tenant in self._tenants:
            while self._waiting[tenant.name] < _WAITING:
                self._waiting[tenant.name] += 1
                batch.append(self._asked(tenant))
        await self._store.enqueue(batch)

    def _asked(self, tenant: Tenant) -> NewJob:
        (sort,) = self._chance.choices(list(tenant.sorts), list(tenant.sorts.values()))
        number = len(self.report.jobs)
        work, at = Work(sort.task, size_of(sort.cost)), self._clock.now - STARTS
        takes = sort.takes(self._chance)
        job = Served(number, Request(at, tenant.name, tenant.weight, tenant.priority, work, sort.model, takes))
        self.report.jobs.append(job)
        job_id = uuid7(STARTS + number, number.to_bytes(10, "big"))
        self._jobs[job_id] = job
        return NewJob(job_id, sort.task, b"{}", tenant=tenant.name, priority=tenant.priority, size=sort.cost)

    def _start(self, lease: Lease) -> None:
        job = self._jobs[lease.id]
        job.started, job.attempts = self._clock.now - STARTS, lease.attempt
        self._waiting[lease.tenant] -= 1
        heappush(self._running, (self._clock.now + job.request.takes, job.number, lease))

    def _end(self) -> list[Settlement]:
        """Go to the next end; return all that end then."""
        self._clock.now = self._running[0][0]
        settled: list[Settlement] = []
        while self._running and self._running[0][0] == self._clock.now:
            _, _, lease = heappop(self._running)
            job = self._jobs[lease.id]
            job.ended = self._clock.now - STARTS
            self.report.ended.append(job)
            settled.append(settle(lease, Completed(None), RetryPolicy()))
        return settled
