"""Resources as an application uses them: asked for by tasks, had by workers, seen and given back by handlers."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
import pytest

from stanchion import Context, Stanchion, UsageError
from stanchion.domain.job import State
from stanchion.domain.policy import PROFILES
from stanchion.domain.resources import Resource
from stanchion.engine.supervise import Supervisor
from stanchion.entry import ChildOptions, child_command, load_app
from tests.engine.helpers import SOON, until, working

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping
    from pathlib import Path

    from stanchion.domain.resources import Given

TASKS = """
import os
from pathlib import Path
from stanchion import Context, Stanchion, SyncContext

app = Stanchion("sqlite:///jobs.db")

@app.task(resources={"gpu": 1})
async def draw(ctx: Context) -> int:
    os.close(os.open("busy", os.O_CREAT | os.O_EXCL))  # fails where another is drawing
    while not Path("go").exists() and ctx.job.tags == ("wait",):
        import asyncio
        await asyncio.sleep(0.005)
    os.unlink("busy")
    return os.getpid()

@app.task(resources={"gpu": 1}, isolation="process")
def sees(ctx: SyncContext) -> list:
    before = ctx.devices["gpu"]
    ctx.release("gpu")
    return [os.environ.get("CUDA_VISIBLE_DEVICES"), *before, os.getpid()]

@app.task(isolation="process")
def plain() -> list:
    return [os.environ.get("CUDA_VISIBLE_DEVICES"), os.getpid()]
"""


@pytest.fixture
async def app(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stanchion]:
    name = f"holders_{uuid4().hex}"
    (folder / f"{name}.py").write_text(TASKS)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    async with load_app(f"{name}:app") as made:
        yield made


async def waits(app: Stanchion, name: str, count: int) -> None:
    """Wait until so many jobs wait for a resource."""

    async def true() -> bool:
        return any((one.name, one.waiting) == (name, count) for one in await app.resources.list())

    await until(true)


async def test_a_handler_sees_its_devices_and_two_gpus_serve_two_jobs(filed: Stanchion) -> None:
    seen: list[Mapping[str, tuple[str, ...]]] = []
    both = asyncio.Event()

    @filed.task(resources={"gpu": 1, "vram_gb": 8})
    async def draw(ctx: Context) -> None:
        seen.append(ctx.devices)
        if len(seen) == 2:
            both.set()
        await both.wait()

    async with working(filed, resources={"gpu": ["left", "right"], "vram_gb": 24}):
        for job in [await draw.enqueue() for _ in range(2)]:
            await job.result(SOON)
        (row,) = await filed.workers()
        assert row.info.resources == {"gpu:left": 1, "gpu:right": 1, "vram_gb": 24}
        assert await filed.resources.list() == [Resource("gpu", 2), Resource("vram_gb", 24)]
    assert sorted(seen, key=str) == [{"gpu": ("left",)}, {"gpu": ("right",)}]


async def test_what_is_given_back_early_lets_the_next_job_overlap(filed: Stanchion) -> None:
    begun = asyncio.Semaphore(0)
    go = asyncio.Event()

    @filed.task(resources=["gpu"])
    async def draw(ctx: Context) -> None:
        await ctx.release("gpu")
        await ctx.release("gpu")
        begun.release()
        await go.wait()

    async with working(filed, resources={"gpu": 1}):
        jobs = [await draw.enqueue() for _ in range(3)]
        async with asyncio.timeout(SOON):
            for _ in jobs:
                await begun.acquire()
        assert await filed.resources.list() == [Resource("gpu", 1)]
        go.set()
        for job in jobs:
            await job.result(SOON)


async def test_what_a_job_never_held_it_cannot_give_back(filed: Stanchion) -> None:
    told: list[str] = []

    @filed.task(resources={"gpu": 1})
    async def draw(ctx: Context) -> None:
        for name in ("vram_gb", "gpu:7"):
            with pytest.raises(UsageError) as refused:
                await ctx.release(name)
            told.append(refused.value.remedy or "")
        assert [one.used for one in await filed.resources.list()] == [1]

    async with working(filed, resources={"gpu": 1}):
        await (await draw.enqueue()).result(SOON)
    assert "resources={'vram_gb': 1}" in told[0]


async def test_a_request_may_ask_for_other_resources_than_its_task(filed: Stanchion) -> None:
    @filed.task(resources={"gpu": 1})
    async def draw(ctx: Context) -> dict[str, tuple[str, ...]]:
        return ctx.devices

    async with working(filed, resources={"gpu": 2}):
        assert await (await draw.options(resources={}).enqueue()).result(SOON) == {}
        assert await (await draw.options(resources={"gpu:1": 1}).enqueue()).result(SOON) == {"gpu": ("1",)}
        job = await draw.options(resources={"gpu": 3}).enqueue()
        await waits(filed, "gpu", 1)
        place = await job.position()
        assert (place.position, place.reason, place.key) == (None, "resource", "resource:gpu")
        await job.cancel()


async def test_a_shared_resource_is_set_listed_and_dropped(filed: Stanchion) -> None:
    running = 0

    @filed.task(resources={"slots": 2})
    async def draw() -> None:
        nonlocal running
        running += 1
        assert running <= 2
        await asyncio.sleep(0)
        running -= 1

    async with working(filed):
        jobs = [await draw.enqueue() for _ in range(6)]
        await waits(filed, "slots", 6)
        await filed.resources.set("slots", 5)
        for job in jobs:
            await job.result(SOON)
        assert await filed.resources.list() == [Resource("slots", 5, shared=True)]
        assert await filed.resources.drop("slots")
        assert not await filed.resources.drop("slots")


@pytest.mark.parametrize(
    "given",
    [
        {"gpu": 0},
        {"gpu": -1},
        {"": 1},
        {"a b": 1},
        {"x": True},
        {"x:y:z": 1},
        {"gpu": 65},
        {"x": 1, "x:0": 1},
        {"x": {}},
    ],
)
def test_what_a_worker_cannot_have_is_refused_or_nothing(given: Given) -> None:
    from stanchion.domain.resources import advertised

    if given == {"x": {}}:
        assert advertised(given) == {}
        return
    with pytest.raises(UsageError):
        advertised(given)


@pytest.mark.parametrize("given", [{"gpu": 0}, {"gpu": 1.5}, {"gpu": 1, "gpu:0": 1}, {"a/b": 1}, ["x", "é"]])
def test_what_a_task_cannot_ask_for_is_refused(given: Any) -> None:
    with pytest.raises(UsageError):
        Stanchion("memory://").task_of(lambda: None, name="t", resources=given)


def test_a_resource_is_no_limit() -> None:
    with pytest.raises(UsageError, match="no limit"):
        Stanchion("memory://").task_of(lambda: None, name="t", limits=["resource:gpu"])


@asynccontextmanager
async def supervised(app: Stanchion, processes: int) -> AsyncGenerator[Supervisor]:
    """Run a supervisor whose children share one GPU."""
    options = ChildOptions(
        target=app.target or "", grace=5.0, log_level="error", supervisor="tree", resources={"gpu:0": 1}
    )
    made = Supervisor(
        child_command(options),
        store=app.store,
        artifacts=app.artifacts,
        profile=PROFILES["fast"],
        processes=processes,
        grace=5.0,
    )
    stop = asyncio.Event()
    work = asyncio.create_task(made.run(stop))
    try:
        yield made
    finally:
        stop.set()
        async with asyncio.timeout(SOON):
            await work


async def test_the_children_of_a_supervisor_never_use_its_gpu_at_once(app: Stanchion, folder: Path) -> None:
    draw = app.tasks["draw"]
    async with supervised(app, 2) as tree:
        first = await draw.options(tags=["wait"]).enqueue()
        await until((folder / "busy").exists)

        async def both() -> bool:
            return len([row for row in await app.workers() if row.alive]) == 2

        await until(both)
        jobs = [await draw.enqueue() for _ in range(20)]
        await waits(app, "gpu", 20)
        assert await app.resources.list() == [Resource("gpu", 1, 1, 20)]
        (folder / "go").touch()
        pids = {await job.result(SOON) for job in (first, *jobs)}
        assert pids <= set(tree.children)
        assert await app.resources.list() == [Resource("gpu", 1)]


async def test_a_process_of_its_own_sees_the_devices_it_was_given_and_no_others(app: Stanchion) -> None:
    given = msgspec.json.encode(ChildOptions(target=app.target or "", log_level="error")).decode()
    cell = [sys.executable, "-m", "stanchion.entry", "cell", given]

    async def work(given: Given | None, *names: str) -> list[list[Any]]:
        stop = asyncio.Event()
        running = asyncio.create_task(app.worker(cell_command=cell, slots=1, resources=given).run(stop))
        try:
            return [await (await app.tasks[name].enqueue()).result(SOON) for name in names]
        finally:
            stop.set()
            async with asyncio.timeout(SOON):
                await running

    one, two, three, four = await work({"gpu": ["3"]}, "sees", "sees", "plain", "sees")
    assert one[:2] == two[:2] == four[:2] == ["3", "3"]
    assert one[2] == two[2], "a process that sees the same devices is kept"
    assert three[0] == ""
    assert three[1] not in (one[2], four[2])
    (there,) = await work(None, "plain")
    assert there[0] == os.environ.get("CUDA_VISIBLE_DEVICES")


async def test_who_waits_for_a_resource_of_which_there_is_none_is_demand_for_a_worker(filed: Stanchion) -> None:
    @filed.task(resources={"gpu": 1})
    async def draw() -> None:
        """Draw."""

    await draw.enqueue()
    async with working(filed):
        await waits(filed, "gpu", 1)
    assert (await filed.store.loads(60_000))["default"].held == 0
    async with working(filed, resources={"gpu": 1, "disk": 1}):

        async def done() -> bool:
            return (await filed.stats())[0].counts[State.COMPLETED] == 1

        await until(done)
