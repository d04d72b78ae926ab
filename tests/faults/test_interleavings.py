"""Two at once: {claim, complete, reap, cancel, beat, note} on one job, from two stores on one file, in all orders.

One commits while the other is between its look and its deed; whatever the order, the file stays whole, at most one
of two endings is taken, and a refused one changes nothing.
"""

from __future__ import annotations

import asyncio
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.job import State
from stanchion.domain.outcome import Completed
from stanchion.engine.maintain import rescue
from stanchion.store import Noted, ProgressNote
from stanchion.stores.sqlite import SqliteStore
from tests.clock import FakeClock
from tests.conformance.helpers import LEASE_FOR, add, ended, join, take
from tests.faults.checker import COMPLETED, History, audit
from tests.faults.scale import chance, sized

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from stanchion.domain.job import Lease

ROUNDS = sized(3, 40)


class Two:
    """Two stores on one file, and one job that runs with a worker whose lease has run out."""

    def __init__(self, path: Path) -> None:
        self.clock = FakeClock()
        self.stores = [SqliteStore(path, clock=self.clock, ballast=0) for _ in range(2)]
        self.job = ""
        self.worker = self.heir = 0
        self.lease: Lease
        self.ends: list[str] = []

    async def prepare(self) -> None:
        one, other = self.stores
        await one.open()
        await other.open()
        (self.job,) = await add(one)
        self.worker = await join(one, "first")
        (self.lease,) = await take(one, self.worker)
        self.clock.pass_(LEASE_FOR + 1)
        self.heir = await join(other, "heir")

    async def claim(self, store: SqliteStore) -> None:
        for lease in await take(store, self.heir):
            assert lease.attempt > self.lease.attempt
            assert await store.settle([ended(lease, Completed(b"2"))]) == [True]
            self.ends.append("completed by the heir")

    async def complete(self, store: SqliteStore) -> None:
        (applied,) = await store.settle([ended(self.lease, Completed(b"1"))])
        if applied:
            self.ends.append("completed")

    async def reap(self, store: SqliteStore) -> None:
        await rescue(store, await store.overdue(10), "silent")

    async def reap_slowly(self, store: SqliteStore) -> None:
        found = await store.overdue(10)
        await asyncio.sleep(0.002)
        await rescue(store, found, "silent")

    async def cancel(self, store: SqliteStore) -> None:
        await store.cancel([self.job])

    async def beat(self, store: SqliteStore) -> None:
        await store.beat([self.worker], LEASE_FOR)

    async def note(self, store: SqliteStore) -> None:
        await store.note([Noted(self.lease.ref, self.lease.attempt, ProgressNote(1, 2))])


DEEDS = ("claim", "complete", "reap", "reap_slowly", "cancel", "beat", "note")


@pytest.mark.parametrize(("first", "second"), [pair for pair in product(DEEDS, DEEDS) if pair[0] <= pair[1]])
async def test_two_at_once(tmp_path: Path, first: str, second: str) -> None:
    rng = chance(f"{first}-{second}")
    for number in range(ROUNDS):
        two = Two(tmp_path / f"{number}.db")
        await two.prepare()
        deeds: list[tuple[Callable[[Any], Awaitable[None]], SqliteStore]] = [
            (getattr(two, name), store) for name, store in zip((first, second), two.stores, strict=True)
        ]
        rng.shuffle(deeds)
        await asyncio.gather(*(_later(rng.random() * 0.003, deed, store) for deed, store in deeds))
        (job,) = await two.stores[0].inspect([two.job])
        assert job is not None
        assert len(two.ends) <= 1, two.ends
        if two.ends:
            assert job.state in (State.COMPLETED, State.CANCELLED)
        for store in two.stores:
            await store.close()
        history = History(two.stores[0].path)
        assert audit(history) == []
        assert sum(step.state == COMPLETED for steps in history.events.values() for step in steps) <= 1


async def _later(delay: float, deed: Callable[[Any], Awaitable[None]], store: SqliteStore) -> None:
    await asyncio.sleep(delay)
    await deed(store)


async def test_a_cancel_and_a_completion_are_one_after_the_other(tmp_path: Path) -> None:
    """M15, I12: after a cancel was acknowledged no result appears; a completion before it stands."""
    won = {"cancel": 0, "complete": 0}
    rng = chance("cancel")
    for number in range(ROUNDS * 4):
        two = Two(tmp_path / f"{number}.db")
        await two.prepare()
        one, other = two.stores
        order = [_later(rng.random() * 0.002, two.complete, one), _later(rng.random() * 0.002, two.cancel, other)]
        await asyncio.gather(*order)
        (job,) = await one.inspect([two.job])
        assert job is not None
        assert job.final
        won["complete" if job.state is State.COMPLETED else "cancel"] += 1
        assert (job.result is not None) is (job.state is State.COMPLETED)
        assert job.cancel_requested_at is None or job.state is State.CANCELLED
        await one.close()
        await other.close()
        assert audit(History(one.path)) == []
    assert min(won.values()) > 0, won
