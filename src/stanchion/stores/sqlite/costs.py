"""What jobs are charged for their turn: looked up once for each kind of work, corrected when an attempt ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain import charges
from stanchion.domain.estimates import Work
from stanchion.domain.fairness import Standing
from stanchion.stores.sqlite import estimate_statements as sql
from stanchion.stores.sqlite import statements as common
from stanchion.stores.sqlite.fetch import Row, every, only
from stanchion.stores.sqlite.sketches import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.estimates import Durations
    from stanchion.domain.outcome import Settlement
    from stanchion.domain.units import Instant, Millis
    from stanchion.stores.sqlite.fetch import Connection
    from stanchion.stores.sqlite.lanes import Lanes
    from stanchion.stores.sqlite.writer import Tx


class Prices:
    """What each kind of work is charged, as of what was last learned; read task by task, as they are met."""

    def __init__(self) -> None:
        self._version = -1
        self._tasks: dict[str, Durations] = {}
        self._known: dict[Work, Millis] = {}

    def forget(self) -> None:
        """Read all anew."""
        self._version = -1

    def price(self, db: Connection, version: int, work: Work) -> Millis:
        """Return what a job is charged at its claim, in ms; `version` is that of `counters.learned`."""
        if version != self._version:
            self._tasks.clear()
            self._known.clear()
            self._version = version
        found = self._known.get(work)
        if found is None:
            if work.task not in self._tasks:
                rows = every(db, sql.DURATIONS_OF_TASK, (work.task,))
                self._tasks[work.task] = charges.known(dict(read(rows)))
            found = self._known[work] = charges.charge(self._tasks[work.task], work)
        return found


def correct(tx: Tx, lanes: Lanes, batch: Sequence[Settlement], rows: dict[int, Row]) -> None:
    """Charge what ends now the time that it ran.

    Args:
        tx: The transaction.
        lanes: What is remembered of the file.
        batch: What ends, before anything of it is back in line.
        rows: The rows of `RUNNING` by the number of their job.
    """
    ends: list[tuple[int, Millis, Millis]] = []
    seen: set[int] = set()
    leases: dict[int, Instant] = {}
    for ended in batch:
        row = rows.get(ended.ref)
        if row is None or row[1] != ended.attempt or row[13] is None or ended.ref in seen:
            continue
        seen.add(ended.ref)
        lane, started_at, worker, charged = row[3], row[7], row[8], row[13]
        until = tx.now
        if ended.outcome == "lost" and worker is not None:
            if worker not in leases:
                leases[worker] = only(tx.db, sql.LEASE_UNTIL, (worker,))[0]
            until = min(until, leases[worker])
        ends.append((lane, charged, charges.ran(started_at, until, row[14])))
    settle_up(tx, lanes, ends)


def settle_up(tx: Tx, lanes: Lanes, ends: Sequence[tuple[int, Millis, Millis]]) -> None:
    """Move the turns of tenants by what their jobs (lane, what was charged, what is due, in ms) cost more or less."""
    wrong = [end for end in ends if end[1] != end[2]]
    if not wrong:
        return
    tx.flush_heads()  # who is in line is as of what happened before
    rules = lanes.rules(tx)
    shares: dict[int, Row] = {}
    stands: dict[int, Standing] = {}
    for lane, charged, due in wrong:
        row = shares.get(lane)
        if row is None:
            row = shares[lane] = only(tx.db, sql.SHARE_OF_LANE, (lane,))
        share, tenant, turn, credit, is_open, clock = row
        was = stands.get(share, Standing(turn, credit))
        given, owed = rules.timed(tenant, charged), rules.timed(tenant, due)
        stands[share] = was.corrected(clock, given, owed, in_line=is_open > 0)
    tx.db.executemany(common.SET_TURN, [(*standing, share) for share, standing in stands.items()])
