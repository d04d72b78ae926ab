"""Whether a file is another than at the last look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from stanchion.domain.units import Instant, Millis

EVERY: Final[Millis] = 1_000
"""Time between two looks at a file at least."""

_Signature: TypeAlias = "tuple[int, ...] | None"


class Looked:
    """A file that was read, and is looked at from time to time: make it before the file is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = _signature(path)
        self._at: Instant | None = None

    def changed(self, now: Instant) -> bool:
        """Return whether the file was written, replaced, removed or made since the last look; at most once a second."""
        if self._at is not None and abs(now - self._at) < EVERY:
            return False
        self._at = now
        signature = _signature(self._path)
        if signature == self._seen:
            return False
        self._seen = signature
        return True


def _signature(path: Path) -> _Signature:
    try:
        facts = path.stat()
    except OSError:  # whoever reads it says what is wrong
        return None
    return (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
