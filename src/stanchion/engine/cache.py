"""The levels of the result cache: the nearest first, the store last; one that is broken or slow costs a miss."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from stanchion.domain.cache import CacheSum, Entry, Selection, Use

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from stanchion.cache import Cache
    from stanchion.domain.units import Instant

T = TypeVar("T")
R = TypeVar("R")

log = logging.getLogger("stanchion.cache")

PATIENCE: Final = 0.25
"""Seconds that a level may take to answer a look-up."""
PAUSE: Final = 5.0
"""Seconds for which a level that failed is not asked."""
GATHER: Final = 2.0
"""Seconds in which hits gather before they are counted in the levels, all at once."""
MANY: Final = 10_000
"""So many keys with uncounted hits are counted at once, without waiting."""
SHARE: Final = 8
"""An entry that would take more than this part of a memory level is not kept there."""


class MemoryCache:
    """A level in this process's memory: bounded in bytes, the entry not used for longest goes first.

    Args:
        most: How many bytes its results and chunks may take; 0 keeps nothing.
        now: The store's clock.
    """

    name = "memory"

    def __init__(self, most: int, now: Callable[[], Instant]) -> None:
        self._most, self._now = most, now
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._hits: dict[bytes, int] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    async def get(self, keys: Sequence[bytes]) -> list[Entry | None]:
        """See `Cache.get`."""
        return [self._get(key) for key in keys]

    def _get(self, key: bytes) -> Entry | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.until <= self._now():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry

    async def put(self, entries: Sequence[Entry]) -> None:
        """See `Cache.put`."""
        for entry in entries:
            self._drop(entry.key)
            if entry.weight * SHARE > self._most:
                continue
            self._entries[entry.key] = entry
            self.bytes += _cost(entry)
            while self.bytes > self._most:
                self._drop(next(iter(self._entries)))

    def _drop(self, key: bytes) -> bool:
        entry = self._entries.pop(key, None)
        if entry is None:
            return False
        self.bytes -= _cost(entry)
        self._hits.pop(key, None)
        return True

    async def touch(self, uses: Sequence[Use]) -> None:
        """See `Cache.touch`; the order of use is known from `get`."""
        for use in uses:
            if use.key in self._entries:
                self._hits[use.key] = self._hits.get(use.key, 0) + use.hits

    async def purge(self, wanted: Selection) -> int:
        """See `Cache.purge`."""
        return sum(self._drop(key) for key, entry in tuple(self._entries.items()) if wanted.holds(entry))

    async def stats(self, tenant: str | None = None) -> list[CacheSum]:
        """See `Cache.stats`; the bytes are those that entries take here, without artifacts."""
        sums: dict[tuple[str, str], CacheSum] = {}
        for key, entry in self._entries.items():
            if tenant in (None, entry.tenant):
                whose = (entry.tenant, entry.task)
                _, _, count, size, hits = sums.get(whose, CacheSum(*whose, 0, 0, 0))
                sums[whose] = CacheSum(*whose, count + 1, size + _cost(entry), hits + self._hits.get(key, 0))
        return [sums[whose] for whose in sorted(sums)]


def _cost(entry: Entry) -> int:
    """Return what an entry takes in memory: its bytes, and some for the objects around them."""
    return entry.weight + 500 + 400 * len(entry.outputs)


class LevelStats(NamedTuple):
    """One level of the cache: its name, and the sums of each tenant and task."""

    name: str
    sums: tuple[CacheSum, ...]


class Lookups(NamedTuple):
    """What this process has asked of the cache: requests answered, requests not, and failures of levels."""

    hits: int = 0
    misses: int = 0
    failures: int = 0


class Levels:
    """Several caches as one: looked up from the nearest to the farthest, and filled on the way back.

    Look-ups and counts never raise: a level that raises or takes too long is passed over for a while, with one
    line in the log. What operators ask (`purge`, `stats`) does raise.

    Args:
        levels: The nearest first; the last is where entries are born.
        now: The store's clock.
        patience: Seconds that a level may take.
        pause: Seconds for which a level that failed is not asked.
    """

    def __init__(
        self,
        levels: Sequence[Cache],
        now: Callable[[], Instant],
        *,
        patience: float = PATIENCE,
        pause: float = PAUSE,
    ) -> None:
        self._levels, self._now = tuple(levels), now
        self._patience, self._pause = patience, pause
        self._resting: dict[int, float] = {}
        self._uses: dict[bytes, Use] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.lookups = Lookups()

    async def look(self, keys: Sequence[bytes]) -> list[Entry | None]:
        """Return the entries of these keys, in order; None where no level has one, or none could say."""
        found: dict[bytes, Entry] = {}
        for place, level in enumerate(self._levels):
            missing = [key for key in dict.fromkeys(keys) if key not in found]
            if not missing:
                break
            answers = await self._asked(place, level.get, missing)
            fresh = [entry for entry in answers or () if entry is not None]
            found.update((entry.key, entry) for entry in fresh)
            if fresh:
                await self._filled(fresh, place)
        return [found.get(key) for key in keys]

    async def _filled(self, entries: Sequence[Entry], below: int) -> None:
        """Keep entries in the levels nearer than one."""
        for place, level in enumerate(self._levels[:below]):
            await self._asked(place, level.put, entries)

    async def fill(self, key: bytes) -> None:
        """Bring an entry that has just been born in the last level into the nearer ones."""
        last = len(self._levels) - 1
        answers = await self._asked(last, self._levels[last].get, [key])
        fresh = [entry for entry in answers or () if entry is not None]
        if fresh:
            await self._filled(fresh, last)

    async def _asked(self, place: int, call: Callable[[Sequence[T]], Awaitable[R]], items: Sequence[T]) -> R | None:
        """Ask a level; None where it failed lately or fails now."""
        if self._resting.get(place, 0.0) > time.monotonic():
            return None
        try:
            async with asyncio.timeout(self._patience):
                return await call(items)
        except Exception as error:  # noqa: BLE001 - whatever a cache raises is a miss
            self._resting[place] = time.monotonic() + self._pause
            self.lookups = self.lookups._replace(failures=self.lookups.failures + 1)
            what = "too slow" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
            log.warning(
                "the cache level %r failed (%s); it is passed over for %g s",
                self._levels[place].name,
                what,
                self._pause,
            )
            return None

    def told(self, key: bytes, *, hit: bool) -> None:
        """Count what became of a request; hits are counted in the levels a little later, many at once."""
        hits, misses, failures = self.lookups
        self.lookups = Lookups(hits + hit, misses + (not hit), failures)
        if not hit:
            return
        before = self._uses.get(key)
        self._uses[key] = Use(key, 1 if before is None else before.hits + 1, self._now())
        if len(self._uses) >= MANY:
            self._count()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER, self._count)

    def _count(self) -> None:
        task = asyncio.get_running_loop().create_task(self.flush(), name="stanchion-cache-hits")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def flush(self) -> None:
        """Count the gathered hits in all levels."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        uses, self._uses = [*self._uses.values()], {}
        if uses:
            for place, level in enumerate(self._levels):
                await self._asked(place, level.touch, uses)

    def spawn_fill(self, key: bytes) -> None:
        """Do `fill` beside what the caller does."""
        task = asyncio.get_running_loop().create_task(self.fill(key), name="stanchion-cache-fill")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def purge(self, wanted: Selection) -> int:
        """Drop the entries that are meant from all levels; return how many the last one held."""
        count = 0
        for level in reversed(self._levels):  # the last first, so that no look-up brings one back
            done = await level.purge(wanted)
            count = done if level is self._levels[-1] else count
        return count

    async def stats(self, tenant: str | None = None) -> list[LevelStats]:
        """Return the sums of each level, the nearest first."""
        await self.flush()
        return [LevelStats(level.name, tuple(await level.stats(tenant))) for level in self._levels]

    async def close(self) -> None:
        """Count what was gathered, and wait for what is on its way."""
        await self.flush()
        while self._tasks:
            await asyncio.wait(self._tasks)
