"""The result cache as each store keeps it: written by the settle, asked by the enqueue, kept and dropped by upkeep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.cache import CacheSum, Caching, Entry, Selection, Use
from stanchion.domain.job import Output, State
from stanchion.domain.outcome import Cancelled, Completed, Failed, Lost
from stanchion.domain.policy import Retention
from stanchion.domain.query import Cursor
from stanchion.domain.units import DAY
from stanchion.store import Enqueued, Noted, Refused
from tests.conformance.helpers import (
    BOOM,
    KEEP,
    add,
    artifact,
    chunk,
    ended,
    fail,
    finish,
    join,
    keyed,
    new,
    read,
    start,
    take,
)

if TYPE_CHECKING:
    from stanchion.domain.job import NewJob
    from stanchion.store import Store
    from tests.clock import FakeClock

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
TTL = 10_000
ROOM = Retention()


def cacheable(key: bytes = KEY, **given: Any) -> NewJob:
    return new(cache=Caching(key, TTL), **given)


async def kept(store: Store, key: bytes = KEY, result: bytes | None = b'"x"', **given: Any) -> str:
    """Complete a job whose result the cache keeps; return its id."""
    lease = await start(store, cacheable(key, **given))
    await finish(store, lease, Completed(result))
    return lease.id


async def ask(store: Store, job: NewJob | None = None) -> Enqueued:
    (answer,) = await store.enqueue([job or cacheable()])
    assert isinstance(answer, Enqueued)
    return answer


async def test_a_completed_result_answers_at_once(store: Store, clock: FakeClock) -> None:
    maker = await kept(store)
    clock.pass_(5)
    request = cacheable(queue="q", user="ann", delay=500, tags=("x",))
    assert await store.enqueue([request]) == [Enqueued(request.id, State.COMPLETED, new=True, version=1, cached=True)]
    job = await read(store, request.id)
    assert (job.state, job.version, job.attempt, job.spent, job.cached) == (State.COMPLETED, 1, 0, 0, True)
    assert (job.result, job.queue, job.user, job.tags) == (b'"x"', "q", "ann", ("x",))
    assert (job.created_at, job.ended_at, job.started_at, job.due_at) == (clock.at, clock.at, None, None)
    events, attempts = await store.history(request.id)
    assert [(event.version, event.state, event.attempt) for event in events] == [(1, State.COMPLETED, 0)]
    assert attempts == []
    assert not (await read(store, maker)).cached


async def test_a_result_of_null_is_a_result(store: Store) -> None:
    await kept(store, result=None)
    answer = await ask(store)
    assert (answer.cached, (await read(store, answer.id)).result) == (True, None)


async def test_nobody_claims_what_was_answered(store: Store) -> None:
    await kept(store)
    await ask(store)
    assert await take(store, await join(store, "w2")) == ()


async def test_the_outputs_are_the_answers_own(store: Store) -> None:
    lease = await start(store, cacheable())
    await store.note([Noted(lease.ref, 1, note) for note in (chunk("a"), artifact("hash-1"))])
    await finish(store, lease)
    tail = await store.tail()
    answer = await ask(store)
    text, image = await store.outputs(answer.id)
    assert (text.index, text.data, text.attempt) == (0, b"a", 0)
    assert (image.index, image.artifact, image.size) == (1, "hash-1", 9)
    assert (await read(store, answer.id)).artifacts == (image,)
    changes = await store.changes(tail)
    assert [event.id for event in changes.events] == [answer.id]
    assert [(item.id, item.output) for item in changes.outputs] == [(answer.id, text), (answer.id, image)]


async def test_chunks_of_a_lost_attempt_are_no_part_of_the_answer(store: Store) -> None:
    lease = await start(store, cacheable())
    await store.note([Noted(lease.ref, 1, chunk("old"))])
    await finish(store, lease, Lost())
    (again,) = await take(store, await join(store, "w2"))
    await store.note([Noted(again.ref, 2, chunk("new"))])
    await finish(store, again)
    answer = await ask(store)
    assert [item.data for item in await store.outputs(answer.id)] == [b"new"]


async def test_an_entry_answers_until_its_time_is_over(store: Store, clock: FakeClock) -> None:
    await kept(store)
    clock.pass_(TTL - 1)
    assert (await ask(store)).cached
    clock.pass_(1)
    assert not (await ask(store)).cached


async def test_the_answer_of_a_cached_job_starts_no_new_time(store: Store, clock: FakeClock) -> None:
    await kept(store)
    clock.pass_(TTL - 1)
    await ask(store)
    clock.pass_(1)
    assert await store.cache.get([KEY]) == [None]


@pytest.mark.parametrize("outcome", [Failed(BOOM), Cancelled()])
async def test_what_did_not_complete_is_not_kept(store: Store, outcome: Failed | Cancelled) -> None:
    lease = await start(store, cacheable(max_attempts=1))
    await finish(store, lease, outcome)
    assert not (await ask(store)).cached


async def test_a_cancelled_job_that_returned_keeps_nothing(store: Store) -> None:
    lease = await start(store, cacheable())
    await store.cancel([lease.id])
    await finish(store, lease)
    assert (await read(store, lease.id)).state is State.CANCELLED
    assert not (await ask(store)).cached


async def test_a_late_settle_keeps_nothing(store: Store) -> None:
    lease = await start(store, cacheable())
    await finish(store, lease, Lost())
    assert await store.settle([ended(lease, Completed(b"late"))]) == [False]
    assert await store.cache.get([KEY]) == [None]


async def test_a_job_retried_by_hand_is_kept_when_it_completes(store: Store) -> None:
    job_id = await fail(store, cacheable())
    await store.retry([job_id])
    (lease,) = await take(store, await join(store, "w2"))
    await finish(store, lease, Completed(b"2"))
    assert (await ask(store)).cached


async def test_a_request_that_does_not_ask_runs(store: Store) -> None:
    await kept(store)
    assert not (await ask(store, new())).cached


async def test_keys_do_not_answer_for_one_another(store: Store) -> None:
    await kept(store)
    answers = await store.enqueue([cacheable(OTHER_KEY), cacheable(), cacheable(OTHER_KEY)])
    assert [isinstance(one, Enqueued) and one.cached for one in answers] == [False, True, False]


async def test_one_in_flight_is_joined_and_the_next_is_answered(store: Store) -> None:
    lease = await start(store, cacheable(dedup_key=b"d"))
    joined = await ask(store, cacheable(dedup_key=b"d"))
    assert (joined.id, joined.new, joined.cached) == (lease.id, False, False)
    await finish(store, lease)
    answer = await ask(store, cacheable(dedup_key=b"d"))
    assert (answer.new, answer.cached) == (True, True)


async def test_within_the_dedup_window_the_job_itself_is_joined(store: Store) -> None:
    maker = await kept(store, dedup_key=b"d")
    answer = await ask(store, cacheable(dedup_key=b"d", dedup_window=1_000))
    assert (answer.id, answer.new, answer.cached) == (maker, False, False)


async def test_an_idempotency_key_names_the_cached_job(store: Store) -> None:
    await kept(store)
    first = await ask(store, keyed("i", cache=Caching(KEY, TTL)))
    again = await ask(store, keyed("i", cache=Caching(KEY, TTL)))
    assert (first.cached, again.new, again.id) == (True, False, first.id)


async def test_the_same_request_again_is_the_same_cached_job(store: Store) -> None:
    await kept(store)
    request = cacheable()
    await store.enqueue([request])
    assert await store.enqueue([request]) == [Enqueued(request.id, State.COMPLETED, new=False, version=1)]


async def test_an_answer_takes_no_waiting_room(store: Store) -> None:
    await kept(store)
    await store.configure("q", max_waiting=1)
    answers = await store.enqueue([new(queue="q"), cacheable(queue="q"), new(queue="q")])
    assert [isinstance(one, Refused) for one in answers] == [False, False, True]
    assert {item.policy.name: item.counts[State.COMPLETED] for item in await store.stats()}["q"] == 1


async def test_a_later_result_takes_the_place_of_the_earlier(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await add(store, cacheable(), cacheable())
    first, second = await take(store, worker)
    await finish(store, first, Completed(b"1"))
    clock.pass_(10)
    await finish(store, second, Completed(b"22"))
    (entry,) = await store.cache.get([KEY])
    assert entry == Entry(KEY, "default", "t", second.ref, b"22", (), clock.at, clock.at + TTL)
    assert await store.cache.stats() == [CacheSum("default", "t", 1, 2, 0)]


async def test_what_a_request_brings_along_counts_only_while_it_stands(store: Store) -> None:
    await kept(store)
    (entry,) = await store.cache.get([KEY])
    assert entry is not None
    assert (await ask(store, new(cache=Caching(KEY, TTL, entry)))).cached
    await store.cache.purge(Selection())
    assert not (await ask(store, new(cache=Caching(KEY, TTL, entry)))).cached


async def test_an_entry_that_was_replaced_meanwhile_does_not_answer(store: Store) -> None:
    worker = await join(store)
    await add(store, cacheable(), cacheable())
    first, second = await take(store, worker)
    await finish(store, first, Completed(b"1"))
    (old,) = await store.cache.get([KEY])
    await finish(store, second, Completed(b"2"))
    answer = await ask(store, new(cache=Caching(KEY, TTL, old)))
    assert (await read(store, answer.id)).result == b"2"


async def test_an_entry_outlives_its_job_and_keeps_its_artifacts(store: Store, clock: FakeClock) -> None:
    lease = await start(store, new(cache=Caching(KEY, 30 * DAY)))
    await store.note([Noted(lease.ref, 1, artifact("hash-1"))])
    await finish(store, lease)
    clock.pass_(DAY)
    upkeep = await store.maintain(KEEP, 10)
    assert (upkeep.pruned, upkeep.artifacts, upkeep.uncached) == (1, (), 0)
    answer = await ask(store, new(cache=Caching(KEY, 30 * DAY)))
    assert answer.cached
    clock.pass_(29 * DAY)
    upkeep = await store.maintain(Retention(completed=60 * DAY), 10)
    assert (upkeep.uncached, upkeep.artifacts) == (1, ())
    await store.erase([answer.id])
    assert (await store.maintain(KEEP, 10)).artifacts == ("hash-1",)


async def test_erasing_a_job_erases_what_it_left_in_the_cache(store: Store) -> None:
    maker = await kept(store)
    answer = await ask(store)
    await store.erase([answer.id])
    assert (await ask(store)).cached
    await store.erase([maker])
    assert not (await ask(store)).cached
    assert await store.cache.stats() == []


async def test_upkeep_drops_what_was_not_used_for_longest(store: Store, clock: FakeClock) -> None:
    for number in range(4):
        await kept(store, bytes([number]) * 32, b"12345")
        clock.pass_(1)
    await store.cache.touch([Use(b"\0" * 32, 1, clock.at)])
    upkeep = await store.maintain(Retention(cache_bytes=11), 10)
    assert upkeep.uncached == 2
    found = await store.cache.get([bytes([number]) * 32 for number in range(4)])
    assert [entry is not None for entry in found] == [True, False, False, True]
    assert await store.cache.stats() == [CacheSum("default", "t", 2, 10, 1)]


async def test_hits_are_counted_and_the_last_access_never_goes_back(store: Store, clock: FakeClock) -> None:
    await kept(store)
    await store.cache.touch([Use(KEY, 2, clock.at), Use(b"gone", 5, clock.at), Use(KEY, 1, clock.at - 50)])
    assert await store.cache.stats() == [CacheSum("default", "t", 1, 3, 3)]


async def test_sums_are_by_tenant_and_task(store: Store) -> None:
    await kept(store, b"1", tenant="acme", task="a")
    await kept(store, b"2", tenant="acme", task="b")
    await kept(store, b"3", tenant="other", task="a", result=b"1")
    assert await store.cache.stats() == [
        CacheSum("acme", "a", 1, 3, 0),
        CacheSum("acme", "b", 1, 3, 0),
        CacheSum("other", "a", 1, 1, 0),
    ]
    assert await store.cache.stats("other") == [CacheSum("other", "a", 1, 1, 0)]


async def test_a_purge_drops_what_it_names(store: Store, clock: FakeClock) -> None:
    await kept(store, b"1", tenant="acme", task="a")
    await kept(store, b"2", tenant="acme", task="b")
    clock.pass_(10)
    await kept(store, b"3", tenant="other", task="a")
    assert await store.cache.purge(Selection(task="a", before=clock.at)) == 1
    assert await store.cache.purge(Selection(tenant="acme", task="a")) == 0
    assert await store.cache.purge(Selection(tenant="acme")) == 1
    assert await store.cache.purge(Selection()) == 1
    assert await store.cache.stats() == []


async def test_a_purge_of_many_drops_all(store: Store, clock: FakeClock) -> None:
    entries = [
        Entry(number.to_bytes(32, "big"), "t", "a", number, b"1", (), clock.at, clock.at + TTL)
        for number in range(1, 251)
    ]
    await store.cache.put(entries)
    assert await store.cache.stats() == [CacheSum("t", "a", 250, 250, 0)]
    assert await store.cache.purge(Selection()) == 250


async def test_what_is_put_is_got(store: Store, clock: FakeClock) -> None:
    outputs = (Output(0, 0, "chunk", b"ab", "n", "text/plain", 2, None, None, None, 0),)
    entry = Entry(KEY, "acme", "a", 9, b"1", outputs, clock.at, clock.at + 5)
    await store.cache.put([entry, entry])
    assert await store.cache.get([OTHER_KEY, KEY]) == [None, entry]
    clock.pass_(5)
    assert await store.cache.get([KEY]) == [None]


async def test_an_answer_is_counted_as_completed_and_not_as_a_run(store: Store) -> None:
    await kept(store)
    await ask(store)
    (bucket,) = (await store.series(1, 60_000))[-1:]
    assert (bucket.enqueued, bucket.started, bucket.completed, len(bucket.runs)) == (2, 1, 2, 1)


async def test_a_watcher_of_everything_hears_of_an_answer(store: Store) -> None:
    await kept(store)
    answer = await ask(store)
    events = (await store.changes(Cursor())).events
    assert [(event.id, event.state) for event in events][-1] == (answer.id, State.COMPLETED)
