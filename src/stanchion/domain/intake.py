"""What a request is asked before it is stored: how full, how far back, who else of its key, and how often refused.

Of one *conflict key* of a tenant one job runs at a time; the policy says what becomes of a new job while another has
not ended. Refusals are counted by the generic cell rate algorithm, as starts are (see `domain.limits`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from stanchion.domain.units import MINUTE, SECOND, whole
from stanchion.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.units import Instant, Millis

WARN_AT: Final = 400
REFUSE_AT: Final = 500
"""Where overflow is switched on without numbers."""
RELIEF: Final = 0.8
"""A warning is over once no more than this part of its level is left."""
MAX_KEY: Final = 200
MAX_AHEAD: Final = 1_000_000_000
MAX_PAUSE: Final[Millis] = 5 * MINUTE
_MAX_LEVEL: Final = 16


class OnConflict(StrEnum):
    """What becomes of a new job while another job of its tenant and conflict key has not ended.

    `queue`: it waits behind them, one at a time. `cancel_newest`: it is refused. `cancel_running`: those that have
    begun are cancelled, and it waits behind what is left. `replace`: all of them are cancelled.
    """

    QUEUE = "queue"
    CANCEL_NEWEST = "cancel_newest"
    CANCEL_RUNNING = "cancel_running"
    REPLACE = "replace"


class Conflict(NamedTuple):
    """A job's conflict key, within its tenant, and what becomes of it while another of the key has not ended."""

    policy: OnConflict
    key: str


class Overflow(NamedTuple):
    """How many jobs may wait and run together: from `warn_at` on their number is warned of, above `refuse_at` refused.

    None leaves one of them out.
    """

    warn_at: int | None = WARN_AT
    refuse_at: int | None = REFUSE_AT


class Guard(NamedTuple):
    """Who asks, and how often they may be refused before they are slowed down.

    Attributes:
        key: Who, within the job's tenant.
        after: So many refusals,
        window: in so many ms, slow them down.
    """

    key: str
    after: int = 20
    window: Millis = MINUTE


class Strikes(NamedTuple):
    """The refusals of a guarded key.

    Attributes:
        paid: When all refusals so far are forgotten.
        level: How often it was slowed down in a row.
        until: Nothing of it is looked at before this instant.
    """

    paid: Instant = 0
    level: int = 0
    until: Instant = 0


class Intake(NamedTuple):
    """What a request is asked before it is stored; None asks nothing."""

    conflict: Conflict | None = None
    max_ahead: int | None = None
    """It is refused where more jobs than this would start before it."""
    overflow: Overflow | None = None
    """The bound of its tenant, where no limit says otherwise."""
    guard: Guard | None = None


class Warned(NamedTuple):
    """A key of which so many jobs wait and run that it is warned of; `crossed` in the answer that saw it first."""

    key: str
    jobs: int
    warn_at: int
    refuse_at: int | None
    crossed: bool


class Overflowing(NamedTuple):
    """A key as operators see it: how many of its jobs wait and run, its levels, and since when it is warned of."""

    key: str
    jobs: int
    warn_at: int | None
    refuse_at: int | None
    since: Instant | None


class Slowed(NamedTuple):
    """A guarded key that is slowed down: its tenant, until when, and how often in a row."""

    tenant: str
    key: str
    until: Instant
    level: int


class Pressure(NamedTuple):
    """The keys that have a bound on their jobs, and those who are slowed down; both by key."""

    keys: tuple[Overflowing, ...] = ()
    slowed: tuple[Slowed, ...] = ()


FRESH: Final = Strikes()
NOTHING: Final = Intake()


def conflict(policy: OnConflict | str, key: str) -> Conflict:
    """Return a conflict key with its policy.

    Raises:
        UsageError: The policy is none, or the key cannot be used.
    """
    try:
        known = OnConflict(policy)
    except ValueError:
        message = f"{policy!r} is not a conflict policy."
        raise UsageError(message, remedy=f"Use one of {', '.join(OnConflict)}.") from None
    if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY or not key.isprintable():  # pyright: ignore[reportUnnecessaryIsInstance] - what untyped callers give
        message = f"{key!r:.300} cannot be a conflict key."
        raise UsageError(message, remedy=f"Use 1 to {MAX_KEY} printable characters.")
    return Conflict(known, key)


def furthest(ahead: int) -> int:
    """Return how many jobs may stand before a new one.

    Raises:
        UsageError: It is no such number.
    """
    if not whole(ahead, 0, MAX_AHEAD):
        message = f"max_ahead={ahead!r} cannot be used."
        raise UsageError(message, remedy="Give the number of jobs that may start before this one; 0 is none.")
    return ahead


def of_values(values: Sequence[Any]) -> Intake:
    """Return an intake that was kept as plain lists."""
    wanted, ahead, bound, guard = values
    return Intake(
        None if wanted is None else Conflict(OnConflict(wanted[0]), wanted[1]),
        ahead,
        None if bound is None else Overflow(*bound),
        None if guard is None else Guard(*guard),
    )


def relieved(jobs: int, warn_at: int | None) -> bool:
    """Return whether a key that was warned of is no more."""
    return warn_at is None or jobs <= warn_at * RELIEF


def slowed(strikes: Strikes, now: Instant) -> Millis | None:
    """Return for how long nothing of a key is looked at; None where it is."""
    return strikes.until - now if strikes.until > now else None


def struck(guard: Guard, strikes: Strikes, now: Instant) -> Strikes:
    """Return the refusals with one more.

    After `after` of them within the window the key is slowed down, for 2 s at first. Who is refused again after that
    is slowed down at once, for twice as long each time; a window without a refusal ends that.
    """
    if strikes.level and now >= strikes.until + guard.window:
        strikes = FRESH
    step = max(guard.window // guard.after, 1)
    paid = max(strikes.paid, now) + step
    if strikes.level or paid - now > (guard.after - 1) * step:
        level = min(strikes.level + 1, _MAX_LEVEL)
        return Strikes(now, level, now + min(SECOND << level, MAX_PAUSE))
    return Strikes(paid, 0, 0)


def over(strikes: Strikes, window: Millis, now: Instant) -> bool:
    """Return whether nothing is left to remember of refusals."""
    return strikes.paid <= now and strikes.until + window <= now


def expected(waiting: int, ended: int, window: Millis) -> Millis | None:
    """Return how long it takes until so many jobs have ended, as they did lately; None where none has.

    Args:
        waiting: The jobs.
        ended: How many jobs ended.
        window: In so many ms.
    """
    return None if ended <= 0 else waiting * window // ended


def worked(waiting: int, took: float | None, slots: int) -> Millis | None:
    """Return how long it takes to run so many jobs; None where that cannot be said.

    Args:
        waiting: The jobs.
        took: What one takes, in ms, as was learned.
        slots: How many run at once.
    """
    return None if took is None or slots <= 0 else round(waiting * took / slots)
