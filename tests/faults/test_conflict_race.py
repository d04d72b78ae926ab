"""Many processes want the same conflict key: of a tenant and key one job runs at a time, and none is lost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import apsw
import pytest

from stanchion.domain.intake import OnConflict
from tests.faults.scale import sized
from tests.faults.trees import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stanchion.stores.sqlite import SqliteStore

PROCESSES = sized(4, 16)
ROUNDS = sized(30, 300)
RUNNING = 3


def race(file: Path, number: int, policy: OnConflict) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "tests.faults.conflict_racer", str(file), str(number), policy.value, str(ROUNDS)]
    pipe = subprocess.PIPE
    return subprocess.Popen(words, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def most_at_once(file: Path) -> dict[str, int]:
    """How many jobs of each tenant ran at most at one time: from the history, event by event."""
    db = apsw.Connection(str(file))
    rows = db.execute(
        "SELECT e.seq, e.state, l.tenant FROM events e JOIN jobs j ON j.seq = e.seq JOIN lanes l ON l.id = j.lane"
        " ORDER BY e.cursor"
    )
    running: dict[str, set[int]] = {}
    most: Counter[str] = Counter()
    for seq, state, tenant in cast("list[tuple[int, int, str]]", rows.fetchall()):
        own = running.setdefault(tenant, set())
        (own.add if state == RUNNING else own.discard)(seq)
        most[tenant] = max(most[tenant], len(own))
    db.close()
    return dict(most)


@pytest.mark.timeout(sized(120, 600))
@pytest.mark.parametrize("policy", OnConflict)
async def test_one_job_of_a_key_runs_at_a_time(
    store: SqliteStore, policy: OnConflict, tell: Callable[[str], Any]
) -> None:
    started = [race(store.path, number, policy) for number in range(PROCESSES)]
    for process in started:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ends = [await asyncio.to_thread(process.communicate) for process in started]
    assert [(process.returncode, err[-2_000:]) for process, (_, err) in zip(started, ends, strict=True)] == [
        (0, "")
    ] * PROCESSES
    stored = sum(int(out) for out, _ in ends)
    counts = {state.value: count for state, count in (await store.stats())[0].counts.items() if count}
    most = most_at_once(store.path)
    tell(f"{policy}: {PROCESSES} processes stored {stored} jobs of one key in each of two tenants: {counts}")
    assert most == {"t0": 1, "t1": 1}
    assert sum(counts.values()) == stored
    assert stored == PROCESSES * ROUNDS or policy is OnConflict.CANCEL_NEWEST
    if policy is OnConflict.QUEUE:
        assert "cancelled" not in counts
