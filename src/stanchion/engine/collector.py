"""The garbage collector, out of the way while thousands of small values are made that all stay alive.

Each collection would walk through all of them and find nothing; for a bulk of 10,000 jobs that doubles the time.
"""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

MANY: Final = 500
"""Below so many values a pause is not worth it."""


class _Pauses:
    """How many pauses overlap, and whether collections were on before the first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._was_enabled = False

    def begin(self) -> None:
        with self._lock:
            if not self._count:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._count += 1

    def end(self) -> None:
        with self._lock:
            self._count -= 1
            if not self._count and self._was_enabled:
                gc.enable()


_pauses: Final = _Pauses()


@contextmanager
def paused(count: int) -> Generator[None]:
    """Pause collections while `count` values are made; overlapping pauses end with the last one."""
    if count < MANY:
        yield
        return
    _pauses.begin()
    try:
        yield
    finally:
        _pauses.end()


def settle_in() -> None:
    """Exempt what a worker process has loaded from collections, and collect less often than the default."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
