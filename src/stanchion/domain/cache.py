"""Completed results by content key: what an entry holds, and how entries are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.units import DAY

if TYPE_CHECKING:
    from stanchion.domain.job import Output
    from stanchion.domain.units import Instant, Millis

DEFAULT_TTL: Final[Millis] = 30 * DAY
"""How long a result answers where a task says no more than `cache=True`."""


class Entry(NamedTuple):
    """A completed result that answers requests of its key.

    Attributes:
        key: The content key.
        tenant: Whose job made it.
        task: The task of that job.
        ref: That job, as the store numbers it: a later result of the same key has another number.
        result: The encoded result; None stands for JSON null.
        outputs: What the job produced, in order; attempt and cursor are 0.
        at: When the job completed.
        until: From when on it answers no more.
    """

    key: bytes
    tenant: str
    task: str
    ref: int
    result: bytes | None
    outputs: tuple[Output, ...]
    at: Instant
    until: Instant

    @property
    def size(self) -> int:
        """How many bytes it keeps in use: its result, its chunks and its artifacts."""
        return len(self.result or b"") + sum(output.size for output in self.outputs)

    @property
    def weight(self) -> int:
        """How many bytes it takes where it is held: artifacts are elsewhere."""
        return len(self.result or b"") + sum(len(output.data or b"") for output in self.outputs)


class Caching(NamedTuple):
    """That a request may be answered from the cache, and its result kept there for `ttl` ms.

    `entry` is what the cache answered when it was asked; the store has the last word.
    """

    key: bytes
    ttl: Millis
    entry: Entry | None = None


class Use(NamedTuple):
    """That an entry answered so many requests, the last at an instant."""

    key: bytes
    hits: int
    at: Instant


class Selection(NamedTuple):
    """Which entries are meant: all that fit what is not None; `before` is compared with `Entry.at`."""

    tenant: str | None = None
    task: str | None = None
    before: Instant | None = None

    def holds(self, entry: Entry) -> bool:
        """Return whether an entry is meant."""
        return (
            self.tenant in (None, entry.tenant)
            and self.task in (None, entry.task)
            and (self.before is None or entry.at < self.before)
        )


class CacheSum(NamedTuple):
    """The entries of one tenant and task: how many, their size in bytes, and how often they answered."""

    tenant: str
    task: str
    entries: int
    bytes: int
    hits: int
