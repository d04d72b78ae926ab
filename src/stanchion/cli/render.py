"""What commands print: tables for people, JSON lines for programs; standard error for everything about the run."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console
    from rich.text import Text

_CONTROL: Final = dict.fromkeys((*range(32), *range(127, 160), *range(0x2028, 0x202F), *range(0x2066, 0x206A)), "�")
_WIDE: Final = 200
"""Columns where nobody looks: a pipe or a file."""
_COLOURS: Final = {
    "blocked": "dim",
    "scheduled": "cyan",
    "queued": "blue",
    "running": "yellow",
    "retrying": "magenta",
    "completed": "green",
    "failed": "red",
    "cancelled": "dim",
    "ok": "green",
    "warn": "yellow",
    "fail": "red",
}
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_KIB: Final = 1024


@cache
def out() -> Console:
    """Return standard output as a console; markup in data is only text there."""
    from rich.console import Console  # noqa: PLC0415 - keeps the start quick

    return Console(markup=False, highlight=False, emoji=False, width=None if sys.stdout.isatty() else _WIDE)


@cache
def err() -> Console:
    """Return standard error as a console."""
    from rich.console import Console  # noqa: PLC0415 - keeps the start quick

    return Console(
        stderr=True, markup=False, highlight=False, emoji=False, width=None if sys.stderr.isatty() else _WIDE
    )


def plain(value: object) -> str:
    """Return a text that cannot move the cursor of a terminal."""
    return str(value).translate(_CONTROL)


def word(value: str) -> Text:
    """Return a state in its colour."""
    from rich.text import Text  # noqa: PLC0415 - keeps the start quick

    return Text(plain(value), style=_COLOURS.get(value, ""))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """Print a table; a column whose name ends in `#` is right-aligned."""
    from rich import box  # noqa: PLC0415 - keeps the start quick
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    named = any(columns)
    shown = Table(
        box=box.SIMPLE_HEAD if named else None,
        show_header=named,
        title=title,
        title_justify="left",
        title_style="bold",
        pad_edge=False,
        padding=(0, 1) if named else (0, 2, 0, 0),
    )
    for column in columns:
        number = column.endswith("#")
        shown.add_column(column.rstrip("#"), justify="right" if number else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(cell if isinstance(cell, Text) else plain("" if cell is None else cell) for cell in row))
    out().print(shown)


def say(message: str) -> None:
    """Print a line for people on standard output."""
    out().print(plain(message), soft_wrap=True)


def note(message: str) -> None:
    """Print a line about the run itself on standard error."""
    err().print(plain(message), soft_wrap=True)


def line(record: Any) -> None:  # noqa: ANN401 - whatever msgspec encodes
    """Print one record as a line of JSON."""
    sys.stdout.write(msgspec.json.encode(record).decode() + "\n")
    sys.stdout.flush()


def problem(code: str, message: str, remedy: str = "", *, json: bool = False) -> None:
    """Print an error on standard error: what is wrong, and what to do."""
    if json:
        sys.stderr.write(msgspec.json.encode({"error": code, "message": message, "remedy": remedy}).decode() + "\n")
        return
    note(f"error: {message}")
    if remedy:
        note(f"what to do: {remedy}")


def age(seconds: float | None) -> str:
    """Return a duration in at most two parts: 4.2 s, 3 min 10 s, 2 h 5 min, 6 d 1 h."""
    if seconds is None:
        return ""
    seconds = max(seconds, 0.0)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 2 * _MINUTE:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    for size, name, part, part_name in ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min")):
        if whole >= size:
            return f"{whole // size} {name} {whole % size // part} {part_name}"
    return f"{whole // _MINUTE} min {whole % _MINUTE} s"


def size(count: float) -> str:
    """Return bytes in a unit that people read."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < _KIB:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= _KIB
    return f"{count:.1f} TiB"
