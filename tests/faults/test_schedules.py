"""F17 and I14: several schedulers, frozen and killed at any moment; each tick is one job."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.query import Filter
from stanchion.domain.schedule import Every, Firing, NewSchedule, plan, tick_id
from stanchion.domain.units import DAY, SECOND
from stanchion.stores.memory import MemoryStore
from stanchion.stores.sqlite import SqliteStore
from tests.clock import T0, FakeClock
from tests.conformance.helpers import new
from tests.faults.checker import History, audit
from tests.faults.scale import SEED, chance, sized
from tests.faults.trees import ROOT, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stanchion.store import Store

SCHEDULERS = 5
TICKS = 10_000
SQLITE_TICKS = sized(600, TICKS)
PROCESS_TICKS = sized(400, TICKS)
KILLS = sized(10, 200)
RULE = Every(SECOND, T0)


def every_second() -> NewSchedule:
    return NewSchedule(name="s", rule=RULE, request=new(), catch_up=DAY)


def expected(ticks: int) -> set[str]:
    return {tick_id("default", "s", T0 + n * SECOND) for n in range(1, ticks + 1)}


async def all_ids(store: Store) -> list[str]:
    return await store.select(Filter(), 1_000_000)


class Scheduler:
    """A scheduler in steps: it looks, it may be frozen for long or die, it fires, its reply may be lost."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.held: list[Firing] = []

    async def look(self) -> None:
        due = await self.store.due_schedules(10)
        self.held = [plan(schedule, due.now) for schedule in due.schedules]

    async def fire(self) -> list[bool]:
        return [fired.applied for fired in await self.store.fire(self.held)] if self.held else []


async def race(store: Store, clock: FakeClock, ticks: int, name: str) -> dict[str, int]:
    """Let five schedulers meet at each tick, in any order; freeze, kill and repeat some. Return what was seen."""
    rng = chance(name)
    await store.put_schedules([every_second()])
    crowd = [Scheduler(store) for _ in range(SCHEDULERS)]
    frozen: list[tuple[int, Scheduler]] = []
    seen = {"applied": 0, "late": 0, "killed": 0, "frozen": 0}
    fired = 0
    while fired < ticks:
        step = min(1 if rng.random() < 0.9 else rng.randrange(2, 40), ticks - fired)
        clock.pass_(step * SECOND)
        fired += step
        for scheduler in rng.sample(crowd, len(crowd)):
            await scheduler.look()
        for place, scheduler in enumerate(rng.sample(crowd, len(crowd))):
            fate = rng.random()
            if fate < 0.1 and scheduler.held:  # it fires what it saw up to a minute later
                seen["frozen"] += 1
                frozen.append((fired + rng.randrange(1, 60), scheduler))
                crowd[crowd.index(scheduler)] = Scheduler(store)
                continue
            if fate < 0.2 and place < SCHEDULERS - 1:
                seen["killed"] += 1
                crowd[crowd.index(scheduler)] = Scheduler(store)
                continue
            for _ in range(2 if fate > 0.8 else 1):
                answers = await scheduler.fire()
                seen["applied"] += sum(answers)
                seen["late"] += len(answers) - sum(answers)
        for due, scheduler in [item for item in frozen if item[0] <= fired]:
            frozen.remove((due, scheduler))
            answers = await scheduler.fire()
            seen["applied"] += sum(answers)
            seen["late"] += len(answers) - sum(answers)
    survivor = Scheduler(store)
    await survivor.look()
    while survivor.held:
        await survivor.fire()
        await survivor.look()
    for _, scheduler in frozen:
        assert not any(await scheduler.fire())
    return seen


def told(seen: dict[str, int], ticks: int) -> str:
    listed = ", ".join(f"{count} {word}" for word, count in seen.items())
    return f"{SCHEDULERS} schedulers x {ticks} ticks: {ticks} jobs; firings: {listed}"


@pytest.mark.timeout(240)
async def test_each_tick_is_one_job_in_memory(clock: FakeClock, tell: Callable[[str], Any]) -> None:
    store = MemoryStore(clock)
    seen = await race(store, clock, TICKS, "memory")
    ids = await all_ids(store)
    assert len(ids) == TICKS
    assert set(ids) == expected(TICKS)
    assert min(seen.values()) > 0, "not every fault was seen"
    tell(told(seen, TICKS))


@pytest.mark.timeout(600)
async def test_each_tick_is_one_job_in_a_file(tmp_path: Path, clock: FakeClock, tell: Callable[[str], Any]) -> None:
    store = SqliteStore(tmp_path / "t.db", clock=clock, synchronous="off", ballast=0)
    await store.open()
    seen = await race(store, clock, SQLITE_TICKS, "file")
    ids = await all_ids(store)
    await store.close()
    assert len(ids) == SQLITE_TICKS
    assert set(ids) == expected(SQLITE_TICKS)
    assert min(seen.values()) > 0, "not every fault was seen"
    tell(told(seen, SQLITE_TICKS))


async def test_a_frozen_scheduler_moves_nothing_back(store: SqliteStore) -> None:
    """The id of a tick guards only while its job is kept; the fence guards for ever."""
    await store.put_schedules([NewSchedule(name="s", rule=Every(SECOND), request=new(), catch_up=DAY)])
    (found,) = await store.schedules()
    assert found.next_at is not None
    old, later = plan(found, found.next_at), plan(found, found.next_at + 5 * SECOND)
    assert [fired.applied for fired in await store.fire([later])] == [True]
    ids = await all_ids(store)
    await store.cancel(ids)
    await store.erase(ids)
    moved = await store.schedules()
    assert [fired.applied for fired in await store.fire([old])] == [False]
    assert await store.schedules() == moved
    assert await all_ids(store) == []


async def test_a_tick_that_comes_twice_is_the_same_job(tmp_path: Path, clock: FakeClock) -> None:
    """A schedule is made anew and its clock has gone back: the fence lets the tick pass, its id does not."""
    store = SqliteStore(tmp_path / "t.db", clock=clock, ballast=0)
    await store.open()
    for _ in range(2):
        await store.put_schedules([every_second()])
        clock.pass_(SECOND)
        scheduler = Scheduler(store)
        await scheduler.look()
        assert await scheduler.fire() == [True]
        await store.drop_schedule("default", "s")
        clock.at -= SECOND
    ids = await all_ids(store)
    await store.close()
    assert ids == [*expected(1)]


def start(file: Path, number: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "tests.faults.ticker", str(file), str(number), str(SEED)]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def pass_time(file: Path, at: int) -> None:
    """Move the clock of all processes."""
    fresh = file.with_name(file.name + ".next")
    fresh.write_text(str(at))
    fresh.replace(f"{file}.clock")


@pytest.mark.timeout(900)
async def test_each_tick_is_one_job_with_processes_that_are_killed(tmp_path: Path, tell: Callable[[str], Any]) -> None:
    file, rng = tmp_path / "t.db", chance("processes")
    now = T0
    pass_time(file, now)
    store = SqliteStore(file, clock=lambda: now, ballast=0)
    await store.open()
    await store.put_schedules([every_second()])
    started = [start(file, number) for number in range(SCHEDULERS)]
    kills = 0

    async def caught_up() -> bool:
        (found,) = await store.schedules()
        return (found.next_at or 0) > now

    for tick in range(1, PROCESS_TICKS + 1):
        now = T0 + tick * SECOND
        pass_time(file, now)
        if tick == PROCESS_TICKS // 2 or rng.random() < KILLS / PROCESS_TICKS:
            victim = rng.randrange(SCHEDULERS)
            started[victim].kill()
            await asyncio.to_thread(started[victim].communicate)
            kills += 1
            started[victim] = start(file, SCHEDULERS + kills)
        if tick % 10 == 0:
            await until(f"tick {tick} was fired", caught_up, 60)
    (tmp_path / "t.db.clock").unlink()
    ends = [await asyncio.to_thread(process.communicate) for process in started]
    assert [(process.returncode, err[-2_000:]) for process, (_, err) in zip(started, ends, strict=True)] == [
        (0, "")
    ] * SCHEDULERS
    ids = await all_ids(store)
    await store.close()
    assert len(ids) == PROCESS_TICKS
    assert set(ids) == expected(PROCESS_TICKS)
    assert audit(History(file)) == []
    sums: dict[str, int] = {"applied": 0, "refused": 0, "frozen": 0}
    for out, _ in ends:
        did: dict[str, int] = json.loads(out)
        sums = {word: count + did[word] for word, count in sums.items()}
    assert sums["refused"], "no firing was repeated, and no two schedulers met at a tick"
    tell(f"{SCHEDULERS} processes x {PROCESS_TICKS} ticks: {len(ids)} jobs; {kills} kills; of the survivors: {sums}")
