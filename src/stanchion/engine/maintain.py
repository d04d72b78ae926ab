"""Upkeep at jittered ticks: rescue silent workers' jobs, promote, expire, prune, learn durations, fire schedules."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, Final

from stanchion.domain.outcome import Lost, Outcome, Released, settle
from stanchion.domain.policy import Retention
from stanchion.domain.retry import RetryPolicy
from stanchion.engine.board import begun
from stanchion.engine.learning import learn
from stanchion.engine.scheduling import Scheduler
from stanchion.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.policy import LeaseProfile
    from stanchion.engine.artifacts import Artifacts
    from stanchion.store import Overdue, Store

log = logging.getLogger("stanchion.maintain")

LIMIT: Final = 1_000
MAINTAIN_EVERY: Final = 5.0


async def rescue(store: Store, found: Sequence[Overdue], reason: str) -> int:
    """Settle leases as lost, and as given back where their handler had not begun; return how many were still held."""
    if not found:
        return 0
    policy = RetryPolicy()
    boards = {worker: begun(worker) for worker in {item.worker for item in found}}
    applied = await store.settle(
        [
            settle(item.lease, _ending(item, boards[item.worker], reason), policy, chance=random.random())  # noqa: S311 - jitter
            for item in found
        ]
    )
    for item, done in zip(found, applied, strict=True):
        if done:
            log.warning(
                "job %s: attempt %d was lost with worker %s (%s)",
                item.lease.id,
                item.lease.attempt,
                item.worker,
                reason,
            )
    return sum(applied)


def _ending(item: Overdue, board: set[tuple[int, int]] | None, reason: str) -> Outcome:
    if board is not None and (item.lease.ref, item.lease.attempt) not in board:
        return Released(reason)
    return Lost(reason)


class Maintainer:
    """Runs upkeep until cancelled; any number of them may run, on any number of machines."""

    def __init__(
        self, store: Store, artifacts: Artifacts, profile: LeaseProfile, retention: Retention | None = None
    ) -> None:
        self._store, self._artifacts = store, artifacts
        self._sweep_every = min(profile.beat / 1000, 1.5)
        self._retention = retention or Retention()

    async def run(self) -> None:
        """Sweep for silent workers often, and for time's other work every few seconds; fire schedules when due."""
        await asyncio.gather(self._sweeping(), self._maintaining(), Scheduler(self._store).run())

    async def sweep(self) -> int:
        """Rescue the jobs of workers that fell silent; return how many."""
        return await rescue(self._store, await self._store.overdue(LIMIT), "its worker fell silent")

    async def maintain(self) -> bool:
        """Do one round; return whether there may be more to do."""
        done = await self._store.maintain(self._retention, LIMIT)
        if done.artifacts:
            await asyncio.to_thread(self._artifacts.remove, done.artifacts)
        if done.pruned or done.expired:
            log.info("pruned %d jobs, expired %d", done.pruned, done.expired)
        for key in done.relieved:
            log.info("%s: few enough jobs wait and run again", key)
        full = LIMIT in (done.promoted, done.expired, done.pruned, done.aged) or done.uncached >= LIMIT
        await learn(self._store)
        return full or done.resolved > 0

    async def _sweeping(self) -> None:
        while True:
            await asyncio.sleep(self._sweep_every * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
            try:
                await self.sweep()
            except (StoreError, OSError, RuntimeError) as error:  # the last two: no descriptor or no thread to be had
                log.warning("silent workers could not be looked for: %s", error)

    async def _maintaining(self) -> None:
        while True:
            try:
                more = await self.maintain()
            except (StoreError, OSError, RuntimeError) as error:  # the last two: no descriptor or no thread to be had
                more = False
                log.warning("maintenance could not run: %s", error)
            await asyncio.sleep(0.05 if more else MAINTAIN_EVERY * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
