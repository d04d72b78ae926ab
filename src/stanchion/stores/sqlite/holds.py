"""What is free of each resource, for one operation: what there is, less what attempts hold.

Nothing is counted beside the holds themselves, so no count can be wrong.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from stanchion.domain import resources
from stanchion.domain.resources import Hold
from stanchion.stores.sqlite import hold_statements as sql
from stanchion.stores.sqlite.fetch import every

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stanchion.domain.limits import Weights
    from stanchion.stores.sqlite.fetch import Connection, Row
    from stanchion.stores.sqlite.writer import Tx

Trees = dict[str, dict[str, int]]
"""By owner and device; see `domain.resources.Spots`."""


def arranged(rows: Iterable[Row]) -> Trees:
    """Return what rows (owner, device, amount) say that there is; what is shared is never local."""
    trees: Trees = {}
    for owner, device, capacity in rows:
        trees.setdefault(owner, {})[device] = capacity
    return {resources.SHARED: trees[resources.SHARED]} if resources.SHARED in trees else trees


class Pool:
    """The resources that one operation looks at, each read once; starts are counted in it."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._spots: dict[str, Trees] = {}
        self._free: dict[str, Trees] = {}
        self.owner = resources.SHARED
        """Whose worker claims."""
        self._granted: dict[int, list[tuple[Hold, ...]]] = {}

    def _read(self, name: str) -> None:
        if name not in self._free:
            spots = self._spots[name] = arranged(every(self._db, sql.SPOTS, (name,)))
            self._free[name] = resources.left(spots, every(self._db, sql.HELD_OF, (name,)))

    def free(self, key: str) -> int:
        """Return how much of a key is free in all trees together."""
        name, device = resources.parts(key)
        self._read(name)
        return resources.amount(self._free[name], device)

    def here(self, key: str) -> bool:
        """Return whether anything of a key is free for the worker that claims."""
        return self.room(((key, 1),), mine=True)[0] > 0

    def jobs(self, key: str, weight: int) -> int:
        """Return how many jobs that want so much of a key may start."""
        name, device = resources.parts(key)
        self._read(name)
        return resources.jobs(self._free[name], device, weight)

    def fits(self, key: str, weight: int) -> bool:
        """Return whether a job that wants so much of a key can ever start."""
        name, device = resources.parts(key)
        self._read(name)
        return resources.jobs(self._spots[name], device, weight) > 0

    def room(self, asks: Weights, *, mine: bool = False) -> tuple[int, str]:
        """Return how many jobs may start, and which key allows the fewest; `mine`: in the tree of who claims."""
        for key, _ in asks:
            self._read(resources.parts(key)[0])
        return resources.room(asks, self._free, self.owner if mine else None)

    def start(self, lane: int, asks: Weights, count: int) -> None:
        """Give to jobs of a lane what they ask for, in the tree of who claims."""
        for _ in range(count):
            grant: list[Hold] = []
            for key, weight in asks:
                name, device = resources.parts(key)
                trees = self._free[name]
                tree = trees[resources.SHARED if resources.SHARED in trees else self.owner]
                picked = resources.pick(tree, name, device, weight)
                for hold in picked:
                    tree[hold.device] -= hold.weight
                grant += picked
            self._granted.setdefault(lane, []).append(tuple(grant))

    def granted(self, lane: int) -> tuple[Hold, ...]:
        """Return what the next job of a lane was given."""
        waiting = self._granted.get(lane)
        return waiting.pop(0) if waiting else ()

    def forget(self, names: Iterable[str]) -> None:
        """Read these again: what is held of them has changed."""
        for name in names:
            self._free.pop(name, None)


def dropped(tx: Tx, seqs: Sequence[object]) -> list[Hold]:
    """Forget what ended attempts held, and return it."""
    return [Hold(*row) for row in every(tx.db, sql.DROP_HOLDS, (json.dumps(seqs),))]


def held_by(db: Connection, worker: int) -> dict[str, int]:
    """Return what the attempts of a worker hold, by name and by device."""
    return resources.summed(Hold(*row) for row in every(db, sql.WORKER_HOLDS, (worker,)))
