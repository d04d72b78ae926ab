"""The store protocol: atomic batch operations, named after what they mean.

Each operation takes a batch and answers item by item, in order. It happens whole or not at all and may be
repeated when its reply was lost. The store's own clock decides leases and due times. Every read and every
change by a caller stays within a `Scope`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from stanchion.domain.query import ALL, Cursor, Filter, Scope
from stanchion.errors import NotAloneError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stanchion.cache import Cache
    from stanchion.domain.batches import Batching, Joining
    from stanchion.domain.dependency import Outline, Parent, Relations
    from stanchion.domain.estimates import Durations, Ended, Seen, Work
    from stanchion.domain.eta import Eta
    from stanchion.domain.intake import Pressure, Warned
    from stanchion.domain.job import (
        Attempt,
        Cost,
        Event,
        Job,
        Lease,
        LogLine,
        NewJob,
        Output,
        Preview,
        State,
    )
    from stanchion.domain.limits import Limit, LimitState
    from stanchion.domain.outcome import Settlement
    from stanchion.domain.outlook import Outlook
    from stanchion.domain.policy import QueuePolicy, Retention, TenantPolicy
    from stanchion.domain.resources import Resource
    from stanchion.domain.schedule import Firing, NewSchedule, Schedule
    from stanchion.domain.units import Instant, JobId, Millis


class Enqueued(NamedTuple):
    """The answer to one enqueue: the job's id, and whether it was new or joined one that was there.

    `cached` says that it is new and was completed at once, with a result of the cache. `warnings` are of the keys of
    which so many jobs wait and run by now that it is warned of.
    """

    id: JobId
    state: State
    new: bool
    version: int = 1
    cached: bool = False
    warnings: tuple[Warned, ...] = ()

    @property
    def created(self) -> bool:
        """Whether it is a new job that is yet to run."""
        return self.new and not self.cached


class Refused(NamedTuple):
    """One item of a batch that was not stored, and why."""

    error: Exception


def all_refused(answers: Sequence[Enqueued | Refused]) -> list[Enqueued | Refused]:
    """Return the answers to a batch that is stored as a whole, of which something was refused."""
    return [answer if isinstance(answer, Refused) else Refused(NotAloneError()) for answer in answers]


class Want(NamedTuple):
    """What a worker asks of a claim.

    Only jobs of the named tasks are claimed; `queues` None means every queue that is not paused. Of the tasks in
    `batches`, jobs that may run together start as one group, which counts once against `limit`. With `join` only
    those start that may join a group which waits for more.
    """

    limit: int
    tasks: frozenset[str]
    queues: tuple[str, ...] | None = None
    warm: frozenset[str] = frozenset()
    """The models that are loaded where the jobs will run; see `domain.affinity`."""
    batches: Mapping[str, Batching] = {}
    join: Joining | None = None


class Claimed(NamedTuple):
    """The leases of one claim, and in how many ms the next waiting job falls due (None: nothing waits).

    `coming` has the groups with room of whose key more falls due within the time that was asked for, by their number
    (0 for a group that was joined), and in how many ms the first of it does.
    """

    leases: tuple[Lease, ...]
    next_due: Millis | None = None
    coming: Mapping[int, Millis] = {}


class ProgressNote(NamedTuple):
    """The latest progress of an attempt; replaces the one before."""

    index: float  # pyright: ignore[reportIncompatibleMethodOverride] - shadows tuple.index, which nobody calls
    length: float
    unit: str | None = None
    message: str | None = None
    stage: str | None = None


class PreviewNote(NamedTuple):
    """The latest preview of an attempt; replaces the one before."""

    data: bytes
    content_type: str
    width: int | None = None
    height: int | None = None
    step: int | None = None


class OutputNote(NamedTuple):
    """One more output: a chunk (`data`), or an artifact by its content hash."""

    kind: str
    data: bytes | None = None
    name: str | None = None
    content_type: str | None = None
    size: int = 0
    artifact: str | None = None
    width: int | None = None
    height: int | None = None


class LogNote(NamedTuple):
    """One line of a handler's log."""

    level: str
    message: str


class StepNote(NamedTuple):
    """A finished step's encoded result; kept over attempts."""

    name: str
    result: bytes


class CostNote(NamedTuple):
    """A cost that arose, as a decimal text and a unit."""

    amount: str
    unit: str


Note: TypeAlias = ProgressNote | PreviewNote | OutputNote | LogNote | StepNote | CostNote


class Noted(NamedTuple):
    """A note and the attempt that writes it: the fence."""

    ref: int
    attempt: int
    note: Note


class WorkerInfo(NamedTuple):
    """What a worker says of itself when it registers."""

    incarnation: str
    host: str
    pid: int
    slots: int
    queues: tuple[str, ...] | None
    tasks: tuple[str, ...]
    supervisor: str | None = None
    version: str = ""
    capabilities: Mapping[str, int | str] = {}
    resources: Mapping[str, int] = {}
    """What its worker tree has: amounts by name, and devices (`gpu:0`) with their shares."""


class WorkerRow(NamedTuple):
    """A worker as the registry knows it. `state` is idle, busy, draining, lost or stopped."""

    id: int
    info: WorkerInfo
    state: str
    started_at: Instant
    beat_at: Instant
    alive: bool
    running: int
    jobs: tuple[JobId, ...]
    done: int
    failed: int
    mean_ms: float | None
    holds: Mapping[str, int] = {}
    """What its attempts hold now, by name and by device."""
    warm: tuple[str, ...] = ()
    """The models that it has loaded, by name."""
    swaps: int = 0
    """How often it started a job of a model that it did not have loaded."""


class Held(NamedTuple):
    """An attempt that a worker still holds."""

    ref: int
    attempt: int
    cancel_requested: bool


class Beat(NamedTuple):
    """The answer to a beat: False says that the worker was declared lost and must start anew."""

    alive: bool
    held: tuple[Held, ...]


class Overdue(NamedTuple):
    """A lease whose worker fell silent."""

    lease: Lease
    worker: str


class Upkeep(NamedTuple):
    """What one round of maintenance did."""

    promoted: int = 0
    expired: int = 0
    pruned: int = 0
    artifacts: tuple[str, ...] = ()
    """Content hashes that no job refers to any more."""
    next_due: Millis | None = None
    resolved: int = 0
    """How many ended parents had more children than their own transaction could tell, and told some now."""
    uncached: int = 0
    """How many entries left the cache: too old, or not used for longest while it was too large."""
    aged: int = 0
    """How many jobs waited so long that they were lifted to a more urgent priority."""
    relieved: tuple[str, ...] = ()
    """The keys that were warned of, and of which few enough jobs are left now."""


class QueueStats(NamedTuple):
    """A queue's counts by state, and its policy."""

    policy: QueuePolicy
    counts: Mapping[State, int]
    oldest_queued_at: Instant | None


class Page(NamedTuple):
    """Jobs, newest first, and the cursor of the next page."""

    jobs: tuple[Job, ...]
    next: str | None


class Live(NamedTuple):
    """A job whose progress or preview changed."""

    job: Job
    preview: bool


class OutputItem(NamedTuple):
    """An output and whose it is."""

    id: JobId
    output: Output


class Changes(NamedTuple):
    """What changed since a cursor, and the cursor to go on from.

    `gap` says that events after the cursor are no longer kept: take a snapshot and go on from `cursor`.
    """

    events: tuple[Event, ...]
    outputs: tuple[OutputItem, ...]
    live: tuple[JobId, ...]
    cursor: Cursor
    gap: bool = False
    more: bool = False


class Place(NamedTuple):
    """Where a job stands in line: 1 starts next, 0 runs, None cannot start, with the reason.

    `eta` is the time left, in ms, where it can be said; stores leave it out, and the engine adds it.
    """

    position: int | None
    reason: str | None = None
    key: str | None = None
    until: Instant | None = None
    eta: Eta | None = None


class Lesson(NamedTuple):
    """Attempts that ended after one event up to another, to learn durations from.

    `since` is how far was learned already; where `upto` is the same, nothing is new. `more` says that events remain.
    """

    since: int
    upto: int
    ended: tuple[Ended, ...] = ()
    more: bool = False


class Bucket(NamedTuple):
    """One interval of the recent past: counts, and waits and runs in ms (unordered samples)."""

    at: Instant
    enqueued: int
    started: int
    completed: int
    failed: int
    waits: tuple[int, ...]
    runs: tuple[int, ...]


class Flow(NamedTuple):
    """What happened to a queue's jobs in a window: attempts that started, jobs that completed and that failed."""

    started: int = 0
    completed: int = 0
    failed: int = 0


class Load(NamedTuple):
    """What was asked of a queue's workers in a window, and what of it waits for a limit now.

    Attributes:
        arrived: How often a job came to wait for a worker: new, due, retried or given back.
        started: Attempts that started.
        ended: Attempts that ended by themselves: completed, failed, or to be made again.
        took: How long those that ended ran, summed, in ms.
        held: Jobs that wait for a limit now, which more workers would not start.
    """

    arrived: int = 0
    started: int = 0
    ended: int = 0
    took: Millis = 0
    held: int = 0


class PutSchedule(NamedTuple):
    """The answer to one put: the schedule as it stands, and whether its name is new."""

    schedule: Schedule
    new: bool


class Due(NamedTuple):
    """Schedules whose next tick has come, the longest overdue first; and when others will be.

    `now` is the store's clock at that time; `next_due` the ms until the first tick that is still to come (None:
    none is).
    """

    now: Instant
    schedules: tuple[Schedule, ...] = ()
    next_due: Millis | None = None


class Fired(NamedTuple):
    """The answer to one firing.

    `applied` False says that the schedule is no longer as the firing found it, and nothing changed. Otherwise
    `jobs` has an answer for each tick: None where the tick was skipped, since the previous job had not ended. A
    refusal is the last answer: the schedule waits at that tick.
    """

    applied: bool
    jobs: tuple[Enqueued | Refused | None, ...] = ()


class Signal(NamedTuple):
    """A hint that may be lost: of something to claim, to cancel or to watch, or of a schedule that changed."""

    kind: str


class Store(Protocol):
    """What the engine needs of a storage engine."""

    name: str
    durability: str

    @property
    def cache(self) -> Cache:
        """The level of the result cache that the store itself keeps; `settle` writes its entries."""
        ...

    async def open(self) -> None:
        """Open and migrate; may be called once."""
        ...

    async def close(self) -> None:
        """Flush and close; idempotent."""
        ...

    def now(self) -> Instant:
        """Return the store's clock."""
        ...

    async def enqueue(self, batch: Sequence[NewJob], *, atomic: bool = False) -> list[Enqueued | Refused]:
        """Store new jobs, or join those that dedup and idempotency keys name; durable on return.

        Jobs may depend on jobs of the batch, in any order. `atomic` stores all or none: where one is refused,
        every answer is a refusal.

        A request with `intake` is asked more: it may be refused, wait behind other jobs of its conflict key, or
        cancel them, all in the same transaction. A refused request cancels nothing.

        A request with `cache` whose key has a living entry is stored as completed, with the entry's result and outputs.
        """
        ...

    async def register(self, worker: WorkerInfo, lease_for: Millis) -> int:
        """Add a worker to the registry; the answer is its id. Idempotent by incarnation."""
        ...

    async def claim(self, worker: int, want: Want, settled: Sequence[Settlement] = ()) -> tuple[list[bool], Claimed]:
        """Settle what ended, then lease what may start: one transaction, so that a settle rides for free.

        Answers whether each settlement applied (False: the attempt is not the running one), and the leases.
        A worker that is not alive gets no lease.
        """
        ...

    async def settle(self, settled: Sequence[Settlement]) -> list[bool]:
        """End attempts; False where the attempt is not the running one, and then nothing changed."""
        ...

    async def note(self, batch: Sequence[Noted]) -> list[bool]:
        """Record progress, previews, outputs, logs, steps and costs of running attempts, fenced as `settle`."""
        ...

    async def steps(self, ref: int) -> dict[str, bytes]:
        """Return the finished steps of a job, by name."""
        ...

    async def parents(self, ref: int) -> tuple[Parent, ...]:
        """Return the jobs that a job depends on, in the order of its request, with their results."""
        ...

    async def relations(self, job_id: JobId, scope: Scope = ALL) -> Relations:
        """Return a job's parents (without results), its first 1,000 children, and its workflows."""
        ...

    async def workflow(self, workflow: str, scope: Scope = ALL) -> Mapping[State, int]:
        """Return how many jobs of a workflow are in each state; empty where there are none in scope."""
        ...

    async def outline(self, workflow: str, most: int, scope: Scope = ALL) -> Outline:
        """Return the first `most` jobs of a workflow by state, and as many edges of its newest; empty out of scope."""
        ...

    async def beat(self, workers: Sequence[int], lease_for: Millis) -> list[Beat]:
        """Extend the leases of living workers and tell what each still holds and whose cancel was asked."""
        ...

    async def held(self, worker: int) -> tuple[Held, ...]:
        """Return the attempts that a worker holds; extends nothing."""
        ...

    async def leave(self, workers: Sequence[int], *, lost: bool = False) -> list[Overdue]:
        """Mark workers stopped (or lost) and return the leases they still hold, for the engine to settle."""
        ...

    async def drain_worker(self, worker: int) -> None:
        """Mark a worker as draining: it claims no more."""
        ...

    async def overdue(self, limit: int) -> list[Overdue]:
        """Mark silent workers lost and return the leases of lost workers; the engine settles them as `Lost`."""
        ...

    async def maintain(self, retention: Retention, limit: int) -> Upkeep:
        """Promote what is due, expire what is too late, prune what is old; at most `limit` of each."""
        ...

    async def cancel(self, ids: Sequence[JobId], scope: Scope = ALL) -> list[Job | Exception]:
        """Cancel waiting jobs, ask running ones; a final job is answered as it is."""
        ...

    async def retry(self, ids: Sequence[JobId], scope: Scope = ALL) -> list[Job | Exception]:
        """Queue failed jobs anew with a fresh budget of attempts; `WrongStateError` for other states.

        A job waits again for those it depends on that have not ended; `DependencyError` where one has failed.
        """
        ...

    async def amend(
        self,
        ids: Sequence[JobId],
        *,
        priority: int | None = None,
        metadata: bytes | None = None,
        tags: tuple[str, ...] | None = None,
        scope: Scope = ALL,
    ) -> list[Job | Exception]:
        """Change priority (waiting jobs), replace metadata or tags; bumps no version."""
        ...

    async def erase(self, ids: Sequence[JobId], scope: Scope = ALL) -> list[bool | Exception]:
        """Delete final jobs and all they produced; `WrongStateError` for others.

        `StillNeededError` where a job that has not ended depends on one.
        """
        ...

    async def select(self, filter_: Filter, limit: int, scope: Scope = ALL) -> list[JobId]:
        """Return the ids of at most `limit` matching jobs, oldest first, for bulk operations."""
        ...

    async def inspect(self, ids: Sequence[JobId], scope: Scope = ALL) -> list[Job | None]:
        """Return jobs as they stand; None where there is none in scope."""
        ...

    async def list(self, filter_: Filter, *, limit: int, after: str | None = None, scope: Scope = ALL) -> Page:
        """Return a page of jobs, newest first, by keyset (without args and result bytes)."""
        ...

    async def history(self, job_id: JobId, scope: Scope = ALL, after: int = 0) -> tuple[list[Event], list[Attempt]]:
        """Return a job's events with a version above `after`, and its ended attempts."""
        ...

    async def outputs(self, job_id: JobId, scope: Scope = ALL, after: int = -1) -> list[Output]:
        """Return the outputs of the job's current attempt with an index above `after`, in order."""
        ...

    async def preview(self, job_id: JobId, scope: Scope = ALL) -> Preview | None:
        """Return the latest preview while the job runs."""
        ...

    async def logs(self, job_id: JobId, scope: Scope = ALL, after: int = 0) -> list[LogLine]:
        """Return the log lines of a job with a cursor above `after`, in order."""
        ...

    async def costs(self, job_id: JobId, scope: Scope = ALL) -> list[Cost]:
        """Return the costs of all attempts."""
        ...

    async def position(self, ids: Sequence[JobId], scope: Scope = ALL) -> list[Place | None]:
        """Return where jobs stand in line, from one snapshot; None where there is none in scope."""
        ...

    async def upcoming(self, most: int, scope: Scope = ALL) -> list[JobId]:
        """Return jobs among which the next to start are, in no order: `most` of each of `most` lanes that may start."""
        ...

    async def outlook(self, ids: Sequence[JobId], scope: Scope = ALL) -> Outlook:
        """Return what the time left of jobs follows from; costs the number of lanes and workers, never of jobs."""
        ...

    async def lessons(self, limit: int) -> Lesson:
        """Return the attempts that ran to their own end in the next `limit` events not learned from; changes nothing.

        An attempt that was cancelled, lost, given back or snoozed is left out.
        """
        ...

    async def learn(self, since: int, upto: int, seen: Mapping[Work, Seen]) -> bool:
        """Replace what is known of some kinds of work, if it was learned up to `since`; then it is up to `upto`.

        False: somebody else learned meanwhile, and nothing changed.
        """
        ...

    async def durations(self) -> Durations:
        """Return all that was learned of durations; what cannot be read is left out, and logged."""
        ...

    async def stats(self, scope: Scope = ALL) -> list[QueueStats]:
        """Return all queues with their counts; costs the number of lanes, never of jobs."""
        ...

    async def series(self, window: Millis, step: Millis, scope: Scope = ALL) -> list[Bucket]:
        """Return the recent past in intervals, oldest first, from history; bounded samples per interval."""
        ...

    async def flow(self, window: Millis, scope: Scope = ALL) -> Mapping[str, Flow]:
        """Return what happened in the last `window` ms by queue; absent where nothing did. Bounded as `series`."""
        ...

    async def loads(self, window: Millis, scope: Scope = ALL) -> Mapping[str, Load]:
        """Return what the last `window` ms asked of each queue's workers; absent where nothing. Bounded as `series`."""
        ...

    async def put_schedules(self, batch: Sequence[NewSchedule]) -> list[PutSchedule]:
        """Store schedules, or change those of the same tenant and name; what is the same already stays as it is.

        A new or changed rule ticks from now on; another change keeps the next tick. A pause outlasts the change.

        Raises:
            ValueError: A rule cannot be used here; nothing was stored.
        """
        ...

    async def schedules(self, scope: Scope = ALL) -> list[Schedule]:
        """Return the schedules, by tenant and name."""
        ...

    async def pause_schedule(self, tenant: str, name: str, *, paused: bool) -> Schedule | None:
        """Stop a schedule, or let it tick from now on; None where there is none."""
        ...

    async def drop_schedule(self, tenant: str, name: str) -> bool:
        """Delete a schedule; its jobs stay. False where there is none."""
        ...

    async def due_schedules(self, limit: int) -> Due:
        """Return at most `limit` schedules whose next tick has come; changes nothing."""
        ...

    async def fire(self, batch: Sequence[Firing]) -> list[Fired]:
        """Enqueue the jobs of ticks and move each schedule to its next tick, all in one transaction.

        A firing applies only if its schedule is as it was found, so that of any number of schedulers one fires a
        tick.
        """
        ...

    async def configure_tenant(self, policy: TenantPolicy) -> None:
        """Set a tenant's weight and the most urgent priority it may ask for; both count from the next job on."""
        ...

    async def tenants(self) -> list[TenantPolicy]:
        """Return the tenants that have a policy, by name."""
        ...

    async def census(self) -> Mapping[str, Mapping[State, int]]:
        """Return how many jobs of each tenant are in each state, for tenants that have jobs which have not ended."""
        ...

    async def configure_limit(self, limit: Limit) -> None:
        """Set the limit of a key; counts at once, and stops nothing that runs."""
        ...

    async def drop_limit(self, key: str) -> bool:
        """Remove the limit of a key; False where it had none."""
        ...

    async def park(self, key: str, delay: Millis) -> Instant:
        """Let nothing of a key start for so long; 0 ends a park, nothing else shortens it. Answers until when."""
        ...

    async def limits(self) -> list[LimitState]:
        """Return the keys that have a limit, are in use, waited for or parked, by key."""
        ...

    async def pressure(self) -> Pressure:
        """Return the queues, tenants and users that have a bound on their jobs, and who is slowed down."""
        ...

    async def release(self, ref: int, attempt: int, name: str) -> bool:
        """Give back what the running attempt holds of a resource or a device; False where it is not the running one.

        Repeated, or where it holds nothing of that name, nothing changes.
        """
        ...

    async def set_resource(self, name: str, capacity: int) -> None:
        """Share a resource between all workers; counts at once, and stops nothing that runs."""
        ...

    async def drop_resource(self, name: str) -> bool:
        """Share a resource no more; False where it was not. Then it is what workers advertise of it."""
        ...

    async def resources(self) -> list[Resource]:
        """Return the resources that there are, that are held or waited for, by name."""
        ...

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
        """Change a queue's policy; creates the queue.

        `max_waiting` 0 removes the bound; `affinity_jobs` or `affinity_time` (ms) 0 switches affinity off; `aging` 0
        ends it.
        """
        ...

    async def workers(self) -> list[WorkerRow]:
        """Return the registry: living workers, and those that ended in the last hour."""
        ...

    async def changes(self, since: Cursor, limit: int = 1000, scope: Scope = ALL) -> Changes:
        """Return what changed after a cursor, in commit order."""
        ...

    async def tail(self) -> Cursor:
        """Return the cursor of now."""
        ...

    def subscribe(
        self, listener: Callable[[Signal], None], *, claims: bool, watch: bool, schedules: bool = False
    ) -> Callable[[], None]:
        """Call the listener (in the event loop) on hints from any process; returns the way to stop.

        `claims` asks for hints of claimable jobs and cancels, `watch` for hints of any change, `schedules` for
        hints of schedules that were put or resumed.
        """
        ...

    async def check(self) -> Mapping[str, object]:
        """Return facts for health and doctor: schema, durability in force, sizes, warnings."""
        ...
