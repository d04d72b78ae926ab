"""Jobs that run together in a process of their own: one pipe for all, killed together, lost each on its own."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
import pytest

from stanchion import JobCancelledError, JobFailedError, Stanchion
from stanchion.entry import ChildOptions, load_app
from tests.engine.helpers import SOON, in_state, outcomes, until

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from stanchion import Job

TASKS = """
import asyncio, os, time
from pathlib import Path
from stanchion import Backoff, Batch, Items, Retry, Stanchion, SyncItems

app = Stanchion("memory://", artifacts="kept")
retry = Retry(backoff=Backoff(base=0))

def task(**options):
    return app.task(isolation="process", batch=Batch(max_size=4), **options)

@task(retry=1)
async def report(n: int) -> list[int]:
    return [n, 0]

@report.together
async def reports(items: Items) -> list[list[int] | Exception]:
    await items.progress(1, 2, stage="half")
    for item in items:
        await item.ctx.output(f"piece {item.args['n']}")
        await item.ctx.step("pay", lambda: item.args["n"])
    return [ValueError("odd") if item.args["n"] == 3 else [item.args["n"], os.getpid()] for item in items]

@task(retry=retry)
async def crash(n: int) -> int:
    return n

@crash.together
async def crashes(items: Items) -> list[int]:
    os._exit(3)

@task(retry=1, timeout=0.5)
def hang(n: int) -> int:
    return n

@hang.together
def hangs(items: SyncItems) -> list[int]:
    time.sleep(60)
    return []

@task()
async def soft(n: int) -> int:
    return n

@soft.together
async def softly(items: Items) -> list[int]:
    Path("began").touch()
    while not items[0].ctx.cancelled:
        await asyncio.sleep(0.01)
    return [item.args["n"] for item in items]

@task()
async def large(n: int) -> int:
    return n

@large.together
async def larges(items: Items) -> list[int]:
    if len(items) > 2:
        raise MemoryError
    return [len(items)] * len(items)
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
async def working(app: Stanchion) -> AsyncGenerator[None]:
    """Run a worker that has cells."""
    given = msgspec.json.encode(ChildOptions(target=app.target or "", log_level="error")).decode()
    stop = asyncio.Event()
    worker = app.worker(cell_command=[sys.executable, "-m", "stanchion.entry", "cell", given], slots=1)
    work = asyncio.create_task(worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(SOON):
            await work


async def add(app: Stanchion, task: str, count: int = 4) -> list[Job[Any]]:
    return await app.tasks[task].enqueue_many([{"n": n} for n in range(count)])


async def test_results_and_reports_of_each_job_come_over_one_pipe_and_the_cell_is_kept(cells: Stanchion) -> None:
    jobs = await add(cells, "report", 8)
    async with working(cells):
        first = [await job.result(SOON) for job in jobs[:3]]
        later = await jobs[7].result(SOON)
        with pytest.raises(JobFailedError, match="odd"):
            await jobs[3].result(SOON)
    assert [result[0] for result in first] == [0, 1, 2]
    assert len({result[1] for result in [*first, later]}) == 1
    for n, job in enumerate(jobs[:3]):
        assert [output.data for output in await cells.store.outputs(job.id)] == [f"piece {n}".encode()]
        (facts,) = await cells.store.inspect([job.id])
        assert facts is not None
        assert await cells.store.steps(facts.ref) == {"pay": str(n).encode()}


async def test_jobs_that_end_their_process_together_are_lost_each_and_then_run_alone(cells: Stanchion) -> None:
    jobs = await add(cells, "crash")
    async with working(cells):
        assert [await job.result(SOON) for job in jobs] == [0, 1, 2, 3]
    for job in jobs:
        assert await outcomes(cells, job) == ["lost", "completed"]


async def test_the_process_of_a_call_that_hangs_is_killed_and_each_job_timed_out(cells: Stanchion) -> None:
    jobs = await add(cells, "hang", 2)
    async with working(cells):
        for job in jobs:
            with pytest.raises(JobFailedError, match="killed"):
                await job.result(SOON)


async def test_a_cancel_of_one_reaches_it_and_the_others_go_on(cells: Stanchion, folder: Path) -> None:
    jobs = await add(cells, "soft", 3)
    async with working(cells):
        await until((folder / "began").exists)
        await jobs[0].cancel()
        assert [await job.result(SOON) for job in jobs[1:]] == [1, 2]
        with pytest.raises(JobCancelledError):
            await jobs[0].result(SOON)


async def test_a_cancel_of_all_ends_the_call(cells: Stanchion, folder: Path) -> None:
    jobs = await add(cells, "soft", 2)
    async with working(cells):
        await until((folder / "began").exists)
        for job in reversed(jobs):
            await job.cancel()
        for job in jobs:
            await in_state(job, "cancelled")


async def test_a_call_without_memory_is_halved_there_and_the_worker_remembers(cells: Stanchion) -> None:
    jobs = await add(cells, "large")
    async with working(cells):
        assert [await job.result(SOON) for job in jobs] == [2, 2, 2, 2]
        more = await add(cells, "large")
        assert [await job.result(SOON) for job in more] == [2, 2, 2, 2]
