"""What callers and operators change: cancel, retry, reprioritise, metadata, erase; and the upkeep of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stanchion.domain.ids import packed, unpacked
from stanchion.domain.job import FINAL, WAITING, Move, State, move
from stanchion.domain.units import DAY
from stanchion.errors import NotFoundError, StillNeededError, WrongStateError
from stanchion.store import Upkeep
from stanchion.stores.sqlite import cache, conflicts, intake, joins, usage
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.aging import age
from stanchion.stores.sqlite.claim import expire, promote
from stanchion.stores.sqlite.fetch import Row, every, one, only
from stanchion.stores.sqlite.rows import CANCELLED, CODES, QUEUED, RUNNING, STATES, tags_text
from stanchion.stores.sqlite.signals import CANCEL, CHANGE, WORK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stanchion.domain.policy import Retention
    from stanchion.domain.query import Scope
    from stanchion.domain.units import JobId
    from stanchion.stores.sqlite.lanes import Lanes
    from stanchion.stores.sqlite.writer import Tx

WORKERS_KEPT: Final = 90 * DAY
WINDOW: Final = 5_000
"""How many jobs one round of pruning looks at."""
_LAST: Final = (1 << 63) - 1


def each(
    tx: Tx, ids: Sequence[JobId], scope: Scope, change: Callable[[Tx, Row], Exception | None]
) -> list[Exception | None]:
    """Apply a change to jobs (a row of `TARGET` each); answer None or its refusal."""
    answers: list[Exception | None] = []
    for job_id in ids:
        row = _target(tx, job_id, scope)
        answers.append(NotFoundError(f"No job {job_id}.") if row is None else change(tx, row))
    if tx.ended:
        joins.resolve(tx)
    return answers


def _target(tx: Tx, job_id: JobId, scope: Scope) -> Row | None:
    try:
        key = packed(job_id)
    except ValueError:
        return None
    row = one(tx.db, sql.TARGET, (key,))
    return row if row is not None and scope.tenant in (None, row[7]) else None


def _state(row: Row) -> State:
    code: int = row[2]
    return STATES[code]


def _event(tx: Tx, row: Row, state: int, outcome: str | None = None) -> int:
    """Add the event of a change, and return its cursor."""
    tx.event += 1
    event = (tx.event, row[0], row[3] + 1, state, row[4], tx.now, None, outcome, None, row[5])
    tx.db.execute(sql.ADD_EVENT, event)
    tx.mask |= CHANGE
    return tx.event


def cancel(tx: Tx, row: Row) -> Exception | None:
    """Cancel a waiting job, ask a running one; a final one stays as it is."""
    seq, lane, code, _, _, _, cancel_at, *_ = row
    state = _state(row)
    if state in WAITING:
        move(state, Move.CANCEL)
        tx.db.execute(sql.CANCEL_WAITING, (tx.now, _event(tx, row, CANCELLED), seq))
        tx.moved(lane, code, CANCELLED)
        tx.ended.append((seq, CANCELLED))
    elif state is State.RUNNING and cancel_at is None:
        tx.db.execute(sql.ASK_CANCEL, (tx.now, _event(tx, row, RUNNING, "cancel_requested"), seq))
        tx.mask |= CANCEL
    return None


def retry(lanes: Lanes) -> Callable[[Tx, Row], Exception | None]:
    """Return the change that queues a failed job anew, with a fresh budget of attempts."""

    def change(tx: Tx, row: Row) -> Exception | None:
        try:
            move(_state(row), Move.RETRY)
        except WrongStateError as error:
            return error
        taken = conflicts.taken(tx, row[0])
        if taken is not None:
            return taken
        state = joins.again(tx, row[0], unpacked(row[8]))
        if not isinstance(state, State):
            return state
        lane = usage.own_lane(tx, lanes, row[0], row[1])
        tx.db.execute(sql.RETRY, (CODES[state], _event(tx, row, CODES[state]), row[0]))
        tx.db.execute(sql.DROP_RESULT, (row[0],))
        tx.moved(row[1], row[2], None)
        tx.moved(lane, None, CODES[state])
        tx.mask |= WORK
        return None

    return change


def amend(
    lanes: Lanes, *, priority: int | None, metadata: bytes | None, tags: tuple[str, ...] | None
) -> Callable[[Tx, Row], Exception | None]:
    """Return the change that sets what is not None."""

    def change(tx: Tx, row: Row) -> Exception | None:
        state = _state(row)
        if priority is not None:
            if state not in WAITING:
                return WrongStateError("reprioritise", state.value)
            queue, tenant, task, user, extra, model, batch = only(tx.db, sql.LANE_KEY, (row[1],))
            allowed = lanes.rules(tx).priority(tenant, priority)
            lane = lanes.lane(tx, queue, allowed, tenant, task, user, extra, model, batch)
            if lane != row[1]:
                tx.db.execute(sql.SET_LANE, (lane, row[0]))
                lanes.changed(tx)  # no event tells of it, and those who follow the line must know
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
    state = _state(row)
    if state not in FINAL:
        return WrongStateError("erase", state.value)
    if joins.needed(tx, row[0]):
        return StillNeededError(unpacked(row[8]))
    cache.forget(tx, row[0])
    delete(tx, [(row[0], row[1], row[2])])
    tx.mask |= CHANGE
    return None


def delete(tx: Tx, rows: Sequence[tuple[int, int, int]]) -> None:
    """Delete jobs (seq, lane, state) with all their rows, and note the artifacts they referred to."""
    listed = f"[{','.join(str(row[0]) for row in rows)}]"
    hashes = [(row[0],) for row in every(tx.db, sql.JOB_ARTIFACTS, (listed,))]
    last = only(tx.db, sql.LAST_EVENT_OF, (listed,))[0]
    tx.db.execute(sql.RAISE_FLOOR, (last or 0,))
    tx.deleted = True
    tx.db.execute(sql.DELETE_EVENTS, (listed,))
    for statement in sql.DELETE_JOBS:
        tx.db.execute(statement, (listed,))
    for _, lane, state in rows:
        tx.moved(lane, state, None)
    tx.db.executemany(sql.ADD_GARBAGE, hashes)


def _garbage(tx: Tx, limit: int) -> tuple[str, ...]:
    """Return artifacts that no job refers to any more; each is told once."""
    found: list[str] = [row[0] for row in every(tx.db, sql.GARBAGE, (limit,))]
    tx.db.executemany(sql.DROP_GARBAGE, [(digest,) for digest in found])
    return tuple(digest for digest in found if one(tx.db, sql.ARTIFACT_USED, (digest,)) is None)


def maintain(tx: Tx, lanes: Lanes, retention: Retention, limit: int, after: int = 0) -> tuple[Upkeep, int]:
    """See `Store.maintain`; a round looks for old jobs among the next `WINDOW` after a number, and answers where on."""
    promoted = promote(tx, limit)
    late = every(tx.db, sql.EXPIRED, (tx.now, limit))
    expire(tx, late)
    joins.resolve(tx)
    resolved = joins.go_on(tx, limit)
    aged = age(tx, lanes, limit)
    ended_before = (tx.now - retention.completed, tx.now - retention.failed, tx.now - retention.cancelled)
    end = one(tx.db, sql.PRUNE_WINDOW, (after, WINDOW))
    last = _LAST if end is None else end[0]
    old = every(tx.db, sql.PRUNABLE, (after, last, *ended_before, limit))
    if old:
        delete(tx, [(row[0], row[1], row[2]) for row in old])
    uncached = cache.upkeep(tx, retention.cache_bytes, limit)
    tx.db.execute(sql.OLD_WORKERS, (tx.now - WORKERS_KEPT,))
    tx.db.execute(sql.OLD_KEYS, (tx.now - DAY,))
    due = only(tx.db, sql.NEXT_DUE)[0]
    next_due = None if due is None else max(due - tx.now, 0)
    usage.reconcile(tx, lanes)
    relieved = intake.upkeep(tx, lanes)
    onward = after if len(old) == limit else 0 if end is None else last
    garbage = _garbage(tx, limit)
    done = Upkeep(promoted, len(late), len(old), garbage, next_due, resolved, uncached, aged, relieved)
    return done, onward
