"""Limits: at most n running, at most n started per period, or nothing until an instant; each for a key.

A *key* names what is limited: `queue:NAME`, `tenant:NAME`, `user:TENANT/USER` and `task:NAME` follow from the job,
any other (`provider:NAME`, `key:NAME`) is given with it. `tenant:*`, `user:*` and `queue:*` are the limits of each
tenant, user and queue that has none of its own. Limits compose: a job starts only where all its keys have room for
its weight.

Starts per period are counted by the generic cell rate algorithm (ITU-T I.371): one number, the instant at which
all that was started is paid for, in µs so that no rate is rounded up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from stanchion.domain.units import DAY, SECOND, whole
from stanchion.errors import UsageError

if TYPE_CHECKING:
    from stanchion.domain.intake import Overflow
    from stanchion.domain.units import Instant, Millis, Turn

Weights: TypeAlias = tuple[tuple[str, int], ...]
"""Keys and how much a job takes of each, by key."""

OWN: Final = ("queue:", "tenant:", "user:", "task:")
"""What begins a key that follows from the job itself."""
BOUNDED: Final = ("queue:", "tenant:", "user:")
"""What begins a key of which jobs may be refused by their number."""
RESOURCE: Final = "resource:"
"""What begins the key of a resource: see `domain.resources`."""
DEFAULTS: Final = {"tenant:": "tenant:*", "user:": "user:*", "queue:": "queue:*"}
USER_RUNNING: Final = 5
"""How many jobs of a user run at once where a limit for each user is switched on without a number."""
MAX_WEIGHT: Final = 1_000
MAX_KEYS: Final = 16
MAX_KEY: Final = 200
MAX_COUNT: Final = 1_000_000
MAX_PARK: Final[Millis] = 400 * DAY
_MICROS: Final = 1_000


class Limit(NamedTuple):
    """What holds for a key: a policy.

    Attributes:
        key: What it limits.
        running: At most so much weight at once; None does not limit it.
        starts: At most so much weight started per `period`; None does not limit it.
        period: In ms.
        burst: How much may start at one instant, once that much time has gone unused.
        refuse: Of a queue, tenant or user at most so many jobs wait and run together; more are not stored.
        warn: From so many on, those who enqueue are warned.
    """

    key: str
    running: int | None = None
    starts: int | None = None
    period: Millis = SECOND
    burst: int = 1
    refuse: int | None = None
    warn: int | None = None


class Usage(NamedTuple):
    """What is used of a key: its state.

    Attributes:
        used: The weight that runs now.
        paid: When all that was started is paid for, in µs since the epoch.
        parked: Nothing of the key starts before this instant.
        turn: The turn of the last lane that was woken: where those that begin to wait for the key join.
    """

    used: int = 0
    paid: int = 0
    parked: Instant = 0
    turn: Turn = 0


class LimitState(NamedTuple):
    """A key as operators see it: its policy, what runs, how many jobs wait for it, until when it is parked."""

    key: str
    limit: Limit | None
    used: int = 0
    waiting: int = 0
    parked: Instant | None = None


FRESH: Final = Usage()
ENDLESS: Final = 1 << 40


def checked(limit: Limit) -> Limit:
    """Return a limit that can be kept.

    Raises:
        UsageError: A number or the key cannot be used, or it limits nothing.
    """
    if named(limit.key).startswith(RESOURCE):
        message = f"The resource {limit.key!r} has no limit: it has what its workers, or an operator, say there is."
        raise UsageError(message, remedy="Set it as a shared resource: `stanchion resources set NAME N`.")
    for name, value in (
        ("running", limit.running),
        ("starts", limit.starts),
        ("burst", limit.burst),
        ("refuse", limit.refuse),
        ("warn", limit.warn),
    ):
        if value is not None and not whole(value, 0 if name != "burst" else 1, MAX_COUNT):
            message = f"The limit {limit.key!r} cannot have {name}={value!r}."
            raise UsageError(message, remedy=f"Give a whole number up to {MAX_COUNT:,}.")
    if (limit.refuse, limit.warn) != (None, None) and not limit.key.startswith(BOUNDED):
        message = f"Jobs of {limit.key!r} cannot be refused by their number."
        raise UsageError(message, remedy="Give `refuse` for a queue, a tenant or a user.")
    if limit.running is None and limit.starts is None and limit.refuse is None and limit.warn is None:
        message = f"The limit {limit.key!r} limits nothing."
        raise UsageError(message, remedy="Give `running`, `starts` and `per`, or `refuse`; or drop the limit.")
    if limit.starts == 0:
        message = f"The limit {limit.key!r} lets nothing start, ever."
        raise UsageError(message, remedy="Use running=0 to hold all jobs, or park the key until a time.")
    if not 1 <= limit.period <= MAX_PARK:
        message = f"The limit {limit.key!r} cannot have a period of {limit.period} ms."
        raise UsageError(message, remedy="Give 1 ms up to 400 days.")
    return limit


def named(key: str) -> str:
    """Return a key that can be used.

    Raises:
        UsageError: It has no kind or no name, or is too long.
    """
    if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance] - what untyped callers give
        message = f"{key!r} is not the key of a limit."
        raise UsageError(message, remedy="Write it as `kind:name`, such as tenant:acme.")
    kind, _, name = key.partition(":")
    tenant, _, user = name.partition("/")
    whole = bool(kind and name) and (kind != "user" or name == "*" or bool(tenant and user))
    if not whole or len(key) > MAX_KEY or not key.isprintable():
        message = f"{key!r} is not the key of a limit."
        raise UsageError(message, remedy="Write it as `kind:name`, such as tenant:acme, user:acme/ada or provider:x.")
    return key


def pause(delay: Millis) -> Millis:
    """Return a time for which a key may be parked.

    Raises:
        UsageError: It is too long.
    """
    if not 0 <= delay <= MAX_PARK:
        message = f"A key cannot be parked for {delay / SECOND:,.0f} s."
        raise UsageError(message, remedy="Give up to 400 days; 0 ends a park.")
    return delay


def counted(given: Mapping[str, int] | Iterable[str]) -> dict[str, int]:
    """Return how much is asked for by name; 1 of each where only names are given.

    Raises:
        UsageError: It is neither: one text would be taken for the names of its letters.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] - what untyped callers give
        message = f"{given!r:.80} does not say what is asked for."
        raise UsageError(message, remedy="Give a mapping such as {'gpu': 1}, or a list of names such as ['gpu'].")
    return {**given} if isinstance(given, Mapping) else dict.fromkeys(given, 1)


def weights(given: Mapping[str, int] | Iterable[str]) -> Weights:
    """Return the keys that a task or a request names, in order, with their weights.

    Raises:
        UsageError: A key or weight cannot be used.
    """
    pairs = counted(given)
    if len(pairs) > MAX_KEYS:
        message = f"{len(pairs)} limits were named for one job; {MAX_KEYS} can be."
        raise UsageError(message)
    for key, weight in pairs.items():
        if named(key).startswith(RESOURCE):
            message = f"{key!r} is a resource, no limit."
            raise UsageError(message, remedy="Ask for it with `resources=`.")
        if key.startswith(OWN):
            message = f"The key {key!r} follows from the job itself."
            raise UsageError(message, remedy="Name a provider, or a key of your own such as key:printer.")
        if not whole(weight, 1, MAX_WEIGHT):
            message = f"The weight {weight!r} for {key!r} cannot be used."
            raise UsageError(message, remedy=f"Give a whole number from 1 to {MAX_WEIGHT:,}.")
    return tuple(sorted(pairs.items()))


def text_of(extra: Weights) -> str:
    """Return a job's own keys and weights as a lane keeps them; no text for none."""
    return json.dumps(extra, separators=(",", ":"), ensure_ascii=False) if extra else ""


def of_text(text: str) -> Weights:
    """Return the keys and weights of `text_of`."""
    return tuple((key, weight) for key, weight in json.loads(text)) if text else ()


def keys(queue: str, tenant: str, user: str, task: str, extra: Weights) -> Weights:
    """Return all keys that a job counts for, in the order in which they are looked at."""
    own = (f"queue:{queue}", f"tenant:{tenant}", f"user:{tenant}/{user}" if user else "", f"task:{task}")
    return (*((key, 1) for key in own if key), *extra)


def bounded_keys(queue: str, tenant: str, user: str | None) -> tuple[str, ...]:
    """Return the keys by which a job may be refused."""
    own = (f"queue:{queue}", f"tenant:{tenant}")
    return (*own, f"user:{tenant}/{user}") if user else own


def bounded(limits: Mapping[str, Limit], key: str, overflow: Overflow | None = None) -> Limit | None:
    """Return the limit that bounds the number of a key's jobs, if there is one.

    Args:
        limits: The policies.
        key: A queue, tenant or user.
        overflow: The bound of a tenant where no limit says otherwise.
    """
    limit = find(limits, key)
    if limit is not None and (limit.refuse, limit.warn) != (None, None):
        return limit
    if overflow is None or not key.startswith("tenant:"):
        return None
    return Limit(key, refuse=overflow.refuse_at, warn=overflow.warn_at)


def find(limits: Mapping[str, Limit], key: str) -> Limit | None:
    """Return the limit of a key, its own or the one of its kind."""
    own = limits.get(key)
    return own if own is not None else limits.get(DEFAULTS.get(key[: key.find(":") + 1], ""))


def interval(limit: Limit) -> int:
    """Return how far apart single starts are, in µs, rounded up."""
    return -(-limit.period * _MICROS // (limit.starts or 1))


def room(limit: Limit | None, usage: Usage, now: Instant) -> int:
    """Return how much weight may start now."""
    if usage.parked > now:
        return 0
    if limit is None:
        return ENDLESS
    free = ENDLESS if limit.running is None else limit.running - usage.used
    if limit.starts is not None:
        behind = max(usage.paid - now * _MICROS, 0)
        free = min(free, limit.burst - -(-behind // interval(limit)))
    return max(free, 0)


def fits(limit: Limit | None, weight: int) -> bool:
    """Return whether a job of this weight can ever start."""
    if limit is None:
        return True
    return (limit.running is None or weight <= limit.running) and (limit.starts is None or weight <= limit.burst)


def started(limit: Limit, usage: Usage, weight: int, now: Instant) -> Usage:
    """Return the state after a start of this weight."""
    paid = usage.paid
    if limit.starts is not None:
        paid = max(paid, now * _MICROS) + weight * interval(limit)
    return usage._replace(used=usage.used + weight, paid=paid)


def opens_at(limit: Limit | None, usage: Usage, weight: int, now: Instant) -> Instant | None:
    """Return when time alone makes room for this weight; None where it is there, or something must end first."""
    if room(limit, usage, now) >= weight or not fits(limit, weight):
        return None
    at = max(usage.parked, now)
    if limit is not None:
        if limit.running is not None and usage.used + weight > limit.running:
            return None
        if limit.starts is not None:
            enough = usage.paid - (limit.burst - weight) * interval(limit)
            at = max(at, -(-enough // _MICROS))
    return at


def hold(limit: Limit | None, usage: Usage, weight: int, now: Instant) -> tuple[str, Instant | None]:
    """Return why what waits for a key waits (`provider_parked`, `limit` or `rate`), and until when if that is known."""
    if usage.parked > now:
        return "provider_parked", usage.parked
    if limit is not None and limit.starts is not None:
        over = limit.running is not None and usage.used + weight > limit.running
        if not over and fits(limit, weight):
            return "rate", opens_at(limit, usage, weight, now) or now
    return "limit", None


def listed(
    policies: Mapping[str, Limit], states: Mapping[str, Usage], waiting: Mapping[str, int], now: Instant
) -> list[LimitState]:
    """Return the keys that have a limit, are in use, waited for or parked, by key."""
    found: list[LimitState] = []
    for key in sorted({*policies, *states, *waiting}):
        state = states.get(key, FRESH)
        used = 0 if find(policies, key) is None else state.used
        parked = state.parked if state.parked > now else None
        if key in policies or used or parked is not None or waiting.get(key):
            found.append(LimitState(key, policies.get(key), used, waiting.get(key, 0), parked))
    return found
