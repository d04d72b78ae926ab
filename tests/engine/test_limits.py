"""Limits as an application uses them: on its tasks, on its requests, and set while jobs run."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from stanchion import Context, Stanchion, TaskError, UsageError
from stanchion.domain.limits import Limit, LimitState
from tests.engine.helpers import SOON, until, working

if TYPE_CHECKING:
    from stanchion import Job, Task

P = "provider:p"


async def attempts(app: Stanchion, job: Job[Any]) -> int:
    (facts,) = await app.store.inspect([job.id])
    assert facts is not None
    return facts.attempt


async def parks(app: Stanchion) -> list[int]:
    return [state.parked for state in await app.limits.list() if state.parked is not None]


async def waiting(job: Job[Any], reason: str) -> None:
    """Wait until a job waits for this reason."""

    async def waits() -> bool:
        return (await job.position()).reason == reason

    await until(waits)


class Meter:
    """How many run at once."""

    def __init__(self) -> None:
        self.now = self.most = self.done = 0

    async def run(self) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        await asyncio.sleep(0.002)
        self.now -= 1
        self.done += 1


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.fixture
def draw(filed: Stanchion, meter: Meter) -> Task[[], None]:
    @filed.task(limits=[P])
    async def draw() -> None:
        await meter.run()

    return draw


async def test_a_task_names_what_its_jobs_count_for(filed: Stanchion, draw: Task[[], None], meter: Meter) -> None:
    await filed.limits.set(P, running=2)
    jobs = [await draw.enqueue() for _ in range(12)]
    async with working(filed):
        for job in jobs:
            await job.result(SOON)
    assert (meter.done, meter.most) == (12, 2)
    assert await filed.limits.list() == [LimitState(P, Limit(P, running=2))]


async def test_a_request_may_weigh_more_than_its_task_says(
    filed: Stanchion, draw: Task[[], None], meter: Meter
) -> None:
    await filed.limits.set(P, running=3)
    async with working(filed):
        jobs = [await draw.options(limits={P: 3}).enqueue() for _ in range(4)]
        for job in jobs:
            await job.result(SOON)
    assert (meter.done, meter.most) == (4, 1)


async def test_users_share_by_a_default_of_five(filed: Stanchion, draw: Task[[], None], meter: Meter) -> None:
    assert await filed.limits.set("user:*") == Limit("user:*", running=5)
    jobs = [await draw.options(user="ada").enqueue() for _ in range(15)]
    async with working(filed):
        for job in jobs:
            await job.result(SOON)
    assert meter.most == 5


async def test_a_rate_starts_what_waits_for_it_by_itself(filed: Stanchion, draw: Task[[], None], meter: Meter) -> None:
    await filed.limits.set(P, starts=100, per=1)
    async with working(filed):
        jobs = [await draw.enqueue() for _ in range(8)]
        for job in jobs:
            await job.result(SOON)
    starts = sorted(fact.started_at or 0 for fact in await filed.store.inspect([job.id for job in jobs]) if fact)
    assert meter.done == 8
    assert min(later - sooner for sooner, later in pairwise(starts)) >= 10


async def test_a_raised_limit_lets_waiting_jobs_start(filed: Stanchion, draw: Task[[], None]) -> None:
    await filed.limits.set(P, running=0)
    async with working(filed):
        job = await draw.enqueue()
        await waiting(job, "limit")
        await filed.limits.set(P, running=1)
        await job.result(SOON)
    assert await filed.limits.drop(P)


async def test_a_handler_parks_a_key_for_all(filed: Stanchion, draw: Task[[], None]) -> None:
    @filed.task
    async def notice(ctx: Context) -> None:
        await ctx.park(P, 3_600)

    async with working(filed):
        await (await notice.enqueue()).result(SOON)
        job = await draw.enqueue()
        await waiting(job, "provider_parked")
        assert await attempts(filed, job) == 0
        await filed.limits.park(P, 0)
        await job.result(SOON)


async def test_a_rate_limited_answer_parks_the_provider_for_as_long_as_it_asked(filed: Stanchion) -> None:
    @filed.task(limits=[P])
    async def call() -> None:
        raise TaskError("slow down", kind="rate_limited", retry_after=3_600)

    async with working(filed):
        first = await call.enqueue()
        parked = await until(lambda: parks(filed))
        second = await call.enqueue()
        await waiting(second, "provider_parked")
        assert await attempts(filed, second) == 0
    facts = (await filed.store.inspect([first.id]))[0]
    assert facts is not None
    assert (facts.spent, parked[0] > filed.store.now()) == (0, True)


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("acme", {"running": 1}),
        ("user:ada", {"running": 1}),
        ("tenant:", {"running": 1}),
        (P, {}),
        (P, {"running": -1}),
        (P, {"starts": 0}),
        (P, {"starts": 5, "per": 0}),
        (P, {"starts": 5, "burst": 0}),
    ],
)
async def test_a_limit_that_cannot_be_kept_is_refused(filed: Stanchion, key: str, given: dict[str, int]) -> None:
    with pytest.raises(UsageError) as caught:
        await filed.limits.set(key, **given)
    assert caught.value.remedy
    assert await filed.limits.list() == []


@pytest.mark.parametrize("limits", [["tenant:acme"], {P: 0}, {P: 2_000}, ["p"]])
async def test_a_task_cannot_name_what_follows_from_the_job_or_has_no_weight(
    filed: Stanchion, limits: list[str] | dict[str, int]
) -> None:
    with pytest.raises(UsageError):
        filed.task(limits=limits)(_nothing)


async def _nothing() -> None: ...
