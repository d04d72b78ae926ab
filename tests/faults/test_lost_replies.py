"""F12: a settlement whose reply was lost is sent again and counts as done; another holder's stays refused."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

import stanchion.app
from stanchion import Stanchion
from stanchion.domain.job import State
from stanchion.domain.outcome import Settlement
from stanchion.domain.query import Filter
from stanchion.engine.attempt import Running
from stanchion.engine.work import Worker
from stanchion.errors import StoreUnavailableError
from stanchion.stores.sqlite import SqliteStore
from tests.faults.checker import History, audit
from tests.faults.trees import until

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
    from pathlib import Path

    from stanchion.domain.job import Attempt, Event
    from stanchion.store import Claimed, Want

REFUSED: Final = "was refused as"


class Forgetful(SqliteStore):
    """Commits the first settlements, and loses the reply; where asked, it cannot be read either."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, ballast=0)
        self.lost: list[str] = []
        self.blind = False

    async def claim(self, worker: int, want: Want, settled: Sequence[Settlement] = ()) -> tuple[list[bool], Claimed]:
        answer = await super().claim(worker, want, settled)
        self._lose("claim", settled)
        return answer

    async def settle(self, settled: Sequence[Settlement]) -> list[bool]:
        answer = await super().settle(settled)
        self._lose("settle", settled)
        return answer

    def _lose(self, call: str, settled: Sequence[Settlement]) -> None:
        if settled and not self.lost and settled[0].id:
            self.lost.append(call)
            message = "the connection ended before the reply came"
            raise StoreUnavailableError(message)

    async def history(self, job_id: str, *given: Any, **named: Any) -> tuple[list[Event], list[Attempt]]:
        if self.blind:
            message = "the file cannot be read"
            raise StoreUnavailableError(message)
        return await super().history(job_id, *given, **named)


@pytest.fixture
def forgetful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Forgetful:
    caplog.set_level(logging.INFO, "stanchion")
    made = Forgetful(tmp_path / "t.db")
    monkeypatch.setattr(stanchion.app, "open_store", lambda _url: made)
    monkeypatch.setattr(logging.getLogger("stanchion"), "propagate", True)
    return made


class Rig:
    """An app on the store with a task that waits for a word; odd numbers fail for good."""

    def __init__(self, store: Forgetful) -> None:
        self.store = store
        self.app = Stanchion(f"sqlite:///{store.path}")
        self.go, self.stop = asyncio.Event(), asyncio.Event()
        self.begun: list[int] = []

        @self.app.task(retry=1)
        async def even(n: int) -> int:
            self.begun.append(n)
            await self.go.wait()
            if n % 2:
                message = "odd"
                raise ValueError(message)
            return n

        self.even = even

    @asynccontextmanager
    async def working(self, numbers: int) -> AsyncGenerator[asyncio.Task[None]]:
        """Run a worker until the block ends, with so many jobs begun."""
        async with self.app:
            for number in range(numbers):
                await self.even.enqueue(number)
            task = asyncio.create_task(self.app.run_worker(stop=self.stop, grace=5.0))
            try:
                await until("all have begun", self._all_begun(numbers))
                yield task
            finally:
                self.go.set()
                self.stop.set()
                await task

    def _all_begun(self, numbers: int) -> Callable[[], Awaitable[bool]]:
        async def begun() -> bool:
            return len(self.begun) == numbers

        return begun

    async def ended(self) -> None:
        """Wait until every job has ended."""

        async def all_ended() -> bool:
            jobs = (await self.store.list(Filter(), limit=100)).jobs
            return all(job.final for job in jobs)

        await until("all jobs ended", all_ended)


@pytest.fixture
def rig(forgetful: Forgetful) -> Rig:
    return Rig(forgetful)


def outcomes(store: SqliteStore) -> Counter[str]:
    """Count how attempts ended, in a file that breaks no promise."""
    history = History(store.path)
    assert audit(history) == []
    return history.outcomes()


async def test_a_settlement_repeated_with_a_claim_is_done_and_not_late(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    async with rig.working(4):
        rig.go.set()
        await rig.ended()
    assert rig.store.lost == ["claim"]
    assert "cannot be used now" in caplog.text
    assert REFUSED not in caplog.text
    assert outcomes(rig.store) == {"completed": 2, "failed": 2}


async def test_a_settlement_repeated_while_the_worker_stops_is_done_and_not_late(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    async with rig.working(2):
        rig.stop.set()

        async def drains() -> bool:
            return "have 5 s to end" in caplog.text

        await until("it drains", drains)
    assert rig.store.lost == ["settle"]
    assert REFUSED not in caplog.text
    assert outcomes(rig.store) == {"completed": 1, "failed": 1}


async def test_a_settlement_that_an_asked_cancel_overruled_is_done_and_not_late(
    rig: Rig, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Running, "ask_cancel", lambda _self: None)  # the handler is faster than its cancel
    async with rig.working(1):
        (job,) = (await rig.store.list(Filter(), limit=1)).jobs
        await rig.store.cancel([job.id])
        rig.go.set()
        await rig.ended()
    assert rig.store.lost == ["claim"]
    assert REFUSED not in caplog.text
    assert outcomes(rig.store) == {"cancel_requested": 1, "cancelled": 1}


@pytest.mark.parametrize("first", ["other", "reply lost"])
async def test_what_another_ended_is_refused_even_in_doubt(
    rig: Rig, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """The lease was settled as lost before; whether or not a reply was lost, the late completion counts for nothing."""
    monkeypatch.setattr(Worker, "_compare", lambda *_: None)  # it does not learn of it before it settles
    if first == "other":
        rig.store.lost.append("none")
    async with rig.working(1):
        (job,) = (await rig.store.list(Filter(), limit=1)).jobs
        other = Settlement(job.ref, job.id, 1, State.QUEUED, "lost", crashes=1)
        assert await SqliteStore.settle(rig.store, [other]) == [True]
        rig.go.set()
        await rig.ended()
    assert caplog.text.count(REFUSED) == 1
    assert outcomes(rig.store) - Counter(released=1) == {"lost": 1, "completed": 1}


async def test_what_cannot_be_looked_up_is_said_to_be_unknown(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    async with rig.working(1):
        rig.store.blind = True
        rig.go.set()
        await rig.ended()
    assert "could not be read" in caplog.text
    assert REFUSED not in caplog.text
    assert outcomes(rig.store) == {"completed": 1}
