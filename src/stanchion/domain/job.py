"""A job: its states, the moves between them, and the values that carry it through the house."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.units import DEFAULT_QUEUE, DEFAULT_TENANT
from stanchion.errors import WrongStateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stanchion.domain.cache import Caching
    from stanchion.domain.dependency import Dependency
    from stanchion.domain.intake import Intake
    from stanchion.domain.kinds import ErrorInfo
    from stanchion.domain.limits import Weights
    from stanchion.domain.resources import Hold
    from stanchion.domain.units import Instant, JobId, Millis


class State(StrEnum):
    """Where a job stands."""

    BLOCKED = "blocked"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL: Final = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED})
WAITING: Final = frozenset({State.BLOCKED, State.SCHEDULED, State.QUEUED, State.RETRYING})


class Move(StrEnum):
    """What can happen to a job."""

    UNBLOCK = "unblock"
    HOLD = "hold"
    PROMOTE = "promote"
    CLAIM = "claim"
    COMPLETE = "complete"
    FAIL = "fail"
    BACK_OFF = "back_off"
    SNOOZE = "snooze"
    RELEASE = "release"
    LOSE = "lose"
    END_CANCELLED = "end_cancelled"
    CANCEL = "cancel"
    EXPIRE = "expire"
    RETRY = "retry"
    REJOIN = "rejoin"


MOVES: Final[Mapping[tuple[State, Move], State]] = {
    (State.BLOCKED, Move.UNBLOCK): State.QUEUED,
    (State.BLOCKED, Move.HOLD): State.SCHEDULED,
    (State.BLOCKED, Move.FAIL): State.FAILED,
    (State.SCHEDULED, Move.PROMOTE): State.QUEUED,
    (State.RETRYING, Move.PROMOTE): State.QUEUED,
    (State.QUEUED, Move.CLAIM): State.RUNNING,
    (State.RUNNING, Move.COMPLETE): State.COMPLETED,
    (State.RUNNING, Move.FAIL): State.FAILED,
    (State.RUNNING, Move.BACK_OFF): State.RETRYING,
    (State.RUNNING, Move.SNOOZE): State.SCHEDULED,
    (State.RUNNING, Move.RELEASE): State.QUEUED,
    (State.RUNNING, Move.LOSE): State.QUEUED,
    (State.RUNNING, Move.END_CANCELLED): State.CANCELLED,
    **{(state, Move.CANCEL): State.CANCELLED for state in WAITING},
    **{(state, Move.EXPIRE): State.FAILED for state in WAITING},
    (State.FAILED, Move.RETRY): State.QUEUED,
    (State.FAILED, Move.REJOIN): State.BLOCKED,
}
"""The whole state table. What is not in it cannot happen."""


def move(state: State, what: Move) -> State:
    """Return the state after a move.

    Raises:
        WrongStateError: The table has no such move.
    """
    try:
        return MOVES[state, what]
    except KeyError:
        raise WrongStateError(what.value, state.value) from None


class Idempotency(NamedTuple):
    """A caller's key for one request, and what the request was."""

    key: str
    fingerprint: bytes


class NewJob(NamedTuple):
    """A request, ready to be stored: everything is decided but the time."""

    id: JobId
    task: str
    args: bytes
    queue: str = DEFAULT_QUEUE
    tenant: str = DEFAULT_TENANT
    user: str | None = None
    priority: int = 5
    max_attempts: int = 3
    delay: Millis = 0
    run_at: Instant | None = None
    expires_in: Millis | None = None
    expires_at: Instant | None = None
    dedup_key: bytes | None = None
    dedup_window: Millis = 0
    idempotency: Idempotency | None = None
    tags: tuple[str, ...] = ()
    metadata: bytes | None = None
    timeout: Millis | None = None
    correlation_id: str | None = None
    crash_budget: int | None = None
    secret: tuple[str, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    workflow: str | None = None
    cache: Caching | None = None
    limits: Weights = ()
    size: float | None = None
    """The cost that its task tells of it, for estimates; None where it tells none."""
    resources: Weights = ()
    """What it holds while it runs, by name; see `domain.resources`."""
    model: str = ""
    """The model that must be loaded to run it; '' where none does."""
    batch: str = ""
    """Its batch key: jobs of one task with the same key may run together; '' runs alone."""
    intake: Intake | None = None
    """What it is asked before it is stored; None asks nothing."""


class Lease(NamedTuple):
    """The right to run one attempt, and all that the attempt needs.

    `ref` is the store's own handle of the job; `attempt` is the fence.
    """

    ref: int
    id: JobId
    attempt: int
    task: str
    args: bytes
    queue: str
    tenant: str
    user: str | None
    priority: int
    spent: int
    crashes: int
    max_attempts: int
    created_at: Instant
    started_at: Instant
    timeout: Millis | None
    tags: tuple[str, ...]
    metadata: bytes | None
    correlation_id: str | None
    cancel_requested: bool = False
    crash_budget: int | None = None
    devices: tuple[Hold, ...] = ()
    """What it holds of resources, with the devices that it was given."""
    model: str = ""
    batch: int | None = None
    """The number, within its claim, of the group that runs together; None: it runs alone."""
    batch_key: str = ""
    """The batch key of that group."""
    holder: tuple[int, int] | None = None
    """The attempt (ref and number) that holds the devices for its whole group; None: this one."""


class Progress(NamedTuple):
    """How far an attempt is; `length` 0 means unknown."""

    index: float  # pyright: ignore[reportIncompatibleMethodOverride] - shadows tuple.index, which nobody calls
    length: float
    unit: str | None
    message: str | None
    stage: str | None
    at: Instant


class Preview(NamedTuple):
    """The latest look at unfinished work; not kept after the end."""

    data: bytes
    content_type: str
    width: int | None
    height: int | None
    step: int | None
    revision: int


class Output(NamedTuple):
    """One item that an attempt produced, in order; `artifact` is its content hash when kept outside."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride] - shadows tuple.index, which nobody calls
    attempt: int
    kind: str
    data: bytes | None
    name: str | None
    content_type: str | None
    size: int
    artifact: str | None
    width: int | None
    height: int | None
    cursor: int


class LogLine(NamedTuple):
    """One line that a handler wrote."""

    cursor: int
    attempt: int
    level: str
    message: str
    at: Instant


class Cost(NamedTuple):
    """What an attempt cost; the amount is a decimal text."""

    attempt: int
    amount: str
    unit: str


class Attempt(NamedTuple):
    """One run of a job, as history keeps it."""

    number: int
    worker: str | None
    started_at: Instant | None
    ended_at: Instant | None
    outcome: str | None
    error: ErrorInfo | None


class Event(NamedTuple):
    """One transition of one job: its version, when, and to which state."""

    cursor: int
    id: JobId
    version: int
    state: State
    attempt: int
    at: Instant
    error: ErrorInfo | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it stands."""

    ref: int
    id: JobId
    task: str
    queue: str
    tenant: str
    user: str | None
    priority: int
    state: State
    version: int
    attempt: int
    spent: int
    crashes: int
    max_attempts: int
    created_at: Instant
    due_at: Instant | None = None
    started_at: Instant | None = None
    ended_at: Instant | None = None
    expires_at: Instant | None = None
    cancel_requested_at: Instant | None = None
    tags: tuple[str, ...] = ()
    metadata: bytes | None = None
    args: bytes = b"{}"
    result: bytes | None = None
    error: ErrorInfo | None = None
    timeout: Millis | None = None
    correlation_id: str | None = None
    crash_budget: int | None = None
    secret: tuple[str, ...] = ()
    cached: bool = False
    worker: str | None = None
    progress: Progress | None = None
    preview_revision: int | None = None
    artifacts: tuple[Output, ...] = field(default=())
    model: str = ""

    @property
    def final(self) -> bool:
        """Whether nothing more can happen to it (but a manual retry)."""
        return self.state in FINAL
