"""What resources cost: nothing where no job asks for one, and with them no more because of those who wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanchion.store import Want
from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import ended, join, new, take
from tests.plans.test_counts import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

WANT = Want(8, frozenset({"t"}))
GPU = (("gpu", 1),)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(tmp_path / "t.db", ballast=0, synchronous="off")
    await made.open()
    yield made
    await made.close()


async def cost(store: SqliteStore, worker: int) -> list[str]:
    """The statements of a claim of eight jobs that ask for nothing, and of their settlement."""
    await store.enqueue([new(tenant="free") for _ in range(8)])
    with counted(store._writing.db) as seen:
        leases = await take(store, worker, WANT)
        assert [lease.tenant for lease in leases] == ["free"] * 8
        assert all(await store.settle([ended(lease) for lease in leases]))
    return seen


async def test_where_no_job_asks_no_statement_is_about_resources(store: SqliteStore) -> None:
    plain = await join(store, "plain")
    await cost(store, plain)
    before = await cost(store, plain)
    rich = await join(store, "rich", resources={"gpu:0": 1})
    await store.set_resource("slots", 3)
    after = await cost(store, rich)
    assert len(after) == len(before)
    assert not [text for text in after if "holds" in text or "FROM resources" in text]


async def test_a_claim_beside_a_thousand_lanes_that_wait_costs_what_it_costs_without_them(store: SqliteStore) -> None:
    worker = await join(store, resources={"gpu:0": 1})
    await store.enqueue([new(tenant="first", resources=GPU)])
    (holder,) = await take(store, worker)
    await cost(store, worker)
    before = await cost(store, worker)
    await store.enqueue([new(tenant=f"t{number}", resources=GPU) for number in range(1_000)])
    assert not await take(store, worker)
    after = await cost(store, worker)
    assert len(after) == len(before), after
    with counted(store._writing.db) as seen:
        await store.settle([ended(holder)])
        (second,) = await take(store, worker, WANT._replace(limit=1))
    assert second.devices
    assert len(seen) < 60, seen


async def test_a_worker_without_room_passes_only_those_that_others_have_room_for(store: SqliteStore) -> None:
    rich = await join(store, "rich", resources={"gpu:0": 1})
    poor = await join(store, "poor")
    await store.enqueue([new(tenant="first", resources=GPU)])
    (holder,) = await take(store, rich)
    await store.enqueue([new(tenant=f"t{number}", resources=GPU) for number in range(500)])
    assert not await take(store, poor)
    await store.settle([ended(holder)])
    assert not await take(store, poor)
    with counted(store._writing.db) as seen:
        assert not await take(store, poor)
    assert len(seen) < 30, seen
    assert len(await take(store, rich)) == 1
