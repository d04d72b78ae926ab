"""Jobs of one batch key start together and take one slot; limits, turns and other tenants are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.batches import Batching, Joining
from stanchion.domain.limits import Limit
from stanchion.domain.outcome import Lost, Released, Snoozed
from stanchion.domain.policy import TenantPolicy
from tests.conformance.helpers import WANT, add, ended, fail, finish, join, new, read, states, take

if TYPE_CHECKING:
    from stanchion.domain.job import Lease, NewJob
    from stanchion.store import Store
    from tests.clock import FakeClock

FOUR = WANT._replace(batches={"t": Batching(4)})


def mate(key: str = "k", **given: Any) -> NewJob:
    return new(batch=key, **given)


def groups(leases: tuple[Lease, ...], ids: list[str]) -> list[tuple[int | None, list[int]]]:
    """The groups of a claim in order, each with the places of its jobs in a list."""
    found: list[tuple[int | None, list[int]]] = []
    for lease in leases:
        if found and lease.batch is not None and found[-1][0] == lease.batch:
            found[-1][1].append(ids.index(lease.id))
        else:
            found.append((lease.batch, [ids.index(lease.id)]))
    return found


async def test_jobs_of_a_key_start_together_up_to_the_size_and_a_group_takes_one_slot(store: Store) -> None:
    ids = await add(store, *[mate() for _ in range(10)])
    worker = await join(store)
    leases = await take(store, worker, FOUR._replace(limit=2))
    assert groups(leases, ids) == [(1, [0, 1, 2, 3]), (2, [4, 5, 6, 7])]
    assert groups(await take(store, worker, FOUR._replace(limit=2)), ids) == [(1, [8, 9])]


async def test_without_a_wish_for_batches_each_job_starts_alone(store: Store) -> None:
    ids = await add(store, *[mate() for _ in range(3)])
    worker = await join(store)
    assert groups(await take(store, worker, WANT._replace(limit=2)), ids) == [(None, [0]), (None, [1])]


async def test_jobs_without_a_key_and_of_other_keys_are_in_no_group_together(store: Store) -> None:
    ids = await add(store, new(), mate("k"), mate("l"), new(), mate("k"), mate("l"), mate("k", task="a"))
    leases = await take(store, await join(store), FOUR)
    assert sorted(groups(leases, ids), key=lambda one: one[1]) == [
        (None, [0]), (1, [1, 4]), (2, [2, 5]), (None, [3]), (None, [6]),
    ]  # fmt: skip


async def test_a_group_stays_in_its_queue(store: Store) -> None:
    ids = await add(store, mate(queue="x"), mate(queue="y"), mate(queue="x"))
    leases = await take(store, await join(store), FOUR)
    assert groups(leases, ids) == [(1, [0, 2]), (2, [1])]


async def test_own_lane_first_then_other_lanes_the_most_urgent_and_oldest_first(store: Store) -> None:
    ids = await add(
        store, mate(priority=2), mate(priority=8), mate(priority=5), mate(priority=5, limits=(("provider:p", 1),)),
        mate(priority=2),
    )  # fmt: skip
    worker = await join(store)
    assert groups(await take(store, worker, FOUR._replace(limit=1)), ids) == [(1, [0, 4, 2, 3])]
    assert groups(await take(store, worker, FOUR._replace(limit=1)), ids) == [(1, [1])]


async def test_users_of_a_tenant_share_a_group_and_tenants_do_not(store: Store) -> None:
    await store.configure_limit(Limit("user:*", running=100))
    ids = await add(store, mate(tenant="a", user="u"), mate(tenant="b"), mate(tenant="a", user="v"))
    leases = await take(store, await join(store), FOUR)
    assert groups(leases, ids) == [(1, [0, 2]), (2, [1])]


async def test_tenants_share_a_group_where_the_task_allows_it_and_each_is_charged(store: Store) -> None:
    worker = await join(store)
    want = WANT._replace(limit=1, batches={"t": Batching(4, across=True)})
    ids = await add(store, mate(tenant="a"), mate(tenant="b"), mate(tenant="b"))
    assert groups(await take(store, worker, want), ids) == [(1, [0, 1, 2])]
    ids = await add(store, *[new(tenant=tenant) for tenant in "bbbaaa"])
    order = [ids.index(lease.id) for _ in range(6) for lease in await take(store, worker, WANT._replace(limit=1))]
    assert order == [3, 0, 4, 1, 5, 2], "b was served twice, once ahead of its turn"


async def test_a_tenant_pays_for_all_jobs_of_its_groups(store: Store) -> None:
    worker = await join(store)
    await add(store, *[mate(tenant="a") for _ in range(40)], *[new(tenant="b") for _ in range(40)])
    taken = ""
    while len(taken) < 40:
        leases = await take(store, worker, FOUR._replace(limit=1))
        taken += "".join(lease.tenant for lease in leases)
        await store.settle([ended(lease) for lease in leases])
    assert 19 <= taken.count("a") <= 24
    assert taken.startswith("aaaabbbbaaaabbbb")


async def test_a_group_takes_nobody_elses_turn_away(store: Store) -> None:
    """What a group runs ahead of its turn moves no clock: who has waited keeps the lead."""
    worker = await join(store)
    await store.configure_tenant(TenantPolicy("c", 4))
    await add(store, *[mate(tenant="a") for _ in range(8)], *[new(tenant=tenant) for tenant in "bbbbcccccccc"])
    (*_, last) = await take(store, worker, FOUR._replace(limit=1))
    assert last.tenant == "a"
    order = "".join([lease.tenant for _ in range(10) for lease in await take(store, worker, FOUR._replace(limit=1))])
    assert order[:8].count("c") >= 5
    assert "a" not in order[:8]


async def test_limits_count_every_job_of_a_group(store: Store) -> None:
    worker = await join(store)
    await store.configure_limit(Limit("task:t", running=3))
    ids = await add(store, *[mate() for _ in range(6)])
    leases = await take(store, worker, FOUR)
    assert groups(leases, ids) == [(1, [0, 1, 2])]
    (state,) = await store.limits()
    assert (state.used, state.waiting) == (3, 3)
    await store.settle([ended(lease) for lease in leases[:2]])
    assert groups(await take(store, worker, FOUR), ids) == [(1, [3, 4])]


async def test_mates_that_a_limit_holds_stay_behind(store: Store) -> None:
    await store.configure_limit(Limit("provider:p", running=1))
    p = (("provider:p", 1),)
    ids = await add(store, mate(), mate(limits=p), mate(limits=p), mate())
    worker = await join(store)
    leases = await take(store, worker, FOUR)
    assert groups(leases, ids) == [(1, [0, 3, 1])]
    (place,) = await store.position([ids[2]])
    assert place is not None
    assert place.key == "provider:p"


async def test_the_cost_of_a_group_is_bounded_and_who_leads_starts_whatever_it_costs(store: Store) -> None:
    want = WANT._replace(limit=1, batches={"t": Batching(4, cost=10)})
    ids = await add(store, *[mate(size=size) for size in (12.0, 6.0, 5.0, 4.0, None, 1.0)])
    worker = await join(store)
    assert [groups(await take(store, worker, want), ids)[0][1] for _ in range(4)] == [[0], [1, 3], [2, 5], [4]]


async def test_a_key_of_which_fewer_fit_starts_fewer(store: Store) -> None:
    want = WANT._replace(batches={"t": Batching(4, sizes={"k": 2})})
    ids = await add(store, *[mate("k") for _ in range(3)], *[mate("l") for _ in range(3)])
    leases = await take(store, await join(store), want)
    assert groups(leases, ids) == [(1, [0, 1]), (2, [2]), (3, [3, 4, 5])]


async def test_a_job_that_ended_its_worker_runs_alone_next_time(store: Store) -> None:
    worker = await join(store)
    ids = await add(store, *[mate() for _ in range(4)])
    leases = await take(store, worker, FOUR)
    await store.settle([ended(lease, Lost()) for lease in leases[:2]] + [ended(leases[2], Released())])
    leases = await take(store, worker, FOUR)
    assert groups(leases, ids) == [(None, [0]), (None, [1]), (1, [2])]
    await finish(store, leases[2], Released())
    await add(store, mate())
    leases = await take(store, worker, FOUR)
    assert [lease.batch for lease in leases] == [1, 1]


async def test_mates_pass_a_job_that_runs_alone_and_it_loses_no_turn(store: Store) -> None:
    worker = await join(store)
    ids = await add(store, *[mate() for _ in range(3)])
    leases = await take(store, worker, FOUR)
    await store.settle([ended(leases[0], Released()), ended(leases[1], Lost()), ended(leases[2], Released())])
    assert groups(await take(store, worker, FOUR._replace(limit=1)), ids) == [(1, [0, 2])]
    assert groups(await take(store, worker, FOUR._replace(limit=1)), ids) == [(None, [1])]


async def test_late_jobs_are_not_in_a_group(store: Store, clock: FakeClock) -> None:
    ids = await add(store, mate(expires_in=5), mate(), mate(expires_in=5), mate())
    clock.pass_(10)
    leases = await take(store, await join(store), FOUR)
    assert groups(leases, ids) == [(1, [1, 3])]
    assert await states(store, ids[0], ids[2]) == ["failed", "failed"]


async def test_a_paused_queue_starts_no_group_and_lets_nobody_join(store: Store) -> None:
    await add(store, mate())
    await store.configure("default", paused=True)
    worker = await join(store)
    assert not await take(store, worker, FOUR)
    assert not await take(store, worker, WANT._replace(join=Joining("default", "t", "k", None, 3)))


async def test_a_group_that_waits_is_joined_by_its_key_and_tenant_alone(store: Store) -> None:
    ids = await add(
        store, new(), mate("l"), mate("k", tenant="b"), mate("k"), mate("k", queue="y"), mate("k", task="a"), mate("k")
    )
    worker = await join(store)
    own = Joining("default", "t", "k", "default", 2)
    assert groups(await take(store, worker, WANT._replace(limit=1, join=own)), ids) == [(0, [3, 6])]
    anybody = Joining("default", "t", "k", None, 2)
    assert groups(await take(store, worker, WANT._replace(limit=1, join=anybody)), ids) == [(0, [2])]
    assert not await take(store, worker, WANT._replace(limit=1, join=anybody))


async def test_a_claim_tells_when_more_of_a_group_falls_due(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    want = WANT._replace(batches={"t": Batching(4, within=500)})
    await add(store, mate(), mate("l"), mate(delay=400), mate(delay=300), mate("l", delay=600))
    _, claimed = await store.claim(worker, want)
    assert ([lease.batch for lease in claimed.leases], claimed.coming) == ([1, 2], {1: 300})
    join_it = Joining("default", "t", "k", "default", 3, within=200)
    clock.pass_(300)
    _, claimed = await store.claim(worker, want._replace(join=join_it))
    assert ([lease.batch for lease in claimed.leases], claimed.coming) == ([0], {0: 100})
    _, claimed = await store.claim(worker, want._replace(join=join_it._replace(within=50)))
    assert claimed == ((), 100, {})


async def test_a_snoozed_job_of_the_key_is_coming_too(store: Store) -> None:
    worker = await join(store)
    await add(store, mate(), mate())
    leases = await take(store, worker, FOUR)
    await store.settle([ended(leases[0], Snoozed(50)), ended(leases[1], Released())])
    _, claimed = await store.claim(worker, WANT._replace(batches={"t": Batching(4, within=100)}))
    assert claimed.coming == {1: 50}


async def test_each_job_of_a_group_is_settled_on_its_own(store: Store) -> None:
    worker = await join(store)
    ids = await add(store, *[mate() for _ in range(3)])
    one, two, three = await take(store, worker, FOUR)
    await store.cancel([two.id])
    assert await store.settle([ended(one), ended(two), ended(three, Released())]) == [True, True, True]
    assert await states(store, *ids) == ["completed", "cancelled", "queued"]


async def test_a_job_that_is_amended_or_retried_keeps_its_key(store: Store) -> None:
    worker = await join(store)
    failed = await fail(store, mate(user="u"))
    (other,) = await add(store, mate())
    await store.configure_limit(Limit("user:*", running=9))
    await store.retry([failed])
    await store.amend([failed, other], priority=2)
    leases = await take(store, worker, FOUR)
    assert {lease.id for lease in leases} == {failed, other}
    assert len({lease.batch for lease in leases}) == 1
    assert (await read(store, failed)).priority == 2


@pytest.mark.parametrize("many", [1, 5])
async def test_positions_say_the_order_of_the_line(store: Store, many: int) -> None:
    """Mates may start sooner than their place says; nobody starts later."""
    worker = await join(store)
    ids = await add(store, *[mate(tenant="a") for _ in range(many)], new(tenant="b"), mate(tenant="a"))
    before = {one: place.position if place else None for one, place in zip(ids, await store.position(ids), strict=True)}
    starts = [lease.id for _ in range(3) for lease in await take(store, worker, FOUR._replace(limit=1))]
    assert all(starts.index(one) + 1 <= (before[one] or 0) + many for one in starts)
    assert before[ids[0]] == 1
