"""Whose turn it is: tenants share a queue by their weights, and nobody saves up turns by staying away."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from stanchion.domain.job import State
from stanchion.domain.outcome import Completed, Released
from stanchion.domain.policy import TenantPolicy
from tests.conformance.helpers import ACME, WANT, add, ended, finish, join, new, read, take

if TYPE_CHECKING:
    from stanchion.store import Store

ONE = WANT._replace(limit=1)


async def tenants_in_order(store: Store, worker: int, count: int, at_once: int = 1) -> str:
    """Start jobs, end each, and return their tenants in the order of the starts."""
    order = ""
    while len(order) < count:
        leases = await take(store, worker, WANT._replace(limit=min(at_once, count - len(order))))
        assert leases
        order += "".join(lease.tenant for lease in leases)
        await store.settle([ended(lease, Completed(b"1")) for lease in leases])
    return order


async def fill(store: Store, **counts: int) -> None:
    for tenant, count in counts.items():
        await add(store, *[new(tenant=tenant) for _ in range(count)])


async def test_the_census_counts_the_jobs_of_tenants_that_have_unfinished_ones(store: Store) -> None:
    worker = await join(store)
    await add(store, new(tenant="acme"), new(tenant="acme", priority=0), new(tenant="other"))
    leases = await take(store, worker)
    assert await store.census() == {"acme": {State.RUNNING: 2}, "other": {State.RUNNING: 1}}
    for lease in leases:
        if lease.tenant == "other":
            await finish(store, lease)
    await add(store, new(tenant="acme"))
    assert await store.census() == {"acme": {State.RUNNING: 2, State.QUEUED: 1}}


async def test_equal_tenants_take_turns_however_many_jobs_each_has(store: Store) -> None:
    await fill(store, a=50, b=3, c=3)
    assert await tenants_in_order(store, await join(store), 12) == "abcabcabcaaa"


@pytest.mark.parametrize("at_once", [1, 7, 100])
async def test_weights_are_shares(store: Store, at_once: int) -> None:
    for tenant, weight in (("a", 1), ("b", 2), ("c", 4)):
        await store.configure_tenant(TenantPolicy(tenant, weight))
    await fill(store, a=100, b=100, c=100)
    counts = Counter(await tenants_in_order(store, await join(store), 140, at_once))
    assert counts == {"a": 20, "b": 40, "c": 80}


async def test_who_comes_late_starts_at_once_and_then_takes_turns(store: Store) -> None:
    worker = await join(store)
    await fill(store, a=100)
    await tenants_in_order(store, worker, 30)
    await fill(store, b=5)
    assert await tenants_in_order(store, worker, 8) == "babababa"


async def test_who_was_away_has_saved_up_nothing(store: Store) -> None:
    worker = await join(store)
    await fill(store, a=100, b=2)
    await tenants_in_order(store, worker, 50)
    await fill(store, b=40)
    assert sorted(await tenants_in_order(store, worker, 40)) == ["a"] * 20 + ["b"] * 20


async def test_who_had_the_queue_alone_pays_nothing_for_it_later(store: Store) -> None:
    worker = await join(store)
    await fill(store, a=60)
    await tenants_in_order(store, worker, 60)
    await fill(store, b=20)
    await tenants_in_order(store, worker, 5)
    await fill(store, a=20)
    assert sorted(await tenants_in_order(store, worker, 20)) == ["a"] * 10 + ["b"] * 10


async def test_of_many_who_have_one_job_each_the_oldest_goes_first(store: Store) -> None:
    worker = await join(store)
    await fill(store, z=1, y=1)
    order = ""
    for tenant in "xwv":
        order += await tenants_in_order(store, worker, 1)
        await fill(store, **{tenant: 1})
    assert order + await tenants_in_order(store, worker, 2) == "zyxwv"


async def test_turns_are_taken_within_a_priority_and_not_between_them(store: Store) -> None:
    await add(store, *[new(tenant="a", priority=2) for _ in range(4)], *[new(tenant="b") for _ in range(4)])
    assert await tenants_in_order(store, await join(store), 8) == "aaaabbbb"


async def test_between_queues_of_one_priority_the_oldest_goes_first(store: Store) -> None:
    given = [new(tenant=tenant, queue=queue) for tenant, queue in ("ax", "bx", "ay", "ax", "by", "ay")]
    await add(store, *given)
    worker = await join(store)
    taken = [lease.id for _ in given for lease in await take(store, worker, ONE)]
    assert taken == [job.id for job in given]


async def test_a_released_job_is_charged_again_but_keeps_its_place_among_its_tenants_jobs(store: Store) -> None:
    worker = await join(store)
    await fill(store, a=3, b=3)
    (lease,) = await take(store, worker, ONE)
    await finish(store, lease, Released())
    (second,) = await take(store, worker, ONE)
    (third,) = await take(store, worker, ONE)
    assert (second.tenant, third.tenant, third.id) == ("b", "a", lease.id)


async def test_a_changed_weight_counts_from_the_next_start(store: Store) -> None:
    worker = await join(store)
    await fill(store, a=100, b=100)
    await tenants_in_order(store, worker, 20)
    await store.configure_tenant(TenantPolicy("b", 3))
    assert Counter(await tenants_in_order(store, worker, 40)) == {"a": 10, "b": 30}


async def test_a_tenants_jobs_are_no_more_urgent_than_it_may_ask_for(store: Store) -> None:
    await store.configure_tenant(TenantPolicy("a", top_priority=5))
    (asked,) = await add(store, new(tenant="a", priority=0))
    (low,) = await add(store, new(tenant="a", priority=8))
    await store.amend([low], priority=1)
    assert [(await read(store, job_id)).priority for job_id in (asked, low)] == [5, 5]


async def test_positions_are_the_order_of_starts(store: Store) -> None:
    worker = await join(store)
    for tenant, weight in (("a", 1), ("b", 3), ("c", 2)):
        await store.configure_tenant(TenantPolicy(tenant, weight))
    ids: list[str] = []
    for number in range(40):
        ids += await add(store, new("ab"[number % 2], tenant="aabacb"[number % 6], priority=(5, 5, 5, 2)[number % 4]))
    started = [lease.id for lease in await take(store, worker, WANT._replace(limit=9))]
    waiting = [job_id for job_id in ids if job_id not in started]
    places = dict(zip(waiting, await store.position(waiting), strict=True))
    order = [lease.id for _ in waiting for lease in await take(store, worker, ONE)]
    assert [place.position for job_id in order if (place := places[job_id]) is not None] == list(
        range(1, len(order) + 1)
    )


async def test_tenants_are_listed_by_name(store: Store) -> None:
    await store.configure_tenant(TenantPolicy("z", 2))
    await store.configure_tenant(TenantPolicy("a", 3, 4))
    await store.configure_tenant(TenantPolicy("z", 5))
    assert await store.tenants() == [TenantPolicy("a", 3, 4), TenantPolicy("z", 5)]


async def test_what_is_upcoming_holds_the_next_jobs_of_each_tenant_and_none_that_cannot_start(store: Store) -> None:
    await join(store)
    acme = await add(store, *[new(tenant="acme") for _ in range(4)])
    other = await add(store, new(tenant="other", queue="b"))
    held = await add(store, new(tenant="third", queue="p"))
    await store.configure("p", paused=True)
    assert set(await store.upcoming(2)) == {*acme[:2], *other}
    assert set(await store.upcoming(2, ACME)) == set(acme[:2])
    assert len(await store.upcoming(1)) == 1
    await store.configure("p", paused=False)
    assert set(await store.upcoming(9)) == {*acme, *other, *held}
