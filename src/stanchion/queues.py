"""A queue as an operator holds it: stats, pause, resume, drain, list, clean, cancel, retry."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from stanchion.domain.affinity import MAX_JOBS, MAX_TIME
from stanchion.domain.job import State
from stanchion.domain.query import Filter
from stanchion.domain.units import whole
from stanchion.engine.submit import Duration, span
from stanchion.errors import UsageError
from stanchion.store import QueueStats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stanchion.domain import job as domain
    from stanchion.domain.policy import QueuePolicy
    from stanchion.handle import Job
    from stanchion.store import Store

CHUNK: Final = 500
"""Bulk operations go in transactions of so many jobs."""
MAX_WAITING: Final = 2**31
"""No queue is bounded to more jobs that wait."""
_FINAL: Final = (State.COMPLETED, State.FAILED, State.CANCELLED)
_OPEN: Final = (State.BLOCKED, State.SCHEDULED, State.QUEUED, State.RUNNING, State.RETRYING)


class Queue:
    """One queue by name."""

    def __init__(self, name: str, store: Store, handle: Callable[[domain.Job], Job[Any]]) -> None:
        self.name, self._store, self._handle = name, store, handle

    async def stats(self) -> QueueStats:
        """Return the counts by state, and the policy."""
        found = {item.policy.name: item for item in await self._store.stats()}
        if self.name not in found:
            policy = await self._store.configure(self.name)
            return QueueStats(policy, dict.fromkeys(State, 0), None)
        return found[self.name]

    async def pause(self) -> QueuePolicy:
        """Let no job of it start; running ones go on."""
        return await self._store.configure(self.name, paused=True)

    async def resume(self) -> QueuePolicy:
        """Let jobs start again."""
        return await self._store.configure(self.name, paused=False)

    async def limit(self, max_waiting: int | None) -> QueuePolicy:
        """Bound how many jobs may wait; None removes the bound.

        Raises:
            UsageError: It is no number of jobs.
        """
        if max_waiting is not None and not whole(max_waiting, 0, MAX_WAITING):
            message = f"The queue {self.name!r} cannot be bounded to {max_waiting!r} jobs that wait."
            raise UsageError(message, remedy=f"Give a whole number up to {MAX_WAITING:,}; None removes the bound.")
        return await self._store.configure(self.name, max_waiting=max_waiting or 0)

    async def affinity(self, *, jobs: int | None = None, seconds: Duration | None = None) -> QueuePolicy:
        """Bound how far jobs may go past others because their model is loaded; None leaves, 0 switches it off.

        Args:
            jobs: No job is passed over by more jobs than this (8 where nothing was set).
            seconds: Nor once it was first passed over so long ago (30 s where nothing was set).

        Raises:
            UsageError: A bound cannot be used.
        """
        time = None if seconds is None else span(seconds)
        if jobs is not None and not whole(jobs, 0, MAX_JOBS):
            message = f"The queue {self.name!r} cannot have an affinity of {jobs!r} jobs."
            raise UsageError(message, remedy=f"Give 0 to {MAX_JOBS}; 0 switches affinity off.")
        if time is not None and time > MAX_TIME:
            message = f"The queue {self.name!r} cannot have an affinity of {time / 1000:g} s."
            raise UsageError(message, remedy="Give up to a day; 0 switches affinity off.")
        return await self._store.configure(self.name, affinity_jobs=jobs, affinity_time=time)

    async def aging(self, interval: Duration | None) -> QueuePolicy:
        """Lift each waiting job one priority for each interval, in seconds or as `"10m"`; None or 0 ends it.

        Raises:
            ValueError: The interval is no duration.
        """
        return await self._store.configure(self.name, aging=0 if interval is None else span(interval))

    async def drain(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - the public name
        """Wait until nothing waits or runs (later scheduled jobs apart); False when the time was not enough."""
        hint = asyncio.Event()
        stop = self._store.subscribe(lambda _: hint.set(), claims=False, watch=True)
        try:
            async with asyncio.timeout(timeout):
                while True:
                    hint.clear()
                    counts = (await self.stats()).counts
                    if not counts[State.QUEUED] + counts[State.RUNNING] + counts[State.RETRYING]:
                        return True
                    try:
                        async with asyncio.timeout(1.0):
                            await hint.wait()
                    except TimeoutError:
                        continue
                    await asyncio.sleep(0.05)
        except TimeoutError:
            return False
        finally:
            stop()

    async def jobs(
        self,
        state: State | str | Iterable[State | str] | None = None,
        *,
        limit: int = 50,
        after: str | None = None,
    ) -> list[Job[Any]]:
        """Return jobs, newest first."""
        filter_ = Filter(states=states_of(state), queue=self.name)
        page = await self._store.list(filter_, limit=limit, after=after)
        return [self._handle(job) for job in page.jobs]

    async def clean(self, older_than: Duration, states: Iterable[State | str] = _FINAL) -> int:
        """Erase final jobs that ended longer ago; return how many."""
        wanted = states_of(states)
        if not set(wanted) <= set(_FINAL):
            message = "Only completed, failed and cancelled jobs can be cleaned."
            raise UsageError(message, remedy="Cancel waiting jobs first.")
        before = self._store.now() - span(older_than) + 1
        return await self._each(Filter(states=wanted, queue=self.name, ended_before=before), self._store.erase)

    async def cancel_all(self) -> int:
        """Cancel all that waits, ask all that runs; return how many."""
        return await self._each(Filter(states=_OPEN, queue=self.name), self._store.cancel, once=True)

    async def retry_all(self) -> int:
        """Queue all failed jobs anew; return how many."""
        return await self._each(Filter(states=(State.FAILED,), queue=self.name), self._store.retry)

    async def _each(self, filter_: Filter, change: Callable[..., Any], *, once: bool = False) -> int:
        """Apply a change in chunks; with `once` to what matches now, otherwise until nothing matches."""
        count = 0
        if once:
            ids = await self._store.select(filter_, 1_000_000)
            for start in range(0, len(ids), CHUNK):
                count += _done(await change(ids[start : start + CHUNK]))
            return count
        while ids := await self._store.select(filter_, CHUNK):
            done = _done(await change(ids))
            count += done
            if not done:
                return count
        return count


def _done(answers: list[Any]) -> int:
    return sum(1 for answer in answers if not isinstance(answer, Exception))


def states_of(value: State | str | Iterable[State | str] | None) -> tuple[State, ...]:
    """Return states given by name, one or several.

    Raises:
        UsageError: One of them is no state.
    """
    if value is None:
        return ()
    listed = [value] if isinstance(value, str) else list(value)
    try:
        return tuple(State(item) for item in listed)
    except ValueError as error:
        message = f"{error}."
        raise UsageError(message, remedy=f"States are {', '.join(State)}.") from None
