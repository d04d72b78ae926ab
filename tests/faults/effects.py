"""What handlers did: one line for each start and end, appended whole by the kernel."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Effect(NamedTuple):
    """A handler's start (S) or end (E); `at` is in ms since the host started."""

    kind: str
    id: str
    attempt: int
    pid: int
    parent: int
    at: int


def since_boot() -> int:
    """Return the time since the host started, in ms."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1_000_000


def append(path: str | Path, *words: object) -> None:
    """Append a line; lines of several processes never mix."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, (" ".join(map(str, words)) + "\n").encode())
    finally:
        os.close(descriptor)


def record(path: str | Path, kind: str, job_id: str, attempt: int) -> None:
    """Append an effect of this process."""
    append(path, kind, job_id, attempt, os.getpid(), os.getppid(), since_boot())


def read(path: Path) -> list[Effect]:
    """Return all effects in order."""
    lines = path.read_text().splitlines() if path.exists() else []
    fields = [line.split() for line in lines]
    return [Effect(kind, key, *map(int, numbers)) for kind, key, *numbers in fields]
