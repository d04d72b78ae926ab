"""How a handler may end its attempt, and what follows."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from stanchion import Cancel, Context, ErrorInfo, Kind, Retry, Snooze, Stanchion, SyncContext, TaskError
from tests.engine.helpers import AT_ONCE, SOON, ended, in_state, outcomes, until, working


async def test_a_raised_error_is_retried_until_the_attempts_are_spent(app: Stanchion) -> None:
    @app.task(retry=Retry(max_attempts=3, backoff=AT_ONCE))
    async def fail() -> None:
        message = "no luck"
        raise RuntimeError(message)

    async with working(app):
        job = await fail.enqueue()
        assert await ended(job) == "failed"
    assert await outcomes(app, job) == ["retry", "retry", "failed"]
    assert job.facts.spent == 3
    assert job.error is not None
    assert (job.error.kind, job.error.message, job.error.type) == ("internal", "no luck", "RuntimeError")
    assert "RuntimeError: no luck" in (job.error.trace or "")


async def test_a_kind_that_no_retry_can_help_fails_at_once(app: Stanchion) -> None:
    @app.task
    async def fail() -> None:
        raise TaskError("no", kind="content_policy")

    async with working(app):
        job = await fail.enqueue()
        assert await ended(job) == "failed"
    assert await outcomes(app, job) == ["failed"]


async def test_raising_retry_spends_an_attempt_and_waits_at_least_its_delay(app: Stanchion) -> None:
    @app.task(retry=Retry(backoff=AT_ONCE))
    async def again() -> None:
        raise Retry("not yet", delay=60)

    async with working(app):
        job = await again.enqueue()
        await in_state(job, "retrying")
    assert job.facts.due_at is not None
    assert (job.facts.spent, job.error and job.error.message) == (1, "not yet")
    assert job.facts.due_at >= job.facts.created_at + 60_000


async def test_a_snooze_runs_again_later_and_spends_nothing(app: Stanchion) -> None:
    @app.task(retry=1)
    async def twice(ctx: Context) -> int:
        if ctx.attempt == 1:
            raise Snooze("10ms")
        return ctx.attempt

    async with working(app):
        job = await twice.enqueue()
        assert await job.result(SOON) == 2
    assert (job.facts.spent, await outcomes(app, job)) == (1, ["snoozed", "completed"])


async def test_raising_cancel_ends_the_job_cancelled(app: Stanchion) -> None:
    @app.task
    async def enough() -> None:
        raise Cancel("nobody waits")

    async with working(app):
        job = await enough.enqueue()
        assert await ended(job) == "cancelled"
    assert await outcomes(app, job) == ["cancelled"]


async def test_a_rate_limit_waits_as_long_as_it_was_told_and_spends_nothing(app: Stanchion) -> None:
    @app.task
    async def busy() -> None:
        raise TaskError("slow down", kind="rate_limited", retry_after=120)

    async with working(app):
        job = await busy.enqueue()
        await in_state(job, "retrying")
    assert job.facts.due_at is not None
    assert job.facts.spent == 0
    assert job.facts.due_at >= job.facts.created_at + 120_000


@pytest.mark.parametrize(
    "raised", [SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration, asyncio.CancelledError]
)
@pytest.mark.parametrize("isolation", ["loop", "thread", "plain"])
async def test_nothing_that_a_handler_raises_ends_the_worker(
    app: Stanchion, raised: type[BaseException], isolation: Any
) -> None:
    async def leave() -> None:
        raise raised

    def leave_plainly() -> None:
        raise raised

    function, kind = (leave_plainly, "thread") if isolation == "plain" else (leave, isolation)
    task = app.task_of(function, retry=1, isolation=kind)

    @app.task
    async def stay() -> str:
        return "here"

    async with working(app, slots=1):
        job, after = await task.enqueue(), await stay.enqueue()
        assert await ended(job) == "failed"
        assert await after.result(SOON) == "here"
    assert job.error is not None
    assert raised.__name__ in job.error.message


@pytest.mark.parametrize("coarse", [False, True])
async def test_an_attempt_ends_at_its_timeout(app: Stanchion, monkeypatch: pytest.MonkeyPatch, coarse: bool) -> None:
    if coarse:  # otherwise only timeouts above 2 s are left to the sweep
        monkeypatch.setattr("stanchion.engine.attempt.COARSE", 0)

    @app.task(timeout="50ms", retry=1)
    async def hang() -> None:
        await asyncio.Event().wait()

    async with working(app):
        job = await hang.enqueue()
        assert await ended(job) == "failed"
    assert job.error is not None
    assert (job.error.kind, job.error.message) == ("timeout", "ran longer than its timeout of 0.05 s")


async def test_a_timeout_is_retried_and_a_job_may_have_one_of_its_own(app: Stanchion) -> None:
    @app.task(retry=Retry(backoff=AT_ONCE))
    async def hang_once(ctx: Context) -> int:
        if ctx.attempt == 1:
            await asyncio.Event().wait()
        return ctx.attempt

    async with working(app):
        assert await (await hang_once.options(timeout=0.05).enqueue()).result(SOON) == 2


async def test_a_handler_that_swallows_its_timeout_and_returns_has_completed(app: Stanchion) -> None:
    @app.task(timeout="50ms")
    async def patient() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "partial"
        return "never"

    async with working(app):
        assert await (await patient.enqueue()).result(SOON) == "partial"


async def test_a_thread_that_is_late_is_left_behind(app: Stanchion) -> None:
    done = threading.Event()

    @app.task(timeout="50ms", retry=1)
    def hang(ctx: SyncContext) -> None:
        done.wait(SOON)

    async with working(app):
        job = await hang.enqueue()
        assert await ended(job) == "failed"
        done.set()
    assert job.error is not None
    assert job.error.kind == "timeout"


async def test_rules_name_the_kind_of_an_error_before_the_built_in_ones(app: Stanchion) -> None:
    @app.classify
    def passes(error: BaseException) -> Kind | None:
        return None

    @app.classify
    def by_text(error: BaseException) -> Kind | ErrorInfo | None:
        if "quota" in str(error):
            return Kind.CONTENT_POLICY
        if "poison" in str(error):
            return ErrorInfo(Kind.PROVIDER, "as told", retryable=False)
        return None

    @app.task(retry=Retry(max_attempts=2, backoff=AT_ONCE))
    async def fail(text: str) -> None:
        raise ConnectionError(text)

    found: dict[str, tuple[str, str, list[str | None]]] = {}
    async with working(app):
        for text in ("quota", "poison", "cable"):
            job = await fail.enqueue(text)
            await ended(job)
            assert job.error is not None
            found[text] = (job.error.kind, job.error.message, await outcomes(app, job))
    assert found == {
        "quota": ("content_policy", "quota", ["failed"]),
        "poison": ("provider", "as told", ["failed"]),
        "cable": ("network", "cable", ["retry", "failed"]),
    }


async def test_a_handler_whose_lease_is_lost_writes_nothing_more(app: Stanchion) -> None:
    began, go = asyncio.Event(), asyncio.Event()
    raised: list[str] = []

    @app.task
    async def write(ctx: Context) -> str:
        if ctx.attempt == 2:
            return "by the second"
        began.set()
        await go.wait()
        try:
            await ctx.output("late")
        except Exception as error:
            raised.append(type(error).__name__)
            raise
        return "by the first"

    from stanchion.engine.maintain import rescue

    async with working(app):
        job = await write.enqueue()
        await began.wait()
        (worker,) = await app.workers()
        assert await rescue(app.store, await app.store.leave([worker.id], lost=True), "a test") == 1
        go.set()
        await until(lambda: raised)
    assert raised == ["LeaseLostError"]
    await app.run_worker(burst=True)
    assert await job.result(SOON) == "by the second"
    assert (await outcomes(app, job), job.facts.crashes) == (["lost", "completed"], 1)
