"""How many jobs of a key may wait and run together: what is above is refused before it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain.intake import Warned
from stanchion.domain.limits import bounded, bounded_keys
from stanchion.errors import OverLimitError
from stanchion.stores.sqlite import intake_statements
from stanchion.stores.sqlite import limit_statements as sql
from stanchion.stores.sqlite.fetch import one, only

if TYPE_CHECKING:
    from stanchion.domain.job import NewJob
    from stanchion.stores.sqlite.fetch import Connection
    from stanchion.stores.sqlite.lanes import Rules
    from stanchion.stores.sqlite.writer import Tx


class Bounds:
    """How many jobs there are of each key that a batch looks at, counted once."""

    def __init__(self, tx: Tx, rules: Rules) -> None:
        self._tx, self._rules = tx, rules
        self._there: dict[str, int] = {}

    def forget(self) -> None:
        """Count anew: jobs have ended meanwhile."""
        self._there.clear()

    def refusal(self, new: NewJob) -> OverLimitError | None:
        """Return why a job must be refused; where it may be stored, it is counted."""
        bound = None if new.intake is None else new.intake.overflow
        if not self._rules.refusing and bound is None:
            return None
        keys: list[str] = []
        for key in bounded_keys(new.queue, new.tenant, new.user):
            limit = bounded(self._rules.limits, key, bound)
            if limit is not None:
                if key not in self._there:
                    self._tx.flush_lanes()
                    self._there[key] = unfinished(self._tx.db, key)
                if limit.refuse is not None and self._there[key] >= limit.refuse:
                    return OverLimitError(key, limit.refuse)
                keys.append(key)
        for key in keys:
            self._there[key] += 1
        return None

    def warnings(self, new: NewJob) -> tuple[Warned, ...]:
        """Return what is to be told of the keys of a job that was just stored."""
        found: list[Warned] = []
        if not self._there:
            return ()
        bound = None if new.intake is None else new.intake.overflow
        for key in bounded_keys(new.queue, new.tenant, new.user):
            limit = bounded(self._rules.limits, key, bound)
            jobs = self._there.get(key, 0)
            if limit is not None and limit.warn is not None and jobs >= limit.warn:
                crossed = one(self._tx.db, intake_statements.WARNING, (key, self._tx.now, limit.warn)) is not None
                found.append(Warned(key, jobs, limit.warn, limit.refuse, crossed))
        return tuple(found)


def unfinished(db: Connection, key: str) -> int:
    """Return how many jobs of a key wait and run."""
    kind, _, name = key.partition(":")
    if kind == "queue":
        return int(only(db, sql.UNFINISHED_OF_QUEUE, (name,))[0])
    if kind == "tenant":
        return int(only(db, sql.UNFINISHED_OF_TENANT, (name,))[0])
    tenant, _, user = name.partition("/")
    return int(only(db, sql.UNFINISHED_OF_USER, (tenant, user))[0])
