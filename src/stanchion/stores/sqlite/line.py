"""The line as a claim sees it: bands of tenants in the order of their turns, and of each tenant its lanes."""

from __future__ import annotations

import heapq
import json
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.charges import class_in
from stanchion.domain.fairness import run
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.fetch import every, one, only

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stanchion.domain.units import Millis, Turn
    from stanchion.store import Want
    from stanchion.stores.sqlite.fetch import Row
    from stanchion.stores.sqlite.lanes import Lanes
    from stanchion.stores.sqlite.writer import Tx

LAST: Final = (1 << 63) - 1
_LANES_AT_ONCE: Final = 16
_LOOKS: Final = 4
"""So often the lanes of a tenant are read to see what else it could start."""


class Lane(NamedTuple):
    """A lane that may start: its oldest queued job, its number and its task."""

    head: int
    id: int
    task: str
    expires_at: int | None = None
    known: bool = False
    """Whether `expires_at` has been read."""
    size: int | None = None
    """The size class; None where each job counts 1."""
    model: str = ""
    passed: str = ""
    """Which jobs went past it, as it was read; see `affinity`."""


class Share:
    """A tenant in a band: its turn, and those of its lanes that may start.

    `used` is a lane of which jobs were taken; who leads it now is looked up when it matters, at the latest with
    those of all other tenants at the end of the claim.
    """

    __slots__ = ("_lanes", "_read_to", "_tasks", "credit", "id", "moved", "since", "step", "tenant", "turn", "used")

    def __init__(self, row: Row, step: Turn, tasks: frozenset[str]) -> None:
        self.id: int
        self.turn: Turn
        self.since: int
        self.tenant: str
        self.credit: Turn
        (self.id, self.turn, self.since, self.tenant, head, lane, task, late, second, self.credit,
         keys, model, passed) = row  # fmt: skip
        self.step, self._tasks = step, tasks
        size = class_in(keys) if keys else None
        self._lanes: list[Lane] = [Lane(head, lane, task, late, True, size, model, passed)] if task in tasks else []  # noqa: FBT003 - as of its fields
        self._read_to: int = LAST if second is None else second - 1
        self.moved = False
        self.used: Lane | None = None

    def lane(self, tx: Tx) -> Lane | None:
        """Return the lane whose turn it is, and leave it where it is."""
        if self.used is None and self._lanes and self._lanes[0].head <= self._read_to:
            return self._lanes[0]
        if self.used is not None:
            used, self.used = self.used, None
            head = only(tx.db, sql.NEXT_HEAD, (used.id, used.head))[0]
            self.give_back(tx, used, head)
        while self._read_to != LAST and (not self._lanes or self._lanes[0].head > self._read_to):
            self._read(tx)
        return self._lanes[0] if self._lanes else None

    def _read(self, tx: Tx) -> None:
        rows = every(tx.db, sql.SHARE_LANES, (self.id, self._read_to, _LANES_AT_ONCE))
        self._read_to = rows[-1][0] if len(rows) == _LANES_AT_ONCE else LAST
        for head, lane, task, keys, model, passed in rows:
            if task in self._tasks:
                heapq.heappush(self._lanes, Lane(head, lane, task, size=class_in(keys), model=model, passed=passed))

    def ahead(self, tx: Tx, most: int) -> tuple[list[Lane], bool]:
        """Return the first lanes in their order, and whether there are more, or may be."""
        if self.lane(tx) is None:
            return [], False
        known: list[Lane] = []
        for _ in range(_LOOKS):
            known = heapq.nsmallest(most + 1, (lane for lane in self._lanes if lane.head <= self._read_to))
            if len(known) > most or self._read_to == LAST:
                break
            self._read(tx)
        return known[:most], len(known) > most or self._read_to != LAST

    def take_out(self, lane: Lane) -> None:
        """Take out a lane whose turn it is not."""
        self._lanes.remove(lane)
        heapq.heapify(self._lanes)

    def take(self, tx: Tx) -> tuple[Lane, int]:
        """Take out the lane whose turn it is; the other number is where the next lane's turn may begin."""
        self.lane(tx)
        lane = heapq.heappop(self._lanes)
        following = self._lanes[0].head if self._lanes else LAST
        return lane, min(following, LAST if self._read_to == LAST else self._read_to + 1)

    def give_back(self, tx: Tx, lane: Lane, head: int | None) -> None:
        """Put a lane back under the job that leads it now, if there is one."""
        tx.leads(lane.id, head)
        if head is not None:
            heapq.heappush(self._lanes, lane._replace(head=head, expires_at=None, known=False))


class Band:
    """A queue and priority: its tenants by turn, read only as far as they may go first."""

    def __init__(self, tx: Tx, place: tuple[int, int, str, Turn], lanes: Lanes, tasks: frozenset[str]) -> None:
        self.priority, self.queue, self.name, self.clock = place
        self._tx, self._known, self._rules, self._tasks = tx, lanes, lanes.rules(tx), tasks
        self._unread = tx.db.execute(sql.BAND_SHARES, (self.priority, self.queue))
        self._following = self._unread.fetchone()
        self._key = None if self._following is None else self._following[1:3]
        self._heap: list[tuple[Turn, int, Share]] = []
        self._moved: list[Share] = []

    def first(self) -> Share | None:
        """Return whose turn it is; a turn behind the clock by more than its credit counts as no more behind."""
        heap = self._heap
        while True:
            while self._key is not None and (not heap or self._key < heap[0][:2]):
                self._read()
            if not heap:
                return None
            turn, since, share = heap[0]
            if share.lane(self._tx) is None:
                heapq.heappop(heap)
            elif turn < self.clock - share.credit:
                share.turn = self.clock - share.credit
                heapq.heapreplace(heap, (share.turn, since, share))
            else:
                return share

    def _read(self) -> None:
        """Let the tenant that was read last stand in line, and read the next."""
        row = self._following
        assert row is not None
        share = Share(row, self._rules.step(row[3]), self._tasks)
        heapq.heappush(self._heap, (share.turn, share.since, share))
        self._following = row = self._unread.fetchone()
        self._key = None if row is None else row[1:3]

    def head(self) -> int:
        """Return the oldest job of whose turn it is."""
        share = self.first()
        lane = None if share is None else share.lane(self._tx)
        return LAST if lane is None else lane.head

    def take(self) -> Share:
        """Take out whose turn it is."""
        return heapq.heappop(self._heap)[2]

    def price(self, share: Share, lane: Lane) -> tuple[Turn, Millis | None]:
        """Return how far each job of a lane moves its tenant's turn, and what it is charged, in ms, if by time."""
        if lane.size is None:
            return share.step, None
        return self._known.price(self._tx, share.tenant, lane.task, lane.size)

    def run(self, share: Share, step: Turn, need: int) -> int:
        """Return how many jobs a tenant that was taken out may start before another's turn."""
        rival = self.first()
        following = None if rival is None else (rival.turn, rival.since)
        return run((share.turn, share.since), step, following, need)

    def pop(self) -> Share | None:
        """Take out whose turn it is, to look at who comes after."""
        share = self.first()
        if share is not None:
            heapq.heappop(self._heap)
        return share

    def give_back(
        self, share: Share, started: int, step: Turn = 0, front: Turn | None = None, *, ahead: int = 0
    ) -> None:
        """Charge a tenant for what it started, and put it back in line.

        Args:
            share: The tenant.
            started: So many jobs.
            step: How far each moves its turn.
            front: The turn of who was passed over for it: the clock stays there, so that nobody loses by it.
            ahead: So many jobs more started before their turn.
        """
        if started:
            self.clock = max(self.clock, share.turn + (started - 1) * step if front is None else front)
            share.turn += (started + ahead) * step
            share.credit = max(self.clock - share.turn, 0)
            if not share.moved:
                share.moved = True
                self._moved.append(share)
        heapq.heappush(self._heap, (share.turn, share.since, share))

    def finish(self) -> None:
        """Write the turns and the clock, and look up who leads the lanes that were used."""
        self._unread.close()
        db = self._tx.db
        used = {share.used.id: share.used.head for _, _, share in self._heap if share.used is not None}
        if used:
            for lane, head in every(db, sql.NEXT_HEADS, (json.dumps(used),)):
                self._tx.leads(int(lane), head)
        db.executemany(sql.SET_TURN, [(share.turn, share.credit, share.id) for share in self._moved])
        if self._moved:
            db.execute(sql.SET_CLOCK, (self.queue, self.priority, self.clock))


def bands(tx: Tx, lanes: Lanes, want: Want) -> Iterator[list[Band]]:
    """Give the bands that a worker may serve, those of one priority together, the most urgent first."""
    rules = lanes.rules(tx)
    priority = -1
    while (found := one(tx.db, sql.NEXT_PRIORITY, (priority,))) is not None:
        priority = found[0]
        group: list[Band] = []
        queue = 0
        while (found := one(tx.db, sql.NEXT_QUEUE, (priority, queue))) is not None:
            queue, clock = found
            name = lanes.name(tx, queue)
            if queue not in rules.paused and (want.queues is None or name in want.queues):
                group.append(Band(tx, (priority, queue, name, clock), lanes, want.tasks))
        if group:
            yield group
