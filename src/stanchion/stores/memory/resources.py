"""Resources in their plainest form: what is free is worked out anew whenever it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain import resources
from stanchion.domain.job import State
from stanchion.domain.resources import SHARED, Hold, only_resources
from stanchion.stores.memory import limits

if TYPE_CHECKING:
    from collections.abc import Collection

    from stanchion.domain.job import Job
    from stanchion.domain.resources import Resource
    from stanchion.domain.units import Instant
    from stanchion.store import WorkerInfo
    from stanchion.stores.memory.tables import Tables


def grant(tables: Tables, job: Job, worker: int) -> tuple[Hold, ...]:
    """Give to a job that starts what it asks for, in the tree of its worker."""
    owner = owner_of(tables.workers[worker].info)
    given: list[Hold] = []
    for key, weight in only_resources(limits.all_keys(tables, job)):
        name, device = resources.parts(key)
        trees = limits.free(tables, name)
        given += resources.pick(trees[SHARED if SHARED in trees else owner], name, device, weight)
    if given:
        tables.holds[job.ref] = (owner, tuple(given))
    return tuple(given)


def owner_of(info: WorkerInfo) -> str:
    """Return whose tree a worker belongs to: its supervisor's, or its own."""
    return info.incarnation if info.supervisor is None else info.supervisor


def here(tables: Tables, job: Job, worker: int) -> bool:
    """Return whether a job may start in the tree of a worker, as far as resources go."""
    asks = only_resources(limits.all_keys(tables, job))
    return not asks or limits.free_room(tables, asks, owner_of(tables.workers[worker].info))[0] > 0


def came(tables: Tables, info: WorkerInfo, now: Instant) -> None:
    """Count what a worker brings; its siblings bring the same things, not more of them."""
    for name, capacity in info.resources.items():
        base, device = resources.parts(name)
        tables.resources[base, owner_of(info), device] = capacity
    _changed(tables, {resources.parts(name)[0] for name in info.resources}, now)


def gone(tables: Tables, now: Instant) -> None:
    """Count no more what trees brought of which nobody claims now."""
    owners = {SHARED, *(owner_of(worker.info) for worker in tables.workers.values() if worker.state == "alive")}
    lost = [place for place in tables.resources if place[1] not in owners]
    for place in lost:
        del tables.resources[place]
    _changed(tables, {name for name, *_ in lost}, now)


def share(tables: Tables, name: str, capacity: int, now: Instant) -> None:
    """Share a resource between all workers."""
    tables.resources[name, SHARED, ""] = capacity
    _changed(tables, {name}, now)


def drop(tables: Tables, name: str, now: Instant) -> bool:
    """Share a resource no more."""
    if tables.resources.pop((name, SHARED, ""), None) is None:
        return False
    _changed(tables, {name}, now)
    return True


def _changed(tables: Tables, names: Collection[str], now: Instant) -> None:
    """Wake who waits for these: there may be more of them now, or who stood before may fit nowhere any more."""
    if names:
        tables.hints |= {"change", "work"}
        tables.join()
        waited = {key for key, _ in tables.held.values() if resources.is_resource(key)}
        for key in sorted(waited):
            if resources.parts(key)[0] in names:
                limits.wake(tables, key, now)
        limits.plan_wakes(tables, now)


def release(tables: Tables, ref: int, attempt: int, name: str, now: Instant) -> bool:
    """Give back what a running attempt holds of a name."""
    job = tables.jobs.get(ref)
    if job is None or job.state is not State.RUNNING or job.attempt != attempt:
        return False
    base, device = resources.parts(name)
    owner, held = tables.holds.get(ref, ("", ()))
    freed = [hold for hold in held if hold.name == base and device in ("", hold.device)]
    if freed:
        tables.holds[ref] = (owner, tuple(hold for hold in held if hold not in freed))
        limits.ended(tables, (), now, freed)
        tables.hints.add("change")
    return True


def listed(tables: Tables) -> list[Resource]:
    """Return the resources that there are, that are held or waited for."""
    names = {name for name, *_ in tables.resources}
    spots = {name: limits.spots(tables, name) for name in names}
    free = {name: limits.free(tables, name) for name in names}
    held: dict[str, int] = {}
    for _, holds in tables.holds.values():
        for hold in holds:
            held[hold.name] = held.get(hold.name, 0) + hold.weight
    waiting: dict[str, int] = {}
    for job in tables.having(State.QUEUED):
        key, _ = tables.held.get(tables.lane_of(job), ("", 0))
        if resources.is_resource(key):
            waiting[key] = waiting.get(key, 0) + 1
    return resources.listed(spots, free, held, waiting)
