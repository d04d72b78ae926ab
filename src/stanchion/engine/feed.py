"""The change feed of a store as notices in one order, with the cursor to resume after each."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.job import State
from stanchion.domain.query import ALL, Cursor, Filter
from stanchion.engine.watchers import Notice

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from stanchion.domain.job import Event, Job
    from stanchion.domain.query import Scope
    from stanchion.domain.units import JobId
    from stanchion.store import OutputItem, Store

PAGE: Final = 1_000
MAX_PAGES: Final = 20
LIST_PAGE: Final = 500


class Feed(NamedTuple):
    """What changed after a cursor, in one order.

    `gap`: history after the cursor is gone; take a snapshot and go on from `cursor`. `more`: this is not all.
    """

    events: list[Event]
    outputs: list[OutputItem]
    live: set[JobId]
    cursor: Cursor
    gap: bool = False
    more: bool = False

    @property
    def ids(self) -> set[JobId]:
        """Return the jobs that have an event or an output in it."""
        return {event.id for event in self.events} | {item.id for item in self.outputs}


async def read(store: Store, since: Cursor, scope: Scope = ALL) -> Feed:
    """Read what changed after a cursor, at most 20 pages, so that no job's end is seen before its last output."""
    feed = Feed([], [], set(), since)
    for _ in range(MAX_PAGES):
        page = await store.changes(feed.cursor, PAGE, scope)
        if page.gap:
            return Feed([], [], set(), await store.tail(), gap=True)
        feed.events.extend(page.events)
        feed.outputs.extend(page.outputs)
        feed.live.update(page.live)
        feed = feed._replace(cursor=page.cursor)
        if not page.more:
            return feed
    return feed._replace(more=True)


async def thin(store: Store, ids: Collection[JobId], scope: Scope = ALL) -> dict[JobId, Job]:
    """Return jobs by id, without arguments and results; absent where there is none in scope."""
    found: dict[JobId, Job] = {}
    asked = list(ids)
    for start in range(0, len(asked), LIST_PAGE):
        part = tuple(asked[start : start + LIST_PAGE])
        page = await store.list(Filter(ids=part), limit=LIST_PAGE, scope=scope)
        found.update((job.id, job) for job in page.jobs)
    return found


def merged(feed: Feed, jobs: dict[JobId, Job], since: Cursor) -> Iterable[Notice]:
    """Yield the durable notices of known jobs, each with the cursor that resumes after it.

    Events and outputs have cursors of their own. An output stands after the event that started its attempt
    and before the next event of its job; both orders are kept, so that a cursor always means "all up to here".
    """
    last: dict[tuple[JobId, int], int] = {}
    for place, item in enumerate(feed.outputs):
        last[item.id, item.output.attempt] = place
    waiting = deque(enumerate(feed.outputs))
    event_at, output_at = since.event, since.output
    for event in feed.events:
        ends = event.state is not State.RUNNING
        until = last.get((event.id, event.attempt), -1) if ends else -1
        while waiting and waiting[0][0] <= until:
            _, item = waiting.popleft()
            output_at = item.output.cursor
            if (job := jobs.get(item.id)) is not None:
                yield Notice(kind="output", job=job, output=item.output, cursor=Cursor(event_at, output_at))
        event_at = event.cursor
        if (job := jobs.get(event.id)) is not None:
            yield Notice(kind="event", job=job, event=event, cursor=Cursor(event_at, output_at))
    for _, item in waiting:
        output_at = item.output.cursor
        if (job := jobs.get(item.id)) is not None:
            yield Notice(kind="output", job=job, output=item.output, cursor=Cursor(event_at, output_at))
