"""Leasing what may start: lanes in order of priority and head, and within a lane first in, first out."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final

from stanchion.domain.ids import unpacked
from stanchion.domain.job import Lease
from stanchion.domain.kinds import ErrorInfo, Kind
from stanchion.store import Claimed, Want
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.fetch import Row, every, one, only
from stanchion.stores.sqlite.rows import FAILED, QUEUED, RUNNING, UNREADABLE, error_text, tags_of
from stanchion.stores.sqlite.signals import CHANGE, WORK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stanchion.stores.sqlite.writer import Tx

PROMOTE_AT_MOST: Final = 1000
_LAST: Final = (1 << 63) - 1
SPOILED: Final = ErrorInfo(
    Kind.INTERNAL,
    "what the store keeps of this job cannot be read; `stanchion doctor` checks the file",
    retryable=False,
)
EXPIRED: Final = ErrorInfo(Kind.EXPIRED, "expired before it started", retryable=False)


def claim(tx: Tx, worker: int, want: Want) -> Claimed:
    """See `Store.claim`; the settlements went before."""
    promote(tx, PROMOTE_AT_MOST)
    tx.flush_lanes()
    leases: list[Lease] = []
    if want.limit > 0 and want.tasks and one(tx.db, sql.WORKER_MAY_CLAIM, (worker,)):
        late: list[Row] = []
        spoiled: list[Row] = []
        starts: list[Row] = []
        events: list[Row] = []
        event = tx.event
        for lane, rows in _runs(tx, want, leases):
            for row in rows:
                if row[8] is not None and row[8] <= tx.now:
                    late.append((row[0], lane[2], QUEUED, row[2], row[3], row[15]))
                    continue
                try:
                    leases.append(_lease(row, lane, tx.now))
                except UNREADABLE:
                    spoiled.append((row[0], lane[2], QUEUED, row[2], row[3], row[15]))
                    continue
                event += 1
                starts.append((worker, tx.now, event, row[0]))
                events.append((event, row[0], row[2] + 1, row[3] + 1, tx.now, worker, row[15]))
                tx.moved(lane[2], QUEUED, RUNNING)
        if starts:
            tx.db.executemany(sql.START, starts)
            tx.db.executemany(sql.ADD_START_EVENT, events)
            tx.event = event
            tx.mask |= CHANGE
        expire(tx, late)
        expire(tx, spoiled, SPOILED)
    due = only(tx.db, sql.NEXT_DUE)[0]
    return Claimed(tuple(leases), None if due is None else max(due - tx.now, 0))


def _runs(tx: Tx, want: Want, taken: list[Lease]) -> Iterator[tuple[Row, list[Row]]]:
    """Give runs of jobs that stand next to each other in line, each from one lane, until enough are taken.

    `taken` is what the caller has leased so far: expired jobs do not count.
    """
    heap: list[Row] = []
    unread = tx.db.execute(sql.READY_LANES)  # not `every`: a claim reads but the first few
    try:
        following = _next_lane(unread, want)
        while len(taken) < want.limit:
            # Lanes are read in order, and only as far as they may go first.
            while following is not None and (not heap or following[:2] <= heap[0][:2]):
                heapq.heappush(heap, following)
                following = _next_lane(unread, want)
            if not heap:
                return
            lane = heapq.heappop(heap)
            bound = min((other[1] for other in (*heap[:1], following) if other and other[0] == lane[0]), default=_LAST)
            need = want.limit - len(taken)
            rows = every(tx.db, sql.TAKE, (lane[2], lane[1], bound, need))
            yield lane, rows
            if len(rows) == need or bound != _LAST:
                start = rows[-1][0] + 1 if len(rows) == need else bound
                head = only(tx.db, sql.NEXT_HEAD, (lane[2], start))[0]
                if head is not None:
                    heapq.heappush(heap, (lane[0], head, *lane[2:]))
    finally:
        unread.close()


def _next_lane(lanes: Iterator[Row], want: Want) -> Row | None:
    for lane in lanes:
        if lane[3] in want.tasks and (want.queues is None or lane[5] in want.queues):
            return lane
    return None


def _lease(row: Row, lane: Row, now: int) -> Lease:
    return Lease(
        row[0],
        unpacked(row[1]),
        row[3] + 1,
        lane[3],
        row[10],
        lane[5],
        lane[4],
        row[9],
        lane[0],
        row[4],
        row[5],
        row[6],
        row[7],
        now,
        row[11],
        tags_of(row[12]),
        row[13],
        row[14],
        crash_budget=row[16],
    )


def promote(tx: Tx, limit: int) -> int:
    """Queue what has fallen due; return how many."""
    due = every(tx.db, sql.DUE, (tx.now, limit))
    if due:
        tx.db.executemany(sql.PROMOTE, [(tx.event + place, row[0]) for place, row in enumerate(due, 1)])
        _events(tx, due, QUEUED, None)
        tx.mask |= WORK | CHANGE
    return len(due)


def expire(tx: Tx, late: Sequence[Row], why: ErrorInfo = EXPIRED) -> None:
    """Fail jobs (seq, lane, state, version, attempt, last event) that did not start in time, or never can."""
    if late:
        text = error_text(why)
        tx.db.executemany(sql.EXPIRE, [(tx.now, tx.event + place, row[0]) for place, row in enumerate(late, 1)])
        tx.db.executemany(sql.SET_RESULT, [(row[0], None, text) for row in late])
        _events(tx, late, FAILED, text)
        tx.mask |= CHANGE


def _events(tx: Tx, rows: Sequence[Row], state: int, error: str | None) -> None:
    first = tx.event + 1
    tx.db.executemany(
        sql.ADD_EVENT,
        [
            (first + place, row[0], row[3] + 1, state, row[4], tx.now, None, None, error, row[5])
            for place, row in enumerate(rows)
        ],
    )
    tx.event += len(rows)
    for row in rows:
        tx.moved(row[1], row[2], state)
