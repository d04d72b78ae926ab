"""Wake-ups between processes: one datagram per commit to each listener, through a private folder of sockets.

A signal is a hint. One that is lost, because a socket's buffer is full or its process is gone, costs a poll
interval and never a job.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stanchion.errors import UnsafeStoreError
from stanchion.store import Signal

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

WORK: Final = 1
CANCEL: Final = 2
CHANGE: Final = 4
_TICK: Final = 20_000_000
_KINDS: Final = ((WORK, "work"), (CANCEL, "cancel"), (CHANGE, "change"))
_SIGNALS: Final = {mask: tuple(Signal(word) for bit, word in _KINDS if mask & bit) for mask in range(8)}


def folder_for(database: Path) -> Path:
    """Return the folder of the sockets of a database; short, since socket paths are limited to about 100 bytes.

    Raises:
        UnsafeStoreError: The folder is there and belongs to somebody else.
    """
    digest = hashlib.sha256(str(database).encode()).hexdigest()[:16]
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    folder = base / f"stanchion-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        message = f"{folder} is not a private folder of this user."
        raise UnsafeStoreError(message, remedy="Remove it, or set XDG_RUNTIME_DIR to a folder of your own.")
    return folder


class Sender:
    """Tells every listener of a database that something was committed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)  # noqa: FBT003 - the library's own signature
        self._seen = -1
        self._listeners: list[tuple[int, str]] = []

    def send(self, mask: int) -> None:
        """Send a hint to all listeners that asked for any kind in the mask; never blocks, never fails."""
        with contextlib.suppress(OSError):  # the folder was removed: listeners poll
            self._look()
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
        try:
            self._socket.sendto(bytes((mask,)), path)
        except (ConnectionRefusedError, FileNotFoundError):  # its process is gone
            self._seen = -1
            Path(path).unlink(missing_ok=True)
        except (BlockingIOError, OSError):  # a full buffer: the listener has hints enough
            return

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class Receiver:
    """Calls a listener in an event loop whenever a hint arrives."""

    _made = 0

    def __init__(
        self, folder: Path, wanted: int, listener: Callable[[Signal], None], loop: asyncio.AbstractEventLoop
    ) -> None:
        Receiver._made += 1
        self._path = folder / f"{os.getpid()}-{Receiver._made}.{wanted}"
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)  # noqa: FBT003 - the library's own signature
        self._socket.bind(str(self._path))
        self._listener, self._loop = listener, loop
        loop.add_reader(self._socket.fileno(), self._arrived)

    def _arrived(self) -> None:
        mask = 0
        with contextlib.suppress(BlockingIOError):
            for _ in range(1000):
                mask |= self._socket.recv(1)[0]
        for signal in _SIGNALS[mask & 7]:
            self._listener(signal)

    def close(self) -> None:
        """Stop listening; idempotent."""
        if self._socket.fileno() >= 0:
            if not self._loop.is_closed():
                self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._path.unlink(missing_ok=True)
