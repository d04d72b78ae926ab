"""Queues as an operator holds them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from stanchion import Stanchion, State, TaskError, UsageError
from stanchion.queues import CHUNK
from tests.engine.helpers import SOON, ended, in_state, working

if TYPE_CHECKING:
    from stanchion import Task


@pytest.fixture
async def run(app: Stanchion) -> Task[..., Any]:
    @app.task(queue="images")
    async def run(fails: bool = False, waits: bool = False) -> None:
        if fails:
            raise TaskError("no", kind="validation")
        if waits:
            await asyncio.Event().wait()

    await app.open()
    return run


async def test_a_paused_queue_starts_nothing_until_it_is_resumed(app: Stanchion, run: Task[..., Any]) -> None:
    queue = app.queue("images")
    assert (await queue.pause()).paused
    async with working(app):
        paused, other = await run.enqueue(), await run.options(queue="other").enqueue()
        await other.result(SOON)
        place = await paused.position()
        assert (place.reason, place.key) == ("paused_queue", "images")
        assert (await paused.refresh()).state == "queued"
        await queue.resume()
        await paused.result(SOON)


async def test_a_queue_that_nobody_used_has_empty_counts(app: Stanchion, run: Task[..., Any]) -> None:
    stats = await app.queue("new").stats()
    assert set(stats.counts) == set(State)
    assert not any(stats.counts.values())
    assert stats.oldest_queued_at is None


async def test_a_drain_waits_for_all_that_waits_or_runs(app: Stanchion, run: Task[..., Any]) -> None:
    queue = app.queue("images")
    assert await queue.drain()
    await run.options(delay=600).enqueue()  # for later: it is not waited for
    jobs = await run.enqueue_many({} for _ in range(20))
    assert not await queue.drain(0.05)
    async with working(app):
        assert await queue.drain(SOON)
        assert {(await job.refresh()).state for job in jobs} == {"completed"}


async def test_jobs_of_a_queue_come_newest_first_by_state(app: Stanchion, run: Task[..., Any]) -> None:
    first, second = await run.enqueue(), await run.enqueue()
    await run.options(queue="other").enqueue()
    later = await run.options(delay=60).enqueue()
    queue = app.queue("images")
    assert [job.id for job in await queue.jobs()] == [later.id, second.id, first.id]
    assert [job.id for job in await queue.jobs("queued", limit=1)] == [second.id]
    assert [job.id for job in await queue.jobs(["scheduled", State.FAILED])] == [later.id]
    with pytest.raises(UsageError, match="queued"):
        await queue.jobs("waiting")


async def test_clean_erases_what_ended_long_enough_ago(app: Stanchion, run: Task[..., Any]) -> None:
    await run.enqueue_many({} for _ in range(CHUNK + 5))
    failed, queue = await run.enqueue(fails=True), app.queue("images")
    await app.run_worker(burst=True)
    assert await queue.clean("1h") == 0
    assert await queue.clean(0, ["completed"]) == CHUNK + 5
    assert [job.id for job in await queue.jobs()] == [failed.id]
    with pytest.raises(UsageError, match="Cancel"):
        await queue.clean(0, ["running"])


async def test_cancel_all_takes_what_waits_and_what_runs(app: Stanchion, run: Task[..., Any]) -> None:
    done = await run.enqueue()
    await app.run_worker(burst=True)
    async with working(app, slots=1):
        running = await run.enqueue(waits=True)
        await in_state(running, "running")
        waiting = await run.enqueue_many({} for _ in range(3))
        other = await run.options(queue="other").enqueue()
        assert await app.queue("images").cancel_all() == 4
        assert [await ended(job) for job in (running, *waiting)] == ["cancelled"] * 4
        await other.result(SOON)
    assert (await done.refresh()).state == "completed"


async def test_retry_all_queues_all_failed_jobs_anew(app: Stanchion, run: Task[..., Any]) -> None:
    jobs = await run.enqueue_many({"fails": True} for _ in range(3))
    await run.enqueue()
    await app.run_worker(burst=True)
    assert await app.queue("images").retry_all() == 3
    assert {(await job.refresh()).state for job in jobs} == {"queued"}
    assert await app.queue("images").retry_all() == 0
