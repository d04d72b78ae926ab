"""Claim: what is leased, in which order, to whom; and what a claim does on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanchion.domain.job import State
from stanchion.domain.kinds import Kind
from stanchion.domain.query import Cursor
from stanchion.store import Want
from tests.conformance.helpers import LEASE_FOR, WANT, add, ended, join, new, read, start, states, take

if TYPE_CHECKING:
    from stanchion.store import Store
    from tests.clock import FakeClock


async def test_a_lease_carries_all_that_an_attempt_needs(store: Store, clock: FakeClock) -> None:
    given = new(
        "a", args=b'{"x":2}', queue="images", tenant="acme", user="ann", priority=2, max_attempts=5,
        tags=("x",), metadata=b'{"k":1}', timeout=9_000, correlation_id="c-1",
    )  # fmt: skip
    await store.enqueue([given])
    clock.pass_(50)
    (lease,) = await take(store, await join(store))
    assert (lease.ref, lease.id, lease.attempt, lease.task, lease.args) == (1, given.id, 1, "a", b'{"x":2}')
    assert (lease.queue, lease.tenant, lease.user, lease.priority) == ("images", "acme", "ann", 2)
    assert (lease.spent, lease.crashes, lease.max_attempts) == (0, 0, 5)
    assert (lease.created_at, lease.started_at, lease.timeout) == (clock.at - 50, clock.at, 9_000)
    assert (lease.tags, lease.metadata, lease.correlation_id) == (("x",), b'{"k":1}', "c-1")
    assert lease.cancel_requested is False


async def test_a_claimed_job_runs(store: Store, clock: FakeClock) -> None:
    lease = await start(store, incarnation="host-1")
    job = await read(store, lease.id)
    assert (job.state, job.version, job.attempt) == (State.RUNNING, 2, 1)
    assert (job.started_at, job.worker) == (clock.at, "host-1")
    assert [(event.version, event.state, event.attempt) for event in (await store.history(lease.id))[0]] == [
        (1, State.QUEUED, 0),
        (2, State.RUNNING, 1),
    ]


async def test_priority_goes_first_then_age(store: Store) -> None:
    order = ((5, "x"), (5, "y"), (0, "y"), (9, "x"), (5, "x"))
    given = [new(priority=priority, queue=queue) for priority, queue in order]
    await store.enqueue(given)
    leases = await take(store, await join(store))
    assert [lease.id for lease in leases] == [given[place].id for place in (2, 0, 1, 4, 3)]


async def test_order_holds_across_tasks_and_tenants(store: Store) -> None:
    given = [new("ab"[n % 2], tenant="xyz"[n % 3]) for n in range(9)]
    await store.enqueue(given)
    assert [lease.id for lease in await take(store, await join(store))] == [job.id for job in given]


async def test_order_holds_over_many_small_claims(store: Store) -> None:
    given = [new("ab"[n % 2], priority=n % 2) for n in range(8)]
    await store.enqueue(given)
    worker = await join(store)
    taken = [lease.id for _ in range(5) for lease in await take(store, worker, WANT._replace(limit=2))]
    assert taken == [job.id for job in sorted(given, key=lambda job: job.priority)]


async def test_a_retried_job_keeps_its_place_in_line(store: Store) -> None:
    worker = await join(store)
    first, second = await add(store, new(max_attempts=1), new())
    (lease,) = await take(store, worker, WANT._replace(limit=1))
    assert await store.settle([ended(lease)._replace(state=State.QUEUED)]) == [True]
    assert [lease.id for lease in await take(store, worker)] == [first, second]


async def test_at_most_the_limit_is_leased(store: Store) -> None:
    worker = await join(store)
    ids = await add(store, new(), new(), new())
    assert [lease.id for lease in await take(store, worker, WANT._replace(limit=2))] == ids[:2]
    assert await take(store, worker, WANT._replace(limit=0)) == ()


async def test_no_job_is_leased_twice(store: Store) -> None:
    one, two = await join(store, "one"), await join(store, "two")
    await add(store)
    assert len(await take(store, one)) == 1
    assert await take(store, two) == ()


async def test_only_wanted_tasks_are_leased(store: Store) -> None:
    await add(store, new("a"), new("b"))
    leases = await take(store, await join(store), Want(10, frozenset({"b", "c"})))
    assert [lease.task for lease in leases] == ["b"]
    assert await take(store, 1, Want(10, frozenset())) == ()


async def test_only_wanted_queues_are_leased(store: Store) -> None:
    await add(store, new(queue="x"), new(queue="y"), new(queue="z"))
    leases = await take(store, await join(store), WANT._replace(queues=("z", "x", "none")))
    assert [lease.queue for lease in leases] == ["x", "z"]


async def test_a_paused_queue_leases_nothing_until_resumed(store: Store) -> None:
    worker = await join(store)
    await add(store, new(queue="x"), new(queue="y"))
    await store.configure("x", paused=True)
    assert [lease.queue for lease in await take(store, worker)] == ["y"]
    await store.configure("x", paused=False)
    assert [lease.queue for lease in await take(store, worker)] == ["x"]


async def test_pausing_leaves_running_jobs_alone(store: Store) -> None:
    lease = await start(store)
    await store.configure("default", paused=True)
    assert await store.settle([ended(lease)]) == [True]


async def test_a_claim_promotes_what_is_due(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    later, now = await add(store, new(delay=100), new())
    assert [lease.id for lease in await take(store, worker)] == [now]
    clock.pass_(99)
    assert await take(store, worker) == ()
    clock.pass_(1)
    assert [lease.id for lease in await take(store, worker)] == [later]
    events, _ = await store.history(later)
    assert [event.state for event in events] == [State.SCHEDULED, State.QUEUED, State.RUNNING]
    assert (await read(store, later)).due_at is None


async def test_the_oldest_due_is_promoted_first(store: Store, clock: FakeClock) -> None:
    ids = await add(store, new(delay=30), new(delay=10), new(delay=20))
    clock.pass_(100)
    await store.claim(0, WANT)
    events = (await store.changes(Cursor(event=3))).events
    assert [event.id for event in events if event.state is State.QUEUED] == [ids[1], ids[2], ids[0]]


async def test_a_claim_tells_when_the_next_job_falls_due(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    assert (await store.claim(worker, WANT))[1].next_due is None
    await add(store, new("other", delay=700), new(delay=900))
    assert (await store.claim(worker, WANT))[1].next_due == 700
    clock.pass_(800)
    assert (await store.claim(worker, WANT))[1].next_due == 100


async def test_a_job_too_late_to_start_fails_instead(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    late, fine = await add(store, new(expires_in=10), new(expires_in=11))
    clock.pass_(10)
    leases = await take(store, worker, WANT._replace(limit=1))
    assert [lease.id for lease in leases] == [fine]
    job = await read(store, late)
    assert (job.state, job.ended_at, job.attempt) == (State.FAILED, clock.at, 0)
    assert job.error is not None
    assert (job.error.kind, job.error.message, job.error.retryable) == (
        Kind.EXPIRED, "expired before it started", False,
    )  # fmt: skip
    assert (await store.history(late))[0][-1].error == job.error


async def test_an_expiry_does_not_stop_a_running_job(store: Store, clock: FakeClock) -> None:
    lease = await start(store, new(expires_in=10))
    clock.pass_(50)
    assert await take(store, 1) == ()
    assert await states(store, lease.id) == [State.RUNNING]


async def test_an_unknown_worker_gets_no_lease(store: Store) -> None:
    await add(store)
    assert await take(store, 99) == ()


@pytest.mark.parametrize("end", ["lost", "stopped", "draining"])
async def test_a_worker_that_ends_gets_no_lease_but_may_settle(store: Store, end: str) -> None:
    lease = await start(store)
    await add(store)
    if end == "draining":
        await store.drain_worker(1)
    else:
        await store.leave([1], lost=end == "lost")
    applied, claimed = await store.claim(1, WANT, [ended(lease)])
    assert (applied, claimed.leases) == ([True], ())


async def test_a_settlement_rides_on_a_claim(store: Store) -> None:
    lease = await start(store)
    (waiting,) = await add(store)
    applied, claimed = await store.claim(1, WANT, [ended(lease), ended(lease)])
    assert applied == [True, False]
    assert [next_lease.id for next_lease in claimed.leases] == [waiting]
    assert await states(store, lease.id) == [State.COMPLETED]


async def test_a_job_released_by_a_claim_may_be_leased_by_it(store: Store) -> None:
    lease = await start(store)
    _, claimed = await store.claim(1, WANT, [ended(lease)._replace(state=State.QUEUED, outcome="released")])
    assert [(again.id, again.attempt) for again in claimed.leases] == [(lease.id, 2)]


async def test_a_slow_worker_may_claim_until_it_is_declared_lost(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    clock.pass_(LEASE_FOR * 5)
    await add(store)
    assert len(await take(store, worker)) == 1
