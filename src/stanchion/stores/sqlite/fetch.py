"""The typed seam to the driver: what the store uses of a connection, and rows as tuples.

The driver's own stubs leave the types of values open; behind these protocols nothing else need know. They cost
nothing: `connect` returns the driver's connection itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import apsw

Row = tuple[Any, ...]
"""The columns of a row, in the order of its statement; its reader names them."""


class Rows(Iterator[Row], Protocol):
    """The rows of a statement, computed as they are read."""

    def fetchone(self) -> Row | None:
        """Return the next row; None after the last."""
        ...

    def fetchall(self) -> list[Row]:
        """Return the rows that are left."""
        ...

    def close(self) -> None:
        """End the statement, read to its end or not."""
        ...


class Connection(Protocol):
    """An open database, as `connection.connect` returns it."""

    @property
    def filename(self) -> str:
        """The file's path; empty once closed."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    def execute(self, statements: str, bindings: Sequence[Any] | None = None, /) -> Rows:
        """Run statements up to their first row."""
        ...

    def executemany(self, statements: str, bindings: Iterable[Sequence[Any]], /) -> Rows:
        """Run a statement once for each of many values."""
        ...

    def pragma(self, name: str, value: str | int | None = None, /) -> object:
        """Set a pragma where a value is given; return what it answers."""
        ...

    def total_changes(self) -> int:
        """Return how many rows this connection has changed."""
        ...

    def set_busy_timeout(self, milliseconds: int, /) -> None:
        """Wait so long for another's lock."""
        ...

    def set_wal_hook(self, hook: Callable[[apsw.Connection, str, int], int], /) -> None:
        """Call a function after each commit with the pages in the log."""
        ...

    def close(self) -> None:
        """Close the file; idempotent."""
        ...


def one(db: Connection, sql: str, values: Sequence[Any] = ()) -> Row | None:
    """Return the first row of a statement, if it has any."""
    return db.execute(sql, values).fetchone()


def only(db: Connection, sql: str, values: Sequence[Any] = ()) -> Row:
    """Return the first row of a statement that always has one."""
    row = db.execute(sql, values).fetchone()
    assert row is not None, sql
    return row


def every(db: Connection, sql: str, values: Sequence[Any] = ()) -> list[Row]:
    """Return all rows of a statement."""
    return db.execute(sql, values).fetchall()
