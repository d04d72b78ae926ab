"""The desk at which requests are refused and warned of: why, for how long, and who is told."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.intake import RELIEF, expected, worked
from stanchion.domain.job import State
from stanchion.errors import OverLimitError, QueueFullError, RefusedError
from stanchion.store import Enqueued, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.intake import Warned
    from stanchion.domain.job import NewJob
    from stanchion.domain.units import Instant, Millis
    from stanchion.engine.hooks import Hooks
    from stanchion.store import Store

log = logging.getLogger("stanchion.intake")

WINDOW: Final[Millis] = 300_000
"""How long a queue works its backlog off is told by what it did lately."""
FRESH_FOR: Final[Millis] = 1_000
"""So long an estimate is used again: a storm of refusals costs one look a second."""
MOST_QUEUES: Final = 1_000
LEAST_WAIT: Final = 1.0
MOST_WAIT: Final = 300.0


class Estimate(NamedTuple):
    """How long a queue's line is, in ms, of so many jobs; None where nobody can tell."""

    at: Instant
    wait: Millis | None
    jobs: int


class Desk:
    """Explains refusals and passes warnings on; one for a process."""

    def __init__(self, store: Store, hooks: Hooks) -> None:
        self._store, self._hooks = store, hooks
        self._known: OrderedDict[str, Estimate] = OrderedDict()

    async def warned(self, warnings: Sequence[Warned]) -> None:
        """Tell of keys that were just crossed, once: in the log, and the hooks."""
        for one in warnings:
            if not one.crossed:
                continue
            most = "" if one.refuse_at is None else f"; above {one.refuse_at} they are refused"
            log.warning("%s: %d jobs wait and run, %d is its warning level%s", one.key, one.jobs, one.warn_at, most)
            try:
                await self._hooks.overflowed(one)
            except Exception:
                log.exception("an overflow hook failed for %s", one.key)

    async def all_told(
        self, batch: Sequence[NewJob], answers: Sequence[Enqueued | Refused]
    ) -> Sequence[Enqueued | Refused]:
        """Return the answers to a batch, with refusals explained; warnings are passed on."""
        for new, answer in zip(batch, answers, strict=True):
            if isinstance(answer, Refused):
                await self.explained(new, answer.error)
            elif answer.warnings:
                await self.warned(answer.warnings)
        return answers

    async def explained(self, new: NewJob, error: Exception) -> Exception:
        """Return a refusal with how long a job would wait, and when to ask again, where that can be told."""
        if isinstance(error, QueueFullError | OverLimitError):
            await self._timed(new, error, error.limit)
        guard = None if new.intake is None else new.intake.guard
        if isinstance(error, RefusedError) and error.slowed_for is not None and guard is not None:
            error.retry_after = max(error.retry_after or 0.0, error.slowed_for)
            log.warning(
                "%s of tenant %s is slowed down for %g s: refused too often", guard.key, new.tenant, error.slowed_for
            )
        return error

    async def _timed(self, new: NewJob, error: RefusedError, bound: int) -> None:
        found = await self._estimate(new.queue, new.task)
        if found.wait is None or not found.jobs:
            return
        error.estimated_wait = found.wait / 1000
        relief = max(bound - round(bound * RELIEF), 1) * found.wait / found.jobs
        error.retry_after = min(max(relief / 1000, LEAST_WAIT), MOST_WAIT)

    async def _estimate(self, queue: str, task: str) -> Estimate:
        """Return how long the line of a queue is: by the attempts that ended lately, else by what was learned."""
        now = self._store.now()
        known = self._known.get(queue)
        if known is not None and 0 <= now - known.at < FRESH_FOR:
            return known
        stats = {one.policy.name: one for one in await self._store.stats()}
        counts = stats[queue].counts if queue in stats else dict.fromkeys(State, 0)
        jobs = counts[State.QUEUED] + counts[State.RUNNING]
        load = (await self._store.loads(WINDOW)).get(queue)
        wait = None if load is None else expected(jobs, load.ended, WINDOW)
        if wait is None:
            wait = worked(jobs, await self._took(task), await self._slots(queue))
        found = self._known[queue] = Estimate(now, wait, jobs)
        self._known.move_to_end(queue)
        while len(self._known) > MOST_QUEUES:
            self._known.popitem(last=False)
        return found

    async def _took(self, task: str) -> float | None:
        """Return what an attempt of a task took on average, as was learned, in ms."""
        seen = (await self._store.durations()).seen
        took = [one.took for work, one in seen.items() if work.task == task]
        mass = sum(one.mass for one in took)
        return sum(one.mean * one.mass for one in took) / mass if mass else None

    async def _slots(self, queue: str) -> int:
        rows = [row for row in await self._store.workers() if row.alive and row.state != "draining"]
        return sum(row.info.slots for row in rows if row.info.queues is None or queue in row.info.queues)
