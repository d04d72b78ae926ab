"""Notices as frames of a stream; a frame's data is encoded once for all who watch through one mount."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from stanchion.domain.job import FINAL, State
from stanchion.server import links, present

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stanchion.domain.job import Job, LogLine, Output
    from stanchion.domain.query import Cursor
    from stanchion.domain.units import Instant, JobId
    from stanchion.engine.watchers import Notice
    from stanchion.store import Place

_encode: Final = msgspec.json.Encoder().encode


class Frame(NamedTuple):
    """One event of a stream; without an id it is ephemeral and never replayed."""

    event: str
    job: JobId | None
    data: bytes
    id: str | None = None


def with_job(job_id: JobId, data: bytes) -> bytes:
    """Return a JSON object with the job's id as its first member."""
    return b'{"job":' + _encode(job_id) + (b"," if data != b"{}" else b"") + data[1:]


def sse(frames: Iterable[Frame]) -> bytes:
    """Return frames as the text of an event stream."""
    lines: list[bytes] = []
    for frame in frames:
        if frame.id is not None:
            lines.append(b"id: %s\n" % frame.id.encode())
        if frame.event:
            lines.append(b"event: %s\ndata: %s\n" % (frame.event.encode(), frame.data))
        lines.append(b"\n")
    return b"".join(lines)


def mark(cursor: str) -> Frame:
    """Return a frame that moves the client's cursor and is not dispatched (it has no data)."""
    return Frame("", None, b"", cursor)


def reset(start: str, reason: str = "history_gone") -> Frame:
    """Return the frame that says that a cursor is too old."""
    return Frame("reset", None, _encode({"reason": reason, "from": start}))


def snapshot(job_id: JobId, job: object, id_: str | None) -> Frame:
    """Return the frame with the whole job."""
    return Frame("snapshot", job_id, with_job(job_id, _encode(job)), id_)


def done(job: Job, now: Instant, id_: str | None) -> Frame:
    """Return the last frame of a job."""
    return Frame("done", job.id, with_job(job.id, _encode(present.thin(job, None, now))), id_)


def log_line(job_id: JobId, line: LogLine) -> Frame:
    """Return the frame of a log line; `cursor` lets a client skip what it has."""
    data: dict[str, Any] = {
        "job": job_id,
        "cursor": line.cursor,
        "level": line.level,
        "message": line.message,
        "source": "handler",
        "attempt": line.attempt,
        "at": present.at(line.at),
    }
    return Frame("log", job_id, _encode(data))


def ephemeral(notice: Notice, now: Instant) -> Frame | None:
    """Return the frame of progress, preview, position or stats; None where there is nothing to tell any more."""
    data = notice.forms.get(links.root())
    if data is None:
        data = notice.forms[links.root()] = _ephemeral_data(notice, now)
    if not data:
        return None
    return Frame(notice.kind, notice.job.id if notice.job is not None else None, data)


def _ephemeral_data(notice: Notice, now: Instant) -> bytes:
    job = notice.job
    if notice.kind == "stats":
        return _stats_data(notice)
    if job is None:
        return b""
    if notice.kind == "position":
        return position_data(job, notice.place)
    body = present.progress_out(job, now) if notice.kind == "progress" else present.preview_out(job, notice.preview)
    return with_job(job.id, _encode(body)) if body is not None else b""


def _stats_data(notice: Notice) -> bytes:
    if notice.stats is None:
        return b""
    queues, bucket = notice.stats
    body: dict[str, Any] = {
        "counts": present.totals(queues),
        "queues": {queue.policy.name: present.counts(queue) for queue in queues},
        "series": [present.point(bucket)] if bucket is not None else [],
    }
    return _encode(body)


def position_data(job: Job, place: Place | None) -> bytes:
    """Return where a job stands in line."""
    line = present.position(job.state, place)
    body: dict[str, Any] = {
        "job": job.id,
        "position": line,
        "ahead": present.ahead(line),
        "eta": present.eta_out(place),
        "waiting_on": present.waiting_on(place),
    }
    return _encode(body)


def status(notice: Notice, id_: str | None) -> Frame:
    """Return the frame of a transition, with the thin fields that a live list needs."""
    assert notice.job is not None
    data = notice.forms.get(links.root())
    if data is None:
        data = notice.forms[links.root()] = _status_data(notice, notice.job)
    return Frame("status", notice.job.id, data, id_)


def _status_data(notice: Notice, job: Job) -> bytes:
    event = notice.event
    assert event is not None
    final = event.state in FINAL
    body: dict[str, Any] = {
        "job": job.id,
        "state": event.state,
        "version": event.version,
        "at": present.at(event.at),
        "attempt": event.attempt,
        "position": present.position(event.state, notice.place),
        "queue": job.queue,
        "task": job.task,
        "priority": job.priority,
        "tenant": job.tenant,
        "user": job.user,
        "error": present.error_out(event.error),
        "created_at": present.at(job.created_at),
        "started_at": present.maybe_at(job.started_at) if final or event.state is State.RUNNING else None,
        "ended_at": present.at(event.at) if final else None,
        "cancel_requested_at": present.maybe_at(job.cancel_requested_at),
    }
    if job.final and final:
        body["outputs"] = present.artifacts_of(job)
    return _encode(body)


def output(job_id: JobId, item: Output, id_: str | None, notice: Notice | None = None) -> Frame:
    """Return the frame of an output."""
    data = notice.forms.get(links.root()) if notice is not None else None
    if data is None:
        data = _output_data(job_id, item)
        if notice is not None:
            notice.forms[links.root()] = data
    return Frame("output", job_id, data, id_)


def _output_data(job_id: JobId, item: Output) -> bytes:
    body: dict[str, Any] = {"job": job_id, "index": item.index, "attempt": item.attempt}
    if item.artifact is not None:
        body["artifact"] = present.output_out(job_id, item)
    else:
        body["chunk"] = present.chunk(item)
        body["url"] = links.output(job_id, item.index)
    return _encode(body)


def cursor_text(cursor: Cursor) -> str:
    """Return the id of a frame on a stream of many jobs."""
    return f"{cursor.event}-{cursor.output}"
