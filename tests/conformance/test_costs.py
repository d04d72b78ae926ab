"""What a job of a task with cost drivers is charged for its turn: at its start what is learned, then what it took."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from stanchion.domain.outcome import Cancelled, Completed, Failed, Lost, Released
from stanchion.domain.policy import TenantPolicy
from stanchion.engine.learning import learn
from tests.conformance.helpers import BOOM, LEASE_FOR, WANT, add, ended, join, new, take

if TYPE_CHECKING:
    from stanchion.domain.job import Lease
    from stanchion.domain.outcome import Outcome
    from stanchion.store import Store
    from tests.clock import FakeClock

ONE = WANT._replace(limit=1)
SHORT, LONG = 1.0, 100.0
SIZES = {"a": LONG, "b": SHORT}
TAKES = {LONG: 10_000, SHORT: 1_000}


async def fill(store: Store, count: int, **sizes: float | None) -> None:
    for tenant, size in sizes.items():
        await add(store, *[new(tenant=tenant, size=size) for _ in range(count)])


async def one(store: Store, worker: int) -> Lease:
    (lease,) = await take(store, worker, ONE)
    return lease


async def starts(store: Store, worker: int, count: int) -> str:
    """Start jobs one by one, end none, and return their tenants."""
    return "".join([(await one(store, worker)).tenant for _ in range(count)])


async def run(store: Store, clock: FakeClock, worker: int, count: int) -> Counter[str]:
    """Run jobs one by one, each for its time, and return how many each tenant got."""
    got: Counter[str] = Counter()
    for _ in range(count):
        lease = await one(store, worker)
        got[lease.tenant] += 1
        clock.pass_(TAKES[SIZES[lease.tenant]])
        await store.settle([ended(lease)])
    return got


async def taught(store: Store, clock: FakeClock, worker: int) -> None:
    """Learn that the jobs of `a` take ten times as long as those of `b`."""
    await fill(store, 20, **SIZES)
    await run(store, clock, worker, 40)
    await learn(store)


async def test_a_long_job_counts_as_many_short_ones(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await taught(store, clock, worker)
    await fill(store, 60, **SIZES)
    assert await run(store, clock, worker, 55) == {"a": 5, "b": 50}


async def test_weights_divide_time(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await store.configure_tenant(TenantPolicy("a", 4))
    await taught(store, clock, worker)
    await fill(store, 60, **SIZES)
    assert await run(store, clock, worker, 56) == {"a": 16, "b": 40}


async def test_what_was_learned_is_charged_when_a_job_starts(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await taught(store, clock, worker)
    await fill(store, 30, a=LONG, b=SHORT)
    assert Counter(await starts(store, worker, 22)) == {"a": 2, "b": 20}


async def test_until_something_is_learned_a_job_is_charged_a_second_and_one_without_a_cost_always(
    store: Store,
) -> None:
    worker = await join(store)
    await fill(store, 10, a=LONG, b=None)
    assert await starts(store, worker, 8) == "abababab"


@pytest.mark.parametrize("outcome", [Completed(b"1"), Failed(BOOM), Cancelled(), Released()])
async def test_an_attempt_is_charged_in_the_end_what_it_took_however_it_ends(
    store: Store, clock: FakeClock, outcome: Outcome
) -> None:
    worker = await join(store)
    await fill(store, 10, a=LONG, b=None)
    lease = await one(store, worker)
    clock.pass_(5_000)
    await store.settle([ended(lease, outcome)])
    assert await starts(store, worker, 7) == "bbbbbab"


async def test_a_cancel_that_was_asked_for_is_charged_too(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await fill(store, 10, a=LONG, b=None)
    lease = await one(store, worker)
    await store.cancel([lease.id])
    clock.pass_(5_000)
    await store.settle([ended(lease, Cancelled())])
    assert await starts(store, worker, 7) == "bbbbbab"


async def test_a_lost_attempt_is_charged_until_its_lease_ended(store: Store, clock: FakeClock) -> None:
    lost = await join(store)
    await fill(store, 15, a=LONG, b=None)
    await one(store, lost)
    clock.pass_(50 * LEASE_FOR)
    (overdue,) = await store.overdue(10)
    await store.settle([ended(overdue.lease, Lost())])
    worker = await join(store, "v")
    assert await starts(store, worker, 12) == "b" * (LEASE_FOR // 1_000) + "ab"


async def test_what_was_charged_too_much_is_given_back(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await fill(store, 10, a=LONG, b=None)
    lease = await one(store, worker)
    clock.pass_(250)
    await store.settle([ended(lease)])
    order = ""
    for _ in range(6):
        lease = await one(store, worker)
        order += lease.tenant
        clock.pass_(250)
        await store.settle([ended(lease)])
    assert order == "baaaab"


async def test_a_tenant_is_never_behind_the_clock_by_more_than_one_charge(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await fill(store, 20, a=LONG)
    leases = await take(store, worker, WANT._replace(limit=10))
    await fill(store, 10, b=None)
    clock.pass_(1)
    await store.settle([ended(lease) for lease in leases])
    assert await starts(store, worker, 5) == "aabab", "not ten of a before b, though ten were charged too much"


async def test_who_left_the_line_comes_back_at_the_clock_whatever_was_given_back(
    store: Store, clock: FakeClock
) -> None:
    worker = await join(store)
    await fill(store, 3, a=LONG)
    leases = await take(store, worker)
    await fill(store, 10, b=None)
    clock.pass_(1)
    await store.settle([ended(lease) for lease in leases])
    await fill(store, 10, a=LONG)
    assert await starts(store, worker, 4) == "baba"


async def test_who_left_the_line_pays_for_what_it_ran_longer_when_it_comes_back(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await fill(store, 1, a=LONG)
    await fill(store, 10, b=None)
    lease = await one(store, worker)
    clock.pass_(4_000)
    await store.settle([ended(lease)])
    await fill(store, 10, a=LONG)
    assert await starts(store, worker, 6) == "bbbbba"


async def test_a_stale_attempt_is_charged_once(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await fill(store, 10, a=LONG, b=None)
    lease = await one(store, worker)
    clock.pass_(3_000)
    assert await store.settle([ended(lease), ended(lease)]) == [True, False]
    assert await store.settle([ended(lease)]) == [False]
    assert await starts(store, worker, 5) == "bbbab"


async def test_positions_count_what_is_charged(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await taught(store, clock, worker)
    ids: list[str] = []
    for number in range(30):
        size = (LONG, SHORT, None)[number % 3]
        ids += await add(store, new(tenant="ab"[number % 2], size=size), new(tenant="c"))
    places = dict(zip(ids, await store.position(ids), strict=True))
    singly = {job_id: (await store.position([job_id]))[0] for job_id in ids}
    order = [(await one(store, worker)).id for _ in ids]
    assert [place.position for job_id in order if (place := places[job_id]) is not None] == list(range(1, 61))
    assert singly == places


async def test_starts_are_told_in_their_order_whatever_they_are_charged(store: Store) -> None:
    worker = await join(store)
    ids = await add(store, *[new(size=size) for size in (None, SHORT, None, LONG)])
    since = await store.tail()
    assert [lease.id for lease in await take(store, worker, WANT._replace(limit=4))] == list(ids)
    assert [event.id for event in (await store.changes(since)).events] == list(ids)
