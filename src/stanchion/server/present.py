"""Domain values as the API shows them: times, errors, progress, outputs, jobs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import UNSET, Raw

from stanchion.domain.job import FINAL, State
from stanchion.domain.progress import fraction, quantile, remaining
from stanchion.domain.schedule import Cron
from stanchion.server import links, wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stanchion.domain.dependency import Relations
    from stanchion.domain.intake import Overflowing, Warned
    from stanchion.domain.job import Attempt, Cost, Event, Job, Output, Preview
    from stanchion.domain.kinds import ErrorInfo
    from stanchion.domain.query import Scope
    from stanchion.domain.schedule import Schedule
    from stanchion.domain.units import Instant, JobId
    from stanchion.store import Bucket, Place, QueueStats

NULL: Final = Raw(b"null")
_EMPTY: Final = Raw(b"{}")
_MAX_INSTANT: Final = 253_402_300_799_999
_encode: Final = msgspec.json.Encoder().encode


def at(instant: Instant) -> str:
    """Return an instant as RFC 3339 in UTC with ms."""
    when = datetime.fromtimestamp(min(max(instant, 0), _MAX_INSTANT) // 1000, UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{instant % 1000:03d}Z"


def maybe_at(instant: Instant | None) -> str | None:
    """Return an instant as text; None stays None."""
    return None if instant is None else at(instant)


def instant_of(when: datetime) -> Instant:
    """Return a time of the wire in ms since the epoch."""
    return round(when.timestamp() * 1000)


def error_out(error: ErrorInfo | None, *, trace: bool = False) -> wire.ErrorOut | None:
    """Return a job's error; its traceback only where asked."""
    if error is None:
        return None
    return wire.ErrorOut(error.kind.value, error.message, error.retryable, error.trace if trace else None)


def warning_out(warned: Warned, scope: Scope) -> wire.WarningOut:
    """Return a warning; how many jobs a queue holds is told only to who sees all tenants."""
    shared = scope.tenant is not None and warned.key.startswith("queue:")
    return wire.WarningOut(warned.key, None if shared else warned.jobs, warned.warn_at, warned.refuse_at)


def overflow_out(found: Overflowing | None) -> wire.OverflowOut | None:
    """Return how full a key is, where it has a bound."""
    if found is None:
        return None
    return wire.OverflowOut(found.jobs, found.warn_at, found.refuse_at, maybe_at(found.since))


def progress_out(job: Job, now: Instant) -> wire.ProgressOut | None:
    """Return a running job's progress."""
    progress = job.progress
    if progress is None or job.state is not State.RUNNING:
        return None
    left = remaining(progress, job.started_at, now) if job.started_at is not None else None
    return wire.ProgressOut(
        fraction(progress.index, progress.length),
        _whole(progress.index),
        _whole(progress.length),
        progress.unit,
        progress.message,
        progress.stage,
        None if left is None else left / 1000,
    )


def _whole(number: float) -> float:
    return int(number) if number == int(number) else number


def preview_out(job: Job, preview: Preview | None = None) -> wire.PreviewOut | None:
    """Return a running job's preview; its measures where they were read."""
    if job.preview_revision is None or job.state is not State.RUNNING:
        return None
    if preview is None:
        return wire.PreviewOut(links.preview(job.id, job.preview_revision))
    url = links.preview(job.id, preview.revision)
    return wire.PreviewOut(url, preview.content_type, preview.width, preview.height, preview.step)


def kept(data: bytes | None, otherwise: Raw = NULL) -> Raw:
    """Return JSON as it was stored, or `otherwise` where there is none or it cannot be read."""
    if not data:
        return otherwise
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return otherwise
    return Raw(data)


def chunk(output: Output) -> Raw:
    """Return an output chunk as JSON: JSON as it is, text as a string, other bytes as null (fetch its URL)."""
    data = output.data
    if data is None or output.kind == "bytes":
        return NULL
    if output.content_type == "application/json" or output.kind == "json":
        return kept(data)
    try:
        return Raw(_encode(data.decode()))
    except UnicodeDecodeError:
        return NULL


def output_out(job_id: JobId, output: Output, *, chunks: bool = False) -> wire.OutputOut:
    """Return an output; with its chunk where asked."""
    return wire.OutputOut(
        output.index,
        output.kind,
        output.name,
        output.content_type,
        output.size,
        output.artifact,
        output.width,
        output.height,
        links.output(job_id, output.index),
        chunk(output) if chunks and output.artifact is None else UNSET,
    )


def artifacts_of(job: Job) -> list[wire.OutputOut]:
    """Return the artifacts of a job that the store listed with it."""
    return [output_out(job.id, output) for output in job.artifacts]


def waiting_on(place: Place | None) -> wire.WaitingOn | None:
    """Return why a job cannot start now."""
    if place is None or place.reason is None:
        return None
    return wire.WaitingOn(place.reason, place.key, maybe_at(place.until))


def position(state: State, place: Place | None) -> int | None:
    """Return a place in line: 0 while running, None at the end or where it cannot start."""
    if state is State.RUNNING:
        return 0
    if state in FINAL or place is None or not place.position:
        return None
    return place.position


def ahead(place: int | None) -> int | None:
    """Return how many jobs start before a position."""
    return None if place is None else max(place - 1, 0)


def eta_out(place: Place | None) -> wire.EtaOut | None:
    """Return the time left, in seconds; None where it cannot be said."""
    if place is None or place.eta is None:
        return None
    starts, ends, late = place.eta
    return wire.EtaOut(wire.RangeOut(*(_in_s(ms) for ms in starts)), wire.RangeOut(*(_in_s(ms) for ms in ends)), late)


def _in_s(ms: int) -> float:
    return round(ms / 1000, 3)


def urls(job_id: JobId) -> wire.Urls:
    """Return the links of a job."""
    own = links.job(job_id)
    return wire.Urls(own, f"{own}/events", f"{own}/cancel", f"{own}/retry", f"{own}/outputs")


def event_out(event: Event) -> wire.EventOut:
    """Return a transition."""
    return wire.EventOut(event.version, event.state.value, at(event.at), event.attempt, error_out(event.error))


def attempts_out(job: Job, ended: Iterable[Attempt]) -> list[wire.AttemptOut]:
    """Return the attempts of a job, the running one last."""
    shown = [
        wire.AttemptOut(a.number, a.worker, maybe_at(a.started_at), maybe_at(a.ended_at), a.outcome, error_out(a.error))
        for a in ended
    ]
    if job.state is State.RUNNING and all(a.attempt != job.attempt for a in shown):
        shown.append(wire.AttemptOut(job.attempt, job.worker, maybe_at(job.started_at), None, None, None))
    return shown


def thin_fields(job: Job, place: Place | None, now: Instant, preview: Preview | None = None) -> dict[str, Any]:
    """Return the fields that lists and full jobs share."""
    line = position(job.state, place)
    waits = job.state in (State.SCHEDULED, State.RETRYING)
    return {
        "id": job.id,
        "task": job.task,
        "queue": job.queue,
        "tenant": job.tenant,
        "user": job.user,
        "priority": job.priority,
        "state": job.state,
        "version": job.version,
        "attempt": job.attempt,
        "spent": job.spent,
        "crashes": job.crashes,
        "max_attempts": job.max_attempts,
        "tags": job.tags,
        "metadata": kept(job.metadata, _EMPTY),
        "error": error_out(job.error),
        "created_at": at(job.created_at),
        "run_at": maybe_at(job.due_at) if waits else None,
        "started_at": maybe_at(job.started_at),
        "ended_at": maybe_at(job.ended_at),
        "expires_at": maybe_at(job.expires_at),
        "cancel_requested_at": maybe_at(job.cancel_requested_at),
        "position": line,
        "ahead": ahead(line),
        "eta": None if job.final else eta_out(place),
        "waiting_on": None if job.final else waiting_on(place),
        "progress": progress_out(job, now),
        "preview": preview_out(job, preview),
        "outputs": artifacts_of(job),
        "cached": job.cached,
        "correlation_id": job.correlation_id,
        "urls": urls(job.id),
        "model": job.model or None,
    }


def thin(job: Job, place: Place | None, now: Instant) -> wire.JobThin:
    """Return a job as lists show it."""
    return wire.JobThin(**thin_fields(job, place, now))


def relations_out(relations: Relations) -> dict[str, Any]:
    """Return the fields of a full job that name other jobs."""
    return {
        "parents": [wire.RelatedOut(one.id, one.task, one.state, one.policy) for one in relations.parents],
        "children": [wire.RelatedOut(one.id, one.task, one.state, one.policy) for one in relations.children],
        "workflows": list(relations.workflows),
    }


def costs_out(costs: Iterable[Cost]) -> list[wire.CostOut]:
    """Return what all attempts cost."""
    return [wire.CostOut(cost.amount, cost.unit) for cost in costs]


def counts(queue: QueueStats) -> dict[str, int]:
    """Return a queue's counts, every state named."""
    return {state.value: queue.counts.get(state, 0) for state in State}


def totals(queues: Sequence[QueueStats]) -> dict[str, int]:
    """Return the counts of all queues."""
    return {state.value: sum(queue.counts.get(state, 0) for queue in queues) for state in State}


def schedule(found: Schedule, args: Raw) -> wire.ScheduleOut:
    """Return a schedule; `args` are its job's arguments, what is secret struck out."""
    job, rule = found.request, found.rule
    text, zone = rule if isinstance(rule, Cron) else (None, None)
    every, start = (None, None) if isinstance(rule, Cron) else (rule.every / 1000, at(rule.start))
    return wire.ScheduleOut(
        name=found.name,
        tenant=found.tenant,
        cron=text,
        tz=zone,
        every=every,
        start=start,
        overlap=found.overlap,
        catch_up=None if found.catch_up is None else found.catch_up / 1000,
        job=wire.ScheduledJobOut(job.task, args, job.queue, job.priority, job.user, job.tags),
        paused=found.paused,
        created_at=at(found.created_at),
        next_at=maybe_at(found.next_at),
        last_at=maybe_at(found.last_at),
        last_job=found.last_job,
    )


def point(bucket: Bucket) -> wire.Point:
    """Return one interval of the recent past."""
    waits, runs = sorted(bucket.waits), sorted(bucket.runs)
    shown = [_seconds(quantile(values, q)) for values in (waits, runs) for q in (0.5, 0.95)]
    return wire.Point(at(bucket.at), bucket.enqueued, bucket.started, bucket.completed, bucket.failed, *shown)


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value / 1000, 3)
