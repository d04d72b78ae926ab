"""What a transaction moves from state to state, added up and written once for each lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.stores.sqlite import limit_statements as limit_sql
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.fetch import only
from stanchion.stores.sqlite.rows import QUEUED, RUNNING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.stores.sqlite.fetch import Connection


class Tally:
    """The counts and heads of lanes, and so which tenants are in line."""

    __slots__ = ("_gained", "_headless", "_heads", "_lanes", "_left", "db")

    def __init__(self, db: Connection) -> None:
        self.db = db
        self._lanes: dict[int, list[int]] = {}
        self._headless: set[int] = set()
        self._gained: set[int] = set()
        self._heads: dict[int, int | None] = {}
        self._left: list[tuple[int]] = []

    def moved(self, lane: int, old: int | None, new: int | None, count: int = 1) -> None:
        """Count jobs of a lane from one state to another (None: from or to nowhere)."""
        deltas = self._deltas(lane)
        if old is not None:
            deltas[old] -= count
        if new is not None:
            deltas[new] += count
        if QUEUED in (old, new):
            self._headless.add(lane)
        if new == QUEUED:
            self._gained.add(lane)

    def added(self, lane: int, state: int, count: int) -> None:
        """Count new jobs of a lane: their numbers are above all others, so they lead it only where none waited."""
        self._deltas(lane)[state] += count
        if lane in self._heads:
            self._headless.add(lane)
            self._gained.add(lane)

    def started(self, lane: int, count: int) -> None:
        """Count what a claim started of a lane; it also tells who leads the lane now (`leads`)."""
        deltas = self._deltas(lane)
        deltas[QUEUED] -= count
        deltas[RUNNING] += count

    def leads(self, lane: int, head: int | None) -> None:
        """Keep which job leads a lane now."""
        self._heads[lane] = head

    def left(self, lane: int) -> None:
        """Note that a lane waits for a limit now."""
        self._left.append((lane,))

    def _deltas(self, lane: int) -> list[int]:
        found = self._lanes.get(lane)
        if found is None:
            found = self._lanes[lane] = [0] * 8
        return found

    def forget(self) -> None:
        """Owe nothing: what was counted since the last flush has been undone."""
        for owed in (self._lanes, self._headless, self._gained, self._heads):
            owed.clear()

    def flush_heads(self) -> None:
        """Write those lanes whose head may have changed, also by a claim before: a claim reads them."""
        self._flush([lane for lane, deltas in self._lanes.items() if deltas[QUEUED] or lane in self._headless])

    def flush_lanes(self) -> None:
        """Write all that is owed."""
        self._flush(list(self._lanes))

    def _flush(self, lanes: Sequence[int]) -> None:
        joined: list[tuple[int]] = []
        left, self._left = self._left, []
        led: list[tuple[int | None, ...]] = []
        ended: list[tuple[int, ...]] = []
        for lane in lanes:
            deltas = self._lanes.pop(lane)
            head = self._heads.pop(lane, 0)
            if lane in self._headless:
                empty, waits = only(self.db, sql.LANE_MOVED, (*deltas, lane, lane))
                if empty:
                    left.append((lane,))
                    if waits:
                        self.db.execute(limit_sql.LOOK_AGAIN, (lane,))
                        self.db.execute(sql.LANE_EMPTY, (lane,))
                elif lane in self._gained:
                    joined.append((lane,))
            elif head != 0:
                led.append((*deltas, head, lane))
                if head is None:
                    left.append((lane,))
            elif deltas[QUEUED] == 0:
                ended.append((*deltas, lane))
            elif only(self.db, sql.LANE_COUNTED, (*deltas, lane))[0]:
                self.db.execute(sql.LANE_HEAD, (lane, lane))
                joined.append((lane,))
        self._headless.difference_update(lanes)
        self._gained.difference_update(lanes)
        self._write(sql.LANE_LED, led)
        self._write(sql.LANE_ENDED, ended)
        self._write(sql.OPEN_SHARE, joined)
        self._write(sql.CLOSE_SHARE, left)

    def _write(self, statement: str, rows: Sequence[tuple[int | None, ...]]) -> None:
        if rows:
            self.db.executemany(statement, rows)
