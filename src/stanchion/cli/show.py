"""Jobs, queues and workers as commands print them: the API's own JSON for programs, short rows for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from msgspec import Raw

from stanchion.cli import render
from stanchion.domain.job import State
from stanchion.domain.progress import fraction
from stanchion.domain.schedule import Cron
from stanchion.server import present, wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.app import Stanchion
    from stanchion.domain.intake import Overflowing
    from stanchion.domain.job import Job, NewJob
    from stanchion.domain.schedule import Schedule
    from stanchion.domain.units import Instant, JobId
    from stanchion.store import Place, QueueStats, WorkerRow

JOB_COLUMNS: Final = ("id", "state", "task", "queue", "user", "attempt#", "age#", "ran#", "what")
QUEUE_COLUMNS: Final = (
    "queue",
    "",
    "queued#",
    "scheduled#",
    "running#",
    "retrying#",
    "completed#",
    "failed#",
    "cancelled#",
    "oldest#",
    "of#",
)
WORKER_COLUMNS: Final = (
    "worker",
    "state",
    "pid#",
    "slots#",
    "running#",
    "done#",
    "failed#",
    "mean#",
    "warm",
    "swaps#",
    "up#",
    "beat#",
    "queues",
    "holds",
)
SCHEDULE_COLUMNS: Final = ("schedule", "tenant", "", "rule", "task", "overlap", "next in#", "last#", "last job")
_STRUCK: Final = "[secret]"
_BY_STATE: Final = (
    State.QUEUED,
    State.SCHEDULED,
    State.RUNNING,
    State.RETRYING,
    State.COMPLETED,
    State.FAILED,
    State.CANCELLED,
)


async def places(app: Stanchion, jobs: Sequence[Job]) -> dict[JobId, Place | None]:
    """Return where waiting jobs stand in line."""
    waiting = [job.id for job in jobs if not job.final and job.state is not State.RUNNING]
    return dict(zip(waiting, await app.store.position(waiting), strict=True)) if waiting else {}


async def jobs(app: Stanchion, found: Sequence[Job], *, json: bool, title: str | None = None) -> None:
    """Print jobs as lists show them."""
    if json:
        lines, now = await places(app, found), app.store.now()
        for job in found:
            render.line(present.thin(job, lines.get(job.id), now))
        return
    now = app.store.now()
    render.table(JOB_COLUMNS, [job_row(job, now) for job in found], title=title)


def job_row(job: Job, now: Instant) -> tuple[object, ...]:
    """Return a job as a row of `JOB_COLUMNS`."""
    return (
        job.id,
        render.word(job.state.value),
        job.task,
        job.queue,
        job.user,
        f"{job.attempt}/{job.max_attempts}",
        render.age((now - job.created_at) / 1000),
        render.age(ran(job, now)),
        what(job),
    )


def ran(job: Job, now: Instant) -> float | None:
    """Return for how long the latest attempt ran, in seconds."""
    if job.started_at is None:
        return None
    return ((job.ended_at or now) - job.started_at) / 1000


def what(job: Job) -> str:
    """Return what there is to say of a job's present: its progress, or its error."""
    if job.state is State.RUNNING and job.progress is not None:
        done = fraction(job.progress.index, job.progress.length)
        share = "" if done is None else f"{done:.0%} "
        return share + (job.progress.message or job.progress.stage or "")
    if job.error is not None and job.state in (State.FAILED, State.RETRYING):
        return f"{job.error.kind.value}: {job.error.message}"[:120]
    return "from the cache" if job.cached else ""


def arguments(app: Stanchion, job: Job | NewJob) -> Raw:
    """Return a job's arguments as JSON, those that its task keeps secret struck out."""
    hidden = frozenset(job.secret) | (
        app.registry.get(job.task).secret if job.task in app.registry else frozenset[str]()
    )
    named = msgspec.json.decode(job.args) if hidden else None
    if not isinstance(named, dict):
        return Raw(job.args)
    known = cast("dict[str, object]", named)
    return Raw(msgspec.json.encode({name: _STRUCK if name in hidden else value for name, value in known.items()}))


async def full(app: Stanchion, job: Job) -> wire.JobOut:
    """Return all that is known of a job, as the API shows it."""
    store = app.store
    fields = present.thin_fields(job, (await places(app, [job])).get(job.id), store.now(), await store.preview(job.id))
    events, attempts = await store.history(job.id)
    fields.update(present.relations_out(await store.relations(job.id)))
    fields["outputs"] = [present.output_out(job.id, output) for output in await store.outputs(job.id)]
    return wire.JobOut(
        **fields,
        args=arguments(app, job),
        result=present.NULL if job.result is None else Raw(job.result),
        cost=present.costs_out(await store.costs(job.id)),
        attempts=present.attempts_out(job, attempts),
        events=[present.event_out(event) for event in events],
        warnings=[],
    )


def queue_row(item: QueueStats, now: Instant, full: Overflowing | None = None) -> tuple[object, ...]:
    """Return a queue as a row of `QUEUE_COLUMNS`; its bound stands at the end."""
    most = "" if full is None or full.refuse_at is None else f"{full.refuse_at:,}"
    word = "paused" if item.policy.paused else "filling" if full is not None and full.since is not None else ""
    oldest = None if item.oldest_queued_at is None else (now - item.oldest_queued_at) / 1000
    counts = (item.counts.get(state, 0) or "" for state in _BY_STATE)
    return (item.policy.name, word, *counts, render.age(oldest), most)


def queue_record(item: QueueStats, full: Overflowing | None = None) -> dict[str, Any]:
    """Return a queue for JSON."""
    policy = item.policy
    return {
        "name": policy.name,
        "paused": policy.paused,
        "max_waiting": policy.max_waiting,
        "affinity_jobs": policy.affinity.jobs,
        "affinity_seconds": policy.affinity.time / 1000,
        "aging": None if policy.aging is None else policy.aging / 1000,
        "counts": present.counts(item),
        "oldest_queued_at": present.maybe_at(item.oldest_queued_at),
        "overflow": msgspec.to_builtins(present.overflow_out(full)),
    }


def schedule_row(found: Schedule, now: Instant) -> tuple[object, ...]:
    """Return a schedule as a row of `SCHEDULE_COLUMNS`."""
    rule = found.rule
    text = f"{rule.text} {rule.zone}" if isinstance(rule, Cron) else f"every {render.age(rule.every / 1000)}"
    return (
        found.name,
        found.tenant,
        "paused" if found.paused else "",
        text,
        found.request.task,
        found.overlap.value,
        "" if found.next_at is None else render.age((found.next_at - now) / 1000),
        "" if found.last_at is None else render.age((now - found.last_at) / 1000),
        found.last_job,
    )


def schedule_record(app: Stanchion, found: Schedule) -> wire.ScheduleOut:
    """Return a schedule for JSON."""
    return present.schedule(found, arguments(app, found.request))


def worker_row(row: WorkerRow, now: Instant) -> tuple[object, ...]:
    """Return a worker as a row of `WORKER_COLUMNS`."""
    return (
        row.info.incarnation,
        row.state,
        row.info.pid,
        row.info.slots,
        row.running,
        row.done,
        row.failed,
        "" if row.mean_ms is None else render.age(row.mean_ms / 1000),
        ", ".join(row.warm),
        row.swaps or "",
        render.age((now - row.started_at) / 1000),
        render.age((now - row.beat_at) / 1000),
        "all" if row.info.queues is None else ", ".join(row.info.queues),
        ", ".join(_held(row)),
    )


def _held(row: WorkerRow) -> list[str]:
    """Return what a worker's machine has and its attempts hold, such as `gpu:0 1/1`."""
    has, holds = row.info.resources, row.holds
    return [f"{name} {holds.get(name, 0)}" + (f"/{has[name]}" if name in has else "") for name in {**has, **holds}]


def worker_record(row: WorkerRow) -> dict[str, Any]:
    """Return a worker for JSON."""
    info = row.info
    return {
        "id": f"w_{row.id}",
        "incarnation": info.incarnation,
        "host": info.host,
        "pid": info.pid,
        "started_at": present.at(row.started_at),
        "last_beat_at": present.at(row.beat_at),
        "alive": row.alive,
        "state": row.state,
        "slots": info.slots,
        "running": row.running,
        "queues": info.queues,
        "tasks": info.tasks,
        "current_jobs": row.jobs,
        "jobs_done": row.done,
        "jobs_failed": row.failed,
        "mean_ms": row.mean_ms,
        "version": info.version,
        "warm": row.warm,
        "swaps": row.swaps,
        "resources": dict(info.resources),
        "holds": dict(row.holds),
    }
