"""How many jobs of a key may wait and run together: what is above is refused before it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain.limits import bounded_keys, find
from stanchion.errors import OverLimitError
from stanchion.stores.sqlite import limit_statements as sql
from stanchion.stores.sqlite.fetch import only

if TYPE_CHECKING:
    from stanchion.domain.job import NewJob
    from stanchion.stores.sqlite.lanes import Rules
    from stanchion.stores.sqlite.writer import Tx


class Bounds:
    """What is left of each key that a batch looks at, counted once."""

    def __init__(self, tx: Tx, rules: Rules) -> None:
        self._tx, self._rules = tx, rules
        self._left: dict[str, int] = {}

    def refusal(self, new: NewJob) -> OverLimitError | None:
        """Return why a job must be refused; where it may be stored, it is counted."""
        if not self._rules.refusing:
            return None
        keys: list[str] = []
        for key in bounded_keys(new.queue, new.tenant, new.user):
            limit = find(self._rules.limits, key)
            if limit is not None and limit.refuse is not None:
                if key not in self._left:
                    self._left[key] = limit.refuse - self._unfinished(key, new)
                if self._left[key] <= 0:
                    return OverLimitError(key, limit.refuse)
                keys.append(key)
        for key in keys:
            self._left[key] -= 1
        return None

    def _unfinished(self, key: str, new: NewJob) -> int:
        self._tx.flush_lanes()
        if key.startswith("queue:"):
            row = only(self._tx.db, sql.UNFINISHED_OF_QUEUE, (new.queue,))
        elif key.startswith("tenant:"):
            row = only(self._tx.db, sql.UNFINISHED_OF_TENANT, (new.tenant,))
        else:
            row = only(self._tx.db, sql.UNFINISHED_OF_USER, (new.tenant, new.user))
        return int(row[0])
