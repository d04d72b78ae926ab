"""What a request is asked before it is stored: how far back it would stand, and how often its caller was refused."""

from __future__ import annotations

from heapq import merge
from typing import TYPE_CHECKING, NamedTuple

from stanchion.domain import intake
from stanchion.domain.charges import class_in, classed
from stanchion.domain.fairness import Standing, before
from stanchion.domain.intake import FRESH, Overflowing, Pressure, Slowed, Strikes
from stanchion.domain.limits import Limit, bounded, text_of
from stanchion.domain.resources import with_resources
from stanchion.errors import QueueFullError, SlowDownError
from stanchion.stores.sqlite import intake_statements as sql
from stanchion.stores.sqlite import limit_statements as limit_sql
from stanchion.stores.sqlite import statements as common
from stanchion.stores.sqlite.bounds import unfinished
from stanchion.stores.sqlite.fetch import every, one, only

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stanchion.domain.intake import Guard
    from stanchion.domain.job import NewJob
    from stanchion.domain.units import Instant, Turn
    from stanchion.errors import RefusedError
    from stanchion.stores.sqlite.fetch import Connection
    from stanchion.stores.sqlite.lanes import Lanes
    from stanchion.stores.sqlite.writer import Tx


# --- how far back -----------------------------------------------------------------------------------------------


def too_far_back(tx: Tx, lanes: Lanes, new: NewJob) -> QueueFullError | None:
    """Return why a job that could start now must be refused: more jobs than it allows would start before it."""
    most = None if new.intake is None else new.intake.max_ahead
    if most is None:
        return None
    count = min(ahead(tx, lanes, new, most), most + 1)
    return QueueFullError(new.queue, most, ahead=count) if count > most else None


def ahead(tx: Tx, lanes: Lanes, new: NewJob, most: int) -> int:
    """Return how many jobs would start before a new one, or a number above `most` where there are more.

    It is the newest of all: whatever its tenant has waiting in its band starts before it. Costs the tenants and lanes
    of its band, and of tenants whose jobs are charged differently the first `most` jobs, never the whole line.
    """
    tx.flush_lanes()
    rules = lanes.rules(tx)
    queue, priority = lanes.queue(tx, new.queue), rules.priority(new.tenant, new.priority)
    above = int(only(tx.db, common.AHEAD_BANDS, (queue, priority))[0])
    user = (new.user or "") if rules.by_user else ""
    keys = text_of(classed(with_resources(new.limits, new.resources), new.size))
    lane = (queue, priority, new.tenant, new.task, user, keys, new.model, new.batch)
    held = one(tx.db, sql.OWN_LANE, lane)
    stands = one(tx.db, sql.SHARE_STANDS, (queue, priority, new.tenant))
    clock = one(tx.db, sql.CLOCK, (queue, priority))
    share, turn, credit, since, open_ = (0, 0, 0, 0, 0) if stands is None else stands
    own = every(tx.db, common.LANES_OF_SHARE, (share,))
    steps = [lanes.price(tx, new.tenant, task, class_in(text))[0] for _, _, task, text in own]
    if not open_:
        since, credit = tx.seq + 1, 0
    tag = Standing(turn, credit).against(0 if clock is None else clock[0]) + sum(
        row[1] * step for row, step in zip(own, steps, strict=True)
    )
    count = above + sum(int(row[1]) for row in own) + (0 if held is None else int(held[0]))
    for number, first, joined, _, jobs, by_time in every(tx.db, common.BAND, (priority, queue)):
        if number != share and count <= most:
            line = _Line(number, first, int(jobs), by_time=bool(by_time))
            count += line.before(tx, lanes, tag, equal=joined < since, most=most - count + 1)
    return count


class _Line(NamedTuple):
    """Another tenant of a band: its turn, how many of its jobs wait, and whether some are charged by time."""

    share: int
    turn: Turn
    jobs: int
    by_time: bool

    def before(self, tx: Tx, lanes: Lanes, tag: Turn, *, equal: bool, most: int) -> int:
        """Return how many of its jobs start before a tag, or meet it where `equal`; some tell no more than `most`."""
        found = every(tx.db, common.LANES_OF_SHARE, (self.share,)) if self.by_time else ()
        tenant = only(tx.db, sql.TENANT_OF, (self.share,))[0]
        steps = {lane: lanes.price(tx, tenant, task, class_in(text))[0] for lane, _, task, text in found}
        if len(set(steps.values())) <= 1:
            step = next(iter(steps.values()), lanes.rules(tx).step(tenant))
            return min(self.jobs, before(tag - self.turn, step, equal=equal))
        jobs = merge(*([(seq, steps[lane]) for seq, _ in every(tx.db, common.RUN, (lane, 0, most))] for lane in steps))
        count, at = 0, self.turn
        for _, step in jobs:
            if count == most or at > tag or (at == tag and not equal):
                break
            count, at = count + 1, at + step
        return count


# --- who is refused too often -----------------------------------------------------------------------------------


class Gate:
    """The refusals of who asks, read once for each request."""

    def __init__(self, tx: Tx, new: NewJob) -> None:
        self._tx, self._tenant = tx, new.tenant
        self._guard: Guard | None = None if new.intake is None else new.intake.guard
        row = None if self._guard is None else one(tx.db, sql.STRIKES, (new.tenant, self._guard.key))
        self._strikes = FRESH if row is None else Strikes(*row)

    def closed(self) -> SlowDownError | None:
        """Return why a request is not looked at."""
        left = intake.slowed(self._strikes, self._tx.now)
        return None if left is None else SlowDownError(left / 1000)

    def refused(self, error: RefusedError) -> None:
        """Count a refusal; where it is one too many, it says so."""
        if self._guard is not None:
            strikes = intake.struck(self._guard, self._strikes, self._tx.now)
            left = intake.slowed(strikes, self._tx.now)
            error.slowed_for = None if left is None else left / 1000
            forget_at = max(strikes.paid, strikes.until + self._guard.window)
            self._tx.db.execute(sql.SET_STRIKES, (self._tenant, self._guard.key, *strikes, forget_at))

    def passed(self) -> None:
        """Forget what was refused before."""
        if self._guard is not None and self._strikes != FRESH:
            self._tx.db.execute(sql.DROP_STRIKES, (self._tenant, self._guard.key))


# --- what operators see -----------------------------------------------------------------------------------------


def upkeep(tx: Tx, lanes: Lanes) -> tuple[str, ...]:
    """Forget old refusals, and end the warnings of keys of which few enough jobs are left; return those keys."""
    tx.db.execute(sql.OLD_STRIKES, (tx.now,))
    warned = every(tx.db, sql.WARNINGS)
    if not warned:
        return ()
    tx.flush_lanes()
    limits = lanes.rules(tx).limits
    over = [key for key, _, told in warned if intake.relieved(unfinished(tx.db, key), _level(limits, key, told))]
    tx.db.executemany(sql.DROP_WARNING, [(key,) for key in over])
    return tuple(over)


def _level(policies: Mapping[str, Limit], key: str, told: int) -> int:
    """Return from how many jobs on a key is warned of: by its limit as it stands, or as it was told."""
    limit = bounded(policies, key)
    return told if limit is None or limit.warn is None else limit.warn


def pressure(db: Connection, now: Instant) -> Pressure:
    """See `Store.pressure`."""
    policies: dict[str, Limit] = {row[0]: Limit(*row) for row in every(db, limit_sql.LIMITS)}
    since = {row[0]: int(row[1]) for row in every(db, sql.WARNINGS)}
    named = [key for key in policies if not key.endswith(":*") and bounded(policies, key)]
    if any(key.startswith("queue:") for key in policies):
        queues = [f"queue:{row[0]}" for row in every(db, sql.QUEUE_NAMES)]
        named += [key for key in queues if bounded(policies, key)]
    keys: list[Overflowing] = []
    for key in sorted({*named, *since}):
        limit = bounded(policies, key)
        warn, refuse = (None, None) if limit is None else (limit.warn, limit.refuse)
        keys.append(Overflowing(key, unfinished(db, key), warn, refuse, since.get(key)))
    return Pressure(tuple(keys), tuple(Slowed(*row) for row in every(db, sql.SLOWED, (now,))))
