"""What one subscriber has seen: turns notices into frames with no gap and no repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.job import FINAL, State
from stanchion.domain.query import Cursor
from stanchion.engine.feed import merged, read, thin
from stanchion.engine.watchers import Notice
from stanchion.errors import NotFoundError
from stanchion.server import frames, views
from stanchion.server.problems import malformed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from stanchion.domain.job import Event, Job, LogLine, Output
    from stanchion.domain.query import Scope
    from stanchion.domain.units import JobId
    from stanchion.engine.watchers import Watcher
    from stanchion.server.context import Server
    from stanchion.server.frames import Frame
    from stanchion.store import Store

_MAX_DIGITS: Final = 18


class Mark(NamedTuple):
    """How far one job was seen: its version, and how many outputs of the attempt at that version."""

    version: int
    output: int

    def text(self) -> str:
        """Return the id of a frame on a stream of one job."""
        return f"{self.version}-{self.output}"


def pair(text: str) -> tuple[int, int]:
    """Return the two numbers of a cursor.

    Raises:
        ApiError: It is not a cursor that the server gave out.
    """
    first, dash, second = text.strip().partition("-")
    numbers = (first, second)
    if not dash or not all(n.isascii() and n.isdecimal() and len(n) <= _MAX_DIGITS for n in numbers):
        message = "That is not a cursor."
        raise malformed(message, "Send the last event id back unchanged, or none to start with a snapshot.")
    return int(first), int(second)


class JobTrack:
    """One job as one subscriber has seen it."""

    def __init__(self, server: Server, scope: Scope, job_id: JobId) -> None:
        self._server, self._store = server, server.store
        self._scope, self.id = scope, job_id
        self._version: int = 0
        self._attempt: int = 0
        self._seen: int = 0
        self._log: int = 0
        self.done = False

    @property
    def _mark(self) -> str:
        return f"{self._version}-{self._seen}"

    async def begin(self, after: Mark | None) -> list[Frame]:
        """Return the frames from a mark up to now; a snapshot first where there is no mark that holds."""
        try:
            job = await views.find(self._store, self.id, self._scope)
        except NotFoundError:
            self.done = True
            return []
        if after is not None and after.version <= job.version:
            return await self._resume(job, after)
        told = [] if after is None else [frames.reset(after.text())]
        return told + await self._from_snapshot(job)

    async def _from_snapshot(self, job: Job) -> list[Frame]:
        self._version, self._attempt, self._seen = job.version, job.attempt, 0
        whole = await views.full(self._server, job, self._scope, hidden=self._server.secrets_of(job))
        told = [frames.snapshot(job.id, whole, self._mark)]
        told += self._outputs(await self._store.outputs(self.id, self._scope))
        if job.attempt:
            told += self._lines(await self._store.logs(self.id, self._scope))
        return told + self._end(job)

    async def _resume(self, job: Job, after: Mark) -> list[Frame]:
        past, _ = await self._store.history(self.id, self._scope, after.version - 1)
        self._version, self._seen = after
        self._attempt = past[0].attempt if past and past[0].version == after.version else 0
        events = [event for event in past if event.version > after.version]
        attempt = events[-1].attempt if events else self._attempt
        skip = after.output if attempt == self._attempt else 0
        made = await self._store.outputs(self.id, self._scope, skip - 1)
        told = self._replay(job, events, [o for o in made if o.attempt == attempt], attempt)
        lines = await self._store.logs(self.id, self._scope) if job.attempt else []
        self._log = lines[-1].cursor if lines else 0  # the client has those, or reads them
        end = self._end(job) if self._version >= job.version else []
        return told + (end or await self._live(job))

    def _replay(self, job: Job, events: Iterable[Event], made: list[Output], attempt: int) -> list[Frame]:
        told: list[Frame] = []
        for event in events:
            if event.attempt == attempt and event.state is not State.RUNNING:
                told += self._outputs(made)
                made = []
            told += self._event(Notice(kind="event", job=job, event=event))
        return told + self._outputs(made)

    async def _live(self, job: Job) -> list[Frame]:
        """Return the latest position, progress and preview: a new subscriber has none of them."""
        now = self._store.now()
        if job.final:
            return []
        if job.state is not State.RUNNING:
            (place,) = await self._server.watch.forecast.places([self.id], self._scope)
            notices = [Notice(kind="position", job=job, place=place)]
        else:
            notices = [Notice(kind="progress", job=job)]
            if job.preview_revision is not None:
                preview = await self._store.preview(self.id, self._scope)
                notices.append(Notice(kind="preview", job=job, preview=preview))
        return [frame for notice in notices if (frame := frames.ephemeral(notice, now)) is not None]

    def next(self, notice: Notice) -> list[Frame]:
        """Return the frames of a notice; none for what was seen. A job that was retried goes on."""
        if notice.event is not None and notice.event.version > self._version:
            self.done = False
        if self.done:
            return []
        if notice.event is not None:
            if notice.event.version <= self._version:
                return []
            return self._event(notice) + (self._end(notice.job) if notice.job is not None else [])
        if notice.output is not None:
            return self._outputs([notice.output], notice)
        if notice.log is not None:
            return self._lines([notice.log])
        frame = frames.ephemeral(notice, self._store.now())
        return [frame] if frame is not None else []

    def _event(self, notice: Notice) -> list[Frame]:
        event = notice.event
        if event is None:
            return []
        if event.attempt != self._attempt:
            self._attempt, self._seen = event.attempt, 0
        self._version = event.version
        return [frames.status(notice, self._mark)]

    def _outputs(self, made: Iterable[Output], notice: Notice | None = None) -> list[Frame]:
        told: list[Frame] = []
        for item in made:
            if item.attempt == self._attempt and item.index >= self._seen:
                self._seen = item.index + 1
                told.append(frames.output(self.id, item, self._mark, notice))
        return told

    def _lines(self, lines: Iterable[LogLine]) -> list[Frame]:
        new = [line for line in lines if line.cursor > self._log]
        if new:
            self._log = new[-1].cursor
        return [frames.log_line(self.id, line) for line in new]

    def _end(self, job: Job) -> list[Frame]:
        """Return the last frame if the job's last event was told."""
        if not job.final or self._version < job.version:
            return []
        self.done = True
        return [frames.done(job, self._store.now(), self._mark)]


async def at_end(store: Store, job: Job, scope: Scope, after: Mark) -> bool:
    """Return whether a subscriber at a mark has seen all that there will ever be."""
    if not job.final or after.version != job.version:
        return False
    return not await store.outputs(job.id, scope, after.output - 1)


class FeedTrack:
    """Many jobs as one subscriber has seen them, by the cursor of the feed."""

    def __init__(self, server: Server, watcher: Watcher) -> None:
        self._server, self._store, self._watcher = server, server.store, watcher
        self._scope = watcher.interest.scope
        self._cursor = Cursor()
        self._tracks: dict[JobId, JobTrack] = {}

    async def begin(self, after: Cursor | None, jobs: Collection[JobId]) -> list[Frame]:
        """Return the frames from a cursor up to now; snapshots of the named jobs where no cursor holds."""
        told: list[Frame] = []
        if after is not None:
            resumed = await self._resume(after)
            if resumed is not None:
                return resumed
            told.append(frames.reset(frames.cursor_text(after)))
        self._cursor = await self._store.tail()
        for job_id in jobs:
            track = self._tracks[job_id] = JobTrack(self._server, self._scope, job_id)
            told += [frame._replace(id=None) for frame in await track.begin(None)]
        return [*told, frames.mark(frames.cursor_text(self._cursor))]

    async def _resume(self, after: Cursor) -> list[Frame] | None:
        """Return what came after a cursor; None where that is gone, too much, or of another store."""
        tail = await self._store.tail()
        if after.event > tail.event or after.output > tail.output:
            return None
        feed = await read(self._store, after, self._scope)
        if feed.gap or feed.more:
            return None
        self._cursor = feed.cursor
        jobs = await thin(self._store, feed.ids, self._scope)
        wanted = {job_id: job for job_id, job in jobs.items() if self._watcher.wants(job)}
        told = [frame for notice in merged(feed, wanted, after) for frame in self._durable(notice)]
        return [*told, frames.mark(frames.cursor_text(feed.cursor))]

    def next(self, notice: Notice) -> list[Frame]:
        """Return the frames of a notice; none for what was seen."""
        if not notice.durable:
            frame = frames.ephemeral(notice, self._store.now())
            return [frame] if frame is not None else []
        if notice.event is not None and notice.event.cursor <= self._cursor.event:
            return []
        if notice.output is not None and notice.output.cursor <= self._cursor.output:
            return []
        track = self._tracks.get(notice.job.id) if notice.job is not None else None
        if track is None:
            return self._durable(notice)
        id_ = frames.cursor_text(notice.cursor) if notice.log is None else None
        return [frame._replace(id=id_) for frame in track.next(notice)]

    def _durable(self, notice: Notice) -> list[Frame]:
        id_, job = frames.cursor_text(notice.cursor), notice.job
        if job is None:
            return []
        if notice.output is not None:
            return [frames.output(job.id, notice.output, id_, notice)]
        if notice.log is not None:
            return [frames.log_line(job.id, notice.log)]
        told = [frames.status(notice, id_)]
        ended = notice.event is not None and notice.event.state in FINAL and job.version == notice.event.version
        return [*told, frames.done(job, self._store.now(), id_)] if ended and job.id in self._watcher.jobs else told
