"""What estimates cost: nothing where jobs are stored and settled, a bounded read where the time left is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanchion.engine.learning import learn
from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import ended, join, new, take
from tests.plans.test_counts import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(tmp_path / "t.db", ballast=0, synchronous="off")
    await made.open()
    yield made
    await made.close()


async def run(store: SqliteStore, worker: int, count: int, size: float | None) -> list[str]:
    """The statements from the enqueue to the settlement."""
    with counted(store._writing.db) as seen:
        await store.enqueue([new(size=size) for _ in range(count)])
        leases = await take(store, worker)
        assert all(await store.settle([ended(lease) for lease in leases]))
    return seen


async def test_a_task_without_a_cost_pays_nothing_for_those_that_have_one(store: SqliteStore) -> None:
    worker = await join(store)
    await run(store, worker, 8, None)
    plain = await run(store, worker, 8, None)
    await run(store, worker, 8, 4096.0)
    await learn(store)
    assert await run(store, worker, 8, None) == plain
    assert not [text for text in plain if "durations" in text or "lessons" in text]


@pytest.mark.parametrize("jobs", [1, 8, 64])
async def test_a_cost_adds_two_statements_to_a_settlement_of_many_jobs(store: SqliteStore, jobs: int) -> None:
    worker = await join(store)
    for size in (None, 4096.0):
        await run(store, worker, jobs, size)
    plain = await run(store, worker, jobs, None)
    charged = await run(store, worker, jobs, 4096.0)
    assert len(charged) == len(plain) + 2, charged


async def test_what_was_learned_is_read_once_for_each_task(store: SqliteStore) -> None:
    worker = await join(store)
    for _ in range(3):
        await run(store, worker, 8, 4096.0)
    await learn(store)
    seen = await run(store, worker, 8, 4096.0)
    assert [text for text in seen if "durations" in text] == [
        "SELECT task, size, took, failed FROM durations WHERE task = ?"
    ]
    seen = await run(store, worker, 8, 4096.0)
    assert not [text for text in seen if "durations" in text]


async def test_learning_costs_a_few_statements_whatever_the_number_of_attempts(store: SqliteStore) -> None:
    worker = await join(store)
    costs: list[tuple[int, int]] = []
    assert await store.lessons(1)  # opens the reader
    for count in (1, 1, 60):
        await run(store, worker, count, 2.0)
        with counted(store._writing.db) as wrote, counted(store._reader) as read:
            await learn(store)
        costs.append((len(wrote), len(read)))
    assert costs[1] == costs[2]
    assert sum(costs[2]) < 25, costs
    with counted(store._writing.db) as wrote:
        await learn(store)
    assert not wrote, "nothing is written where nothing ended"


async def test_the_outlook_costs_the_same_however_many_wait(store: SqliteStore) -> None:
    await join(store)
    job = new(size=9.0)
    await store.enqueue([new(size=float(number % 9 + 1)) for number in range(40)] + [job])
    await store.position([job.id])
    with counted(store._reader) as few:
        await store.outlook([job.id])
    await store.enqueue([new(size=float(number % 9 + 1)) for number in range(5_000)])
    with counted(store._reader) as many:
        await store.outlook([job.id])
    assert len(many) == len(few) < 12, many
