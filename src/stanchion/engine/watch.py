"""The watch: one reader of the store's feed per process, fanned out from memory to all who watch.

While nobody watches there is no reader, no subscription and no timer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from stanchion.domain.job import FINAL, State
from stanchion.domain.query import ALL, Scope
from stanchion.engine.feed import merged, read, thin
from stanchion.engine.forecast import Forecast
from stanchion.engine.pace import Pace, Places
from stanchion.engine.watchers import Interest, Notice, Roster, Watcher
from stanchion.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection

    from stanchion.domain.job import Event, Job
    from stanchion.domain.query import Cursor
    from stanchion.domain.units import JobId
    from stanchion.engine.watchers import Ending
    from stanchion.store import Signal, Store

log = logging.getLogger(__name__)

FLOOR: Final = 1.5
"""Seconds between reads when no hint comes."""

GAP: Final = 0.025
"""Seconds between two reads at least: hints in between share one."""

LOGS_EVERY: Final = 0.5
STATS_EVERY: Final = 1.0
STATS_FLOOR: Final = 5.0
STATS_STEP: Final = 5_000
NO_INTEREST: Final = Interest()
_FEW: Final = 50


class Watch:
    """Serves watchers from one feed reader; make one per process and store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.forecast = Forecast(store)
        """Places with the time left."""
        self._roster = Roster()
        self._reader: asyncio.Task[None] | None = None
        self._started = asyncio.Event()
        self._hint = asyncio.Event()
        self._closed = False
        self._pace = Pace()
        self._places = Places()
        self._logs: dict[JobId, int] = {}
        self._logs_at = 0.0
        self._stats_at = 0.0
        self._stats_stale = True

    @property
    def watching(self) -> int:
        """Return how many watchers there are."""
        return len(self._roster.members)

    @asynccontextmanager
    async def open(
        self, interest: Interest = NO_INTEREST, *, jobs: Collection[JobId] = (), queues: Collection[str] = ()
    ) -> AsyncGenerator[Watcher]:
        """Watch for as long as the context is open.

        Notices of all that is committed after entering arrive; read a snapshot after entering to miss nothing.
        The caller checks that the jobs are within the scope; notices of others are never delivered.
        """
        watcher = Watcher(interest)
        if self._closed:
            watcher.end("closed")
            yield watcher
            return
        self._roster.add(watcher)
        self.follow(watcher, jobs, queues)
        if interest.stats:
            self._stats_at = 0.0
        try:
            await self._running()
            yield watcher
        finally:
            self._roster.remove(watcher)
            await self._rest()

    def follow(self, watcher: Watcher, jobs: Collection[JobId] = (), queues: Collection[str] = ()) -> None:
        """Add jobs and queues to a watcher."""
        self._roster.follow(watcher, jobs, queues)
        if jobs:
            self._places.ask()
            self._hint.set()

    def unfollow(self, watcher: Watcher, jobs: Collection[JobId] = (), queues: Collection[str] = ()) -> None:
        """Take jobs and queues from a watcher."""
        for job_id in jobs:
            self._roster.drop(watcher, job_id)
        for queue in queues:
            self._roster.leave(watcher, queue)

    async def close(self, why: Ending = "closed") -> None:
        """End all watches, now and from now on."""
        self._closed = True
        self._end_all(why)
        await self._rest()

    def _end_all(self, why: Ending) -> None:
        for watcher in tuple(self._roster.members):
            watcher.end(why)

    async def _running(self) -> None:
        if self._reader is None or self._reader.done():
            self._started = asyncio.Event()
            self._reader = asyncio.create_task(self._read_for_all(self._started), name="stanchion-watch")
        await self._started.wait()

    async def _rest(self) -> None:
        """Stop the reader when the last watcher has gone."""
        reader = self._reader
        if reader is not None and (self._closed or not self._roster.members):
            self._reader = None
            reader.cancel()

    async def _read_for_all(self, started: asyncio.Event) -> None:
        """Read the feed until cancelled; a failure ends all watches, and their readers resume by cursor."""
        stop: Callable[[], None] | None = None
        try:
            stop = self._store.subscribe(self._on_signal, claims=False, watch=True)
            cursor = await self._store.tail()
            self._pace.forget()
            self._places.forget()
            self._logs.clear()
            started.set()
            await self._loop(cursor)
        except Exception:
            log.exception("the feed reader failed; watchers are asked to come again")
            self._end_all("closed")
        finally:
            started.set()
            if stop is not None:
                stop()

    def _on_signal(self, _signal: Signal) -> None:
        self._hint.set()

    async def _loop(self, cursor: Cursor) -> None:
        while True:
            hinted = await self._pause()
            try:
                cursor = await self._round(cursor, hinted=hinted)
            except StoreError as error:
                log.warning("the feed cannot be read now: %s", error)
                await asyncio.sleep(1.0)
                self._hint.set()
            await asyncio.sleep(GAP)

    async def _pause(self) -> bool:
        """Wait for a hint, or until something held back falls due; answer whether a hint came."""
        due = min(FLOOR, self._pace.due_in(time.monotonic()), self._stats_due_in())
        if self._places.wanted(self._roster.by_job):
            due = min(due, self._places.due_in(time.monotonic()))
        try:
            async with asyncio.timeout(max(due, 0)):
                await self._hint.wait()
        except TimeoutError:
            return False
        self._hint.clear()
        return True

    async def _round(self, since: Cursor, *, hinted: bool) -> Cursor:
        feed = await read(self._store, since)
        if feed.gap:
            self._end_all("gap")
            return feed.cursor
        now = time.monotonic()
        self._stats_stale |= hinted or bool(feed.events)
        self._pace.changed(feed.live if self._roster.broad else feed.live & self._roster.by_job.keys())
        due = self._pace.due(now)
        ids = feed.ids if self._roster.broad else feed.ids & self._roster.by_job.keys()
        jobs = await thin(self._store, ids | due) if ids or due else {}
        if ids:
            await self._tell(list(merged(feed, jobs, since)))
        await self._tell_live([jobs[job_id] for job_id in due if job_id in jobs], now)
        await self._tell_logs(now)
        await self._tell_places(moved=hinted or bool(feed.events))
        await self._tell_stats()
        if feed.more:
            self._hint.set()
        return feed.cursor

    async def _tell(self, notices: list[Notice]) -> None:
        """Deliver durable notices; jobs that wait and are watched by name are told their place with it."""
        wanted = {n.event.id for n in notices if n.event is not None and self._asks_place(n.event)}
        queued = {n.event.id for n in notices if n.event is not None and n.event.state is State.QUEUED}
        if len(queued) <= _FEW and self._roster.broad:
            wanted |= queued
        asked = list(wanted)
        places = dict(zip(asked, await self._store.position(asked), strict=True)) if asked else {}
        for notice in notices:
            if notice.job is None:
                continue
            if notice.event is not None:
                notice.place = places.get(notice.job.id)
                self._places.seen(notice.job, notice.event.state, notice.place)
                if notice.event.state is not State.RUNNING and notice.event.id in self._logs:
                    await self._tell_log(notice.job)  # its last lines stand before its end
                if notice.event.state in FINAL:
                    self._pace.drop(notice.job.id)
            self._roster.deliver(notice)

    def _asks_place(self, event: Event) -> bool:
        waits = event.state not in FINAL and event.state is not State.RUNNING
        return waits and event.id in self._roster.by_job

    async def _tell_live(self, jobs: list[Job], now: float) -> None:
        """Deliver progress and previews that changed, each job's at its pace."""
        for job in jobs:
            step = self._pace.step(job, now)
            if step.progress:
                self._roster.deliver(Notice(kind="progress", job=job))
            if step.preview:
                preview = await self._store.preview(job.id)
                if preview is not None:
                    self._roster.deliver(Notice(kind="preview", job=job, preview=preview))

    async def _tell_logs(self, now: float) -> None:
        """Deliver the log lines of the running jobs that are watched by name, at most twice a second."""
        running = self._places.running & self._roster.by_job.keys()
        if not running or now < self._logs_at + LOGS_EVERY:
            return
        self._logs_at = now
        for job_id, job in (await thin(self._store, running)).items():
            self._logs.setdefault(job_id, 0)
            await self._tell_log(job)

    async def _tell_log(self, job: Job) -> None:
        lines = await self._store.logs(job.id, after=self._logs.get(job.id, 0))
        for line in lines:
            self._roster.deliver_named(Notice(kind="log", job=job, log=line))
        if job.final:
            self._logs.pop(job.id, None)
        elif lines:
            self._logs[job.id] = lines[-1].cursor

    async def _tell_places(self, *, moved: bool) -> None:
        """Deliver the places and the times left that changed, of the waiting jobs that are watched by name."""
        wanted = self._places.wanted(self._roster.by_job)
        if not wanted or not self._places.due(time.monotonic(), moved=moved):
            return
        began = time.monotonic()
        found = await self._store.position(wanted)
        changed = [job_id for job_id, place in zip(wanted, found, strict=True) if self._places.news(job_id, place)]
        waiting = [job_id for job_id, place in zip(wanted, found, strict=True) if place is not None and place.position]
        if waiting and self._places.served(await self.forecast.serving(waiting[0])):
            changed = [job_id for job_id in wanted if job_id in {*changed, *waiting}]
        jobs = await thin(self._store, changed) if changed else {}
        timed = await self.forecast.timed(changed, [self._places.last(job_id) for job_id in changed])
        self._places.took(time.monotonic() - began)
        for job_id, place in zip(changed, timed, strict=True):
            job = jobs.get(job_id)
            if job is not None and place is not None and not job.final:
                self._roster.deliver(Notice(kind="position", job=job, place=place))

    def _stats_due_in(self) -> float:
        if not any(w.interest.stats for w in self._roster.members):
            return FLOOR
        every = STATS_EVERY if self._stats_stale else STATS_FLOOR
        return self._stats_at + every - time.monotonic()

    async def _tell_stats(self) -> None:
        """Deliver counts once for each tenant whose watcher asked, at most once a second."""
        watchers = [w for w in self._roster.members if w.interest.stats]
        if not watchers or self._stats_due_in() > 0:
            return
        self._stats_at, self._stats_stale = time.monotonic(), False
        for scope in {w.interest.scope for w in watchers}:
            notice = await self._stats_of(scope)
            for watcher in watchers:
                if watcher.interest.scope == scope:
                    watcher.push(notice)

    async def _stats_of(self, scope: Scope = ALL) -> Notice:
        queues = await self._store.stats(scope)
        buckets = await self._store.series(STATS_STEP, STATS_STEP, scope)
        return Notice(kind="stats", stats=(tuple(queues), buckets[-1] if buckets else None))
