"""Conflict keys: of one key of a tenant one job runs at a time, and a policy says who gives way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.dependency import Dependency
from stanchion.domain.intake import Conflict, Intake, OnConflict
from stanchion.domain.job import NewJob, State
from stanchion.domain.limits import Limit
from stanchion.domain.outcome import Cancelled, Failed, Snoozed
from stanchion.domain.query import Filter
from stanchion.domain.schedule import Every, NewSchedule, plan
from stanchion.errors import ConflictingJobError, OverLimitError
from stanchion.store import Enqueued, Refused
from tests.conformance.helpers import BOOM, KEEP, add, ended, finish, join, new, read, states, take

if TYPE_CHECKING:
    from stanchion.store import Store
    from tests.clock import FakeClock

QUEUE, NEWEST, RUNNING, REPLACE = OnConflict


def job(policy: OnConflict, key: str = "k", **given: Any) -> NewJob:
    return new(intake=Intake(Conflict(policy, key)), **given)


async def put(store: Store, new_job: NewJob) -> Enqueued:
    (answer,) = await store.enqueue([new_job])
    assert isinstance(answer, Enqueued)
    assert answer.new
    return answer


async def test_jobs_of_one_key_run_one_at_a_time_in_order(store: Store) -> None:
    worker = await join(store)
    ids = await add(store, *(job(QUEUE) for _ in range(4)))
    assert await states(store, *ids) == [State.QUEUED, *[State.BLOCKED] * 3]
    (place,) = await store.position([ids[1]])
    assert place is not None
    assert (place.position, place.reason, place.key) == (None, "conflict", ids[0])
    for job_id in ids:
        (lease,) = await take(store, worker)
        assert lease.id == job_id
        await finish(store, lease)
    assert not (await store.relations(ids[1])).parents
    assert not (await store.relations(ids[0])).children


async def test_a_retry_or_a_snooze_keeps_the_key(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    first, second = await add(store, job(QUEUE), job(QUEUE))
    for outcome in (Failed(BOOM), Snoozed(1_000)):
        (lease,) = await take(store, worker)
        assert lease.id == first
        await finish(store, lease, outcome)
        assert not await take(store, worker)
        clock.pass_(5_000)
    (lease,) = await take(store, worker)
    await finish(store, lease, Failed(BOOM._replace(retryable=False)))
    assert await states(store, first, second) == [State.FAILED, State.QUEUED]


async def test_who_leaves_the_line_lets_nobody_past_the_one_that_runs(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    first, second, third, fourth, fifth = await add(
        store, job(QUEUE), job(QUEUE), job(QUEUE, expires_in=500), job(QUEUE), job(QUEUE)
    )
    (lease,) = await take(store, worker)
    await store.cancel([second])
    clock.pass_(1_000)
    await store.maintain(KEEP, 100)
    await store.cancel([fourth])
    assert await states(store, third, fifth) == [State.FAILED, State.BLOCKED]
    assert not await take(store, worker)
    await finish(store, lease)
    (last,) = await take(store, worker)
    assert (last.id, lease.id) == (fifth, first)


async def test_keys_and_tenants_do_not_meet(store: Store) -> None:
    worker = await join(store)
    await add(store, *(job(QUEUE, tenant=tenant, queue=tenant) for tenant in ("acme", "other")), job(QUEUE, "l"))
    assert len(await take(store, worker)) == 3
    for policy in (REPLACE, RUNNING):
        await put(store, job(policy, tenant="acme"))
    held = await store.held(worker)
    assert [item.cancel_requested for item in held] == [True, False, False]


async def test_the_newest_gives_way_and_is_told_to_whom(store: Store) -> None:
    standing = await put(store, job(QUEUE))
    (answer,) = await store.enqueue([job(NEWEST)])
    assert isinstance(answer, Refused)
    assert isinstance(answer.error, ConflictingJobError)
    assert answer.error.job_id == standing.id
    worker = await join(store)
    (lease,) = await take(store, worker)
    assert isinstance((await store.enqueue([job(NEWEST)]))[0], Refused)
    await finish(store, lease)
    assert (await put(store, job(NEWEST))).state is State.QUEUED


async def test_what_runs_gives_way_and_what_waits_keeps_its_place(store: Store) -> None:
    worker = await join(store)
    first, second = await add(store, job(QUEUE), job(QUEUE))
    (lease,) = await take(store, worker)
    third = await put(store, job(RUNNING))
    assert third.state is State.BLOCKED
    assert (await read(store, first)).cancel_requested_at is not None
    assert not await take(store, worker)
    await finish(store, lease, Cancelled())
    assert await states(store, first, second, third.id) == [State.CANCELLED, State.QUEUED, State.BLOCKED]


async def test_what_waits_to_be_retried_has_begun_and_gives_way_too(store: Store) -> None:
    worker = await join(store)
    (first,) = await add(store, job(QUEUE))
    (lease,) = await take(store, worker)
    await finish(store, lease, Failed(BOOM))
    new_one = await put(store, job(RUNNING))
    assert await states(store, first, new_one.id) == [State.CANCELLED, State.QUEUED]


async def test_a_replacement_cancels_all_others_of_its_key_and_starts_when_they_have_ended(store: Store) -> None:
    worker = await join(store)
    first, second, third = await add(store, job(QUEUE), job(QUEUE), job(QUEUE))
    (lease,) = await take(store, worker)
    last = await put(store, job(REPLACE))
    assert await states(store, second, third, last.id) == [State.CANCELLED, State.CANCELLED, State.BLOCKED]
    final = await put(store, job(REPLACE))
    await finish(store, lease)
    assert await states(store, first, last.id, final.id) == [State.CANCELLED, State.CANCELLED, State.QUEUED]
    assert [item.id for item in await take(store, worker)] == [final.id]


async def test_without_any_other_every_policy_just_starts(store: Store) -> None:
    answers = [await put(store, job(policy, policy.value)) for policy in OnConflict]
    assert {answer.state for answer in answers} == {State.QUEUED}


async def test_a_refused_replacement_cancels_nothing(store: Store) -> None:
    await store.configure_limit(Limit("tenant:default", refuse=2))
    worker = await join(store)
    (first,) = await add(store, job(QUEUE))
    await take(store, worker)
    (second,) = await add(store, job(QUEUE, "other"))
    (answer,) = await store.enqueue([job(REPLACE)])
    assert isinstance(answer, Refused)
    assert isinstance(answer.error, OverLimitError)
    assert (await read(store, first)).cancel_requested_at is None
    assert (await put(store, job(REPLACE, "other"))).state is State.QUEUED  # whom it replaces makes room for it
    assert await states(store, second) == [State.CANCELLED]


async def test_an_atomic_batch_that_is_refused_cancels_nothing(store: Store) -> None:
    (first,) = await add(store, job(QUEUE))
    answers = await store.enqueue([job(REPLACE), job(NEWEST)], atomic=True)
    assert all(isinstance(answer, Refused) for answer in answers)
    assert await states(store, first) == [State.QUEUED]
    assert (await put(store, job(REPLACE))).state is State.QUEUED


async def test_the_jobs_of_a_batch_meet_in_its_order(store: Store) -> None:
    ids = [await put(store, job(QUEUE))]
    answers = await store.enqueue([job(QUEUE), job(NEWEST), job(REPLACE), job(NEWEST, "m")])
    assert [isinstance(answer, Refused) for answer in answers] == [False, True, False, False]
    assert await states(store, ids[0].id) == [State.CANCELLED]


async def test_a_job_that_joins_another_is_in_nobodys_way(store: Store) -> None:
    first = await put(store, job(QUEUE, dedup_key=b"d"))
    (answer,) = await store.enqueue([job(REPLACE, dedup_key=b"d")])
    assert isinstance(answer, Enqueued)
    assert (answer.id, answer.new) == (first.id, False)
    assert await states(store, first.id) == [State.QUEUED]


async def test_a_job_may_wait_for_parents_and_for_its_key(store: Store) -> None:
    worker = await join(store)
    parent, first = await add(store, new("a"), job(QUEUE))
    second = await put(store, job(QUEUE, depends_on=(Dependency(parent),)))
    third = await put(store, job(QUEUE))
    leases = {lease.id: lease for lease in await take(store, worker)}
    await finish(store, leases[first])
    assert await states(store, second.id, third.id) == [State.BLOCKED, State.BLOCKED]
    await finish(store, leases[parent])
    assert await states(store, second.id, third.id) == [State.QUEUED, State.BLOCKED]
    assert [one.id for one in (await store.relations(second.id)).parents] == [parent]


async def test_a_job_that_replaces_its_own_parent_ends_as_that_does(store: Store) -> None:
    parent = await put(store, job(QUEUE))
    child = await put(store, job(REPLACE, depends_on=(Dependency(parent.id),)))
    assert await states(store, parent.id, child.id) == [State.CANCELLED, State.FAILED]


@pytest.mark.parametrize("policy", OnConflict)
async def test_an_ended_job_comes_back_only_while_its_key_is_free(store: Store, policy: OnConflict) -> None:
    worker = await join(store)
    failed = await put(store, job(policy, max_attempts=1))
    (lease,) = await take(store, worker)
    await finish(store, lease, Failed(BOOM))
    standing = await put(store, job(policy))
    (answer,) = await store.retry([failed.id])
    assert isinstance(answer, ConflictingJobError)
    assert answer.job_id == standing.id
    (lease,) = await take(store, worker)
    await finish(store, lease)
    (again,) = await store.retry([failed.id])
    assert not isinstance(again, Exception)
    assert again.state is State.QUEUED
    assert (await put(store, job(QUEUE))).state is State.BLOCKED


async def test_an_ended_job_of_a_key_may_be_erased_while_others_wait(store: Store) -> None:
    worker = await join(store)
    first, second, third = await add(store, job(QUEUE), job(QUEUE), job(QUEUE))
    (lease,) = await take(store, worker)
    await finish(store, lease)
    assert await store.erase([first]) == [True]
    (lease,) = await take(store, worker)
    await store.cancel([third])
    assert await store.erase([third]) == [True]
    assert await store.settle([ended(lease)]) == [True]
    assert lease.id == second


async def test_a_schedule_keeps_the_policy_of_its_jobs(store: Store, clock: FakeClock) -> None:
    wanted = job(REPLACE)
    await store.put_schedules([NewSchedule(name="s", rule=Every(1_000), request=wanted)])
    for _ in range(2):
        clock.pass_(1_000)
        (schedule,) = await store.schedules()
        assert schedule.request.intake == wanted.intake
        (fired,) = await store.fire([plan(schedule, clock())])
        assert fired.applied
    page = await store.list(Filter(), limit=10)
    assert sorted(found.state.value for found in page.jobs) == ["cancelled", "queued"]


async def test_who_is_replaced_by_a_job_of_its_own_batch_is_answered_as_it_ended(store: Store) -> None:
    answers = await store.enqueue([job(NEWEST), job(REPLACE)])
    assert [answer.state for answer in answers if isinstance(answer, Enqueued)] == [State.CANCELLED, State.QUEUED]
