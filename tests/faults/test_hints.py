"""Hints come after the commit, and only then; one that is lost, or cannot be sent, costs nothing but time."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from stanchion.errors import StoreError
from stanchion.stores.sqlite import SqliteStore
from stanchion.stores.sqlite.signals import folder_for
from tests.conformance.helpers import add, join, new, take
from tests.faults.checker import History, audit

if TYPE_CHECKING:
    from stanchion.store import Signal


async def test_nothing_is_told_of_what_was_not_committed(store: SqliteStore) -> None:
    """M11: a commit that fails leaves no row, no event and no hint."""
    told: list[Signal] = []
    stop = store.subscribe(told.append, claims=True, watch=True)
    db: Any = store._writing.db
    db.set_commit_hook(lambda: True)  # every commit is turned into a rollback
    before = await store.tail()
    with pytest.raises(StoreError) as caught:
        await store.enqueue([new()])
    assert caught.value.remedy
    await asyncio.sleep(0.05)
    assert told == []
    assert await store.tail() == before
    db.set_commit_hook(None)
    (job,) = await add(store)
    await asyncio.sleep(0.05)
    assert {hint.kind for hint in told} == {"work", "change"}
    stop()
    assert list(History(store.path).by_id) == [job]
    assert audit(History(store.path)) == []


async def test_who_is_told_finds_what_he_was_told_of(store: SqliteStore) -> None:
    seen: list[int] = []
    other = SqliteStore(store.path, ballast=0)
    await other.open()

    def look(_hint: Signal) -> None:
        seen.append(len(History(store.path).jobs))

    stop = other.subscribe(look, claims=False, watch=True)
    for count in range(1, 20):
        await add(store)
        await asyncio.sleep(0.005)
        assert seen[-1:] == [count]
    stop()
    await other.close()


@pytest.mark.parametrize("together", [1, 10])
async def test_the_folder_of_hints_may_vanish(store: SqliteStore, together: int) -> None:
    """Somebody tidies up the temporary files: what was committed counts once, and a claim gives each lease once."""
    worker = await join(store)
    await add(store, *(new() for _ in range(20)))
    shutil.rmtree(folder_for(store.path))
    await asyncio.gather(*(store.enqueue([new()]) for _ in range(together)))
    leases = await take(store, worker)
    assert len(leases) == 20 + together
    assert len({lease.id for lease in leases}) == 20 + together
    assert len(await store.held(worker)) == 20 + together
    assert audit(History(store.path)) == []
