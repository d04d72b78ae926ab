"""Which attempts a worker process has begun, where others can read it when the process is dead.

A lease that was taken ahead and not begun, or that runs in a cell, did not end its worker: it must not pay for it.
The board is a small file that the worker maps into memory, so that a note costs no system call and outlives a kill.
Where there is none (another host, a reboot) every lease counts as begun.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import stat
import struct
import tempfile
import time
from pathlib import Path
from typing import Final

_ENTRY: Final = struct.Struct("<qq")
_AHEAD: Final = 2_000
"""Attempts that have ended and are not settled yet stay on the board, too."""
_KEPT: Final = 86_400.0


def _folder() -> Path:
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    folder = base / f"stanchion-{os.getuid()}-workers"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        message = f"{folder} is not a private folder of this user"
        raise OSError(message)
    return folder


class Board:
    """What one worker has begun; where its file is not to be had, nothing is noted.

    Args:
        incarnation: The worker's name.
        slots: How many attempts it runs at once.
    """

    def __init__(self, incarnation: str, slots: int) -> None:
        self._places: dict[tuple[int, int], int] = {}
        self._map: mmap.mmap | None = None
        self._path: Path | None = None
        size = (slots + _AHEAD) * _ENTRY.size
        self._free = list(range(0, size, _ENTRY.size))
        with contextlib.suppress(OSError):
            _remove_old()
            self._path = _folder() / incarnation
            with self._path.open("xb+") as file:
                file.truncate(size)
                self._map = mmap.mmap(file.fileno(), size)

    def begin(self, ref: int, attempt: int) -> None:
        """Note that an attempt begins in this process."""
        if self._map is not None and self._free:
            place = self._places[ref, attempt] = self._free.pop()
            _ENTRY.pack_into(self._map, place, ref, attempt)

    def end(self, ref: int, attempt: int) -> None:
        """Forget an attempt: its end is stored."""
        place = self._places.pop((ref, attempt), None)
        if place is not None and self._map is not None:
            _ENTRY.pack_into(self._map, place, 0, 0)
            self._free.append(place)

    def close(self) -> None:
        """Remove the file; idempotent."""
        if self._map is not None and self._path is not None:
            self._map.close()
            self._map = None
            self._path.unlink(missing_ok=True)


def begun(incarnation: str) -> set[tuple[int, int]] | None:
    """Return the attempts (ref, number) that a worker had begun; None where nobody knows."""
    try:
        data = (_folder() / incarnation).read_bytes()
    except (OSError, ValueError):
        return None
    return {entry for entry in _ENTRY.iter_unpack(data[: len(data) // _ENTRY.size * _ENTRY.size]) if entry[0]}


def forget(incarnation: str) -> None:
    """Remove the board of a worker that is dead and buried."""
    with contextlib.suppress(OSError, ValueError):
        (_folder() / incarnation).unlink(missing_ok=True)


def _remove_old() -> None:
    """Remove what hosts and supervisors that died long ago left behind."""
    for path in _folder().iterdir():
        with contextlib.suppress(OSError):  # its worker, or another that tidies up, was faster
            if time.time() - path.stat().st_mtime > _KEPT and not _lives(path.name):
                path.unlink(missing_ok=True)


def _lives(incarnation: str) -> bool:
    try:
        os.kill(int(incarnation.rsplit("-", 2)[1]), 0)
    except (ProcessLookupError, ValueError, IndexError):
        return False
    except PermissionError:
        return True
    return True
