"""Resources of the file: what workers bring and take away, what operators share, what attempts give back early."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain import resources
from stanchion.domain.resources import SHARED, Hold
from stanchion.stores.sqlite import hold_statements as sql
from stanchion.stores.sqlite.fetch import every, one
from stanchion.stores.sqlite.holds import arranged
from stanchion.stores.sqlite.settle import fenced, running
from stanchion.stores.sqlite.signals import CHANGE, WORK
from stanchion.stores.sqlite.usage import Meter

if TYPE_CHECKING:
    from collections.abc import Collection

    from stanchion.domain.resources import Resource
    from stanchion.store import WorkerInfo
    from stanchion.stores.sqlite.fetch import Connection
    from stanchion.stores.sqlite.lanes import Lanes
    from stanchion.stores.sqlite.writer import Tx


def came(tx: Tx, lanes: Lanes, number: int, worker: WorkerInfo) -> None:
    """Count what a worker that has registered brings; its siblings bring the same things, not more of them."""
    found = one(tx.db, sql.OWNER, (number,)) if worker.resources else None
    if found is not None:
        rows = [(*resources.parts(name), capacity) for name, capacity in worker.resources.items()]
        tx.db.executemany(sql.SET_SPOT, [(name, found[0], device, capacity) for name, device, capacity in rows])
        _changed(tx, lanes, {name for name, *_ in rows})


def gone(tx: Tx, lanes: Lanes) -> None:
    """Count no more what trees brought of which nobody claims now."""
    names = {str(row[0]) for row in every(tx.db, sql.DROP_GONE)}
    if names:
        _changed(tx, lanes, names)


def share(tx: Tx, lanes: Lanes, name: str, capacity: int) -> None:
    """See `Store.set_resource`."""
    tx.db.execute(sql.SET_SPOT, (name, SHARED, "", capacity))
    _changed(tx, lanes, {name})


def drop(tx: Tx, lanes: Lanes, name: str) -> bool:
    """See `Store.drop_resource`."""
    if one(tx.db, sql.DROP_SHARED, (name,)) is None:
        return False
    _changed(tx, lanes, {name})
    return True


def _changed(tx: Tx, lanes: Lanes, names: Collection[str]) -> None:
    """Wake who waits for these: there may be more of them now, or who stood before may fit nowhere any more."""
    tx.mask |= CHANGE | WORK
    if lanes.rules(tx).resourceful:
        tx.flush_lanes()
        meter = Meter(tx, lanes)
        for key, _ in every(tx.db, sql.WAITED):
            if resources.parts(key)[0] in names:
                meter.wake(key)
        meter.write()


def release(tx: Tx, lanes: Lanes, ref: int, attempt: int, name: str) -> bool:
    """See `Store.release`."""
    if fenced(running(tx, (ref,)), ref, attempt) is None:
        return False
    freed = [Hold(*row) for row in every(tx.db, sql.RELEASE, (ref, *resources.parts(name)))]
    if freed:
        tx.flush_lanes()
        meter = Meter(tx, lanes)
        meter.ended((), freed)
        meter.write()
        tx.mask |= CHANGE
    return True


def listed(db: Connection) -> list[Resource]:
    """See `Store.resources`."""
    rows = every(db, sql.ALL_SPOTS)
    spots = {name: arranged(row[1:] for row in rows if row[0] == name) for name in {row[0] for row in rows}}
    held = every(db, sql.ALL_HELD)
    free = {name: resources.left(trees, (row[1:] for row in held if row[0] == name)) for name, trees in spots.items()}
    sums: dict[str, int] = {}
    for name, _, _, weight in held:
        sums[name] = sums.get(name, 0) + weight
    waiting = {str(key): int(count) for key, count in every(db, sql.WAITED)}
    return resources.listed(spots, free, sums, waiting)
