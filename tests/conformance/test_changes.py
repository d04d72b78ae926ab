"""Changes: a watcher that resumes misses nothing and sees nothing twice; and the hints that wake it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from stanchion.domain.job import State
from stanchion.domain.outcome import Failed, Released
from stanchion.domain.query import Cursor
from stanchion.store import Noted, PreviewNote, ProgressNote
from tests.conformance.helpers import (
    BOOM,
    KEEP,
    add,
    chunk,
    complete,
    ended,
    fail,
    finish,
    join,
    new,
    start,
    take,
)

if TYPE_CHECKING:
    from stanchion.domain.job import Event
    from stanchion.store import Signal, Store
    from tests.clock import FakeClock


async def test_the_feed_of_an_empty_store_is_empty(store: Store) -> None:
    assert await store.tail() == Cursor(0, 0, 0)
    changes = await store.changes(Cursor())
    assert (changes.events, changes.outputs, changes.live, changes.cursor) == ((), (), (), Cursor())
    assert (changes.gap, changes.more) == (False, False)


async def test_the_feed_holds_the_histories_in_commit_order(store: Store, clock: FakeClock) -> None:
    ids = [await complete(store), await fail(store), *await add(store, new(delay=5))]
    clock.pass_(5)
    await take(store, 1)
    histories = [event for job_id in ids for event in (await store.history(job_id))[0]]
    changes = await store.changes(Cursor())
    assert list(changes.events) == sorted(histories, key=lambda event: event.cursor)
    assert [event.cursor for event in changes.events] == list(range(1, len(histories) + 1))


async def test_reading_on_in_portions_misses_nothing(store: Store) -> None:
    for _ in range(3):
        lease = await start(store)
        await store.note([Noted(lease.ref, 1, chunk(str(n))) for n in range(5)])
        await finish(store, lease)
    whole = await store.changes(Cursor())
    events: list[Event] = []
    outputs: list[object] = []
    since, more = Cursor(), True
    while more:
        part = await store.changes(since, 2)
        assert max(len(part.events), len(part.outputs)) <= 2
        events += part.events
        outputs += part.outputs
        since, more = part.cursor, part.more
    assert (tuple(events), tuple(outputs)) == (whole.events, whole.outputs)
    assert since == whole.cursor == await store.tail()


async def test_from_the_tail_on_only_news_are_told(store: Store) -> None:
    await complete(store)
    since = await store.tail()
    assert (await store.changes(since)).events == ()
    (job_id,) = await add(store)
    changes = await store.changes(since)
    assert [(event.id, event.state) for event in changes.events] == [(job_id, State.QUEUED)]
    assert (await store.changes(changes.cursor)).events == ()


async def test_outputs_are_told_with_their_job(store: Store) -> None:
    lease = await start(store)
    since = await store.tail()
    await store.note([Noted(lease.ref, 1, chunk("one")), Noted(lease.ref, 1, chunk("two"))])
    changes = await store.changes(since)
    assert [(item.id, item.output.index, item.output.data) for item in changes.outputs] == [
        (lease.id, 0, b"one"), (lease.id, 1, b"two"),
    ]  # fmt: skip
    assert (await store.changes(since._replace(output=since.output + 1))).outputs == changes.outputs[1:]
    assert (await store.changes(changes.cursor)).outputs == ()


async def test_live_names_running_jobs_whose_progress_or_preview_is_new(store: Store) -> None:
    one, two = await start(store), await start(store)
    since = await store.tail()
    await store.note([Noted(two.ref, 1, ProgressNote(1, 2)), Noted(one.ref, 1, PreviewNote(b"p", "image/png"))])
    first = await store.changes(since)
    assert first.live == (two.id, one.id)
    assert first.events == ()
    await store.note([Noted(two.ref, 1, ProgressNote(2, 2))])
    second = await store.changes(first.cursor)
    assert second.live == (two.id,)
    assert (await store.changes(second.cursor)).live == ()
    await finish(store, two, Released())
    assert (await store.changes(since)).live == (one.id,)


async def test_an_error_is_told_in_the_feed(store: Store) -> None:
    lease = await start(store)
    since = await store.tail()
    await finish(store, lease, Failed(BOOM))
    (event,) = (await store.changes(since)).events
    assert (event.state, event.attempt, event.error) == (State.RETRYING, 1, BOOM)


class Heard:
    """A listener that remembers the kinds of its hints."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        self.arrived = asyncio.Event()

    def __call__(self, signal: Signal) -> None:
        self.kinds.add(signal.kind)
        self.arrived.set()

    async def next(self) -> set[str]:
        """Wait for a hint; return all kinds heard since the last call."""
        async with asyncio.timeout(2):
            await self.arrived.wait()
        await asyncio.sleep(0)
        self.arrived.clear()
        heard, self.kinds = self.kinds, set()
        return heard


async def test_new_work_is_hinted_to_those_who_claim(store: Store) -> None:
    heard = Heard()
    stop = store.subscribe(heard, claims=True, watch=False)
    await add(store)
    assert await heard.next() == {"work"}
    stop()


async def test_promotion_retry_release_and_resume_are_work(store: Store, clock: FakeClock) -> None:
    failed = await fail(store)
    lease = await start(store)
    await add(store, new(delay=10))
    clock.pass_(10)
    heard = Heard()
    stop = store.subscribe(heard, claims=True, watch=False)
    await store.maintain(KEEP, 10)
    assert "work" in await heard.next()
    await store.retry([failed])
    assert "work" in await heard.next()
    await store.settle([ended(lease, Released())])
    assert "work" in await heard.next()
    await store.configure("default", paused=True)
    await store.configure("default", paused=False)
    assert "work" in await heard.next()
    stop()


async def test_a_cancel_is_hinted_to_those_who_run(store: Store) -> None:
    lease = await start(store)
    heard = Heard()
    stop = store.subscribe(heard, claims=True, watch=False)
    await store.cancel([lease.id])
    assert await heard.next() == {"cancel"}
    stop()


async def test_every_change_is_hinted_to_those_who_watch(store: Store) -> None:
    heard = Heard()
    stop = store.subscribe(heard, claims=False, watch=True)
    await join(store)
    (job_id,) = await add(store)
    assert await heard.next() == {"change"}
    (lease,) = await take(store, 1)
    assert await heard.next() == {"change"}
    await store.note([Noted(lease.ref, 1, ProgressNote(1, 2))])
    assert await heard.next() == {"change"}
    await store.settle([ended(lease)])
    assert await heard.next() == {"change"}
    await store.amend([job_id], tags=("x",))
    assert await heard.next() == {"change"}
    stop()


async def test_who_stopped_listening_hears_nothing(store: Store) -> None:
    deaf, heard = Heard(), Heard()
    store.subscribe(deaf, claims=True, watch=True)()
    stop = store.subscribe(heard, claims=True, watch=True)
    await add(store)
    await heard.next()
    assert deaf.kinds == set()
    stop()
    stop()


async def test_a_store_closes_with_its_listeners(store: Store) -> None:
    store.subscribe(Heard(), claims=True, watch=True)
    await store.close()
    await store.close()


async def test_a_store_tells_its_name_and_facts(store: Store, clock: FakeClock) -> None:
    assert store.name in {"memory", "sqlite"}
    assert store.durability in {"none", "full"}
    assert (await store.check())["schema"] == 1
    assert store.now() == clock.at
