"""Where a demo keeps its things: a fresh database, and the folder of the pictures."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.errors import ConflictError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Generator

HOME: Final = Path("stanchion-demo")
_BESIDE: Final = ("", "-wal", "-shm", "-lock", "-ballast")


class Place(NamedTuple):
    """The database's file, and the folder that the pictures go to."""

    database: Path
    pictures: Path

    @property
    def url(self) -> str:
        """The URL of the database."""
        return f"sqlite:///{self.database.resolve()}"


@contextmanager
def place(database: Path | None, pictures: Path | None) -> Generator[Place]:
    """Make room for a demo: a database that is not there yet, held against a second demo while the block runs.

    Without a name it is `stanchion-demo/demo.db`, and what an earlier demo left there is removed.

    Raises:
        ConflictError: The named file exists, or another demo runs here.
        StoreUnavailableError: A folder cannot be made.
    """
    file = database or HOME / "demo.db"
    folder = pictures or HOME / "sprites"
    if database is not None and database.exists():
        message = f"{database} exists already, and the demo starts on a fresh file."
        raise ConflictError(message, remedy="Give another name, or delete the file.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(file.with_name(file.name + ".running"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        message = f"{error.filename} cannot be made: {error.strerror}."
        raise StoreUnavailableError(message, remedy="Start the demo in a folder that you may write to.") from error
    try:
        _hold(lock, file)
        if database is None:
            _clear(file, folder if pictures is None else None)
        yield Place(file, folder)
    finally:
        file.with_name(file.name + ".running").unlink(missing_ok=True)
        os.close(lock)


def _hold(lock: int, file: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        message = f"Another demo runs on {file}."
        raise ConflictError(message, remedy="Stop it, or give this one a file of its own with --db.") from None


def _clear(file: Path, pictures: Path | None) -> None:
    """Remove what an earlier demo left in the folder that is the demo's own."""
    (file.parent / ".gitignore").write_text("*\n")
    for suffix in _BESIDE:
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    shutil.rmtree(file.with_name(file.name + "-artifacts"), ignore_errors=True)
    for old in pictures.glob("[0-9]*.png") if pictures is not None else ():
        old.unlink()
