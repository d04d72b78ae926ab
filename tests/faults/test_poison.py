"""F6: a job that kills its process runs exactly three times, then it is set aside; nobody else pays for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.checker import History, audit
from tests.faults.running import ended, put, starts
from tests.faults.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stanchion.stores.sqlite import SqliteStore

BYSTANDERS = 40


@pytest.mark.timeout(90)
@pytest.mark.parametrize("task", ["die", "die_alone"], ids=["loop", "process"])
@pytest.mark.parametrize("how", ["exit", "kill"])
async def test_poison_is_quarantined_after_three_starts(
    store: SqliteStore, tmp_path: Path, task: str, how: str, tell: Callable[[str], Any]
) -> None:
    before = await put(store, "work", '{"ms":200}', BYSTANDERS // 2)
    (poison,) = await put(store, task, f'{{"how":"{how}"}}', priority=1)
    after = await put(store, "work", '{"ms":200}', BYSTANDERS // 2)
    with Tree(tmp_path, processes=1, slots=8) as tree:
        await ended(store, [poison, *before, *after], 60)
        assert tree.stop() == 0
    jobs = {job.id: job for job in await store.inspect([poison, *before, *after]) if job is not None}
    tell(
        f"{len(starts(tmp_path, poison))} starts, {sum(job.state == 'completed' for job in jobs.values())} others done"
    )
    assert starts(tmp_path, poison) == [1, 2, 3]
    assert (jobs[poison].state, jobs[poison].crashes, jobs[poison].spent) == ("failed", 3, 0)
    error = jobs[poison].error
    assert error is not None
    assert error.kind == "worker_lost"
    assert "quarantined" in error.message
    assert {job.state for key, job in jobs.items() if key != poison} == {"completed"}
    assert audit(History(store.path)) == []
