"""The write-ahead log of one connection: room made ahead of it, and its checkpoints."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import apsw

if TYPE_CHECKING:
    from pathlib import Path

CHECKPOINT_PAGES: Final = 4_000
"""So many pages in the log are carried over into the database."""
STEP: Final = 1024 * 1024
_FRAME_HEADER: Final = 24
_LOG_HEADER: Final = 32
_NEAR: Final = 64
"""Pages: room is made when no more than this is left."""


def carry_over(connection: apsw.Connection, name: str, pages: int) -> int:
    """Checkpoint a long log after a commit; SQLite's own way would report its failure as the commit's, which stands."""
    if pages >= CHECKPOINT_PAGES:
        with suppress(apsw.Error):
            connection.wal_checkpoint(name)
    return apsw.SQLITE_OK


class Log:
    """Keeps the log's file longer than what is in it, so that a commit's fsync need not change the file's length.

    Where a file grows, its new length goes through the filesystem's journal, which costs about as much again as
    the fsync of what was written. Zeros behind the last frame end the log for whoever reads it: no frame has
    page number 0.
    """

    def __init__(self, database: Path, page_size: int) -> None:
        self._path = database.with_name(database.name + "-wal")
        self._frame = page_size + _FRAME_HEADER
        self._pages = 0
        self._size = 0
        self._gave_up = False

    def committed(self, connection: apsw.Connection, name: str, pages: int) -> int:
        """Note how long the log is; SQLite calls it after each commit."""
        self._pages = pages
        return carry_over(connection, name, pages)

    def make_room(self) -> None:
        """Lengthen the file where its end is near; only while the write lock is held, so that nobody appends."""
        end = _LOG_HEADER + (self._pages + _NEAR) * self._frame
        if self._gave_up or end <= self._size or self._pages > CHECKPOINT_PAGES:
            return
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                self._size = os.fstat(descriptor).st_size  # another process may have lengthened it
                if 0 < self._size < end:
                    self._size += os.pwrite(descriptor, bytes(STEP), self._size)
            finally:
                os.close(descriptor)
        except OSError:  # a full disk or a foreign owner: the log grows by itself, a little slower
            self._gave_up = True
