"""Enqueue: new jobs, joins by id, idempotency and dedup keys, bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanchion.domain.job import State
from stanchion.domain.policy import Retention
from stanchion.domain.query import Filter
from stanchion.domain.units import DAY
from stanchion.errors import IdempotencyMismatchError, QueueFullError
from stanchion.store import Enqueued, Refused
from tests.conformance.helpers import add, complete, fail, join, joined, keyed, new, read, start, take

if TYPE_CHECKING:
    from stanchion.store import Store
    from tests.clock import FakeClock


async def test_a_new_job_is_kept_as_it_was_given(store: Store, clock: FakeClock) -> None:
    given = new(
        "a", args=b'{"x":2}', queue="images", tenant="acme", user="ann", priority=2, max_attempts=5,
        tags=("x", "ü"), metadata=b'{"k":1}', timeout=9_000, correlation_id="c-1",
    )  # fmt: skip
    assert await store.enqueue([given]) == [Enqueued(given.id, State.QUEUED, new=True, version=1)]
    job = await read(store, given.id)
    assert (job.id, job.task, job.args, job.queue, job.tenant, job.user) == (
        given.id, "a", b'{"x":2}', "images", "acme", "ann",
    )  # fmt: skip
    assert (job.priority, job.max_attempts, job.tags, job.metadata) == (2, 5, ("x", "ü"), b'{"k":1}')
    assert (job.timeout, job.correlation_id, job.created_at) == (9_000, "c-1", clock.at)
    assert (job.state, job.version, job.attempt, job.spent, job.crashes) == (State.QUEUED, 1, 0, 0, 0)
    assert (job.due_at, job.started_at, job.ended_at, job.expires_at, job.cancel_requested_at) == (None,) * 5
    assert (job.result, job.error, job.worker, job.progress, job.preview_revision) == (None,) * 5


async def test_refs_ascend_from_one_in_the_order_of_enqueueing(store: Store) -> None:
    ids = [*await add(store, new(), new(queue="other")), *await add(store)]
    assert [(await read(store, job_id)).ref for job_id in ids] == [1, 2, 3]


async def test_the_first_event_has_version_one_and_no_attempt(store: Store, clock: FakeClock) -> None:
    (job_id,) = await add(store)
    ((event,), attempts) = await store.history(job_id)
    assert (event.cursor, event.id, event.version, event.state) == (1, job_id, 1, State.QUEUED)
    assert (event.attempt, event.at, event.error) == (0, clock.at, None)
    assert attempts == []


async def test_an_empty_batch_answers_nothing(store: Store) -> None:
    assert await store.enqueue([]) == []


async def test_a_delayed_job_is_scheduled(store: Store, clock: FakeClock) -> None:
    (job_id,) = await add(store, new(delay=500))
    job = await read(store, job_id)
    assert (job.state, job.due_at) == (State.SCHEDULED, clock.at + 500)


@pytest.mark.parametrize(("ahead", "state"), [(1, State.SCHEDULED), (0, State.QUEUED), (-5, State.QUEUED)])
async def test_run_at_schedules_only_what_lies_ahead(store: Store, clock: FakeClock, ahead: int, state: State) -> None:
    (job_id,) = await add(store, new(run_at=clock.at + ahead))
    job = await read(store, job_id)
    assert job.state is state
    assert job.due_at == (clock.at + ahead if ahead > 0 else None)


async def test_an_expiry_is_an_instant_or_a_time_from_now(store: Store, clock: FakeClock) -> None:
    ids = await add(
        store,
        new(expires_at=clock.at + 7),
        new(expires_in=9),
        new(expires_at=clock.at + 7, expires_in=9),
    )
    assert [(await read(store, job_id)).expires_at for job_id in ids] == [
        clock.at + 7, clock.at + 9, clock.at + 7,
    ]  # fmt: skip


async def test_the_same_id_again_joins_so_a_lost_reply_may_be_repeated(store: Store) -> None:
    given = [new(), new()]
    await store.enqueue(given)
    answers = await store.enqueue(given)
    assert [joined(answer) for answer in answers] == [job.id for job in given]
    assert len(await store.select(Filter(), 10)) == 2


async def test_a_repeat_tells_how_the_job_stands_now(store: Store) -> None:
    given = new()
    await start(store, given)
    assert await store.enqueue([given]) == [Enqueued(given.id, State.RUNNING, new=False, version=2)]


async def test_a_repeat_among_new_ones_joins_alone(store: Store) -> None:
    old = new()
    await store.enqueue([old])
    fresh = [new(), new()]
    answers = await store.enqueue([fresh[0], old, fresh[1]])
    assert [joined(answer) for answer in answers] == [None, old.id, None]
    assert [(await read(store, job.id)).ref for job in fresh] == [2, 3]


async def test_one_id_twice_in_a_batch_is_one_job(store: Store) -> None:
    given = new()
    first, second = await store.enqueue([given, given])
    assert joined(first) is None
    assert joined(second) == given.id


async def test_an_idempotency_key_names_one_job(store: Store) -> None:
    first = keyed("k")
    answers = await store.enqueue([first, keyed("k"), keyed("k2")])
    assert [joined(answer) for answer in answers] == [None, first.id, None]


async def test_an_idempotency_key_for_another_request_is_refused_alone(store: Store) -> None:
    await store.enqueue([keyed("k", b"one")])
    refused, stored = await store.enqueue([keyed("k", b"two"), keyed("k3")])
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, IdempotencyMismatchError)
    assert joined(stored) is None


async def test_tenants_never_meet_in_an_idempotency_key(store: Store) -> None:
    answers = await store.enqueue([keyed("k", b"one", tenant="acme"), keyed("k", b"two", tenant="other")])
    assert [joined(answer) for answer in answers] == [None, None]


async def test_an_idempotency_key_is_forgotten_after_a_day(store: Store, clock: FakeClock) -> None:
    first = keyed("k", b"one")
    await store.enqueue([first])
    clock.pass_(DAY - 1)
    assert joined((await store.enqueue([keyed("k", b"one")]))[0]) == first.id
    clock.pass_(2)
    assert joined((await store.enqueue([keyed("k", b"two")]))[0]) is None


async def test_an_idempotency_key_names_the_job_even_when_it_failed(store: Store) -> None:
    job_id = await fail(store, keyed("k"))
    assert joined((await store.enqueue([keyed("k")]))[0]) == job_id


async def test_a_request_that_joined_by_dedup_is_known_by_its_idempotency_key_too(
    store: Store, clock: FakeClock
) -> None:
    job_id = await complete(store, new(dedup_key=b"d"))
    request = keyed("k", dedup_key=b"d", dedup_window=1_000)
    assert joined((await store.enqueue([request]))[0]) == job_id
    clock.pass_(5_000)
    again = keyed("k", dedup_key=b"d", dedup_window=1_000)
    assert joined((await store.enqueue([again]))[0]) == job_id


async def test_a_dedup_key_joins_what_is_not_finished(store: Store, clock: FakeClock) -> None:
    lease = await start(store, new(dedup_key=b"d"))
    clock.pass_(DAY)
    answers = await store.enqueue([new(dedup_key=b"d"), new(dedup_key=b"e"), new()])
    assert [joined(answer) for answer in answers] == [lease.id, None, None]


async def test_a_dedup_key_joins_within_one_batch(store: Store) -> None:
    first, second = await store.enqueue([new(dedup_key=b"d"), new(dedup_key=b"d")])
    assert isinstance(first, Enqueued)
    assert joined(second) == first.id


async def test_a_completed_job_is_joined_only_within_the_window_of_the_new_request(
    store: Store, clock: FakeClock
) -> None:
    job_id = await complete(store, new(dedup_key=b"d"))
    clock.pass_(1_000)
    inside = new(dedup_key=b"d", dedup_window=1_001)
    outside = new(dedup_key=b"d", dedup_window=1_000)
    assert joined((await store.enqueue([inside]))[0]) == job_id
    assert joined((await store.enqueue([outside]))[0]) is None


async def test_without_a_window_a_completed_job_is_not_joined(store: Store) -> None:
    await complete(store, new(dedup_key=b"d"))
    assert joined((await store.enqueue([new(dedup_key=b"d")]))[0]) is None


async def test_a_failed_or_cancelled_job_is_never_joined_by_dedup(store: Store) -> None:
    await fail(store, new(dedup_key=b"d"))
    (cancelled,) = await add(store, new(dedup_key=b"e"))
    await store.cancel([cancelled])
    answers = await store.enqueue([new(dedup_key=key, dedup_window=DAY) for key in (b"d", b"e")])
    assert [joined(answer) for answer in answers] == [None, None]


async def test_a_dedup_key_means_the_job_stored_last(store: Store) -> None:
    await fail(store, new(dedup_key=b"d"))
    (second,) = await add(store, new(dedup_key=b"d"))
    assert joined((await store.enqueue([new(dedup_key=b"d")]))[0]) == second


async def test_keys_go_with_their_job(store: Store, clock: FakeClock) -> None:
    await complete(store, keyed("k", dedup_key=b"d"))
    clock.pass_(10)
    upkeep = await store.maintain(Retention(1, 1, 1), 10)
    assert upkeep.pruned == 1
    answer = (await store.enqueue([keyed("k", b"other", dedup_key=b"d", dedup_window=DAY)]))[0]
    assert joined(answer) is None


async def test_a_full_queue_refuses_and_others_do_not(store: Store) -> None:
    await store.configure("q", max_waiting=2)
    answers = await store.enqueue([new(queue="q"), new(queue="q", delay=5), new(queue="q"), new()])
    refused = answers[2]
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, QueueFullError)
    assert [isinstance(answer, Enqueued) for answer in answers] == [True, True, False, True]


async def test_a_full_queue_still_lets_requests_join(store: Store) -> None:
    await store.configure("q", max_waiting=1)
    first = keyed("k", queue="q", dedup_key=b"d")
    repeats = [keyed("k", queue="q"), new(queue="q", dedup_key=b"d"), first]
    answers = await store.enqueue([first, *repeats])
    assert [joined(answer) for answer in answers] == [None, first.id, first.id, first.id]


async def test_running_jobs_take_no_waiting_room(store: Store) -> None:
    await store.configure("q", max_waiting=1)
    worker = await join(store)
    await add(store, new(queue="q"))
    await take(store, worker)
    assert len(await add(store, new(queue="q"), new(queue="q"))) == 1


async def test_a_refusal_leaves_no_trace(store: Store) -> None:
    await store.configure("q", max_waiting=1)
    await add(store, new(queue="q"))
    refused = keyed("k", queue="q", dedup_key=b"d")
    assert await add(store, refused) == []
    assert await store.inspect([refused.id]) == [None]
    await store.configure("q", max_waiting=0)
    assert await add(store, keyed("k", b"other", queue="q", dedup_key=b"d"))
