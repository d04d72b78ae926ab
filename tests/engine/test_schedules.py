"""Schedules on an app: declared in code, put by hand, fired by whatever runs."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from stanchion import (
    NotFoundError,
    Overlap,
    PayloadError,
    QueueFullError,
    Stanchion,
    Submission,
    UsageError,
    cron,
    every,
)
from stanchion.domain.query import Filter
from stanchion.domain.schedule import Every, tick_id
from stanchion.domain.units import HOUR, MINUTE, SECOND
from stanchion.engine import scheduling
from stanchion.engine.scheduling import AGAIN_AFTER, LOOK_EVERY, Scheduler
from stanchion.errors import StoreUnavailableError
from stanchion.stores.memory import MemoryStore
from stanchion.stores.sqlite import SqliteStore
from tests.clock import FakeClock
from tests.conformance.helpers import new
from tests.conformance.test_schedules import schedule
from tests.engine.helpers import SOON, until, working

if TYPE_CHECKING:
    from pathlib import Path

    from stanchion.store import Due


async def test_a_declared_schedule_is_stored_when_the_app_is_opened(app: Stanchion) -> None:
    @app.schedule("0 7 * * *", tz="Europe/Berlin", name="daily", args={"kind": "daily"}, overlap="skip", catch_up="2h")
    @app.schedule(every("15m"))
    @app.task(queue="reports", secret=("token",))
    async def report(kind: str = "quick", token: str = "") -> str:
        return kind

    await app.open()
    daily, quick = await app.schedules.list()
    assert (daily.name, daily.rule) == ("daily", cron("0 7 * * *", tz="Europe/Berlin"))
    assert (daily.overlap, daily.catch_up, daily.request.args) == (Overlap.SKIP, 2 * HOUR, b'{"kind":"daily"}')
    assert (daily.request.queue, daily.request.secret) == ("reports", ("token",))
    assert (quick.name, quick.rule, quick.request.args) == ("report", Every(15 * MINUTE), b"{}")
    assert await report() == "quick"


async def test_two_schedules_of_one_name_are_refused(app: Stanchion) -> None:
    @app.task
    async def report() -> None: ...

    app.schedule("0 7 * * *")(report)
    with pytest.raises(UsageError, match="Two schedules"):
        app.schedule("0 8 * * *")(report)


async def test_a_schedule_stands_above_a_task(app: Stanchion) -> None:
    async def plain() -> None: ...

    with pytest.raises(UsageError, match=r"@app\.task"):
        app.schedule("0 7 * * *")(plain)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "given", [{"rule": "0 7 * *"}, {"rule": "0 7 * * *", "tz": "Mars"}, {"rule": every(5), "tz": "UTC"}]
)
async def test_a_rule_that_cannot_be_used_is_refused_where_it_is_declared(
    app: Stanchion, given: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match="cannot be used"):
        app.schedule(given["rule"], tz=given.get("tz"))


async def test_an_app_whose_schedule_does_not_fit_its_task_is_not_opened(app: Stanchion) -> None:
    @app.schedule("0 7 * * *")
    @app.task
    async def report(kind: str) -> str:
        return kind

    with pytest.raises(PayloadError, match="kind"):
        await app.open()
    with pytest.raises(PayloadError, match="kind"):
        await app.open()


async def test_opening_again_changes_nothing_and_leaves_a_pause(tmp_path: Path) -> None:
    def made() -> Stanchion:
        app = Stanchion(f"sqlite:///{tmp_path}/jobs.db")

        @app.schedule(every("1h"), name="hourly")
        @app.task
        async def report() -> None: ...

        return app

    async with made() as app:
        first = await app.schedules.pause("hourly")
    async with made() as app:
        assert await app.schedules.get("hourly") == first


async def test_a_request_is_validated_when_it_is_scheduled(app: Stanchion) -> None:
    @app.task(queue="reports", priority="high", dedup_window=10, max_payload=1_000)
    async def report(kind: str, size: int = 1) -> str:
        return kind * size

    put = app.schedules.put
    found = await put("daily", "0 7 * * *", report.options(user="ada", delay=5).request("x", size=2), catch_up="1h")
    assert (found.rule, found.overlap, found.catch_up) == (cron("0 7 * * *"), Overlap.ALLOW, HOUR)
    job = found.request
    assert (job.task, job.args, job.queue, job.priority, job.user, job.delay) == (
        "report", b'{"kind":"x","size":2}', "reports", 2, "ada", 5 * SECOND,
    )  # fmt: skip
    assert (job.id, job.dedup_key, job.dedup_window) == ("", None, 0)
    for bad in (
        {"run_at": 1.0},
        {"idempotency_key": "k"},
        {"dedup_window": 5},
        {"dedup_key": "k"},
        {"expires_at": 1.0},
    ):
        with pytest.raises(PayloadError, match=next(iter(bad))):
            await put("bad", every(60), report.options(**bad).request("x"))  # pyright: ignore[reportArgumentType]
    with pytest.raises(PayloadError, match="fit"):
        await put("bad", every(60), Submission("report", {"kind": 5}))
    for name, rule in (("a/b", every(60)), ("bad", every(0.5)), ("bad", "no cron")):
        with pytest.raises(PayloadError, match=r"bad|a/b"):
            await put(name, rule, report.request("x"))
    with pytest.raises(PayloadError, match="sometimes"):
        await put("bad", every(60), report.request("x"), overlap="sometimes")  # pyright: ignore[reportArgumentType]
    assert [one.name for one in await app.schedules.list()] == ["daily"]


async def test_hooks_see_a_scheduled_request_once_when_it_is_put(app: Stanchion) -> None:
    @app.task
    async def report() -> None: ...

    @app.before_enqueue
    def owned(submission: Submission) -> Submission:
        hooked = report.options(user="hook").request().submission
        return submission._replace(options=submission.options.merged(hooked.options))

    assert (await app.schedules.put("x", every(60), report.request())).request.user == "hook"


async def test_a_schedule_is_paused_resumed_run_and_deleted_by_name(app: Stanchion) -> None:
    @app.task
    async def report(kind: str = "a") -> str:
        return kind

    schedules = app.schedules
    await schedules.put("x", every(timedelta(hours=1)), report.options(tenant="acme").request("b"))
    assert (await schedules.pause("x", tenant="acme")).next_at is None
    job = await schedules.run_now("x", tenant="acme")
    assert (await schedules.resume("x", tenant="acme")).next_at is not None
    await app.run_worker(burst=True)
    assert await job.result(timeout=SOON) == "b"
    assert (await schedules.get("x", tenant="acme")).last_job is None
    await schedules.delete("x", tenant="acme")
    for call in (schedules.get, schedules.pause, schedules.resume, schedules.run_now, schedules.delete):
        with pytest.raises(NotFoundError, match="'x'"):
            await call("x", tenant="acme")


async def test_a_run_that_the_store_refuses_says_so(app: Stanchion) -> None:
    @app.task
    async def report() -> None: ...

    await app.schedules.put("x", every(3600), report.request())
    await app.queue("default").limit(1)
    await app.schedules.run_now("x")
    with pytest.raises(QueueFullError):
        await app.schedules.run_now("x")


@pytest.mark.parametrize("url", ["memory://", "sqlite:///jobs.db"])
async def test_a_worker_fires_what_is_due_and_hears_of_what_is_put_meanwhile(url: str) -> None:
    ran: list[str | None] = []
    app = Stanchion(url)

    @app.task
    async def report() -> None:
        ran.append("x")

    async with app, working(app):
        await asyncio.sleep(0)
        await app.schedules.put("x", every(1), report.request())
        await until(lambda: len(ran) >= 2)
        found = await app.schedules.get("x")
        assert found.last_at is not None
        assert found.last_job == tick_id("default", "x", found.last_at)


async def test_the_scheduler_sleeps_until_the_next_tick(clock: FakeClock) -> None:
    store = MemoryStore(clock)
    scheduler = Scheduler(store)
    assert await scheduler.fire() == LOOK_EVERY
    await store.put_schedules([schedule(rule=Every(20 * SECOND, clock.at))])
    assert await scheduler.fire() == 20.0
    clock.pass_(20 * SECOND)
    assert await scheduler.fire() == 0.0
    assert await scheduler.fire() == 20.0
    await store.put_schedules([schedule(rule=Every(HOUR, clock.at))])
    assert await scheduler.fire() == LOOK_EVERY


async def test_many_missed_ticks_are_fired_round_by_round(clock: FakeClock) -> None:
    store = MemoryStore(clock)
    scheduler = Scheduler(store)
    await store.put_schedules([schedule(rule=Every(SECOND, clock.at), catch_up=HOUR)])
    clock.pass_(250 * SECOND)
    assert [await scheduler.fire() for _ in range(4)] == [0.0, 0.0, 0.0, 1.0]
    assert len(await store.select(Filter(), 1_000)) == 250


async def test_what_is_refused_is_tried_again_later_and_holds_up_no_other(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "stanchion.schedules")
    store = MemoryStore(clock)
    await store.configure("q", max_waiting=1)
    await store.enqueue([new(queue="q")])
    await store.put_schedules([schedule("a", Every(HOUR, clock.at), queue="q"), schedule("b", Every(HOUR, clock.at))])
    clock.pass_(HOUR)
    scheduler = Scheduler(store)
    assert await scheduler.fire() == 0.0
    assert await scheduler.fire() == AGAIN_AFTER
    assert "refused" in caplog.text
    clock.pass_(MINUTE + 1)
    assert await scheduler.fire() == 0.0
    assert await scheduler.fire() == LOOK_EVERY


async def test_a_skipped_tick_is_logged(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "stanchion.schedules")
    store = MemoryStore(clock)
    await store.put_schedules([schedule(rule=Every(HOUR, clock.at), overlap=Overlap.SKIP)])
    for _ in range(2):
        clock.pass_(HOUR)
        await Scheduler(store).fire()
    assert [("skipped" in record.getMessage()) for record in caplog.records] == [False, True]


async def test_ticks_that_are_left_out_are_logged(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore(clock)
    ((made, _),) = await store.put_schedules([schedule(rule=Every(HOUR, clock.at))])
    clock.pass_(HOUR)
    await Scheduler(store).fire()
    assert "left out" not in caplog.text
    clock.pass_(3 * HOUR)
    await Scheduler(store).fire()
    assert made.next_at is not None
    assert f"ticks from {made.next_at + HOUR} on were missed" in caplog.text


async def test_a_zone_that_this_machine_lacks_stops_its_own_schedule_alone(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore(clock)
    await store.put_schedules([schedule("a", cron("* * * * *", tz="Europe/Berlin")), schedule("b", Every(MINUTE))])
    clock.pass_(MINUTE)
    plan = scheduling.plan

    def without_zones(found: Any, now: int) -> Any:
        if found.name == "a":
            message = "'Europe/Berlin' is not a time zone that this machine knows"
            raise ValueError(message)
        return plan(found, now)

    monkeypatch.setattr(scheduling, "plan", without_zones)
    scheduler = Scheduler(store)
    assert await scheduler.fire() == 0.0
    assert await scheduler.fire() == AGAIN_AFTER
    assert "Europe/Berlin" in caplog.text
    assert [found.last_at is None for found in await store.schedules()] == [True, False]


async def test_a_store_that_is_away_is_looked_at_again(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks: list[int] = []

    class Away(MemoryStore):
        async def due_schedules(self, limit: int) -> Due:
            looks.append(limit)
            if len(looks) == 1:
                message = "away"
                raise StoreUnavailableError(message)
            return await super().due_schedules(limit)

    monkeypatch.setattr(scheduling, "AGAIN_AFTER", 0.01)
    task = asyncio.create_task(Scheduler(Away(clock)).run())
    await until(lambda: len(looks) >= 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert "away" in caplog.text


async def test_a_scheduler_that_cannot_listen_fires_all_the_same(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Deaf(MemoryStore):
        def subscribe(self, *_: object, **__: object) -> Any:
            message = "no room for a socket"
            raise OSError(message)

    store = Deaf(clock)
    await store.put_schedules([schedule(rule=Every(HOUR, clock.at))])
    clock.pass_(HOUR)
    task = asyncio.create_task(Scheduler(store).run())
    await until(lambda: store.select(Filter(), 1))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert "no room" in caplog.text


async def test_a_scheduler_with_nothing_due_looks_once_and_writes_nothing(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "t.db", ballast=0)
    await store.open()
    looks = 0

    async def counted(limit: int) -> Due:
        nonlocal looks
        looks += 1
        return await SqliteStore.due_schedules(store, limit)

    store.due_schedules = counted
    await store.put_schedules([schedule(rule=Every(HOUR))])
    before = store.commits
    task = asyncio.create_task(Scheduler(store).run())
    await until(lambda: looks == 1)
    await store.enqueue([new() for _ in range(50)])  # what is not a schedule wakes nobody
    await store.tail()
    assert (looks, store.commits - before) == (1, 1)
    await store.put_schedules([schedule("b", Every(HOUR))])
    await until(lambda: looks == 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.close()
