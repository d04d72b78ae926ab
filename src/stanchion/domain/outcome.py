"""How an attempt ended, and what follows from it: the one place that judges endings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, assert_never

from stanchion.domain.job import Move, State, move
from stanchion.domain.kinds import ErrorInfo, Kind, Verdict

if TYPE_CHECKING:
    from stanchion.domain.job import Lease
    from stanchion.domain.retry import RetryPolicy
    from stanchion.domain.units import JobId, Millis

PARK_FOR: Final[Millis] = 30_000
"""How long a parked job waits when the failing side named no time, in ms."""

MAX_PARKS: Final = 100
"""Unspent waits for a provider before the job counts them as attempts after all."""


class Completed(NamedTuple):
    """The handler returned; the result is encoded, None stands for JSON null."""

    result: bytes | None = None


class Failed(NamedTuple):
    """The handler raised."""

    error: ErrorInfo


class Snoozed(NamedTuple):
    """The handler asked to run later; spends no attempt."""

    delay: Millis


class Released(NamedTuple):
    """The worker gives the job back; spends no attempt."""

    reason: str = "released"


class Cancelled(NamedTuple):
    """The attempt ended because a cancel was asked, or the handler cancelled its own job."""

    reason: str = "cancelled"


class Lost(NamedTuple):
    """The worker fell silent or its process died."""

    reason: str = "its worker fell silent"


Outcome: TypeAlias = Completed | Failed | Snoozed | Released | Cancelled | Lost


class Settlement(NamedTuple):
    """What a store applies to a running attempt, under its fence.

    `state` follows if no cancel was asked; if one was, every settlement ends the job `cancelled`.
    """

    ref: int
    id: JobId
    attempt: int
    state: State
    outcome: str
    delay: Millis = 0
    spent: int = 0
    crashes: int = 0
    result: bytes | None = None
    error: ErrorInfo | None = None


def settle(lease: Lease, outcome: Outcome, policy: RetryPolicy, *, chance: float = 0.0) -> Settlement:
    """Return what follows from the end of an attempt.

    Args:
        lease: The attempt that ended.
        outcome: How it ended.
        policy: The task's retry policy; the job's own `max_attempts` and `crash_budget` win over the policy's.
        chance: A random number from 0 up to, not including, 1, for the jitter.
    """
    match outcome:
        case Completed(result):
            return _end(lease, Move.COMPLETE, "completed", spent=1, result=result)
        case Snoozed(delay):
            return _again(lease, Move.SNOOZE, "snoozed", delay=delay)
        case Released():
            return _again(lease, Move.RELEASE, "released")
        case Cancelled():
            return _end(lease, Move.END_CANCELLED, "cancelled", spent=1)
        case Lost(reason):
            return _lost(lease, reason, policy)
        case Failed(error):
            return _failed(lease, error, policy, chance)
        case _:
            assert_never(outcome)


def _failed(lease: Lease, error: ErrorInfo, policy: RetryPolicy, chance: float) -> Settlement:
    spent = lease.spent + 1
    word = policy.verdict(error)
    if word is Verdict.PARK and lease.attempt - lease.spent <= MAX_PARKS:
        delay = error.retry_after if error.retry_after is not None else PARK_FOR
        return _again(lease, Move.BACK_OFF, "parked", delay=max(delay, 1), error=error)
    if word is Verdict.FAIL or spent >= lease.max_attempts:
        return _end(lease, Move.FAIL, "failed", spent=1, error=error)
    delay = policy.delay(error, spent, chance=chance)
    return _again(lease, Move.BACK_OFF, "retry", delay=delay, spent=1, error=error)


def _lost(lease: Lease, reason: str, policy: RetryPolicy) -> Settlement:
    crashes = lease.crashes + 1
    budget = policy.crash_budget if lease.crash_budget is None else lease.crash_budget
    if crashes >= budget:
        error = ErrorInfo(
            Kind.WORKER_LOST,
            f"quarantined: {crashes} attempts ended with their worker ({reason})",
            retryable=False,
        )
        return _end(lease, Move.FAIL, "lost", crashes=1, error=error)
    error = ErrorInfo(Kind.WORKER_LOST, f"attempt {lease.attempt} was lost: {reason}")
    return _again(lease, Move.LOSE, "lost", crashes=1, error=error)


def _end(  # noqa: PLR0913 - the fields of one value
    lease: Lease,
    what: Move,
    outcome: str,
    *,
    spent: int = 0,
    crashes: int = 0,
    result: bytes | None = None,
    error: ErrorInfo | None = None,
) -> Settlement:
    state = move(State.RUNNING, what)
    return Settlement(lease.ref, lease.id, lease.attempt, state, outcome, 0, spent, crashes, result, error)


def _again(  # noqa: PLR0913 - the fields of one value
    lease: Lease,
    what: Move,
    outcome: str,
    *,
    delay: Millis = 0,
    spent: int = 0,
    crashes: int = 0,
    error: ErrorInfo | None = None,
) -> Settlement:
    state = move(State.RUNNING, what)
    return Settlement(lease.ref, lease.id, lease.attempt, state, outcome, delay, spent, crashes, None, error)


def effective(state: State, *, cancel_requested: bool) -> State:
    """Return the state that a settlement really leads to: an asked cancel wins over every other ending."""
    return State.CANCELLED if cancel_requested else state
