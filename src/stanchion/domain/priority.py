"""Priorities: 0 is the most urgent, 9 the least."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Priority(IntEnum):
    """The named priorities; any whole number from 0 to 9 may be used."""

    CRITICAL = 0
    HIGH = 2
    NORMAL = 5
    LOW = 8


MOST_URGENT: Final = 0
LEAST_URGENT: Final = 9
_NAMES: Final = {p.name.lower(): int(p) for p in Priority}


def priority(value: int | str) -> int:
    """Return the number of a priority given by number, digit text or name.

    Raises:
        ValueError: It is neither 0 to 9 nor one of `critical`, `high`, `normal`, `low`.
    """
    number = _NAMES.get(value.strip().lower(), value) if isinstance(value, str) else value
    if isinstance(number, str) and number.strip().isdecimal():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or not MOST_URGENT <= number <= LEAST_URGENT:
        message = f"{value!r} is not a priority; use 0 (most urgent) to 9, or critical, high, normal, low"
        raise ValueError(message)
    return int(number)
