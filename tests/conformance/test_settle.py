"""Settle: the fence, what each ending leaves, and the judgement of lost workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanchion.domain.job import Attempt, State
from stanchion.domain.kinds import ErrorInfo, Kind
from stanchion.domain.outcome import Cancelled, Completed, Failed, Lost, Released, Snoozed
from stanchion.domain.retry import RetryPolicy
from stanchion.store import LogNote, Noted, PreviewNote, ProgressNote
from tests.conformance.helpers import (
    BOOM,
    LEASE_FOR,
    add,
    ended,
    fail,
    finish,
    join,
    new,
    read,
    start,
    states,
    take,
)

if TYPE_CHECKING:
    from stanchion.store import Store
    from tests.clock import FakeClock


async def test_a_completed_job_keeps_its_result(store: Store, clock: FakeClock) -> None:
    lease = await start(store, incarnation="host-1")
    clock.pass_(70)
    await finish(store, lease, Completed(b'{"ok":true}'))
    job = await read(store, lease.id)
    assert (job.state, job.version, job.result, job.error) == (State.COMPLETED, 3, b'{"ok":true}', None)
    assert (job.spent, job.crashes, job.worker) == (1, 0, None)
    assert (job.started_at, job.ended_at) == (clock.at - 70, clock.at)
    _, attempts = await store.history(lease.id)
    assert attempts == [Attempt(1, "host-1", clock.at - 70, clock.at, "completed", None)]


async def test_a_result_may_be_nothing(store: Store) -> None:
    lease = await start(store)
    await finish(store, lease, Completed(None))
    assert (await read(store, lease.id)).result is None


async def test_a_failure_waits_for_its_retry(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    await finish(store, lease, Failed(BOOM))
    job = await read(store, lease.id)
    assert (job.state, job.due_at, job.error) == (State.RETRYING, clock.at + 1_000, BOOM)
    assert (job.spent, job.started_at, job.ended_at, job.worker) == (1, None, None, None)
    events, (attempt,) = await store.history(lease.id)
    assert events[-1].error == BOOM
    assert (attempt.outcome, attempt.error) == ("retry", BOOM)
    clock.pass_(1_000)
    (again,) = await take(store, 1)
    assert (again.id, again.attempt, again.spent) == (lease.id, 2, 1)


async def test_an_error_is_kept_whole(store: Store) -> None:
    error = ErrorInfo(Kind.PROVIDER, "«502» – bad gateway", False, 2_500, "HTTPError", "t-1")
    lease = await start(store)
    await finish(store, lease, Failed(error))
    assert (await read(store, lease.id)).error == error


async def test_a_job_out_of_attempts_fails(store: Store, clock: FakeClock) -> None:
    job = await read(store, await fail(store))
    assert (job.state, job.error, job.ended_at, job.due_at) == (State.FAILED, BOOM, clock.at, None)


@pytest.mark.parametrize("result", [None, b"1"])
async def test_a_completed_job_carries_no_error_of_an_earlier_attempt(
    store: Store, clock: FakeClock, result: bytes | None
) -> None:
    lease = await start(store)
    await finish(store, lease, Failed(BOOM))
    clock.pass_(5_000)
    (again,) = await take(store, 1)
    await finish(store, again, Completed(result))
    assert (await read(store, lease.id)).error is None


async def test_a_waiting_job_keeps_its_latest_error(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    await finish(store, lease, Failed(BOOM))
    clock.pass_(5_000)
    (again,) = await take(store, 1)
    assert (await read(store, lease.id)).error == BOOM
    await finish(store, again, Released())
    assert (await read(store, lease.id)).error == BOOM


async def test_a_snooze_spends_nothing(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    await finish(store, lease, Snoozed(300))
    job = await read(store, lease.id)
    assert (job.state, job.due_at, job.spent) == (State.SCHEDULED, clock.at + 300, 0)


async def test_a_release_gives_the_job_back_at_once_and_the_fence_grows(store: Store) -> None:
    lease = await start(store)
    await finish(store, lease, Released())
    assert await states(store, lease.id) == [State.QUEUED]
    (again,) = await take(store, 1)
    assert (again.attempt, again.spent) == (2, 0)


async def test_a_handler_may_cancel_its_own_job(store: Store) -> None:
    lease = await start(store)
    await finish(store, lease, Cancelled())
    job = await read(store, lease.id)
    assert (job.state, job.result, job.error) == (State.CANCELLED, None, None)


async def test_a_stale_attempt_settles_nothing(store: Store, clock: FakeClock) -> None:
    old = await start(store)
    clock.pass_(LEASE_FOR + 1)
    await store.overdue(10)
    assert await store.settle([ended(old, Lost())]) == [True]
    assert await store.settle([ended(old)]) == [False]
    fresh = (await take(store, await join(store, "two")))[0]
    before = await read(store, old.id)
    assert await store.settle([ended(old)]) == [False]
    assert await read(store, old.id) == before
    assert await store.settle([ended(fresh)]) == [True]


async def test_a_repeated_settlement_changes_nothing(store: Store) -> None:
    lease = await start(store)
    settlement = ended(lease)
    assert await store.settle([settlement, settlement]) == [True, False]
    before = await read(store, lease.id), await store.history(lease.id)
    assert await store.settle([settlement]) == [False]
    assert (await read(store, lease.id), await store.history(lease.id)) == before


async def test_settlements_of_a_batch_are_answered_each_for_itself(store: Store) -> None:
    worker = await join(store)
    await add(store, new(), new(), new())
    one, two, three = await take(store, worker)
    unknown = ended(one)._replace(ref=99)
    answers = await store.settle([ended(three), unknown, ended(one), ended(two)._replace(attempt=2)])
    assert answers == [True, False, True, False]
    assert await states(store, one.id, two.id, three.id) == [State.COMPLETED, State.RUNNING, State.COMPLETED]


async def test_nothing_to_settle_is_nothing(store: Store) -> None:
    assert await store.settle([]) == []


@pytest.mark.parametrize("outcome", [Completed(b"1"), Failed(BOOM), Snoozed(5), Released(), Lost(), Cancelled()])
async def test_an_asked_cancel_wins_over_every_ending(
    store: Store, outcome: Completed | Failed | Snoozed | Released | Lost | Cancelled
) -> None:
    lease = await start(store)
    await store.cancel([lease.id])
    settlement = ended(lease, outcome)
    assert await store.settle([settlement]) == [True]
    job = await read(store, lease.id)
    assert (job.state, job.result, job.error, job.due_at) == (State.CANCELLED, None, None, None)
    assert (job.spent, job.crashes) == (settlement.spent, settlement.crashes)
    assert job.ended_at is not None
    assert job.cancel_requested_at is not None
    events, (attempt,) = await store.history(lease.id)
    assert (attempt.outcome, attempt.error, events[-1].error) == ("cancelled", None, None)


async def test_a_cancelled_retry_drops_the_error_of_an_earlier_attempt(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    await finish(store, lease, Failed(BOOM))
    clock.pass_(5_000)
    (again,) = await take(store, 1)
    await store.cancel([lease.id])
    await finish(store, again, Completed(b"1"))
    job = await read(store, lease.id)
    assert (job.state, job.error, job.result) == (State.CANCELLED, None, None)


async def test_what_was_live_vanishes_at_the_end(store: Store) -> None:
    lease = await start(store)
    notes = (ProgressNote(1, 2), PreviewNote(b"p", "image/png"), LogNote("info", "hello"))
    assert await store.note([Noted(lease.ref, 1, note) for note in notes]) == [True] * 3
    await finish(store, lease, Released())
    job = await read(store, lease.id)
    assert (job.progress, job.preview_revision) == (None, None)
    assert await store.preview(lease.id) is None
    assert len(await store.logs(lease.id)) == 1


async def test_every_attempt_is_kept(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    await finish(store, lease, Released())
    for outcome in (Failed(BOOM), Snoozed(10), Lost(), Completed(b"1")):
        clock.pass_(5_000)
        (lease,) = await take(store, 1)
        await finish(store, lease, outcome)
    _, attempts = await store.history(lease.id)
    assert [(attempt.number, attempt.outcome) for attempt in attempts] == [
        (1, "released"), (2, "retry"), (3, "snoozed"), (4, "lost"), (5, "completed"),
    ]  # fmt: skip
    job = await read(store, lease.id)
    assert (job.attempt, job.spent, job.crashes) == (5, 2, 1)


async def test_versions_ascend_by_one_and_cursors_ascend(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    await finish(store, lease, Failed(BOOM))
    clock.pass_(5_000)
    (again,) = await take(store, 1)
    await finish(store, again)
    events, _ = await store.history(lease.id)
    assert [event.version for event in events] == [1, 2, 3, 4, 5, 6]
    assert [event.cursor for event in events] == sorted({event.cursor for event in events})
    assert [event.version for event in (await store.history(lease.id, after=4))[0]] == [5, 6]


async def test_a_job_that_kills_its_workers_is_quarantined(store: Store, clock: FakeClock) -> None:
    policy = RetryPolicy(crash_budget=2)
    (job_id,) = await add(store)
    for attempt in (1, 2):
        worker = await join(store, f"w{attempt}")
        await take(store, worker)
        clock.pass_(LEASE_FOR + 1)
        (overdue,) = await store.overdue(10)
        assert overdue.worker == f"w{attempt}"
        assert await store.settle([ended(overdue.lease, Lost(), policy)]) == [True]
    job = await read(store, job_id)
    assert (job.state, job.crashes, job.spent) == (State.FAILED, 2, 0)
    assert job.error is not None
    assert job.error.kind is Kind.WORKER_LOST


async def test_the_holder_of_an_attempt_is_credited_whoever_settles(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    outcomes = (Completed(b"1"), Failed(BOOM), Released(), Lost())
    for outcome in outcomes:
        (job_id,) = await add(store)
        (lease,) = [lease for lease in await take(store, worker) if lease.id == job_id]
        clock.pass_(100)
        await store.settle([ended(lease, outcome)])
        await store.cancel([job_id])
    (row,) = await store.workers()
    assert (row.done, row.failed) == (1, 2)
    assert row.mean_ms is not None
