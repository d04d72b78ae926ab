"""Aging: upkeep moves jobs that have waited long into the lane of a more urgent priority."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stanchion.domain.aging import lifted
from stanchion.stores.sqlite import aging_statements as sql
from stanchion.stores.sqlite.fetch import every
from stanchion.stores.sqlite.rows import QUEUED
from stanchion.stores.sqlite.signals import CHANGE, WORK

if TYPE_CHECKING:
    from stanchion.domain.units import Instant, Millis
    from stanchion.stores.sqlite.fetch import Row
    from stanchion.stores.sqlite.lanes import Lanes
    from stanchion.stores.sqlite.writer import Tx

LOOKED_AT: Final = 1_000
"""One round looks at so many jobs of a lane, from its oldest on."""


def age(tx: Tx, lanes: Lanes, limit: int) -> int:
    """Lift at most `limit` jobs whose next interval has passed, the least urgent first; return how many."""
    queues = every(tx.db, sql.AGING_QUEUES)
    if not queues:
        return 0
    tx.flush_lanes()
    moves: list[tuple[int, Instant, int]] = []
    for queue, aging in queues:
        for row in every(tx.db, sql.LANES_THAT_AGE, (queue,)):
            if len(moves) < limit:
                moves += _lane(tx, lanes, (queue, aging), row, limit - len(moves))
    if moves:
        tx.db.executemany(sql.LIFT, moves)
        lanes.changed(tx)  # no event tells of it, and those who follow the line must know
        tx.mask |= CHANGE | WORK
    return len(moves)


def _lane(tx: Tx, lanes: Lanes, of: tuple[int, Millis], row: Row, room: int) -> list[tuple[int, Instant, int]]:
    """Return the jobs of a lane that are lifted: the lane to go to, from when the next interval counts, the number."""
    queue, aging = of
    lane, priority, tenant, task, user, keys = row
    top = lanes.rules(tx).priority(tenant, 0)
    if priority <= top:
        return []
    moves: list[tuple[int, Instant, int]] = []
    for seq, since in every(tx.db, sql.AGES, (lane, LOOKED_AT)):
        found = lifted(priority, top, since, tx.now, aging)
        if found is not None and len(moves) < room:
            to = lanes.lane(tx, queue, found[0], tenant, task, user, keys)
            moves.append((to, found[1], seq))
            tx.moved(lane, QUEUED, None)
            tx.moved(to, None, QUEUED)
    return moves
