"""Cancel: waiting jobs at once, running ones softly; and a worker that is told to stop."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from stanchion import Context, JobCancelledError, Stanchion, SyncContext
from tests.engine.helpers import SOON, in_state, outcomes, until, working

if TYPE_CHECKING:
    from stanchion import Job


async def cancelled(job: Job[Any]) -> None:
    await job.cancel()
    with pytest.raises(JobCancelledError):
        await job.result(SOON)


async def test_a_waiting_job_is_cancelled_at_once_and_never_runs(app: Stanchion) -> None:
    ran: list[int] = []

    @app.task
    async def run() -> None:
        ran.append(1)

    queued, scheduled = await run.enqueue(), await run.options(delay=60).enqueue()
    assert [(await job.cancel()).state for job in (queued, scheduled)] == ["cancelled"] * 2
    await app.run_worker(burst=True)
    assert ran == []


async def test_a_running_handler_is_interrupted_where_it_awaits(app: Stanchion) -> None:
    began, cleaned = asyncio.Event(), asyncio.Event()

    @app.task
    async def wait(ctx: Context) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            assert ctx.cancelled
            cleaned.set()

    async with working(app):
        job = await wait.enqueue()
        await began.wait()
        await cancelled(job)
    assert cleaned.is_set()
    assert await outcomes(app, job) == ["cancelled"]
    assert job.facts.spent == 1


async def test_a_handler_in_a_thread_sees_the_flag(app: Stanchion) -> None:
    began, left = threading.Event(), threading.Event()

    @app.task
    def look(ctx: SyncContext) -> None:
        began.set()
        while not ctx.cancelled:
            left.wait(0.01)
        left.set()

    async with working(app):
        job = await look.enqueue()
        await until(began.is_set)
        await cancelled(job)
        await until(left.is_set)


async def test_a_handler_in_a_thread_that_reports_is_stopped_by_its_report(app: Stanchion) -> None:
    began, left = threading.Event(), threading.Event()

    @app.task
    def report(ctx: SyncContext) -> None:
        began.set()
        try:
            while True:
                ctx.progress(1)
        finally:
            left.set()

    async with working(app):
        job = await report.enqueue()
        await until(began.is_set)
        await cancelled(job)
        await until(left.is_set)


async def test_a_handler_that_swallows_its_cancel_still_ends_cancelled(app: Stanchion) -> None:
    began = asyncio.Event()

    @app.task
    async def deaf() -> str:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "never mind"
        return "never"

    async with working(app):
        job = await deaf.enqueue()
        await began.wait()
        await cancelled(job)
    assert (job.facts.result, await outcomes(app, job)) == (None, ["cancelled"])


async def test_a_cancel_wins_over_a_failure_while_stopping(app: Stanchion) -> None:
    began = asyncio.Event()

    @app.task
    async def clumsy() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("while cleaning up")

    async with working(app):
        job = await clumsy.enqueue()
        await began.wait()
        await cancelled(job)


async def test_cancelling_what_has_ended_changes_nothing(app: Stanchion) -> None:
    @app.task
    async def one() -> int:
        return 1

    job = await one.enqueue()
    await app.run_worker(burst=True)
    assert (await job.cancel()).state == "completed"
    assert await job.result(SOON) == 1


async def test_a_stop_lets_running_jobs_end_within_the_grace(app: Stanchion) -> None:
    began, go = asyncio.Event(), asyncio.Event()

    @app.task
    async def last() -> str:
        began.set()
        await go.wait()
        return "ended"

    async with working(app) as stop:
        job, other = await last.enqueue(), await last.options(delay=60).enqueue()
        await began.wait()
        stop.set()
        go.set()
    assert (await job.result(SOON), (await other.refresh()).state) == ("ended", "scheduled")
    (worker,) = await app.workers()
    assert (worker.state, worker.alive) == ("stopped", False)


async def test_after_the_grace_a_job_is_given_back_unspent_and_runs_elsewhere(app: Stanchion) -> None:
    began, waits = asyncio.Event(), True

    @app.task
    async def slow() -> int:
        began.set()
        if waits:
            await asyncio.Event().wait()
        return 1

    async with working(app, grace=0) as stop:
        job = await slow.enqueue()
        await began.wait()
        stop.set()
    await job.refresh()
    assert (job.state, job.facts.spent, await outcomes(app, job)) == ("queued", 0, ["released"])
    waits = False
    await app.run_worker(burst=True)
    assert (await job.result(SOON), job.facts.attempt) == (1, 2)


async def test_a_handler_that_holds_on_is_given_back_without_its_consent(app: Stanchion) -> None:
    began, done = threading.Event(), threading.Event()

    @app.task
    def stuck() -> None:
        began.set()
        done.wait(SOON)

    async with working(app, grace=0) as stop:
        job = await stuck.enqueue()
        await until(began.is_set)
        stop.set()
        await in_state(job, "queued")
        done.set()
    assert job.facts.spent == 0


async def test_leases_taken_ahead_are_given_back_unspent_on_a_stop(app: Stanchion) -> None:
    blocked, go = asyncio.Event(), asyncio.Event()

    @app.task
    async def step(n: int) -> None:
        if n == 1:
            blocked.set()
            await go.wait()

    async with working(app, slots=1) as stop:
        for job in await step.enqueue_many([{"n": 0}] * 5):  # short attempts make the worker take leases ahead
            await job.result(SOON)
        jobs = await step.enqueue_many({"n": n} for n in range(1, 30))
        await blocked.wait()
        stop.set()
        await in_state(jobs[5], "queued")
        go.set()
    taken = [job for job in jobs[1:] if (await job.refresh()).facts.attempt]
    assert taken
    assert {job.state for job in jobs[1:]} == {"queued"}
    assert {job.facts.spent for job in jobs[1:]} == {0}
    assert [await outcomes(app, job) for job in taken] == [["released"]] * len(taken)
