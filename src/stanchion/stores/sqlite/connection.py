"""Opening the file: the pragmas in force, the refusals, the migrations, and the errors of SQLite as ours."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import apsw

from stanchion.errors import (
    DiskFullError,
    SchemaMissingError,
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreUnavailableError,
    UnsafeStoreError,
)
from stanchion.stores.migrate import load, pending
from stanchion.stores.sqlite.fetch import every
from stanchion.stores.sqlite.wal import carry_over

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from stanchion.stores.sqlite.fetch import Connection

BUSY_MS: Final = 5_000
PREPARED: Final = 512
"""So many uses of statements ago a statement may last have been used and need not be prepared again."""
TRUNCATE_BYTES: Final = 64 * 1024 * 1024
OLDEST_SQLITE: Final = 3_051_003
"""The first version without the WAL-reset corruption of 3.7.0 to 3.51.2."""

_NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ncpfs", "fuse.sshfs", "fuse.glusterfs"}
)
_MIGRATIONS_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS migrations (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL
    ) STRICT
"""

_open_here: dict[str, int] = {}
_hooked = False


def filesystem_of(path: Path, table: str) -> str:
    """Return the type of the filesystem that holds a path.

    Args:
        path: An absolute path.
        table: The text of `/proc/self/mountinfo`.
    """
    best, kind = "", ""
    for line in table.splitlines():
        fields, _, tail = line.partition(" - ")
        mount = fields.split(" ")[4].replace("\\040", " ")
        inside = mount == "/" or path == Path(mount) or Path(mount) in path.parents
        if inside and len(mount) >= len(best):
            best, kind = mount, tail.split(" ")[0]
    return kind


def refuse_network(path: Path, table: str | None = None) -> None:
    """Refuse a file on a network filesystem, whose locks do not hold.

    Raises:
        UnsafeStoreError: It is on one.
    """
    if table is None:
        mounts = Path("/proc/self/mountinfo")
        table = mounts.read_text("utf-8") if mounts.exists() else ""
    kind = filesystem_of(path, table)
    if kind in _NETWORK:
        message = f"{path} is on a network filesystem ({kind}), where SQLite's locks do not hold."
        raise UnsafeStoreError(
            message, remedy="Put the file on a local disk, or let workers reach it through `stanchion serve`."
        )


def refuse_second_library(path: Path) -> None:
    """Refuse a file that another SQLite library of this process has open: closing it there drops our locks.

    Raises:
        UnsafeStoreError: It is open, or SQLite is too old.
    """
    if apsw.SQLITE_VERSION_NUMBER < OLDEST_SQLITE:
        message = f"SQLite {apsw.sqlite_lib_version()} can corrupt a database that several processes write."
        raise UnsafeStoreError(message, remedy="Upgrade apsw: 3.51.3 is the first version without the fault.")
    _hook()
    if _open_here.get(str(path)):
        return
    if path in _open_files():
        message = f"{path} is already open in this process by another library (sqlite3?)."
        raise UnsafeStoreError(
            message, remedy="Close it first: two SQLite libraries in one process lose each other's locks."
        )


def _open_files() -> Iterator[Path]:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        try:
            yield entry.readlink()
        except OSError:  # closed since it was listed
            continue


def _hook() -> None:
    """Watch for `sqlite3.connect` on a file that is open here; the hook of the interpreter lasts for ever."""
    global _hooked  # noqa: PLW0603 - the interpreter's hooks are as global
    if _hooked:
        return
    _hooked = True

    def guard(event: str, arguments: tuple[object, ...]) -> None:
        if event != "sqlite3.connect" or not _open_here:
            return
        name = arguments[0] if arguments else ""
        if isinstance(name, (str, os.PathLike)):
            given = os.fspath(cast("str | os.PathLike[str]", name))
            text = given.removeprefix("file:").partition("?")[0]
            if str(Path(text).resolve()) in _open_here:
                message = f"{text} is open in this process through apsw."
                raise UnsafeStoreError(
                    message,
                    remedy="Read it in another process: two SQLite libraries in one process lose each other's locks.",
                )

    sys.addaudithook(guard)


def connect(path: Path, *, synchronous: str, vfs: str | None = None, readonly: bool = False) -> Connection:
    """Return a connection with the store's settings in force.

    Raises:
        StoreUnavailableError: The file cannot be opened.
        UnsafeStoreError: Write-ahead logging is not to be had there.
    """
    flags = apsw.SQLITE_OPEN_READONLY if readonly else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    with translated(path):
        connection = _opened(path, flags, vfs)
        connection.set_busy_timeout(BUSY_MS)
        mode = connection.pragma("journal_mode", "wal") if not readonly else connection.pragma("journal_mode")
        if mode != "wal":
            connection.close()
            message = f"{path} cannot use write-ahead logging (journal_mode is {mode})."
            raise UnsafeStoreError(message, remedy="Put the file on a local disk that allows shared memory.")
        connection.pragma("synchronous", synchronous)
        connection.pragma("temp_store", "memory")
        connection.pragma("cache_size", -8_000)
        connection.pragma("journal_size_limit", TRUNCATE_BYTES)
    _open_here[str(path)] = _open_here.get(str(path), 0) + 1
    return connection


def _opened(path: Path, flags: int, vfs: str | None) -> Connection:
    connection = apsw.Connection(str(path), flags=flags, vfs=vfs, statementcachesize=PREPARED)
    # Plans follow from the statements alone; otherwise some are planned anew for each value that is bound.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    connection.set_wal_hook(carry_over)
    return connection


def disconnect(path: Path, connection: Connection) -> None:
    """Close a connection made by `connect`; idempotent."""
    with suppress(apsw.ConnectionClosedError):
        if not connection.filename:
            return
        count = _open_here.get(str(path), 1) - 1
        if count:
            _open_here[str(path)] = count
        else:
            _open_here.pop(str(path), None)
    with suppress(apsw.Error):  # a last checkpoint that failed; the log is read again when the file is opened
        connection.close()


def migrate(connection: Connection, *, apply: bool = True) -> int:
    """Bring the schema up to date, each step in a transaction of its own; return the schema's number.

    Raises:
        SchemaTooNewError: A newer version wrote the file.
        SchemaChangedError: A step was applied with another text.
        SchemaMissingError: Steps are missing and `apply` is false.
    """
    shipped = load("stanchion.stores.sqlite")
    while True:
        with _transaction(connection):
            connection.execute(_MIGRATIONS_TABLE)
            missing = pending(shipped, dict(every(connection, "SELECT number, checksum FROM migrations")))
            if not missing:
                return shipped[-1].number
            if not apply:
                message = f"The store lacks {len(missing)} migrations."
                raise SchemaMissingError(message)
            step = missing[0]
            connection.execute(step.sql)
            connection.execute("INSERT INTO migrations VALUES (?, ?, ?)", (step.number, step.name, step.checksum))


@contextmanager
def _transaction(connection: Connection) -> Generator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def translated(path: Path) -> Generator[None]:
    """Raise our errors `from` SQLite's."""
    try:
        yield
    except apsw.Error as error:
        raise translate(error, path) from error


def translate(error: apsw.Error, path: Path) -> StoreError:
    """Return our error for one of SQLite's."""
    detail = f"{path}: {error}"
    match error:
        case apsw.FullError():
            return DiskFullError(f"The disk is full. ({detail})")
        case apsw.BusyError() | apsw.LockedError():
            return StoreBusyError(f"The database stayed locked for {BUSY_MS // 1000} s. ({detail})")
        case apsw.CorruptError() | apsw.NotADBError():
            return StoreCorruptError(f"The database file is damaged or is not a database. ({detail})")
        case apsw.CantOpenError() | apsw.ReadOnlyError() | apsw.PermissionsError() | apsw.AuthError():
            return StoreUnavailableError(
                f"The database cannot be opened for writing. ({detail})",
                remedy="Check that the folder exists and that this user may write to it.",
            )
        case apsw.IOError():
            return StoreUnavailableError(f"The disk reported an error; nothing was acknowledged. ({detail})")
        case _:
            return StoreError(f"SQLite refused: {detail}", remedy="This is a defect in stanchion; please report it.")
