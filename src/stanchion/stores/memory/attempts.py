"""The way of a job: enqueue, claim, settle, note."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from stanchion.domain.batches import slots
from stanchion.domain.charges import classed
from stanchion.domain.fairness import Standing
from stanchion.domain.job import (
    FINAL,
    Attempt,
    Cost,
    Job,
    Lease,
    LogLine,
    Move,
    Output,
    Preview,
    Progress,
    State,
    move,
)
from stanchion.domain.kinds import ErrorInfo, Kind
from stanchion.domain.outcome import effective
from stanchion.domain.resources import with_resources
from stanchion.errors import IdempotencyMismatchError
from stanchion.store import (
    Claimed,
    CostNote,
    Enqueued,
    LogNote,
    OutputItem,
    OutputNote,
    PreviewNote,
    ProgressNote,
    Refused,
    StepNote,
)
from stanchion.stores.memory import affinity, batches, cache, intake, limits, resources
from stanchion.stores.memory.tables import REMEMBER_FOR, Remembered, advance, share_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.affinity import Warm
    from stanchion.domain.cache import Entry
    from stanchion.domain.job import NewJob
    from stanchion.domain.outcome import Settlement
    from stanchion.domain.units import Instant, Millis, Turn
    from stanchion.store import Noted, Want
    from stanchion.stores.memory.batches import Groups
    from stanchion.stores.memory.tables import Share, Tables

PROMOTE_AT_ONCE: Final = 1_000
MAX_LOG_LINES: Final = 1_000
EXPIRED: Final = ErrorInfo(Kind.EXPIRED, "expired before it started", retryable=False)
_FAILINGS: Final = frozenset({"failed", "retry", "lost"})


def enqueue(tables: Tables, new: NewJob, now: Instant) -> Enqueued | Refused:
    """Store a job, join the one that its id or keys name, or refuse it."""
    tables.policy(new.queue)  # a queue is there once a request has named it
    if new.id in tables.refs:
        return _joined(tables.jobs[tables.refs[new.id]])
    if new.idempotency is not None:
        used = tables.idempotency.get((new.tenant, new.idempotency.key))
        if used is not None and used.at + REMEMBER_FOR > now:
            if used.fingerprint != new.idempotency.fingerprint:
                return Refused(IdempotencyMismatchError(new.idempotency.key))
            return _joined(tables.jobs[used.ref])
    twin = _twin(tables, new, now)
    if twin is not None:
        _remember(tables, new, twin.ref, now)
        return _joined(twin)
    entry, held = cache.answer(tables, new, now), False
    if entry is None:
        refusal, held = intake.admitted(tables, new, now)
        if refusal is not None:
            return Refused(refusal)
    job = _store(tables, new, now, entry, held=held)
    told = intake.warnings(tables, new, now) if entry is None else ()
    return Enqueued(job.id, job.state, new=True, version=job.version, cached=entry is not None, warnings=told)


def _joined(job: Job) -> Enqueued:
    return Enqueued(job.id, job.state, new=False, version=job.version)


def _twin(tables: Tables, new: NewJob, now: Instant) -> Job | None:
    """The job last stored under the same dedup key, while it may be joined."""
    ref = None if new.dedup_key is None else tables.dedup.get(new.dedup_key)
    if ref is None:
        return None
    job = tables.jobs[ref]
    if job.state in {State.FAILED, State.CANCELLED}:
        return None
    return job if not job.final or job.created_at + new.dedup_window > now else None


def _remember(tables: Tables, new: NewJob, ref: int, now: Instant) -> None:
    if new.idempotency is not None:
        used = Remembered(new.idempotency.fingerprint, ref, now)
        tables.idempotency[new.tenant, new.idempotency.key] = used


def _store(tables: Tables, new: NewJob, now: Instant, entry: Entry | None = None, *, held: bool = False) -> Job:
    due = now + new.delay if new.run_at is None else new.run_at
    expires = new.expires_at
    if expires is None and new.expires_in is not None:
        expires = now + new.expires_in
    tables.last_ref += 1
    tables.refs[new.id] = tables.last_ref
    tables.extras[tables.last_ref] = classed(with_resources(new.limits, new.resources), new.size)
    tables.resourceful |= bool(new.resources)
    tables.sizes[tables.last_ref] = new.size
    tables.batches[tables.last_ref] = new.batch
    _remember(tables, new, tables.last_ref, now)
    if new.dedup_key is not None:
        tables.dedup[new.dedup_key] = tables.last_ref
    if new.intake is not None and new.intake.conflict is not None and entry is None:
        tables.conflicts[tables.last_ref] = new.intake.conflict.key
    if new.cache is not None and entry is None:
        tables.cache.keeping[tables.last_ref] = new.cache
    tables.hints.add("work")
    unborn = Job(
        ref=tables.last_ref, id=new.id, task=new.task, queue=new.queue, tenant=new.tenant, user=new.user,
        priority=max(new.priority, tables.tenant(new.tenant).top_priority),
        state=State.BLOCKED if new.depends_on or held else State.SCHEDULED if due > now else State.QUEUED, version=0,
        attempt=0, spent=0, crashes=0, max_attempts=new.max_attempts, created_at=now,
        due_at=due if due > now else None, expires_at=expires, tags=new.tags, metadata=new.metadata,
        args=new.args, timeout=new.timeout, correlation_id=new.correlation_id,
        crash_budget=new.crash_budget, secret=new.secret, model=new.model,
    )  # fmt: skip
    if entry is None:
        return advance(tables, unborn, now)
    unborn = replace(unborn, state=State.COMPLETED, due_at=None, ended_at=now, result=entry.result, cached=True)
    return cache.born(tables, advance(tables, unborn, now), entry)


def promote(tables: Tables, now: Instant, limit: int) -> int:
    """Queue what is due, the oldest due first."""
    waiting = [(job.due_at, job.ref, job) for job in tables.having(State.SCHEDULED, State.RETRYING)]
    due = sorted((at, ref, job) for at, ref, job in waiting if at is not None and at <= now)[:limit]
    for _, _, job in due:
        advance(tables, replace(job, state=move(job.state, Move.PROMOTE), due_at=None), now)
    return len(due)


def next_due(tables: Tables, now: Instant) -> Millis | None:
    """Return in how many ms the next waiting job falls due."""
    waiting = (job.due_at for job in tables.having(State.SCHEDULED, State.RETRYING))
    return min((max(at - now, 0) for at in waiting if at is not None), default=None)


def late(job: Job, now: Instant) -> bool:
    """Return whether a job's time to start has passed."""
    return job.expires_at is not None and job.expires_at <= now


def expire(tables: Tables, job: Job, now: Instant) -> None:
    """Fail a job that waited too long."""
    state = move(job.state, Move.EXPIRE)
    advance(tables, replace(job, state=state, due_at=None, ended_at=now, error=EXPIRED), now, EXPIRED)


def claim(tables: Tables, worker: int, want: Want, now: Instant) -> Claimed:
    """Promote what is due, then lease by (priority, ref) what the worker may start."""
    promote(tables, now, PROMOTE_AT_ONCE)
    tables.join()
    leases: list[Lease] = []
    groups = batches.Groups(tables, want, now)
    known = tables.workers.get(worker)
    if known is not None and known.state == "alive":
        if want.limit > 0 and want.tasks:
            limits.wake_due(tables, now)
        warm = affinity.warm_of(want)
        tried: set[str] = set()
        while True:
            leases += _start(tables, worker, want._replace(limit=want.limit - slots(leases)), groups, now, warm)
            short = want.limit - slots(leases) > 0 and want.tasks and want.join is None
            woken = short and (groups.began() or limits.wake_open(tables, tried, now, resources.owner_of(known.info)))
            if not woken:
                break
        affinity.tell(known, warm)
    opens = limits.plan_wakes(tables, now)
    dues = [at for at in (next_due(tables, now), None if opens is None else max(opens - now, 0)) if at is not None]
    groups.count(leases)
    return Claimed(tuple(leases), min(dues, default=None), groups.coming)


def _start(  # noqa: PLR0913, PLR0917 - what a claim consists of
    tables: Tables, worker: int, want: Want, groups: Groups, now: Instant, warm: Warm
) -> list[Lease]:
    """Start what is in line, as far as a worker wants it."""
    leases: list[Lease] = []
    too_late: list[Job] = []
    line: dict[Share, deque[Job]] = {}
    for job in tables.having(State.QUEUED) if want.join is None else ():
        if _wanted(tables, job, want) and tables.lane_of(job) not in tables.held:
            line.setdefault(share_of(job), deque()).append(job)
    while line and len(leases) < want.limit:
        first = job = _next(tables, line)
        picked = affinity.pick(tables, line, first, worker, warm, now)
        if picked is not None:
            job = picked.job
        room = _room(tables, line, job, worker, now, 1 if groups.takes(job) else None)
        if room <= 0:
            continue
        if groups.takes(job):
            jobs = line.pop(share_of(job))
            lane = [one for one in jobs if tables.lane_of(one) == tables.lane_of(job)]
            begun, over = groups.lead(lane, room, tables.turn(share_of(first))[0])
            too_late += over
            if begun:
                affinity.count(tables, picked)
                warm.use(job.model)
            leases += _together(tables, begun, worker, groups, now, holds=1)
            left = deque(one for one in jobs if one not in over)
            line = {} if begun else line | ({share_of(job): left} if left else {})
            continue
        _take(line, job)
        if late(job, now):
            too_late.append(job)
        else:
            _serve(tables, job, tables.turn(share_of(first))[0])
            affinity.count(tables, picked)
            warm.use(job.model)
            leases.append(_lease(tables, job, worker, now))
            limits.count_start(tables, job, now)
    _expire_all(tables, too_late, now)
    tables.join()
    for begun, over in groups.fill():
        leases += _together(tables, begun, worker, groups, now, holds=0)
        _expire_all(tables, over, now)
    tables.join()
    return leases


def _room(  # noqa: PLR0913, PLR0917 - what decides
    tables: Tables, line: dict[Share, deque[Job]], job: Job, worker: int, now: Instant, holds: int | None
) -> int:
    """Return how many jobs of a job's lane may start here; where none may, take the lane out of the line."""
    room, key = limits.room(tables, tables.lane_of(job), now, holds)
    if room <= 0:
        _hold(tables, line, job, key)
    elif not resources.here(tables, job, worker):  # another tree has room for it: this claim passes it over
        _leave_out(tables, line, job)
        return 0
    return room


def _expire_all(tables: Tables, jobs: Sequence[Job], now: Instant) -> None:
    for job in jobs:
        expire(tables, job, now)


def _together(  # noqa: PLR0913 - what a group is started with
    tables: Tables, jobs: Sequence[Job], worker: int, groups: Groups, now: Instant, *, holds: int
) -> list[Lease]:
    """Start jobs of a group, of which the first `holds` hold resources."""
    for job in jobs:
        limits.count_start(tables, job, now)
    key = "" if groups.number is None else groups.key
    leases = [_lease(tables, job, worker, now, holds=place < holds) for place, job in enumerate(jobs)]
    return [lease._replace(batch=groups.number, batch_key=key) for lease in leases]


def _hold(tables: Tables, line: dict[Share, deque[Job]], job: Job, key: str) -> None:
    """Take a job's lane out of the line until a key has room."""
    share, lane = share_of(job), tables.lane_of(job)
    turn, _ = tables.turn(share)
    limits.hold(tables, lane, key, max(turn - tables.clocks.get(share[:2], 0), 0))
    _leave_out(tables, line, job)


def _leave_out(tables: Tables, line: dict[Share, deque[Job]], job: Job) -> None:
    share, lane = share_of(job), tables.lane_of(job)
    line[share] = deque(other for other in line[share] if tables.lane_of(other) != lane)
    if not line[share]:
        del line[share]


def _take(line: dict[Share, deque[Job]], job: Job) -> None:
    share = share_of(job)
    line[share].remove(job)
    if not line[share]:
        del line[share]


def _next(tables: Tables, line: dict[Share, deque[Job]]) -> Job:
    """Return who starts next: by priority, then the tenant's turn, then age; between queues the oldest."""
    urgent = min(priority for _, priority, _ in line)
    firsts: dict[str, Share] = {}
    for share in line:
        queue, priority, _ = share
        first = firsts.get(queue)
        if priority == urgent and (first is None or tables.turn(share) < tables.turn(first)):
            firsts[queue] = share
    chosen = min(firsts.values(), key=lambda share: line[share][0].ref)
    return line[chosen][0]


def _serve(tables: Tables, job: Job, front: Turn) -> None:
    """Charge a job's tenant for it; the clock is the turn of whose it was, who may have been passed over."""
    share = share_of(job)
    turn, _ = tables.turn(share)
    tables.clocks[share[:2]] = clock = max(front, tables.clocks.get(share[:2], 0))
    tables.stand(share, Standing(turn + tables.step(job)).owed(clock))
    price = tables.price(job)
    if price is not None:
        tables.charges[job.ref] = price


def _wanted(tables: Tables, job: Job, want: Want) -> bool:
    if job.task not in want.tasks or tables.policy(job.queue).paused:
        return False
    return want.queues is None or job.queue in want.queues


def _lease(tables: Tables, job: Job, worker: int, now: Instant, *, holds: bool = True) -> Lease:
    tables.holders[job.ref] = worker
    job = replace(
        job,
        state=move(job.state, Move.CLAIM),
        attempt=job.attempt + 1,
        started_at=now,
        worker=tables.workers[worker].info.incarnation,
        artifacts=(),
    )
    devices = resources.grant(tables, job, worker) if holds else ()
    return lease_of(advance(tables, job, now))._replace(devices=devices)


def lease_of(job: Job) -> Lease:
    """Return the lease of a running job."""
    assert job.started_at is not None
    return Lease(
        ref=job.ref, id=job.id, attempt=job.attempt, task=job.task, args=job.args, queue=job.queue,
        tenant=job.tenant, user=job.user, priority=job.priority, spent=job.spent, crashes=job.crashes,
        max_attempts=job.max_attempts, created_at=job.created_at, started_at=job.started_at,
        timeout=job.timeout, tags=job.tags, metadata=job.metadata, correlation_id=job.correlation_id,
        cancel_requested=job.cancel_requested_at is not None, crash_budget=job.crash_budget, model=job.model,
    )  # fmt: skip


def _running(tables: Tables, ref: int, attempt: int) -> Job | None:
    """The fence: the job, if this very attempt of it is running."""
    job = tables.jobs.get(ref)
    return job if job is not None and job.state is State.RUNNING and job.attempt == attempt else None


def settle(tables: Tables, end: Settlement, now: Instant) -> bool:
    """End an attempt; an asked cancel wins over every other ending."""
    job = _running(tables, end.ref, end.attempt)
    if job is None:
        return False
    cancelled = job.cancel_requested_at is not None
    state = effective(end.state, cancel_requested=cancelled)
    outcome = "cancelled" if cancelled else end.outcome
    error = None if cancelled else end.error
    _count(tables, job, outcome, now)
    row = Attempt(job.attempt, job.worker, job.started_at, now, outcome, error)
    tables.attempts.setdefault(job.ref, []).append(row)
    for table in (tables.holders, tables.previews, tables.live, tables.holds):
        table.pop(job.ref, None)
    final = state in FINAL
    ended = replace(
        job, state=state, spent=job.spent + end.spent, crashes=job.crashes + end.crashes, worker=None,
        result=end.result if final and not cancelled else None, error=error if final else error or job.error,
        ended_at=now if final else None,
        started_at=job.started_at if final else None,
        due_at=now + end.delay if state in {State.SCHEDULED, State.RETRYING} else None,
        progress=None, preview_revision=None,
    )  # fmt: skip
    advance(tables, ended, now, error)
    if state is State.COMPLETED:
        cache.keep(tables, ended, now)
    if not final:
        tables.hints.add("work")
    return True


def _count(tables: Tables, job: Job, outcome: str, now: Instant) -> None:
    worker = tables.workers.get(tables.holders[job.ref])
    if worker is not None and job.started_at is not None:
        worker.done += outcome == "completed"
        worker.failed += outcome in _FAILINGS
        worker.busy += now - job.started_at


def note(tables: Tables, noted: Noted, now: Instant) -> bool:
    """Record what a running attempt tells."""
    job = _running(tables, noted.ref, noted.attempt)
    if job is None:
        return False
    match noted.note:
        case ProgressNote(index, length, unit, message, stage):
            tables.live[job.ref] = _next_live(tables)
            tables.put(replace(job, progress=Progress(index, length, unit, message, stage, now)))
        case PreviewNote(data, content_type, width, height, step):
            tables.live[job.ref] = revision = _next_live(tables)
            tables.previews[job.ref] = Preview(data, content_type, width, height, step, revision)
            tables.put(replace(job, preview_revision=revision))
        case OutputNote():
            _output(tables, job, noted.note)
        case LogNote(level, message):
            lines = tables.logs.setdefault(job.ref, [])
            if sum(line.attempt == job.attempt for line in lines) < MAX_LOG_LINES:
                tables.last_log += 1
                lines.append(LogLine(tables.last_log, job.attempt, level, message, now))
        case StepNote(name, result):
            tables.steps.setdefault(job.ref, {}).setdefault(name, result)
        case CostNote(amount, unit):
            tables.costs.setdefault(job.ref, []).append(Cost(job.attempt, amount, unit))
    tables.hints.add("change")
    return True


def _next_live(tables: Tables) -> int:
    tables.last_live += 1
    return tables.last_live


def _output(tables: Tables, job: Job, new: OutputNote) -> None:
    outputs = tables.outputs.setdefault(job.ref, [])
    index = sum(item.attempt == job.attempt for item in outputs)
    tables.last_output += 1
    output = Output(
        index, job.attempt, new.kind, new.data, new.name, new.content_type, new.size, new.artifact,
        new.width, new.height, tables.last_output,
    )  # fmt: skip
    outputs.append(output)
    tables.produced.append(OutputItem(job.id, output))
    if output.artifact is not None:
        tables.put(replace(job, artifacts=(*job.artifacts, output)))
