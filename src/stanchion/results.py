"""The result cache as an operator holds it: what is in it, and dropping it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from stanchion.domain.cache import CacheSum, Selection
from stanchion.engine.submit import Duration, span

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from stanchion.domain.units import Instant
    from stanchion.engine.cache import Levels, LevelStats, Lookups

R = TypeVar("R")


class CacheReport(NamedTuple):
    """What the cache holds.

    Attributes:
        entries: How many results answer.
        bytes: What they keep in use: results, chunks, and the artifacts that they refer to.
        hits: How often these entries have answered.
        tasks: The same by tenant and task.
        levels: Every level, the nearest first; the last is the store, to which the figures above belong.
        lookups: What this process asked, since it opened the app.
    """

    entries: int
    bytes: int
    hits: int
    tasks: tuple[CacheSum, ...]
    levels: tuple[LevelStats, ...]
    lookups: Lookups


class ResultCache:
    """The results that answer requests without a run."""

    def __init__(self, reach: Callable[[], Awaitable[Levels]], now: Callable[[], Instant]) -> None:
        self._reach, self._now = reach, now

    async def stats(self, *, tenant: str | None = None) -> CacheReport:
        """Return what the cache holds, of one tenant where named."""
        levels = await self._reach()
        found = await levels.stats(tenant)
        sums = found[-1].sums
        return CacheReport(
            sum(one.entries for one in sums),
            sum(one.bytes for one in sums),
            sum(one.hits for one in sums),
            sums,
            tuple(found),
            levels.lookups,
        )

    async def purge(
        self, *, task: str | None = None, tenant: str | None = None, older_than: Duration | None = None
    ) -> int:
        """Drop results, so that the next request runs; return how many.

        Args:
            task: Only those of this task.
            tenant: Only those that jobs of this tenant made.
            older_than: Only those that were made so long ago: seconds, a text such as `"7d"`, or a `timedelta`.
        """
        levels = await self._reach()
        before = None if older_than is None else self._now() - span(older_than) + 1
        return await levels.purge(Selection(tenant, task, before))


class _Blocking(Protocol):
    def __call__(self, call: Coroutine[object, object, R], /) -> R: ...


class SyncResultCache:
    """The same for blocking callers."""

    def __init__(self, cache: ResultCache, blocking: _Blocking) -> None:
        self._cache, self._blocking = cache, blocking

    def stats(self, *, tenant: str | None = None) -> CacheReport:
        """See `ResultCache.stats`."""
        return self._blocking(self._cache.stats(tenant=tenant))

    def purge(self, *, task: str | None = None, tenant: str | None = None, older_than: Duration | None = None) -> int:
        """See `ResultCache.purge`."""
        return self._blocking(self._cache.purge(task=task, tenant=tenant, older_than=older_than))
