"""What batches cost: nothing where no task has them, and a few statements for each group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanchion.domain.batches import Batching
from stanchion.store import Want
from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import ended, join, new, take
from tests.plans.test_counts import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

WANT = Want(8, frozenset({"t"}))
FOUR = WANT._replace(batches={"t": Batching(4)})


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(tmp_path / "t.db", ballast=0, synchronous="off")
    await made.open()
    yield made
    await made.close()


async def cost(store: SqliteStore, worker: int, want: Want, most: int = 1_000) -> list[str]:
    """The statements of a claim; what it started ends."""
    with counted(store._writing.db) as seen:
        leases = await take(store, worker, want)
    assert 0 < len(leases) <= most
    await store.settle([ended(lease) for lease in leases])
    return seen


async def test_a_claim_without_batches_says_nothing_of_them(store: SqliteStore) -> None:
    worker = await join(store)
    await store.enqueue([new() for _ in range(30)])
    await cost(store, worker, WANT)  # the name of the queue is read once
    before = await cost(store, worker, WANT)
    await store.enqueue([new(batch="k", task="other") for _ in range(20)])
    after = await cost(store, worker, WANT)
    assert len(after) == len(before)
    assert not [text for text in after if "batch" in text]


async def test_a_worker_with_batches_asks_once_whether_a_lane_has_a_key(store: SqliteStore) -> None:
    worker = await join(store)
    await store.enqueue([new(task="a") for _ in range(40)])
    both = WANT._replace(tasks=frozenset({"t", "a"}), limit=4)
    await cost(store, worker, both)
    before = await cost(store, worker, both)
    assert len(await cost(store, worker, both._replace(batches=FOUR.batches))) == len(before)
    await cost(store, worker, both._replace(batches={"a": Batching(4)}))
    assert len(await cost(store, worker, both._replace(batches={"a": Batching(4)}))) == len(before)


@pytest.mark.parametrize("waiting", [40, 4_000])
async def test_a_group_of_four_is_a_bounded_number_of_statements(store: SqliteStore, waiting: int) -> None:
    worker = await join(store)
    await store.enqueue([new(batch="k") for _ in range(waiting)])
    await cost(store, worker, FOUR)
    one = await cost(store, worker, FOUR._replace(limit=1))
    two = await cost(store, worker, FOUR._replace(limit=2))
    assert len(one) <= 4 * 2 + 22, one
    assert len(two) - len(one) <= 4 * 2 + 12, two


async def test_the_mates_of_a_group_are_found_however_many_lanes_there_are(store: SqliteStore) -> None:
    worker = await join(store)
    want = WANT._replace(limit=1, batches={"t": Batching(4, across=True)})
    await store.enqueue([new(batch="k", tenant=f"t{number}") for number in range(20)])
    await cost(store, worker, want, 4)
    before = await cost(store, worker, want, 4)
    await store.enqueue([new(batch="k", tenant=f"u{number}") for number in range(1_000)])
    assert len(await cost(store, worker, want, 4)) == len(before)
