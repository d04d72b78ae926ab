"""What a process remembers of the file: the numbers of queues, shares and lanes, and the rules in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain import affinity, fairness, limits
from stanchion.domain.charges import class_in
from stanchion.domain.estimates import Work
from stanchion.domain.limits import Limit, Weights, find
from stanchion.domain.policy import TenantPolicy
from stanchion.domain.resources import is_resource
from stanchion.stores.sqlite import batch_statements as batch_sql
from stanchion.stores.sqlite import estimate_statements as estimate_sql
from stanchion.stores.sqlite import hold_statements as hold_sql
from stanchion.stores.sqlite import limit_statements as limit_sql
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.costs import Prices
from stanchion.stores.sqlite.fetch import every, only

if TYPE_CHECKING:
    from stanchion.domain.units import Instant, Millis, Turn
    from stanchion.stores.sqlite.fetch import Connection
    from stanchion.stores.sqlite.writer import Tx

_REMEMBERED = 10_000


class Rules:
    """The policies of queues and tenants, as of one version of them."""

    def __init__(self, db: Connection, version: int, now: Instant) -> None:
        self.version = version
        self.paused: set[int] = set()
        self.affinity: dict[int, affinity.Bound] = {}
        self.bounded = False
        for number, paused, max_waiting, jobs, time in every(db, sql.ALL_QUEUES):
            self.bounded |= max_waiting is not None
            if (jobs, time) != affinity.DEFAULT:
                self.affinity[number] = affinity.Bound(jobs, time)
            if paused:
                self.paused.add(number)
        self.tenants = {row[0]: TenantPolicy(*row) for row in every(db, sql.ALL_TENANTS)}
        self.limits: dict[str, Limit] = {row[0]: Limit(*row) for row in every(db, limit_sql.LIMITS)}
        self.parked = {str(row[0]) for row in every(db, limit_sql.PARKED, (now,))}
        self.refusing = any((limit.refuse, limit.warn) != (None, None) for limit in self.limits.values())
        self.by_user, self.resourceful = map(bool, only(db, limit_sql.BY_USER))
        self.limited = bool(self.limits or self.parked or self.resourceful)
        self.keys: dict[int, Weights] = {}

    def step(self, tenant: str) -> Turn:
        """Return how far a job moves a tenant's turn."""
        policy = self.tenants.get(tenant)
        return fairness.step(1 if policy is None else policy.weight)

    def timed(self, tenant: str, took: Millis) -> Turn:
        """Return how far a job that is charged by time moves a tenant's turn."""
        policy = self.tenants.get(tenant)
        return fairness.timed(1 if policy is None else policy.weight, took)

    def priority(self, tenant: str, asked: int) -> int:
        """Return the priority that a tenant's job gets."""
        policy = self.tenants.get(tenant)
        return asked if policy is None else max(asked, policy.top_priority)


class Lanes:
    """Finds or makes queues, shares and lanes. They are never deleted, so a number once committed stays right."""

    def __init__(self) -> None:
        self._queues: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._lanes: dict[tuple[int, int, str, str, str, str, str, str], int] = {}
        self._batches: dict[int, str] = {}
        self._rules: Rules | None = None
        self.prices = Prices()

    def forget(self) -> None:
        """Drop what is remembered: a rolled back transaction may have made it."""
        self._queues.clear()
        self._names.clear()
        self._lanes.clear()
        self._batches.clear()
        self._rules = None
        self.prices.forget()

    def rules(self, tx: Tx) -> Rules:
        """Return the rules in force; they are read again where another process has changed them."""
        rules = self._rules
        if rules is None or rules.version != tx.rules:
            rules = self._rules = Rules(tx.db, tx.rules, tx.now)
        return rules

    def changed(self, tx: Tx) -> None:
        """Let every process read the rules again."""
        tx.db.execute(sql.RULES_CHANGED)
        tx.rules += 1

    def hold_resources(self, tx: Tx) -> None:
        """Let every process know that jobs may ask for resources."""
        if not self.rules(tx).resourceful:
            tx.db.execute(hold_sql.IN_USE)
            self.changed(tx)

    def queue(self, tx: Tx, name: str) -> int:
        """Return the number of a queue; makes it on first use."""
        found = self._queues.get(name)
        if found is None:
            tx.db.execute(sql.ADD_QUEUE, (name,))
            found = self._queues[name] = int(only(tx.db, sql.QUEUE, (name,))[0])
        return found

    def name(self, tx: Tx, number: int) -> str:
        """Return the name of a queue."""
        found = self._names.get(number)
        if found is None:
            found = self._names[number] = str(only(tx.db, sql.QUEUE_NAME, (number,))[0])
        return found

    def price(self, tx: Tx, tenant: str, task: str, size: int | None) -> tuple[Turn, Millis | None]:
        """Return how far a job of a lane moves its tenant's turn, and what it is charged, in ms, if by time."""
        rules = self.rules(tx)
        if size is None:
            return rules.step(tenant), None
        price = self.prices.price(tx.db, tx.learned, Work(task, size))
        return rules.timed(tenant, price), price

    def lane(  # noqa: PLR0913, PLR0917 - what all jobs of a lane have in common
        self,
        tx: Tx,
        queue: int,
        priority: int,
        tenant: str,
        task: str,
        user: str,
        extra: str,
        model: str = "",
        batch: str = "",
    ) -> int:
        """Return the number of a lane; makes it, and its tenant's share, on first use."""
        key = (queue, priority, tenant, task, user, extra, model, batch)
        found = self._lanes.get(key)
        if found is None:
            share = (queue, priority, tenant)
            tx.db.execute(sql.ADD_SHARE, share)
            number = only(tx.db, sql.SHARE, share)[0]
            tx.db.execute(sql.ADD_LANE, (number, *key))
            if class_in(extra) is not None:
                tx.db.execute(estimate_sql.SHARE_BY_TIME, (number,))
            if len(self._lanes) >= _REMEMBERED:
                self._lanes.clear()
            found = self._lanes[key] = int(only(tx.db, sql.LANE, key)[0])
        return found

    def batch(self, tx: Tx, lane: int) -> str:
        """Return the batch key of a lane; '' where its jobs run alone."""
        found = self._batches.get(lane)
        if found is None:
            if len(self._batches) >= _REMEMBERED:
                self._batches.clear()
            found = self._batches[lane] = str(only(tx.db, batch_sql.LANE_BATCH, (lane,))[0])
        return found

    def keys(self, tx: Tx, lane: int) -> Weights:
        """Return the keys of a lane that are limited or parked, or resources, and what a job of it takes of each."""
        rules = self.rules(tx)
        found = rules.keys.get(lane)
        if found is None:
            if len(rules.keys) >= _REMEMBERED:
                rules.keys.clear()
            queue, tenant, user, task, extra = only(tx.db, limit_sql.LANE_FACTS, (lane,))
            found = rules.keys[lane] = tuple(
                (key, weight)
                for key, weight in limits.keys(queue, tenant, user, task, limits.of_text(extra))
                if key in rules.parked or is_resource(key) or find(rules.limits, key) is not None
            )
        return found
