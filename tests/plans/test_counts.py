"""How many statements an operation runs: a few, and a few for each job; never more because there is more history."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from stanchion.domain.cache import Caching
from stanchion.domain.outcome import Completed
from stanchion.domain.query import Cursor
from stanchion.domain.schedule import Every, NewSchedule, plan
from stanchion.domain.units import SECOND
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
async def test_a_claim_is_the_same_few_statements_whatever_it_leases(
    store: SqliteStore, worker: int, jobs: int
) -> None:
    await store.enqueue([new() for _ in range(jobs)])
    with counted(store._writing.db) as seen:
        assert len(await take(store, worker, WANT)) == jobs
    assert len(seen) <= 20, seen


@pytest.mark.parametrize("jobs", [1, 64])
async def test_no_statement_is_prepared_again_from_one_round_to_the_next(store: SqliteStore, jobs: int) -> None:
    worker = await join(store)
    db: Any = store._writing.db

    async def turn() -> None:
        await store.enqueue([new() for _ in range(jobs)])
        leases = await take(store, worker, WANT)
        await store.settle([ended(lease, Completed(b"1")) for lease in leases])

    await turn()
    await turn()
    prepared = db.cache_stats()["misses"]
    for _ in range(5):
        await turn()
    assert db.cache_stats()["misses"] == prepared


async def test_no_plan_depends_on_the_values_that_are_bound(store: SqliteStore) -> None:
    """Or statements with a partial index in sight are planned at each call: four times the cost of a small one."""
    db: Any = store._writing.db
    assert db.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, -1) == 1


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


async def test_a_tick_costs_what_an_enqueue_costs_and_three_statements(store: SqliteStore, worker: int) -> None:
    await store.put_schedules([NewSchedule(name=f"{n}", rule=Every(SECOND), request=new()) for n in range(50)])
    found = await store.schedules()
    firings = [plan(schedule, schedule.next_at or 0) for schedule in found]
    await store.fire(firings[:1])  # a lane in which nobody waits gets its head in one statement more
    with counted(store._writing.db) as seen:
        assert all(fired.applied for fired in await store.fire(firings[1:]))
    assert len(seen) <= 49 * 5 + 5, seen


async def test_looking_for_due_schedules_is_two_reads(store: SqliteStore, worker: int) -> None:
    await store.put_schedules([NewSchedule(name=f"{n}", rule=Every(SECOND), request=new()) for n in range(50)])
    await store.tail()  # the reader is open
    with counted(store._reader) as seen:
        await store.due_schedules(10)
    assert len(seen) == 4, seen


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


async def steps_of_a_claim(tmp_path: Path, waiting: int, tenants: int) -> int:
    """How many steps SQLite's machine takes to settle 64 jobs and to claim 64 more."""
    store = SqliteStore(tmp_path / f"{waiting}-{tenants}.db", ballast=0)
    await store.open()
    await store.enqueue([new(tenant=f"t{number % tenants}") for number in range(waiting)])
    worker = await join(store)
    held = await take(store, worker, WANT)
    steps = 0

    def profiled(event: dict[str, Any]) -> None:
        nonlocal steps
        steps += event["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]

    store._writing.db.trace_v2(apsw.SQLITE_TRACE_PROFILE, profiled)  # type: ignore[attr-defined]
    _, claimed = await store.claim(worker, WANT, [ended(lease, Completed(b"1")) for lease in held])
    store._writing.db.trace_v2(0, None)  # type: ignore[attr-defined]
    assert len(claimed.leases) == 64
    await store.close()
    return steps


async def test_a_claim_does_the_same_however_many_jobs_wait(tmp_path: Path) -> None:
    assert await steps_of_a_claim(tmp_path, 20_000, 1) == await steps_of_a_claim(tmp_path, 300, 1)


async def test_a_claim_does_the_same_however_many_tenants_wait(tmp_path: Path) -> None:
    one, hundred, many = [await steps_of_a_claim(tmp_path, 6_000, tenants) for tenants in (1, 100, 3_000)]
    assert many <= 1.3 * hundred
    assert many <= 2 * one


async def test_an_answer_from_the_cache_is_a_handful_of_statements(store: SqliteStore, worker: int) -> None:
    request = Caching(b"k" * 32, 10_000)
    await store.enqueue([new(cache=request)])
    (lease,) = await take(store, worker, WANT)
    with counted(store._writing.db) as seen:
        assert await store.settle([ended(lease, Completed(b"1"))]) == [True]
    assert len(seen) <= 3 + 6 + 6, seen
    (entry,) = await store.cache.get([request.key])
    with counted(store._writing.db) as seen:
        await store.enqueue([new(cache=request._replace(entry=entry))])
    assert len(seen) <= 7 + 5, seen
    assert not [text for text in seen if "FROM cache_outputs" in text], "what memory holds is not read again"
