"""Costs of requests, durations learned from what ran, and the time left that follows."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from stanchion import File, JobOptions, PayloadError, Stanchion, UsageError
from stanchion.domain.estimates import Durations, Ended, Work
from stanchion.domain.job import NewJob
from stanchion.domain.policy import PROFILES
from stanchion.engine.artifacts import Artifacts
from stanchion.engine.gather import GATHERED
from stanchion.engine.maintain import Maintainer
from stanchion.engine.submit import Submission
from stanchion.store import Want, WorkerInfo
from tests.engine.helpers import SOON, until, working

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


async def size_of(app: Stanchion, task: str, **args: Any) -> float | None:
    return (await app.prepare(Submission(task, args))).size


async def teach(app: Stanchion, work: Work, took: int = 10_000) -> None:
    """Let the store know what a kind of work takes."""
    lesson = await app.store.lessons(10_000)
    known = Durations().learned([Ended(work, took) for _ in range(30)], app.store.now())
    assert await app.store.learn(lesson.since, lesson.upto, known.seen)


async def joined(app: Stanchion, *tasks: str, slots: int = 1) -> int:
    info = WorkerInfo(incarnation="w", host="h", pid=1, slots=slots, queues=None, tasks=tasks)
    return await app.store.register(info, 60_000)


async def test_a_task_tells_the_cost_of_a_request_from_its_arguments(app: Stanchion) -> None:
    @app.task(cost=lambda prompt, size=64: len(prompt) + size * size)
    async def sprite(prompt: str, size: int = 64) -> str:
        return prompt * size

    assert await size_of(app, "sprite", prompt="orc", size=8) == 67
    assert await size_of(app, "sprite", prompt="orc") == 3 + 64 * 64
    job = await sprite.options(tags=["t"]).enqueue("orc", size=2)
    await joined(app, "sprite")
    outlook = await app.store.outlook([job.id])
    assert outlook.jobs[job.id].work == Work("sprite", 3)


async def test_a_cost_takes_those_arguments_that_it_names(app: Stanchion) -> None:
    def steps(*, steps: int) -> int:
        return steps

    async def draw(prompt: str, steps: int = 20, image: File | None = None) -> None:
        pass

    app.task(name="one", cost=steps)(draw)
    app.task(name="all", cost=lambda **given: len(given))(draw)
    app.task(name="none", cost=lambda: 5)(draw)
    assert await size_of(app, "one", prompt="x", steps=7) == 7
    assert await size_of(app, "all", prompt="x") == 3
    assert await size_of(app, "none", prompt="x", image=File(b"x")) == 5


async def test_a_task_without_a_cost_stores_none(app: Stanchion) -> None:
    @app.task
    async def plain(n: int = 1) -> None:
        pass

    assert await size_of(app, "plain") is None
    assert plain.spec.plain == NewJob("", "plain", b"", crash_budget=plain.spec.policy.crash_budget)[3:]


BAD: dict[str, tuple[Callable[[int], Any], str]] = {
    "raises": (lambda n: 1 / n, "raised ZeroDivisionError: division by zero"),
    "zero": (lambda n: n, "its cost is 0, and must be finite and above 0"),
    "negative": (lambda n: n - 1, "its cost is -1"),
    "nan": (lambda n: math.nan + n, "its cost is nan"),
    "infinite": (lambda n: math.inf + n, "its cost is inf"),
    "huge": (lambda n: 10**400 + n, "too large"),
    "text": (lambda n: f"{n}", "returned a str, not a number"),
    "truth": (lambda n: n == 0, "returned a bool"),
    "fraction": (lambda n: Fraction(n + 1), "returned a Fraction"),
    "nothing": (lambda n: None if n == 0 else n, "returned a NoneType"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_cost_that_cannot_be_told_refuses_the_request(app: Stanchion, name: str) -> None:
    cost, words = BAD[name]

    @app.task(cost=cost)
    async def work(n: int) -> None:
        pass

    with pytest.raises(PayloadError, match="The cost of this request for task 'work' cannot be told") as caught:
        await work.enqueue(0)
    assert words in str(caught.value)
    assert caught.value.code == "validation"
    (where, why), *_ = caught.value.problems
    assert where == ""
    assert words in why
    assert sum(sum(queue.counts.values()) for queue in await app.store.stats()) == 0


@pytest.mark.parametrize("cost", [lambda other: other, lambda *all_: all_, 7], ids=["unknown", "starred", "a number"])
def test_a_cost_that_does_not_fit_its_task_is_refused_where_it_is_defined(app: Stanchion, cost: Any) -> None:
    with pytest.raises(UsageError, match="The cost of task 'work'"):

        @app.task(cost=cost)
        async def work(n: int) -> None:
            pass


async def test_arguments_that_are_not_there_yet_have_no_cost(app: Stanchion) -> None:
    @app.task
    async def count() -> int:
        return 3

    @app.task(cost=lambda n: n)
    async def use(n: int) -> int:
        return n

    parent = await count.enqueue()
    late = Submission("use", {"n": GATHERED}, JobOptions(depends_on=[parent]))
    assert (await app.prepare(late)).size is None
    known = Submission("use", {"n": 3}, JobOptions(depends_on=[parent]))
    assert (await app.prepare(known)).size == 3


async def test_what_ran_is_learned_by_upkeep(filed: Stanchion, tmp_path: Path) -> None:
    @filed.task(cost=lambda n: n)
    async def work(n: int) -> int:
        return n

    async with working(filed):
        for job in [await work.enqueue(4) for _ in range(5)]:
            await job.result(SOON)
    maintainer = Maintainer(filed.store, Artifacts(tmp_path / "files"), PROFILES["fast"])
    assert not await maintainer.maintain()
    known = await filed.store.durations()
    assert known.seen[Work("work", 3)].took.weight(known.now) == pytest.approx(5, rel=0.01)


async def test_a_position_tells_the_time_left(app: Stanchion) -> None:
    @app.task
    async def work() -> None:
        pass

    first, second, third = [await work.enqueue() for _ in range(3)]
    assert (await first.position()).eta is None
    await teach(app, Work("work"))
    assert (await first.position()).eta is None, "nobody serves it"
    await joined(app, "work")
    places = [await job.position() for job in (first, second, third)]
    assert [place.position for place in places] == [1, 2, 3]
    starts = [place.eta.starts_in.p50 for place in places if place.eta is not None]
    assert starts == [0, pytest.approx(10_000, rel=0.1), pytest.approx(20_000, rel=0.1)]


@pytest.mark.parametrize("why", ["paused", "parked", "scheduled", "ended"])
async def test_what_cannot_start_has_no_time_left(app: Stanchion, why: str) -> None:
    @app.task
    async def work() -> None:
        pass

    await app.open()
    await teach(app, Work("work"))
    worker = await joined(app, "work")
    job = await work.options(delay=60 if why == "scheduled" else 0, limits=["provider:p"]).enqueue()
    if why == "paused":
        await app.queue("default").pause()
    elif why == "parked":
        await app.limits.park("provider:p", 60)
        assert not (await app.store.claim(worker, Want(1, frozenset({"work"}))))[1].leases
    elif why == "ended":
        await job.cancel()
    place = await job.position()
    assert place.position is None
    assert place.eta is None


async def test_a_running_job_tells_when_it_ends(app: Stanchion) -> None:
    go = asyncio.Event()

    @app.task
    async def work() -> None:
        await go.wait()

    await app.open()
    await teach(app, Work("work"), 3_600_000)
    async with working(app):
        job = await work.enqueue()
        await until(lambda: running(job))
        place = await job.position()
        assert place.eta is not None
        assert place.eta.starts_in == (0, 0)
        assert 3_000_000 < place.eta.finishes_in.p50 < 3_700_000
        assert not place.eta.late
        go.set()
        await job.result(SOON)


async def running(job: Any) -> bool:
    return (await job.position()).position == 0


async def test_those_who_watch_are_told_the_time_left_with_their_place(app: Stanchion) -> None:
    @app.task
    async def work() -> None:
        pass

    await app.open()
    await teach(app, Work("work"))
    await joined(app, "work")
    first, second = await work.enqueue(), await work.enqueue()
    events = second.events()
    async with asyncio.timeout(SOON):
        assert (await anext(events)).kind == "status"
        told = await anext(events)
        assert (told.kind, told.position) == ("position", 2)
        assert told.eta is not None
        assert told.eta.starts_in.p50 == pytest.approx(10_000, rel=0.1)
        await first.cancel()
        told = await anext(events)
        assert (told.kind, told.position) == ("position", 1)
        assert told.eta is not None
        assert told.eta.starts_in.p50 == 0
    assert isinstance(events, AsyncGenerator)
    await events.aclose()
