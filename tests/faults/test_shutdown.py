"""I24: SIGTERM claims no more, lets run what ends in time, gives the rest back unspent; a restart goes on."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from stanchion.domain.job import State
from tests.faults.checker import History, audit
from tests.faults.effects import since_boot
from tests.faults.running import ended, put, running, starts
from tests.faults.trees import Tree

if TYPE_CHECKING:
    from pathlib import Path

    from stanchion.stores.sqlite import SqliteStore


@pytest.mark.timeout(60)
async def test_sigterm_ends_what_fits_and_gives_back_the_rest(store: SqliteStore, tmp_path: Path) -> None:
    quick = await put(store, "work", '{"ms":700}', 2)
    slow = await put(store, "work", '{"ms":60000}', 2)
    with Tree(tmp_path, processes=1, slots=4, grace=1.5) as tree:
        await running(store, [*quick, *slow], tmp_path)
        waiting = await put(store, "work", '{"ms":1}', 20, priority=9)
        tree.process.send_signal(signal.SIGTERM)
        told = since_boot()
        assert tree.process.wait(15) == 0
    history = History(store.path)
    jobs = {job.id: job for job in await store.inspect([*quick, *slow, *waiting]) if job is not None}
    assert {jobs[key].state for key in quick} == {State.COMPLETED}
    assert {(jobs[key].state, jobs[key].spent, jobs[key].crashes) for key in slow} == {(State.QUEUED, 0, 0)}
    claims = [step.at - told - history.offset for step in history.starts().values()]
    assert max(claims) <= 100, "claimed after it was told to stop"
    assert not [row for row in await store.workers() if row.alive]
    assert audit(history) == []


@pytest.mark.timeout(60)
async def test_everything_goes_on_after_everything_was_killed(store: SqliteStore, tmp_path: Path) -> None:
    ids = await put(store, "work", '{"ms":300}', 60)  # so many that a slow machine is not done before the kill
    trees = [Tree(tmp_path, processes=1, slots=2, lease="1000,250") for _ in range(2)]
    await running(store, ids[:4], tmp_path)
    for tree in trees:
        tree.kill()

    left = [job for job in await store.inspect(ids) if job is not None and not job.final]
    assert left, "nothing was left to go on with"
    with Tree(tmp_path, processes=1, slots=4, lease="1000,250") as tree:
        await ended(store, ids)
        assert tree.stop() == 0
    assert {job.state for job in await store.inspect(ids) if job is not None} == {State.COMPLETED}
    assert max(len(starts(tmp_path, key)) for key in ids) >= 2, "the kill hit nothing that ran"
    assert audit(History(store.path)) == []
