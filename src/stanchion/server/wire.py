"""The bodies of the API as types: what is refused before a handler sees it, and what the OpenAPI document shows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from stanchion.domain.affinity import MAX_JOBS, MAX_TIME
from stanchion.domain.dependency import Policy
from stanchion.domain.intake import OnConflict
from stanchion.domain.job import State
from stanchion.domain.schedule import Overlap

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
QueueName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/]+$(?!\n)")]
Tag: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100)]
Tags: TypeAlias = Annotated[list[Tag], Meta(max_length=50)]
Time: TypeAlias = Annotated[datetime, Meta(tz=True)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=10 * 366 * 86_400.0)]
Rank: TypeAlias = Annotated[int, Meta(ge=0, le=9)] | Literal["critical", "high", "normal", "low"]
Object: TypeAlias = dict[str, Any]
JobIdText: TypeAlias = Annotated[str, Meta(min_length=36, max_length=36)]


class Strict(Struct, forbid_unknown_fields=True, kw_only=True):
    """A request body: what it does not name is refused."""


class ParentIn(Strict):
    """A job that must end first; `policy` says what happens where it does not complete.

    It is named by its `id`, or by the `custom_id` that it has in the same bulk request.
    """

    id: JobIdText | None = None
    custom_id: Name | None = None
    policy: Policy = Policy.FAIL


class ConflictKey(Strict):
    """A conflict key, within the tenant, and what becomes of the job while another of the key has not ended."""

    key: Name
    policy: OnConflict = OnConflict.QUEUE


class NewJob(Strict):
    """A job to enqueue; with `max_ahead` it is refused where more jobs would start before it."""

    task: Name
    args: Object = msgspec.field(default_factory=dict[str, Any])
    queue: QueueName | None = None
    priority: Rank | None = None
    tenant: Name | None = None
    user: Name | None = None
    delay: Seconds | None = None
    run_at: Time | None = None
    expires_in: Seconds | None = None
    expires_at: Time | None = None
    tags: Tags | None = None
    metadata: Object | None = None
    dedup_window: Seconds | None = None
    dedup_key: Name | None = None
    timeout: Seconds | None = None
    max_attempts: Annotated[int, Meta(ge=1, le=1_000)] | None = None
    correlation_id: Name | None = None
    depends_on: Annotated[list[JobIdText | ParentIn], Meta(max_length=1_000)] | None = None
    workflow: Name | None = None
    cache: bool | None = None
    conflict: ConflictKey | None = None
    max_ahead: Annotated[int, Meta(ge=0, le=1_000_000_000)] | None = None


class BulkItem(NewJob):
    """A job of a bulk request; `custom_id` comes back with its answer."""

    custom_id: Name | None = None
    idempotency_key: Name | None = None


class Bulk(Strict):
    """Many jobs at once; `atomic` stores all or none."""

    jobs: Annotated[list[Raw], Meta(min_length=1, max_length=10_000)]
    atomic: bool = False


class Patch(Strict):
    """Changes to a job; `metadata` is a merge patch (RFC 7396)."""

    priority: Rank | UnsetType = UNSET
    metadata: Object | UnsetType | None = UNSET
    tags: Tags | UnsetType = UNSET


class JobFilter(Strict):
    """Which jobs a bulk operation is for."""

    queue: QueueName | None = None
    state: State | list[State] | None = None
    task: Name | None = None
    tag: Tag | None = None
    user: Name | None = None
    older_than: Seconds | None = None


class Many(Strict):
    """Jobs by id, or by filter."""

    ids: Annotated[list[JobIdText], Meta(min_length=1, max_length=1_000)] | None = None
    filter: JobFilter | None = None


class Clean(Strict):
    """Which ended jobs of a queue to erase."""

    older_than: Seconds = 0
    states: Annotated[list[State], Meta(min_length=1, max_length=3)] | None = None


class QueuePatch(Strict):
    """Changes to a queue's policy; `max_waiting` 0 removes the bound, an affinity of 0 jobs or seconds is off.

    Each waiting job is lifted one priority for every `aging` seconds; 0 ends that.
    """

    paused: bool | UnsetType = UNSET
    max_waiting: Annotated[int, Meta(ge=0, le=2**31)] | UnsetType = UNSET
    affinity_jobs: Annotated[int, Meta(ge=0, le=MAX_JOBS)] | UnsetType = UNSET
    affinity_seconds: Annotated[float, Meta(ge=0, le=MAX_TIME / 1000)] | UnsetType = UNSET
    aging: Seconds | UnsetType = UNSET


class SchedulePut(Strict):
    """A schedule: `cron` with `tz`, or `every` so many seconds from `start` on; and the job of each tick.

    The job cannot set `run_at`, `expires_at`, `dedup_key` or `dedup_window`: each tick makes one job.
    """

    job: NewJob
    cron: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    tz: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    every: Annotated[float, Meta(ge=1, le=10 * 366 * 86_400.0)] | None = None
    start: Time | None = None
    overlap: Overlap = Overlap.ALLOW
    catch_up: Annotated[float, Meta(ge=1, le=366 * 86_400.0)] | None = None


class CachePurge(Strict):
    """Which cached results to drop: all, or those of a task, of a tenant, or made so many seconds ago."""

    task: Name | None = None
    tenant: Name | None = None
    older_than: Seconds | None = None


class LimitKey(Strict):
    """Names a limit."""

    key: Annotated[str, Meta(min_length=3, max_length=200)]


class LimitIn(Strict):
    """A limit to set.

    At most so many running, so many started in each `period` (seconds); more than `refuse` that wait or run
    are refused, and from `warn` on those who enqueue are warned.
    """

    key: Annotated[str, Meta(min_length=3, max_length=200)]
    running: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    starts: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    period: Annotated[float, Meta(ge=0.001, le=34_560_000)] = 1.0
    burst: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    refuse: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    warn: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None


class Park(Strict):
    """A key that nothing of may start for some seconds; 0 ends a park."""

    key: Annotated[str, Meta(min_length=3, max_length=200)]
    seconds: Annotated[float, Meta(ge=0, le=34_560_000)]


class ResourceName(Strict):
    """Names a resource that all workers share."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]


class ResourceIn(Strict):
    """A resource to share between all workers, and how much there is of it."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    capacity: Annotated[int, Meta(ge=0, le=1_000_000)]


class Tenant(Strict):
    """A tenant's policy: its share of what a queue can do, and the most urgent priority it may ask for."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    weight: Annotated[int, Meta(ge=1, le=1_000)] = 1
    top_priority: Annotated[int, Meta(ge=0, le=9)] = 0


class Login(Strict):
    """A key to open a session with."""

    key: Annotated[str, Meta(min_length=1, max_length=200)]


# ------------------------------------------------------------------------------------------------ replies


class ErrorOut(Struct):
    """A failure of a job."""

    kind: str
    message: str
    retryable: bool | None
    trace: str | None = None
    """The handler's traceback, without values: only in a job in full, and only for who sees all tenants."""


class ProgressOut(Struct):
    """How far a job is; `fraction` is null where the length is unknown, `eta` is in seconds."""

    fraction: float | None
    index: float
    length: float
    unit: str | None
    message: str | None
    stage: str | None
    eta: float | None


class PreviewOut(Struct):
    """The latest look at unfinished work."""

    url: str
    content_type: str | None = None
    width: int | None = None
    height: int | None = None
    step: int | None = None


class OutputOut(Struct):
    """One output; an artifact's bytes are at `url`, a chunk is in `chunk`."""

    index: int
    kind: str
    name: str | None
    content_type: str | None
    size: int
    sha256: str | None
    width: int | None
    height: int | None
    url: str
    chunk: Raw | UnsetType = UNSET


class WaitingOn(Struct):
    """Why a job cannot start now."""

    reason: str
    key: str | None = None
    until: str | None = None


class RangeOut(Struct):
    """A time that is not certain, in seconds: half the time it is at most `p50`, nine times out of ten `p90`."""

    p50: float
    p90: float


class EtaOut(Struct):
    """The time left; `late` says that the job runs for longer than nine of ten of its kind."""

    starts_in: RangeOut
    finishes_in: RangeOut
    late: bool


class CostOut(Struct):
    """What a job cost; the amount is a decimal text."""

    amount: str
    unit: str


class AttemptOut(Struct):
    """One run of a job; `outcome` is null while it runs."""

    attempt: int
    worker: str | None
    started_at: str | None
    ended_at: str | None
    outcome: str | None
    error: ErrorOut | None


class EventOut(Struct):
    """One transition of a job."""

    version: int
    state: str
    at: str
    attempt: int
    error: ErrorOut | None


class RelatedOut(Struct):
    """A job that another depends on, or that depends on it; `policy` is that of the edge between them."""

    id: str
    task: str
    state: State
    policy: Policy


class Urls(Struct):
    """Where to go from a job: follow links, do not build them."""

    self: str
    events: str
    cancel: str
    retry: str
    outputs: str


class JobThin(Struct, kw_only=True):
    """A job as lists show it."""

    id: str
    task: str
    queue: str
    tenant: str
    user: str | None
    priority: int
    state: State
    version: int
    attempt: int
    spent: int
    crashes: int
    max_attempts: int
    tags: tuple[str, ...]
    metadata: Raw
    error: ErrorOut | None
    created_at: str
    run_at: str | None
    started_at: str | None
    ended_at: str | None
    expires_at: str | None
    cancel_requested_at: str | None
    position: int | None
    ahead: int | None
    eta: EtaOut | None
    waiting_on: WaitingOn | None
    progress: ProgressOut | None
    preview: PreviewOut | None
    outputs: list[OutputOut]
    cached: bool
    correlation_id: str | None
    urls: Urls
    model: str | None


class JobOut(JobThin, kw_only=True):
    """A job with all that is known of it."""

    args: Raw
    result: Raw
    cost: list[CostOut]
    attempts: list[AttemptOut]
    events: list[EventOut]
    parents: list[RelatedOut]
    children: list[RelatedOut]
    workflows: list[str]
    warnings: list[WarningOut]
    """Only in the answer to the request that made the job."""


class WarningOut(Struct):
    """A queue, tenant or user of which so many jobs wait and run that it is warned of.

    `jobs` is null where those of other tenants are counted as well.
    """

    key: str
    jobs: int | None
    warn_at: int
    refuse_at: int | None


class JobPage(Struct):
    """Jobs, newest first, and the cursor of the next page."""

    items: list[JobThin]
    next: str | None


class PointerOut(Struct):
    """One thing wrong with a body, by JSON pointer."""

    pointer: str
    message: str


class ProblemOut(Struct, kw_only=True, omit_defaults=True):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool | UnsetType = UNSET
    instance: str | None = None
    remedy: str | None = None
    retry_after: float | None = None
    estimated_wait: float | None = None
    """For how many seconds a job would wait in line; left out where nobody can tell."""
    job: str | None = None
    """The job that stands in the way of a new one."""
    request_id: str | None = None
    errors: list[PointerOut] = msgspec.field(default_factory=list[PointerOut])


class BulkAnswer(Struct, omit_defaults=True):
    """The answer to one item: the job, or the problem."""

    custom_id: str | None = None
    status: int = 201
    job: JobThin | None = None
    problem: ProblemOut | None = None


class BulkOut(Struct):
    """The answers, in the order of the request."""

    items: list[BulkAnswer]
    created: int
    joined: int
    refused: int


class Count(Struct):
    """How many jobs an operation changed."""

    count: int


class OutputsOut(Struct):
    """The outputs of the current attempt, in order; `next` is the `after` of the next page."""

    items: list[OutputOut]
    next: int | None


class LogOut(Struct):
    """One line that a handler wrote."""

    cursor: int
    attempt: int
    level: str
    message: str
    at: str


class LogsOut(Struct):
    """Log lines, oldest first; `next` is the `after` of the next page."""

    items: list[LogOut]
    next: int | None


class Rates(Struct):
    """Jobs in the last minute."""

    started: float
    completed: float
    failed: float


class ScalingOut(Struct):
    """How many workers a queue should have, and why.

    `desired` is the one number; `arrival_rate` is in jobs a second, `mean_duration` in seconds (null while no attempt
    was seen to end), `wait_target` what was asked for, in seconds. `waiting` are the jobs that a worker could start,
    `held` those that wait for a limit or in a paused queue.
    """

    queue: str
    desired: int
    arrival_rate: float
    mean_duration: float | None
    waiting: int
    held: int
    running: int
    wait_target: float


class ScalingList(Struct):
    """How many workers each queue should have, by name of the queue."""

    items: list[ScalingOut]


class CacheSumOut(Struct):
    """The cached results of one tenant and task."""

    tenant: str
    task: str
    entries: int
    bytes: int
    hits: int


class CacheLevelOut(Struct):
    """One level of the cache."""

    name: str
    tasks: list[CacheSumOut]


class CacheLookupsOut(Struct):
    """What this process has asked of the cache."""

    hits: int
    misses: int
    failures: int


class CacheOut(Struct):
    """What the result cache holds; `levels` and `lookups` only for credentials of no tenant."""

    entries: int
    bytes: int
    hits: int
    tasks: list[CacheSumOut]
    levels: list[CacheLevelOut] | None
    lookups: CacheLookupsOut | None


class OverflowOut(Struct):
    """A bound on the jobs that wait and run: how many there are, its levels, and since when it is warned of."""

    jobs: int
    warn_at: int | None
    refuse_at: int | None
    since: str | None


class QueueOut(Struct):
    """A queue now."""

    name: str
    paused: bool
    max_waiting: int | None
    counts: dict[str, int]
    oldest_queued_at: str | None
    throughput: Rates
    affinity_jobs: int
    affinity_seconds: float
    aging: float | None = None
    overflow: OverflowOut | None = None
    """How full the queue is; only for who sees all tenants."""


class Queues(Struct):
    """All queues, by name."""

    items: list[QueueOut]


class ScheduledJobOut(Struct):
    """The job of each tick."""

    task: str
    args: Raw
    queue: str
    priority: int
    user: str | None
    tags: tuple[str, ...]


class ScheduleOut(Struct, kw_only=True):
    """A schedule; `next_at` is null while it is paused, `last_at` is the latest tick that was fired or skipped."""

    name: str
    tenant: str
    cron: str | None
    tz: str | None
    every: float | None
    start: str | None
    overlap: Overlap
    catch_up: float | None
    job: ScheduledJobOut
    paused: bool
    created_at: str
    next_at: str | None
    last_at: str | None
    last_job: str | None


class Schedules(Struct):
    """All schedules, by tenant and name."""

    items: list[ScheduleOut]


class LimitOut(Struct, kw_only=True):
    """A key: its limit, the weight that runs, the jobs that wait for it, and until when it is parked."""

    key: str
    running: int | None
    starts: int | None
    period: float | None
    burst: int | None
    refuse: int | None
    warn: int | None
    used: int
    waiting: int
    parked_until: str | None


class LimitList(Struct):
    """All keys that have a limit, are in use, waited for or parked, by key."""

    items: list[LimitOut]


class ResourceOut(Struct, kw_only=True):
    """A resource: how much there is, is held, and how many jobs wait for it; shared, or of the workers' machines."""

    name: str
    capacity: int
    used: int
    waiting: int
    shared: bool


class ResourceList(Struct):
    """The resources that there are, that are held or waited for, by name."""

    items: list[ResourceOut]


class TenantOut(Struct, kw_only=True):
    """A tenant: its policy (`set` says that it has one of its own), and its jobs that have not ended, by state."""

    name: str
    weight: int
    top_priority: int
    set: bool
    counts: dict[str, int]


class Tenants(Struct):
    """The tenants that have a policy and the busiest others, by name; `more` others have unfinished jobs, too."""

    items: list[TenantOut]
    more: int = 0


class EdgeOut(Struct):
    """The ids of a job and of one that waits for it."""

    parent: str
    child: str


class WorkflowOut(Struct, kw_only=True):
    """A workflow: how many of its jobs are in each state, how many have ended, and which wait for which.

    Of a large workflow the first 10,000 jobs are counted (`more` says so), and of the newest jobs 2,000 edges told.
    """

    id: str
    counts: dict[str, int]
    total: int
    ended: int
    more: bool
    edges: list[EdgeOut]


class WorkerOut(Struct, kw_only=True):
    """A worker as the registry knows it."""

    id: str
    incarnation: str
    host: str
    pid: int
    started_at: str
    last_beat_at: str
    alive: bool
    state: str
    slots: int
    running: int
    queues: tuple[str, ...] | None
    tasks: tuple[str, ...]
    capabilities: Object
    current_jobs: list[str]
    jobs_done: int
    jobs_failed: int
    mean_ms: float | None
    version: str
    warm: tuple[str, ...]
    swaps: int
    resources: Object
    """What its machine has: amounts by name, and devices such as `gpu:0` with their shares."""
    holds: Object
    """What its attempts hold now."""


class Workers(Struct):
    """Living workers, and those that ended in the last hour."""

    items: list[WorkerOut]


class Point(Struct):
    """One interval; waits and runs in seconds."""

    at: str
    enqueued: int
    started: int
    completed: int
    failed: int
    wait_p50: float | None
    wait_p95: float | None
    run_p50: float | None
    run_p95: float | None


class StatsOut(Struct):
    """Counts now, and the recent past, oldest first."""

    counts: dict[str, int]
    queues: dict[str, dict[str, int]]
    series: list[Point]


class TaskOut(Struct):
    """A task that may be enqueued."""

    name: str
    queue: str
    schema: Object


class Tasks(Struct):
    """The registered tasks."""

    items: list[TaskOut]


class SessionOut(Struct):
    """Whether this browser may go on, and whether it needs a key for it."""

    authenticated: bool
    required: bool
    tenant: str | None = None
    scopes: tuple[str, ...] = ()


class Ready(Struct):
    """Whether the server can serve."""

    status: str
