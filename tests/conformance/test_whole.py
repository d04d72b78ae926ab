"""A batch that is stored as a whole: one refusal refuses all, and nobody can have seen any of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.errors import IdempotencyMismatchError, NotAloneError, QueueFullError
from stanchion.store import Enqueued, Refused
from tests.conformance.helpers import WANT, add, join, keyed, new, states, take

if TYPE_CHECKING:
    from stanchion.domain.job import NewJob
    from stanchion.store import Store


def kinds(answers: list[Enqueued | Refused]) -> list[type[Exception] | bool]:
    return [type(answer.error) if isinstance(answer, Refused) else answer.new for answer in answers]


async def refused(store: Store, *batch: NewJob) -> list[type[Exception] | bool]:
    """Send a batch that must be refused, and see that nothing has moved."""
    before = await store.tail(), await store.stats()
    answers = kinds(await store.enqueue(batch, atomic=True))
    assert (await store.tail(), await store.stats()) == before
    return answers


async def test_a_whole_batch_is_stored_where_nothing_stands_against_it(store: Store) -> None:
    assert kinds(await store.enqueue([new(), keyed("k"), keyed("k")], atomic=True)) == [True, True, False]
    assert len(await take(store, await join(store))) == 2


async def test_a_full_queue_refuses_the_whole(store: Store) -> None:
    await store.configure("default", max_waiting=2)
    batch = [new(), new(), new()]
    assert await refused(store, *batch) == [NotAloneError, NotAloneError, QueueFullError]
    assert await states(store, *[job.id for job in batch]) == [None, None, None]
    assert not await take(store, await join(store), WANT)


async def test_a_key_used_for_something_else_refuses_the_whole(store: Store) -> None:
    await store.enqueue([keyed("k", b"1")])
    assert await refused(store, new(), keyed("k", b"2")) == [NotAloneError, IdempotencyMismatchError]


async def test_what_a_refused_batch_named_is_free_again(store: Store) -> None:
    await store.configure("default", max_waiting=1)
    await refused(store, new(dedup_key=b"d", queue="other"), keyed("i", queue="other"), new(), new())
    answers = await store.enqueue([new(dedup_key=b"d", queue="other"), keyed("i", b"2", queue="other")])
    assert kinds(answers) == [True, True]


async def test_nobody_joins_a_job_of_a_refused_batch(store: Store) -> None:
    await store.configure("default", max_waiting=1)
    (first,) = await add(store, new())
    mine = new(dedup_key=b"d", queue="other")
    assert await refused(store, mine, new()) == [NotAloneError, QueueFullError]
    (answer,) = await store.enqueue([new(dedup_key=b"d", queue="other")])
    assert isinstance(answer, Enqueued)
    assert answer.new
    assert answer.id not in {first, mine.id}


async def test_a_refused_batch_does_not_hold_up_those_stored_beside_it(store: Store) -> None:
    await store.configure("default", max_waiting=1)
    await refused(store, new(), new())
    assert kinds(await store.enqueue([new()])) == [True]
