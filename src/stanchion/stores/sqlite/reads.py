"""Reading: each function is one snapshot, and stays within a tenant's scope in the query itself.

What cannot be read in one row (a damaged file, a row of a later version) is said in its place and hides no other row.
"""

from __future__ import annotations

import json
import logging
from itertools import groupby
from typing import TYPE_CHECKING, Final

from stanchion.domain.affinity import Bound
from stanchion.domain.ids import packed
from stanchion.domain.job import Attempt, Cost, Event, Job, LogLine, Output, Preview
from stanchion.domain.kinds import ErrorInfo, Kind
from stanchion.domain.policy import QueuePolicy
from stanchion.domain.query import Filter, Scope
from stanchion.store import Page, QueueStats
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.fetch import Row, every, one, only
from stanchion.stores.sqlite.rows import (
    CODES,
    COMPLETED,
    FAILED,
    RUNNING,
    STATES,
    UNREADABLE,
    error_of,
    error_text,
    job_of,
    output_of,
    tags_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stanchion.domain.job import State
    from stanchion.domain.units import JobId
    from stanchion.stores.sqlite.fetch import Connection

log = logging.getLogger("stanchion.store")

FEW: Final = 5_000
"""Up to so many jobs of a state are sorted for a page; with more, pages are read from the newest down."""


def key_of(job_id: JobId) -> bytes:
    """Return the key of an id; of what is no id, a key that nothing has."""
    try:
        return packed(job_id)
    except ValueError:
        return b""


def ref_of(db: Connection, job_id: JobId, scope: Scope) -> tuple[int, int] | None:
    """Return the number and state of a job in scope."""
    row = one(db, sql.REF, (key_of(job_id), scope.tenant))
    return None if row is None else (row[0], row[1])


def _job(row: Row, artifacts: tuple[Output, ...] = ()) -> Job:
    """Return the job of a row; what cannot be read of it stands in its error."""
    try:
        return job_of(row, artifacts)
    except UNREADABLE:
        return job_of(_mended(row), artifacts)


def _mended(row: Row) -> Row:
    """Return a row without what cannot be read; a job whose secrets are not known shows no arguments."""
    columns, wrong = list(row), list[str]()
    if not 0 <= row[7] < len(STATES):
        wrong.append(f"state {row[7]}")
        columns[7] = FAILED
    for place, name in ((19, "tags"), (35, "secret"), (23, "error")):
        try:
            (error_of if name == "error" else tags_of)(row[place])
        except UNREADABLE:
            wrong.append(name)
            columns[place] = None
    if "secret" in wrong:
        columns[33] = columns[34] = None
    columns[23] = error_text(_unreadable(f"what the store keeps of this job cannot be read: {', '.join(wrong)}"))
    return tuple(columns)


def _unreadable(message: str) -> ErrorInfo:
    return ErrorInfo(Kind.INTERNAL, f"{message}; `stanchion doctor` checks the file", retryable=False)


def problem_of(text: str | None) -> ErrorInfo | None:
    """Return the error that a text keeps, or one that says that it cannot be read."""
    try:
        return error_of(text)
    except UNREADABLE:
        return _unreadable("the error that the store keeps cannot be read")


def inspect(db: Connection, ids: Sequence[JobId], scope: Scope) -> list[Job | None]:
    """See `Store.inspect`."""
    rows = [one(db, sql.JOB, (key_of(job_id), scope.tenant)) for job_id in ids]
    found = _artifacts(db, [row[0] for row in rows if row is not None])
    return [None if row is None else _job(row, found.get(row[0], ())) for row in rows]


def _artifacts(db: Connection, refs: Sequence[int]) -> dict[int, tuple[Output, ...]]:
    rows = every(db, sql.ARTIFACTS_OF, (json.dumps(refs),)) if refs else ()
    return {
        ref: tuple(output_of(row[1:]) for row in group)
        for ref, group in groupby(rows, key=lambda row: row[0])
    }  # fmt: skip


def page(db: Connection, filter_: Filter, limit: int, after: str | None, scope: Scope) -> Page:
    """See `Store.list`."""
    if after is not None and not (after.isascii() and after.isdecimal() and len(after) < 20):  # noqa: PLR2004 - digits of 63 bits
        message = f"{after!r} is not a cursor; send back `next` unchanged"
        raise ValueError(message)
    below = int(after or (1 << 62))
    if filter_.workflow is not None:
        rows = _of_workflow(db, filter_, limit + 1, below, scope)
    elif filter_.ids:
        keys = json.dumps([key_of(job_id).hex() for job_id in filter_.ids])
        rows = every(db, sql.PAGE_OF_IDS, (*_wanted(filter_, below, scope), keys))
        wanted = {CODES[state] for state in filter_.states}
        rows = [row for row in rows if not wanted or row[7] in wanted]
    else:
        rows = _newest(db, filter_, limit + 1, below, scope)
    rows.sort(key=lambda row: -row[0])
    shown = rows[:limit]
    found = _artifacts(db, [row[0] for row in shown])
    jobs = tuple(_job((*row[:33], None, None, None), found.get(row[0], ())) for row in shown)
    return Page(jobs, str(shown[-1][0]) if len(rows) > limit else None)


def _of_workflow(db: Connection, filter_: Filter, limit: int, below: int, scope: Scope) -> list[Row]:
    states = json.dumps([CODES[state] for state in filter_.states]) if filter_.states else None
    most = -1 if filter_.ids else limit
    rows = every(db, sql.PAGE_OF_WORKFLOW, (*_wanted(filter_, below, scope), filter_.workflow, states, most))
    keys = {key_of(job_id) for job_id in filter_.ids}
    return [row for row in rows if row[1] in keys] if keys else rows


def _wanted(filter_: Filter, below: int, scope: Scope) -> Row:
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


def _newest(db: Connection, filter_: Filter, limit: int, below: int, scope: Scope) -> list[Row]:
    values = (*_wanted(filter_, below, scope), limit)
    if not filter_.states:
        return every(db, sql.PAGE_BY_AGE[None], values)
    totals = only(db, sql.TOTALS)
    rows: list[Row] = []
    for code in sorted({CODES[state] for state in filter_.states}):
        few = code != COMPLETED and totals[code] <= FEW
        rows += every(db, (sql.PAGE_BY_INDEX if few else sql.PAGE_BY_AGE)[code], values)
    return rows


def history(db: Connection, job_id: JobId, scope: Scope, after: int) -> tuple[list[Event], list[Attempt]]:
    """See `Store.history`; attempts are read off the events: a start, and what came next.

    An event whose state is unknown is left out, and a warning says so.
    """
    found = ref_of(db, job_id, scope)
    if found is None:
        return [], []
    events: list[Event] = []
    attempts: dict[int, Attempt] = {}
    for cursor, version, state, attempt, at, error, outcome, worker, _ in every(db, sql.HISTORY, (found[0],)):
        problem = problem_of(error)
        if not 0 <= state < len(STATES):
            log.warning("event %d of job %s has state %d, which this version does not know", version, job_id, state)
        elif version > after:
            events.append(Event(cursor, job_id, version, STATES[state], attempt, at, problem))
        if state == RUNNING and outcome is None:
            attempts[attempt] = Attempt(attempt, worker, at, None, None, None)
        elif outcome not in (None, "cancel_requested") and attempt in attempts:
            begun = attempts[attempt]
            attempts[attempt] = begun._replace(ended_at=at, outcome=outcome, error=problem)
    return events, [attempt for attempt in attempts.values() if attempt.ended_at is not None]


def outputs(db: Connection, job_id: JobId, scope: Scope, after: int) -> list[Output]:
    """See `Store.outputs`."""
    found = ref_of(db, job_id, scope)
    return [] if found is None else [output_of(row) for row in every(db, sql.OUTPUTS, (found[0], after))]


def preview(db: Connection, job_id: JobId, scope: Scope) -> Preview | None:
    """See `Store.preview`."""
    found = ref_of(db, job_id, scope)
    row = None if found is None else one(db, sql.PREVIEW, (found[0],))
    return None if row is None else Preview(*row)


def logs(db: Connection, job_id: JobId, scope: Scope, after: int) -> list[LogLine]:
    """See `Store.logs`."""
    found = ref_of(db, job_id, scope)
    return [] if found is None else [LogLine(*row) for row in every(db, sql.LOGS, (found[0], after))]


def costs(db: Connection, job_id: JobId, scope: Scope) -> list[Cost]:
    """See `Store.costs`."""
    found = ref_of(db, job_id, scope)
    return [] if found is None else [Cost(*row) for row in every(db, sql.COSTS, (found[0],))]


def stats(db: Connection, scope: Scope) -> list[QueueStats]:
    """See `Store.stats`."""
    found: list[QueueStats] = []
    for name, paused, max_waiting, jobs, time, *counts, head, aging in every(db, sql.COUNTS, (scope.tenant,)):
        oldest = None if head is None else one(db, sql.CREATED_AT, (head,))
        found.append(
            QueueStats(
                QueuePolicy(name, bool(paused), max_waiting, Bound(jobs, time), aging),
                {state: int(count) for state, count in zip(STATES, counts, strict=True)},
                oldest[0] if oldest else None,
            )
        )
    return found


def census(db: Connection) -> dict[str, Mapping[State, int]]:
    """See `Store.census`."""
    return {
        tenant: {state: int(count) for state, count in zip(STATES, counts, strict=True) if count}
        for tenant, *counts in every(db, sql.CENSUS)
    }
