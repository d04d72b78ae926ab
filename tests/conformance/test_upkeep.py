"""Maintain: promote, expire, prune; and what pruning means to those who watch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain.job import State
from stanchion.domain.kinds import Kind
from stanchion.domain.outcome import Completed, Failed, Released
from stanchion.domain.policy import Retention
from stanchion.domain.query import Cursor
from stanchion.store import CostNote, LogNote, Noted, StepNote, Upkeep
from tests.conformance.helpers import (
    BOOM,
    KEEP,
    add,
    artifact,
    chunk,
    complete,
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


async def test_nothing_to_do_is_nothing_done(store: Store) -> None:
    await add(store)
    assert await store.maintain(KEEP, 10) == Upkeep()


async def test_what_is_due_is_promoted(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    await finish(store, lease, Failed(BOOM))
    scheduled, later = await add(store, new(delay=500), new(delay=5_000))
    clock.pass_(1_000)
    assert await store.maintain(KEEP, 10) == Upkeep(promoted=2, next_due=4_000)
    assert await states(store, lease.id, scheduled, later) == [State.QUEUED, State.QUEUED, State.SCHEDULED]
    job = await read(store, scheduled)
    assert (job.version, job.due_at) == (2, None)
    assert (await store.maintain(KEEP, 10)).promoted == 0


async def test_what_waited_too_long_fails(store: Store, clock: FakeClock) -> None:
    ids = await add(store, new(expires_in=10), new(expires_in=10, delay=99), new(expires_in=11), new())
    clock.pass_(10)
    assert (await store.maintain(KEEP, 10)).expired == 2
    assert await states(store, *ids) == [State.FAILED, State.FAILED, State.QUEUED, State.QUEUED]
    job = await read(store, ids[1])
    assert job.error is not None
    assert (job.error.kind, job.ended_at, job.due_at) == (Kind.EXPIRED, clock.at, None)
    assert await store.maintain(KEEP, 10) == Upkeep()


async def test_a_job_that_waits_for_its_retry_may_expire(store: Store, clock: FakeClock) -> None:
    lease = await start(store, new(expires_in=500))
    await finish(store, lease, Failed(BOOM))
    clock.pass_(600)
    assert (await store.maintain(KEEP, 10)).expired == 1
    assert await states(store, lease.id) == [State.FAILED]


async def test_final_jobs_are_kept_for_their_time(store: Store, clock: FakeClock) -> None:
    done, failed = await complete(store), await fail(store)
    (cancelled,) = await add(store)
    await store.cancel([cancelled])
    keep = Retention(completed=1_000, failed=2_000, cancelled=3_000)
    kept: list[int] = []
    for _ in range(4):
        kept.append(sum(job is not None for job in await store.inspect([done, failed, cancelled])))
        clock.pass_(1_001)
        await store.maintain(keep, 10)
    assert kept == [3, 2, 1, 0]


async def test_jobs_that_are_not_final_are_never_pruned(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    queued, scheduled = await add(store, new(), new(delay=10**12))
    clock.pass_(10**11)
    assert (await store.maintain(Retention(0, 0, 0), 10)).pruned == 0
    assert None not in await store.inspect([lease.id, queued, scheduled])


async def test_each_kind_of_work_is_done_in_portions(store: Store, clock: FakeClock) -> None:
    for _ in range(3):
        await complete(store)
    await add(store, *[new(delay=5) for _ in range(3)], *[new(expires_in=5) for _ in range(3)])
    clock.pass_(KEEP.completed + 1)
    rounds = [await store.maintain(KEEP, 2) for _ in range(3)]
    assert [upkeep[:3] for upkeep in rounds] == [(2, 2, 2), (1, 1, 1), (0, 0, 0)]


async def test_a_pruned_job_is_gone_with_all_its_rows(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    notes = (chunk("x"), LogNote("info", "x"), StepNote("s", b"1"), CostNote("1", "USD"))
    await store.note([Noted(lease.ref, 1, note) for note in notes])
    await finish(store, lease)
    clock.pass_(KEEP.completed + 1)
    assert (await store.maintain(KEEP, 10)).pruned == 1
    assert await store.inspect([lease.id]) == [None]
    assert await store.history(lease.id) == ([], [])
    assert (await store.outputs(lease.id), await store.logs(lease.id), await store.costs(lease.id)) == (
        [],
        [],
        [],
    )
    assert await store.steps(lease.ref) == {}
    assert (await store.changes(await store.tail())).events == ()
    (queue,) = await store.stats()
    assert sum(queue.counts.values()) == 0


async def test_artifacts_that_no_job_refers_to_any_more_are_told_once(store: Store, clock: FakeClock) -> None:
    old = await start(store)
    await store.note([Noted(old.ref, 1, artifact(digest)) for digest in ("shared", "alone", "alone")])
    await finish(store, old)
    clock.pass_(KEEP.completed)
    young = await start(store)
    await store.note([Noted(young.ref, 1, artifact("shared"))])
    await finish(store, young)
    clock.pass_(1)
    assert (await store.maintain(KEEP, 10)).artifacts == ("alone",)
    assert (await store.maintain(KEEP, 10)).artifacts == ()
    clock.pass_(KEEP.completed)
    assert (await store.maintain(KEEP, 10)).artifacts == ("shared",)


async def test_artifacts_of_earlier_attempts_are_cleared_too(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    await store.note([Noted(lease.ref, 1, artifact("first"))])
    await finish(store, lease, Released())
    (lease,) = await take(store, 1)
    await store.note([Noted(lease.ref, 2, artifact("second"))])
    await finish(store, lease)
    clock.pass_(KEEP.completed + 1)
    assert sorted((await store.maintain(KEEP, 10)).artifacts) == ["first", "second"]


async def test_artifacts_of_erased_jobs_are_told_by_the_next_upkeep(store: Store) -> None:
    lease = await start(store)
    await store.note([Noted(lease.ref, 1, artifact("gone"))])
    await finish(store, lease)
    await store.erase([lease.id])
    assert (await store.maintain(KEEP, 10)).artifacts == ("gone",)
    assert (await store.maintain(KEEP, 10)).artifacts == ()


async def test_a_watcher_behind_the_pruned_is_told_of_the_gap(store: Store, clock: FakeClock) -> None:
    await complete(store)
    since = await store.tail()
    await complete(store)
    clock.pass_(KEEP.completed + 1)
    await store.maintain(KEEP, 10)
    changes = await store.changes(since)
    assert changes.gap is True
    assert changes.cursor == await store.tail()
    (job_id,) = await add(store)
    after = await store.changes(changes.cursor)
    assert (after.gap, [event.id for event in after.events]) == (False, [job_id])


async def test_a_watcher_beyond_the_pruned_has_no_gap(store: Store) -> None:
    job_id = await complete(store)
    since = await store.tail()
    await add(store)
    await store.erase([job_id])
    changes = await store.changes(since)
    assert (changes.gap, len(changes.events)) == (False, 1)


async def test_a_cursor_from_another_store_is_a_gap(store: Store) -> None:
    await add(store)
    changes = await store.changes(Cursor(event=1_000))
    assert (changes.gap, changes.cursor) == (True, await store.tail())


async def test_erasing_is_a_gap_for_those_who_had_not_seen_it(store: Store) -> None:
    await store.erase([await complete(store)])
    assert (await store.changes(Cursor())).gap is True


async def test_upkeep_wakes_what_a_worker_then_claims(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    (job_id,) = await add(store, new(delay=10))
    clock.pass_(10)
    await store.maintain(KEEP, 10)
    (lease,) = await take(store, worker)
    assert await store.settle([ended(lease, Completed(b"1"))]) == [True]
    assert await states(store, job_id) == [State.COMPLETED]
