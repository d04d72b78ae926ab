"""What a request is asked before it is stored: how full, how far back, who else of its key, how often refused."""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING

from stanchion.domain import intake
from stanchion.domain.charges import classed
from stanchion.domain.fairness import Standing
from stanchion.domain.intake import FRESH, Overflowing, Pressure, Slowed, Warned
from stanchion.domain.job import WAITING, State
from stanchion.domain.limits import bounded, bounded_keys
from stanchion.domain.resources import with_resources
from stanchion.errors import OverLimitError, QueueFullError, SlowDownError
from stanchion.stores.memory import conflicts, joins
from stanchion.stores.memory.tables import share_of

if TYPE_CHECKING:
    from stanchion.domain.job import NewJob
    from stanchion.domain.units import Instant
    from stanchion.errors import RefusedError, StanchionError
    from stanchion.stores.memory.tables import Share, Tables


def admitted(tables: Tables, new: NewJob, now: Instant) -> tuple[StanchionError | None, bool]:
    """Return why there is no room for a job, or whether it waits behind another; what it replaces is cancelled then."""
    asked = new.intake or intake.Intake()
    closed = _closed(tables, new, now)
    wanted = asked.conflict
    refusal = closed or (None if wanted is None else conflicts.refusal(tables, new.tenant, wanted))
    if refusal is not None:
        return refusal, False
    doomed = [] if wanted is None else conflicts.victims(tables, new.tenant, wanted)
    before = copy.deepcopy(vars(tables)) if doomed else None
    for job in doomed:
        conflicts.cancel(tables, job, now)
    if doomed:
        joins.resolve(tables, now)
    held = wanted is not None and bool(conflicts.contenders(tables, new.tenant, wanted.key))
    full = _full(tables, new, now, held=held)
    if full is not None and before is not None:
        vars(tables).update(before)
    _judged(tables, new, now, full)
    return full, held


def _full(tables: Tables, new: NewJob, now: Instant, *, held: bool) -> RefusedError | None:
    most = tables.policy(new.queue).max_waiting
    if most is not None and sum(job.queue == new.queue for job in tables.having(*WAITING)) >= most:
        return QueueFullError(new.queue, most)
    due = now + new.delay if new.run_at is None else new.run_at
    furthest = None if new.intake is None else new.intake.max_ahead
    if furthest is not None and not (held or new.depends_on or due > now):
        count = min(ahead(tables, new), furthest + 1)
        if count > furthest:
            return QueueFullError(new.queue, furthest, ahead=count)
    for key in bounded_keys(new.queue, new.tenant, new.user):
        limit = bounded(tables.limits, key, None if new.intake is None else new.intake.overflow)
        if limit is not None and limit.refuse is not None and unfinished(tables, key) >= limit.refuse:
            return OverLimitError(key, limit.refuse)
    return None


def unfinished(tables: Tables, key: str) -> int:
    """Return how many jobs of a key wait and run."""
    jobs = tables.having(*WAITING, State.RUNNING)
    return sum(key in bounded_keys(job.queue, job.tenant, job.user) for job in jobs)


def ahead(tables: Tables, new: NewJob) -> int:
    """Return how many jobs would start before a new one, which is the newest of all."""
    priority = max(new.priority, tables.tenant(new.tenant).top_priority)
    user = (new.user or "") if tables.by_user else ""
    keys = classed(with_resources(new.limits, new.resources), new.size)
    lane = (new.queue, priority, new.tenant, new.task, user, keys, new.model, new.batch)
    own = (new.queue, priority, new.tenant)
    tags: list[tuple[int, int, int]] = []
    sums: Counter[Share] = Counter()
    held = 0
    for job in tables.having(State.QUEUED):
        place = tables.lane_of(job)
        if place in tables.held:
            held += place == lane
        elif job.queue == new.queue:
            share = share_of(job)
            clock = tables.clocks.get(share[:2], 0)
            tag = tables.standing(share).against(clock) + sums[share]
            tags.append((job.priority, tag, _since(tables, share)))
            sums[share] += tables.step(job)
    stands = tables.standing(own) if tables.in_line[own] else Standing(tables.turns.get(own, 0))
    turn = stands.against(tables.clocks.get(own[:2], 0)) + sums[own]
    mine = (priority, turn, _since(tables, own) if tables.in_line[own] else tables.last_ref + 1)
    return sum(tag < mine for tag in tags) + held


def _since(tables: Tables, share: Share) -> int:
    return tables.joining[share] if share in tables.joining else tables.since[share]


def _closed(tables: Tables, new: NewJob, now: Instant) -> SlowDownError | None:
    guard = None if new.intake is None else new.intake.guard
    left = None if guard is None else intake.slowed(tables.strikes.get((new.tenant, guard.key), FRESH), now)
    return None if left is None else SlowDownError(left / 1000)


def _judged(tables: Tables, new: NewJob, now: Instant, refused: RefusedError | None) -> None:
    guard = None if new.intake is None else new.intake.guard
    if guard is None:
        return
    key = (new.tenant, guard.key)
    if refused is not None:
        tables.strikes[key] = intake.struck(guard, tables.strikes.get(key, FRESH), now)
        left = intake.slowed(tables.strikes[key], now)
        refused.slowed_for = None if left is None else left / 1000
        tables.windows[key] = guard.window
    else:
        tables.strikes.pop(key, None)


def warnings(tables: Tables, new: NewJob, now: Instant) -> tuple[Warned, ...]:
    """Return what is to be told of the keys of a job that was just stored."""
    found: list[Warned] = []
    for key in bounded_keys(new.queue, new.tenant, new.user):
        limit = bounded(tables.limits, key, None if new.intake is None else new.intake.overflow)
        if limit is not None and limit.warn is not None:
            jobs = unfinished(tables, key)
            if jobs >= limit.warn:
                found.append(Warned(key, jobs, limit.warn, limit.refuse, crossed=key not in tables.warned))
                tables.warned.setdefault(key, (now, limit.warn))
    return tuple(found)


def upkeep(tables: Tables, now: Instant) -> tuple[str, ...]:
    """Forget old refusals, and end the warnings of keys of which few enough jobs are left; return those keys."""
    for key, strikes in list(tables.strikes.items()):
        if intake.over(strikes, tables.windows[key], now):
            del tables.strikes[key]
    over: list[str] = []
    for key, (_, told) in sorted(tables.warned.items()):
        limit = bounded(tables.limits, key)
        level = told if limit is None or limit.warn is None else limit.warn
        if intake.relieved(unfinished(tables, key), level):
            over.append(key)
            del tables.warned[key]
    return tuple(over)


def pressure(tables: Tables, now: Instant) -> Pressure:
    """Return the keys that have a bound on their jobs, and who is slowed down."""
    named = {key for key in tables.limits if not key.endswith(":*") and bounded(tables.limits, key)}
    queues = (f"queue:{name}" for name in tables.queues)
    named |= {key for key in queues if bounded(tables.limits, key)}
    keys: list[Overflowing] = []
    for key in sorted({*named, *tables.warned}):
        limit = bounded(tables.limits, key)
        warn, refuse = (None, None) if limit is None else (limit.warn, limit.refuse)
        since = tables.warned[key][0] if key in tables.warned else None
        keys.append(Overflowing(key, unfinished(tables, key), warn, refuse, since))
    slow = [(*key, strikes.until, strikes.level) for key, strikes in tables.strikes.items() if strikes.until > now]
    return Pressure(tuple(keys), tuple(Slowed(*one) for one in sorted(slow)))
