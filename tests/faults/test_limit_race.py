"""I4, I5: many workers race for one limit, are killed and declared lost; it is never exceeded, all is given back."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING, Any, cast

import apsw
import pytest

from stanchion.domain.job import State
from stanchion.domain.limits import Limit
from stanchion.domain.outcome import Lost
from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import WANT, ended, join, new, take
from tests.faults.scale import SEED, chance, sized
from tests.faults.trees import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CAPACITY = 7
KEY = "provider:race"
PROCESSES = sized(4, 16)
WORKERS = sized(3, 4)  # in each process
JOBS = sized(3_000, 18_000)
RUNNING, COMPLETED = 3, 5


def race(file: Path, name: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "tests.faults.limit_racer", str(file), name, str(WORKERS), f"{SEED}/{name}"]
    return subprocess.Popen(words, cwd=ROOT)


def heights(file: Path) -> tuple[int, int, int]:
    """How much ran at most and at the end, and how often an attempt started: from the history, event by event."""
    db = apsw.Connection(str(file))
    used = most = grants = 0
    running: set[int] = set()
    rows = db.execute(
        "SELECT e.seq, e.state, json_extract(l.limits, '$[0][1]') FROM events e"
        " JOIN jobs j ON j.seq = e.seq JOIN lanes l ON l.id = j.lane ORDER BY e.cursor"
    )
    found = cast("list[tuple[int, int, int]]", rows.fetchall())
    for seq, state, weight in found:
        if state == RUNNING and seq not in running:
            running.add(seq)
            used += weight
            grants += 1
        elif state != RUNNING and seq in running:
            running.remove(seq)
            used -= weight
        most = max(most, used)
    db.close()
    return most, used, grants


async def test_a_zombie_gives_back_nothing_of_a_limit(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "zombie.db", ballast=0, synchronous="off")
    await store.open()
    await store.configure_limit(Limit(KEY, running=2))
    await store.enqueue([new(limits=((KEY, 1),)) for _ in range(4)])
    first, second = await join(store, "first"), await join(store, "second")
    zombie, other = await take(store, first)
    for item in await store.leave([first], lost=True):
        if item.lease.ref == zombie.ref:
            await store.settle([ended(item.lease, Lost())])
    (heir,) = await take(store, second, WANT._replace(limit=1))
    assert heir.ref == zombie.ref
    assert await store.settle([ended(zombie), ended(other)]) == [False, True]
    (state,) = await store.limits()
    assert state.used == 1
    assert len(await take(store, second)) == 1
    await store.close()


async def test_a_limit_that_one_process_sets_holds_in_another(tmp_path: Path) -> None:
    here = SqliteStore(tmp_path / "two.db", ballast=0, synchronous="off")
    there = SqliteStore(tmp_path / "two.db", ballast=0, synchronous="off")
    await here.open()
    await there.open()
    await here.enqueue([new(user="ada", limits=((KEY, 1),)) for _ in range(9)])
    worker = await join(here)
    (first,) = await take(here, worker, WANT._replace(limit=1))
    await there.configure_limit(Limit(KEY, running=2))
    assert len(await take(here, worker)) == 1
    await there.configure_limit(Limit("user:*", running=4))
    await there.configure_limit(Limit(KEY, running=9))
    assert len(await take(here, worker)) == 2
    assert await there.park(KEY, 60_000)
    await there.settle([ended(first)])
    assert not await take(here, worker)
    await here.park(KEY, 0)
    assert len(await take(there, worker)) == 1
    await here.enqueue([new(user="ada")])
    assert not await take(there, worker)
    await here.close()
    await there.close()


@pytest.mark.timeout(sized(120, 1_800))
async def test_a_limit_holds_while_workers_race_and_die(tmp_path: Path, tell: Callable[[str], Any]) -> None:
    store = SqliteStore(tmp_path / "race.db", ballast=0, synchronous="off")
    await store.open()
    rng = chance("limit race")
    await store.configure_limit(Limit(KEY, running=CAPACITY))
    for start in range(0, JOBS, 300):
        await store.enqueue([
            new(limits=((KEY, rng.randrange(1, 4)),), tenant=f"t{rng.randrange(5)}", crash_budget=1_000)
            for _ in range(min(300, JOBS - start))
        ])  # fmt: skip
    racers = {f"r{number}": race(store.path, f"r{number}") for number in range(PROCESSES)}
    born, kills, lost = PROCESSES, 0, 0
    try:
        while (await store.stats())[0].counts[State.COMPLETED] < JOBS:
            await asyncio.sleep(0.05)
            rows = [row for row in await store.workers() if row.alive]
            name = rng.choice(list(racers))
            doomed: list[int] = []
            if rng.random() < 0.5:  # killed: what its workers hold is given back by whoever saw it die
                racers[name].kill()
                racers.pop(name).wait()
                racers[f"r{born}"] = race(store.path, f"r{born}")
                born, kills = born + 1, kills + 1
                doomed = [row.id for row in rows if row.info.incarnation.startswith(f"{name}-")]
            elif rows:  # only thought dead: a zombie, which settles late
                doomed = [rng.choice(rows).id]
            for item in await store.leave(doomed, lost=True):
                lost += sum(await store.settle([ended(item.lease, Lost())]))
            (state,) = await store.limits()
            assert 0 <= state.used <= CAPACITY
    finally:
        for process in racers.values():
            process.kill()
            process.wait()
    await store.close()
    most, left, grants = heights(store.path)
    store = SqliteStore(tmp_path / "race.db", ballast=0)
    await store.open()
    (state,) = await store.limits()
    await store.close()
    tell(
        f"{PROCESSES * WORKERS} workers, capacity {CAPACITY}, weights 1-3: {grants} grants, {kills} kills,"
        f" {lost} attempts lost; at most {most} at once, {state.used} in use at the end"
    )
    assert (most <= CAPACITY, left, state.used) == (True, 0, 0)
    assert most == CAPACITY, "the limit was never reached: nothing was raced for"
    assert kills
    assert lost
    assert grants >= JOBS
