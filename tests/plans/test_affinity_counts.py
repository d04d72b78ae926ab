"""What model affinity costs: nothing without models, and with them no more because of those who wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanchion.domain.affinity import SHARES
from stanchion.domain.outcome import Completed
from stanchion.store import Want
from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import ended, join, new, take
from tests.plans.test_counts import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

WANT = Want(1, frozenset({"t"}), warm=frozenset({"flux"}))
NOTHING = WANT._replace(warm=frozenset())


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(tmp_path / "t.db", ballast=0, synchronous="off")
    await made.open()
    yield made
    await made.close()


async def cost(store: SqliteStore, worker: int, want: Want, model: str = "") -> list[str]:
    """The statements of a claim of one job and of its settlement."""
    with counted(store._writing.db) as seen:
        (lease,) = await take(store, worker, want)
        assert lease.model == model
        assert all(await store.settle([ended(lease, Completed(b"1"))]))
    return seen


async def test_where_nothing_names_a_model_no_statement_is_about_models(store: SqliteStore) -> None:
    worker = await join(store)
    await store.enqueue([new() for _ in range(10)])
    seen = await cost(store, worker, NOTHING)
    assert not [text for text in seen if "SET passed" in text or "SET warm" in text or "DISTINCT warm" in text]


async def test_a_worker_with_a_model_loaded_runs_the_same_statements_where_no_job_names_one(store: SqliteStore) -> None:
    worker = await join(store)
    await store.enqueue([new() for _ in range(10)])
    await cost(store, worker, NOTHING)
    plain = await cost(store, worker, NOTHING)
    await cost(store, worker, WANT)  # what it has loaded is written once
    assert await cost(store, worker, WANT) == plain


async def test_in_its_turn_a_warm_job_costs_what_a_job_without_a_model_costs(store: SqliteStore) -> None:
    worker = await join(store)
    await store.enqueue([new() for _ in range(5)])
    await cost(store, worker, WANT)
    plain = await cost(store, worker, WANT)
    await store.enqueue([new(model="flux", tenant="other", priority=2) for _ in range(5)])
    await cost(store, worker, WANT, "flux")
    assert await cost(store, worker, WANT, "flux") == plain


@pytest.mark.parametrize("waiting", [20, 5_000])
async def test_passing_over_costs_a_few_statements_however_many_wait(store: SqliteStore, waiting: int) -> None:
    worker = await join(store)
    await store.enqueue([new() for _ in range(5)])
    await cost(store, worker, WANT)
    plain = await cost(store, worker, WANT)
    await take(store, worker, WANT._replace(limit=5))
    await store.enqueue([new(model="sdxl") for _ in range(waiting)] + [new(model="flux") for _ in range(20)])
    await cost(store, worker, WANT, "flux")
    seen = await cost(store, worker, WANT, "flux")
    assert len(seen) <= len(plain) + 4, seen


@pytest.mark.parametrize("tenants", [SHARES, 500])
async def test_looking_ahead_costs_a_few_statements_however_many_tenants_wait(store: SqliteStore, tenants: int) -> None:
    worker = await join(store)
    await store.enqueue([new(model="sdxl", tenant=f"t{number}") for number in range(tenants)])
    await take(store, worker, WANT._replace(limit=0))
    with counted(store._writing.db) as seen:
        (lease,) = await take(store, worker, WANT)
    assert lease.model == "sdxl"
    assert len(seen) <= 24, seen
