"""What a request is asked before it is stored: how full, how far back, and how often its caller was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.intake import Conflict, Guard, Intake, OnConflict, Overflow
from stanchion.domain.job import NewJob, State
from stanchion.domain.limits import Limit
from stanchion.domain.policy import TenantPolicy
from stanchion.errors import OverLimitError, QueueFullError, SlowDownError
from stanchion.store import Enqueued, Refused, Want
from tests.conformance.helpers import KEEP, add, finish, join, new, states, take

if TYPE_CHECKING:
    from stanchion.store import Store
    from tests.clock import FakeClock

GUARD = Guard("k", after=3, window=10_000)


def within(most: int, **given: Any) -> NewJob:
    return new(intake=Intake(max_ahead=most), **given)


def guarded(**given: Any) -> NewJob:
    return new(intake=Intake(guard=GUARD), **given)


async def error_of(store: Store, job: NewJob) -> Exception | None:
    (answer,) = await store.enqueue([job])
    return answer.error if isinstance(answer, Refused) else None


# --- how far back -----------------------------------------------------------------------------------------------


async def test_a_job_is_refused_where_more_than_it_allows_would_start_before_it(store: Store) -> None:
    await add(store, *(new() for _ in range(3)))
    error = await error_of(store, within(2))
    assert isinstance(error, QueueFullError)
    assert (error.ahead, error.limit, error.code) == (3, 2, "queue_full")
    assert await error_of(store, within(3)) is None
    assert isinstance(await error_of(store, within(3)), QueueFullError)


async def test_what_runs_ended_or_stands_behind_is_not_ahead(store: Store) -> None:
    worker = await join(store)
    await add(store, new(), new(priority=8), new(queue="other"))
    (lease,) = await take(store, worker, Want(1, frozenset({"t"})))
    assert await error_of(store, within(0)) is None
    await finish(store, lease)


async def test_turns_of_tenants_and_their_weights_count(store: Store) -> None:
    await store.configure_tenant(TenantPolicy("heavy", weight=4))
    await add(store, *(new(tenant="many") for _ in range(50)))
    for number in range(6):
        job = new(tenant="heavy")
        assert await error_of(store, job._replace(intake=Intake(max_ahead=100))) is None
        (place,) = await store.position([job.id])
        assert place is not None
        refused = new(tenant="heavy")
        assert await error_of(store, refused) is None
        (behind,) = await store.position([refused.id])
        assert behind is not None
        assert behind.position is not None
        await store.cancel([refused.id])
        most = behind.position - 1
        assert isinstance(await error_of(store, within(most - 1, tenant="heavy")), QueueFullError), number
        accepted = within(most, tenant="heavy")
        assert await error_of(store, accepted) is None
        (found,) = await store.position([accepted.id])
        assert found is not None
        assert found.position == behind.position


async def test_a_job_that_cannot_start_now_is_not_asked(store: Store) -> None:
    (parent,) = await add(store)
    await add(store, new(), new())
    assert await error_of(store, within(0, delay=1_000)) is None
    conflict = Conflict(OnConflict.QUEUE, "k")
    await add(store, new(intake=Intake(conflict)))
    assert await error_of(store, new(intake=Intake(conflict, max_ahead=0))) is None
    assert parent


async def test_a_request_that_joins_is_not_asked(store: Store) -> None:
    await add(store, new(), new(dedup_key=b"d"))
    (answer,) = await store.enqueue([within(0, dedup_key=b"d")])
    assert isinstance(answer, Enqueued)
    assert not answer.new


async def test_jobs_of_one_batch_count_for_each_other(store: Store) -> None:
    answers = await store.enqueue([within(1) for _ in range(4)])
    assert [isinstance(answer, Refused) for answer in answers] == [False, False, True, True]


async def test_who_waits_for_the_same_limit_stands_ahead_and_others_that_wait_do_not(store: Store) -> None:
    worker = await join(store)
    await store.configure_limit(Limit("provider:p", running=1))
    held = (("provider:p", 1),)
    await add(store, *(new(limits=held) for _ in range(3)))
    await take(store, worker)
    assert await error_of(store, within(0)) is None
    assert isinstance(await error_of(store, within(1, limits=held)), QueueFullError)


# --- how full ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["queue:*", "queue:default", "tenant:*", "tenant:default", "user:*"])
async def test_who_enqueues_is_warned_before_anybody_is_refused(store: Store, key: str) -> None:
    await store.configure_limit(Limit(key, warn=2, refuse=3))
    answers = await store.enqueue([new(user="ada") for _ in range(4)])
    told = [answer.warnings for answer in answers if isinstance(answer, Enqueued)]
    assert [[(w.jobs, w.warn_at, w.refuse_at, w.crossed) for w in warnings] for warnings in told] == [
        [],
        [(2, 2, 3, True)],
        [(3, 2, 3, False)],
    ]
    assert isinstance(answers[3], Refused)
    assert isinstance(answers[3].error, OverLimitError)


async def test_a_warning_is_told_once_until_the_jobs_are_few_again(store: Store) -> None:
    await store.configure_limit(Limit("queue:default", warn=10))
    ids = await add(store, *(new() for _ in range(11)))
    (key,) = (await store.pressure()).keys
    assert (key.key, key.jobs, key.warn_at, key.refuse_at) == ("queue:default", 11, 10, None)
    assert key.since is not None
    await store.cancel(ids[:2])  # 9 are left: not few enough
    assert (await store.maintain(KEEP, 100)).relieved == ()
    (answer,) = await store.enqueue([new()])
    assert isinstance(answer, Enqueued)
    assert [warned.crossed for warned in answer.warnings] == [False]
    await store.cancel(ids[2:4])
    assert (await store.maintain(KEEP, 100)).relieved == ("queue:default",)
    assert [(key.jobs, key.since) for key in (await store.pressure()).keys] == [(8, None)]
    answers = await store.enqueue([new(), new()])
    assert [[w.crossed for w in a.warnings] for a in answers if isinstance(a, Enqueued)] == [[], [True]]


async def test_a_request_brings_a_bound_for_its_tenant_where_no_limit_says_otherwise(store: Store) -> None:
    bound = Intake(overflow=Overflow(1, 2))
    answers = await store.enqueue([new(tenant="a", intake=bound) for _ in range(3)])
    assert [isinstance(answer, Refused) for answer in answers] == [False, False, True]
    assert await add(store, new(tenant="a"))  # who brings none is not bounded
    await store.configure_limit(Limit("tenant:a", running=9))
    assert isinstance(await error_of(store, new(tenant="a", intake=bound)), OverLimitError)
    await store.configure_limit(Limit("tenant:a", refuse=9))
    assert await error_of(store, new(tenant="a", intake=bound)) is None
    assert [key.key for key in (await store.pressure()).keys] == ["tenant:a"]


async def test_a_warning_ends_also_where_its_limit_is_gone(store: Store) -> None:
    await store.configure_limit(Limit("tenant:*", warn=2))
    ids = await add(store, new(), new())
    await store.drop_limit("tenant:*")
    assert (await store.maintain(KEEP, 100)).relieved == ()
    await store.cancel(ids)
    assert (await store.maintain(KEEP, 100)).relieved == ("tenant:default",)
    assert (await store.pressure()).keys == ()


# --- who is refused too often -----------------------------------------------------------------------------------


async def test_who_is_refused_too_often_is_slowed_down_for_longer_each_time(store: Store, clock: FakeClock) -> None:
    (job_id,) = await add(store)
    await store.configure("default", max_waiting=1)
    for _ in range(3):
        assert isinstance(await error_of(store, guarded()), QueueFullError)
    waits: list[float] = []
    for _ in range(4):
        error = await error_of(store, guarded())
        assert isinstance(error, SlowDownError)
        assert error.retry_after is not None
        waits.append(error.retry_after)
        clock.pass_(round(error.retry_after * 1000))
        assert isinstance(await error_of(store, guarded()), QueueFullError)  # looked at once more
    assert waits == [2, 4, 8, 16]
    (slow,) = (await store.pressure()).slowed
    assert (slow.tenant, slow.key, slow.level) == ("default", "k", 5)
    assert await states(store, job_id) == [State.QUEUED]


async def test_nobody_else_is_slowed_down(store: Store) -> None:
    await store.configure_limit(Limit("tenant:default", refuse=0))
    for _ in range(4):
        await store.enqueue([guarded()])
    assert isinstance(await error_of(store, guarded()), SlowDownError)
    assert await error_of(store, guarded(tenant="other")) is None
    assert isinstance(await error_of(store, new(intake=Intake(guard=GUARD._replace(key="l")))), OverLimitError)
    assert isinstance(await error_of(store, new()), OverLimitError)


async def test_a_request_that_is_taken_ends_it(store: Store, clock: FakeClock) -> None:
    await store.configure_limit(Limit("tenant:default", refuse=0))
    for _ in range(3):
        await store.enqueue([guarded()])
    clock.pass_(2_000)
    await store.drop_limit("tenant:default")
    assert await error_of(store, guarded()) is None
    await store.configure_limit(Limit("tenant:default", refuse=0))
    for _ in range(3):
        assert isinstance(await error_of(store, guarded()), OverLimitError)
    assert isinstance(await error_of(store, guarded()), SlowDownError)


async def test_few_refusals_are_nobodys_concern(store: Store, clock: FakeClock) -> None:
    await store.configure_limit(Limit("tenant:default", refuse=0))
    for _ in range(10):
        assert isinstance(await error_of(store, guarded()), OverLimitError)
        clock.pass_(4_000)
    assert (await store.pressure()).slowed == ()


async def test_refusals_are_forgotten_in_time(store: Store, clock: FakeClock) -> None:
    await store.configure_limit(Limit("tenant:default", refuse=0))
    for _ in range(3):
        await store.enqueue([guarded()])
    clock.pass_(12_000)
    assert isinstance(await error_of(store, guarded()), OverLimitError)
    assert isinstance(await error_of(store, guarded()), OverLimitError)
    clock.pass_(60_000)
    await store.maintain(KEEP, 100)
    assert (await store.pressure()).slowed == ()


async def test_a_conflict_is_an_answer_and_no_offence(store: Store) -> None:
    wanted = Conflict(OnConflict.CANCEL_NEWEST, "c")
    await add(store, new(intake=Intake(wanted)))
    for _ in range(9):
        error = await error_of(store, new(intake=Intake(wanted, guard=GUARD)))
        assert error is not None
        assert not isinstance(error, SlowDownError)
