"""I4: many workers race for resources, give them back early, are killed; never more is held than there is.

Triggers in the file look at every single grant; what is over-granted is refused, and the racer dies of it.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.job import State
from stanchion.domain.outcome import Lost
from stanchion.stores.sqlite import SqliteStore
from stanchion.stores.sqlite.fetch import every, only
from tests.conformance.helpers import ended, new
from tests.faults.scale import SEED, chance, sized
from tests.faults.trees import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CAPACITY = 7
PROCESSES = sized(4, 16)
WORKERS = 4  # in each process: they are one tree, with two GPUs
JOBS = sized(1_500, 12_000)
GUARDS = f"""
    CREATE TABLE grants (name TEXT PRIMARY KEY, most INTEGER NOT NULL, count INTEGER NOT NULL);
    INSERT INTO grants VALUES ('slots', 0, 0), ('gpu', 0, 0);
    CREATE TRIGGER granted AFTER INSERT ON holds BEGIN
        UPDATE grants SET count = count + 1,
               most = max(most, (SELECT sum(h.weight) FROM holds h WHERE h.name = NEW.name)) WHERE name = NEW.name;
    END;
    CREATE TRIGGER guarded AFTER INSERT ON holds
       WHEN (SELECT sum(h.weight) FROM holds h WHERE h.name = 'slots') > {CAPACITY}
         OR EXISTS (SELECT 1 FROM holds h WHERE h.name = 'gpu' GROUP BY h.owner, h.device HAVING sum(h.weight) > 1)
    BEGIN SELECT RAISE(ABORT, 'over-granted'); END;
"""


def race(file: Path, name: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "tests.faults.resource_racer", str(file), name, str(WORKERS), f"{SEED}/{name}"]
    return subprocess.Popen(words, cwd=ROOT)


@pytest.mark.timeout(sized(120, 1_800))
async def test_no_more_is_held_than_there_is_while_workers_race_and_die(
    tmp_path: Path, tell: Callable[[str], Any]
) -> None:
    store = SqliteStore(tmp_path / "race.db", ballast=0, synchronous="off")
    await store.open()
    await store._write(lambda tx: every(tx.db, GUARDS))
    await store.set_resource("slots", CAPACITY)
    rng = chance("resource race")
    kinds: list[tuple[tuple[str, int], ...]] = [
        (("slots", 1),), (("slots", 2),), (("slots", 3),), (("gpu", 1),), (("gpu", 2),), (("gpu:1", 1), ("slots", 1)),
    ]  # fmt: skip
    for start in range(0, JOBS, 300):
        await store.enqueue([
            new(resources=rng.choice(kinds), tenant=f"t{rng.randrange(5)}", crash_budget=1_000)
            for _ in range(min(300, JOBS - start))
        ])  # fmt: skip
    racers = {f"r{number}": race(store.path, f"r{number}") for number in range(PROCESSES)}
    born, kills, lost = PROCESSES, 0, 0
    try:
        while (await store.stats())[0].counts[State.COMPLETED] < JOBS:
            await asyncio.sleep(0.1 if kills == 0 else 0.3)
            rows = [row for row in await store.workers() if row.alive]
            busy = [row for row in rows if row.jobs and row.info.supervisor in racers]
            if not busy:
                continue
            name = rng.choice(busy).info.supervisor or ""
            doomed: list[int] = []
            assert all(racer.poll() is None for racer in racers.values()), "a racer died of itself"
            if kills == 0 or rng.random() < 0.3:  # killed: what its workers hold is given back by whoever saw it die
                racers[name].kill()
                racers.pop(name).wait()
                racers[f"r{born}"] = race(store.path, f"r{born}")
                born, kills = born + 1, kills + 1
                doomed = [row.id for row in rows if row.info.supervisor == name]
            else:  # only thought dead: a zombie, which settles and releases late
                doomed = [rng.choice(busy).id]
            for item in await store.leave(doomed, lost=True):
                lost += sum(await store.settle([ended(item.lease, Lost())]))
    finally:
        for process in racers.values():
            process.kill()
            process.wait()
    left = await store._read(lambda db: only(db, "SELECT count(*) FROM holds")[0])
    rows = await store._read(lambda db: every(db, "SELECT name, most, count FROM grants ORDER BY name"))
    (gpu, slots) = rows
    await store.leave([row.id for row in await store.workers()])
    resources = await store.resources()
    await store.close()
    tell(
        f"{PROCESSES * WORKERS} workers in {PROCESSES} trees: {slots[2]} grants of slots, at most {slots[1]} of"
        f" {CAPACITY}; {gpu[2]} of GPUs, at most {gpu[1]}; {kills} kills, {lost} attempts lost; {left} held at the end"
    )
    assert (left, [one.used for one in resources]) == (0, [0])
    assert slots[1] == CAPACITY, "the resource was never used up: nothing was raced for"
    assert gpu[2]
    assert kills
    assert lost
