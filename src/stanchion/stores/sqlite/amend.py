"""What callers and operators change: cancel, retry, reprioritise, metadata, erase; and the upkeep of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stanchion.domain.ids import packed
from stanchion.domain.job import FINAL, WAITING, Move, State, move
from stanchion.domain.units import DAY
from stanchion.errors import NotFoundError, WrongStateError
from stanchion.store import Upkeep
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.claim import expire, promote
from stanchion.stores.sqlite.rows import CANCELLED, CODES, QUEUED, RUNNING, STATES, tags_text
from stanchion.stores.sqlite.signals import CANCEL, CHANGE, WORK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stanchion.domain.policy import Retention
    from stanchion.domain.query import Scope
    from stanchion.domain.units import JobId
    from stanchion.stores.sqlite.lanes import Lanes
    from stanchion.stores.sqlite.writer import Tx

Row = tuple[Any, ...]

WORKERS_KEPT: Final = 90 * DAY


def each(
    tx: Tx, ids: Sequence[JobId], scope: Scope, change: Callable[[Tx, Row], Exception | None]
) -> list[Exception | None]:
    """Apply a change to jobs (seq, lane, state, version, attempt, cancel_at, tenant); answer None or its refusal."""
    answers: list[Exception | None] = []
    for job_id in ids:
        row = _target(tx, job_id, scope)
        answers.append(NotFoundError(f"No job {job_id}.") if row is None else change(tx, row))
    return answers


def _target(tx: Tx, job_id: JobId, scope: Scope) -> Row | None:
    try:
        key = packed(job_id)
    except ValueError:
        return None
    row = tx.db.execute(sql.TARGET, (key,)).fetchone()
    return row if row is not None and scope.tenant in (None, row[6]) else None


def _event(tx: Tx, row: Row, state: int, outcome: str | None = None) -> None:
    tx.event += 1
    tx.db.execute(sql.ADD_EVENT, (tx.event, row[0], row[3] + 1, state, row[4], tx.now, None, outcome, None))
    tx.mask |= CHANGE


def cancel(tx: Tx, row: Row) -> Exception | None:
    """Cancel a waiting job, ask a running one; a final one stays as it is."""
    seq, lane, code, _, _, cancel_at, _ = row
    state = STATES[code]
    if state in WAITING:
        move(state, Move.CANCEL)
        tx.db.execute(sql.CANCEL_WAITING, (tx.now, seq))
        tx.moved(lane, code, CANCELLED)
        _event(tx, row, CANCELLED)
    elif state is State.RUNNING and cancel_at is None:
        tx.db.execute(sql.ASK_CANCEL, (tx.now, seq))
        _event(tx, row, RUNNING, "cancel_requested")
        tx.mask |= CANCEL
    return None


def retry(tx: Tx, row: Row) -> Exception | None:
    """Queue a failed job anew, with a fresh budget of attempts."""
    try:
        state = move(STATES[row[2]], Move.RETRY)
    except WrongStateError as error:
        return error
    tx.db.execute(sql.RETRY, (row[0],))
    tx.db.execute(sql.DROP_RESULT, (row[0],))
    tx.moved(row[1], row[2], CODES[state])
    _event(tx, row, CODES[state])
    tx.mask |= WORK
    return None


def amend(
    lanes: Lanes, *, priority: int | None, metadata: bytes | None, tags: tuple[str, ...] | None
) -> Callable[[Tx, Row], Exception | None]:
    """Return the change that sets what is not None."""

    def change(tx: Tx, row: Row) -> Exception | None:
        state = STATES[row[2]]
        if priority is not None:
            if state not in WAITING:
                return WrongStateError("reprioritise", state.value)
            queue, _, tenant, task = tx.db.execute(sql.LANE_KEY, (row[1],)).fetchone()
            lane = lanes.lane(tx, queue, priority, tenant, task)
            if lane != row[1]:
                tx.db.execute(sql.SET_LANE, (lane, row[0]))
                tx.moved(row[1], row[2], None)
                tx.moved(lane, None, row[2])
        if metadata is not None:
            tx.db.execute(sql.SET_METADATA, (metadata, row[0]))
        if tags is not None:
            tx.db.execute(sql.SET_TAGS, (tags_text(tags), row[0]))
        tx.mask |= CHANGE | (WORK if row[2] == QUEUED else 0)
        return None

    return change


def erase(tx: Tx, row: Row) -> Exception | None:
    """Delete a final job and all it produced."""
    state = STATES[row[2]]
    if state not in FINAL:
        return WrongStateError("erase", state.value)
    delete(tx, [(row[0], row[1], row[2])])
    tx.mask |= CHANGE
    return None


def delete(tx: Tx, rows: Sequence[tuple[int, int, int]]) -> None:
    """Delete jobs (seq, lane, state) with all their rows, and note the artifacts they referred to."""
    listed = f"[{','.join(str(row[0]) for row in rows)}]"
    hashes = [row[0] for row in tx.db.execute(sql.JOB_ARTIFACTS, (listed,))]
    last = tx.db.execute(sql.LAST_EVENT_OF, (listed,)).fetchone()[0]
    tx.db.execute(sql.RAISE_FLOOR, (last or 0,))
    for statement in sql.DELETE_JOBS:
        tx.db.execute(statement, (listed,))
    for _, lane, state in rows:
        tx.moved(lane, state, None)
    tx.db.executemany(sql.ADD_GARBAGE, [(digest,) for digest in hashes])


def _garbage(tx: Tx, limit: int) -> tuple[str, ...]:
    """Return artifacts that no job refers to any more; each is told once."""
    found: list[str] = [row[0] for row in tx.db.execute(sql.GARBAGE, (limit,))]
    tx.db.executemany(sql.DROP_GARBAGE, [(digest,) for digest in found])
    return tuple(digest for digest in found if not tx.db.execute(sql.ARTIFACT_USED, (digest,)).fetchone())


def maintain(tx: Tx, retention: Retention, limit: int) -> Upkeep:
    """See `Store.maintain`."""
    promoted = promote(tx, limit)
    late: list[Row] = tx.db.execute(sql.EXPIRED, (tx.now, limit)).fetchall()
    expire(tx, late)
    ended_before = (tx.now - retention.completed, tx.now - retention.failed, tx.now - retention.cancelled)
    old: list[Row] = tx.db.execute(sql.PRUNABLE, (0, *ended_before, limit)).fetchall()
    if old:
        delete(tx, [(row[0], row[1], row[2]) for row in old])
    tx.db.execute(sql.OLD_WORKERS, (tx.now - WORKERS_KEPT,))
    tx.db.execute(sql.OLD_KEYS, (tx.now - DAY,))
    due = tx.db.execute(sql.NEXT_DUE).fetchone()[0]
    return Upkeep(
        promoted, len(late), len(old), _garbage(tx, limit), None if due is None else max(due - tx.now, 0)
    )
