"""I22, F2: how soon the jobs of a dead process and of a dead host can run again, in store time (profile `fast`)."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.faults.checker import History, audit, percentiles
from tests.faults.effects import since_boot
from tests.faults.running import ended, put, running
from tests.faults.scale import sized
from tests.faults.trees import Tree, tell, workers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stanchion.stores.sqlite import SqliteStore

LEASE, BEAT = 4_000, 1_000


def lost_at(history: History, job_id: str) -> int:
    steps = history.events[history.by_id[job_id].seq]
    return next(step.at for step in steps if step.outcome == "lost")


@pytest.mark.timeout(120)
async def test_jobs_of_a_dead_child_can_be_claimed_within_a_second(
    store: SqliteStore, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    times: list[float] = []
    with Tree(tmp_path, processes=1, slots=2) as tree:
        for _ in range(sized(4, 20)):
            ids = await put(store, "work", '{"ms":600}', 2)
            await running(store, ids, tmp_path)
            (row,) = await workers(store, busy=True, among=tree.below)
            tell([row.info.pid], signal.SIGKILL)
            at = since_boot()
            await ended(store, ids)
            history = History(store.path)
            times += (lost_at(history, key) - at - history.offset for key in ids)
    record_property("figures", f"dead child: {percentiles(times)}")
    assert audit(History(store.path)) == []
    assert max(times) < LEASE, "found out by silence, not by the child's end"
    assert sorted(times)[len(times) // 2] < 1_000


@pytest.mark.timeout(180)
async def test_jobs_of_a_dead_host_can_be_claimed_within_lease_and_two_beats(
    store: SqliteStore, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """The whole tree dies; another, that knows nothing of it, takes over when the lease has run out."""
    times: list[float] = []
    for _ in range(sized(1, 10)):
        ids = await put(store, "work", '{"ms":400}', 2)
        with Tree(tmp_path, processes=1, slots=2) as doomed:
            await running(store, ids, tmp_path)
            with Tree(tmp_path, processes=1, slots=2) as heir:
                at = doomed.kill()
                await ended(store, ids)
                assert heir.below
        history = History(store.path)
        times += (lost_at(history, key) - at - history.offset for key in ids)
    record_property("figures", f"dead host (fast): {percentiles(times)}")
    assert audit(History(store.path)) == []
    assert min(times) > LEASE - BEAT - 500, "taken while its lease was good"
    assert sorted(times)[len(times) // 2] < LEASE + 2_000
