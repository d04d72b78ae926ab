"""The store's clock: one for all processes of a host, that no wall-clock step can move."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from stanchion.domain.units import Instant, Millis

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_SINCE_BOOT: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def since_boot() -> Millis:
    """Return the time since the host started, in ms; the same in all its processes."""
    return time.clock_gettime_ns(_SINCE_BOOT) // 1_000_000


def wall() -> Instant:
    """Return the wall clock, in ms since the epoch."""
    return time.time_ns() // 1_000_000


def boot_id() -> str:
    """Return a text that differs from boot to boot; where the system has none, the boot's minute."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return f"boot-{(wall() - since_boot()) // 60_000}"


class BootClock:
    """Milliseconds since the epoch: the wall clock as it was at the store's first use since boot, carried on.

    The offset is kept in the store, so that every process of the host agrees and a step of the wall clock
    (I13) changes nothing until the next boot.
    """

    def __init__(self) -> None:
        self.offset: Millis = wall() - since_boot()

    def __call__(self) -> Instant:
        """Return the instant now."""
        return time.clock_gettime_ns(_SINCE_BOOT) // 1_000_000 + self.offset
