"""I21: processes that enqueue, claim and change the rules at once leave every counter right, and nobody asleep."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.job import State
from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import WANT, ended, join, take
from tests.faults.medley import LIMITS
from tests.faults.scale import SEED, sized
from tests.faults.trees import ROOT
from tests.properties.test_together import faults

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROCESSES = sized(2, 4)
SECONDS = sized(3, 60)
WAITING = (State.QUEUED, State.SCHEDULED, State.BLOCKED)


@pytest.mark.timeout(SECONDS + 120)
async def test_processes_that_do_everything_at_once_leave_every_counter_right(
    tmp_path: Path, tell: Callable[[str], Any]
) -> None:
    path = tmp_path / "medley.db"
    words = [sys.executable, "-m", "tests.faults.medley", str(path)]
    crowd = [
        await asyncio.create_subprocess_exec(*words, f"p{number}", str(SECONDS), f"{SEED}/{number}", cwd=ROOT)
        for number in range(PROCESSES)
    ]
    try:
        assert await asyncio.gather(*[process.wait() for process in crowd]) == [0] * PROCESSES
    finally:
        for process in crowd:
            if process.returncode is None:
                process.kill()
                await process.wait()
    store = SqliteStore(path, ballast=0, synchronous="off")
    await store.open()
    assert await store._read(lambda db: faults(db, store.now())) == []
    before = {row.policy.name: sum(row.counts.values()) for row in await store.stats()}
    for limit in LIMITS:
        await store.drop_limit(limit.key)
    for key in ("provider:p", "provider:q", "provider:r", "queue:y"):
        await store.park(key, 0)
    await store.configure("y", paused=False)
    worker, last = await join(store, "last"), store.now() + 1_000
    done = 0
    while store.now() < last or await waiting(store):
        leases = await take(store, worker, WANT._replace(limit=1_000))
        done += sum(await store.settle([ended(lease) for lease in leases]))
        if not leases and store.now() >= last:
            break
    assert await waiting(store) == 0
    assert await store._read(lambda db: faults(db, store.now())) == []
    await store.close()
    tell(f"{PROCESSES} processes for {SECONDS} s; then {before}, of which {done} were run to the end")


async def waiting(store: SqliteStore) -> int:
    return sum(row.counts.get(state, 0) for row in await store.stats() for state in WAITING)
