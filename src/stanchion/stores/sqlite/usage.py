"""What is used of each key: who has room, who waits for it, and who is woken when there is room again.

A lane of which no job may start waits on one key and leaves the line, so that a claim never looks at it. What
frees the key (an end, time, a changed limit) wakes those that wait, in order, as many as fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stanchion.domain import limits
from stanchion.domain.limits import FRESH, LimitState, Usage, find
from stanchion.domain.resources import is_resource, keys_of, only_resources, parts
from stanchion.stores.sqlite import hold_statements as hold_sql
from stanchion.stores.sqlite import limit_statements as sql
from stanchion.stores.sqlite.fetch import every, one
from stanchion.stores.sqlite.holds import Pool, dropped
from stanchion.stores.sqlite.signals import CHANGE, WORK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stanchion.domain.limits import Limit
    from stanchion.domain.resources import Hold
    from stanchion.domain.units import Instant, Millis, Turn
    from stanchion.stores.sqlite.fetch import Connection
    from stanchion.stores.sqlite.lanes import Lanes
    from stanchion.stores.sqlite.writer import Tx

AT_ONCE: Final = 100
"""At most so many lanes are woken for a key in one go; the next claim goes on."""
_SPARE: Final = 8
"""So many more are looked at than there is room for: some may wait for another key, too."""


class Meter:
    """The keys that one operation looks at or changes, read once and written once."""

    def __init__(self, tx: Tx, lanes: Lanes) -> None:
        self._tx, self._lanes = tx, lanes
        self._rules = lanes.rules(tx)
        self._states: dict[str, Usage] = {}
        self._touched: set[str] = set()
        self._more: set[str] = set()
        self._tried: set[str] = set()
        self.pool = Pool(tx.db)

    def room(self, lane: int, *, holds: int | None = None) -> tuple[int, str]:
        """Return how many jobs of a lane may start now, and which key allows the fewest.

        Args:
            lane: Their lane.
            holds: How many of them hold resources; None: each. Jobs that start as one group hold what one holds.
        """
        least, narrow = limits.ENDLESS, ""
        keys = self._lanes.keys(self._tx, lane)
        for key, weight in keys:
            free = limits.ENDLESS if holds == 0 and is_resource(key) else self._jobs(key, weight)
            if free < least and not (holds and is_resource(key) and free >= holds):
                least, narrow = free, key
        asks = () if holds == 0 else only_resources(keys)
        if asks:  # one tree must have room for all of them
            free, key = self.pool.room(asks)
            if free < least and not (holds and free >= holds):
                least, narrow = free, key
        return least, narrow

    def here(self, lane: int, *, holds: int | None = None) -> int:
        """Return how many jobs of a lane may start in the tree of the worker that claims, as far as resources go."""
        asks = only_resources(self._lanes.keys(self._tx, lane))
        free = self.pool.room(asks, mine=True)[0] if asks else limits.ENDLESS
        return limits.ENDLESS if holds and free >= holds else free

    def started(self, lane: int, count: int, *, holds: int | None = None) -> None:
        """Count the start of jobs of a lane, of which so many hold resources; None: each."""
        keys = self._lanes.keys(self._tx, lane)
        if asks := only_resources(keys):
            self.pool.start(lane, asks, count if holds is None else min(holds, count))
        for key, weight in keys:
            limit = self._limit(key)
            if limit is not None:
                self._put(key, limits.started(limit, self._state(key), weight * count, self._tx.now))

    def ended(self, ends: Iterable[int], freed: Iterable[Hold] = ()) -> None:
        """Give back what attempts held, one for each lane that is named, and wake who waited for it.

        Args:
            ends: The lanes of the attempts.
            freed: What of resources is held no more.
        """
        keys = {key for hold in freed for key in keys_of(hold)}
        self.pool.forget({parts(key)[0] for key in keys})
        for lane in ends:
            for key, weight in self._lanes.keys(self._tx, lane):
                if self._limit(key) is not None:
                    state = self._state(key)
                    self._put(key, state._replace(used=state.used - weight))
                    keys.add(key)
        for key in sorted(keys):
            self.wake(key)

    def hold(self, lane: int, key: str, lead: Turn) -> None:
        """Take a lane out of the line until a key has room; `lead` is how far its tenant is ahead of its band."""
        self._tx.db.execute(sql.HOLD_LANE, (key, self._state(key).turn + lead, lane))
        self._tx.left(lane)
        self._touched.add(key)

    def wake(self, key: str) -> bool:
        """Wake the lanes that wait for a key, in order, as many as fit; return whether there were any."""
        self._touched.add(key)
        free = self._room(key)
        if free <= 0:
            return False
        woken = False
        waiting = self._waiting(key, min(AT_ONCE, free + _SPARE))
        if len(waiting) == AT_ONCE:
            self._more.add(key)
        for lane, turn, weight in waiting:
            if weight > free or self._jobs(key, weight) <= 0:
                self._more.discard(key)
                break
            count, narrow = self.room(lane)
            if count <= 0:  # it has room here, but not elsewhere: there it waits now
                self._tx.db.execute(sql.HOLD_LANE, (narrow, self._state(narrow).turn, lane))
                self._touched.add(narrow)
                continue
            free -= weight
            woken = True
            self._tx.db.execute(sql.WAKE_LANE, (lane,))
            self._tx.db.execute(sql.RETURN_SHARE, (lane,))
            state = self._state(key)
            self._put(key, state._replace(turn=max(state.turn, turn)))
        if woken:
            self._tx.mask |= WORK | CHANGE
        return woken

    def _waiting(self, key: str, most: int) -> list[tuple[int, Turn, int]]:
        """Return the first lanes that wait for a key and can ever start, with their turns and weights, in order."""
        start = 0
        while True:
            rows = every(self._tx.db, sql.WAITERS, (key, most, start))
            found = [(lane, turn, dict(self._lanes.keys(self._tx, lane)).get(key, 0)) for lane, turn in rows]
            found = [one for one in found if self._fits(key, one[2])]
            if found or len(rows) < most:
                return found
            start += most

    def wake_due(self) -> None:
        """Wake whom time alone has given room."""
        for (key,) in every(self._tx.db, sql.DUE_KEYS, (self._tx.now,)):
            self.wake(key)

    def wake_open(self) -> bool:
        """Wake the lanes of keys that have room and are waited for; return whether there were any.

        Who was woken before may be served by other workers only: it must not stand in the way.
        """
        self.write()
        woken = False
        for (key,) in every(self._tx.db, sql.OPEN_KEYS):
            if key not in self._tried and (not is_resource(key) or self.pool.here(key)):
                some = self.wake(key)
                if not some and key not in self._more:
                    self._tried.add(key)
                woken |= some
        return woken

    def park(self, key: str, delay: Millis) -> Instant:
        """Set until when nothing of a key starts: never sooner than before, unless the park is ended."""
        state = self._state(key)
        until = max(state.parked, self._tx.now + delay) if delay else self._tx.now
        self._put(key, state._replace(parked=until))
        self.wake(key)
        return until

    def recount(self) -> bool:
        """Count anew what runs; return whether a count was wrong."""
        used: dict[str, int] = {}
        for lane, count in every(self._tx.db, sql.RUNNING_BY_LANE):
            for key, weight in self._lanes.keys(self._tx, lane):
                if self._limit(key) is not None:
                    used[key] = used.get(key, 0) + weight * count
        wrong = False
        for key, *values in every(self._tx.db, sql.ALL_USAGE):
            self._states[key] = state = Usage(*values)
            if state.used != used.get(key, 0):
                wrong = True
                self._put(key, state._replace(used=used.pop(key, 0)))
                self.wake(key)
            used.pop(key, None)
        for key, count in used.items():
            wrong = True
            self._put(key, FRESH._replace(used=count))
        return wrong

    def write(self) -> None:
        """Write what has changed, with who is to be woken when."""
        now = self._tx.now
        for key in sorted(self._touched):
            state, limit = self._state(key), self._limit(key)
            waiting = self._waiting(key, _SPARE)
            wakes_at = None
            if waiting:
                wakes_at = now if key in self._more else limits.opens_at(limit, state, waiting[0][2], now)
            self._tx.db.execute(sql.SET_USAGE, (key, *state, wakes_at, int(bool(waiting) and self._room(key) > 0)))
        self._touched.clear()
        self._more.clear()

    def _limit(self, key: str) -> Limit | None:
        return find(self._rules.limits, key)

    def _state(self, key: str) -> Usage:
        found = self._states.get(key)
        if found is None:
            row = one(self._tx.db, sql.USAGE, (key,))
            found = self._states[key] = FRESH if row is None else Usage(*row)
        return found

    def _put(self, key: str, state: Usage) -> None:
        self._states[key] = state
        self._touched.add(key)

    def _fits(self, key: str, weight: int) -> bool:
        return self.pool.fits(key, weight) if is_resource(key) else limits.fits(self._limit(key), weight)

    def _jobs(self, key: str, weight: int) -> int:
        """Return how many jobs that weigh so much for a key may start now."""
        if is_resource(key) and self._room(key) > 0:
            return self.pool.jobs(key, weight)
        return self._room(key) // weight

    def _room(self, key: str) -> int:
        if is_resource(key):
            return 0 if self._state(key).parked > self._tx.now else self.pool.free(key)
        return limits.room(self._limit(key), self._state(key), self._tx.now)


def next_wake(tx: Tx) -> Instant | None:
    """Return when time alone gives room to a lane that waits."""
    row = one(tx.db, sql.NEXT_WAKE)
    return None if row is None else row[0]


def ended(tx: Tx, lanes: Lanes, ends: Iterable[int], seqs: Sequence[object]) -> None:
    """Give back what ended attempts of these lanes, of jobs of these numbers, held; see `Meter.ended`."""
    if ends and lanes.rules(tx).limited:
        tx.flush_heads()
        meter = Meter(tx, lanes)
        meter.ended(ends, dropped(tx, seqs) if lanes.rules(tx).resourceful else ())
        meter.write()


def configure(tx: Tx, lanes: Lanes, limit: Limit) -> None:
    """See `Store.configure_limit`."""
    tx.flush_lanes()
    tx.db.execute(sql.SET_LIMIT, limit)
    if limit.key.startswith("user:") and not lanes.rules(tx).by_user:
        tx.db.execute(sql.SET_BY_USER)
        _separate(tx, lanes)
    _changed(tx, lanes)


def drop(tx: Tx, lanes: Lanes, key: str) -> bool:
    """See `Store.drop_limit`."""
    tx.flush_lanes()
    if one(tx.db, sql.DROP_LIMIT, (key,)) is None:
        return False
    _changed(tx, lanes)
    return True


def _changed(tx: Tx, lanes: Lanes) -> None:
    """Let every process read the limits again, count anew what runs, and put all who wait back in line."""
    lanes.changed(tx)
    tx.db.execute(sql.RETURN_ALL)
    tx.db.execute(sql.WAKE_ALL)
    meter = Meter(tx, lanes)
    meter.recount()
    meter.write()
    tx.mask |= WORK | CHANGE


def _separate(tx: Tx, lanes: Lanes) -> None:
    """Move the unfinished jobs of users to lanes of their own."""
    for statement in sql.OF_USERS:
        for seq, lane, state, user, queue, priority, tenant, task, extra, model, batch in every(tx.db, statement):
            own = lanes.lane(tx, queue, priority, tenant, task, user, extra, model, batch)
            tx.db.execute(sql.MOVE_JOB, (own, seq))
            tx.moved(lane, state, None)
            tx.moved(own, None, state)
    tx.flush_lanes()


def own_lane(tx: Tx, lanes: Lanes, seq: int, lane: int) -> int:
    """Return the lane of a job that had ended and comes back; by now those of users may stand apart.

    Args:
        tx: The transaction.
        lanes: What is remembered of the file.
        seq: The job.
        lane: The lane in which it ended.
    """
    row = one(tx.db, sql.OF_USER, (seq,)) if lanes.rules(tx).by_user else None
    if row is None:
        return lane
    user, queue, priority, tenant, task, extra, model, batch = row
    own = lanes.lane(tx, queue, priority, tenant, task, user, extra, model, batch)
    tx.db.execute(sql.MOVE_JOB, (own, seq))
    return own


def park(tx: Tx, lanes: Lanes, key: str, delay: Millis) -> Instant:
    """See `Store.park`."""
    meter = Meter(tx, lanes)
    row = one(tx.db, sql.USAGE, (key,))
    before: Instant = FRESH.parked if row is None else row[2]
    until = meter.park(key, delay)
    meter.write()
    if before <= tx.now and delay and find(lanes.rules(tx).limits, key) is None:
        lanes.changed(tx)  # a process that read the rules while nothing was parked does not look at the key
    tx.mask |= CHANGE
    return until


def reconcile(tx: Tx, lanes: Lanes) -> bool:
    """Count anew what runs of each key; return whether a count was wrong."""
    if not lanes.rules(tx).limited:
        return False
    stray = every(tx.db, hold_sql.DROP_STRAY) if lanes.rules(tx).resourceful else ()
    meter = Meter(tx, lanes)
    wrong = meter.recount() or bool(stray)
    meter.write()
    tx.db.execute(sql.DROP_USAGE, (tx.now,))
    return wrong


def listed(db: Connection, now: Instant) -> list[LimitState]:
    """See `Store.limits`."""
    policies: dict[str, Limit] = {row[0]: limits.Limit(*row) for row in every(db, sql.LIMITS)}
    states = {row[0]: Usage(*row[1:]) for row in every(db, sql.ALL_USAGE) if not is_resource(row[0])}
    waiting = {row[0]: int(row[1]) for row in every(db, sql.WAITING) if not is_resource(row[0])}
    return limits.listed(policies, states, waiting, now)
