"""Groups of jobs that start together: one job whose turn has come leads, others of its batch key join it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, Protocol

from stanchion.domain.batches import Batching, Joining, Offer, joining, led
from stanchion.domain.charges import class_in
from stanchion.domain.resources import only_resources
from stanchion.stores.sqlite import batch_statements as batch_sql
from stanchion.stores.sqlite import limit_statements as limit_sql
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.fetch import every, one, only
from stanchion.stores.sqlite.line import Lane

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from stanchion.domain.job import Lease
    from stanchion.domain.units import Millis
    from stanchion.store import Want
    from stanchion.stores.sqlite.fetch import Row
    from stanchion.stores.sqlite.lanes import Lanes
    from stanchion.stores.sqlite.line import Band, Share
    from stanchion.stores.sqlite.usage import Meter
    from stanchion.stores.sqlite.writer import Tx


class Place(NamedTuple):
    """The queue and priority of a lane."""

    name: str
    priority: int


class Starting(Protocol):
    """What writes starts: see `claim.py`."""

    def run(self, rows: Sequence[Row], band: Place | Band, tenant: str, lane: Lane, price: Millis | None) -> int:
        """Note a lane's jobs (number, when they are late) and return how many start."""
        ...


class Groups:
    """The groups of one claim, begun one after the other; each ends a pass over the line."""

    def __init__(self, tx: Tx, lanes: Lanes, want: Want) -> None:
        self._tx, self._lanes, self._want = tx, lanes, want
        self._last = 0
        self._look = 0 if want.join is None else want.join.size
        self._open: Joining | None = want.join
        self._numbers: dict[int, tuple[int, str]] = {}
        self._timed = False
        self.coming: dict[int, Millis] = {}
        self.began = False
        """Whether this pass has begun a group: then it ends."""

    def takes(self, lane: Lane) -> bool:
        """Return whether jobs of a lane may run with others."""
        return lane.task in self._want.batches and bool(self._lanes.batch(self._tx, lane.id))

    def lead(  # noqa: PLR0913, PLR0917 - whose turn it is, and what there is room for
        self, start: Starting, band: Band, share: Share, lane: Lane, room: int, price: Millis | None
    ) -> int:
        """Begin a group with jobs of a lane whose turn it is, each at this charge; return how many start."""
        tx, key = self._tx, self._lanes.batch(self._tx, lane.id)
        batching: Batching = self._want.batches[lane.task]
        self._look = batching.fit(key)
        rows = every(tx.db, batch_sql.OFFERS, (lane.id, lane.head, self._look))
        offers = self._offers(rows)
        group = led(offers, self._look, batching.cost, room)
        begun, head = self._run(start, band, share.tenant, lane, price, rows, offers, group.places)
        share.give_back(tx, lane, head)
        if begun:
            self.began = True
            if not group.alone:
                self._last += 1
                self._numbers |= {rows[place][0]: (self._last, key) for place in group.places}
            tenant = None if batching.across else share.tenant
            asks = only_resources(self._lanes.keys(tx, lane.id)) if self._lanes.rules(tx).resourceful else ()
            self._open = Joining(
                band.name,
                lane.task,
                key,
                tenant,
                group.size,
                group.cost,
                batching.within,
                tuple(ask for ask, _ in asks),
            )
        return begun

    def fill(self, start: Starting, meter: Meter | None) -> None:
        """Let others join the group that was begun, or that waits for more."""
        group, self._open = self._open, None
        if group is None or not group.size:
            return
        tx = self._tx
        queue = self._lanes.queue(tx, group.queue)
        rules = self._lanes.rules(tx)
        if queue in rules.paused:
            return
        tx.flush_lanes()
        for lane_id, head, task, share, tenant, priority, keys, waits in self._mates(group, queue):
            room = group.size if meter is None else meter.room(lane_id, holds=0)[0]
            if room <= 0:
                continue
            rows = every(tx.db, batch_sql.OFFERS, (lane_id, head, self._look))
            offers = self._offers(rows)
            joined = joining(offers, group.size, group.cost, room)
            lane, place = Lane(head, lane_id, task, size=class_in(keys)), Place(group.queue, priority)
            step, price = self._lanes.price(tx, tenant, task, lane.size)
            begun, led_by = self._run(start, place, tenant, lane, price, rows, offers, joined.places)
            tx.leads(lane_id, led_by)
            if waits is not None and led_by is None:
                tx.db.execute(limit_sql.LOOK_AGAIN, (lane_id,))
                tx.db.execute(sql.LANE_EMPTY, (lane_id,))
            tx.started(lane_id, begun)
            self._numbers |= {rows[place][0]: (self._last, group.key) for place in joined.places}
            group = group._replace(size=joined.size, cost=joined.cost)
            if begun:
                tx.db.execute(batch_sql.CHARGE, (begun * step, share))
                if meter is not None:
                    meter.started(lane_id, begun, holds=0)
            if not group.size:
                return
        self._look_ahead(group, queue)

    def ended_pass(self, tx: Tx) -> bool:
        """Return whether a group has ended a pass: then the line is looked at anew, with what it changed."""
        began, self.began = self.began, False
        if began:
            tx.flush_lanes()
        return began

    def numbered(self, leases: tuple[Lease, ...]) -> tuple[Lease, ...]:
        """Return leases with the numbers of their groups."""
        numbers, self._numbers = self._numbers, {}
        if not numbers:
            return leases
        if self._timed:
            sizes = Counter(numbers[lease.ref][0] for lease in leases if lease.ref in numbers)
            mates = [(sizes[numbers[lease.ref][0]], lease.ref) for lease in leases if lease.ref in numbers]
            self._tx.db.executemany(batch_sql.SET_MATES, mates)
            self._timed = False
        known = [(lease, numbers.get(lease.ref, (None, ""))) for lease in leases]
        return tuple(lease._replace(batch=number, batch_key=key) for lease, (number, key) in known)

    def _run(  # noqa: PLR0913, PLR0917 - a lane, what it offers and what is taken of it
        self,
        start: Starting,
        place: Place | Band,
        tenant: str,
        lane: Lane,
        price: Millis | None,
        rows: Sequence[Row],
        offers: Sequence[Offer],
        places: Collection[int],
    ) -> tuple[int, int | None]:
        """Start what is taken of a lane, and expire what is late; return how many start, and who leads it now."""
        taken = {at for at, offer in enumerate(offers) if offer.late} | set(places)
        self._timed = self._timed or price is not None
        begun = start.run([rows[at][:2] for at in sorted(taken)], place, tenant, lane, price)
        for at, row in enumerate(rows):
            if at not in taken:
                return begun, row[0]
        last = rows[-1][0] if rows else lane.head
        return begun, only(self._tx.db, sql.NEXT_HEAD, (lane.id, last))[0]

    def _mates(self, group: Joining, queue: int) -> list[Row]:
        """Return the lanes that may join, the most urgent and then the oldest first."""
        own = () if group.tenant is None else (group.tenant,)
        statement = batch_sql.MATES_OF_TENANT if own else batch_sql.MATES
        found: list[Row] = []
        for waits in (None, *group.waits):
            values = (queue, group.task, group.key, waits, *own, self._look)
            found += [(*row, waits) for row in every(self._tx.db, statement, values)]
        return sorted(found, key=lambda row: (row[5], row[1]))[: self._look] if group.waits else found

    def _look_ahead(self, group: Joining, queue: int) -> None:
        if group.within:
            now = self._tx.now
            values = (now + group.within, queue, group.task, group.key, group.tenant)
            row = one(self._tx.db, batch_sql.COMING, values)
            if row is not None:
                self.coming[self._last] = max(row[0] - now, 0)

    def _offers(self, rows: Sequence[Row]) -> list[Offer]:
        now = self._tx.now
        return [
            Offer(expires_at is not None and expires_at <= now, crashes > 0, size)
            for _, expires_at, crashes, size in rows
        ]
