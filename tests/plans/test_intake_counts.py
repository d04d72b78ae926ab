"""What is asked of a request costs the same however many jobs there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanchion.domain.intake import Conflict, Guard, Intake, OnConflict, Overflow
from stanchion.domain.limits import Limit
from stanchion.store import Enqueued
from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import ended, join, new, take
from tests.plans.test_counts import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

QUEUE = Intake(Conflict(OnConflict.QUEUE, "k"))
ALL = Intake(max_ahead=1_000_000, overflow=Overflow(), guard=Guard("g"))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(tmp_path / "t.db", ballast=0, synchronous="off")
    await made.open()
    yield made
    await made.close()


async def cost(store: SqliteStore, asked: Intake | None) -> int:
    """How many statements an enqueue runs."""
    with counted(store._writing.db) as seen:
        (answer,) = await store.enqueue([new(intake=asked)])
    assert isinstance(answer, Enqueued)
    return len(seen)


async def test_an_enqueue_that_is_asked_nothing_knows_nothing_of_it(store: SqliteStore) -> None:
    await store.enqueue([new()])
    with counted(store._writing.db) as seen:
        await store.enqueue([new()])
    assert not [text for text in seen if "conflicts" in text or "strikes" in text or "warnings" in text]


@pytest.mark.parametrize("asked", [QUEUE, Intake(max_ahead=1_000_000), ALL._replace(overflow=None)])
async def test_what_is_asked_costs_the_same_before_ten_jobs_and_thousands(store: SqliteStore, asked: Intake) -> None:
    await store.enqueue([new(intake=asked) for _ in range(5)])
    before = await cost(store, asked)
    await store.enqueue([new() for _ in range(3_000)])
    if asked.conflict is not None:
        await store.enqueue([new(intake=asked) for _ in range(300)])
    assert await cost(store, asked) == before


async def test_a_bound_costs_the_same_however_many_jobs_it_counts(store: SqliteStore) -> None:
    await store.configure_limit(Limit("queue:*", warn=5_000, refuse=9_000))
    await cost(store, None)
    before = await cost(store, None)
    await store.enqueue([new() for _ in range(3_000)])
    assert await cost(store, None) == before


async def test_jobs_of_a_key_that_ended_are_looked_at_once(store: SqliteStore) -> None:
    worker = await join(store)
    asked = Intake(Conflict(OnConflict.CANCEL_NEWEST, "k"))
    for _ in range(40):
        (answer,) = await store.enqueue([new(intake=asked)])
        assert isinstance(answer, Enqueued)
        (lease,) = await take(store, worker)
        await store.settle([ended(lease)])
    first = await cost(store, asked)
    (lease,) = await take(store, worker)
    await store.settle([ended(lease)])
    assert await cost(store, asked) == first
