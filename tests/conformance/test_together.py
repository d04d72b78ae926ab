"""Features that meet: limits with retries, parks, restarts and pauses; caches and refusals with dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain.cache import Caching
from stanchion.domain.dependency import Dependency
from stanchion.domain.job import State
from stanchion.domain.limits import Limit
from stanchion.domain.policy import TenantPolicy
from tests.conformance.helpers import WANT, add, complete, fail, finish, join, new, new_id, states, take

if TYPE_CHECKING:
    from stanchion.store import Store
    from tests.clock import FakeClock

P = "provider:p"


async def test_a_job_that_failed_before_users_were_limited_counts_for_its_user_when_retried(store: Store) -> None:
    failed = await fail(store, new(user="ada"))
    worker = await join(store, "other")
    await store.configure_limit(Limit("user:*", running=1))
    await add(store, new(user="ada"))
    await store.retry([failed])
    assert len(await take(store, worker)) == 1


async def test_what_waited_for_a_park_starts_after_it_though_the_rules_were_read_anew(
    store: Store, clock: FakeClock
) -> None:
    await store.park(P, 500)
    await add(store, new(limits=((P, 1),)))
    worker = await join(store)
    assert not await take(store, worker)
    clock.pass_(501)
    await store.configure_tenant(TenantPolicy("another", 2, 0))
    assert len(await take(store, worker)) == 1


async def test_lanes_of_a_paused_queue_stand_in_nobodys_way(store: Store) -> None:
    await store.configure_limit(Limit(P, running=1))
    worker = await join(store)
    for number in range(5):
        await add(store, new(limits=((P, 1),), queue="asleep", tenant=f"t{number}"))
    (last,) = await add(store, new(limits=((P, 1),), queue="awake"))
    (lease,) = await take(store, worker, WANT._replace(limit=1))
    assert not await take(store, worker)
    await store.configure("asleep", paused=True)
    await finish(store, lease)
    assert [lease.id for lease in await take(store, worker)] == [last]


async def test_a_cached_answer_to_a_request_with_parents_waits_for_nothing(store: Store) -> None:
    await complete(store, new(cache=Caching(b"c", 60_000)))
    (parent,) = await add(store, new())
    child = new(cache=Caching(b"c", 60_000), depends_on=(Dependency(parent),))
    (answer,) = await store.enqueue([child])
    (state,) = await states(store, child.id)
    assert (getattr(answer, "state", None), state) == (State.COMPLETED, State.COMPLETED)


async def test_the_children_of_cached_answers_of_their_batch_are_told(store: Store) -> None:
    await complete(store, new(cache=Caching(b"c", 60_000)))
    parent = new(id=new_id(), cache=Caching(b"c", 60_000))
    child = new(depends_on=(Dependency(parent.id),))
    await store.enqueue([child, parent])
    assert await states(store, parent.id, child.id) == [State.COMPLETED, State.QUEUED]


async def test_many_who_can_never_start_stand_in_nobodys_way(store: Store) -> None:
    await store.configure_limit(Limit(P, running=1))
    worker = await join(store)
    await add(store, new(limits=((P, 1),)))
    (lease,) = await take(store, worker)
    await add(store, *[new(limits=((P, 2),), tenant=f"t{number}") for number in range(120)])
    assert not await take(store, worker)
    (last,) = await add(store, new(limits=((P, 1),), tenant="last"))
    assert not await take(store, worker)
    await finish(store, lease)
    (lease,) = await take(store, worker)
    assert lease.id == last
    await finish(store, lease)
    _, claimed = await store.claim(worker, WANT)
    assert claimed.next_due is None


async def test_who_can_never_start_hides_no_rate_from_those_behind(store: Store, clock: FakeClock) -> None:
    await store.configure_limit(Limit(P, starts=1, period=1_000))
    worker = await join(store)
    await add(store, new(limits=((P, 1),)), new(limits=((P, 2),), tenant="b"), new(limits=((P, 1),), tenant="c"))
    assert len(await take(store, worker)) == 1
    _, claimed = await store.claim(worker, WANT)
    assert claimed.next_due == 1_000
    clock.pass_(1_000)
    assert len(await take(store, worker)) == 1


async def test_who_waits_behind_a_heavy_job_that_is_cancelled_waits_for_its_own_room_only(
    store: Store, clock: FakeClock
) -> None:
    await store.configure_limit(Limit(P, starts=3, period=3_000, burst=3))
    worker = await join(store)
    await add(store, new(limits=((P, 3),)))
    assert len(await take(store, worker)) == 1
    (heavy, light) = await add(store, new(limits=((P, 3),), tenant="a"), new(limits=((P, 1),), tenant="b"))
    _, claimed = await store.claim(worker, WANT)
    assert claimed.next_due == 3_000
    await store.cancel([heavy])
    _, claimed = await store.claim(worker, WANT)
    assert claimed.next_due == 1_000
    clock.pass_(1_000)
    assert [lease.id for lease in await take(store, worker)] == [light]
