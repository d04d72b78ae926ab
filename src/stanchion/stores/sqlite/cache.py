"""The result cache in the file: entries are written by the settle that completes a job, in its transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stanchion.domain.cache import CacheSum, Entry, Selection, Use
from stanchion.domain.job import Output
from stanchion.stores.sqlite import cache_statements as sql
from stanchion.stores.sqlite.fetch import every, one, only
from stanchion.stores.sqlite.statements import ADD_GARBAGE, ADD_OUTPUT, SET_RESULT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from stanchion.domain.job import NewJob
    from stanchion.domain.units import Instant
    from stanchion.stores.sqlite.fetch import Connection, Row
    from stanchion.stores.sqlite.writer import Tx

CHUNK: Final = 100
"""A purge drops so many entries in a transaction."""


def answer(tx: Tx, new: NewJob) -> Entry | None:
    """Return the entry that answers a request, in the transaction that would store it.

    What the request brought from a nearer level counts only while the same entry stands here: a purge holds
    at once, everywhere, and its artifacts are still kept.
    """
    if new.cache is None:
        return None
    known = new.cache.entry
    if known is not None:
        row = one(tx.db, sql.HEAD, (new.cache.key, tx.now))
        if row is not None and row[0] == known.ref:
            return known
    return read(tx.db, new.cache.key, tx.now)


def born(tx: Tx, seq: int, entry: Entry) -> None:
    """Give a job that was stored as completed its end, its result and its outputs."""
    tx.db.execute(sql.BORN, (tx.now, seq))
    if entry.result is not None:
        tx.db.execute(SET_RESULT, (seq, entry.result, None))
    for output in entry.outputs:
        tx.output += 1
        tx.db.execute(ADD_OUTPUT, (tx.output, seq, 0, output.index, *output[2:10]))


def expect(tx: Tx, new: NewJob, seq: int) -> None:
    """Remember under which key a new job's result is to be kept."""
    if new.cache is not None:
        tx.db.execute(sql.ADD_KEEPING, (seq, new.cache.key, new.cache.ttl))


def keep(tx: Tx, results: Iterable[tuple[int, bytes | None]]) -> None:
    """Write the entries of jobs (by number) that have just completed; each replaces the one of its key."""
    for seq, result in results:
        _keep(tx, seq, result)


def _keep(tx: Tx, seq: int, result: bytes | None) -> None:
    key, ttl, tenant, task, attempt = only(tx.db, sql.KEPT_FROM, (seq,))
    size = len(result or b"") + int(only(tx.db, sql.SIZE_OF, (seq, attempt))[0])
    entry = _add(tx, (key, tenant, task, seq, size, tx.now, tx.now + ttl, tx.now, result))
    tx.db.execute(sql.COPY_OUTPUTS, (entry, seq, attempt))


def _add(tx: Tx, values: Row) -> int:
    key, tenant, task, _, size, *_ = values
    drop(tx, [row[0] for row in every(tx.db, sql.BY_KEY, (key,))])
    tx.db.execute(sql.SUM_MOVED, (tenant, task, 1, size, 0))
    entry: int = only(tx.db, sql.ADD_ENTRY, values)[0]
    return entry


def put(tx: Tx, entry: Entry) -> None:
    """Keep an entry that comes from elsewhere."""
    key, tenant, task, ref, result, outputs, at, until = entry
    number = _add(tx, (key, tenant, task, ref, entry.size, at, until, tx.now, result))
    for output in outputs:
        tx.db.execute(sql.ADD_ENTRY_OUTPUT, (number, output.index, *output[2:10]))


def read(db: Connection, key: bytes, now: Instant) -> Entry | None:
    """Return the entry of a key that still answers."""
    row = one(db, sql.ENTRY, (key, now))
    if row is None:
        return None
    number, found, tenant, task, ref, at, until, result = row
    outputs = tuple(Output(*output) for output in every(db, sql.ENTRY_OUTPUTS, (number,)))
    return Entry(bytes(found), tenant, task, ref, result, outputs, at, until)


def touch(tx: Tx, uses: Sequence[Use]) -> None:
    """See `Cache.touch`."""
    for key, hits, at in uses:
        row = one(tx.db, sql.TOUCH, (hits, at, key))
        if row is not None:
            tx.db.execute(sql.SUM_MOVED, (*row, 0, 0, hits))


def drop(tx: Tx, entries: Iterable[int]) -> int:
    """Drop entries by number, note the artifacts that they kept, and return how many they were."""
    count = 0
    for entry in entries:
        tenant, task, size, hits = only(tx.db, sql.DROP_ENTRY, (entry,))
        tx.db.execute(sql.SUM_MOVED, (tenant, task, -1, -size, -hits))
        artifacts = {row[0] for row in every(tx.db, sql.DROP_ENTRY_OUTPUTS, (entry,))} - {None}
        tx.db.executemany(ADD_GARBAGE, [(artifact,) for artifact in sorted(artifacts)])
        count += 1
    return count


def forget(tx: Tx, seq: int) -> None:
    """Drop what a job that is erased left in the cache."""
    drop(tx, [row[0] for row in every(tx.db, sql.MADE_BY, (seq,))])


def purge(tx: Tx, wanted: Selection) -> int:
    """Drop up to `CHUNK` of the entries that are meant."""
    rows = every(tx.db, sql.CHOSEN, (0, wanted.tenant, wanted.task, wanted.before, CHUNK))
    return drop(tx, [row[0] for row in rows])


def upkeep(tx: Tx, most: int, limit: int) -> int:
    """Drop what answers no more; above `most` bytes also the entries that were not used for longest."""
    count = drop(tx, [row[0] for row in every(tx.db, sql.STALE, (tx.now, limit))])
    excess = int(only(tx.db, sql.CACHE_BYTES)[0]) - most
    cold: list[int] = []
    for entry, size in every(tx.db, sql.COLDEST, (limit,)) if excess > 0 else ():
        if excess <= 0:
            break
        cold.append(entry)
        excess -= size
    return count + drop(tx, cold)


class SqliteCache:
    """The level of the cache that is the store itself."""

    name = "store"

    def __init__(
        self,
        read_: Callable[[Callable[[Connection], object]], Awaitable[object]],
        write: Callable[[Callable[[Tx], object]], Awaitable[object]],
        now: Callable[[], Instant],
    ) -> None:
        self._read, self._write, self._now = read_, write, now

    async def get(self, keys: Sequence[bytes]) -> list[Entry | None]:
        """See `Cache.get`."""
        found: list[Entry | None] = []
        await self._read(lambda db: found.extend(read(db, key, self._now()) for key in keys))
        return found

    async def put(self, entries: Sequence[Entry]) -> None:
        """See `Cache.put`."""
        await self._write(lambda tx: [put(tx, entry) for entry in entries])

    async def touch(self, uses: Sequence[Use]) -> None:
        """See `Cache.touch`."""
        await self._write(lambda tx: touch(tx, uses))

    async def purge(self, wanted: Selection) -> int:
        """See `Cache.purge`; goes in transactions of `CHUNK` entries."""
        count = 0
        while True:
            done = await self._write(lambda tx: purge(tx, wanted))
            assert isinstance(done, int)
            count += done
            if done < CHUNK:
                return count

    async def stats(self, tenant: str | None = None) -> list[CacheSum]:
        """See `Cache.stats`; costs the number of tenants and tasks, never of entries."""
        found: list[CacheSum] = []
        await self._read(lambda db: found.extend(CacheSum(*row) for row in every(db, sql.SUMS, (tenant,))))
        return found
