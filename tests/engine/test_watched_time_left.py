"""Those who watch a place in line are told its time left anew whenever what it follows from changes."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from stanchion.domain.estimates import Durations, Ended, Work
from stanchion.engine import watch as module
from stanchion.engine.watch import Watch
from stanchion.stores.memory import MemoryStore
from stanchion.stores.sqlite import SqliteStore
from tests.clock import FakeClock
from tests.conformance.helpers import add, join, new
from tests.engine.helpers import SOON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from stanchion.engine.watchers import Watcher
    from stanchion.store import Place, Store


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    clock = FakeClock()
    made = (
        MemoryStore(clock)
        if request.param == "memory"
        else SqliteStore(tmp_path / "t.db", clock=clock, synchronous="off", ballast=0)
    )
    await made.open()
    known = Durations().learned([Ended(Work("t"), 10_000) for _ in range(60)], made.now())
    assert await made.learn(0, 1, known.seen)
    yield made
    await made.close()


@pytest.fixture
async def line(store: Store) -> list[str]:
    """Five jobs before one worker; the last is the one that is watched."""
    await join(store, slots=1)
    return await add(store, *[new() for _ in range(5)])


async def told(watcher: Watcher, job: str) -> Place:
    """The next place that is pushed."""
    async with asyncio.timeout(SOON):
        while True:
            for notice in await watcher.take():
                assert notice.job is not None
                assert notice.job.id == job, "only what is watched is told"
                if notice.kind == "position":
                    assert notice.place is not None
                    return notice.place


def start(place: Place) -> int:
    assert place.eta is not None
    return place.eta.starts_in.p50


@pytest.mark.parametrize("what", ["reordered", "cancelled", "paused", "a worker comes", "a worker goes"])
async def test_the_next_push_has_the_new_time_left(store: Store, line: list[str], what: str) -> None:
    second = await join(store, "second", slots=1) if what == "a worker goes" else 0
    watch = Watch(store)
    async with watch.open(jobs=[line[-1]]) as watcher:
        before = await told(watcher, line[-1])
        assert before.position == 5
        if what == "reordered":
            await store.amend([line[-1]], priority=0)
        elif what == "cancelled":
            await store.cancel(line[:2])
        elif what == "paused":
            await store.configure("default", paused=True)
        elif what == "a worker comes":
            await join(store, "another", slots=1)
        else:
            await store.leave([second], lost=True)
        after = await told(watcher, line[-1])
    if what == "paused":
        assert (after.position, after.reason, after.eta) == (None, "paused_queue", None)
    elif what == "reordered":
        assert (after.position, start(after)) == (1, 0)
    elif what == "cancelled":
        assert after.position == 3
        assert start(after) == pytest.approx(start(before) / 2, rel=0.1)
    elif what == "a worker comes":
        assert after.position == 5
        assert start(after) == pytest.approx(start(before) / 2, rel=0.1)
    else:
        assert after.position == 5
        assert start(after) > 1.5 * start(before)
    await watch.close()


@pytest.mark.parametrize("how", ["drains", "falls silent"])
async def test_a_worker_that_is_no_longer_counted_on_is_told_too(store: Store, line: list[str], how: str) -> None:
    second = await join(store, "second", slots=1)
    watch = Watch(store)
    async with watch.open(jobs=[line[-1]]) as watcher:
        before = await told(watcher, line[-1])
        if how == "drains":
            await store.drain_worker(second)
        else:
            first = (await store.workers())[0].id
            store_clock(store).pass_(25_000)
            await store.beat([first], 30_000)
            store_clock(store).pass_(10_000)
            await store.overdue(10)
        after = await told(watcher, line[-1])
    assert after.position == 5
    assert start(after) > 1.5 * start(before)
    await watch.close()


def store_clock(store: Store) -> FakeClock:
    clock = store.now if isinstance(store.now, FakeClock) else getattr(store, "_clock", None)
    assert isinstance(clock, FakeClock)
    return clock


async def test_places_and_workers_are_asked_for_at_most_twice_a_second(
    store: Store, line: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = SimpleNamespace(monotonic=lambda: at)
    at = 1_000.0
    monkeypatch.setattr(module, "time", now)
    asked: list[float] = []
    position, outlook = store.position, store.outlook

    async def counted(*args: object, **named: object) -> object:
        asked.append(at)
        return await position(*args, **named)  # type: ignore[arg-type]

    reads: list[float] = []

    async def read(*args: object, **named: object) -> object:
        reads.append(at)
        return await outlook(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "position", counted)
    monkeypatch.setattr(store, "outlook", read)
    watch = Watch(store)
    watcher = module.Watcher(module.NO_INTEREST)
    watch._roster.add(watcher)
    watch.follow(watcher, [line[-1]])
    for step in range(41):
        at = 1_000 + step * 0.05
        if step % 4 == 0:
            await join(store, f"w{step}")
        await watch._tell_places(moved=True)
    assert asked == [pytest.approx(1_000 + half * 0.5) for half in range(5)]
    assert len(reads) <= 2 * len(asked)


async def test_while_nothing_waits_that_is_watched_nobody_asks_who_works(
    store: Store, line: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        pytest.fail("asked")

    monkeypatch.setattr(store, "outlook", never)
    monkeypatch.setattr(store, "position", never)
    watch = Watch(store)
    await join(store, "another", slots=1)
    await watch._tell_places(moved=True)
    watcher = module.Watcher(module.Interest(everything=True))
    watch._roster.add(watcher)
    await watch._tell_places(moved=True)
    assert line
