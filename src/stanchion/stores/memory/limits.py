"""Limits in their plainest form: what runs is counted anew whenever it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain import limits, resources
from stanchion.domain.job import State
from stanchion.domain.limits import FRESH, find
from stanchion.domain.resources import only_resources

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stanchion.domain.job import Job
    from stanchion.domain.limits import Limit, LimitState, Usage, Weights
    from stanchion.domain.resources import Hold
    from stanchion.domain.units import Instant, Millis, Turn
    from stanchion.stores.memory.tables import Lane, Tables


def usage(tables: Tables, key: str) -> Usage:
    """Return the state of a key."""
    held = [weight for job in tables.having(State.RUNNING) for name, weight in all_keys(tables, job) if name == key]
    return tables.usage.get(key, FRESH)._replace(used=sum(held) if find(tables.limits, key) else 0)


def all_keys(tables: Tables, job: Job) -> Weights:
    """Return all keys that a job counts for."""
    return _keys(tables.lane_of(job))


def _keys(lane: Lane) -> Weights:
    queue, _, tenant, task, user, extra, *_ = lane
    return limits.keys(queue, tenant, user, task, extra)


def spots(tables: Tables, name: str) -> dict[str, dict[str, int]]:
    """Return what there is of a resource, by owner and device; what is shared is never local."""
    trees: dict[str, dict[str, int]] = {}
    for (own, owner, device), capacity in sorted(tables.resources.items()):
        if own == name:
            trees.setdefault(owner, {})[device] = capacity
    return {resources.SHARED: trees[resources.SHARED]} if resources.SHARED in trees else trees


def free(tables: Tables, name: str) -> dict[str, dict[str, int]]:
    """Return what is free of a resource, by owner and device."""
    held = [
        (owner, hold.device, hold.weight)
        for owner, holds in tables.holds.values()
        for hold in holds
        if hold.name == name
    ]
    return resources.left(spots(tables, name), held)


def free_room(tables: Tables, asks: Weights, owner: str | None = None) -> tuple[int, str]:
    """Return how many jobs that ask for these resources may start (in a tree), and which key allows the fewest."""
    names = {resources.parts(key)[0] for key, _ in asks}
    return resources.room(asks, {name: free(tables, name) for name in names}, owner)


def _fits(tables: Tables, key: str, weight: int) -> bool:
    if resources.is_resource(key):
        name, device = resources.parts(key)
        return resources.jobs(spots(tables, name), device, weight) > 0
    return limits.fits(find(tables.limits, key), weight)


def _jobs(tables: Tables, key: str, weight: int, now: Instant) -> int:
    """Return how many jobs that weigh so much for a key may start now."""
    if resources.is_resource(key) and _room(tables, key, now) > 0:
        name, device = resources.parts(key)
        return resources.jobs(free(tables, name), device, weight)
    return _room(tables, key, now) // weight


def _room(tables: Tables, key: str, now: Instant) -> int:
    if resources.is_resource(key):
        name, device = resources.parts(key)
        parked = tables.usage.get(key, FRESH).parked > now
        return 0 if parked else resources.amount(free(tables, name), device)
    return limits.room(find(tables.limits, key), usage(tables, key), now)


def room(tables: Tables, lane: Lane, now: Instant, holds: int | None = None) -> tuple[int, str]:
    """Return how many jobs of a lane may start now, and which key allows the fewest.

    Args:
        tables: The tables.
        lane: The lane.
        now: The store's clock.
        holds: How many of them hold resources; None: each. Jobs that start as one group hold what one holds.
    """
    least, narrow = limits.ENDLESS, ""
    for key, weight in _keys(lane):
        if holds == 0 and resources.is_resource(key):
            continue
        jobs = _jobs(tables, key, weight, now)
        enough = holds and resources.is_resource(key) and jobs >= holds
        if jobs < least and not enough:
            least, narrow = jobs, key
    asks = () if holds == 0 else only_resources(_keys(lane))
    if asks:  # one tree must have room for all of them
        jobs, key = free_room(tables, asks)
        if jobs < least and not (holds and jobs >= holds):
            least, narrow = jobs, key
    return least, narrow


def count_start(tables: Tables, job: Job, now: Instant) -> None:
    """Count a start where starts are limited; what runs counts by itself."""
    for key, weight in all_keys(tables, job):
        limit = find(tables.limits, key)
        if limit is not None:
            tables.touched.add(key)
            tables.usage[key] = limits.started(limit, tables.usage.get(key, FRESH), weight, now)


def hold(tables: Tables, lane: Lane, key: str, lead: Turn) -> None:
    """Take a lane out of the line until a key has room; `lead` is how far its tenant is ahead of its band."""
    tables.touched.add(key)
    tables.held[lane] = (key, tables.usage.get(key, FRESH).turn + lead)


def waiting(tables: Tables, key: str) -> list[Lane]:
    """Return the lanes that wait for a key and can ever start, in the order in which they are woken."""
    held = [(lane, turn) for lane, (name, turn) in tables.held.items() if name == key]
    found = [
        (lane[1], turn, tables.head(lane), lane) for lane, turn in held if _fits(tables, key, dict(_keys(lane))[key])
    ]
    return [lane for *_, lane in sorted(found, key=lambda row: row[:3])]


def wake(tables: Tables, key: str, now: Instant) -> bool:
    """Wake the lanes that wait for a key, in order, as many as fit; return whether there were any."""
    tables.touched.add(key)
    left = _room(tables, key, now)
    woken = False
    for lane in waiting(tables, key) if left > 0 else ():
        weight = dict(_keys(lane))[key]
        if weight > left or _jobs(tables, key, weight, now) <= 0:
            break
        count, narrow = room(tables, lane, now)
        if count <= 0:
            hold(tables, lane, narrow, 0)
            continue
        left -= weight
        woken = True
        _, turn = tables.held.pop(lane)
        state = tables.usage.get(key, FRESH)
        tables.usage[key] = state._replace(turn=max(state.turn, turn))
    if woken:
        tables.hints |= {"work", "change"}
    return woken


def ended(tables: Tables, jobs: Iterable[Job], now: Instant, freed: Iterable[Hold] = ()) -> None:
    """Wake who waited for what ended attempts held, and for what of resources is held no more."""
    if tables.limited:
        tables.join()
        keys = {key for job in jobs for key, _ in all_keys(tables, job) if find(tables.limits, key)}
        keys |= {key for hold in freed for key in resources.keys_of(hold)}
        for key in sorted(keys):
            wake(tables, key, now)
        plan_wakes(tables, now)


def wake_due(tables: Tables, now: Instant) -> None:
    """Wake whom time alone has given room."""
    for key in sorted({key for key, _ in tables.held.values()}):
        if key in tables.wakes and tables.wakes[key] <= now:
            wake(tables, key, now)


def wake_open(tables: Tables, tried: set[str], now: Instant, owner: str) -> bool:
    """Wake the lanes of keys that have room and are waited for; return whether there were any.

    Who was woken before may be served by other workers only: it must not stand in the way.
    """
    woken = False
    for key in sorted({key for key, _ in tables.held.values()} - tried):
        if resources.is_resource(key) and free_room(tables, ((key, 1),), owner)[0] <= 0:
            continue
        if _room(tables, key, now) > 0:
            some = wake(tables, key, now)
            woken |= some
            if not some:
                tried.add(key)
    return woken


def plan_wakes(tables: Tables, now: Instant) -> Instant | None:
    """Work out when time alone gives room to those who wait; return the first such instant."""
    waited = {key for key, _ in tables.held.values()}
    for key in tables.touched:
        tables.wakes.pop(key, None)
        first = waiting(tables, key)[:1]
        for lane in first:
            weight = dict(_keys(lane))[key]
            at = limits.opens_at(find(tables.limits, key), usage(tables, key), weight, now)
            if at is not None:
                tables.wakes[key] = at
    tables.touched.clear()
    return min((at for key, at in tables.wakes.items() if key in waited), default=None)


def configure(tables: Tables, limit: Limit) -> None:
    """Set a limit, and put all who wait back in line."""
    tables.limits[limit.key] = limit
    tables.by_user |= limit.key.startswith("user:")
    _changed(tables)


def drop(tables: Tables, key: str) -> bool:
    """Remove a limit, and put all who wait back in line."""
    if tables.limits.pop(key, None) is None:
        return False
    _changed(tables)
    return True


def _changed(tables: Tables) -> None:
    tables.held.clear()
    tables.wakes.clear()
    tables.hints |= {"work", "change"}


def park(tables: Tables, key: str, delay: Millis, now: Instant) -> Instant:
    """Set until when nothing of a key starts."""
    state = tables.usage.get(key, FRESH)
    until = max(state.parked, now + delay) if delay else now
    tables.usage[key] = state._replace(parked=until)
    tables.hints.add("change")
    wake(tables, key, now)
    plan_wakes(tables, now)
    return until


def listed(tables: Tables, now: Instant) -> list[LimitState]:
    """Return the keys that have a limit, are in use, waited for or parked, by key."""
    running = {key for job in tables.having(State.RUNNING) for key, _ in all_keys(tables, job)}
    states = {key: usage(tables, key) for key in {*tables.usage, *running} if not resources.is_resource(key)}
    jobs: dict[str, int] = {}
    for job in tables.having(State.QUEUED):
        held = tables.held.get(tables.lane_of(job))
        if held is not None and not resources.is_resource(held[0]):
            jobs[held[0]] = jobs.get(held[0], 0) + 1
    return limits.listed(tables.limits, states, jobs, now)
