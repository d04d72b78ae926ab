"""Resources: never more is held than there is, devices are given once, and all is given back exactly once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from stanchion.domain.kinds import ErrorInfo, Kind
from stanchion.domain.limits import Limit
from stanchion.domain.outcome import Completed, Failed, Lost, Outcome, Released, Snoozed
from stanchion.domain.resources import Hold, Resource
from stanchion.domain.schedule import Every, NewSchedule, plan
from stanchion.domain.units import SECOND
from stanchion.store import Place
from tests.conformance.helpers import LEASE_FOR, WANT, add, ended, finish, join, new, take

if TYPE_CHECKING:
    from stanchion.domain.job import Lease
    from stanchion.store import Store
    from tests.clock import FakeClock

ONE = WANT._replace(limit=1)
GPU = (("gpu", 1),)
TWO_GPUS = {"gpu:0": 1, "gpu:1": 1}


async def used(store: Store, name: str) -> int:
    return next((found.used for found in await store.resources() if found.name == name), 0)


def devices(lease: Lease) -> list[str]:
    return [hold.device for hold in lease.devices]


async def test_one_at_a_time_on_a_box_with_one_gpu(store: Store) -> None:
    worker = await join(store, resources={"gpu:0": 1})
    ids = await add(store, *[new(resources=GPU) for _ in range(3)])
    (free,) = await add(store, new("a"))
    order: list[str] = []
    leases = await take(store, worker)
    assert {lease.id for lease in leases} == {ids[0], free}
    assert next(lease for lease in leases if lease.id == ids[0]).devices == (Hold("gpu", "0", 1),)
    for _ in ids:
        (lease,) = [lease for lease in leases if lease.id != free]
        order.append(lease.id)
        assert await used(store, "gpu") == 1
        assert not await take(store, worker)
        await finish(store, lease)
        leases = await take(store, worker)
    assert order == ids
    assert await store.resources() == [Resource("gpu", 1)]


async def test_who_waits_for_a_resource_says_so(store: Store) -> None:
    (job_id,) = await add(store, new(resources=GPU))
    idle = await join(store, "idle")
    assert not await take(store, idle)
    assert await store.position([job_id]) == [Place(None, "resource", "resource:gpu")]
    assert await store.resources() == [Resource("gpu", 0, 0, 1)]
    assert await store.limits() == []
    rich = await join(store, "rich", resources={"gpu:0": 1})
    assert [place.position for place in await store.position([job_id]) if place is not None] == [1]
    assert not await take(store, idle)
    assert len(await take(store, rich)) == 1
    (other,) = await add(store, new(resources=GPU))
    assert not await take(store, rich)
    assert await store.position([other]) == [Place(None, "resource", "resource:gpu")]


async def test_two_children_of_a_tree_share_its_devices(store: Store) -> None:
    one = await join(store, "one", supervisor="tree", resources=TWO_GPUS)
    two = await join(store, "two", supervisor="tree", resources=TWO_GPUS)
    await add(store, *[new(resources=GPU) for _ in range(4)])
    (first,) = await take(store, one, ONE)
    (second,) = await take(store, two)
    assert (devices(first), devices(second)) == (["0"], ["1"])
    assert not await take(store, one)
    await finish(store, first)
    (third,) = await take(store, two)
    assert devices(third) == ["0"]
    assert {row.info.incarnation: dict(row.holds) for row in await store.workers()} == {
        "one": {}, "two": {"gpu:0": 1, "gpu:1": 1},
    }  # fmt: skip
    assert all(dict(row.info.resources) == TWO_GPUS for row in await store.workers())


async def test_two_workers_have_each_their_own(store: Store) -> None:
    one, two = [await join(store, name, resources={"gpu:0": 1}) for name in ("one", "two")]
    await add(store, *[new(resources=GPU) for _ in range(4)])
    (first,) = await take(store, one)
    (second,) = await take(store, two)
    assert devices(first) == devices(second) == ["0"]
    assert await store.resources() == [Resource("gpu", 2, 2, 2)]
    assert not await take(store, one)
    await finish(store, second)
    assert not await take(store, one), "what is free of the one is not free for the other"
    assert len(await take(store, two)) == 1


async def test_a_worker_that_has_none_passes_over_who_needs_one(store: Store) -> None:
    await join(store, "rich", resources={"gpu:0": 1})
    poor = await join(store, "poor")
    waiting = await add(store, *[new(resources=GPU) for _ in range(3)])
    (plain,) = await add(store, new())
    assert [lease.id for lease in await take(store, poor)] == [plain]
    places = await store.position(waiting)
    assert [place.position for place in places if place is not None] == [1, 2, 3]


async def test_a_shared_resource_is_counted_over_all_workers(store: Store) -> None:
    await store.set_resource("slots", 2)
    one, two = await join(store, "one"), await join(store, "two", resources={"slots": 50})
    await add(store, *[new(resources=(("slots", 1),)) for _ in range(5)])
    (first,) = await take(store, one, ONE)
    assert first.devices == (Hold("slots", "", 1),)
    assert len(await take(store, two)) == 1
    assert not await take(store, one)
    assert await store.resources() == [Resource("slots", 2, 2, 3, shared=True)]
    await store.set_resource("slots", 4)
    assert len(await take(store, one)) == 2
    await store.set_resource("slots", 1)
    await finish(store, first)
    assert not await take(store, one)
    assert await store.drop_resource("slots") is True
    assert await store.drop_resource("slots") is False
    assert not await take(store, one)
    assert len(await take(store, two)) == 1
    assert await store.resources() == [Resource("slots", 50, 2)]


async def test_a_shared_resource_of_none_holds_all(store: Store) -> None:
    await store.set_resource("slots", 0)
    (job_id,) = await add(store, new(resources=(("slots", 1),)))
    worker = await join(store)
    assert not await take(store, worker)
    assert await store.position([job_id]) == [Place(None, "resource", "resource:slots")]


async def test_weights_add_up_to_what_there_is(store: Store) -> None:
    worker = await join(store, resources={"vram_gb": 7})
    for weight in (3, 3, 2, 1, 1):
        await add(store, new(resources=(("vram_gb", weight),)))
    leases = await take(store, worker)
    assert (len(leases), await used(store, "vram_gb")) == (3, 7)
    await store.settle([ended(lease) for lease in leases])
    assert await used(store, "vram_gb") == 0


async def test_all_that_a_job_asks_for_is_in_one_tree(store: Store) -> None:
    asks = (("gpu", 1), ("vram_gb", 12))
    small = await join(store, "small", resources={"gpu:0": 1, "vram_gb": 8})
    big = await join(store, "big", resources={"gpu:0": 1, "vram_gb": 24})
    await join(store, "memory", resources={"vram_gb": 64})
    one, two = await add(store, new(resources=asks), new(resources=asks))
    assert not await take(store, small)
    (lease,) = await take(store, big)
    assert lease.id == one
    assert lease.devices == (Hold("gpu", "0", 1), Hold("vram_gb", "", 12))
    assert not await take(store, big)
    assert [place.key for place in await store.position([two]) if place is not None] == ["resource:gpu"]
    await finish(store, lease)
    assert [again.id for again in await take(store, big)] == [two]


async def test_two_gpus_are_two_different_ones_of_one_box(store: Store) -> None:
    worker = await join(store, resources={"gpu:0": 1, "gpu:1": 1, "gpu:2": 1})
    await join(store, "other", resources={"gpu:0": 1})
    await add(store, new(resources=(("gpu", 2),)), new(resources=(("gpu", 2),)))
    (lease,) = await take(store, worker)
    assert devices(lease) == ["0", "1"]
    assert not await take(store, worker)
    (job_id,) = await add(store, new("a", resources=(("gpu", 4),)))
    assert not await take(store, worker)
    assert await store.position([job_id]) == [Place(None, "resource", "resource:gpu")]


async def test_a_job_that_fits_nowhere_lets_others_pass(store: Store) -> None:
    worker = await join(store, resources={"gpu:0": 1})
    await join(store, "other", resources={"gpu:0": 1})
    await add(store, new(resources=(("gpu", 2),), priority=0))
    assert not await take(store, worker)
    await add(store, *[new(resources=GPU) for _ in range(2)])
    (lease,) = await take(store, worker)
    await finish(store, lease)
    assert len(await take(store, worker)) == 1


async def test_a_job_may_name_its_device(store: Store) -> None:
    worker = await join(store, resources=TWO_GPUS)
    one, two, three = await add(
        store, new(resources=(("gpu:1", 1),)), new("a", resources=(("gpu:1", 1),)), new("b", resources=GPU)
    )
    leases = {lease.id: lease for lease in await take(store, worker)}
    assert (devices(leases[one]), devices(leases[three])) == (["1"], ["0"])
    assert await store.position([two]) == [Place(None, "resource", "resource:gpu:1")]
    await finish(store, leases[three])
    assert not await take(store, worker)
    await finish(store, leases[one])
    assert [lease.id for lease in await take(store, worker)] == [two]


async def test_a_device_with_several_shares_serves_several_jobs_or_one_that_takes_them_all(store: Store) -> None:
    worker = await join(store, resources={"gpu:0": 3})
    small = [new(resources=GPU) for _ in range(4)]
    (whole,) = await add(store, new("a", priority=0, resources=(("gpu:0", 3),)))
    await add(store, *small)
    (lease,) = await take(store, worker)
    assert (lease.id, lease.devices) == (whole, (Hold("gpu", "0", 3),))
    await finish(store, lease)
    assert [devices(lease) for lease in await take(store, worker)] == [["0"], ["0"], ["0"]]


@pytest.mark.parametrize(
    "outcome",
    [
        Completed(b"1"),
        Failed(ErrorInfo(Kind.VALIDATION, "no")),
        Failed(ErrorInfo(Kind.INTERNAL, "boom")),
        Snoozed(60_000),
        Released(),
        Lost(),
    ],
)
async def test_every_ending_gives_back_what_was_held_once(store: Store, outcome: Outcome) -> None:
    worker = await join(store, resources={"gpu:0": 1})
    await add(store, new(resources=GPU))
    (lease,) = await take(store, worker)
    settlement = ended(lease, outcome)
    assert await store.settle([settlement]) == [True]
    assert await used(store, "gpu") == 0
    await add(store, new("a", resources=GPU))
    (other,) = await take(store, worker, WANT._replace(tasks=frozenset({"a"})))
    assert await store.settle([settlement]) == [False]
    assert await used(store, "gpu") == 1
    await finish(store, other)


async def test_what_is_given_back_early_wakes_who_waits_and_is_given_back_once(store: Store) -> None:
    worker = await join(store, resources={"gpu:0": 1})
    await add(store, *[new(resources=GPU) for _ in range(3)])
    (first,) = await take(store, worker)
    assert not await take(store, worker)
    assert await store.release(first.ref, first.attempt, "gpu") is True
    (second,) = await take(store, worker)
    assert await store.release(first.ref, first.attempt, "gpu") is True
    await finish(store, first)
    assert await used(store, "gpu") == 1
    assert not await take(store, worker)
    assert await store.release(first.ref, first.attempt, "gpu") is False
    assert await used(store, "gpu") == 1
    await finish(store, second)
    assert await used(store, "gpu") == 0


async def test_what_is_not_held_is_not_given_back(store: Store) -> None:
    worker = await join(store, resources={**TWO_GPUS, "vram_gb": 9})
    await add(store, new(resources=(("gpu", 2), ("vram_gb", 3))))
    (lease,) = await take(store, worker)
    assert await store.release(lease.ref, lease.attempt, "disk") is True
    assert await store.release(lease.ref, lease.attempt, "gpu:7") is True
    assert (await used(store, "gpu"), await used(store, "vram_gb")) == (2, 3)
    assert await store.release(lease.ref, lease.attempt, "gpu:1") is True
    assert (await used(store, "gpu"), await used(store, "vram_gb")) == (1, 3)
    await finish(store, lease)
    assert [found.used for found in await store.resources()] == [0, 0]


async def test_a_zombie_gives_back_nothing(store: Store, clock: FakeClock) -> None:
    await add(store, new(resources=GPU), new(resources=GPU))
    (zombie,) = await take(store, await join(store, "first", resources={"gpu:0": 1}))
    clock.pass_(LEASE_FOR + 1)
    heir = await join(store, "second", resources={"gpu:0": 1})
    (late,) = await store.overdue(10)
    assert await store.settle([ended(late.lease, Lost())]) == [True]
    (again,) = await take(store, heir)
    assert again.ref == zombie.ref
    assert await store.release(zombie.ref, zombie.attempt, "gpu") is False
    assert await store.settle([ended(zombie)]) == [False]
    assert await used(store, "gpu") == 1
    assert not await take(store, heir)


async def test_a_lost_worker_takes_away_what_it_brought_and_settling_gives_back_what_was_held(
    store: Store, clock: FakeClock
) -> None:
    await store.set_resource("slots", 1)
    both = new(resources=(("gpu", 1), ("slots", 1)))
    (job_id,) = await add(store, both)
    await take(store, await join(store, "first", resources={"gpu:0": 1}))
    clock.pass_(LEASE_FOR + 1)
    (late,) = await store.overdue(10)
    assert await store.resources() == [Resource("gpu", 0, 1), Resource("slots", 1, 1, 0, shared=True)]
    second = await join(store, "second", resources={"gpu:0": 1})
    assert await store.settle([ended(late.lease, Lost())]) == [True]
    (again,) = await take(store, second)
    assert again.id == job_id


async def test_workers_that_come_drain_and_leave_change_what_there_is(store: Store) -> None:
    one = await join(store, "one", supervisor="tree", resources={"gpu:0": 1})
    two = await join(store, "two", supervisor="tree", resources={"gpu:0": 1})
    three = await join(store, "three", resources=TWO_GPUS)
    assert await store.resources() == [Resource("gpu", 3)]
    await store.leave([one])
    assert await store.resources() == [Resource("gpu", 3)]
    await store.drain_worker(two)
    assert await store.resources() == [Resource("gpu", 2)]
    await store.leave([three])
    assert await store.resources() == []
    assert await join(store, "two", supervisor="tree", resources={"gpu:0": 1}) == two
    assert await store.resources() == []


async def test_what_a_draining_tree_still_holds_is_no_burden_of_others(store: Store) -> None:
    one, two = [await join(store, name, resources={"gpu:0": 1}) for name in ("one", "two")]
    await add(store, new(resources=GPU), new(resources=GPU))
    assert len(await take(store, one)) == 1
    await store.drain_worker(one)
    assert len(await take(store, two)) == 1


async def test_who_waits_behind_a_heavy_job_starts_when_that_one_fits_nowhere_any_more(store: Store) -> None:
    small = await join(store, "small", resources={"gpu:0": 1})
    big = await join(store, "big", resources=TWO_GPUS)
    await add(store, new(resources=GPU), new(resources=GPU))
    (first,) = await take(store, big, ONE)
    (second,) = await take(store, small)
    (heavy,) = await add(store, new(priority=0, resources=(("gpu", 2),)))
    light = await add(store, new(resources=GPU), new(resources=GPU))
    (third,) = await take(store, big)
    assert third.id == light[0]
    assert not await take(store, big)
    await finish(store, second)
    assert not await take(store, small), "the heavy one is first in line"
    await store.leave([big], lost=True)
    assert [lease.id for lease in await take(store, small)] == light[1:]
    assert await store.position([heavy]) == [Place(None, "resource", "resource:gpu")]
    assert first


async def test_who_waits_is_woken_by_priority_and_then_in_turn(store: Store) -> None:
    worker = await join(store, resources={"gpu:0": 1})
    for tenant in "aab":
        await add(store, new(tenant=tenant, resources=GPU))
    (first,) = await take(store, worker)
    assert not await take(store, worker)
    await add(store, new(tenant="c", priority=2, resources=GPU))
    await finish(store, first)
    order = ""
    for _ in range(3):
        (lease,) = await take(store, worker)
        order += lease.tenant
        assert not await take(store, worker)
        await finish(store, lease)
    assert order == "cba"


async def test_heavy_and_urgent_jobs_are_not_starved_by_light_ones(store: Store) -> None:
    worker = await join(store, resources=TWO_GPUS)
    await add(store, *[new(tenant=tenant, resources=GPU) for tenant in "ab" for _ in range(20)])
    running = [*await take(store, worker)]
    (heavy,) = await add(store, new(priority=0, resources=(("gpu", 2),)))
    assert not await take(store, worker)
    for _ in range(2):
        await finish(store, running.pop(0))
        running += await take(store, worker)
    assert [lease.id for lease in running] == [heavy]


async def test_resources_and_limits_compose(store: Store) -> None:
    await store.configure_limit(Limit("tenant:*", running=1))
    one, two = [await join(store, name, resources=TWO_GPUS) for name in ("one", "two")]
    await add(store, *[new(tenant=tenant, resources=GPU) for tenant in "abc" for _ in range(3)])
    running = [*await take(store, one), *await take(store, two)]
    done: Counter[str] = Counter()
    while running:
        assert max(Counter(lease.tenant for lease in running).values()) == 1
        lease = running.pop(0)
        done[lease.tenant] += 1
        await finish(store, lease)
        running += [*await take(store, one), *await take(store, two)]
    assert done == {"a": 3, "b": 3, "c": 3}
    assert await used(store, "gpu") == 0


async def test_the_jobs_of_a_schedule_ask_for_what_its_request_asks_for(store: Store, clock: FakeClock) -> None:
    request = new(resources=GPU, limits=(("provider:p", 2),))
    await store.configure_limit(Limit("provider:p", running=2))
    await store.put_schedules([NewSchedule(name="s", rule=Every(SECOND), request=request)])
    (schedule,) = await store.schedules()
    assert (schedule.request.resources, schedule.request.limits) == (request.resources, request.limits)
    clock.pass_(SECOND)
    (fired,) = await store.fire([plan(schedule, schedule.next_at or 0)])
    assert fired.applied
    (lease,) = await take(store, await join(store, resources={"gpu:0": 1}))
    assert lease.devices == (Hold("gpu", "0", 1),)
    assert [state.used for state in await store.limits()] == [2]


async def test_a_parked_resource_starts_nothing_until_its_time(store: Store, clock: FakeClock) -> None:
    worker = await join(store, resources={"gpu:0": 1})
    (job_id,) = await add(store, new(resources=GPU))
    until = await store.park("resource:gpu", 2_000)
    assert not await take(store, worker)
    assert await store.position([job_id]) == [Place(None, "provider_parked", "resource:gpu", until)]
    clock.pass_(2_000)
    assert len(await take(store, worker)) == 1
