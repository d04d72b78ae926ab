"""F9: the n-th write or sync of the file fails, for every n: not acknowledged, and the store is usable afterwards."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

import apsw
import pytest

from stanchion.domain.job import State
from stanchion.domain.outcome import Completed, Settlement
from stanchion.errors import DiskFullError, StoreError, StoreUnavailableError
from stanchion.store import Claimed, Enqueued, Noted, ProgressNote
from stanchion.stores.sqlite import SqliteStore, wal
from tests.clock import FakeClock
from tests.conformance.helpers import WANT, ended, join, new
from tests.faults.checker import COMPLETED, History, audit
from tests.faults.fault_vfs import FaultVFS
from tests.faults.scale import chance, sized

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from stanchion.domain.job import Lease, NewJob

T = TypeVar("T")
ERRORS = {"io": (apsw.IOError, StoreUnavailableError), "full": (apsw.FullError, DiskFullError)}
_numbers = count(1)


class Life:
    """One job's whole life by a caller that repeats what was refused."""

    def __init__(self, folder: Path, expected: type[StoreError]) -> None:
        self.name = f"fault-{next(_numbers)}"
        self.vfs = FaultVFS(self.name)
        self.store = SqliteStore(folder / "t.db", clock=FakeClock(), vfs=self.name)
        self.expected = expected
        self.surely = expected is DiskFullError
        """A full disk is known before the commit: what it refused did not happen. A failed sync may have happened."""
        self.refusals: list[StoreError] = []
        self.acknowledged: set[str] = set()
        self.leases: list[Lease] = []
        self.in_doubt = False
        self.given_back = 0

    async def insist(self, call: Callable[[], Awaitable[T]]) -> T:
        for _ in range(3):
            try:
                return await call()
            except StoreError as error:
                self.refusals.append(error)
                self.vfs.heal()
        pytest.fail("the store is not usable after its disk was well again")

    async def enqueue(self, job: NewJob) -> None:
        (answer,) = await self.insist(lambda: self.store.enqueue([job]))
        assert isinstance(answer, Enqueued)
        assert answer.new or not self.surely
        self.acknowledged.add(answer.id)

    async def settle(self, lease: Lease) -> None:
        before = len(self.refusals)
        answers = await self.insist(lambda: self.store.settle([ended(lease, Completed(b"1"))]))
        assert answers == [True] or (len(self.refusals) > before and not self.surely)

    async def claim(self, worker: int) -> tuple[list[bool], Claimed]:
        """Claim; if it failed, give back what may have been leased all the same, as a worker does."""
        if self.in_doubt:
            refs = {lease.ref for lease in self.leases}
            unknown = [item for item in await self.store.held(worker) if item.ref not in refs]
            await self.store.settle(
                [Settlement(item.ref, "", item.attempt, State.QUEUED, "released") for item in unknown]
            )
            self.given_back += len(unknown)
        self.in_doubt = True
        answer = await self.store.claim(worker, WANT._replace(limit=2))
        self.in_doubt = False
        self.leases += answer[1].leases
        return answer

    async def run(self) -> None:
        jobs = [new() for _ in range(6)]
        await self.enqueue(jobs[0])
        await asyncio.gather(*(self.enqueue(job) for job in jobs[1:]))
        worker = await self.insist(lambda: join(self.store))
        held: dict[str, Lease] = {}
        while len(held) < len(jobs):
            _, claimed = await self.insist(lambda: self.claim(worker))
            assert claimed.leases, "a lease was given that its worker never heard of"
            held |= {lease.id: lease for lease in claimed.leases}
            notes = [Noted(lease.ref, lease.attempt, ProgressNote(1, 2)) for lease in claimed.leases]
            assert all(await self.insist(lambda notes=notes: self.store.note(notes)))
        for lease in held.values():
            await self.settle(lease)


async def one(folder: Path, nth: int, kind: str, *, sticky: bool) -> Life:
    error, expected = ERRORS[kind]
    life = Life(folder, expected)
    await life.store.open()
    life.vfs.arm(nth, error, sticky=sticky)
    async with asyncio.timeout(10):
        await life.run()
    for error in life.refusals:
        assert isinstance(error, life.expected), repr(error)
        assert error.remedy
        assert "defect" not in error.remedy
    life.vfs.heal()
    await life.store.close()
    life.vfs.unregister()
    history = History(folder / "t.db")
    assert audit(history) == [], f"n = {nth}"
    assert set(history.by_id) == life.acknowledged
    assert all(job.state == COMPLETED and job.spent == 1 for job in history.jobs.values())
    return life


@pytest.mark.timeout(240)
@pytest.mark.parametrize("sticky", [False, True], ids=["once", "until-healed"])
@pytest.mark.parametrize("kind", ["io", "full"])
async def test_any_one_write_or_sync_may_fail(
    tmp_path: Path, kind: str, sticky: bool, monkeypatch: pytest.MonkeyPatch, tell: Callable[[str], Any]
) -> None:
    monkeypatch.setattr(wal, "CHECKPOINT_PAGES", 40)
    refused = failures = 0
    stride = sized(9, 1)
    for nth in range(1 + chance(f"{kind}-{sticky}").randrange(stride), 400, stride):
        home = tmp_path / str(nth)
        home.mkdir()
        life = await one(home, nth, kind, sticky=sticky)
        refused += len(life.refusals)
        failures += life.vfs.failures
        if not life.vfs.failures:
            break
    tell(f"{failures} failed writes and syncs, {refused} refusals; 0 lost, 0 doubled")
    assert failures >= 10
    assert refused >= 10
