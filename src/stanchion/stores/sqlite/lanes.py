"""Names to numbers: the queues and lanes of the file, remembered per process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.fetch import only

if TYPE_CHECKING:
    from stanchion.stores.sqlite.writer import Tx


class Lanes:
    """Finds or makes queues and lanes. They are never deleted, so a number once committed stays right."""

    def __init__(self) -> None:
        self._queues: dict[str, int] = {}
        self._lanes: dict[tuple[int, int, str, str], int] = {}

    def forget(self) -> None:
        """Drop what is remembered: a rolled back transaction may have made it."""
        self._queues.clear()
        self._lanes.clear()

    def queue(self, tx: Tx, name: str) -> int:
        """Return the number of a queue; makes it on first use."""
        found = self._queues.get(name)
        if found is None:
            tx.db.execute(sql.ADD_QUEUE, (name,))
            found = self._queues[name] = int(only(tx.db, sql.QUEUE, (name,))[0])
        return found

    def lane(self, tx: Tx, queue: int, priority: int, tenant: str, task: str) -> int:
        """Return the number of a lane; makes it on first use."""
        key = (queue, priority, tenant, task)
        found = self._lanes.get(key)
        if found is None:
            tx.db.execute(sql.ADD_LANE, key)
            found = self._lanes[key] = int(only(tx.db, sql.LANE, key)[0])
        return found
