"""The n-th store call of a whole job life fails, before it happened or after; for every n."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

import stanchion.app
from stanchion import Context, Retry, Stanchion
from stanchion.domain.retry import Backoff
from stanchion.engine import work
from stanchion.errors import StoreError
from stanchion.stores.sqlite import SqliteStore
from tests.faults import effects
from tests.faults.checker import COMPLETED, History, audit
from tests.faults.failing_store import FailingStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SOON = Retry(max_attempts=3, backoff=Backoff(base=0.01, jitter="none"))
JOBS = 2


class World:
    """An app on a failing store, with a client and a worker that do not give up."""

    def __init__(self, folder: Path, nth: int, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.store = FailingStore(SqliteStore(folder / "t.db", ballast=0), nth=nth, when=when)
        monkeypatch.setattr(stanchion.app, "open_store", lambda _url: self.store)
        self.app = Stanchion(f"sqlite:///{folder / 't.db'}")
        self.paid = 0

        @self.app.task(retry=SOON)
        async def life(ctx: Context, n: int) -> int:
            effects.record(folder / "effects", "S", ctx.job.id, ctx.attempt)
            await ctx.progress(1, 2)
            await ctx.step("pay", self._pay)
            await ctx.output("half", name="part")
            effects.record(folder / "effects", "E", ctx.job.id, ctx.attempt)
            return n

        self.life = life

    def _pay(self) -> int:
        self.paid += 1
        return self.paid

    async def run(self) -> None:
        stop = asyncio.Event()
        async with self.app:
            working = asyncio.create_task(self._work(stop))
            try:
                for number in range(JOBS):
                    await self._enqueue(number)
                async with asyncio.timeout(8):
                    await self._ended()
            finally:
                stop.set()
                await working

    async def _enqueue(self, number: int) -> None:
        for _ in range(3):
            try:
                await self.life.options(idempotency_key=f"job-{number}").enqueue(number)
            except StoreError:
                continue
            else:
                return

    async def _work(self, stop: asyncio.Event) -> None:
        while True:
            try:
                await self.app.run_worker(stop=stop, grace=1.0)
            except StoreError:  # it could not even register or leave: its supervisor starts it again
                await asyncio.sleep(0.01)
            if stop.is_set():
                return

    async def _ended(self) -> None:
        while True:
            history = await asyncio.to_thread(History, self.folder / "t.db")
            if len(history.jobs) == JOBS and all(job.state == COMPLETED for job in history.jobs.values()):
                return
            await asyncio.sleep(0.05)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_any_one_call_may_fail(
    tmp_path: Path, when: str, monkeypatch: pytest.MonkeyPatch, tell: Callable[[str], Any]
) -> None:
    monkeypatch.setattr(work, "POLL", 0.1)
    monkeypatch.setattr(work, "SHORT", 0.0)
    failed: Counter[str] = Counter()
    for nth in range(1, 60):
        home = tmp_path / str(nth)
        home.mkdir()
        world = World(home, nth, when, monkeypatch)
        try:
            await world.run()
        except TimeoutError:
            pytest.fail(f"call {nth} ({world.store.failed}) failed {when} it happened, and jobs never ended")
        history = History(home / "t.db")
        assert audit(history) == [], f"{nth} {world.store.failed}"
        started = Counter((one.id, one.attempt) for one in effects.read(home / "effects") if one.kind == "S")
        assert set(started.values()) == {1}
        assert world.paid <= (JOBS if when == "after" else 2 * JOBS), "a step that was stored ran again"
        if world.store.failed is None or nth > len(world.store.calls):
            break
        failed[world.store.failed] += 1
    tell(f"{failed.total()} calls failed {when} they happened: {dict(failed)}; 0 lost, 0 doubled")
    assert {"enqueue", "register", "claim", "note"} <= set(failed)
