"""Overflow, conflicts and refusals as an application meets them."""

from __future__ import annotations

import logging

import pytest

from stanchion import (
    Conflict,
    ConflictingJobError,
    OnConflict,
    OverLimitError,
    QueueFullError,
    Stanchion,
    State,
    UsageError,
    Warned,
)


async def draw(prompt: str) -> str:
    return prompt


async def test_a_queue_is_warned_of_once_and_then_full(caplog: pytest.LogCaptureFixture) -> None:
    app = Stanchion("memory://")
    task = app.task(name="draw", queue="images")(draw)
    told: list[Warned] = []

    @app.on_overflow
    def hear(warned: Warned) -> None:
        told.append(warned)
        message = "a hook that fails harms nobody"
        raise RuntimeError(message)

    async with app:
        await app.limits.set("queue:images", running=7)
        limit = await app.limits.overflow("queue:images", warn_at=2, refuse_at=3)
        assert (limit.running, limit.warn, limit.refuse) == (7, 2, 3)
        with caplog.at_level(logging.WARNING, "stanchion.intake"):
            jobs = [await task.enqueue(prompt=f"{number}") for number in range(3)]
        assert [[warned.jobs for warned in job.warnings] for job in jobs] == [[], [2], [3]]
        assert [warned.jobs for warned in told] == [2]
        assert "queue:images: 2 jobs wait and run" in caplog.text
        with pytest.raises(OverLimitError) as refused:
            await task.enqueue(prompt="one too many")
        assert refused.value.estimated_wait is None
        assert refused.value.retry_after == pytest.approx(5)
        (key,) = (await app.pressure()).keys
        assert (key.key, key.jobs) == ("queue:images", 3)


async def test_an_estimate_rests_on_what_ended_lately() -> None:
    app = Stanchion("memory://")
    task = app.task(name="draw", queue="images")(draw)
    async with app:
        await task.enqueue_many([{"prompt": "x"}] * 30)
        await app.run_worker(burst=True)
        await app.limits.overflow("queue:images", refuse_at=10)
        await task.enqueue_many([{"prompt": "x"}] * 10)
        with pytest.raises(OverLimitError) as refused:
            await task.enqueue(prompt="x")
    assert refused.value.estimated_wait == pytest.approx(100)  # ten wait, thirty ended in five minutes
    assert refused.value.retry_after == pytest.approx(20)


async def test_a_task_has_a_conflict_key_and_a_request_another() -> None:
    app = Stanchion("memory://")
    task = app.task(name="draw", conflict=Conflict(OnConflict.CANCEL_NEWEST, "pen"))(draw)
    async with app:
        first = await task.enqueue(prompt="a")
        with pytest.raises(ConflictingJobError) as refused:
            await task.enqueue(prompt="b")
        assert refused.value.job_id == first.id
        other = await task.options(conflict=Conflict(OnConflict.QUEUE, "brush")).enqueue(prompt="c")
        assert other.state is State.QUEUED
        behind = await task.options(conflict=Conflict(OnConflict.QUEUE, "pen")).enqueue(prompt="d")
        assert (await behind.position()).reason == "conflict"
        await app.run_worker(burst=True)
        assert await behind.result(5) == "d"


async def test_a_job_that_would_wait_too_long_is_refused() -> None:
    app = Stanchion("memory://")
    task = app.task(name="draw")(draw)
    async with app:
        await task.enqueue(prompt="a")
        with pytest.raises(QueueFullError, match="1 jobs would start before"):
            await task.options(max_ahead=0).enqueue(prompt="b")


@pytest.mark.parametrize(
    "given", [{"conflict": ("fight", "k")}, {"conflict": ("queue", "")}, {"max_ahead": -1}], ids=str
)
async def test_what_cannot_be_asked_is_refused(given: dict[str, object]) -> None:
    app = Stanchion("memory://")
    task = app.task(name="draw")(draw)
    async with app:
        with pytest.raises(UsageError):
            await task.options(**given).enqueue(prompt="a")  # pyright: ignore[reportArgumentType]


def test_schedules_for_blocking_callers() -> None:
    app = Stanchion("memory://")
    task = app.task(name="draw")(draw)
    with app.sync as sync:
        sync.schedules.put("daily", "0 7 * * *", task.request(prompt="a"))
        assert [one.name for one in sync.schedules.list()] == ["daily"]
        assert sync.schedules.pause("daily").paused
        assert not sync.schedules.resume("daily").paused
        assert sync.job(sync.schedules.run_now("daily").id).state is State.QUEUED
        sync.schedules.delete("daily")
        assert not sync.schedules.list()
        assert not sync.pressure().keys
