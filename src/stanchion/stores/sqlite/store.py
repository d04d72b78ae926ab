"""The store's operations, each a function given to the writer or to the reader."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from stanchion.domain.affinity import Bound
from stanchion.domain.dependency import Relations
from stanchion.domain.ids import unpacked
from stanchion.domain.policy import QueuePolicy, TenantPolicy
from stanchion.domain.query import ALL, Cursor, Filter, Scope
from stanchion.domain.units import HOUR
from stanchion.errors import StoreUnavailableError
from stanchion.store import Beat, Claimed, Held, Overdue, WorkerInfo
from stanchion.stores.sqlite import affinity_statements as affinity_sql
from stanchion.stores.sqlite import aging_statements as aging_sql
from stanchion.stores.sqlite import (
    amend,
    claim,
    estimates,
    intake,
    joins,
    loads,
    places,
    reads,
    settle,
    usage,
    watching,
)
from stanchion.stores.sqlite import enqueue as enqueueing
from stanchion.stores.sqlite import resources as resources_
from stanchion.stores.sqlite import schedules as schedules_
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite import workers as fleet
from stanchion.stores.sqlite.cache import SqliteCache
from stanchion.stores.sqlite.clock import BootClock, boot_id, since_boot
from stanchion.stores.sqlite.connection import (
    connect,
    disconnect,
    migrate,
    refuse_network,
    refuse_second_library,
    translated,
)
from stanchion.stores.sqlite.fetch import Row, every, only
from stanchion.stores.sqlite.lanes import Lanes
from stanchion.stores.sqlite.ranks import Ranks
from stanchion.stores.sqlite.signals import CANCEL, CHANGE, SCHEDULE, WORK, Receiver, Sender, folder_for
from stanchion.stores.sqlite.turnstile import Turnstile
from stanchion.stores.sqlite.writer import Tx, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stanchion.domain.dependency import Outline, Parent
    from stanchion.domain.estimates import Durations, Seen, Work
    from stanchion.domain.intake import Pressure
    from stanchion.domain.job import Attempt, Cost, Event, Job, LogLine, NewJob, Output, Preview, State
    from stanchion.domain.limits import Limit, LimitState
    from stanchion.domain.outcome import Settlement
    from stanchion.domain.outlook import Outlook
    from stanchion.domain.policy import Retention
    from stanchion.domain.resources import Resource
    from stanchion.domain.schedule import Firing, NewSchedule, Schedule
    from stanchion.domain.units import Instant, JobId, Millis
    from stanchion.store import (
        Bucket,
        Changes,
        Due,
        Enqueued,
        Fired,
        Flow,
        Lesson,
        Load,
        Noted,
        Page,
        Place,
        PutSchedule,
        QueueStats,
        Refused,
        Signal,
        Upkeep,
        Want,
        WorkerRow,
    )
    from stanchion.stores.sqlite.fetch import Connection

T = TypeVar("T")

SMALL: Final = 16
"""Batches up to this size take well below a millisecond."""
BALLAST: Final = 16 * 1024 * 1024
SCHEMA: Final = 1


class SqliteStore:
    """See `Store`. One instance belongs to one process; several processes may have one file open."""

    name = "sqlite"

    def __init__(  # noqa: PLR0913 - each is a setting of its own
        self,
        path: Path | str,
        *,
        synchronous: str = "full",
        clock: Callable[[], Instant] | None = None,
        vfs: str | None = None,
        allow_network: bool = False,
        ballast: int = BALLAST,
    ) -> None:
        self.path = Path(path).absolute()
        self.durability = synchronous
        self._clock, self._vfs, self._allow_network, self._ballast = clock, vfs, allow_network, ballast
        self._boot_clock = BootClock()
        self._lanes = Lanes()
        self._ranks = Ranks()
        self._pruned_to = 0
        self._writer: Writer | None = None
        self._reader: Connection | None = None
        self._reading: ThreadPoolExecutor | None = None
        self._turnstile: Turnstile | None = None
        self._sender: Sender | None = None
        self._receivers: list[Receiver] = []
        self.cache = SqliteCache(self._read, self._write, self.now)

    # --- opening and closing ----------------------------------------------------------------------------------

    async def open(self) -> None:
        """See `Store.open`."""
        if self._writer is None:
            self.open_now()

    def open_now(self) -> None:
        """Open the file, bring its schema up to date and start the writer.

        Raises:
            UnsafeStoreError: The file is on a network filesystem, or open through another library.
            StoreUnavailableError: It cannot be opened for writing.
            SchemaTooNewError: A newer version wrote it.
        """
        try:
            there = self.path.parent.is_dir()
        except OSError as error:
            message = f"{self.path} cannot be reached: {error.strerror}."
            raise StoreUnavailableError(message, remedy="Check that this user may search the folders above.") from error
        if not there:
            message = f"The folder {self.path.parent} does not exist."
            raise StoreUnavailableError(message, remedy="Create it, or correct the path in the URL.")
        self.path = self.path.resolve()
        if not self._allow_network:
            refuse_network(self.path)
        refuse_second_library(self.path)
        try:
            self._turnstile = Turnstile(self.path.with_name(self.path.name + "-lock"))
        except OSError as error:
            message = f"{self.path} cannot be opened for writing: {error.strerror}."
            raise StoreUnavailableError(message, remedy="Check that this user may write to the folder.") from error
        self._turnstile.enter()
        try:
            setup = connect(self.path, synchronous=self.durability, vfs=self._vfs)
            try:
                with translated(self.path):
                    migrate(setup)
                    self._set_clock(setup)
            finally:
                disconnect(self.path, setup)
        finally:
            self._turnstile.leave()
        self._sender = Sender(folder_for(self.path))
        self._writer = Writer(
            self.path,
            synchronous=self.durability,
            clock=self.now,
            turnstile=self._turnstile,
            sender=self._sender,
            forget=self._lanes.forget,
            vfs=self._vfs,
        )
        if self._ballast and self._vfs is None:
            self._writer.make_ballast(self._ballast)
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="stanchion-reader")

    def _set_clock(self, db: Connection) -> None:
        """Take the clock's offset of this boot from the file, or put this one's there; never behind history."""
        if self._clock is not None:
            return
        db.execute("BEGIN IMMEDIATE")
        try:
            boot, offset = only(db, sql.BOOT)
            if boot != boot_id():
                last = only(db, sql.LAST_INSTANT)[0] or 0
                offset = max(self._boot_clock.offset, last - since_boot())
                db.execute(sql.SET_BOOT, (boot_id(), offset))
            self._boot_clock.offset = offset
        finally:
            db.execute("COMMIT")

    async def close(self) -> None:
        """See `Store.close`."""
        for receiver in self._receivers:
            receiver.close()
        self._receivers.clear()
        writer, self._writer = self._writer, None
        if writer is None:
            return
        await asyncio.get_running_loop().run_in_executor(None, writer.close)
        if self._reading is not None:
            self._reading.shutdown(wait=True)
        if self._reader is not None:
            disconnect(self.path, self._reader)
            self._reader = None
        if self._sender is not None:
            self._sender.close()
        if self._turnstile is not None:
            self._turnstile.close()

    def now(self) -> Instant:
        """See `Store.now`."""
        return self._boot_clock() if self._clock is None else self._clock()

    @property
    def _writing(self) -> Writer:
        if self._writer is None:
            message = "The store is not open."
            raise StoreUnavailableError(message, remedy="Use `async with app:`, or `await app.open()` first.")
        return self._writer

    @property
    def commits(self) -> int:
        """How many write transactions this process has committed."""
        return self._writing.commits

    async def _write(self, operation: Callable[[Tx], T], *, small: bool = True, needs_room: bool = True) -> T:
        return await self._writing.run(operation, small=small, needs_room=needs_room)

    async def _read(self, query: Callable[[Connection], T]) -> T:
        """Run a query on the reader's thread, in a snapshot of its own."""
        self._writing  # noqa: B018 - raises where the store is not open
        if self._reading is None:
            message = "The store is not open."
            raise StoreUnavailableError(message)
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._snapshot, query)

    def _snapshot(self, query: Callable[[Connection], T]) -> T:
        if self._reader is None:
            self._reader = connect(self.path, synchronous=self.durability, vfs=self._vfs)
            self._reader.pragma("query_only", 1)
        with translated(self.path):
            self._reader.execute("BEGIN")
            try:
                return query(self._reader)
            finally:
                self._reader.execute("COMMIT")

    # --- jobs -------------------------------------------------------------------------------------------------

    async def enqueue(self, batch: Sequence[NewJob], *, atomic: bool = False) -> list[Enqueued | Refused]:
        """See `Store.enqueue`."""
        return await self._write(
            lambda tx: enqueueing.enqueue(tx, self._lanes, batch, atomic=atomic), small=len(batch) <= SMALL
        )

    async def claim(self, worker: int, want: Want, settled: Sequence[Settlement] = ()) -> tuple[list[bool], Claimed]:
        """See `Store.claim`."""

        def operation(tx: Tx) -> tuple[list[bool], Claimed]:
            return settle.settle(tx, self._lanes, settled), claim.claim(tx, self._lanes, worker, want)

        small = want.limit + len(settled) <= SMALL
        return await self._write(operation, small=small, needs_room=False)

    async def settle(self, settled: Sequence[Settlement]) -> list[bool]:
        """See `Store.settle`."""
        return await self._write(
            lambda tx: settle.settle(tx, self._lanes, settled), small=len(settled) <= SMALL, needs_room=False
        )

    async def note(self, batch: Sequence[Noted]) -> list[bool]:
        """See `Store.note`."""
        return await self._write(lambda tx: settle.note(tx, batch), small=len(batch) <= SMALL, needs_room=False)

    async def steps(self, ref: int) -> dict[str, bytes]:
        """See `Store.steps`."""
        return await self._read(lambda db: dict(every(db, sql.STEPS, (ref,))))

    async def parents(self, ref: int) -> tuple[Parent, ...]:
        """See `Store.parents`."""
        return await self._read(lambda db: joins.parents(db, ref))

    async def relations(self, job_id: JobId, scope: Scope = ALL) -> Relations:
        """See `Store.relations`."""

        def query(db: Connection) -> Relations:
            found = reads.ref_of(db, job_id, scope)
            return Relations() if found is None else joins.relations(db, found[0])

        return await self._read(query)

    async def workflow(self, workflow: str, scope: Scope = ALL) -> Mapping[State, int]:
        """See `Store.workflow`."""
        return await self._read(lambda db: joins.counts(db, workflow, scope))

    async def outline(self, workflow: str, most: int, scope: Scope = ALL) -> Outline:
        """See `Store.outline`."""
        return await self._read(lambda db: joins.outline(db, workflow, most, scope))

    async def maintain(self, retention: Retention, limit: int) -> Upkeep:
        """See `Store.maintain`."""
        after = self._pruned_to
        answer, self._pruned_to = await self._write(
            lambda tx: amend.maintain(tx, self._lanes, retention, limit, after), small=False, needs_room=False
        )
        if self._ballast and self._vfs is None:
            await asyncio.get_running_loop().run_in_executor(None, self._writing.make_ballast, self._ballast)
        return answer

    async def _amended(
        self, ids: Sequence[JobId], scope: Scope, change: Callable[[Tx, Row], Exception | None]
    ) -> list[Job | Exception]:
        def operation(tx: Tx) -> list[Job | Exception]:
            refusals = amend.each(tx, ids, scope, change)
            jobs = reads.inspect(tx.db, ids, scope)
            return [
                answer
                for refusal, job in zip(refusals, jobs, strict=True)
                if (answer := job if refusal is None else refusal) is not None
            ]

        return await self._write(operation, small=len(ids) <= SMALL, needs_room=False)

    async def cancel(self, ids: Sequence[JobId], scope: Scope = ALL) -> list[Job | Exception]:
        """See `Store.cancel`."""
        return await self._amended(ids, scope, amend.cancel)

    async def retry(self, ids: Sequence[JobId], scope: Scope = ALL) -> list[Job | Exception]:
        """See `Store.retry`."""
        return await self._amended(ids, scope, amend.retry(self._lanes))

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
        change = amend.amend(self._lanes, priority=priority, metadata=metadata, tags=tags)
        return await self._amended(ids, scope, change)

    async def erase(self, ids: Sequence[JobId], scope: Scope = ALL) -> list[bool | Exception]:
        """See `Store.erase`."""

        def operation(tx: Tx) -> list[bool | Exception]:
            return [True if refusal is None else refusal for refusal in amend.each(tx, ids, scope, amend.erase)]

        return await self._write(operation, small=False, needs_room=False)

    # --- workers ----------------------------------------------------------------------------------------------

    async def register(self, worker: WorkerInfo, lease_for: Millis) -> int:
        """See `Store.register`."""

        def operation(tx: Tx) -> int:
            number = fleet.register(tx, worker, lease_for)
            resources_.came(tx, self._lanes, number, worker)
            return number

        return await self._write(operation, needs_room=False)  # or nobody could run what is there on a full disk

    async def pressure(self) -> Pressure:
        """See `Store.pressure`."""
        return await self._read(lambda db: intake.pressure(db, self.now()))

    async def beat(self, workers: Sequence[int], lease_for: Millis) -> list[Beat]:
        """See `Store.beat`."""
        return await self._write(lambda tx: fleet.beat(tx, workers, lease_for), needs_room=False)

    async def held(self, worker: int) -> tuple[Held, ...]:
        """See `Store.held`."""
        return await self._read(lambda db: fleet.held(db, worker))

    async def leave(self, workers: Sequence[int], *, lost: bool = False) -> list[Overdue]:
        """See `Store.leave`."""

        def operation(tx: Tx) -> list[Overdue]:
            left = fleet.leave(tx, workers, lost=lost)
            resources_.gone(tx, self._lanes)
            return left

        return await self._write(operation, needs_room=False)

    async def drain_worker(self, worker: int) -> None:
        """See `Store.drain_worker`."""

        def operation(tx: Tx) -> None:
            fleet.drain(tx, worker)
            resources_.gone(tx, self._lanes)

        await self._write(operation, needs_room=False)

    async def overdue(self, limit: int) -> list[Overdue]:
        """See `Store.overdue`."""

        def operation(tx: Tx) -> list[Overdue]:
            found = fleet.overdue(tx, limit)
            resources_.gone(tx, self._lanes)
            return found

        return await self._write(operation, needs_room=False)

    # --- resources --------------------------------------------------------------------------------------------

    async def release(self, ref: int, attempt: int, name: str) -> bool:
        """See `Store.release`."""
        return await self._write(
            lambda tx: resources_.release(tx, self._lanes, ref, attempt, name), small=True, needs_room=False
        )

    async def set_resource(self, name: str, capacity: int) -> None:
        """See `Store.set_resource`."""
        await self._write(lambda tx: resources_.share(tx, self._lanes, name, capacity))

    async def drop_resource(self, name: str) -> bool:
        """See `Store.drop_resource`."""
        return await self._write(lambda tx: resources_.drop(tx, self._lanes, name), needs_room=False)

    async def resources(self) -> list[Resource]:
        """See `Store.resources`."""
        return await self._read(resources_.listed)

    # --- limits -----------------------------------------------------------------------------------------------

    async def configure_limit(self, limit: Limit) -> None:
        """See `Store.configure_limit`."""
        await self._write(lambda tx: usage.configure(tx, self._lanes, limit), small=False)

    async def drop_limit(self, key: str) -> bool:
        """See `Store.drop_limit`."""
        return await self._write(lambda tx: usage.drop(tx, self._lanes, key), small=False)

    async def park(self, key: str, delay: Millis) -> Instant:
        """See `Store.park`."""
        return await self._write(lambda tx: usage.park(tx, self._lanes, key, delay), needs_room=False)

    async def limits(self) -> list[LimitState]:
        """See `Store.limits`."""
        return await self._read(lambda db: usage.listed(db, self.now()))

    async def workers(self) -> list[WorkerRow]:
        """See `Store.workers`."""
        return await self._read(lambda db: fleet.listed(db, self.now(), HOUR))

    # --- reads ------------------------------------------------------------------------------------------------

    async def inspect(self, ids: Sequence[JobId], scope: Scope = ALL) -> list[Job | None]:
        """See `Store.inspect`."""
        return await self._read(lambda db: reads.inspect(db, ids, scope))

    async def select(self, filter_: Filter, limit: int, scope: Scope = ALL) -> list[JobId]:
        """See `Store.select`."""

        def query(db: Connection) -> list[JobId]:
            refs = [job.ref for job in reads.page(db, filter_, 1 << 30, None, scope).jobs]
            listed = json.dumps(sorted(refs)[:limit])
            return [unpacked(row[0]) for row in every(db, sql.SELECT_IDS, (listed,))]

        return await self._read(query)

    async def list(self, filter_: Filter, *, limit: int, after: str | None = None, scope: Scope = ALL) -> Page:
        """See `Store.list`."""
        return await self._read(lambda db: reads.page(db, filter_, limit, after, scope))

    async def history(self, job_id: JobId, scope: Scope = ALL, after: int = 0) -> tuple[list[Event], list[Attempt]]:
        """See `Store.history`."""
        return await self._read(lambda db: reads.history(db, job_id, scope, after))

    async def outputs(self, job_id: JobId, scope: Scope = ALL, after: int = -1) -> list[Output]:
        """See `Store.outputs`."""
        return await self._read(lambda db: reads.outputs(db, job_id, scope, after))

    async def preview(self, job_id: JobId, scope: Scope = ALL) -> Preview | None:
        """See `Store.preview`."""
        return await self._read(lambda db: reads.preview(db, job_id, scope))

    async def logs(self, job_id: JobId, scope: Scope = ALL, after: int = 0) -> list[LogLine]:
        """See `Store.logs`."""
        return await self._read(lambda db: reads.logs(db, job_id, scope, after))

    async def costs(self, job_id: JobId, scope: Scope = ALL) -> list[Cost]:
        """See `Store.costs`."""
        return await self._read(lambda db: reads.costs(db, job_id, scope))

    async def position(self, ids: Sequence[JobId], scope: Scope = ALL) -> list[Place | None]:
        """See `Store.position`."""
        return await self._read(lambda db: places.places(db, self._ranks, ids, scope, self.now()))

    async def upcoming(self, most: int, scope: Scope = ALL) -> list[JobId]:
        """See `Store.upcoming`."""
        return await self._read(lambda db: [unpacked(row[0]) for row in every(db, sql.UPCOMING, (scope.tenant, most))])

    async def outlook(self, ids: Sequence[JobId], scope: Scope = ALL) -> Outlook:
        """See `Store.outlook`."""
        return await self._read(lambda db: estimates.outlook(db, ids, scope, self.now()))

    async def lessons(self, limit: int) -> Lesson:
        """See `Store.lessons`."""
        return await self._read(lambda db: estimates.lessons(db, limit))

    async def learn(self, since: int, upto: int, seen: Mapping[Work, Seen]) -> bool:
        """See `Store.learn`."""
        return await self._write(lambda tx: estimates.learn(tx, since, upto, seen), small=False)

    async def durations(self) -> Durations:
        """See `Store.durations`."""
        return await self._read(estimates.durations)

    async def stats(self, scope: Scope = ALL) -> list[QueueStats]:
        """See `Store.stats`."""
        return await self._read(lambda db: reads.stats(db, scope))

    async def series(self, window: Millis, step: Millis, scope: Scope = ALL) -> list[Bucket]:
        """See `Store.series`."""
        now = self.now()
        return await self._read(lambda db: watching.series(db, now - window, now, step, scope))

    async def flow(self, window: Millis, scope: Scope = ALL) -> dict[str, Flow]:
        """See `Store.flow`."""
        since = self.now() - window
        return await self._read(lambda db: watching.flow(db, since, scope))

    async def loads(self, window: Millis, scope: Scope = ALL) -> dict[str, Load]:
        """See `Store.loads`."""
        since = self.now() - window
        return await self._read(lambda db: loads.loads(db, since, scope))

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

        def operation(tx: Tx) -> QueuePolicy:
            self._lanes.queue(tx, queue)
            if paused is not None:
                tx.db.execute(sql.SET_PAUSED, (int(paused), queue))
            if max_waiting is not None:
                tx.db.execute(sql.SET_MAX_WAITING, (max_waiting, queue))
            if affinity_jobs is not None:
                tx.db.execute(affinity_sql.SET_AFFINITY_JOBS, (affinity_jobs, queue))
            if affinity_time is not None:
                tx.db.execute(affinity_sql.SET_AFFINITY_TIME, (affinity_time, queue))
            if aging is not None:
                tx.db.execute(aging_sql.SET_AGING, (aging, queue))
            if any(given is not None for given in (paused, max_waiting, affinity_jobs, affinity_time)):
                self._lanes.changed(tx)
            tx.mask |= CHANGE | (WORK if paused is False else 0)
            _, name, is_paused, bound, jobs, time = only(tx.db, sql.QUEUE, (queue,))
            lifted = only(tx.db, aging_sql.AGING, (queue,))[0]
            return QueuePolicy(name, bool(is_paused), bound, Bound(jobs, time), lifted)

        return await self._write(operation)

    async def put_schedules(self, batch: Sequence[NewSchedule]) -> list[PutSchedule]:
        """See `Store.put_schedules`."""
        return await self._write(lambda tx: schedules_.put(tx, batch), small=len(batch) <= SMALL)

    async def schedules(self, scope: Scope = ALL) -> list[Schedule]:
        """See `Store.schedules`."""
        return await self._read(lambda db: schedules_.listed(db, scope))

    async def pause_schedule(self, tenant: str, name: str, *, paused: bool) -> Schedule | None:
        """See `Store.pause_schedule`."""
        return await self._write(lambda tx: schedules_.pause(tx, tenant, name, paused=paused))

    async def drop_schedule(self, tenant: str, name: str) -> bool:
        """See `Store.drop_schedule`."""
        return await self._write(lambda tx: schedules_.drop(tx, tenant, name), needs_room=False)

    async def due_schedules(self, limit: int) -> Due:
        """See `Store.due_schedules`."""
        now = self.now()
        return await self._read(lambda db: schedules_.due(db, now, limit))

    async def fire(self, batch: Sequence[Firing]) -> list[Fired]:
        """See `Store.fire`."""
        small = sum(len(firing.jobs) for firing in batch) <= SMALL
        return await self._write(lambda tx: [schedules_.fire(tx, self._lanes, firing) for firing in batch], small=small)

    async def configure_tenant(self, policy: TenantPolicy) -> None:
        """See `Store.configure_tenant`."""

        def operation(tx: Tx) -> None:
            tx.db.execute(sql.SET_TENANT, policy)
            self._lanes.changed(tx)
            tx.mask |= CHANGE

        await self._write(operation)

    async def tenants(self) -> list[TenantPolicy]:
        """See `Store.tenants`."""
        return await self._read(lambda db: [TenantPolicy(*row) for row in every(db, sql.ALL_TENANTS)])

    async def census(self) -> dict[str, Mapping[State, int]]:
        """See `Store.census`."""
        return await self._read(reads.census)

    async def changes(self, since: Cursor, limit: int = 1000, scope: Scope = ALL) -> Changes:
        """See `Store.changes`."""
        return await self._read(lambda db: watching.changes(db, since, limit, scope))

    async def tail(self) -> Cursor:
        """See `Store.tail`."""
        return await self._read(watching.tail)

    def subscribe(
        self, listener: Callable[[Signal], None], *, claims: bool, watch: bool, schedules: bool = False
    ) -> Callable[[], None]:
        """See `Store.subscribe`."""
        wanted = (WORK | CANCEL if claims else 0) | (CHANGE if watch else 0) | (SCHEDULE if schedules else 0)
        receiver = Receiver(folder_for(self.path), wanted, listener, asyncio.get_running_loop())
        self._receivers.append(receiver)

        def stop() -> None:
            receiver.close()
            if receiver in self._receivers:
                self._receivers.remove(receiver)

        return stop

    async def check(self) -> Mapping[str, object]:
        """See `Store.check`."""

        def query(db: Connection) -> Mapping[str, object]:
            wal = self.path.with_name(self.path.name + "-wal")
            return {
                "path": str(self.path),
                "schema": SCHEMA,
                "sqlite": only(db, "SELECT sqlite_version()")[0],
                "journal_mode": db.pragma("journal_mode"),
                "bytes": self.path.stat().st_size,
                "wal_bytes": wal.stat().st_size if wal.exists() else 0,
                "quick_check": db.pragma("quick_check", 1) if self.path.stat().st_size < 256 << 20 else "skipped",
            }

        facts = dict(await self._read(query))
        levels = ("off", "normal", "full", "extra")
        facts["synchronous"] = await self._write(lambda tx: levels[int(only(tx.db, "PRAGMA synchronous")[0])])
        return facts
