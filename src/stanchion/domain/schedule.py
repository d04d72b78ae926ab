"""Schedules: when a rule ticks, which missed ticks are made up for, and the job that each tick stands for.

A tick is an instant at which a rule asks for a job. Its job's id is made from the schedule and the tick, so that
however often a tick is fired, it is one job.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from stanchion.domain.ids import uuid7
from stanchion.domain.units import MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stanchion.domain.job import NewJob
    from stanchion.domain.units import Instant, JobId, Millis

MAX_NAME: Final = 150
MAX_CRON: Final = 200
LATEST_WITHIN: Final[Millis] = MINUTE
"""How late the latest missed tick may be where a schedule says nothing of catching up."""
AT_ONCE: Final = 100
"""At most so many ticks of one schedule are fired in one transaction; the rest follow in the next."""
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


class Cron(NamedTuple):
    """Ticks at local times of a zone: five cron fields, or six with seconds in front."""

    text: str
    zone: str = "UTC"


class Every(NamedTuple):
    """Ticks at `start`, and from there on once in every so many ms."""

    every: Millis
    start: Instant = 0


Rule: TypeAlias = Cron | Every


class Overlap(StrEnum):
    """What a tick does while the job of the tick before has not ended."""

    ALLOW = "allow"
    SKIP = "skip"
    CANCEL_RUNNING = "cancel_running"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSchedule:
    """A schedule to store.

    Attributes:
        name: Its name, one of its kind within the tenant of `request`.
        rule: When it ticks.
        request: The job of each tick; its `id` is not used.
        overlap: What a tick does while the previous job has not ended.
        catch_up: Ticks missed by at most so many ms are fired late, each; None: of the missed ones only the
            latest, up to `LATEST_WITHIN` late.
    """

    name: str
    rule: Rule
    request: NewJob
    overlap: Overlap = Overlap.ALLOW
    catch_up: Millis | None = None

    @property
    def tenant(self) -> str:
        """Whose it is."""
        return self.request.tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(NewSchedule):
    """A schedule as it stands.

    Attributes:
        ref: The store's own handle of it; never used for another.
        revision: Counts the changes of it; with `ref` and `next_at` it is the fence of a firing.
        paused: Whether an operator stopped it.
        next_at: The tick that comes next; None while paused, and where no tick is to come.
        last_at: The latest tick that was fired or skipped.
        last_job: The job of the latest tick that was fired.
    """

    ref: int
    revision: int
    created_at: Instant
    paused: bool = False
    next_at: Instant | None = None
    last_at: Instant | None = None
    last_job: JobId | None = None


class Firing(NamedTuple):
    """Ticks to fire, the oldest first, with the job of each; and the tick that comes after them.

    It applies only while the schedule is as `schedule` says: same `ref`, `revision` and `next_at`.
    """

    schedule: Schedule
    ticks: tuple[Instant, ...]
    jobs: tuple[NewJob, ...]
    next_at: Instant | None


def cron(text: str, *, tz: str = "UTC") -> Cron:
    """Return the rule of a cron text in an IANA time zone.

    The text has five fields (minute, hour, day of month, month, day of week) as Debian's cron reads them, or six
    with seconds in front. Where clocks are set forward, a job at a skipped time runs at the moment after the gap;
    where they are set back, a job at a time that comes twice runs the first time only. Rules whose minute or
    hour begins with `*`, and those with seconds, go by the time that passes instead: what is skipped does not
    run, what comes twice runs twice.

    Raises:
        ValueError: The text is not cron, it never ticks, or the zone is not known here.
    """
    rule = Cron(" ".join(text.split()), tz)
    if len(text) > MAX_CRON:
        message = f"a cron text has at most {MAX_CRON} characters, not {len(text)}"
        raise ValueError(message)
    if next_after(rule, round(_EPOCH.timestamp() * 1000)) is None:
        message = f"{text!r} never ticks: no date within 50 years matches"
        raise ValueError(message)
    return rule


def checked(new: NewSchedule) -> NewSchedule:
    """Return a schedule whose fields can be used.

    Raises:
        ValueError: One cannot; the text says which and why.
    """
    if not new.name or len(new.name) > MAX_NAME or not new.name.isprintable() or "/" in new.name:
        message = f"a schedule's name must be 1 to {MAX_NAME} printable characters without '/'"
        raise ValueError(message)
    if isinstance(new.rule, Cron):
        cron(new.rule.text, tz=new.rule.zone)
    elif new.rule.every < SECOND:
        message = f"the shortest interval is 1 second, not {new.rule.every} ms"
        raise ValueError(message)
    if new.catch_up is not None and new.catch_up < SECOND:
        message = f"catch_up must be at least 1 second, not {new.catch_up} ms; leave it out for the latest tick only"
        raise ValueError(message)
    return new


def next_after(rule: Rule, instant: Instant) -> Instant | None:
    """Return the first tick after an instant; None where none is to come.

    Raises:
        ValueError: The cron text or the zone cannot be used (on this machine).
    """
    if isinstance(rule, Every):
        if instant < rule.start:
            return rule.start
        return rule.start + ((instant - rule.start) // rule.every + 1) * rule.every
    return next(_cron_ticks(rule, instant), None)


def _ticks(rule: Rule, after: Instant) -> Iterator[Instant]:
    """Give the ticks after an instant, in order, without end."""
    if isinstance(rule, Cron):
        yield from _cron_ticks(rule, after)
        return
    at = next_after(rule, after)
    while at is not None:
        yield at
        at = next_after(rule, at)


def _cron_ticks(rule: Cron, after: Instant) -> Iterator[Instant]:
    try:
        found = CronSim(rule.text, datetime.fromtimestamp(after // 1000, _zone(rule.zone)))
    except CronSimError as error:
        message = f"{rule.text!r} is not a cron text: {str(error).lower()}; write it as '0 7 * * *'"
        raise ValueError(message) from error
    for when in found:
        at = round(when.timestamp()) * 1000
        if at > after:  # in the hour that comes twice the parser counts from the first of the two
            after = at
            yield at


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        message = (
            f"{name[:100]!r} is not a time zone that this machine knows; write one such as 'Europe/Berlin',"
            " and where the machine has no time zones install the package tzdata"
        )
        raise ValueError(message) from error


def latest(rule: Rule, after: Instant, until: Instant) -> Instant | None:
    """Return the last tick after one instant and not after another; None where there is none."""
    back = SECOND
    while True:
        since = max(after, until - back)
        found = next_after(rule, since)
        if found is not None and found <= until:
            break
        if since == after:
            return None
        back *= 2
    for at in _ticks(rule, found):
        if at > until:
            break
        found = at
    return found


def plan(schedule: Schedule, now: Instant) -> Firing:
    """Return what is to be fired of a schedule that is due, and where it goes on.

    Missed ticks that are too old are left out. Where jobs must not overlap, and where the schedule says nothing
    of catching up, only the latest missed tick is fired: the others would be skipped or cancelled at once.

    Raises:
        ValueError: The rule cannot be used on this machine.
    """
    assert schedule.next_at is not None
    rule, window = schedule.rule, LATEST_WITHIN if schedule.catch_up is None else schedule.catch_up
    after = max(schedule.next_at, now - window) - 1
    found: list[Instant] = []
    if schedule.catch_up is None or schedule.overlap is not Overlap.ALLOW:
        one = latest(rule, after, now)
        found += () if one is None else (one,)
        following = next_after(rule, now)
    else:
        following = None
        for at in _ticks(rule, after):
            if at > now or len(found) == AT_ONCE:
                following = at
                break
            found.append(at)
    return Firing(schedule, tuple(found), tuple(job_of(schedule, at) for at in found), following)


def job_of(schedule: NewSchedule, tick: Instant) -> NewJob:
    """Return the job of a tick; the same tick of the same schedule gives the same id."""
    when = datetime.fromtimestamp(tick // 1000, UTC)
    return schedule.request._replace(
        id=tick_id(schedule.tenant, schedule.name, tick),
        correlation_id=schedule.request.correlation_id or f"{schedule.name}@{when:%Y-%m-%dT%H:%M:%SZ}",
    )


def tick_id(tenant: str, name: str, tick: Instant) -> JobId:
    """Return the id of a tick's job."""
    digest = hashlib.sha256(b"schedule")
    for part in (tenant.encode(), name.encode(), str(tick).encode()):
        digest.update(len(part).to_bytes(4, "big") + part)
    return uuid7(tick, digest.digest()[:10])
