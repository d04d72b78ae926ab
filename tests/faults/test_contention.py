"""F18 and A k: many processes write to one file at once; nobody sees a lock, nobody starves, all is accounted for."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import add, ended, join, new, take
from tests.faults.checker import COMPLETED, History, audit
from tests.faults.scale import sized
from tests.faults.trees import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROCESSES = 8
SECONDS = sized(2.0, 10.0)


def contend(file: Path, number: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "tests.faults.contender", str(file), str(number), str(SECONDS)]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.timeout(90)
async def test_eight_processes_share_one_file(store: SqliteStore, tell: Callable[[str], Any]) -> None:
    started = [contend(store.path, number) for number in range(1, PROCESSES + 1)]
    ends = [await asyncio.to_thread(process.communicate) for process in started]
    assert [(process.returncode, err[-2_000:]) for process, (_, err) in zip(started, ends, strict=True)] == [
        (0, "")
    ] * PROCESSES
    told: list[dict[str, Any]] = [json.loads(out) for out, _ in ends]
    history = History(store.path)
    assert audit(history) == []
    assert {key for one in told for key in one["ids"]} == set(history.by_id)
    completed = sum(job.state == COMPLETED for job in history.jobs.values())
    assert completed == sum(one["settled"] for one in told)
    rounds = [one["enqueued"] for one in told]
    slowest = max(one["slowest"] for one in told)
    tell(
        f"{PROCESSES} processes, {SECONDS:g} s: {sum(rounds)} enqueued, {completed} completed, 0 busy errors;"
        f" least {min(rounds)}, most {max(rounds)} a process; slowest round {slowest * 1000:.0f} ms"
    )
    assert min(rounds) * 8 > max(rounds), "a process starved"
    assert slowest < SECONDS / 2 + 1


async def test_a_writer_waits_for_a_foreign_lock_and_then_goes_on(store: SqliteStore) -> None:
    """Somebody holds SQLite's own lock without our turnstile (a shell, a backup): the write waits, and succeeds."""
    with closing(apsw.Connection(str(store.path))) as foreign:
        foreign.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(asyncio.to_thread(_enqueue_elsewhere, store.path))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        foreign.execute("COMMIT")
        await waiting
    assert len(History(store.path).jobs) == 1


def _enqueue_elsewhere(path: Path) -> None:
    async def enqueue() -> None:
        store = SqliteStore(path, ballast=0)
        await store.open()
        await add(store)
        await store.close()

    asyncio.run(enqueue())


async def test_every_write_takes_the_lock_at_its_beginning(store: SqliteStore) -> None:
    """M16: a transaction that reads first and locks later fails when another wrote in between."""
    seen: list[str] = []
    db: Any = store._writing.db
    db.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: seen.append(event["sql"]))
    worker = await join(store)
    await add(store)
    (lease,) = await take(store, worker)
    await store.beat([worker], 1_000)
    await store.settle([ended(lease)])
    await store.cancel(await add(store, new()))
    await store.overdue(10)
    db.trace_v2(0, None)
    begins = [text for text in seen if text.strip().upper().startswith("BEGIN")]
    assert begins
    assert set(begins) == {"BEGIN IMMEDIATE"}
