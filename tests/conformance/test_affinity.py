"""Warm models first: what is preferred, and a bound for each job that all workers keep together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stanchion.domain.affinity import DEFAULT
from stanchion.domain.limits import Limit
from stanchion.domain.outcome import Released
from stanchion.domain.policy import TenantPolicy
from tests.conformance.helpers import WANT, add, ended, finish, join, new, read, take

if TYPE_CHECKING:
    from stanchion.domain.job import Lease
    from stanchion.store import Store
    from tests.clock import FakeClock

LETTERS = {"a": "flux", "b": "sdxl", "c": "wan", "n": ""}


async def fill(store: Store, models: str, **given: Any) -> list[str]:
    """Enqueue jobs by the letters of their models; a space changes nothing."""
    return await add(store, *[new(model=LETTERS[letter], **given) for letter in models.replace(" ", "")])


async def one(store: Store, worker: int, *warm: str) -> Lease:
    """Start and end one job on a worker that has models loaded."""
    (lease,) = await take(store, worker, WANT._replace(limit=1, warm=frozenset(warm)))
    await finish(store, lease)
    return lease


def letter(lease: Lease) -> str:
    return next(letter for letter, model in LETTERS.items() if model == lease.model)


async def drained(store: Store, worker: int, count: int, warm: str = "flux") -> str:
    """Start and end jobs one by one on a worker with room for one model; return the letters of their models."""
    found = ""
    for _ in range(count):
        lease = await one(store, worker, warm)
        warm = lease.model or warm
        found += letter(lease)
    return found


async def test_a_job_and_its_lease_name_its_model(store: Store) -> None:
    (job_id,) = await fill(store, "a")
    assert (await read(store, job_id)).model == "flux"
    assert (await one(store, await join(store))).model == "flux"
    assert (await read(store, job_id)).model == "flux"


async def test_a_job_whose_model_is_warm_goes_first(store: Store) -> None:
    await fill(store, "bba")
    assert await drained(store, await join(store), 3) == "abb"


async def test_a_worker_with_nothing_loaded_takes_the_first(store: Store) -> None:
    await fill(store, "ba")
    (lease,) = await take(store, await join(store), WANT._replace(limit=1))
    assert letter(lease) == "b"


async def test_no_job_is_passed_over_by_more_than_eight(store: Store) -> None:
    await fill(store, "b" + "a" * 20)
    assert await drained(store, await join(store), 12) == "aaaaaaaab" + "aaa"


async def test_a_long_lane_is_passed_over_by_eight_and_not_by_eight_for_each_start(store: Store) -> None:
    """One worker is fast and has flux, another slowly works through sdxl: what waits behind counts, too."""
    await fill(store, "ba" * 40)
    fast, slow = await join(store, "fast"), await join(store, "slow")
    order = ""
    for _ in range(8):
        order += letter(await one(store, slow, "sdxl"))
        order += "".join([letter(await one(store, fast, "flux")) for _ in range(4)])
    places = {"a": 0, "b": 0}
    for at, found in enumerate(order):
        number = 2 * places[found] + (found == "a")
        places[found] += 1
        later = [other for other in range(at) if _number(order, other) > number]
        assert len(later) <= 8


def _number(order: str, at: int) -> int:
    """The place in the line `bababa…` of the job that started as the `at`-th."""
    return 2 * order[:at].count(order[at]) + (order[at] == "a")


async def test_no_job_is_passed_over_longer_than_its_time_by_the_stores_clock(store: Store, clock: FakeClock) -> None:
    await fill(store, "b" + "a" * 5)
    worker = await join(store)
    assert await drained(store, worker, 1) == "a"
    clock.pass_(DEFAULT.time - 1)
    assert await drained(store, worker, 1) == "a"
    clock.pass_(1)
    assert await drained(store, worker, 2) == "ba"


async def test_all_workers_share_one_bound(store: Store) -> None:
    await fill(store, "b" + "a" * 20)
    workers = [await join(store, f"w{number}") for number in range(3)]
    await take(store, await join(store, "other"), WANT._replace(limit=1, queues=("x",), warm=frozenset({"sdxl"})))
    order = [letter(await one(store, workers[number % 3], "flux")) for number in range(9)]
    assert "".join(order) == "aaaaaaaab"


async def test_of_two_workers_with_one_model_one_loads_what_nobody_has(store: Store) -> None:
    await fill(store, "aab" + "a" * 20)
    workers = [await join(store, "w1"), await join(store, "w2")]
    order = [letter(await one(store, workers[number], "flux")) for number in (0, 1, 0, 0)]
    assert "".join(order) == "aaba"


async def test_a_worker_that_is_gone_has_nothing_loaded(store: Store) -> None:
    await fill(store, "aab" + "a" * 20)
    workers = [await join(store, "w1"), await join(store, "w2")]
    order = [letter(await one(store, worker, "flux")) for worker in workers]
    await store.leave([workers[1]])
    order += [letter(await one(store, workers[0], "flux")) for _ in range(9)]
    assert "".join(order) == "aa" + "a" * 8 + "b"


async def test_a_claim_for_many_keeps_the_bound(store: Store) -> None:
    await fill(store, "b" + "a" * 20)
    leases = await take(store, await join(store), WANT._replace(limit=12, warm=frozenset({"flux"})))
    assert "".join(map(letter, leases)) == "aaaaaaaab" + "aaa"


async def test_a_queue_may_switch_it_off(store: Store) -> None:
    await store.configure("default", affinity_jobs=0)
    await fill(store, "bab")
    worker = await join(store)
    assert await drained(store, worker, 3) == "bab"
    await store.configure("default", affinity_jobs=8, affinity_time=0)
    await fill(store, "bab")
    assert await drained(store, worker, 3) == "bab"


async def test_a_queue_may_have_its_own_bound(store: Store) -> None:
    policy = await store.configure("default", affinity_jobs=2)
    assert policy.affinity == DEFAULT._replace(jobs=2)
    policy = await store.configure("default", affinity_time=700)
    assert [item.policy for item in await store.stats()] == [policy]
    assert policy.affinity == (2, 700)
    await fill(store, "b" + "a" * 5)
    assert await drained(store, await join(store), 4) == "aaba"


async def test_a_more_urgent_job_goes_first_be_its_model_cold(store: Store) -> None:
    await fill(store, "a")
    await fill(store, "b", priority=2)
    assert await drained(store, await join(store), 2) == "ba"


async def test_no_job_goes_past_the_turn_of_another_queue(store: Store) -> None:
    await fill(store, "b", queue="x")
    await fill(store, "b", queue="y")
    await fill(store, "a", queue="x")
    assert await drained(store, await join(store), 3) == "bba"


async def test_a_job_without_a_model_starts_in_its_turn(store: Store) -> None:
    await fill(store, "nban")
    assert await drained(store, await join(store), 4) == "nabn"


async def test_a_job_without_a_model_is_not_passed_over(store: Store) -> None:
    await fill(store, "bna")
    assert await drained(store, await join(store), 3) == "nab"


async def test_nobody_is_passed_over_where_no_warm_job_waits(store: Store) -> None:
    await fill(store, "bnc")
    assert await drained(store, await join(store), 3) == "bnc"


async def test_models_without_a_model_keep_the_order_of_the_line(store: Store) -> None:
    ids = await fill(store, "nnn")
    worker = await join(store)
    assert [(await one(store, worker, "flux")).id for _ in ids] == ids


async def test_several_models_may_be_warm(store: Store) -> None:
    await fill(store, "cab")
    worker = await join(store)
    assert [letter(await one(store, worker, "flux", "sdxl")) for _ in range(3)] == ["a", "b", "c"]


async def test_of_two_tenants_each_gets_its_share(store: Store) -> None:
    await store.configure_tenant(TenantPolicy("heavy", 4))
    await fill(store, "b" * 200, tenant="heavy")
    await fill(store, "a" * 200, tenant="light")
    worker, counts, warm = await join(store), {"light": 0, "heavy": 0}, "flux"
    for _ in range(200):
        lease = await one(store, worker, warm)
        warm = lease.model
        counts[lease.tenant] += 1
    assert abs(counts["light"] - 40) <= 10, counts


async def test_who_is_passed_over_does_not_lose_a_turn(store: Store) -> None:
    await fill(store, "b" * 20, tenant="x")
    await fill(store, "a" * 20, tenant="y")
    worker = await join(store)
    assert await drained(store, worker, 8) == "a" * 8
    order = [(await one(store, worker, "sdxl")).tenant for _ in range(8)]
    assert order == ["x"] * 8, "x is behind by eight jobs, and starts as many"


async def test_a_lane_at_its_limit_is_no_reason_to_pass_over_anybody(store: Store) -> None:
    await store.configure_limit(Limit("provider:p", running=0))
    await fill(store, "b")
    await add(store, new(model="flux", limits=(("provider:p", 1),)))
    await fill(store, "b")
    assert await drained(store, await join(store), 2) == "bb"


async def test_a_job_that_came_back_is_passed_over_no_more_than_before(store: Store) -> None:
    await fill(store, "b" + "a" * 20)
    worker = await join(store)
    assert await drained(store, worker, 8) == "a" * 8
    (lease,) = await take(store, worker, WANT._replace(limit=1, warm=frozenset({"flux"})))
    assert letter(lease) == "b"
    assert await store.settle([ended(lease, Released())]) == [True]
    assert await drained(store, worker, 1) == "b"


async def test_more_lanes_than_are_looked_at_are_not_passed_over(store: Store) -> None:
    for number in range(9):
        await add(store, new(model=f"cold-{number}"))
    await fill(store, "a")
    (lease,) = await take(store, await join(store), WANT._replace(limit=1, warm=frozenset({"flux"})))
    assert lease.model == "cold-0"


async def test_more_tenants_than_are_looked_at_are_not_passed_over(store: Store) -> None:
    for number in range(8):
        await add(store, new(model="sdxl", tenant=f"t{number}"))
    await fill(store, "a", tenant="z")
    worker = await join(store)
    assert await drained(store, worker, 1) == "b"
    assert (await one(store, worker, "flux")).tenant == "z", "of seven others it is in sight"


async def test_a_worker_shows_what_is_warm_and_how_often_it_swapped(store: Store) -> None:
    worker = await join(store)
    await fill(store, "abna")
    await drained(store, worker, 4, warm="sdxl")
    (row,) = await store.workers()
    assert (row.warm, row.swaps) == (("flux",), 1)
    assert not await take(store, worker, WANT._replace(warm=frozenset({"flux", "lora"})))
    (row,) = await store.workers()
    assert (row.warm, row.swaps) == (("flux", "lora"), 1)


async def test_jobs_of_two_models_keep_their_places_in_line(store: Store) -> None:
    ids = await fill(store, "baba")
    assert [place and place.position for place in await store.position(ids)] == [1, 2, 3, 4]
    await one(store, await join(store), "flux")
    assert [place and place.position for place in await store.position(ids)] == [1, None, 2, 3]


async def test_a_job_keeps_its_model_at_another_priority_and_after_a_retry(store: Store) -> None:
    (job_id,) = await fill(store, "a")
    await store.amend([job_id], priority=2)
    assert (await read(store, job_id)).model == "flux"
    await store.configure_limit(Limit("user:*", running=1))
    assert (await read(store, job_id)).model == "flux"
    assert (await one(store, await join(store), "sdxl")).model == "flux"
