"""What a running handler may ask and report."""

from __future__ import annotations

import asyncio
import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from stanchion import Context, File, Image, Retry, Stanchion, SyncContext
from tests.engine.helpers import AT_ONCE, SOON, ended, in_state, until, working

if TYPE_CHECKING:
    from stanchion.domain.job import Progress


async def test_a_handler_knows_its_job(app: Stanchion) -> None:
    seen: list[Any] = []

    @app.task(queue="q", retry=Retry(backoff=AT_ONCE))
    async def look(ctx: Context) -> None:
        seen.append((ctx.job, ctx.attempt, ctx.idempotency_key))
        if ctx.attempt == 1:
            raise RuntimeError

    chosen = look.options(user="ann", tenant="acme", tags=["a"], metadata={"k": 1}, correlation_id="c")
    async with working(app):
        job = await chosen.enqueue()
        await job.result(SOON)
    (first, one, key), (second, two, same_key) = seen
    assert (first.id, first.task, first.queue, first.tenant, first.user) == (job.id, "look", "q", "acme", "ann")
    assert (first.tags, first.metadata, first.correlation_id) == (("a",), {"k": 1}, "c")
    assert (one, first.spent, two, second.spent) == (1, 0, 2, 1)
    assert key == same_key


async def test_a_step_runs_once_over_all_attempts(app: Stanchion) -> None:
    paid: list[str] = []

    def pay() -> dict[str, str]:
        paid.append("sync")
        return {"receipt": "r1"}

    async def send() -> int:
        paid.append("async")
        return 7

    @app.task(retry=Retry(backoff=AT_ONCE))
    async def order(ctx: Context) -> list[Any]:
        receipt = await ctx.step("pay", pay)
        number = await ctx.step("send", send)
        if ctx.attempt < 3:
            raise RuntimeError
        return [receipt, number, await ctx.step("pay", pay)]

    async with working(app):
        assert await (await order.enqueue()).result(SOON) == [{"receipt": "r1"}, 7, {"receipt": "r1"}]
    assert paid == ["sync", "async"]


async def test_a_step_that_failed_runs_again(app: Stanchion) -> None:
    tries: list[int] = []

    @app.task(retry=Retry(backoff=AT_ONCE))
    async def order(ctx: Context) -> int:
        def pay() -> int:
            tries.append(ctx.attempt)
            return 1 // (ctx.attempt - 1)

        return await ctx.step("pay", pay)

    async with working(app):
        assert await (await order.enqueue()).result(SOON) == 1
    assert tries == [1, 2]


async def test_a_plain_function_has_the_same_context_in_its_thread(app: Stanchion) -> None:
    paid: list[int] = []

    @app.task(retry=Retry(backoff=AT_ONCE))
    def order(ctx: SyncContext) -> int:
        number = ctx.step("pay", lambda: len(paid) + 1)
        paid.append(number)
        ctx.progress(1, 2)
        ctx.preview(b"\x89PNG")
        ctx.output("a")
        ctx.write_log("line")
        ctx.cost("0.10")
        if ctx.attempt == 1:
            raise RuntimeError
        return number

    async with working(app):
        job = await order.enqueue()
        assert await job.result(SOON) == 1
    assert paid == [1, 1]
    assert [chunk.data for chunk in await app.store.outputs(job.id)] == [b"a"]
    assert [line.message for line in await app.store.logs(job.id)] == ["line", "line"]


async def test_progress_is_written_at_a_pace_and_the_last_is_kept_while_running(app: Stanchion) -> None:
    reported, go = asyncio.Event(), asyncio.Event()

    @app.task
    async def report(ctx: Context) -> None:
        for index in range(1, 101):
            await ctx.progress(index, 100, unit="step", stage="s" * 600)
        reported.set()
        await go.wait()

    written = 0
    note = (await app.open()).store.note

    async def counted(batch: Any) -> list[bool]:
        nonlocal written
        written += len(batch)
        return await note(batch)

    async def latest() -> Progress | None:
        progress = (await job.refresh()).facts.progress
        return progress if progress is not None and progress.index >= 100 else None

    app.store.note = counted
    async with working(app):
        job = await report.enqueue()
        await reported.wait()
        progress = await until(latest)
        assert (progress.index, progress.length, progress.unit, len(progress.stage or "")) == (100, 100, "step", 500)
        go.set()
        await job.result(SOON)
    assert job.facts.progress is None
    assert written <= 3


async def test_the_latest_preview_is_shown_until_the_end(app: Stanchion) -> None:
    go = asyncio.Event()

    @app.task
    async def draw(ctx: Context) -> None:
        await ctx.preview(Image(b"\x89PNG 1"), step=1)
        await go.wait()

    async with working(app):
        job = await draw.enqueue()
        await in_state(job, "running")
        shown = await until(lambda: app.store.preview(job.id))
        assert shown is not None
        assert (shown.data, shown.step) == (b"\x89PNG 1", 1)
        go.set()
        await job.result(SOON)
    assert await app.store.preview(job.id) is None


async def test_a_preview_or_a_chunk_that_is_too_large_is_refused(app: Stanchion) -> None:
    @app.task(retry=1)
    async def give(ctx: Context, what: str) -> None:
        if what == "preview":
            await ctx.preview(b"x" * 300_000)
        await ctx.output("x" * 1_000_001)

    async with working(app):
        for what in ("preview", "chunk"):
            job = await give.enqueue(what)
            assert await ended(job) == "failed"
            assert job.error is not None
            assert (job.error.kind, "the limit is" in job.error.message) == ("validation", True)


async def test_outputs_keep_their_order_and_start_anew_with_each_attempt(app: Stanchion) -> None:
    @app.task(retry=Retry(backoff=AT_ONCE))
    async def write(ctx: Context) -> None:
        await ctx.output(f"{ctx.attempt}")
        await asyncio.gather(*(ctx.output(bytes([n])) for n in range(20)))
        await ctx.output(File(b"end", name="end.txt"))
        if ctx.attempt == 1:
            raise RuntimeError

    async with working(app):
        job = await write.enqueue()
        await job.result(SOON)
    outputs = await app.store.outputs(job.id)
    assert [output.index for output in outputs] == list(range(22))
    assert [output.data for output in outputs[:21]] == [b"2", *(bytes([n]) for n in range(20))]
    assert (outputs[21].kind, outputs[21].name, outputs[21].size) == ("artifact", "end.txt", 3)
    assert app.artifacts.get(outputs[21].artifact or "") == b"end"


async def test_costs_of_all_attempts_are_kept(app: Stanchion) -> None:
    @app.task(retry=Retry(backoff=AT_ONCE))
    async def spend(ctx: Context) -> None:
        await ctx.cost(Decimal("0.10"))
        await ctx.cost(3, "credits")
        if ctx.attempt == 1:
            raise RuntimeError

    async with working(app):
        job = await spend.enqueue()
        await job.result(SOON)
    costs = await app.store.costs(job.id)
    assert [(cost.attempt, cost.amount, cost.unit) for cost in costs] == [
        (1, "0.10", "USD"),
        (1, "3", "credits"),
        (2, "0.10", "USD"),
        (2, "3", "credits"),
    ]


async def test_log_lines_go_to_the_job_and_logger_lines_carry_the_job(
    app: Stanchion, caplog: pytest.LogCaptureFixture
) -> None:
    @app.task
    async def talk(ctx: Context) -> None:
        await ctx.write_log("for its owner", level="warning")
        ctx.log.warning("for the operator")

    async with working(app):
        job = await talk.options(correlation_id="c-9").enqueue()
        await job.result(SOON)
    assert [(line.level, line.message) for line in await app.store.logs(job.id)] == [("warning", "for its owner")]
    (record,) = [record for record in caplog.records if record.getMessage() == "for the operator"]
    assert record.levelno == logging.WARNING
    assert (record.__dict__["job"], record.__dict__["correlation_id"]) == (job.id, "c-9")
