"""Aging: who waits is lifted one priority for each interval, up to what its tenant may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain.outcome import Released
from stanchion.domain.policy import QueuePolicy, TenantPolicy
from tests.conformance.helpers import KEEP, WANT, add, finish, join, new, read, take

if TYPE_CHECKING:
    from stanchion.store import Store
    from tests.clock import FakeClock

ONE = WANT._replace(limit=1)
AGING = 10_000


async def priority(store: Store, job_id: str) -> int:
    return (await read(store, job_id)).priority


async def upkeep(store: Store, limit: int = 100) -> int:
    return (await store.maintain(KEEP._replace(completed=10**9), limit)).aged


async def test_a_queue_ages_when_it_is_told_to(store: Store) -> None:
    assert (await store.configure("default", aging=AGING)).aging == AGING
    assert (await store.configure("default", max_waiting=3)) == QueuePolicy("default", max_waiting=3, aging=AGING)
    assert [queue.policy.aging for queue in await store.stats()] == [AGING]
    assert (await store.configure("default", aging=0)).aging is None


async def test_a_waiting_job_is_lifted_once_for_each_interval(store: Store, clock: FakeClock) -> None:
    await store.configure("default", aging=AGING)
    (job_id,) = await add(store, new(priority=8))
    (other,) = await add(store, new(priority=8, queue="still"))
    seen: list[int] = []
    for wait in (AGING - 1, 1, AGING // 2, AGING // 2, 3 * AGING, 100 * AGING):
        clock.pass_(wait)
        await upkeep(store)
        await upkeep(store)
        seen.append(await priority(store, job_id))
    assert seen == [8, 7, 7, 6, 3, 0]
    assert await priority(store, other) == 8


async def test_low_does_not_starve_behind_urgent_jobs_that_keep_coming(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await store.configure("default", aging=AGING)
    (low,) = await add(store, new(priority=8))
    for _ in range(20):
        await add(store, new(priority=5))
        (lease,) = await take(store, worker, ONE)
        await finish(store, lease)
        if lease.id == low:
            return
        clock.pass_(AGING // 2)
        await store.beat([worker], 10 * AGING)
        await upkeep(store)
    raise AssertionError(await read(store, low))


async def test_a_tenants_cap_holds(store: Store, clock: FakeClock) -> None:
    await store.configure("default", aging=AGING)
    await store.configure_tenant(TenantPolicy("a", top_priority=5))
    (job_id,) = await add(store, new(tenant="a", priority=6))
    clock.pass_(50 * AGING)
    assert (await upkeep(store), await upkeep(store)) == (1, 0)
    assert await priority(store, job_id) == 5


async def test_the_wait_counts_from_when_a_job_was_queued_last(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await store.configure("default", aging=AGING)
    (job_id,) = await add(store, new(priority=8))
    clock.pass_(AGING - 1)
    (lease,) = await take(store, worker)
    await finish(store, lease, Released())
    clock.pass_(AGING - 1)
    assert await upkeep(store) == 0
    clock.pass_(1)
    assert await upkeep(store) == 1
    assert await priority(store, job_id) == 7


async def test_what_does_not_wait_in_line_is_not_lifted(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await store.configure("default", aging=AGING)
    (running,) = await add(store, new(priority=8))
    await take(store, worker)
    (later,) = await add(store, new(priority=8, delay=10**9))
    clock.pass_(5 * AGING)
    assert await upkeep(store) == 0
    assert [await priority(store, job_id) for job_id in (running, later)] == [8, 8]


async def test_a_round_lifts_so_many_and_the_next_goes_on(store: Store, clock: FakeClock) -> None:
    await store.configure("default", aging=AGING)
    ids = await add(store, *[new(priority=8) for _ in range(5)])
    clock.pass_(AGING)
    assert [await upkeep(store, 2) for _ in range(4)] == [2, 2, 1, 0]
    assert {await priority(store, job_id) for job_id in ids} == {7}


async def test_lifted_jobs_keep_their_order_and_their_positions(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await store.configure("default", aging=AGING)
    old = await add(store, *[new(priority=6) for _ in range(3)])
    clock.pass_(AGING)
    young = await add(store, *[new(priority=5) for _ in range(3)])
    assert [place.position for place in await store.position([*old, *young]) if place] == [4, 5, 6, 1, 2, 3]
    await upkeep(store)
    assert [place.position for place in await store.position([*old, *young]) if place] == [1, 2, 3, 4, 5, 6]
    assert [(await take(store, worker, ONE))[0].id for _ in range(6)] == [*old, *young]
