"""Models as tasks name them, and as workers have them loaded."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from stanchion import Context, PayloadError, Stanchion, SyncContext, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def app() -> AsyncIterator[Stanchion]:
    async with Stanchion("memory://") as made:
        yield made


async def test_a_task_names_its_model(app: Stanchion) -> None:
    @app.task(model="flux")
    async def draw(n: int) -> int:
        return n

    job = await draw.enqueue(1)
    assert (await job.refresh()).facts.model == "flux"
    other = await draw.options(model="sdxl").enqueue(1)
    assert (await other.refresh()).facts.model == "sdxl"
    none = await draw.options(model="").enqueue(1)
    assert (await none.refresh()).facts.model == ""


async def test_a_task_may_name_its_model_by_its_arguments(app: Stanchion) -> None:
    @app.task(model=lambda quality="fast": "big" if quality == "best" else None)
    async def draw(prompt: str, quality: str = "fast") -> str:
        return prompt + quality

    models = [(await job.refresh()).facts.model for job in (await draw.enqueue("x"), await draw.enqueue("x", "best"))]
    assert models == ["", "big"]
    assert (await (await draw.options(model="own").enqueue("x")).refresh()).facts.model == "own"


@pytest.mark.parametrize(
    ("model", "why"), [(lambda n: n, "not a name"), (lambda n: 1 // n, "ZeroDivision"), (lambda n: "a\n", "printable")]
)
async def test_a_model_that_cannot_be_told_is_refused_and_nothing_is_stored(app: Stanchion, model, why: str) -> None:
    @app.task(model=model)
    async def draw(n: int) -> int:
        return n

    with pytest.raises(PayloadError, match=why):
        await draw.enqueue(0)
    assert await app.jobs() == []


@pytest.mark.parametrize("model", [7, lambda size: "x", "x" * 201, " x", "a\nb"])
def test_a_model_that_cannot_be_used_is_refused_where_the_task_is_defined(model) -> None:
    with pytest.raises(UsageError):
        Stanchion("memory://").task_of(lambda n: n, name="draw", model=model)


async def test_a_worker_runs_jobs_of_one_model_together_and_shows_what_is_loaded(app: Stanchion) -> None:
    order: list[str] = []

    @app.task(model=lambda name: name)
    async def draw(name: str) -> None:
        order.append(name)

    for name in "abababab":
        await draw.enqueue(name)
    await app.run_worker(slots=1, burst=True)
    assert sum(one != two for one, two in pairwise(order)) == 1
    (row,) = await app.workers()
    assert (row.warm, row.swaps) == (("b",) if order[-1] == "b" else ("a",), 2)


@pytest.mark.parametrize("blocking", [False, True])
async def test_a_handler_says_what_else_it_has_loaded(app: Stanchion, *, blocking: bool) -> None:
    def told(ctx: SyncContext) -> None:
        ctx.warm("lora")

    async def tell(ctx: Context) -> None:
        ctx.warm("lora")
        with pytest.raises(ValueError, match="printable"):
            ctx.warm(" lora")

    task = app.task_of(told if blocking else tell, name="tell", model="flux")
    await task.enqueue()
    await app.run_worker(slots=1, burst=True, models=2)
    (row,) = await app.workers()
    assert row.warm == ("flux", "lora")


async def test_a_queue_bounds_affinity(app: Stanchion) -> None:
    assert (await app.queue("x").affinity(jobs=3)).affinity == (3, 30_000)
    assert (await app.queue("x").affinity(seconds="2m")).affinity == (3, 120_000)
    assert (await app.queue("x").affinity(jobs=0)).affinity.off
    for jobs in (-1, 101):
        with pytest.raises(UsageError):
            await app.queue("x").affinity(jobs=jobs)
    with pytest.raises(UsageError):
        await app.queue("x").affinity(seconds="2d")


async def test_two_workers_with_one_store_share_the_bound(app: Stanchion) -> None:
    order: list[str] = []

    @app.task(model=lambda name: name)
    async def draw(name: str) -> None:
        order.append(name)
        await asyncio.sleep(0)

    await draw.enqueue("b")
    for _ in range(30):
        await draw.enqueue("a")
    await asyncio.gather(*(app.run_worker(slots=1, burst=True) for _ in range(2)))
    assert sorted(order) == ["a"] * 30 + ["b"]
    assert order.index("b") <= 9
