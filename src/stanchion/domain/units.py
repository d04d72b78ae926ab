"""The small words of the domain: ids, names and time."""

from __future__ import annotations

from typing import Final, TypeAlias, TypeGuard

JobId: TypeAlias = str
"""A UUIDv7 in its canonical text form (36 characters)."""

Instant: TypeAlias = int
"""Milliseconds since the Unix epoch, by the store's clock."""

Millis: TypeAlias = int
"""A duration in milliseconds."""

Turn: TypeAlias = int
"""Virtual time: how much a tenant has been served, by its weight; see `domain.fairness`."""

SECOND: Final[Millis] = 1_000
MINUTE: Final[Millis] = 60 * SECOND
HOUR: Final[Millis] = 60 * MINUTE
DAY: Final[Millis] = 24 * HOUR
MAX_SPAN: Final[Millis] = 36_525 * DAY
"""No duration is longer than a hundred years: what is added to an instant stays an instant."""

DEFAULT_TENANT: Final = "default"
DEFAULT_QUEUE: Final = "default"

_UNITS: Final = {"ms": 1, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}


def millis(value: float | str) -> Millis:
    """Return a duration in ms from seconds (a number) or a text such as `"30d"`, `"1.5h"`, `"250ms"`.

    Raises:
        ValueError: The text has no known unit, or the duration is negative or longer than a hundred years.
    """
    if isinstance(value, str):
        text = value.strip().lower()
        number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
        unit = _UNITS.get(text[len(number) :] or "s")
        if unit is None or not number:
            message = f"{value!r} is not a duration; write a number of seconds or a text such as '250ms' or '30d'"
            raise ValueError(message)
        result = float(number) * unit
    else:
        result = value * SECOND
    if not 0 <= result <= MAX_SPAN:
        message = f"a duration must be 0 to {MAX_SPAN // DAY:,} days, not {value!r:.80}"
        raise ValueError(message)
    return round(result)


def whole(value: object, least: int, most: int) -> TypeGuard[int]:
    """Return whether a value is a whole number from `least` to `most`, and no truth value."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
