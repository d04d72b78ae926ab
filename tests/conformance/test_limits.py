"""Limits: never above, nothing lost, and what waits for one stands in nobody's way."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.kinds import ErrorInfo, Kind
from stanchion.domain.limits import Limit, LimitState
from stanchion.domain.outcome import Completed, Failed, Lost, Outcome, Released, Snoozed
from stanchion.domain.policy import TenantPolicy
from stanchion.errors import OverLimitError
from stanchion.store import Place, Refused
from tests.conformance.helpers import KEEP, LEASE_FOR, WANT, add, ended, finish, join, new, take

if TYPE_CHECKING:
    from stanchion.domain.job import Lease
    from stanchion.store import Store
    from tests.clock import FakeClock

ONE = WANT._replace(limit=1)
P = "provider:p"


async def used(store: Store, key: str) -> int:
    return next((state.used for state in await store.limits() if state.key == key), 0)


async def places(store: Store, *ids: str) -> list[Place | None]:
    return await store.position(ids)


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("queue:images", {"queue": "images"}),
        ("tenant:acme", {"tenant": "acme"}),
        ("tenant:*", {"tenant": "acme"}),
        ("user:acme/ada", {"tenant": "acme", "user": "ada"}),
        ("user:*", {"tenant": "acme", "user": "ada"}),
        ("task:t", {}),
        (P, {"limits": ((P, 1),)}),
        ("key:printer", {"limits": (("key:printer", 1),)}),
    ],
)
async def test_no_more_run_than_the_limit_of_a_key(store: Store, key: str, given: dict[str, Any]) -> None:
    await store.configure_limit(Limit(key, running=2))
    await add(store, *[new(**given) for _ in range(5)])
    (free,) = await add(store, new("a", queue="other", tenant="free", user="eve"))
    worker = await join(store)
    first = await take(store, worker)
    assert len(first) == 3
    assert free in {lease.id for lease in first}
    assert not await take(store, worker)
    held = next(lease for lease in first if lease.id != free)
    await finish(store, held)
    assert len(await take(store, worker)) == 1
    assert not await take(store, worker)


async def test_a_limit_for_each_counts_each_alone(store: Store) -> None:
    await store.configure_limit(Limit("tenant:*", running=1))
    await store.configure_limit(Limit("tenant:big", running=3))
    await add(store, *[new(tenant=tenant) for tenant in ("a", "b", "big") for _ in range(4)])
    leases = await take(store, await join(store))
    assert Counter(lease.tenant for lease in leases) == {"a": 1, "b": 1, "big": 3}


async def test_users_of_two_tenants_with_one_name_are_two(store: Store) -> None:
    await store.configure_limit(Limit("user:*", running=1))
    await add(store, *[new(tenant=tenant, user="ada") for tenant in ("a", "b") for _ in range(2)])
    assert len(await take(store, await join(store))) == 2


async def test_limits_compose(store: Store) -> None:
    await store.configure_limit(Limit(P, running=3))
    await store.configure_limit(Limit("tenant:*", running=2))
    await store.configure_limit(Limit("user:*", running=1))
    who = [("a", "u"), ("a", "u"), ("a", "v"), ("a", "w"), ("b", "u"), ("b", "v"), ("c", "u")]
    await add(store, *[new(tenant=tenant, user=user, limits=((P, 1),)) for tenant, user in who])
    worker = await join(store)
    running: list[Lease] = []
    order: list[tuple[str, str | None]] = []
    while len(order) < len(who):
        running += (started := await take(store, worker))
        order += [(lease.tenant, lease.user) for lease in started]
        assert len(running) <= 3
        assert max(Counter(lease.tenant for lease in running).values()) <= 2
        assert max(Counter((lease.tenant, lease.user) for lease in running).values()) == 1
        await finish(store, running.pop(0))
    assert Counter(order) == Counter(who)


async def test_weights_add_up_to_the_limit(store: Store) -> None:
    await store.configure_limit(Limit(P, running=7))
    for weight in (3, 3, 2, 1, 1):
        await add(store, new(limits=((P, weight),)))
    leases = await take(store, await join(store))
    assert (len(leases), await used(store, P)) == (3, 7)
    await store.settle([ended(lease) for lease in leases])
    assert await used(store, P) == 0


@pytest.mark.parametrize(
    "outcome",
    [
        Completed(b"1"),
        Failed(ErrorInfo(Kind.VALIDATION, "no")),
        Failed(ErrorInfo(Kind.INTERNAL, "boom")),
        Failed(ErrorInfo(Kind.RATE_LIMITED, "busy", retry_after=1_500)),
        Snoozed(60_000),
        Released(),
        Lost(),
    ],
)
async def test_every_ending_gives_back_what_was_held_once(store: Store, outcome: Outcome) -> None:
    await store.configure_limit(Limit(P, running=1))
    await add(store, new(limits=((P, 1),)))
    worker = await join(store)
    (lease,) = await take(store, worker)
    settlement = ended(lease, outcome)
    assert await store.settle([settlement]) == [True]
    assert await used(store, P) == 0
    assert await store.settle([settlement]) == [False]
    assert await used(store, P) == 0


async def test_a_zombie_gives_back_nothing(store: Store, clock: FakeClock) -> None:
    await store.configure_limit(Limit("task:t", running=1))
    await add(store, new(), new())
    (zombie,) = await take(store, await join(store, "first"))
    clock.pass_(LEASE_FOR + 1)
    heir = await join(store, "second")
    (late,) = await store.overdue(10)
    assert await store.settle([ended(late.lease, Lost())]) == [True]
    (again,) = await take(store, heir)
    assert await store.settle([ended(zombie)]) == [False]
    assert await used(store, "task:t") == 1
    assert not await take(store, heir)
    await finish(store, again)
    assert len(await take(store, heir)) == 1


async def test_a_cancelled_job_gives_back_what_it_held_when_its_attempt_ends(store: Store) -> None:
    await store.configure_limit(Limit("task:t", running=1))
    await add(store, new(), new())
    worker = await join(store)
    (lease,) = await take(store, worker)
    await store.cancel([lease.id])
    assert not await take(store, worker)
    await finish(store, lease)
    assert len(await take(store, worker)) == 1


async def test_starts_in_any_window_stay_within_rate_and_burst(store: Store, clock: FakeClock) -> None:
    await store.configure_limit(Limit(P, starts=10, period=1_000, burst=3))
    await add(store, *[new(limits=((P, 1),)) for _ in range(60)])
    worker = await join(store)
    starts: list[int] = []
    for _ in range(400):
        starts += [clock.at] * len(await take(store, worker))
        clock.pass_(7)
    assert max(sum(begin <= at < begin + 1_000 for at in starts) for begin in starts) <= 10 + 3
    assert len(starts) == 3 + 399 * 7 // 100


async def test_a_claim_tells_when_a_rate_lets_the_next_job_start(store: Store, clock: FakeClock) -> None:
    await store.configure_limit(Limit(P, starts=2, period=1_000))
    ids = await add(store, *[new(limits=((P, 1),)) for _ in range(3)])
    worker = await join(store)
    (first,) = await take(store, worker)
    _, claimed = await store.claim(worker, WANT)
    assert claimed[:2] == ((), 500)
    assert await places(store, *ids[1:]) == [Place(None, "rate", P, clock.at + 500)] * 2
    await finish(store, first)
    assert not await take(store, worker)
    clock.pass_(499)
    assert not await take(store, worker)
    clock.pass_(1)
    assert [lease.id for lease in await take(store, worker)] == ids[1:2]


async def test_a_parked_key_starts_nothing_and_spends_nothing_until_its_time(store: Store, clock: FakeClock) -> None:
    ids = await add(store, *[new(limits=((P, 1),)) for _ in range(3)])
    (other,) = await add(store, new())
    worker = await join(store)
    until = await store.park(P, 2_000)
    assert until == clock.at + 2_000
    assert [lease.id for lease in await take(store, worker)] == [other]
    assert await places(store, ids[0]) == [Place(None, "provider_parked", P, until)]
    assert await store.limits() == [LimitState(P, None, 0, 3, until)]
    clock.pass_(2_000)
    leases = await take(store, worker)
    assert [(lease.id, lease.attempt, lease.spent) for lease in leases] == [(job_id, 1, 0) for job_id in ids]
    assert await store.limits() == []


async def test_a_park_that_is_ended_early_wakes_who_waits(store: Store) -> None:
    await add(store, new(limits=((P, 1),)))
    worker = await join(store)
    await store.park(P, 60_000)
    assert not await take(store, worker)
    await store.park(P, 0)
    assert len(await take(store, worker)) == 1


async def test_a_limit_may_be_raised_lowered_and_dropped_while_jobs_run(store: Store) -> None:
    await store.configure_limit(Limit("queue:default", running=2))
    await add(store, *[new() for _ in range(12)])
    worker = await join(store)
    leases = [*await take(store, worker)]
    await store.configure_limit(Limit("queue:default", running=4))
    leases += await take(store, worker)
    assert len(leases) == 4
    await store.configure_limit(Limit("queue:default", running=1))
    for lease in leases[:3]:
        await finish(store, lease)
        assert not await take(store, worker)
    await finish(store, leases[3])
    (last,) = await take(store, worker)
    assert await store.drop_limit("queue:default") is True
    assert await store.drop_limit("queue:default") is False
    assert len(await take(store, worker)) == 7
    await finish(store, last)


async def test_a_limit_that_comes_late_counts_what_runs_already(store: Store) -> None:
    await add(store, *[new(user="ada", limits=((P, 2),)) for _ in range(3)])
    worker = await join(store)
    (lease,) = await take(store, worker, ONE)
    await store.configure_limit(Limit("user:*", running=1))
    await store.configure_limit(Limit(P, running=4))
    assert (await used(store, "user:default/ada"), await used(store, P)) == (1, 2)
    assert not await take(store, worker)
    await finish(store, lease)
    assert len(await take(store, worker)) == 1


async def test_a_limit_of_none_running_holds_all(store: Store) -> None:
    await store.configure_limit(Limit("task:a", running=0))
    (job_id,) = await add(store, new("a"))
    worker = await join(store)
    assert not await take(store, worker)
    assert await places(store, job_id) == [Place(None, "limit", "task:a")]


async def test_who_waits_for_a_limit_stands_in_nobodys_way(store: Store) -> None:
    await store.configure_limit(Limit("tenant:big", running=1))
    big = await add(store, *[new(tenant="big") for _ in range(10)])
    small = await add(store, *[new(tenant="small") for _ in range(3)])
    worker = await join(store)
    await take(store, worker, WANT._replace(limit=3))
    assert [place.position for place in await places(store, *small[2:]) if place is not None] == [1]
    assert await places(store, big[9]) == [Place(None, "limit", "tenant:big")]


async def test_who_waits_for_one_key_is_woken_by_priority_and_then_in_turn(store: Store) -> None:
    await store.configure_limit(Limit(P, running=1))
    worker = await join(store)
    for tenant in "aab":
        await add(store, new(tenant=tenant, limits=((P, 1),)))
    await add(store, new(tenant="c", priority=2, limits=((P, 1),)))
    order = ""
    for _ in range(4):
        (lease,) = await take(store, worker)
        order += lease.tenant
        assert not await take(store, worker)
        await finish(store, lease)
    assert order == "caba"


async def test_weights_of_tenants_hold_for_a_key_that_all_wait_for(store: Store) -> None:
    await store.configure_tenant(TenantPolicy("heavy", 3))
    await store.configure_limit(Limit(P, running=1))
    for tenant in ("light", "heavy"):
        await add(store, *[new(tenant=tenant, queue=tenant, limits=((P, 1),)) for _ in range(60)])
    worker = await join(store)
    order: Counter[str] = Counter()
    for _ in range(40):
        (lease,) = await take(store, worker)
        order[lease.tenant] += 1
        assert not await take(store, worker)
        await finish(store, lease)
    assert 28 <= order["heavy"] <= 32


async def test_a_woken_lane_that_a_worker_does_not_serve_holds_up_nobody(store: Store) -> None:
    await store.configure_limit(Limit(P, running=1))
    await add(store, new("a", limits=((P, 1),)), new("b", limits=((P, 1),)), new("b", limits=((P, 1),)))
    worker = await join(store)
    only_b = WANT._replace(tasks=frozenset({"b"}))
    (first,) = await take(store, worker, only_b)
    assert not await take(store, worker)  # both lanes wait now
    await finish(store, first)  # wakes the lane of a
    assert len(await take(store, worker, only_b)) == 1


async def test_a_job_too_heavy_for_its_limit_waits_and_lets_others_pass(store: Store) -> None:
    await store.configure_limit(Limit(P, running=2))
    (heavy,) = await add(store, new(limits=((P, 3),)))
    worker = await join(store)
    assert not await take(store, worker)
    await add(store, *[new(limits=((P, 1),)) for _ in range(3)])
    leases = await take(store, worker)
    assert len(leases) == 2
    await finish(store, leases[0])
    assert len(await take(store, worker)) == 1
    assert await places(store, heavy) == [Place(None, "limit", P)]
    await store.configure_limit(Limit(P, running=5))
    assert [lease.id for lease in await take(store, worker)] == [heavy]


async def test_many_jobs_too_heavy_for_a_rate_hold_up_nobody(store: Store, clock: FakeClock) -> None:
    await store.configure_limit(Limit(P, starts=10, period=1_000))
    worker = await join(store)
    await add(store, *[new(tenant=f"heavy{number}", limits=((P, 2),)) for number in range(120)])
    assert not await take(store, worker)
    await add(store, new(limits=((P, 1),)), new(limits=((P, 1),)))
    assert len(await take(store, worker)) == 1
    _, claimed = await store.claim(worker, WANT)
    assert claimed[:2] == ((), 100)
    clock.pass_(100)
    assert len(await take(store, worker)) == 1


async def test_a_tenant_that_waited_for_its_limit_has_saved_up_no_turns(store: Store) -> None:
    await store.configure_limit(Limit("tenant:a", running=0))
    worker = await join(store)
    await add(store, *[new(tenant="a") for _ in range(40)])
    await add(store, *[new(tenant="b") for _ in range(60)])
    for _ in range(30):
        (lease,) = await take(store, worker, ONE)
        await finish(store, lease)
    await store.drop_limit("tenant:a")
    leases = [*await take(store, worker, WANT._replace(limit=20))]
    served = Counter(lease.tenant for lease in leases)
    assert abs(served["a"] - served["b"]) <= 2


async def test_a_waiting_job_that_is_cancelled_or_expires_leaves_no_trace(store: Store, clock: FakeClock) -> None:
    await store.configure_limit(Limit("task:t", running=0))
    cancelled, late = await add(store, new(), new(expires_in=100))
    worker = await join(store)
    assert not await take(store, worker)
    await store.cancel([cancelled])
    clock.pass_(101)
    await store.maintain(KEEP, 100)
    await store.configure_limit(Limit("task:t", running=1))
    assert await store.limits() == [LimitState("task:t", Limit("task:t", running=1), 0, 0, None)]
    assert late
    await add(store, new())
    assert len(await take(store, worker)) == 1


async def test_a_job_that_moves_to_another_priority_still_counts(store: Store) -> None:
    await store.configure_limit(Limit("user:*", running=1))
    await store.configure_limit(Limit(P, running=1))
    one, two = await add(store, *[new(user="ada", limits=((P, 1),)) for _ in range(2)])
    await store.amend([two], priority=0)
    worker = await join(store)
    assert [lease.id for lease in await take(store, worker)] == [two]
    assert await places(store, one) == [Place(None, "limit", "user:default/ada")]


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("queue:q", {"queue": "q"}),
        ("tenant:*", {"tenant": "acme"}),
        ("user:acme/ada", {"tenant": "acme", "user": "ada"}),
    ],
)
async def test_above_its_bound_a_key_is_refused_before_anything_is_stored(
    store: Store, key: str, given: dict[str, Any]
) -> None:
    await store.configure_limit(Limit(key, refuse=3))
    answers = await store.enqueue([new(**given), new(**given), new(**given), new(**given), new("a", queue="free")])
    assert [isinstance(answer, Refused) for answer in answers] == [False, False, False, True, False]
    refused = answers[3]
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, OverLimitError)
    assert refused.error.retry_after
    worker = await join(store)
    leases = [lease for lease in await take(store, worker) if lease.task == "t"]
    assert isinstance((await store.enqueue([new(**given)]))[0], Refused)  # what runs counts as well
    await finish(store, leases[0])
    assert await add(store, new(**given))
