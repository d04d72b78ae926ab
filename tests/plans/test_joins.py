"""Joins are told set by set, in bounded portions, and a portion that is left over outlives its process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanchion.domain.dependency import Dependency
from stanchion.domain.job import State
from stanchion.domain.outcome import Completed, Failed
from stanchion.store import Want
from stanchion.stores.sqlite import SqliteStore, joins
from tests.conformance.helpers import BOOM, KEEP, ended, join, new, take
from tests.plans.test_counts import counted

if TYPE_CHECKING:
    from pathlib import Path

WANT = Want(64, frozenset({"t"}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.db"


async def opened(path: Path) -> SqliteStore:
    store = SqliteStore(path, ballast=0)
    await store.open()
    return store


@pytest.mark.parametrize("children", [1, 8, 64])
async def test_the_end_of_a_parent_is_three_statements_for_each_child_and_a_few_beside(
    path: Path, children: int
) -> None:
    store = await opened(path)
    worker = await join(store)
    parent = new()
    await store.enqueue([parent, *(new(depends_on=(Dependency(parent.id),)) for _ in range(children))])
    (lease,) = await take(store, worker, WANT)
    with counted(store._writing.db) as seen:
        await store.settle([ended(lease, Completed(b"1"))])
    assert len(seen) <= 3 * children + 16, seen
    await store.close()


async def test_an_end_for_which_nobody_waits_asks_nothing_about_dependencies(path: Path) -> None:
    store = await opened(path)
    worker = await join(store)
    await store.enqueue([new()])
    (lease,) = await take(store, worker, WANT)
    with counted(store._writing.db) as seen:
        await store.settle([ended(lease, Completed(b"1"))])
    assert not [text for text in seen if "dependencies" in text and not text.startswith("SELECT j.seq, j.attempt")]
    await store.close()


@pytest.mark.parametrize(("edges", "levels"), [(3, 1_000), (1_000, 2), (1, 1)])
async def test_what_one_transaction_has_no_room_for_is_told_by_the_next_process(
    path: Path, monkeypatch: pytest.MonkeyPatch, edges: int, levels: int
) -> None:
    monkeypatch.setattr(joins, "EDGES_AT_ONCE", edges)
    monkeypatch.setattr(joins, "LEVELS_AT_ONCE", levels)
    store = await opened(path)
    worker = await join(store)
    root = new(max_attempts=1)
    wide = [new(depends_on=(Dependency(root.id),)) for _ in range(7)]
    deep = [new(depends_on=(Dependency(wide[-1].id),))]
    for _ in range(4):
        deep.append(new(depends_on=(Dependency(deep[-1].id),)))
    batch = [root, *wide, *deep]
    await store.enqueue([job._replace(workflow="w") for job in batch])
    (lease,) = await take(store, worker, WANT)
    await store.settle([ended(lease, Failed(BOOM))])
    assert (await store.workflow("w"))[State.BLOCKED] > 0
    await store.close()

    store = await opened(path)
    while (await store.maintain(KEEP, 100)).resolved:
        pass
    assert await store.workflow("w") == {State.FAILED: len(batch)}
    for job in batch[1:]:
        events, _ = await store.history(job.id)
        assert [event.state for event in events] == [State.BLOCKED, State.FAILED]
    await store.close()
