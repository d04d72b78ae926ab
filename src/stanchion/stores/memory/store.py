"""`MemoryStore`: the store protocol over plain tables; no method awaits, so each is atomic in its loop."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

from stanchion.domain.dependency import Relations
from stanchion.domain.query import ALL, Cursor
from stanchion.store import Signal
from stanchion.stores.memory import (
    attempts,
    charges,
    control,
    estimates,
    intake,
    joins,
    limits,
    loads,
    reads,
    resources,
    schedules,
)
from stanchion.stores.memory.cache import ModelCache
from stanchion.stores.memory.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stanchion.domain.dependency import Outline, Parent
    from stanchion.domain.estimates import Durations, Seen, Work
    from stanchion.domain.intake import Pressure
    from stanchion.domain.job import Attempt, Cost, Event, Job, LogLine, NewJob, Output, Preview, State
    from stanchion.domain.limits import Limit, LimitState
    from stanchion.domain.outcome import Settlement
    from stanchion.domain.outlook import Outlook
    from stanchion.domain.policy import QueuePolicy, Retention, TenantPolicy
    from stanchion.domain.query import Filter, Scope
    from stanchion.domain.resources import Resource
    from stanchion.domain.schedule import Firing, NewSchedule, Schedule
    from stanchion.domain.units import Instant, JobId, Millis
    from stanchion.store import (
        Beat,
        Bucket,
        Changes,
        Claimed,
        Due,
        Enqueued,
        Fired,
        Flow,
        Held,
        Lesson,
        Load,
        Noted,
        Overdue,
        Page,
        Place,
        PutSchedule,
        QueueStats,
        Refused,
        Upkeep,
        Want,
        WorkerInfo,
        WorkerRow,
    )


def _wall() -> Instant:
    return time.time_ns() // 1_000_000


class _Listener(NamedTuple):
    loop: asyncio.AbstractEventLoop
    call: Callable[[Signal], None]
    kinds: frozenset[str]


class MemoryStore:
    """The model that every other store is held to; nothing in it outlives the process.

    Args:
        clock: The store's clock, in ms since the epoch; the wall clock by default.
    """

    name: str = "memory"
    durability: str = "none"

    def __init__(self, clock: Callable[[], Instant] | None = None) -> None:
        self._clock = clock or _wall
        self._tables = Tables()
        self.cache = ModelCache(self._tables, self.now)
        self._listeners: dict[int, _Listener] = {}
        self._subscribed = 0

    async def open(self) -> None:
        """See `Store.open`."""

    async def close(self) -> None:
        """See `Store.close`."""
        self._listeners.clear()

    def now(self) -> Instant:
        """See `Store.now`."""
        return self._clock()

    async def enqueue(self, batch: Sequence[NewJob], *, atomic: bool = False) -> list[Enqueued | Refused]:
        """See `Store.enqueue`."""
        now = self.now()
        tables = self._tables
        answers = joins.enqueue(tables, batch, now, lambda new: attempts.enqueue(tables, new, now), atomic=atomic)
        self._hint()
        return answers

    async def register(self, worker: WorkerInfo, lease_for: Millis) -> int:
        """See `Store.register`."""
        number = control.register(self._tables, worker, lease_for, self.now())
        self._hint()
        return number

    async def claim(self, worker: int, want: Want, settled: Sequence[Settlement] = ()) -> tuple[list[bool], Claimed]:
        """See `Store.claim`."""
        now = self.now()
        applied = self._settle(settled, now)
        joins.resolve(self._tables, now)
        claimed = attempts.claim(self._tables, worker, want, now)
        joins.resolve(self._tables, now)
        self._hint()
        return applied, claimed

    async def settle(self, settled: Sequence[Settlement]) -> list[bool]:
        """See `Store.settle`."""
        now = self.now()
        applied = self._settle(settled, now)
        joins.resolve(self._tables, now)
        self._hint()
        return applied

    def _settle(self, settled: Sequence[Settlement], now: Instant) -> list[bool]:
        held = [self._tables.holds.get(end.ref, ("", ()))[1] for end in settled]
        charges.correct(self._tables, settled, now)
        applied = [attempts.settle(self._tables, end, now) for end in settled]
        freed = [hold for holds, done in zip(held, applied, strict=True) if done for hold in holds]
        ended = [self._tables.jobs[end.ref] for end, done in zip(settled, applied, strict=True) if done]
        limits.ended(self._tables, ended, now, freed)
        return applied

    async def note(self, batch: Sequence[Noted]) -> list[bool]:
        """See `Store.note`."""
        now = self.now()
        applied = [attempts.note(self._tables, noted, now) for noted in batch]
        self._hint()
        return applied

    async def steps(self, ref: int) -> dict[str, bytes]:
        """See `Store.steps`."""
        return dict(self._tables.steps.get(ref, {}))

    async def parents(self, ref: int) -> tuple[Parent, ...]:
        """See `Store.parents`."""
        return joins.parents(self._tables, ref)

    async def relations(self, job_id: JobId, scope: Scope = ALL) -> Relations:
        """See `Store.relations`."""
        job = self._tables.find(job_id, scope)
        return Relations() if job is None else joins.relations(self._tables, job)

    async def workflow(self, workflow: str, scope: Scope = ALL) -> Mapping[State, int]:
        """See `Store.workflow`."""
        return joins.counts(self._tables, workflow, scope)

    async def outline(self, workflow: str, most: int, scope: Scope = ALL) -> Outline:
        """See `Store.outline`."""
        return joins.outline(self._tables, workflow, most, scope)

    async def beat(self, workers: Sequence[int], lease_for: Millis) -> list[Beat]:
        """See `Store.beat`."""
        now = self.now()
        return [control.beat(self._tables, worker, lease_for, now) for worker in workers]

    async def held(self, worker: int) -> tuple[Held, ...]:
        """See `Store.held`."""
        return control.held(self._tables, worker)

    async def leave(self, workers: Sequence[int], *, lost: bool = False) -> list[Overdue]:
        """See `Store.leave`."""
        left = control.leave(self._tables, workers, "lost" if lost else "stopped", self.now())
        self._hint()
        return left

    async def drain_worker(self, worker: int) -> None:
        """See `Store.drain_worker`."""
        known = self._tables.workers.get(worker)
        if known is not None and known.state == "alive":
            known.state = "draining"
            resources.gone(self._tables, self.now())
            self._tables.hints.add("change")
            self._hint()

    async def overdue(self, limit: int) -> list[Overdue]:
        """See `Store.overdue`."""
        found = control.overdue(self._tables, limit, self.now())
        self._hint()
        return found

    async def maintain(self, retention: Retention, limit: int) -> Upkeep:
        """See `Store.maintain`."""
        upkeep = control.maintain(self._tables, retention, limit, self.now())
        self._hint()
        return upkeep

    async def cancel(self, ids: Sequence[JobId], scope: Scope = ALL) -> list[Job | Exception]:
        """See `Store.cancel`."""
        now = self.now()
        answers = [control.cancel(self._tables, job_id, scope, now) for job_id in ids]
        joins.resolve(self._tables, now)
        self._hint()
        return answers

    async def retry(self, ids: Sequence[JobId], scope: Scope = ALL) -> list[Job | Exception]:
        """See `Store.retry`."""
        now = self.now()
        answers = [control.retry(self._tables, job_id, scope, now) for job_id in ids]
        self._hint()
        return answers

    async def amend(
        self,
        ids: Sequence[JobId],
        *,
        priority: int | None = None,
        metadata: bytes | None = None,
        tags: tuple[str, ...] | None = None,
        scope: Scope = ALL,
    ) -> list[Job | Exception]:
        """See `Store.amend`."""
        answers = [
            control.amend(self._tables, job_id, scope, priority=priority, metadata=metadata, tags=tags)
            for job_id in ids
        ]
        self._hint()
        return answers

    async def erase(self, ids: Sequence[JobId], scope: Scope = ALL) -> list[bool | Exception]:
        """See `Store.erase`."""
        answers = [control.erase(self._tables, job_id, scope) for job_id in ids]
        self._hint()
        return answers

    async def select(self, filter_: Filter, limit: int, scope: Scope = ALL) -> list[JobId]:
        """See `Store.select`."""
        return [job.id for job in reads.matching(self._tables, filter_, scope)[:limit]]

    async def inspect(self, ids: Sequence[JobId], scope: Scope = ALL) -> list[Job | None]:
        """See `Store.inspect`."""
        return [self._tables.find(job_id, scope) for job_id in ids]

    async def history(self, job_id: JobId, scope: Scope = ALL, after: int = 0) -> tuple[list[Event], list[Attempt]]:
        """See `Store.history`."""
        job = self._tables.find(job_id, scope)
        if job is None:
            return [], []
        events = [event for event in self._tables.events[job.ref] if event.version > after]
        return events, list(self._tables.attempts.get(job.ref, ()))

    async def outputs(self, job_id: JobId, scope: Scope = ALL, after: int = -1) -> list[Output]:
        """See `Store.outputs`."""
        job = self._tables.find(job_id, scope)
        if job is None:
            return []
        outputs = self._tables.outputs.get(job.ref, ())
        return [output for output in outputs if output.attempt == job.attempt and output.index > after]

    async def preview(self, job_id: JobId, scope: Scope = ALL) -> Preview | None:
        """See `Store.preview`."""
        job = self._tables.find(job_id, scope)
        return None if job is None else self._tables.previews.get(job.ref)

    async def logs(self, job_id: JobId, scope: Scope = ALL, after: int = 0) -> list[LogLine]:
        """See `Store.logs`."""
        job = self._tables.find(job_id, scope)
        lines = () if job is None else self._tables.logs.get(job.ref, ())
        return [line for line in lines if line.cursor > after]

    async def costs(self, job_id: JobId, scope: Scope = ALL) -> list[Cost]:
        """See `Store.costs`."""
        job = self._tables.find(job_id, scope)
        return [] if job is None else list(self._tables.costs.get(job.ref, ()))

    async def position(self, ids: Sequence[JobId], scope: Scope = ALL) -> list[Place | None]:
        """See `Store.position`."""
        now = self.now()
        jobs = [self._tables.find(job_id, scope) for job_id in ids]
        return [None if job is None else reads.place(self._tables, job, now) for job in jobs]

    async def upcoming(self, most: int, scope: Scope = ALL) -> list[JobId]:
        """See `Store.upcoming`."""
        return reads.upcoming(self._tables, most, scope)

    async def outlook(self, ids: Sequence[JobId], scope: Scope = ALL) -> Outlook:
        """See `Store.outlook`."""
        return estimates.outlook(self._tables, ids, scope, self.now())

    async def lessons(self, limit: int) -> Lesson:
        """See `Store.lessons`."""
        return estimates.lessons(self._tables, limit)

    async def learn(self, since: int, upto: int, seen: Mapping[Work, Seen]) -> bool:
        """See `Store.learn`."""
        return estimates.learn(self._tables, since, upto, seen)

    async def durations(self) -> Durations:
        """See `Store.durations`."""
        return estimates.durations(self._tables)

    async def stats(self, scope: Scope = ALL) -> list[QueueStats]:
        """See `Store.stats`."""
        return reads.stats(self._tables, scope)

    async def series(self, window: Millis, step: Millis, scope: Scope = ALL) -> list[Bucket]:
        """See `Store.series`."""
        return reads.series(self._tables, window, step, scope, self.now())

    async def flow(self, window: Millis, scope: Scope = ALL) -> dict[str, Flow]:
        """See `Store.flow`."""
        return reads.flow(self._tables, window, scope, self.now())

    async def loads(self, window: Millis, scope: Scope = ALL) -> dict[str, Load]:
        """See `Store.loads`."""
        return loads.loads(self._tables, window, scope, self.now())

    async def configure(  # noqa: PLR0913 - each may change
        self,
        queue: str,
        *,
        paused: bool | None = None,
        max_waiting: int | None = None,
        affinity_jobs: int | None = None,
        affinity_time: Millis | None = None,
        aging: Millis | None = None,
    ) -> QueuePolicy:
        """See `Store.configure`."""
        policy = control.configure(
            self._tables,
            queue,
            paused=paused,
            max_waiting=max_waiting,
            affinity_jobs=affinity_jobs,
            affinity_time=affinity_time,
            aging=aging,
        )
        self._hint()
        return policy

    async def pressure(self) -> Pressure:
        """See `Store.pressure`."""
        return intake.pressure(self._tables, self.now())

    async def put_schedules(self, batch: Sequence[NewSchedule]) -> list[PutSchedule]:
        """See `Store.put_schedules`."""
        answers = schedules.put(self._tables, batch, self.now())
        self._hint()
        return answers

    async def schedules(self, scope: Scope = ALL) -> list[Schedule]:
        """See `Store.schedules`."""
        return schedules.listed(self._tables, scope)

    async def pause_schedule(self, tenant: str, name: str, *, paused: bool) -> Schedule | None:
        """See `Store.pause_schedule`."""
        answer = schedules.pause(self._tables, tenant, name, paused=paused, now=self.now())
        self._hint()
        return answer

    async def drop_schedule(self, tenant: str, name: str) -> bool:
        """See `Store.drop_schedule`."""
        return self._tables.schedules.pop((tenant, name), None) is not None

    async def due_schedules(self, limit: int) -> Due:
        """See `Store.due_schedules`."""
        return schedules.due(self._tables, limit, self.now())

    async def fire(self, batch: Sequence[Firing]) -> list[Fired]:
        """See `Store.fire`."""
        now = self.now()
        answers = [schedules.fire(self._tables, firing, now) for firing in batch]
        self._hint()
        return answers

    async def configure_tenant(self, policy: TenantPolicy) -> None:
        """See `Store.configure_tenant`."""
        control.configure_tenant(self._tables, policy)
        self._hint()

    async def tenants(self) -> list[TenantPolicy]:
        """See `Store.tenants`."""
        return [self._tables.tenants[name] for name in sorted(self._tables.tenants)]

    async def census(self) -> dict[str, Mapping[State, int]]:
        """See `Store.census`."""
        return reads.census(self._tables)

    async def configure_limit(self, limit: Limit) -> None:
        """See `Store.configure_limit`."""
        limits.configure(self._tables, limit)
        self._hint()

    async def drop_limit(self, key: str) -> bool:
        """See `Store.drop_limit`."""
        dropped = limits.drop(self._tables, key)
        self._hint()
        return dropped

    async def park(self, key: str, delay: Millis) -> Instant:
        """See `Store.park`."""
        until = limits.park(self._tables, key, delay, self.now())
        self._hint()
        return until

    async def limits(self) -> list[LimitState]:
        """See `Store.limits`."""
        return limits.listed(self._tables, self.now())

    async def release(self, ref: int, attempt: int, name: str) -> bool:
        """See `Store.release`."""
        released = resources.release(self._tables, ref, attempt, name, self.now())
        self._hint()
        return released

    async def set_resource(self, name: str, capacity: int) -> None:
        """See `Store.set_resource`."""
        resources.share(self._tables, name, capacity, self.now())
        self._hint()

    async def drop_resource(self, name: str) -> bool:
        """See `Store.drop_resource`."""
        dropped = resources.drop(self._tables, name, self.now())
        self._hint()
        return dropped

    async def resources(self) -> list[Resource]:
        """See `Store.resources`."""
        return resources.listed(self._tables)

    async def workers(self) -> list[WorkerRow]:
        """See `Store.workers`."""
        return reads.workers(self._tables, self.now())

    async def changes(self, since: Cursor, limit: int = 1000, scope: Scope = ALL) -> Changes:
        """See `Store.changes`."""
        return reads.changes(self._tables, since, limit, scope)

    async def tail(self) -> Cursor:
        """See `Store.tail`."""
        return reads.tail(self._tables)

    def subscribe(
        self, listener: Callable[[Signal], None], *, claims: bool, watch: bool, schedules: bool = False
    ) -> Callable[[], None]:
        """See `Store.subscribe`."""
        wanted = {"work": claims, "cancel": claims, "change": watch, "schedule": schedules}
        kinds = frozenset(kind for kind, asked in wanted.items() if asked)
        self._subscribed += 1
        number = self._subscribed
        self._listeners[number] = _Listener(asyncio.get_running_loop(), listener, kinds)

        def stop() -> None:
            self._listeners.pop(number, None)

        return stop

    async def check(self) -> Mapping[str, object]:
        """See `Store.check`."""
        return {"schema": 1, "durability": self.durability, "jobs": len(self._tables.jobs), "warnings": ()}

    # Last, because inside the class body its name hides the builtin that the annotations above use.
    async def list(self, filter_: Filter, *, limit: int, after: str | None = None, scope: Scope = ALL) -> Page:
        """See `Store.list`."""
        return reads.page(self._tables, filter_, limit, after, scope)

    def _hint(self) -> None:
        """Tell the listeners, in their loops, what kinds of change were just made."""
        self._tables.join()
        kinds = sorted(self._tables.hints)
        self._tables.hints.clear()
        for listener in self._listeners.values():
            for kind in kinds:
                if kind in listener.kinds and not listener.loop.is_closed():
                    listener.loop.call_soon(listener.call, Signal(kind))
