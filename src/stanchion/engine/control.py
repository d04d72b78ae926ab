"""What a handler may raise to say how its attempt shall end: `Retry`, `Snooze`, `Cancel`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from stanchion.domain.kinds import Kind
from stanchion.domain.retry import Backoff, RetryPolicy
from stanchion.domain.units import millis
from stanchion.errors import TaskError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Retry(TaskError):  # noqa: N818 - an instruction, not an error
    """A task's retry policy (`retry=Retry(max_attempts=5)`), and what a handler raises to be run again.

    Args:
        reason: For people, where it is raised.
        delay: Seconds to wait at least, where it is raised.
        max_attempts: Attempts that count, the first one included.
        backoff: The wait between attempts.
        per_kind: Another backoff for some error kinds.
        give_up_on: Error kinds that fail at once.
        retry_on: Error kinds that are retried although they would fail.
        crash_budget: Attempts that may end with their worker before the job is quarantined.
    """

    def __init__(  # noqa: PLR0913 - the fields of one policy
        self,
        reason: str = "asked to be retried",
        *,
        delay: float | None = None,
        max_attempts: int = 3,
        backoff: Backoff | None = None,
        per_kind: Mapping[str, Backoff] | None = None,
        give_up_on: Iterable[str] = (),
        retry_on: Iterable[str] = (),
        crash_budget: int = 3,
    ) -> None:
        super().__init__(reason, kind="internal", retryable=True, retry_after=delay)
        self.policy = RetryPolicy(
            max_attempts=max_attempts,
            backoff=backoff or Backoff(),
            per_kind={Kind(kind): other for kind, other in (per_kind or {}).items()},
            give_up_on=frozenset(map(Kind, give_up_on)),
            retry_on=frozenset(map(Kind, retry_on)),
            crash_budget=crash_budget,
        )


class Snooze(Exception):  # noqa: N818 - an instruction, not an error
    """Raised by a handler to run again later; spends no attempt.

    Args:
        delay: Seconds, a text such as `"5m"`, or a timedelta.
    """

    def __init__(self, delay: float | str | timedelta) -> None:
        self.delay = millis(delay.total_seconds() if isinstance(delay, timedelta) else delay)
        super().__init__(f"snooze for {self.delay} ms")


class Cancel(Exception):  # noqa: N818 - an instruction, not an error
    """Raised by a handler to end its job as `cancelled`."""

    def __init__(self, reason: str = "cancelled by its task") -> None:
        self.reason = reason
        super().__init__(reason)
