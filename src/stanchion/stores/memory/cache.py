"""The result cache in its plainest form: a dict of entries, written by the settle that completes a job."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from stanchion.domain.cache import CacheSum, Caching, Entry, Selection, Use
from stanchion.store import OutputItem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stanchion.domain.job import Job, NewJob
    from stanchion.domain.units import Instant
    from stanchion.stores.memory.tables import Tables


@dataclass(slots=True)
class Kept:
    """An entry, and how it was used; `number` grows with each entry that is kept."""

    entry: Entry
    number: int
    used_at: Instant
    hits: int = 0


class CacheTable:
    """All entries by key, and under which key the results of jobs are to be kept."""

    def __init__(self) -> None:
        self.entries: dict[bytes, Kept] = {}
        self.keeping: dict[int, Caching] = {}
        self.last = 0

    def put(self, entry: Entry, now: Instant) -> None:
        """Keep an entry in place of the one of its key."""
        self.last += 1
        self.entries[entry.key] = Kept(entry, self.last, now)

    def artifacts(self) -> set[str]:
        """Return the artifacts that entries refer to."""
        return {item.artifact for kept in self.entries.values() for item in kept.entry.outputs if item.artifact}


def answer(tables: Tables, new: NewJob, now: Instant) -> Entry | None:
    """Return the entry that answers a request; what the request brought along changes nothing."""
    return None if new.cache is None else living(tables, new.cache.key, now)


def living(tables: Tables, key: bytes, now: Instant) -> Entry | None:
    """Return the entry of a key that still answers."""
    kept = tables.cache.entries.get(key)
    return kept.entry if kept is not None and kept.entry.until > now else None


def born(tables: Tables, job: Job, entry: Entry) -> Job:
    """Give a job that was stored as completed the outputs of an entry; return it with them."""
    own = tables.outputs.setdefault(job.ref, [])
    for output in entry.outputs:
        tables.last_output += 1
        copy = output._replace(cursor=tables.last_output)
        own.append(copy)
        tables.produced.append(OutputItem(job.id, copy))
    return tables.put(replace(job, artifacts=tuple(item for item in own if item.artifact is not None)))


def keep(tables: Tables, job: Job, now: Instant) -> None:
    """Write the entry of a job that has just completed, where it asked for that."""
    asked = tables.cache.keeping.get(job.ref)
    if asked is None:
        return
    outputs = tuple(
        item._replace(attempt=0, cursor=0) for item in tables.outputs.get(job.ref, ()) if item.attempt == job.attempt
    )
    replaced(
        tables, Entry(asked.key, job.tenant, job.task, job.ref, job.result, outputs, now, now + asked.ttl), now
    )  # fmt: skip


def replaced(tables: Tables, entry: Entry, now: Instant) -> None:
    """Keep an entry; the one of its key goes."""
    drop(tables, [entry.key] if entry.key in tables.cache.entries else [])
    tables.cache.put(entry, now)


def drop(tables: Tables, keys: Sequence[bytes]) -> int:
    """Drop entries, remember whose artifacts may be orphans now, and return how many they were."""
    for key in keys:
        kept = tables.cache.entries.pop(key)
        tables.orphans |= {item.artifact for item in kept.entry.outputs if item.artifact}
    return len(keys)


def forget(tables: Tables, ref: int) -> None:
    """Drop what a job that is erased left in the cache."""
    drop(tables, [key for key, kept in tables.cache.entries.items() if kept.entry.ref == ref])


def upkeep(tables: Tables, most: int, limit: int, now: Instant) -> int:
    """Drop what answers no more; above `most` bytes also the entries that were not used for longest."""
    entries = tables.cache.entries
    by_end = sorted(entries.items(), key=lambda item: (item[1].entry.until, item[1].number))
    count = drop(tables, [key for key, kept in by_end if kept.entry.until <= now][:limit])
    excess = sum(kept.entry.size for kept in entries.values()) - most
    cold: list[bytes] = []
    for key, kept in sorted(entries.items(), key=lambda item: (item[1].used_at, item[1].number))[:limit]:
        if excess <= 0:
            break
        cold.append(key)
        excess -= kept.entry.size
    return count + drop(tables, cold)


class ModelCache:
    """The level of the cache that is the store itself."""

    name = "store"

    def __init__(self, tables: Tables, now: Callable[[], Instant]) -> None:
        self._tables, self._now = tables, now

    async def get(self, keys: Sequence[bytes]) -> list[Entry | None]:
        """See `Cache.get`."""
        return [living(self._tables, key, self._now()) for key in keys]

    async def put(self, entries: Sequence[Entry]) -> None:
        """See `Cache.put`."""
        for entry in entries:
            replaced(self._tables, entry, self._now())

    async def touch(self, uses: Sequence[Use]) -> None:
        """See `Cache.touch`."""
        for key, hits, at in uses:
            kept = self._tables.cache.entries.get(key)
            if kept is not None:
                kept.hits += hits
                kept.used_at = max(kept.used_at, at)

    async def purge(self, wanted: Selection) -> int:
        """See `Cache.purge`."""
        entries = self._tables.cache.entries
        return drop(self._tables, [key for key, kept in entries.items() if wanted.holds(kept.entry)])

    async def stats(self, tenant: str | None = None) -> list[CacheSum]:
        """See `Cache.stats`."""
        entries = [kept for kept in self._tables.cache.entries.values() if tenant in (None, kept.entry.tenant)]
        return sums(entries)


def sums(entries: Sequence[Kept]) -> list[CacheSum]:
    """Return the sums of each tenant and task."""

    def whose(kept: Kept) -> tuple[str, str]:
        return kept.entry.tenant, kept.entry.task

    found: list[CacheSum] = []
    for (tenant, task), group in groupby(sorted(entries, key=whose), key=whose):
        some = list(group)
        size, hits = sum(kept.entry.size for kept in some), sum(kept.hits for kept in some)
        found.append(CacheSum(tenant, task, len(some), size, hits))
    return found
