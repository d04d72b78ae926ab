"""What limits cost: nothing without any, and with them no more because of those who wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanchion.domain.limits import Limit
from stanchion.domain.outcome import Completed
from stanchion.store import Want
from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import ended, join, new, take
from tests.plans.test_counts import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

WANT = Want(8, frozenset({"t"}))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(tmp_path / "t.db", ballast=0, synchronous="off")
    await made.open()
    yield made
    await made.close()


async def cost(store: SqliteStore, worker: int) -> list[str]:
    """The statements of a claim of eight jobs of a tenant that nothing holds up, and of their settlement."""
    await store.enqueue([new(tenant="free") for _ in range(8)])
    with counted(store._writing.db) as seen:
        leases = await take(store, worker, WANT)
        assert [lease.tenant for lease in leases] == ["free"] * 8
        assert all(await store.settle([ended(lease, Completed(b"1")) for lease in leases]))
    return seen


async def test_without_limits_no_statement_is_about_limits(store: SqliteStore) -> None:
    worker = await join(store)
    await cost(store, worker)
    seen = await cost(store, worker)
    assert not [text for text in seen if "usage" in text or "waits_on =" in text]


async def test_a_claim_behind_many_jobs_of_a_tenant_at_its_limit_costs_what_it_costs_without_them(
    store: SqliteStore,
) -> None:
    worker = await join(store)
    await store.configure_limit(Limit("tenant:full", running=1))
    await cost(store, worker)
    before = await cost(store, worker)
    await store.enqueue([new(tenant="full") for _ in range(10_000)])
    (held,) = [lease for lease in await take(store, worker) if lease.tenant == "full"]
    after = await cost(store, worker)
    assert len(after) == len(before), after
    await store.settle([ended(held)])


async def test_a_claim_beside_a_thousand_lanes_that_wait_costs_what_it_costs_without_them(store: SqliteStore) -> None:
    worker = await join(store)
    await store.configure_limit(Limit("provider:p", running=1))
    await cost(store, worker)
    before = await cost(store, worker)
    await store.enqueue([new(tenant=f"t{number}", limits=(("provider:p", 1),)) for number in range(1_000)])
    (first,) = await take(store, worker)
    after = await cost(store, worker)
    assert len(after) == len(before), after
    with counted(store._writing.db) as seen:
        await store.settle([ended(first)])
        (second,) = await take(store, worker, WANT._replace(limit=1))
    assert second.tenant.startswith("t")
    assert len(seen) < 60, seen


async def test_a_wake_examines_a_bounded_number_of_lanes(store: SqliteStore) -> None:
    worker = await join(store)
    await store.park("provider:p", 60_000)
    await store.enqueue([new(tenant=f"t{number}", limits=(("provider:p", 1),)) for number in range(500)])
    assert not await take(store, worker)
    with counted(store._writing.db) as seen:
        await store.park("provider:p", 0)
    assert len([text for text in seen if text.startswith("UPDATE lanes")]) <= 100
    assert len(await take(store, worker, Want(1_000, frozenset({"t"})))) == 500
