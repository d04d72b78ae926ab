"""Positions, counts and the recent past."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain.job import State
from stanchion.domain.limits import Limit
from stanchion.domain.outcome import Completed, Failed
from stanchion.store import Flow, Load, Place, QueueStats
from tests.conformance.helpers import (
    ACME,
    BOOM,
    KEEP,
    LEASE_FOR,
    WANT,
    add,
    complete,
    ended,
    fail,
    finish,
    join,
    new,
    new_id,
    read,
    start,
    take,
)

if TYPE_CHECKING:
    from stanchion.store import Bucket, Store
    from tests.clock import FakeClock


async def places(store: Store, *ids: str) -> list[Place | None]:
    return await store.position(ids)


async def queue(store: Store, name: str = "default") -> QueueStats:
    (found,) = [queue for queue in await store.stats() if queue.policy.name == name]
    return found


async def test_a_position_counts_who_starts_before_in_the_same_queue(store: Store) -> None:
    await join(store)
    order = ((5, "x"), (5, "x"), (0, "x"), (5, "y"), (9, "x"), (5, "x"))
    ids = await add(store, *[new(priority=priority, queue=queue) for priority, queue in order])
    assert await places(store, *ids) == [Place(2), Place(3), Place(1), Place(1), Place(5), Place(4)]


async def test_tenants_and_tasks_stand_in_one_line(store: Store) -> None:
    await join(store)
    ids = await add(store, new("a", tenant="x"), new("b", tenant="y"), new("a", tenant="y"))
    assert await places(store, *ids) == [Place(1), Place(2), Place(3)]


async def test_positions_move_up_as_jobs_start(store: Store) -> None:
    worker = await join(store)
    ids = await add(store, new(), new(), new())
    await take(store, worker, WANT._replace(limit=1))
    await store.cancel([ids[1]])
    assert await places(store, *ids) == [Place(0), Place(None), Place(1)]


async def test_positions_are_told_in_the_order_asked(store: Store) -> None:
    await join(store)
    one, two = await add(store, new(), new())
    assert await places(store, two, new_id(), one) == [Place(2), None, Place(1)]


async def test_what_waits_for_its_time_has_no_position(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    await finish(store, lease, Failed(BOOM))
    (scheduled,) = await add(store, new(delay=77))
    assert await places(store, scheduled, lease.id) == [
        Place(None, "scheduled", until=clock.at + 77),
        Place(None, "scheduled", until=clock.at + 1_000),
    ]


async def test_a_paused_queue_has_no_positions(store: Store) -> None:
    await join(store)
    ids = await add(store, new(queue="x"), new(queue="y"))
    await store.configure("x", paused=True)
    assert await places(store, *ids) == [Place(None, "paused_queue", key="x"), Place(1)]


async def test_a_job_that_nobody_serves_has_a_position_and_a_reason(store: Store, clock: FakeClock) -> None:
    ids = await add(store, new("t", queue="x"))
    assert [place[:2] for place in await places(store, *ids) if place is not None] == [(1, "no_worker")]
    await join(store, "other-task", tasks=("b",))
    await join(store, "other-queue", queues=("y",))
    drained = await join(store, "drained")
    await store.drain_worker(drained)
    left = await join(store, "left")
    await store.leave([left])
    assert [place[:2] for place in await places(store, *ids) if place is not None] == [(1, "no_worker")]
    await join(store, "right", queues=("y", "x"))
    assert await places(store, *ids) == [Place(1)]
    clock.pass_(LEASE_FOR + 1)
    assert [place[:2] for place in await places(store, *ids) if place is not None] == [(1, "no_worker")]


async def test_final_jobs_have_no_position_and_need_no_reason(store: Store) -> None:
    assert await places(store, await complete(store), await fail(store)) == [Place(None), Place(None)]


async def test_counts_follow_every_move(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    ids = await add(store, new(), new(delay=5), new(priority=1, tenant="acme"))
    counts = (await queue(store)).counts
    assert {state: count for state, count in counts.items() if count} == {
        State.RUNNING: 1, State.QUEUED: 2, State.SCHEDULED: 1,
    }  # fmt: skip
    await store.settle([ended(lease, Failed(BOOM))])
    await store.cancel([ids[0]])
    await store.amend([ids[2]], priority=7)
    counts = (await queue(store)).counts
    assert {state: count for state, count in counts.items() if count} == {
        State.RETRYING: 1, State.CANCELLED: 1, State.QUEUED: 1, State.SCHEDULED: 1,
    }  # fmt: skip
    assert counts[State.COMPLETED] == 0


async def test_every_queue_ever_used_or_configured_is_told_by_name(store: Store) -> None:
    await add(store, new(queue="y"), new(queue="b"))
    await store.configure("x", paused=True, max_waiting=3)
    assert [queue.policy.name for queue in await store.stats()] == ["b", "x", "y"]
    told = await queue(store, "x")
    assert (told.policy.paused, told.policy.max_waiting, told.oldest_queued_at) == (True, 3, None)
    assert sum(told.counts.values()) == 0


async def test_the_oldest_queued_job_is_told(store: Store, clock: FakeClock) -> None:
    began = clock.at
    (first,) = await add(store, new(priority=9))
    clock.pass_(10)
    await add(store, new(delay=1), new(priority=0))
    assert (await queue(store)).oldest_queued_at == began
    await store.cancel([first])
    assert (await queue(store)).oldest_queued_at == began + 10
    await take(store, await join(store))
    assert (await queue(store)).oldest_queued_at is None


async def recent(store: Store, window: int = 3_000, step: int = 1_000) -> list[Bucket]:
    return await store.series(window, step)


async def test_buckets_start_at_multiples_of_the_step_and_cover_the_window(store: Store, clock: FakeClock) -> None:
    clock.pass_(345)
    assert [bucket.at for bucket in await recent(store)] == [
        clock.at - 345 + offset for offset in (-3_000, -2_000, -1_000, 0)
    ]
    assert {bucket[1:] for bucket in await recent(store)} == {(0, 0, 0, 0, (), ())}


async def test_buckets_count_what_happened(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await add(store, new(), new())
    clock.pass_(1_500)
    one, two = await take(store, worker)
    await store.cancel([one.id])
    clock.pass_(700)
    await store.settle([ended(one), ended(two)])
    await fail(store)
    buckets = await recent(store)
    told = {bucket.at - clock.at + 2_200: bucket[1:5] for bucket in buckets if any(bucket[1:5])}
    assert told == {0: (2, 0, 0, 0), 1_000: (0, 2, 0, 0), 2_000: (1, 1, 1, 1)}


async def test_flow_counts_what_happened_in_each_queue_within_the_window(store: Store, clock: FakeClock) -> None:
    await complete(store)
    await add(store, new(queue="idle", delay=90_000))
    clock.pass_(1_000)
    await fail(store, new(queue="other"))
    assert await store.flow(999) == {"other": Flow(1, 0, 1)}
    assert await store.flow(1_000) == {"default": Flow(1, 1, 0), "other": Flow(1, 0, 1)}
    clock.pass_(60_001)
    assert await store.flow(60_000) == {}


async def test_loads_tell_what_arrived_started_and_ended_and_how_long_it_took(store: Store, clock: FakeClock) -> None:
    first = await start(store, new(queue="slow"))
    clock.pass_(70_000)
    second = await start(store, new(queue="slow"))
    await add(store, new(queue="idle", delay=90_000))
    clock.pass_(1_000)
    await finish(store, first)
    await finish(store, second, Failed(BOOM))
    await store.cancel(await add(store, new(queue="never")))
    assert await store.loads(2_000) == {"slow": Load(1, 1, 2, 72_000), "never": Load(1)}
    assert await store.loads(100_000) == {"slow": Load(2, 2, 2, 72_000), "never": Load(1)}
    clock.pass_(60_001)
    assert await store.loads(60_000) == {}


async def test_an_answer_from_nowhere_and_an_expired_job_ran_for_no_time(store: Store, clock: FakeClock) -> None:
    await add(store, new(expires_at=clock.at + 10))
    clock.pass_(50)
    await store.maintain(KEEP, 100)
    assert await store.loads(1_000) == {"default": Load(arrived=1)}


async def test_loads_tell_what_waits_for_a_limit(store: Store) -> None:
    await store.configure_limit(Limit("task:t", running=1))
    worker = await join(store)
    await add(store, new(), new(), new(), new(task="a"), new(tenant="acme"))
    await take(store, worker)
    assert (await store.loads(1_000))["default"] == Load(arrived=5, started=2, held=3)
    assert (await store.loads(1_000, ACME))["default"] == Load(arrived=1, held=1)


async def test_waits_and_runs_are_measured(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await add(store)
    clock.pass_(120)
    (lease,) = await take(store, worker)
    clock.pass_(340)
    await finish(store, lease, Completed(b"1"))
    buckets = await recent(store)
    assert [bucket.waits for bucket in buckets if bucket.waits] == [(120,)]
    assert [bucket.runs for bucket in buckets if bucket.runs] == [(340,)]


async def test_a_wait_begins_when_the_job_was_last_queued(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    (job_id,) = await add(store, new(delay=400))
    clock.pass_(400)
    await store.claim(0, WANT)
    clock.pass_(30)
    await take(store, worker)
    assert [bucket.waits for bucket in await recent(store) if bucket.waits] == [(30,)]
    assert (await read(store, job_id)).state is State.RUNNING


async def test_the_first_bucket_is_whole(store: Store, clock: FakeClock) -> None:
    await add(store)
    clock.pass_(3_500)
    assert [bucket.enqueued for bucket in await recent(store)] == [1, 0, 0, 0]


async def test_what_happened_before_the_window_is_not_told(store: Store, clock: FakeClock) -> None:
    await complete(store)
    clock.pass_(9_000)
    assert {bucket[1:] for bucket in await recent(store)} == {(0, 0, 0, 0, (), ())}


async def test_samples_are_bounded(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await add(store, *[new() for _ in range(230)])
    leases = await take(store, worker, WANT._replace(limit=230))
    await store.settle([ended(lease) for lease in leases])
    bucket = (await recent(store))[-1]
    assert (bucket.started, bucket.completed) == (230, 230)
    assert (len(bucket.waits), len(bucket.runs)) == (200, 200)
