"""Reading: each function is one snapshot, and stays within a tenant's scope in the query itself."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from stanchion.domain.ids import packed, unpacked
from stanchion.domain.job import Attempt, Cost, Event, Job, LogLine, Output, Preview
from stanchion.domain.policy import QueuePolicy
from stanchion.domain.query import Cursor, Filter, Scope
from stanchion.store import Bucket, Changes, OutputItem, Page, Place, QueueStats, WorkerInfo, WorkerRow
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.rows import (
    BLOCKED,
    CODES,
    COMPLETED,
    FAILED,
    QUEUED,
    RETRYING,
    RUNNING,
    SCHEDULED,
    STATES,
    error_of,
    job_of,
    output_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from stanchion.domain.units import Instant, JobId, Millis

FEW: Final = 5_000
"""Up to so many jobs of a state are sorted for a page; with more, pages are read from the newest down."""
SAMPLE: Final = 20_000
"""Up to so many events of a window are read; beyond, an even sample stands for them."""
MAX_SAMPLES: Final = 200


def key_of(job_id: JobId) -> bytes:
    """Return the key of an id; of what is no id, a key that nothing has."""
    try:
        return packed(job_id)
    except ValueError:
        return b""


def ref_of(db: apsw.Connection, job_id: JobId, scope: Scope) -> tuple[int, int] | None:
    """Return the number and state of a job in scope."""
    return db.execute(sql.REF, (key_of(job_id), scope.tenant)).fetchone()


def inspect(db: apsw.Connection, ids: Sequence[JobId], scope: Scope) -> list[Job | None]:
    """See `Store.inspect`."""
    rows = [db.execute(sql.JOB, (key_of(job_id), scope.tenant)).fetchone() for job_id in ids]
    found = _artifacts(db, [row[0] for row in rows if row is not None])
    return [None if row is None else job_of(row, found.get(row[0], ())) for row in rows]


def _artifacts(db: apsw.Connection, refs: Sequence[int]) -> dict[int, tuple[Output, ...]]:
    rows = db.execute(sql.ARTIFACTS_OF, (json.dumps(refs),)) if refs else ()
    return {
        ref: tuple(output_of(row[1:]) for row in group)
        for ref, group in groupby(rows, key=lambda row: row[0])
    }  # fmt: skip


def page(db: apsw.Connection, filter_: Filter, limit: int, after: str | None, scope: Scope) -> Page:
    """See `Store.list`."""
    if after is not None and not (after.isascii() and after.isdecimal() and len(after) < 20):  # noqa: PLR2004 - digits of 63 bits
        message = f"{after!r} is not a cursor; send back `next` unchanged"
        raise ValueError(message)
    below = int(after or (1 << 62))
    if filter_.ids:
        keys = json.dumps([key_of(job_id).hex() for job_id in filter_.ids])
        rows = db.execute(sql.PAGE_OF_IDS, (*_wanted(filter_, below, scope), keys)).fetchall()
        wanted = {CODES[state] for state in filter_.states}
        rows = [row for row in rows if not wanted or row[7] in wanted]
    else:
        rows = _newest(db, filter_, limit + 1, below, scope)
    rows.sort(key=lambda row: -row[0])
    shown = rows[:limit]
    found = _artifacts(db, [row[0] for row in shown])
    jobs = tuple(job_of((*row[:32], None, None), found.get(row[0], ())) for row in shown)
    return Page(jobs, str(shown[-1][0]) if len(rows) > limit else None)


def _wanted(filter_: Filter, below: int, scope: Scope) -> tuple[Any, ...]:
    """Return the values of what every page query asks: an id by its first digits, a task or user by a part."""
    text = None if not filter_.text else filter_.text.lower()
    return (
        below,
        scope.tenant,
        filter_.queue,
        filter_.task,
        filter_.user,
        filter_.tag,
        (text or "").replace("-", "") or "no id",
        text,
        filter_.ended_before,
    )


def _newest(db: apsw.Connection, filter_: Filter, limit: int, below: int, scope: Scope) -> list[Any]:
    values = (*_wanted(filter_, below, scope), limit)
    if not filter_.states:
        return db.execute(sql.PAGE_BY_AGE[None], values).fetchall()
    totals = db.execute(sql.TOTALS).fetchone()
    rows: list[Any] = []
    for code in sorted({CODES[state] for state in filter_.states}):
        few = code != COMPLETED and totals[code] <= FEW
        rows += db.execute((sql.PAGE_BY_INDEX if few else sql.PAGE_BY_AGE)[code], values).fetchall()
    return rows


def history(
    db: apsw.Connection, job_id: JobId, scope: Scope, after: int
) -> tuple[list[Event], list[Attempt]]:
    """See `Store.history`; attempts are read off the events: a start, and what came next."""
    found = ref_of(db, job_id, scope)
    if found is None:
        return [], []
    events: list[Event] = []
    attempts: dict[int, Attempt] = {}
    for cursor, version, state, attempt, at, error, outcome, worker, _ in db.execute(
        sql.HISTORY, (found[0],)
    ):
        problem = error_of(error)
        if version > after:
            events.append(Event(cursor, job_id, version, STATES[state], attempt, at, problem))
        if state == RUNNING and outcome is None:
            attempts[attempt] = Attempt(attempt, worker, at, None, None, None)
        elif outcome not in (None, "cancel_requested") and attempt in attempts:
            begun = attempts[attempt]
            attempts[attempt] = begun._replace(ended_at=at, outcome=outcome, error=problem)
    return events, [attempt for attempt in attempts.values() if attempt.ended_at is not None]


def outputs(db: apsw.Connection, job_id: JobId, scope: Scope, after: int) -> list[Output]:
    """See `Store.outputs`."""
    found = ref_of(db, job_id, scope)
    return [] if found is None else [output_of(row) for row in db.execute(sql.OUTPUTS, (found[0], after))]


def preview(db: apsw.Connection, job_id: JobId, scope: Scope) -> Preview | None:
    """See `Store.preview`."""
    found = ref_of(db, job_id, scope)
    row = None if found is None else db.execute(sql.PREVIEW, (found[0],)).fetchone()
    return None if row is None else Preview(*row)


def logs(db: apsw.Connection, job_id: JobId, scope: Scope, after: int) -> list[LogLine]:
    """See `Store.logs`."""
    found = ref_of(db, job_id, scope)
    return [] if found is None else [LogLine(*row) for row in db.execute(sql.LOGS, (found[0], after))]


def costs(db: apsw.Connection, job_id: JobId, scope: Scope) -> list[Cost]:
    """See `Store.costs`."""
    found = ref_of(db, job_id, scope)
    return [] if found is None else [Cost(*row) for row in db.execute(sql.COSTS, (found[0],))]


def places(db: apsw.Connection, ids: Sequence[JobId], scope: Scope, now: Instant) -> list[Place | None]:
    """See `Store.position`."""
    serving = [(row[0], json.loads(row[1])) for row in db.execute(sql.SERVING, (now,))]
    return [_place(db, job_id, scope, serving) for job_id in ids]


def _place(db: apsw.Connection, job_id: JobId, scope: Scope, serving: list[tuple[Any, Any]]) -> Place | None:
    row = db.execute(sql.PLACE, (key_of(job_id), scope.tenant)).fetchone()
    if row is None:
        return None
    seq, state, due_at, priority, queue, paused, name, task = row
    match state:
        case _ if state == RUNNING:
            return Place(0)
        case _ if state in (SCHEDULED, RETRYING):
            return Place(None, "scheduled", None, due_at)
        case _ if state == BLOCKED:
            return Place(None, "dependency")
        case _ if state != QUEUED:
            return Place(None)
        case _ if paused:
            return Place(None, "paused_queue", name)
        case _:
            ahead = int(db.execute(sql.AHEAD_BANDS, (queue, priority)).fetchone()[0])
            ahead += int(db.execute(sql.AHEAD_IN_BAND, (queue, priority, seq)).fetchone()[0])
            served = any(
                task in tasks and (queues is None or name in json.loads(queues)) for queues, tasks in serving
            )
            return Place(ahead + 1, None if served else "no_worker", None if served else task)


def stats(db: apsw.Connection, scope: Scope) -> list[QueueStats]:
    """See `Store.stats`."""
    found: list[QueueStats] = []
    for row in db.execute(sql.COUNTS, (scope.tenant,)).fetchall():
        name, paused, max_waiting, *counts, head = row
        oldest = None if head is None else db.execute(sql.CREATED_AT, (head,)).fetchone()
        found.append(
            QueueStats(
                QueuePolicy(name, bool(paused), max_waiting),
                {state: int(count) for state, count in zip(STATES, counts, strict=True)},
                oldest[0] if oldest else None,
            )
        )
    return found


def series(db: apsw.Connection, since: Instant, now: Instant, step: Millis, scope: Scope) -> list[Bucket]:
    """See `Store.series`; beyond `SAMPLE` events, counts are scaled up from an even sample."""
    since -= since % step
    first, last = _after(db, since), db.execute(sql.TOP_EVENT).fetchone()[0] or 0
    count = max(last - first, 0)
    if count <= SAMPLE:
        scale = 1.0
        rows = db.execute(sql.RECENT, (first, last))
    else:
        stride = -(-count // (SAMPLE // 4))
        scale = float(stride)
        rows = db.execute(sql.RECENT_SAMPLE, (json.dumps(list(range(first + 1, last + 1, stride))),))
    starts = range(since, now + 1, step)
    sums = {at: [0, 0, 0, 0] for at in starts}
    waits: dict[int, list[int]] = {at: [] for at in starts}
    runs: dict[int, list[int]] = {at: [] for at in starts}
    for at, version, state, outcome, before, tenant in rows:
        place = at - at % step
        if place not in sums or scope.tenant not in (None, tenant):
            continue
        sums[place][0] += version == 1
        if state == RUNNING and outcome is None:
            sums[place][1] += 1
            if before is not None and len(waits[place]) < MAX_SAMPLES:
                waits[place].append(at - before)
        elif state == COMPLETED:
            sums[place][2] += 1
            if before is not None and len(runs[place]) < MAX_SAMPLES:
                runs[place].append(at - before)
        elif state == FAILED:
            sums[place][3] += 1
    return [
        Bucket(at, *(round(n * scale) for n in sums[at]), waits=tuple(waits[at]), runs=tuple(runs[at]))  # pyright: ignore[reportCallIssue]
        for at in starts
    ]


def _after(db: apsw.Connection, instant: Instant) -> int:
    """Return the last cursor before an instant, by bisection: cursors grow with time."""
    low, high = (
        (db.execute(sql.BOTTOM_EVENT).fetchone()[0] or 1) - 1,
        db.execute(sql.TOP_EVENT).fetchone()[0] or 0,
    )
    while low < high:
        middle = (low + high) // 2
        row = db.execute(sql.EVENT_AT, (middle + 1,)).fetchone()
        if row is None or row[0] >= instant:
            high = middle
        else:
            low = middle + 1
    return low


def workers(db: apsw.Connection, now: Instant, keep: Millis) -> list[WorkerRow]:
    """See `Store.workers`."""
    found: list[WorkerRow] = []
    for row in db.execute(sql.WORKERS, (now - keep,)).fetchall():
        (number, incarnation, host, pid, slots, queues, tasks, supervisor, version, capabilities) = row[:10]
        (state, started_at, beat_at, lease_until, done, failed, busy_ms) = row[10:]
        jobs = tuple(unpacked(job[0]) for job in db.execute(sql.WORKER_JOBS, (number,)))
        if state == "alive":
            state = "busy" if jobs else "idle"
        names = None if queues is None else tuple(json.loads(queues))
        info = WorkerInfo(
            incarnation,
            host,
            pid,
            slots,
            names,
            tuple(json.loads(tasks)),
            supervisor,
            version,
            json.loads(capabilities),
        )
        ended = done + failed
        alive = state in ("busy", "idle", "draining") and lease_until >= now
        mean = busy_ms / ended if ended else None
        found.append(
            WorkerRow(number, info, state, started_at, beat_at, alive, len(jobs), jobs, done, failed, mean)
        )
    return found


def changes(db: apsw.Connection, since: Cursor, limit: int, scope: Scope) -> Changes:
    """See `Store.changes`."""
    floor = db.execute(sql.FLOOR).fetchone()[0]
    top = tail(db)
    if since.event < floor or since.event > top.event:
        return Changes((), (), (), top, gap=True)
    rows = db.execute(sql.EVENTS_SINCE, (since.event, limit)).fetchall()
    items = db.execute(sql.OUTPUTS_SINCE, (since.output, limit)).fetchall()
    lively = db.execute(sql.LIVE_SINCE, (since.live, limit)).fetchall()
    events = tuple(
        Event(row[0], unpacked(row[1]), row[2], STATES[row[3]], row[4], row[5], error_of(row[6]))
        for row in rows
        if scope.tenant in (None, row[7])
    )
    produced = tuple(
        OutputItem(unpacked(row[11]), output_of(row)) for row in items if scope.tenant in (None, row[12])
    )
    live = tuple(unpacked(row[1]) for row in lively if scope.tenant in (None, row[2]))
    more = limit in (len(rows), len(items), len(lively))
    cursor = Cursor(
        rows[-1][0] if len(rows) == limit else top.event,
        items[-1][10] if len(items) == limit else top.output,
        lively[-1][0] if len(lively) == limit else top.live,
    )
    return Changes(events, produced, live, cursor, more=more)


def tail(db: apsw.Connection) -> Cursor:
    """See `Store.tail`."""
    _, event, output, live = db.execute(sql.COUNTERS).fetchone()
    return Cursor(event, output, live)
