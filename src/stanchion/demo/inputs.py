"""The demo's input: rows of prompts from a CSV or JSON Lines file, good and bad alike."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from stanchion.demo.sprites import LARGEST, PALETTES, SMALLEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from os import PathLike

COLUMNS = ("prompt", "size", "seed", "palette")
SIZE, SEED = 64, 0
JSON_LINES = frozenset({".jsonl", ".ndjson"})


class InputError(ValueError):
    """The file cannot be read as a list of prompts at all."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message} {remedy}")
        self.message, self.remedy = message, remedy


@dataclass(frozen=True, slots=True)
class Row:
    """One row. With a `problem` it cannot be drawn, and its other values are what could be read of it."""

    line: int
    """The line of the file where the row starts, counted from 1."""
    prompt: str
    size: int
    seed: int
    palette: str | None
    problem: str | None


def read_rows(path: str | PathLike[str]) -> Iterator[Row]:
    """Return the rows of a file; a bad row is reported in its place and the next ones are read.

    A name that ends in .jsonl or .ndjson is JSON Lines, one object a line; any other is CSV with a header.

    Raises:
        InputError: At the call, when the file is missing, not text, empty,
            or a CSV without a `prompt` column.
    """
    file = Path(path)
    text = _text(file)
    if file.suffix.lower() in JSON_LINES:
        return _json_rows(text.split("\n"))
    return _csv_rows(file, text)


def _text(file: Path) -> str:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"There is no file {file}.", "Check the name, or leave it out for the demo's own.") from error
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.", "Give a file that you may read.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text.", "Save it as UTF-8 CSV or JSON Lines.") from error
    if "\0" in text:
        raise InputError(f"{file} is not text.", "Save it as UTF-8 CSV or JSON Lines.")
    if not text.strip():
        raise InputError(f"{file} is empty.", "Write a header line 'prompt,size,seed,palette' and one row a sprite.")
    return text


def _csv_rows(file: Path, text: str) -> Iterator[Row]:
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader)]
    except csv.Error as error:
        raise InputError(f"{file} is not CSV: {error}.", "Close every quote.") from error
    if "prompt" not in header:
        raise InputError(f"{file} has no column 'prompt'.", f"Make its first line {','.join(COLUMNS)}.")
    return _csv_body(reader, header)


def _csv_body(reader: Iterator[list[str]], header: list[str]) -> Iterator[Row]:
    lines = cast("_Numbered", reader)
    while True:
        line = lines.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _bad(line, "", f"it is not CSV ({error}); close every quote")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            extra = len(cells) - len(header)
            yield _bad(line, cells[0], f"it has {extra} column(s) too many; quote a prompt that holds a comma")
            continue
        yield _row(line, {name: cell.strip() or None for name, cell in zip(header, cells, strict=False)})


def _json_rows(lines: Iterable[str]) -> Iterator[Row]:
    for line, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            value: object = json.loads(text)
        except json.JSONDecodeError as error:
            yield _bad(line, "", f"it is not JSON ({error.msg}, column {error.colno}); write one object a line")
            continue
        if not isinstance(value, dict):
            yield _bad(line, "", 'it is not an object; write for example {"prompt": "a red slime"}')
            continue
        yield _row(line, cast("dict[str, object]", value))


def _row(line: int, given: Mapping[str, object]) -> Row:
    """Return a row from named values, checked."""
    prompt, palette = given.get("prompt"), given.get("palette")
    text = " ".join(prompt.split()) if isinstance(prompt, str) else ""
    unknown = sorted(set(given) - set(COLUMNS))
    size, seed = _whole(given.get("size"), SIZE), _whole(given.get("seed"), SEED)
    problem: str | None = None
    if unknown:
        problem = f"nothing is known of {', '.join(unknown)}; the columns are {', '.join(COLUMNS)}"
    elif not text:
        problem = "the prompt is missing; say what to draw"
    elif size is None or not SMALLEST <= size <= LARGEST:
        problem = f"size is {given.get('size')!r}; give a whole number from {SMALLEST} to {LARGEST}"
    elif seed is None:
        problem = f"seed is {given.get('seed')!r}; give a whole number"
    elif palette is not None and (not isinstance(palette, str) or palette not in PALETTES):
        problem = f"palette is {palette!r}; give one of {', '.join(sorted(PALETTES))}, or none"
    if problem is not None:
        return _bad(line, text, problem)
    return Row(line, text, size or SIZE, seed or SEED, cast("str | None", palette), None)


def _whole(value: object, default: int) -> int | None:
    """Return a whole number, the default for nothing, or None for what is not a number."""
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def _bad(line: int, prompt: str, problem: str) -> Row:
    return Row(line, prompt, SIZE, SEED, None, f"line {line}: {problem}")


class _Numbered:
    """What `csv.reader` has beside being an iterator."""

    line_num: int
