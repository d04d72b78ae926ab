"""Schedules: put, pause, and the firing of ticks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from stanchion.domain.ids import packed
from stanchion.domain.intake import of_values
from stanchion.domain.job import FINAL, NewJob
from stanchion.domain.query import ALL
from stanchion.domain.schedule import Cron, Every, Overlap, Schedule, next_after
from stanchion.store import Due, Fired, PutSchedule, Refused
from stanchion.stores.sqlite import amend
from stanchion.stores.sqlite import schedule_statements as sql
from stanchion.stores.sqlite import statements as common
from stanchion.stores.sqlite.enqueue import enqueue
from stanchion.stores.sqlite.fetch import every, one, only
from stanchion.stores.sqlite.rows import STATES
from stanchion.stores.sqlite.signals import SCHEDULE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.query import Scope
    from stanchion.domain.schedule import Firing, NewSchedule
    from stanchion.domain.units import Instant, JobId
    from stanchion.store import Enqueued
    from stanchion.stores.sqlite.fetch import Connection, Row
    from stanchion.stores.sqlite.lanes import Lanes
    from stanchion.stores.sqlite.writer import Tx

_BYTES = ("args", "metadata")
_TUPLES = ("tags", "secret")
_WEIGHTS = ("limits", "resources")


def request_text(request: NewJob) -> str:
    """Return a request as the store keeps it: the fields that it sets."""
    default = NewJob("", "", b"")._asdict()
    given = {name: value for name, value in request._asdict().items() if value != default[name] and name != "id"}
    text = {name: value.decode() if isinstance(value, bytes) else value for name, value in given.items()}
    return json.dumps(text, ensure_ascii=False, sort_keys=True)


def request_of(text: str) -> NewJob:
    """Return the request that a text keeps."""
    fields: dict[str, Any] = json.loads(text)
    for name in _BYTES:
        if name in fields:
            fields[name] = cast("str", fields[name]).encode()
    for name in _TUPLES:
        if name in fields:
            fields[name] = tuple(fields[name])
    for name in _WEIGHTS:
        if name in fields:
            fields[name] = tuple((key, weight) for key, weight in fields[name])
    if "intake" in fields:
        fields["intake"] = of_values(fields["intake"])
    return NewJob("", fields.pop("task", ""), fields.pop("args", b""), **fields)


def schedule_of(row: Row) -> Schedule:
    """Return the schedule of a row."""
    ref, _, name, revision, cron, zone, interval, start, request, overlap, catch_up, created_at, paused, *ticks = row
    next_at, last_at, last_job = ticks
    return Schedule(
        name=name, rule=Every(interval, start) if cron is None else Cron(cron, zone), request=request_of(request),
        overlap=Overlap(overlap), catch_up=catch_up, ref=ref, revision=revision, created_at=created_at,
        paused=bool(paused), next_at=next_at, last_at=last_at, last_job=last_job,
    )  # fmt: skip


def find(db: Connection, tenant: str, name: str) -> Schedule | None:
    """Return a schedule by name."""
    row = one(db, sql.SCHEDULE, (tenant, name))
    return None if row is None else schedule_of(row)


def _columns(new: NewSchedule) -> tuple[object, ...]:
    rule = (*new.rule, None, None) if isinstance(new.rule, Cron) else (None, None, *new.rule)
    return (*rule, request_text(new.request), new.overlap.value, new.catch_up)


def put(tx: Tx, batch: Sequence[NewSchedule]) -> list[PutSchedule]:
    """See `Store.put_schedules`."""
    firsts = [next_after(new.rule, tx.now) for new in batch]
    return [_put(tx, new, first) for new, first in zip(batch, firsts, strict=True)]


def _put(tx: Tx, new: NewSchedule, first: Instant | None) -> PutSchedule:
    key, columns = (new.tenant, new.name), _columns(new)
    old = find(tx.db, *key)
    if old is None:
        tx.db.execute(sql.ADD_SCHEDULE, (*columns, first, tx.now, *key))
    elif _columns(old) == columns:
        return PutSchedule(old, new=False)
    else:
        following = old.next_at if old.paused or old.rule == new.rule else first
        tx.db.execute(sql.CHANGE_SCHEDULE, (*columns, following, *key))
    tx.mask |= SCHEDULE
    return PutSchedule(schedule_of(only(tx.db, sql.SCHEDULE, key)), new=old is None)


def listed(db: Connection, scope: Scope) -> list[Schedule]:
    """See `Store.schedules`."""
    rows = every(db, sql.SCHEDULES) if scope.tenant is None else every(db, sql.SCHEDULES_OF, (scope.tenant,))
    return [schedule_of(row) for row in rows]


def pause(tx: Tx, tenant: str, name: str, *, paused: bool) -> Schedule | None:
    """See `Store.pause_schedule`."""
    old = find(tx.db, tenant, name)
    if old is None or old.paused == paused:
        return old
    following = None if paused else next_after(old.rule, tx.now)
    tx.db.execute(sql.PAUSE_SCHEDULE, (paused, following, tenant, name))
    tx.mask |= SCHEDULE
    return find(tx.db, tenant, name)


def drop(tx: Tx, tenant: str, name: str) -> bool:
    """See `Store.drop_schedule`."""
    before = tx.db.total_changes()
    tx.db.execute(sql.DROP_SCHEDULE, (tenant, name))
    return tx.db.total_changes() > before


def due(db: Connection, now: Instant, limit: int) -> Due:
    """See `Store.due_schedules`."""
    found = every(db, sql.DUE_SCHEDULES, (now, limit))
    following = only(db, sql.NEXT_TICK, (now,))[0]
    return Due(now, tuple(schedule_of(row) for row in found), None if following is None else following - now)


def fire(tx: Tx, lanes: Lanes, firing: Firing) -> Fired:
    """Enqueue what ticks ask for, if the schedule is as the firing found it."""
    found = firing.schedule
    fence = (found.ref, found.revision, found.next_at)
    row = one(tx.db, sql.FIRING, fence)
    if row is None:
        return Fired(applied=False)
    overlap, last_at, last_job = row
    answers: list[Enqueued | Refused | None] = []
    following = firing.next_at
    for tick, job in zip(firing.ticks, firing.jobs, strict=True):
        unended = overlap != Overlap.ALLOW and _unended(tx, last_job)
        if unended and overlap == Overlap.SKIP:
            answers.append(None)
            last_at = tick
            continue
        (answer,) = enqueue(tx, lanes, [job])
        answers.append(answer)
        if isinstance(answer, Refused):
            following = tick
            break
        if unended and last_job != answer.id:
            amend.each(tx, [last_job], ALL, amend.cancel)
        last_at, last_job = tick, answer.id
    tx.db.execute(sql.MOVE_SCHEDULE, (*fence, following, last_at, last_job))
    return Fired(applied=True, jobs=tuple(answers))


def _unended(tx: Tx, job_id: JobId | None) -> bool:
    row = None if job_id is None else one(tx.db, common.BY_ID, (packed(job_id),))
    return row is not None and STATES[row[1]] not in FINAL
