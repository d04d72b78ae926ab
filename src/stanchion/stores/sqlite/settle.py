"""Ending attempts and writing their notes, both under the fence: the attempt must be the running one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stanchion.domain.job import FINAL, State
from stanchion.domain.outcome import effective
from stanchion.store import CostNote, LogNote, Noted, OutputNote, PreviewNote, ProgressNote, StepNote
from stanchion.stores.sqlite import cache, costs, joins, usage
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.fetch import Row, every, only
from stanchion.stores.sqlite.rows import CODES, RUNNING, error_text
from stanchion.stores.sqlite.signals import CHANGE, WORK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stanchion.domain.outcome import Settlement
    from stanchion.stores.sqlite.lanes import Lanes
    from stanchion.stores.sqlite.writer import Tx

MAX_LOG_LINES: Final = 1000
_FAILURES: Final = frozenset({"failed", "retry", "lost"})


def running(tx: Tx, refs: Iterable[int]) -> dict[int, Row]:
    """Return the rows of those jobs that run, by their number."""
    listed = ",".join(map(str, refs))
    return {row[0]: row for row in every(tx.db, sql.RUNNING, (f"[{listed}]",))}


def fenced(rows: dict[int, Row], ref: int, attempt: int) -> Row | None:
    """Return the row of a job if that attempt is the running one: the fence of every write of an attempt."""
    row = rows.get(ref)
    return row if row is not None and row[1] == attempt else None


def settle(tx: Tx, lanes: Lanes, batch: Sequence[Settlement]) -> list[bool]:
    """See `Store.settle`."""
    answers: list[bool] = []
    if batch:
        rows = running(tx, [ended.ref for ended in batch])
        if any(row[13] is not None for row in rows.values()):
            costs.correct(tx, lanes, batch, rows)
        answers = _settle(tx, lanes, batch, rows)
    if tx.ended:
        joins.resolve(tx)
    return answers


def _settle(tx: Tx, lanes: Lanes, batch: Sequence[Settlement], rows: dict[int, Row]) -> list[bool]:
    answers: list[bool] = []
    ends: list[tuple[object, ...]] = []
    events: list[tuple[object, ...]] = []
    results: list[tuple[object, ...]] = []
    dropped: list[tuple[int]] = []
    kept: list[tuple[int, bytes | None]] = []  # results that the cache is to keep
    stale: list[tuple[int]] = []  # with the error of an earlier attempt
    credit: dict[int, list[int]] = {}
    lanes_ended: list[int] = []
    now, event = tx.now, tx.event
    for ended in batch:
        row = fenced(rows, ended.ref, ended.attempt)
        answers.append(row is not None)
        if row is None:
            continue
        (seq, attempt, version, lane, spent, crashes, cancel_at, started_at, worker, lively, last,
         awaited, cacheable, *_) = rows.pop(ended.ref)  # fmt: skip
        cancelled = cancel_at is not None
        state = effective(ended.state, cancel_requested=cancelled)
        outcome, error = ("cancelled", None) if cancelled else (ended.outcome, error_text(ended.error))
        code = CODES[state]
        final = state in FINAL
        due_at = now + ended.delay if state is State.RETRYING or state is State.SCHEDULED else None
        ends.append(
            (
                code,
                spent + ended.spent,
                crashes + ended.crashes,
                due_at,
                started_at if final else None,
                now if final else None,
                cancel_at if final else None,
                event + 1,
                seq,
            )
        )
        event += 1
        events.append((event, seq, version + 1, code, attempt, now, worker, outcome, error, last))
        if error is not None or (ended.result is not None and not cancelled):
            results.append((seq, None if cancelled else ended.result, error))
        elif final and attempt > 1:
            stale.append((seq,))
        if lively:
            dropped.append((seq,))
        if awaited and final:
            tx.ended.append((seq, code))
        kept += ((seq, ended.result),) if cacheable and state is State.COMPLETED else ()
        tx.moved(lane, RUNNING, code)
        lanes_ended.append(lane)
        if worker is not None:
            sums = credit.setdefault(worker, [0, 0, 0])
            sums[0] += outcome == "completed"
            sums[1] += outcome in _FAILURES
            sums[2] += now - started_at
        if code == CODES[State.QUEUED] or due_at is not None:
            tx.mask |= WORK
    if ends:
        tx.event = event
        tx.mask |= CHANGE
        _apply(
            tx,
            (sql.END, ends),
            (sql.ADD_EVENT, events),
            (sql.SET_RESULT, results),
            (sql.DROP_RESULT, stale),
            (sql.DROP_LIVE, dropped),
            (sql.CREDIT_WORKER, [(*sums, worker) for worker, sums in credit.items()]),
        )
        cache.keep(tx, kept)
        usage.ended(tx, lanes, lanes_ended, [ended[-1] for ended in ends])
    return answers


def _apply(tx: Tx, *writes: tuple[str, Sequence[Row]]) -> None:
    for statement, rows in writes:
        if rows:
            tx.db.executemany(statement, rows)


def note(tx: Tx, batch: Sequence[Noted]) -> list[bool]:
    """See `Store.note`."""
    rows = running(tx, {noted.ref for noted in batch})
    answers: list[bool] = []
    for noted in batch:
        row = fenced(rows, noted.ref, noted.attempt)
        answers.append(row is not None)
        if row is not None:
            _write(tx, noted)
    if any(answers):
        tx.mask |= CHANGE
    return answers


def _write(tx: Tx, noted: Noted) -> None:
    ref, attempt, item = noted
    db = tx.db
    match item:
        case ProgressNote(index, length, unit, message, stage):
            tx.live += 1
            db.execute(sql.SET_PROGRESS, (ref, tx.live, tx.now, float(index), float(length), unit, message, stage))
        case PreviewNote(data, content_type, width, height, step):
            tx.live += 1
            db.execute(sql.SET_PREVIEW, (ref, tx.live, data, content_type, width, height, step, tx.live))
        case OutputNote():
            tx.output += 1
            index = only(db, sql.NEXT_OUTPUT, (ref, attempt))[0]
            kind, *rest = item
            db.execute(sql.ADD_OUTPUT, (tx.output, ref, attempt, index, kind, *rest))
        case LogNote(level, message):
            if only(db, sql.LOG_COUNT, (ref, attempt))[0] < MAX_LOG_LINES:
                db.execute(sql.ADD_LOG, (ref, attempt, level, message, tx.now))
        case StepNote(name, result):
            db.execute(sql.ADD_STEP, (ref, name, result))
        case CostNote(amount, unit):
            db.execute(sql.ADD_COST, (ref, attempt, amount, unit))
