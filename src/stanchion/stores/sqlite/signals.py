"""Wake-ups between processes: one datagram per commit to each listener, through a private folder of sockets.

A signal is a hint. One that is lost, because a socket's buffer is full or its process is gone, costs a poll
interval and never a job. The folder is there while somebody uses it: who leaves it empty removes it, so that whoever
comes makes it again, and expects that it may be gone in between.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import socket
import stat
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stanchion.errors import UnsafeStoreError
from stanchion.store import Signal

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

log = logging.getLogger("stanchion.store")

WORK: Final = 1
CANCEL: Final = 2
CHANGE: Final = 4
SCHEDULE: Final = 8
_TICK: Final = 20_000_000
_KINDS: Final = ((WORK, "work"), (CANCEL, "cancel"), (CHANGE, "change"), (SCHEDULE, "schedule"))
_SIGNALS: Final = {mask: tuple(Signal(word) for bit, word in _KINDS if mask & bit) for mask in range(16)}


def folder_for(database: Path) -> Path:
    """Return the folder of the sockets of a database; short, since socket paths are limited to about 100 bytes.

    Raises:
        UnsafeStoreError: The folder is there and belongs to somebody else.
    """
    digest = hashlib.sha256(str(database).encode()).hexdigest()[:16]
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    folder = base / f"stanchion-{os.getuid()}-{digest}"
    _make(folder)
    return folder


def _make(folder: Path) -> None:
    while True:
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)  # noqa: PTH102 - that of pathlib looks again, and fails if it is gone by then
        with contextlib.suppress(FileNotFoundError):  # who left removed it in between
            facts = folder.lstat()
            break
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        message = f"{folder} is not a private folder of this user."
        raise UnsafeStoreError(message, remedy="Remove it, or set XDG_RUNTIME_DIR to a folder of your own.")


def _sweep(folder: Path) -> None:
    """Remove the sockets of processes that died."""
    with contextlib.suppress(OSError):  # hints work without: senders skip what nobody listens to
        names = [name for name in os.listdir(folder) if name[-1:].isdigit() and not _lives(name)]  # noqa: PTH208 - names are enough
        if names:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
                for name in names:
                    _remove_deaf(probe, folder / name)


def _remove_deaf(probe: socket.socket, path: Path) -> None:
    """Remove a socket to which nobody listens: a process that is not seen here may live in another namespace."""
    try:
        probe.connect(str(path))
    except (ConnectionRefusedError, FileNotFoundError):
        path.unlink(missing_ok=True)


def _lives(name: str) -> bool:
    try:
        os.kill(int(name.partition("-")[0]), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _leave(folder: Path) -> None:
    """Remove a folder if nobody uses it."""
    with contextlib.suppress(OSError):  # others use it, or removed it before
        folder.rmdir()


class Sender:
    """Tells every listener of a database that something was committed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = _made_socket(folder)
        self._seen = -1
        self._listeners: list[tuple[int, str]] = []

    def send(self, mask: int) -> None:
        """Send a hint to all listeners that asked for any kind in the mask; never blocks, never fails."""
        try:
            self._look()
        except OSError:  # the folder is gone, and the listeners with it; or it was removed, and they poll
            self._seen, self._listeners = -1, []
        for wanted, path in self._listeners:
            if wanted & mask:
                self._post(path, wanted & mask)

    def _look(self) -> None:
        changed = self._folder.stat().st_mtime_ns
        if changed != self._seen:
            self._listeners = [
                (int(name.rpartition(".")[2]), str(self._folder / name))
                for name in os.listdir(self._folder)  # noqa: PTH208 - on every send's path: names are enough
                if name[-1:].isdigit()
            ]
            # The kernel stamps folders by its tick: a listener that came within the same tick would not show.
            self._seen = changed if time.time_ns() - changed > _TICK else -1

    def _post(self, path: str, mask: int) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(bytes((mask,)), path)
        except (ConnectionRefusedError, FileNotFoundError):  # its process is gone
            self._seen = -1
            Path(path).unlink(missing_ok=True)
        except (BlockingIOError, OSError):  # a full buffer: the listener has hints enough
            return

    def close(self) -> None:
        """Close the socket; the last to leave removes the folder."""
        if self._socket is not None:
            self._socket.close()
        _sweep(self._folder)
        _leave(self._folder)


class Receiver:
    """Calls a listener in an event loop whenever a hint arrives; where no socket is to be had, none does."""

    _numbers = count(1)

    def __init__(
        self, folder: Path, wanted: int, listener: Callable[[Signal], None], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._folder = folder
        self._path = folder / f"{os.getpid()}-{next(Receiver._numbers)}.{wanted}"
        self._listener, self._loop = listener, loop
        _sweep(folder)
        self._socket = _made_socket(folder)
        if self._socket is not None:
            try:
                self._bind(self._socket)
            except BaseException:
                self._socket.close()
                raise
            loop.add_reader(self._socket.fileno(), self._arrived)

    def _bind(self, mine: socket.socket) -> None:
        while True:
            self._path.unlink(missing_ok=True)
            try:
                mine.bind(str(self._path))
            except FileNotFoundError:  # who left just now removed the folder
                _make(self._folder)
            else:
                return

    def _arrived(self) -> None:
        mask = 0
        if self._socket is not None:
            with contextlib.suppress(BlockingIOError):
                for _ in range(1000):
                    mask |= self._socket.recv(1)[0]
        for signal in _SIGNALS[mask & 15]:
            self._listener(signal)

    def close(self) -> None:
        """Stop listening; idempotent. The last to leave removes the folder."""
        if self._socket is not None:
            if not self._loop.is_closed():
                self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None
            self._path.unlink(missing_ok=True)
            _leave(self._folder)


def _made_socket(folder: Path) -> socket.socket | None:
    """Return a socket that never blocks; None, and a warning, where the system has none to give."""
    try:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    except OSError as error:
        log.warning(
            "no socket for wake-ups in %s (%s): changes are found by polling, seconds later; raise the limit of open "
            "files (`ulimit -n`) and start again",
            folder,
            error,
        )
        return None
    made.setblocking(False)  # noqa: FBT003 - the library's own signature
    return made
