"""Retry policy: how often, and how long to wait before each attempt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from stanchion.domain.kinds import Kind, Verdict, verdict
from stanchion.domain.units import Millis, millis

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stanchion.domain.kinds import ErrorInfo

Jitter = Literal["full", "tenth", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential waiting: `base * factor**(n - 1)` seconds before retry n, at most `cap`.

    Jitter `full` draws from 0 to that; `tenth` stays within ±10 % of it; `none` waits exactly that.

    Source:
        Brooker, Exponential Backoff And Jitter, AWS Architecture Blog 2015.
    """

    base: float = 1.0
    factor: float = 2.0
    cap: float = 300.0
    jitter: Jitter = "full"

    def __post_init__(self) -> None:
        if not (self.base >= 0 and self.factor >= 1 and self.cap >= 0):
            message = "a backoff needs base >= 0, factor >= 1 and cap >= 0 (seconds)"
            raise ValueError(message)

    def delay(self, retry: int, *, chance: float) -> Millis:
        """Return the wait before retry number `retry` (counted from 1), in ms.

        Args:
            retry: 1 for the first retry.
            chance: A random number from 0 up to, not including, 1.
        """
        exponent = min(max(retry, 1) - 1, 64)
        full = min(self.base * self.factor**exponent, self.cap)
        match self.jitter:
            case "full":
                full *= chance
            case "tenth":
                full *= 0.9 + 0.2 * chance
            case "none":
                pass
        return round(full * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How a task is retried.

    Args:
        max_attempts: Attempts that count, the first one included.
        backoff: The wait between them.
        per_kind: Another backoff for some error kinds.
        give_up_on: Kinds that fail at once.
        retry_on: Kinds that are retried although they would fail.
        crash_budget: Attempts whose worker fell silent before the job is quarantined.
    """

    max_attempts: int = 3
    backoff: Backoff = field(default_factory=Backoff)
    per_kind: Mapping[Kind, Backoff] = field(default_factory=dict[Kind, Backoff])
    give_up_on: frozenset[Kind] = frozenset()
    retry_on: frozenset[Kind] = frozenset()
    crash_budget: int = 3

    def __post_init__(self) -> None:
        if self.max_attempts < 1 or self.crash_budget < 1:
            message = "max_attempts and crash_budget are at least 1"
            raise ValueError(message)

    def verdict(self, error: ErrorInfo) -> Verdict:
        """Return what to do about an error: the policy's word, then the error's, then its kind's."""
        if error.retryable is None:
            if error.kind in self.give_up_on:
                return Verdict.FAIL
            if error.kind in self.retry_on:
                return Verdict.RETRY
        return verdict(error)

    def delay(self, error: ErrorInfo, retry: int, *, chance: float) -> Millis:
        """Return the wait before retry number `retry`, in ms; never less than the error's `retry_after`."""
        backoff = self.per_kind.get(error.kind, self.backoff)
        return max(backoff.delay(retry, chance=chance), error.retry_after or 0)


def seconds(value: float | str) -> float:
    """Return a duration given as `millis` takes it, in seconds."""
    return millis(value) / 1000
