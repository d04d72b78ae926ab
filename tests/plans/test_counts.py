"""How many statements an operation runs: a few, and a few for each job; never more because there is more history."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.outcome import Completed
from stanchion.domain.query import Cursor
from stanchion.store import Want
from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import ended, join, new, take

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator
    from pathlib import Path

WANT = Want(64, frozenset({"t"}))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(tmp_path / "t.db", ballast=0)
    await made.open()
    yield made
    await made.close()


@contextmanager
def counted(connection: Any) -> Generator[list[str]]:
    """The statements that a connection runs, as often as each runs."""
    seen: list[str] = []

    def trace(_cursor: object, text: str, _values: object) -> bool:
        seen.append(" ".join(text.split()))
        return True

    connection.exec_trace = trace
    try:
        yield seen
    finally:
        connection.exec_trace = None


@pytest.fixture
async def worker(store: SqliteStore) -> int:
    """A worker; and enough history that a cost that grows with it would show."""
    worker = await join(store)
    await store.enqueue([new() for _ in range(200)])
    for _ in range(4):
        leases = await take(store, worker, WANT)
        await store.settle([ended(lease, Completed(b"1")) for lease in leases])
    assert not await take(store, worker, WANT)
    return worker


@pytest.mark.parametrize(("jobs", "most"), [(1, 7), (8, 7), (64, 7), (640, 34)])
async def test_an_enqueue_is_three_inserts_of_many_rows(store: SqliteStore, worker: int, jobs: int, most: int) -> None:
    await store.enqueue([new()])  # a lane in which nobody waits gets its head in one statement more
    with counted(store._writing.db) as seen:
        await store.enqueue([new() for _ in range(jobs)])
    assert len(seen) <= most, seen


@pytest.mark.parametrize("jobs", [1, 8, 64])
async def test_a_claim_is_two_statements_for_each_lease_and_a_few_beside(
    store: SqliteStore, worker: int, jobs: int
) -> None:
    await store.enqueue([new() for _ in range(jobs)])
    with counted(store._writing.db) as seen:
        assert len(await take(store, worker, WANT)) == jobs
    assert len(seen) <= 2 * jobs + 18, seen


async def test_a_claim_that_finds_nothing_writes_nothing(store: SqliteStore, worker: int) -> None:
    with counted(store._writing.db) as seen:
        assert not await take(store, worker, WANT)
    assert len(seen) <= 7, seen
    assert not [text for text in seen if text.startswith(("UPDATE", "INSERT", "DELETE"))]


@pytest.mark.parametrize("jobs", [1, 8, 64])
async def test_a_settlement_is_three_statements_for_each_job_and_a_few_beside(
    store: SqliteStore, worker: int, jobs: int
) -> None:
    await store.enqueue([new() for _ in range(jobs)])
    leases = await take(store, worker, WANT)
    with counted(store._writing.db) as seen:
        assert all(await store.settle([ended(lease, Completed(b"1")) for lease in leases]))
    assert len(seen) <= 3 * jobs + 6, seen


async def test_a_settlement_that_rides_in_a_claim_costs_no_transaction_of_its_own(
    store: SqliteStore, worker: int
) -> None:
    await store.enqueue([new(), new()])
    (lease,) = await take(store, worker, WANT._replace(limit=1))
    with counted(store._writing.db) as seen:
        applied, claimed = await store.claim(worker, WANT._replace(limit=1), [ended(lease, Completed(b"1"))])
    assert (applied, len(claimed.leases)) == ([True], 1)
    assert [text for text in seen if text.startswith(("BEGIN", "COMMIT"))] == ["BEGIN IMMEDIATE", "COMMIT"]


async def test_looking_at_the_feed_is_a_handful_of_reads(store: SqliteStore, worker: int) -> None:
    await store.tail()  # the reader is open
    with counted(store._reader) as seen:
        found = await store.changes(Cursor(1, 0, 0), 1_000)
    assert len(found.events) > 500
    assert len(seen) <= 7, seen


async def test_an_enqueue_behind_others_writes_six_pages(store: SqliteStore) -> None:
    """The job, its two index entries, its payload, its event and its lane's counts; no index of lanes."""
    await store.enqueue([new()])
    log = store._writing._log
    assert log is not None
    before = log._pages
    for _ in range(10):
        await store.enqueue([new()])
    assert log._pages - before <= 10 * 6 + 5  # a page that is full splits now and then
