"""Who watches what, and the bounded line of notices that each watcher is served from."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from stanchion.domain.query import ALL, Cursor, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stanchion.domain.job import Event, Job, LogLine, Output, Preview
    from stanchion.domain.units import JobId
    from stanchion.store import Bucket, Place, QueueStats

Ending: TypeAlias = Literal["slow", "gap", "closed", "revoked"]

MAX_DURABLE: Final = 1_024
"""Notices that may wait for one watcher; a slower one is closed and resumes from its cursor."""

MAX_BYTES: Final = 4 * 1024 * 1024
"""Bytes of output chunks that may wait for one watcher."""

MAX_EPHEMERAL: Final = 256


@dataclass(slots=True, kw_only=True)
class Notice:
    """One thing that happened to a job, shared by all who watch it.

    `event`, `output` and `log` notices are durable: in order, each once. The others carry the latest state alone and
    may be dropped or replaced. `forms` is for the one who encodes: what is encoded once serves all watchers.
    """

    kind: Literal["event", "output", "log", "progress", "preview", "position", "stats"]
    job: Job | None = None
    event: Event | None = None
    output: Output | None = None
    log: LogLine | None = None
    preview: Preview | None = None
    place: Place | None = None
    stats: tuple[tuple[QueueStats, ...], Bucket | None] | None = None
    cursor: Cursor = field(default_factory=Cursor)
    forms: dict[str, bytes] = field(default_factory=dict[str, bytes])

    @property
    def durable(self) -> bool:
        """Whether it must arrive."""
        return self.kind in ("event", "output", "log")

    @property
    def size(self) -> int:
        """Return roughly how many bytes it holds on to."""
        return 200 + (len(self.output.data or b"") if self.output is not None else 0)


class Interest(NamedTuple):
    """What a watcher wants to hear of."""

    scope: Scope = ALL
    everything: bool = False
    stats: bool = False


class Watcher:
    """One reader's line of notices: `take()` waits for some; `ended` says why no more will come."""

    def __init__(self, interest: Interest) -> None:
        self.interest = interest
        self.jobs: set[JobId] = set()
        self.queues: set[str] = set()
        self.ended: Ending | None = None
        self._durable: deque[Notice] = deque()
        self._bytes = 0
        self._ephemeral: dict[tuple[str | None, str], Notice] = {}
        self._ready = asyncio.Event()

    def wants(self, job: Job) -> bool:
        """Return whether notices of the job are for this watcher."""
        tenant = self.interest.scope.tenant
        if tenant is not None and job.tenant != tenant:
            return False
        return self.interest.everything or job.id in self.jobs or job.queue in self.queues

    def push(self, notice: Notice) -> None:
        """Put a notice in line; ephemeral ones give way, and a durable one that does not fit ends the watch."""
        if self.ended is not None:
            return
        if notice.durable:
            self._push_durable(notice)
        else:
            key = (notice.job.id if notice.job is not None else None, notice.kind)
            self._ephemeral.pop(key, None)  # the newest goes last
            if len(self._ephemeral) >= MAX_EPHEMERAL:
                del self._ephemeral[next(iter(self._ephemeral))]
            self._ephemeral[key] = notice
        self._ready.set()

    def _push_durable(self, notice: Notice) -> None:
        size = notice.size
        if self._durable and (len(self._durable) >= MAX_DURABLE or self._bytes + size > MAX_BYTES):
            self.end("slow")
            return
        self._durable.append(notice)
        self._bytes += size
        if notice.kind == "event" and notice.job is not None:
            for kind in ("progress", "preview", "position"):  # what was said before the event is stale
                self._ephemeral.pop((notice.job.id, kind), None)

    def end(self, why: Ending) -> None:
        """Take no more notices. What is in line is still served, unless the reader was too slow."""
        if self.ended is None:
            self.ended = why
            if why == "slow":
                self._durable.clear()
            self._ephemeral.clear()
            self._ready.set()

    async def take(self) -> list[Notice]:
        """Wait for notices and return all in line, durable ones first; empty once the watch has ended."""
        if not self._durable and not self._ephemeral and self.ended is None:
            self._ready.clear()
            await self._ready.wait()
        notices = [*self._durable, *self._ephemeral.values()]
        self._durable.clear()
        self._ephemeral.clear()
        self._bytes = 0
        return notices


class Roster:
    """The watchers of a process, indexed by what they watch."""

    def __init__(self) -> None:
        self.members: set[Watcher] = set()
        self.by_job: dict[JobId, set[Watcher]] = {}
        self._broad: set[Watcher] = set()

    def add(self, watcher: Watcher) -> None:
        """Enter a watcher that watches no job by name yet."""
        self.members.add(watcher)
        if watcher.interest.everything:
            self._broad.add(watcher)

    def remove(self, watcher: Watcher) -> None:
        """Forget a watcher and all that it watched."""
        self.members.discard(watcher)
        self._broad.discard(watcher)
        for job_id in tuple(watcher.jobs):
            self.drop(watcher, job_id)

    def follow(self, watcher: Watcher, jobs: Iterable[JobId] = (), queues: Iterable[str] = ()) -> None:
        """Add jobs and queues to what a watcher watches."""
        for job_id in jobs:
            watcher.jobs.add(job_id)
            self.by_job.setdefault(job_id, set()).add(watcher)
        watcher.queues.update(queues)
        if watcher.queues:
            self._broad.add(watcher)

    def drop(self, watcher: Watcher, job_id: JobId) -> None:
        """Take one job from what a watcher watches."""
        watcher.jobs.discard(job_id)
        others = self.by_job.get(job_id)
        if others is not None:
            others.discard(watcher)
            if not others:
                del self.by_job[job_id]

    def leave(self, watcher: Watcher, queue: str) -> None:
        """Take one queue from what a watcher watches."""
        watcher.queues.discard(queue)
        if not watcher.queues and not watcher.interest.everything:
            self._broad.discard(watcher)

    @property
    def broad(self) -> bool:
        """Whether somebody watches more than jobs by name."""
        return bool(self._broad)

    def of(self, job: Job) -> list[Watcher]:
        """Return the watchers of a job, each once."""
        named = self.by_job.get(job.id, ())
        return (
            [w for w in {*named, *self._broad} if w.wants(job)] if self._broad else [w for w in named if w.wants(job)]
        )

    def deliver_named(self, notice: Notice) -> None:
        """Put a notice of a job in line for those who watch the job by name."""
        if notice.job is not None:
            for watcher in self.by_job.get(notice.job.id, ()):
                if watcher.wants(notice.job):
                    watcher.push(notice)

    def deliver(self, notice: Notice) -> None:
        """Put a notice of a job in line for all who watch the job."""
        if notice.job is not None:
            for watcher in self.of(notice.job):
                watcher.push(notice)
