"""Handlers in processes of their own: killed alone, and never trusted with the store."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
import pytest

from stanchion import JobCancelledError, Stanchion, chord, group
from stanchion.entry import ChildOptions, load_app
from tests.engine.helpers import SOON, ended, in_state, outcomes, until

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

TASKS = """
import asyncio, os, time
from pathlib import Path
from stanchion import Backoff, Context, Image, Retry, Stanchion, SyncContext, TaskError

app = Stanchion("memory://", artifacts="kept")
retry = Retry(backoff=Backoff(base=0))

@app.task(isolation="process")
async def report(ctx: Context, n: int) -> dict[str, int]:
    await ctx.progress(1, 2, stage="half")
    await ctx.output("chunk")
    await ctx.write_log("line")
    await ctx.cost("0.5")
    return {"pid": os.getpid(), "n": n}

@app.task(isolation="process")
async def family(ctx: Context, numbers: list[int]) -> list:
    return [numbers, [(parent.task, parent.state, parent.result) for parent in await ctx.parents()]]

@app.task
async def number(n: int) -> int:
    return n

@app.task(isolation="process")
def picture(ctx: SyncContext) -> Image:
    ctx.preview(b"\\x89PNG early")
    return Image(b"\\x89PNG bytes", name="p.png")

@app.task(isolation="process", retry=retry)
async def crash() -> None:
    os._exit(3)

@app.task(isolation="process", retry=retry)
async def pay_then_crash(ctx: Context) -> str:
    def pay() -> str:
        with Path("paid").open("a") as file:
            file.write("x")
        return "receipt"
    receipt = await ctx.step("pay", pay)
    if ctx.attempt == 1:
        os._exit(1)
    return receipt

@app.task(isolation="process", retry=1)
def hang() -> None:
    time.sleep(60)

@app.task(isolation="process", retry=1)
async def refuse() -> None:
    raise TaskError("no such style", kind="content_policy")

@app.task(isolation="process")
async def soft() -> None:
    Path("began").touch()
    try:
        await asyncio.Event().wait()
    finally:
        Path("cleaned").touch()

@app.task(isolation="process")
def deaf() -> None:
    Path("began").touch()
    time.sleep(60)
"""


@pytest.fixture
async def cells(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stanchion]:
    """An open app whose module a cell can import."""
    name = f"cells_{uuid4().hex}"
    (folder / f"{name}.py").write_text(TASKS)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    async with load_app(f"{name}:app") as app:
        yield app


@asynccontextmanager
async def working(app: Stanchion, **options: Any) -> AsyncGenerator[None]:
    """Run a worker that has cells."""
    given = msgspec.json.encode(ChildOptions(target=app.target or "", log_level="error")).decode()
    stop = asyncio.Event()
    worker = app.worker(cell_command=[sys.executable, "-m", "stanchion.entry", "cell", given], **options)
    work = asyncio.create_task(worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(SOON):
            await work


async def test_a_result_and_all_reports_come_over_the_pipe_and_a_cell_is_kept(cells: Stanchion) -> None:
    async with working(cells, slots=1):
        first = await cells.tasks["report"].enqueue(n=1)
        one = await first.result(SOON)
        two = await (await cells.tasks["report"].enqueue(n=2)).result(SOON)
        assert (one["n"], two["n"], one["pid"]) == (1, 2, two["pid"])
        assert one["pid"] != os.getpid()
        assert [chunk.data for chunk in await cells.store.outputs(first.id)] == [b"chunk"]
        assert [line.message for line in await cells.store.logs(first.id)] == ["line"]
        assert [cost.amount for cost in await cells.store.costs(first.id)] == ["0.5"]
        image = await (await cells.tasks["picture"].enqueue()).result(SOON)
        assert (image.data, image.name) == (b"\x89PNG bytes", "p.png")


async def test_the_results_of_parents_reach_a_cell(cells: Stanchion) -> None:
    number, family = cells.tasks["number"], cells.tasks["family"]
    async with working(cells):
        workflow = await chord(group(number.request(1), number.request(2)), family).enqueue()
        assert await workflow.result(SOON) == [[1, 2], [["number", "completed", 1], ["number", "completed", 2]]]


async def test_a_handler_whose_process_dies_is_quarantined_after_three(cells: Stanchion) -> None:
    async with working(cells):
        job = await cells.tasks["crash"].enqueue()
        assert await ended(job) == "failed"
        assert await outcomes(cells, job) == ["lost"] * 3
    assert job.error is not None
    assert (job.error.kind, job.facts.spent, job.facts.crashes) == ("worker_lost", 0, 3)
    assert "exit code 3" in job.error.message
    assert "quarantined" in job.error.message


async def test_a_step_is_not_repeated_after_a_crash(cells: Stanchion, folder: Path) -> None:
    async with working(cells):
        job = await cells.tasks["pay_then_crash"].enqueue()
        assert await job.result(SOON) == "receipt"
        assert await outcomes(cells, job) == ["lost", "completed"]
    assert (folder / "paid").read_text() == "x"


async def test_a_handler_that_hangs_is_killed_at_its_timeout(cells: Stanchion) -> None:
    async with working(cells, slots=1):
        job = await cells.tasks["hang"].options(timeout=1.5).enqueue()
        assert await ended(job) == "failed"
        assert job.error is not None
        assert (job.error.kind, "killed" in job.error.message) == ("timeout", True)
        assert (await (await cells.tasks["report"].enqueue(n=3)).result(SOON))["n"] == 3


async def test_an_error_keeps_its_kind_over_the_pipe(cells: Stanchion) -> None:
    async with working(cells):
        job = await cells.tasks["refuse"].enqueue()
        assert await ended(job) == "failed"
    assert job.error is not None
    assert (job.error.kind, job.error.message) == ("content_policy", "no such style")


async def test_a_cancel_asks_softly_first(cells: Stanchion, folder: Path) -> None:
    async with working(cells):
        job = await cells.tasks["soft"].enqueue()
        await until((folder / "began").exists)
        await job.cancel()
        with pytest.raises(JobCancelledError):
            await job.result(SOON)
    assert (folder / "cleaned").exists()


async def test_a_handler_that_does_not_stop_when_asked_is_killed(
    cells: Stanchion, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stanchion.engine.cells.SOFT_CANCEL", 0.1)
    async with working(cells):
        job = await cells.tasks["deaf"].enqueue()
        await until((folder / "began").exists)
        await job.cancel()
        with pytest.raises(JobCancelledError):
            await job.result(SOON)


async def test_a_stop_gives_the_job_of_a_cell_back_unspent(
    cells: Stanchion, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stanchion.engine.cells.SOFT_CANCEL", 0.1)
    async with working(cells, grace=0):
        job = await cells.tasks["deaf"].enqueue()
        await until((folder / "began").exists)
    await in_state(job, "queued")
    assert (job.facts.spent, await outcomes(cells, job)) == (0, ["released"])
