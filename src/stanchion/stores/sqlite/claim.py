"""Leasing what may start: by priority, then the tenant's turn, then age; within a lane first in, first out."""

from __future__ import annotations

from bisect import bisect_left
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from stanchion.domain.batches import slots
from stanchion.domain.ids import unpacked
from stanchion.domain.job import Lease
from stanchion.domain.kinds import ErrorInfo, Kind
from stanchion.store import Claimed, Want
from stanchion.stores.sqlite import hold_statements as hold_sql
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.affinity import Heat
from stanchion.stores.sqlite.batches import Groups
from stanchion.stores.sqlite.costs import settle_up
from stanchion.stores.sqlite.fetch import Row, every, one, only
from stanchion.stores.sqlite.line import LAST, bands
from stanchion.stores.sqlite.rows import FAILED, QUEUED, UNREADABLE, error_text, tags_of
from stanchion.stores.sqlite.signals import CHANGE, WORK
from stanchion.stores.sqlite.usage import Meter, next_wake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.resources import Hold
    from stanchion.domain.units import Millis
    from stanchion.stores.sqlite.affinity import Pick
    from stanchion.stores.sqlite.batches import Place
    from stanchion.stores.sqlite.lanes import Lanes
    from stanchion.stores.sqlite.line import Band, Lane, Share
    from stanchion.stores.sqlite.writer import Tx

PROMOTE_AT_MOST: Final = 1000
SPOILED: Final = ErrorInfo(
    Kind.INTERNAL,
    "what the store keeps of this job cannot be read; `stanchion doctor` checks the file",
    retryable=False,
)
EXPIRED: Final = ErrorInfo(Kind.EXPIRED, "expired before it started", retryable=False)


def claim(tx: Tx, lanes: Lanes, worker: int, want: Want) -> Claimed:
    """See `Store.claim`; the settlements went before."""
    promote(tx, PROMOTE_AT_MOST)
    tx.flush_heads()
    meter = Meter(tx, lanes) if lanes.rules(tx).limited else None
    groups = Groups(tx, lanes, want) if want.batches or want.join is not None else None
    leases: tuple[Lease, ...] = ()
    owner = one(tx.db, sql.WORKER_MAY_CLAIM, (worker,)) if want.limit > 0 and want.tasks else None
    if owner is not None:
        heat = Heat(tx, lanes, want, worker)
        if meter is not None:
            meter.pool.owner = owner[0]
            meter.wake_due()
        left = want.limit
        while True:
            part, freed = _serve(tx, lanes, worker, want._replace(limit=left), meter, groups, heat)
            leases += part
            left = want.limit - (len(leases) if groups is None else slots(leases))
            if left <= 0 or want.join is not None:
                break
            if groups is not None and groups.ended_pass(tx):
                continue
            if meter is None or not _woken(tx, meter, freed=freed):
                break
        heat.tell(owner[1])
    due = only(tx.db, sql.NEXT_DUE)[0]
    if meter is not None:
        meter.write()
        due = min((at for at in (due, next_wake(tx)) if at is not None), default=None)
    return Claimed(leases, None if due is None else max(due - tx.now, 0), {} if groups is None else groups.coming)


def _woken(tx: Tx, meter: Meter, *, freed: bool) -> bool:
    """Wake who waits where there is room; return whether it is worth to look once more for what may start."""
    tx.flush_lanes()
    return meter.wake_open() or freed


def _serve(  # noqa: PLR0913, PLR0917 - what a claim consists of
    tx: Tx, lanes: Lanes, worker: int, want: Want, meter: Meter | None, groups: Groups | None, heat: Heat
) -> tuple[tuple[Lease, ...], bool]:
    """Start what is in line, as far as a worker wants it; tell whether what was dealt did not start after all."""
    start = _Start(tx, worker, groups)
    for group in bands(tx, lanes, want) if want.join is None else ():
        try:
            while len(start) < want.limit and _deal(tx, group, want.limit - len(start), start, meter, heat):
                pass
        finally:
            for band in group:
                band.finish()
            heat.write()
        if len(start) >= want.limit or (groups is not None and groups.began):
            break
    leases = start.write(meter)
    if groups is not None:
        mates = _Start(tx, worker)
        groups.fill(mates, meter)
        leases = groups.numbered(leases + mates.write(meter))
        start.spoiled += mates.spoiled
        start.unheld += mates.unheld
        start.unpaid += mates.unpaid
    settle_up(tx, lanes, start.unpaid)
    if meter is not None and start.spoiled:
        tx.flush_heads()
        meter.ended(start.spoiled, start.unheld)
    return leases, bool(start.spoiled)


def _deal(  # noqa: PLR0913, PLR0917 - what one claim is made of
    tx: Tx, group: list[Band], need: int, start: _Start, meter: Meter | None, heat: Heat
) -> bool:
    """Start a run of jobs that stand next to each other in line, all of one lane; False where nobody waits.

    Between queues of one priority the oldest goes first.
    """
    band, elsewhere = group[0], LAST
    if len(group) > 1:
        band, elsewhere = _oldest(group)
    if band.first() is None:
        return False
    picked = heat.pick(band, elsewhere)
    if picked is None:
        share = band.take()
        lane, bound = share.take(tx)
    else:
        share, lane, bound = picked.share, picked.lane, LAST
    bound = min(bound, elsewhere)
    step, price = band.price(share, lane)
    room = LAST
    together = start.groups is not None and start.groups.takes(lane)
    holds = 1 if together else None
    if meter is not None:
        room = _room(meter, band, share, lane, holds)
        if room <= 0:
            band.give_back(share, 0)
            return True
    front = None if picked is None else picked.front
    if start.groups is not None and together:
        started = start.groups.lead(start, band, share, lane, room, price)
        _count(tx, meter, heat, lane, started, picked, holds)
        band.give_back(share, min(started, 1), step, front, ahead=max(started - 1, 0))
        return not started
    most = min(room, band.run(share, step, need) if picked is None else 1)
    if most == 1 and lane.known:
        started = start.run([(lane.head, lane.expires_at)], band, share.tenant, lane, price)
        share.used = lane
    else:
        rows = every(tx.db, sql.RUN, (lane.id, lane.head, most + 1))
        taken = min(bisect_left(rows, (bound,)), most)
        started = start.run(rows[:taken], band, share.tenant, lane, price)
        share.give_back(tx, lane, rows[taken][0] if taken < len(rows) else None)
    _count(tx, meter, heat, lane, started, picked)
    band.give_back(share, started, step, front)
    return True


def _oldest(group: list[Band]) -> tuple[Band, int]:
    """Return the queue whose oldest job is the oldest of all, and with which job the turn of another begins."""
    heads = [band.head() for band in group]
    place = heads.index(min(heads))
    return group[place], min(heads[:place] + heads[place + 1 :])


def _count(  # noqa: PLR0913, PLR0917 - where it is counted
    tx: Tx, meter: Meter | None, heat: Heat, lane: Lane, started: int, picked: Pick | None, holds: int | None = None
) -> None:
    """Count the start of jobs of a lane."""
    tx.started(lane.id, started)
    if meter is not None:
        meter.started(lane.id, started, holds=holds)
    if started and (lane.model or picked is not None):
        heat.started(lane, picked)


def _room(meter: Meter, band: Band, share: Share, lane: Lane, holds: int | None) -> int:
    """Return how many jobs of a lane that was taken out may start here; where it may start nowhere, it waits."""
    room, key = meter.room(lane.id, holds=holds)
    if room <= 0:
        meter.hold(lane.id, key, max(share.turn - band.clock, 0))
        return 0
    return min(room, meter.here(lane.id, holds=holds))  # where another tree has room for it, this claim passes it over


class _Start:
    """The jobs that a claim starts, read and written together at its end."""

    def __init__(self, tx: Tx, worker: int, groups: Groups | None = None) -> None:
        self._tx, self._worker, self.groups = tx, worker, groups
        self._late: dict[int, int] = {}
        self._starts: dict[int, tuple[Band | Place, str, Lane]] = {}
        self._prices: dict[int, Millis] = {}
        self.spoiled: list[int] = []
        """The lanes of jobs that were counted as started and could not be read."""
        self.unheld: list[Hold] = []
        """What was given to them."""
        self.unpaid: list[tuple[int, Millis, Millis]] = []
        """What of them was charged by time: the lane, the charge, and what is due instead, in ms."""

    def __len__(self) -> int:
        return len(self._starts)

    def run(self, rows: Sequence[Row], band: Band | Place, tenant: str, lane: Lane, price: Millis | None) -> int:
        """Note a lane's jobs (number, when they are late) and return how many start; the others waited too long."""
        now, before = self._tx.now, len(self._starts)
        for seq, expires_at in rows:
            if expires_at is not None and expires_at <= now:
                self._late[seq] = lane.id
            else:
                self._starts[seq] = band, tenant, lane
                if price is not None:
                    self._prices[seq] = price
        return len(self._starts) - before

    def write(self, meter: Meter | None) -> tuple[Lease, ...]:
        """Write the starts with their events, and fail who waited too long."""
        if not self._starts and not self._late:
            return ()
        tx, now = self._tx, self._tx.now
        leases: list[Lease] = []
        starts: list[tuple[Millis | None, int]] = []
        late: list[Row] = []
        spoiled: list[Row] = []
        holds: list[Row] = []
        for row in every(tx.db, sql.LEASES, (f"[{','.join(map(str, (*self._starts, *self._late)))}]",)):
            seq = row[0]
            place = self._starts.get(seq)
            if place is None:
                late.append((seq, self._late[seq], QUEUED, row[2], row[3], row[15]))
                continue
            given = () if meter is None else meter.pool.granted(place[2].id)
            try:
                leases.append(_lease(row, *place, now, given))
            except UNREADABLE:
                tx.started(place[2].id, -1)
                self.spoiled.append(place[2].id)
                self.unheld += given
                if seq in self._prices:
                    self.unpaid.append((place[2].id, self._prices[seq], 1))
                spoiled.append((seq, place[2].id, QUEUED, row[2], row[3], row[15]))
                continue
            if meter is not None and given:
                holds += [(seq, *hold, meter.pool.owner) for hold in given]
            starts.append((self._prices.get(seq), seq))
        self._apply(starts, holds)
        expire(tx, late)
        expire(tx, spoiled, SPOILED)
        return tuple(leases)

    def _apply(self, starts: Sequence[tuple[Millis | None, int]], holds: Sequence[Row]) -> None:
        """Write the starts in their order, those in a row together that are charged the same, and what they hold."""
        tx = self._tx
        for price, alike in groupby(starts, key=itemgetter(0)):
            seqs = [seq for _, seq in alike]
            started = (tx.event + 1, tx.now, self._worker, f"[{','.join(map(str, seqs))}]")
            tx.db.execute(sql.ADD_START_EVENTS, started)
            tx.db.execute(sql.START, (*started, price))
            tx.event += len(seqs)
            tx.mask |= CHANGE
        if holds:
            tx.db.executemany(hold_sql.ADD_HOLD, holds)


def _lease(  # noqa: PLR0913, PLR0917 - where the parts of one value are
    row: Row, band: Band | Place, tenant: str, lane: Lane, now: int, devices: tuple[Hold, ...]
) -> Lease:
    return Lease(
        row[0],
        unpacked(row[1]),
        row[3] + 1,
        lane.task,
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
        devices=devices,
        model=lane.model,
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
        tx.ended += [(row[0], FAILED) for row in late]
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
