# ruff: noqa: ANN401 - a connection is that of any of several libraries
"""How durable a contender is asked to be, and how durable its own connections say that they are."""

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

SYNC = os.environ.get("BENCH_SYNC", "shipped")
"""`shipped`: the library is left alone; `full`: each commit reaches the disk; `off`: to fill a backlog."""

PRAGMA = {"full": "FULL", "off": "OFF"}.get(SYNC)
"""The value to set with `PRAGMA synchronous`, or None to leave what the library chose."""

PATH = os.environ.get("BENCH_SQLITE", "")
"""The database file; its directory is the contender's own, and is new for every measurement."""

PROBING = "BENCH_PROBE" in os.environ

_ASKED = ("synchronous", "journal_mode", "wal_autocheckpoint", "query_only")
_POSITIONAL_BEFORE_THREAD_CHECK = 4
_ENOUGH = 50
_readers: list[Callable[[], dict[str, Any] | None]] = []
_reports: list[int] = []


def set_on(connection: Any) -> None:
    """Set the durability asked for on a connection that the library has just configured."""
    if PRAGMA is not None:
        connection.execute(f"PRAGMA synchronous={PRAGMA}")


def add_reader(reader: Callable[[], dict[str, Any] | None]) -> None:
    """Let a library without Python connections say its settings itself."""
    _readers.append(reader)


def _ask(connection: Any, version: str) -> dict[str, Any] | None:
    try:
        values = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _ASKED}
    except Exception:  # noqa: BLE001 - closed meanwhile or busy, each library's own way: another one answers
        return None
    return {**values, "sqlite": version}


def _watch_sqlite3() -> None:
    real = sqlite3.connect
    version = sqlite3.sqlite_version

    def connect(*args: Any, **kwargs: Any) -> Any:
        if len(args) <= _POSITIONAL_BEFORE_THREAD_CHECK:
            kwargs["check_same_thread"] = False  # the probe reads from the thread that ran the job
        connection = real(*args, **kwargs)
        add_reader(lambda: _ask(connection, version))
        return connection

    sqlite3.connect = connect
    sqlite3.dbapi2.connect = connect


def _watch_apsw() -> None:
    try:
        import apsw  # noqa: PLC0415 - only Stanchion's environment has it
    except ImportError:
        return
    version = apsw.sqlite_lib_version()

    def remember(connection: Any) -> None:
        add_reader(lambda: _ask(connection, version))

    apsw.connection_hooks.append(remember)


def report(role: str) -> None:
    """Append what the process's open connections answer; the last report of a role counts."""
    if not PROBING or len(_reports) > _ENOUGH:
        return
    _reports.append(1)
    answers = [answer for reader in _readers if (answer := reader()) is not None]
    line = json.dumps({"role": role, "connections": answers}) + "\n"
    with Path(os.environ["BENCH_PROBE"]).open("a", encoding="utf-8") as file:
        file.write(line)


if PROBING:
    _watch_sqlite3()
    _watch_apsw()
