"""What a worker takes, how much at once, and what it does when the store fails."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest

from stanchion import Stanchion, StoreUnavailableError
from stanchion.domain.policy import PROFILES, LeaseProfile
from tests.engine.helpers import SOON, in_state, until, working


class Gauge:
    """How many are inside at once."""

    def __init__(self) -> None:
        self.now = self.most = self.total = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.now += 1
            self.total += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.now -= 1


@pytest.fixture
def gauge() -> Gauge:
    return Gauge()


@pytest.mark.parametrize("kind", ["loop", "thread"])
async def test_no_more_attempts_run_at_once_than_there_are_slots(app: Stanchion, gauge: Gauge, kind: str) -> None:
    @app.task
    async def in_loop() -> None:
        with gauge:
            await asyncio.sleep(0.001)

    @app.task
    def in_thread() -> None:
        with gauge:
            threading.Event().wait(0.001)

    task = in_loop if kind == "loop" else in_thread
    jobs = await task.enqueue_many({} for _ in range(100))
    async with working(app, slots=3):
        for job in jobs:
            await job.result(SOON)
    assert (gauge.most, gauge.total) == (3, 100)


async def test_a_worker_takes_only_from_its_queues(app: Stanchion) -> None:
    @app.task
    async def idle() -> None: ...

    mine, other = await idle.options(queue="a").enqueue(), await idle.options(queue="b").enqueue()
    await app.run_worker(queues=["a"], burst=True)
    assert ((await mine.refresh()).state, (await other.refresh()).state) == ("completed", "queued")


async def test_a_burst_ends_when_nothing_is_left_and_waits_for_what_falls_due(app: Stanchion) -> None:
    @app.task
    async def idle() -> None: ...

    job = await idle.options(delay="30ms").enqueue()
    await app.run_worker(burst=True)
    assert (await job.refresh()).state == "completed"


async def test_two_workers_share_the_work_and_run_each_job_once(filed: Stanchion, gauge: Gauge) -> None:
    ran: list[int] = []

    @filed.task
    async def run(n: int) -> None:
        with gauge:
            ran.append(n)
            await asyncio.sleep(0.001)

    jobs = await run.enqueue_many({"n": n} for n in range(60))
    async with working(filed, slots=2), working(filed, slots=2):
        for job in jobs:
            await job.result(SOON)
    assert sorted(ran) == list(range(60))
    assert gauge.most <= 4


async def test_a_worker_registers_what_it_is_and_counts_what_it_did(app: Stanchion) -> None:
    @app.task
    async def run(fails: bool) -> None:
        if fails:
            raise TimeoutError

    async with working(app, slots=4, queues=["default"]):
        job = await run.options(max_attempts=1).enqueue(fails=False)
        await job.result(SOON)
        await in_state(await run.options(max_attempts=1).enqueue(fails=True), "failed")
        (worker,) = await app.workers()
        assert (worker.info.slots, worker.info.queues, worker.info.tasks) == (4, ("default",), ("run",))
        assert (worker.alive, worker.done, worker.failed) == (True, 1, 1)
    assert job.facts.worker is None


class Outage:
    """Stands before a store's method and fails as often as told."""

    def __init__(self, method: Any, times: int) -> None:
        self.method, self.left = method, times

    async def __call__(self, *args: Any, **options: Any) -> Any:
        if self.left:
            self.left -= 1
            message = "the disk is away"
            raise StoreUnavailableError(message)
        return await self.method(*args, **options)


@pytest.mark.parametrize("method", ["claim", "beat"])
async def test_a_store_that_fails_for_a_while_costs_no_job(
    app: Stanchion, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr("stanchion.engine.work._TROUBLE", (0.01,))
    monkeypatch.setitem(PROFILES, "fast", LeaseProfile(4_000, 50))
    await app.open()
    outage = Outage(getattr(app.store, method), 3)
    monkeypatch.setattr(app.store, method, outage)

    @app.task
    async def run() -> int:
        return 1

    async with working(app):
        assert await (await run.enqueue()).result(SOON) == 1
        await until(lambda: not outage.left)
    assert "the disk is away" in caplog.text


async def test_a_worker_that_was_declared_lost_ends_and_its_jobs_go_elsewhere(
    app: Stanchion, caplog: pytest.LogCaptureFixture
) -> None:
    began = asyncio.Event()

    @app.task
    async def wait() -> None:
        began.set()
        await asyncio.Event().wait()

    from stanchion.engine.maintain import rescue

    caplog.set_level(logging.INFO, logger="stanchion")
    work = asyncio.create_task(app.run_worker())
    job = await wait.enqueue()
    await began.wait()
    (worker,) = await app.workers()
    await rescue(app.store, await app.store.leave([worker.id], lost=True), "a test")
    async with asyncio.timeout(SOON):
        await work
    assert "was declared lost" in caplog.text
    await job.refresh()
    assert (job.state, job.facts.crashes) == ("queued", 1)
