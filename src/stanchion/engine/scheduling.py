"""Schedules at work: requests made ready for them, ticks fired when due, and one run at once."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from stanchion.domain.schedule import Every, NewSchedule, Overlap, Rule, checked, cron, plan
from stanchion.engine.chance import new_id
from stanchion.engine.submit import Duration, instant, span
from stanchion.errors import PayloadError, StoreError
from stanchion.store import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from stanchion.domain.job import NewJob
    from stanchion.domain.schedule import Firing, Schedule
    from stanchion.domain.units import Millis
    from stanchion.engine.submit import Submission
    from stanchion.store import Enqueued, Fired, Signal, Store

log = logging.getLogger("stanchion.schedules")

OverlapWord: TypeAlias = Overlap | Literal["allow", "skip", "cancel_running"]
LIMIT: Final = 200
"""At most so many schedules are fired in one transaction."""
LOOK_EVERY: Final = 60.0
"""Seconds after which the store is looked at though nothing is due: a hint may be lost, a machine may sleep."""
AGAIN_AFTER: Final = 5.0
"""Seconds until a tick that could not be fired is tried again."""
_SPREAD: Final = 0.02
"""Seconds over which schedulers that wake for the same tick are spread, so that most find it fired."""
_UNFIT: Final = ("run_at", "expires_at", "idempotency_key", "dedup_key", "dedup_window")


def every(interval: Duration, *, start: datetime | float = 0.0) -> Every:
    """Return the rule of an interval.

    Args:
        interval: Seconds, a text such as `"15m"`, or a `timedelta`; at least 1 second.
        start: The first tick; by default ticks stand at whole multiples of the interval since 1970, so that they
            stay where they are whenever the schedule is stored again.

    Raises:
        ValueError: The interval is no duration, or `start` has no time zone.
    """
    return Every(span(interval), instant(start) or 0)


def rule_of(rule: Rule | str, tz: str | None = None) -> Rule:
    """Return a rule, a cron text read as one.

    Raises:
        ValueError: The text is not cron, or a zone was given beside a rule.
    """
    if isinstance(rule, str):
        return cron(rule, tz=tz or "UTC")
    if tz is not None:
        message = "tz stands beside a cron text only; give it to cron(...)"
        raise ValueError(message)
    return rule


async def template(request: Submission, prepare: Callable[[Submission], Awaitable[NewJob]]) -> NewJob:
    """Return the job of each tick, validated as an enqueue would.

    Raises:
        PayloadError: The request does not fit, or sets what can be true of one job only.
    """
    unfit = [option for option in _UNFIT if getattr(request.options, option) is not None]
    if unfit:
        message = f"A scheduled request cannot set {', '.join(unfit)}: it stands for many jobs."
        raise PayloadError(message, remedy="Leave it out: each tick makes one job; delay and expires_in are allowed.")
    return (await prepare(request))._replace(dedup_key=None, dedup_window=0)


def scheduled(
    name: str,
    rule: Rule | str,
    request: NewJob,
    *,
    overlap: OverlapWord = Overlap.ALLOW,
    catch_up: Duration | None = None,
) -> NewSchedule:
    """Return a schedule that can be stored.

    Raises:
        PayloadError: A part cannot be used.
    """
    try:
        window = None if catch_up is None else span(catch_up)
        given = Overlap(overlap)
        return checked(NewSchedule(name=name, rule=rule_of(rule), request=request, overlap=given, catch_up=window))
    except ValueError as error:
        message = f"Schedule {name[:200]!r} cannot be used: {error}."
        raise PayloadError(message, problems=(("", str(error)),), remedy="Correct it and store it again.") from error


async def run_now(store: Store, schedule: Schedule) -> Enqueued:
    """Enqueue the job of a schedule at once, beside its ticks, which stay as they are.

    Raises:
        RefusedError: The store refused it; nothing was stored.
    """
    (answer,) = await store.enqueue([schedule.request._replace(id=new_id())])
    if isinstance(answer, Refused):
        raise answer.error
    return answer


class Scheduler:
    """Fires ticks as they fall due; any number of them may run, in any number of processes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Fire what is due, then sleep until the next tick or until a schedule changes; until cancelled."""
        stop = self._listen()
        try:
            while True:
                self._changed.clear()
                try:
                    wait = await self.fire()
                except StoreError as error:
                    log.warning("schedules could not be looked at: %s", error)
                    wait = AGAIN_AFTER
                if wait:
                    await self._sleep(wait)
        finally:
            stop()

    def _listen(self) -> Callable[[], None]:
        try:
            return self._store.subscribe(self._heard, claims=False, watch=False, schedules=True)
        except (StoreError, OSError) as error:  # a hint may be lost: ticks that are known are fired all the same
            log.warning("schedules that change are seen within %.0f s only: %s", LOOK_EVERY, error)
            return lambda: None

    async def fire(self) -> float:
        """Do one round; return in how many seconds the next makes sense, 0 for at once."""
        due = await self._store.due_schedules(LIMIT)
        wait = LOOK_EVERY if due.next_due is None else min(due.next_due / 1000, LOOK_EVERY)
        if not due.schedules:
            return wait
        firings = [firing for schedule in due.schedules if (firing := _planned(schedule, due.now)) is not None]
        moved = False
        for firing, fired in zip(firings, await self._store.fire(firings) if firings else (), strict=True):
            moved |= _told(firing, fired)
        return 0.0 if moved else min(wait, AGAIN_AFTER)

    async def _sleep(self, seconds: float) -> None:
        spread = random.uniform(0, _SPREAD)  # noqa: S311 - jitter
        try:
            async with asyncio.timeout(seconds + spread):
                await self._changed.wait()
        except TimeoutError:
            return

    def _heard(self, _: Signal) -> None:
        self._changed.set()


def _planned(schedule: Schedule, now: Millis) -> Firing | None:
    try:
        return plan(schedule, now)
    except ValueError as error:
        log.error("schedule %s of tenant %s does not tick here: %s", schedule.name, schedule.tenant, error)  # noqa: TRY400 - the text says all
        return None


def _told(firing: Firing, fired: Fired) -> bool:
    """Log what became of a firing; return whether its schedule went on, by us or by another."""
    name, missed = firing.schedule.name, firing.schedule.next_at
    refused = False
    if fired.applied and (not firing.ticks or firing.ticks[0] != missed):
        log.warning("schedule %s: ticks from %d on were missed while nothing ran, and are left out", name, missed)
    for tick, answer in zip(firing.ticks, fired.jobs, strict=False):
        if answer is None:
            log.info("schedule %s: tick %d was skipped, its previous job has not ended", name, tick)
        elif isinstance(answer, Refused):
            refused = True
            log.warning("schedule %s: tick %d was refused and is tried again: %s", name, tick, answer.error)
        else:
            log.info("schedule %s: tick %d is job %s", name, tick, answer.id)
    return not refused
