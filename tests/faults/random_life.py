"""Random histories of a store, and what its callers know for sure at each moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain.job import FINAL, State
from stanchion.domain.outcome import Cancelled, Completed, Failed, Lost, Released, Snoozed
from stanchion.store import Noted, ProgressNote, StepNote
from tests.conformance.helpers import BOOM, KEEP, LEASE_FOR, Want, chunk, ended, join, new

if TYPE_CHECKING:
    import random

    from stanchion.domain.job import Lease
    from stanchion.domain.outcome import Settlement
    from stanchion.store import Store
    from tests.clock import FakeClock

TASKS = frozenset({"t", "a"})


class Life:
    """Drives a store at random; `known` holds the version and state of every acknowledged job."""

    def __init__(self, store: Store, clock: FakeClock, rng: random.Random) -> None:
        self.store, self.clock, self.rng = store, clock, rng
        self.known: dict[str, tuple[int, State]] = {}
        self.asked: list[frozenset[str]] = []
        """The ids of each batch that was sent, answered or not."""
        self._held: dict[str, Lease] = {}
        self._workers: list[int] = []

    async def step(self) -> None:
        """Do one thing and learn its outcome."""
        what = self.rng.choices(
            [self._enqueue, self._claim, self._settle, self._note, self._cancel, self._upkeep], [5, 5, 4, 3, 1, 1]
        )[0]
        self.clock.pass_(self.rng.randrange(400))
        await what()
        for job in await self.store.inspect(list(self.known)):
            if job is not None:
                self.known[job.id] = (job.version, job.state)

    async def _enqueue(self) -> None:
        batch = [
            new(self.rng.choice("ta"), delay=self.rng.choice([0, 0, 300]), priority=self.rng.randrange(3))
            for _ in range(self.rng.randrange(1, 9))
        ]
        self.asked.append(frozenset(job.id for job in batch))
        await self.store.enqueue(batch)
        self.known |= {job.id: (1, State.QUEUED) for job in batch}

    async def _claim(self) -> None:
        if len(self._workers) < 2:
            self._workers.append(await join(self.store, f"w{len(self._workers)}"))
        worker = self.rng.choice(self._workers)
        settled = self._endings()
        _, claimed = await self.store.claim(worker, Want(self.rng.randrange(1, 6), TASKS), settled)
        for lease in claimed.leases:
            self._held[lease.id] = lease

    def _endings(self) -> list[Settlement]:
        chosen = [lease for lease in self._held.values() if self.rng.random() < 0.5]
        endings = [Completed(b"1"), Completed(None), Failed(BOOM), Released(), Snoozed(200), Lost(), Cancelled()]
        for lease in chosen:
            del self._held[lease.id]
        return [ended(lease, self.rng.choice(endings)) for lease in chosen]

    async def _settle(self) -> None:
        await self.store.settle(self._endings())

    async def _note(self) -> None:
        notes = [StepNote("s", b"1"), chunk("x" * 300), ProgressNote(1, 2)]
        await self.store.note(
            [Noted(lease.ref, lease.attempt, self.rng.choice(notes)) for lease in self._held.values()]
        )

    async def _cancel(self) -> None:
        open_ = [job_id for job_id, (_, state) in self.known.items() if state not in FINAL]
        await self.store.cancel(self.rng.sample(open_, min(2, len(open_))))

    async def _upkeep(self) -> None:
        await self.store.beat(self._workers, LEASE_FOR)
        await self.store.maintain(KEEP._replace(completed=10**9, failed=10**9, cancelled=10**9), 100)
