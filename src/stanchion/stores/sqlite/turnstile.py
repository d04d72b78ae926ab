"""A queue for writers: one file lock, taken before every write transaction.

SQLite's own busy handler sleeps and retries, so that under contention one process can wait for seconds while
others pass it. `flock` parks the waiter in the kernel and wakes it when the lock is free; it is released by the
kernel when its process dies.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Turnstile:
    """An exclusive lock between processes; one instance belongs to one process and one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def try_enter(self) -> bool:
        """Take the lock if it is free; never waits."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def enter(self) -> None:
        """Take the lock, waiting in the kernel."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def leave(self) -> None:
        """Give the lock back."""
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file; gives the lock back if it is held."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
