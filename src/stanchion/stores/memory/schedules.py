"""Schedules: put, pause, and the firing of ticks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stanchion.domain.query import ALL
from stanchion.domain.schedule import Overlap, Schedule, next_after
from stanchion.store import Due, Fired, PutSchedule, Refused
from stanchion.stores.memory import attempts, control

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.query import Scope
    from stanchion.domain.schedule import Firing, NewSchedule
    from stanchion.domain.units import Instant
    from stanchion.store import Enqueued
    from stanchion.stores.memory.tables import Tables


def put(tables: Tables, batch: Sequence[NewSchedule], now: Instant) -> list[PutSchedule]:
    """Store or change schedules, all or none."""
    firsts = [next_after(new.rule, now) for new in batch]
    return [_put(tables, new, first, now) for new, first in zip(batch, firsts, strict=True)]


def _put(tables: Tables, new: NewSchedule, first: Instant | None, now: Instant) -> PutSchedule:
    request = new.request._replace(id="")
    key = (new.tenant, new.name)
    old = tables.schedules.get(key)
    if old is None:
        tables.last_schedule += 1
        made = Schedule(
            name=new.name, rule=new.rule, request=request, overlap=new.overlap, catch_up=new.catch_up,
            ref=tables.last_schedule, revision=1, created_at=now, next_at=first,
        )  # fmt: skip
    else:
        made = replace(old, rule=new.rule, request=request, overlap=new.overlap, catch_up=new.catch_up)
        if made == old:
            return PutSchedule(old, new=False)
        if made.rule != old.rule and not old.paused:
            made = replace(made, next_at=first)
        made = replace(made, revision=old.revision + 1)
    tables.schedules[key] = made
    tables.hints.add("schedule")
    return PutSchedule(made, new=old is None)


def listed(tables: Tables, scope: Scope) -> list[Schedule]:
    """Return the schedules that a scope may see."""
    found = sorted(tables.schedules.items())
    return [schedule for (tenant, _), schedule in found if scope.tenant in (None, tenant)]


def pause(tables: Tables, tenant: str, name: str, *, paused: bool, now: Instant) -> Schedule | None:
    """Stop a schedule, or let it tick from now on."""
    old = tables.schedules.get((tenant, name))
    if old is None or old.paused == paused:
        return old
    following = None if paused else next_after(old.rule, now)
    made = replace(old, paused=paused, next_at=following, revision=old.revision + 1)
    tables.schedules[tenant, name] = made
    tables.hints.add("schedule")
    return made


def due(tables: Tables, limit: int, now: Instant) -> Due:
    """Return what is due, and when the next will be."""
    waiting = [(schedule.next_at, schedule) for schedule in tables.schedules.values() if schedule.next_at is not None]
    overdue = sorted((at, schedule.ref, schedule) for at, schedule in waiting if at <= now)[:limit]
    later = min((at - now for at, _ in waiting if at > now), default=None)
    return Due(now, tuple(schedule for _, _, schedule in overdue), later)


def fire(tables: Tables, firing: Firing, now: Instant) -> Fired:
    """Enqueue what ticks ask for, if the schedule is as the firing found it."""
    found, key = firing.schedule, (firing.schedule.tenant, firing.schedule.name)
    old = tables.schedules.get(key)
    if old is None or (old.ref, old.revision, old.next_at) != (found.ref, found.revision, found.next_at):
        return Fired(applied=False)
    answers: list[Enqueued | Refused | None] = []
    following, last_at, last_job = firing.next_at, old.last_at, old.last_job
    for tick, job in zip(firing.ticks, firing.jobs, strict=True):
        before = None if last_job is None or last_job not in tables.refs else tables.jobs[tables.refs[last_job]]
        if before is not None and not before.final and old.overlap is Overlap.SKIP:
            answers.append(None)
            last_at = tick
            continue
        answer = attempts.enqueue(tables, job, now)
        answers.append(answer)
        if isinstance(answer, Refused):
            following = tick
            break
        if before is not None and not before.final and old.overlap is Overlap.CANCEL_RUNNING and before.id != answer.id:
            control.cancel(tables, before.id, ALL, now)
        last_at, last_job = tick, answer.id
    tables.schedules[key] = replace(old, next_at=following, last_at=last_at, last_job=last_job)
    return Fired(applied=True, jobs=tuple(answers))
