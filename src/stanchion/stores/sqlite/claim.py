"""Leasing what may start: by priority, then the tenant's turn, then age; within a lane first in, first out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stanchion.domain.ids import unpacked
from stanchion.domain.job import Lease
from stanchion.domain.kinds import ErrorInfo, Kind
from stanchion.store import Claimed, Want
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.fetch import Row, every, one, only
from stanchion.stores.sqlite.line import LAST, bands
from stanchion.stores.sqlite.rows import FAILED, QUEUED, RUNNING, error_text, tags_of
from stanchion.stores.sqlite.signals import CHANGE, WORK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.stores.sqlite.lanes import Lanes
    from stanchion.stores.sqlite.line import Band, Lane
    from stanchion.stores.sqlite.writer import Tx

PROMOTE_AT_MOST: Final = 1000
EXPIRED: Final = ErrorInfo(Kind.EXPIRED, "expired before it started", retryable=False)


def claim(tx: Tx, lanes: Lanes, worker: int, want: Want) -> Claimed:
    """See `Store.claim`; the settlements went before."""
    promote(tx, PROMOTE_AT_MOST)
    tx.flush_lanes()
    start = _Start(tx, worker)
    if want.limit > 0 and want.tasks and one(tx.db, sql.WORKER_MAY_CLAIM, (worker,)):
        for group in bands(tx, lanes, want):
            try:
                while len(start.leases) < want.limit and _deal(tx, group, want.limit - len(start.leases), start):
                    pass
            finally:
                for band in group:
                    band.finish()
            if len(start.leases) == want.limit:
                break
        start.write()
    due = only(tx.db, sql.NEXT_DUE)[0]
    return Claimed(tuple(start.leases), None if due is None else max(due - tx.now, 0))


def _deal(tx: Tx, group: list[Band], need: int, start: _Start) -> bool:
    """Start a run of jobs that stand next to each other in line, all of one lane; False where nobody waits.

    Between queues of one priority the oldest goes first.
    """
    heads = [band.head() for band in group]
    oldest = min(heads)
    if oldest == LAST:
        return False
    place = heads.index(oldest)
    band = group[place]
    elsewhere = min(heads[:place] + heads[place + 1 :], default=LAST)
    share, most = band.take(need)
    lane, bound = share.take(tx)
    bound = min(bound, elsewhere)
    rows = every(tx.db, sql.TAKE, (lane.id, lane.head, bound, most))
    started = start.run(rows, band, share.tenant, lane)
    if len(rows) == most or bound != LAST:
        onward = rows[-1][0] + 1 if len(rows) == most else bound
        head = only(tx.db, sql.NEXT_HEAD, (lane.id, onward))[0]
        if head is not None:
            share.give_back(lane._replace(head=head))
    band.give_back(share, started)
    return True


class _Start:
    """The jobs that a claim starts, written together at its end."""

    def __init__(self, tx: Tx, worker: int) -> None:
        self._tx, self._worker = tx, worker
        self.leases: list[Lease] = []
        self._late: list[Row] = []
        self._starts: list[Row] = []
        self._events: list[Row] = []
        self._event = tx.event

    def run(self, rows: list[Row], band: Band, tenant: str, lane: Lane) -> int:
        """Start jobs of a lane and return how many; those that waited too long are set aside."""
        now, worker, before = self._tx.now, self._worker, len(self.leases)
        for row in rows:
            if row[8] is not None and row[8] <= now:
                self._late.append((row[0], lane.id, QUEUED, row[2], row[3], row[15]))
                continue
            self._event += 1
            self._starts.append((worker, now, self._event, row[0]))
            self._events.append((self._event, row[0], row[2] + 1, row[3] + 1, now, worker, row[15]))
            self.leases.append(_lease(row, band, tenant, lane.task, now))
        started = len(self.leases) - before
        self._tx.moved(lane.id, QUEUED, RUNNING, started)
        return started

    def write(self) -> None:
        """Write the starts with their events; fail who waited too long."""
        tx = self._tx
        if self._starts:
            tx.db.executemany(sql.START, self._starts)
            tx.db.executemany(sql.ADD_START_EVENT, self._events)
            tx.event = self._event
            tx.mask |= CHANGE
        expire(tx, self._late)


def _lease(row: Row, band: Band, tenant: str, task: str, now: int) -> Lease:
    return Lease(
        row[0],
        unpacked(row[1]),
        row[3] + 1,
        task,
        row[10],
        band.name,
        tenant,
        row[9],
        band.priority,
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


def expire(tx: Tx, late: Sequence[Row]) -> None:
    """Fail jobs (seq, lane, state, version, attempt, last event) that did not start in time."""
    if late:
        text = error_text(EXPIRED)
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
