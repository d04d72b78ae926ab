"""The cache protocol: completed results by content key. Each level of the cache is one of these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.cache import CacheSum, Entry, Selection, Use


class Cache(Protocol):
    """One level of the result cache: memory, the store, or a service. Each call takes a batch and answers in order.

    A level may forget what it likes, and may raise: to those who look something up that is a miss.
    """

    name: str

    async def get(self, keys: Sequence[bytes], /) -> list[Entry | None]:
        """Return the entries of these keys that still answer, in order; None where there is none."""
        ...

    async def put(self, entries: Sequence[Entry], /) -> None:
        """Keep entries; each replaces the one of its key."""
        ...

    async def touch(self, uses: Sequence[Use], /) -> None:
        """Count hits and note the last access; keys that are not there are passed over."""
        ...

    async def purge(self, wanted: Selection, /) -> int:
        """Drop the entries that are meant; return how many."""
        ...

    async def stats(self, tenant: str | None = None, /) -> list[CacheSum]:
        """Return the sums of each tenant and task (of one tenant where named), in that order."""
        ...
