"""Cancel, retry, amend, erase and queues: what callers and operators change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanchion.domain.job import Job, State
from stanchion.domain.outcome import Failed
from stanchion.domain.policy import QueuePolicy
from stanchion.errors import NotFoundError, WrongStateError
from stanchion.store import LogNote, Noted
from tests.conformance.helpers import (
    BOOM,
    add,
    chunk,
    complete,
    ended,
    fail,
    finish,
    join,
    new,
    new_id,
    read,
    start,
    states,
    take,
)

if TYPE_CHECKING:
    from stanchion.store import Store
    from tests.clock import FakeClock


def refusal(answer: object) -> tuple[str, str]:
    assert isinstance(answer, WrongStateError)
    return answer.action, answer.state


async def test_cancel_ends_a_waiting_job_at_once(store: Store, clock: FakeClock) -> None:
    ids = await add(store, new(), new(delay=500))
    answers = await store.cancel(ids)
    for job_id, answer in zip(ids, answers, strict=True):
        job = await read(store, job_id)
        assert answer == job
        assert (job.state, job.version, job.ended_at, job.due_at) == (State.CANCELLED, 2, clock.at, None)
        assert (await store.history(job_id))[0][-1].state is State.CANCELLED
    assert await take(store, await join(store)) == ()


async def test_cancel_ends_a_job_that_waits_for_its_retry(store: Store) -> None:
    lease = await start(store)
    await finish(store, lease, Failed(BOOM))
    await store.cancel([lease.id])
    assert await states(store, lease.id) == [State.CANCELLED]


async def test_cancel_asks_a_running_job_once(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    (job,) = await store.cancel([lease.id])
    assert isinstance(job, Job)
    assert (job.state, job.version, job.cancel_requested_at) == (State.RUNNING, 3, clock.at)
    clock.pass_(5)
    assert await store.cancel([lease.id, lease.id]) == [job, job]
    events, _ = await store.history(lease.id)
    assert [(event.version, event.state, event.attempt) for event in events][-1] == (3, State.RUNNING, 1)
    assert len(events) == 3


async def test_cancel_leaves_a_final_job_as_it_is(store: Store) -> None:
    job_id = await complete(store)
    before = await read(store, job_id)
    assert await store.cancel([job_id]) == [before]
    assert await read(store, job_id) == before


async def test_cancel_and_settle_are_one_after_the_other(store: Store) -> None:
    first, second = await start(store), await start(store)
    await store.settle([ended(first)])
    await store.cancel([first.id, second.id])
    await store.settle([ended(second)])
    assert await states(store, first.id, second.id) == [State.COMPLETED, State.CANCELLED]


@pytest.mark.parametrize("job_id", ["", "nonsense", "0" * 36, "é" * 36, "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz"])
async def test_what_is_no_id_is_simply_not_there(store: Store, job_id: str) -> None:
    await add(store)
    assert await store.inspect([job_id]) == [None]
    assert await store.position([job_id]) == [None]
    assert await store.history(job_id) == ([], [])
    assert [await store.outputs(job_id), await store.logs(job_id), await store.costs(job_id)] == [[], [], []]
    assert await store.preview(job_id) is None
    for answers in (
        await store.cancel([job_id]),
        await store.retry([job_id]),
        await store.amend([job_id], priority=1),
        await store.erase([job_id]),
    ):
        assert [type(answer) for answer in answers] == [NotFoundError]


async def test_answers_stand_in_the_order_of_the_ids(store: Store) -> None:
    one, two = await add(store, new(), new())
    answers = await store.cancel([two, new_id(), one])
    assert [answer.id if isinstance(answer, Job) else None for answer in answers] == [two, None, one]
    assert isinstance(answers[1], NotFoundError)


async def test_retry_queues_a_failed_job_with_a_fresh_budget(store: Store, clock: FakeClock) -> None:
    job_id = await fail(store)
    failed = await read(store, job_id)
    clock.pass_(9)
    (job,) = await store.retry([job_id])
    assert isinstance(job, Job)
    assert job == await read(store, job_id)
    assert (job.state, job.ref, job.version) == (State.QUEUED, failed.ref, failed.version + 1)
    assert (job.spent, job.crashes, job.attempt) == (0, 0, 1)
    assert (job.error, job.result, job.ended_at, job.started_at, job.due_at) == (None,) * 5
    assert (await store.history(job_id))[0][-1].state is State.QUEUED
    assert [lease.attempt for lease in await take(store, 1)] == [2]


async def test_only_failed_jobs_are_retried(store: Store) -> None:
    running, done = await start(store), await complete(store)
    queued, scheduled, cancelled = await add(store, new(), new(delay=9), new())
    await store.cancel([cancelled])
    answers = await store.retry([queued, scheduled, running.id, done, cancelled])
    assert [refusal(answer) for answer in answers] == [
        ("retry", "queued"), ("retry", "scheduled"), ("retry", "running"),
        ("retry", "completed"), ("retry", "cancelled"),
    ]  # fmt: skip


async def test_a_repeated_retry_is_refused(store: Store) -> None:
    job_id = await fail(store)
    await store.retry([job_id])
    assert [refusal(answer) for answer in await store.retry([job_id])] == [("retry", "queued")]


async def test_history_stays_over_a_retry(store: Store) -> None:
    job_id = await fail(store)
    await store.retry([job_id])
    await finish(store, (await take(store, 1))[0])
    _, attempts = await store.history(job_id)
    assert [(attempt.number, attempt.outcome) for attempt in attempts] == [(1, "failed"), (2, "completed")]


async def test_a_waiting_job_may_be_reprioritised(store: Store) -> None:
    ids = await add(store, new(), new(), new())
    (job,) = await store.amend([ids[2]], priority=1)
    assert isinstance(job, Job)
    assert (job.priority, job.version) == (1, 1)
    assert len((await store.history(ids[2]))[0]) == 1
    assert [place.position for place in await store.position(ids) if place is not None] == [2, 3, 1]
    assert [lease.id for lease in await take(store, await join(store))] == [ids[2], ids[0], ids[1]]


async def test_a_scheduled_job_keeps_its_new_priority(store: Store, clock: FakeClock) -> None:
    ids = await add(store, new(delay=5), new(priority=3))
    await store.amend(ids[:1], priority=1)
    clock.pass_(5)
    assert [lease.id for lease in await take(store, await join(store))] == ids


async def test_only_waiting_jobs_are_reprioritised_and_a_refusal_changes_nothing(store: Store) -> None:
    running, done = await start(store), await complete(store)
    answers = await store.amend([running.id, done], priority=1, metadata=b"{}", tags=("x",))
    assert [refusal(answer) for answer in answers] == [
        ("reprioritise", "running"),
        ("reprioritise", "completed"),
    ]
    job = await read(store, done)
    assert (job.priority, job.metadata, job.tags) == (5, None, ())


async def test_metadata_and_tags_may_always_be_replaced(store: Store) -> None:
    done = await complete(store, new(tags=("a", "b"), metadata=b'{"a":1}'))
    (waiting,) = await add(store, new(tags=("a",)))
    await store.amend([done, waiting], metadata=b'{"b":2}')
    await store.amend([done], tags=("c",))
    await store.amend([waiting], tags=())
    one, two = await read(store, done), await read(store, waiting)
    assert (one.metadata, one.tags, one.version) == (b'{"b":2}', ("c",), 3)
    assert (two.metadata, two.tags, two.version) == (b'{"b":2}', (), 1)


async def test_erase_deletes_a_final_job_and_all_it_produced(store: Store) -> None:
    lease = await start(store)
    await store.note([Noted(lease.ref, 1, note) for note in (chunk("x"), LogNote("info", "x"))])
    await finish(store, lease)
    assert await store.erase([lease.id]) == [True]
    assert await store.inspect([lease.id]) == [None]
    assert await store.history(lease.id) == ([], [])
    assert (await store.outputs(lease.id), await store.logs(lease.id)) == ([], [])
    assert [type(answer) for answer in await store.erase([lease.id])] == [NotFoundError]
    (queue,) = await store.stats()
    assert sum(queue.counts.values()) == 0


async def test_only_final_jobs_are_erased(store: Store) -> None:
    running, failed = await start(store), await fail(store)
    (queued,) = await add(store)
    one, two, three = await store.erase([running.id, queued, failed])
    assert [refusal(answer) for answer in (one, two)] == [("erase", "running"), ("erase", "queued")]
    assert three is True


async def test_refs_are_never_used_again(store: Store) -> None:
    await store.erase([await complete(store)])
    (job_id,) = await add(store)
    assert (await read(store, job_id)).ref == 2


async def test_configure_makes_a_queue_and_changes_what_is_given(store: Store) -> None:
    assert await store.configure("q") == QueuePolicy("q", paused=False, max_waiting=None)
    assert await store.configure("q", max_waiting=5) == QueuePolicy("q", paused=False, max_waiting=5)
    assert await store.configure("q", paused=True) == QueuePolicy("q", paused=True, max_waiting=5)
    assert await store.configure("q", max_waiting=0) == QueuePolicy("q", paused=True, max_waiting=None)
    assert [queue.policy for queue in await store.stats()] == [QueuePolicy("q", paused=True, max_waiting=None)]
