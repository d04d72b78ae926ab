"""Logs: readable lines on a terminal, JSON elsewhere, with job, attempt and tenant bound."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from typing import Final

import msgspec

_BOUND: Final = ("job", "task", "attempt", "tenant", "correlation_id")
_CONTROL: Final = {code: f"\\x{code:02x}" for code in (*range(32), 127, 0x2028, 0x2029)} | {
    9: "\\t",
    10: "\\n",
    13: "\\r",
}
_COLOURS: Final = {"WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[31m", "DEBUG": "\x1b[2m"}
_RESET: Final = "\x1b[0m"


def _facts(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name in _BOUND if (value := getattr(record, name, None)) is not None}


def _trace(record: logging.LogRecord) -> str | None:
    if not record.exc_info or record.exc_info[1] is None:
        return None
    return "".join(traceback.format_exception(record.exc_info[1]))


class JsonLines(logging.Formatter):
    """One JSON object a line; control characters are escaped by JSON itself."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        line: dict[str, object] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        trace = _trace(record)
        if trace:
            line["trace"] = trace
        return msgspec.json.encode(line).decode()


class ReadableLines(logging.Formatter):
    """Lines for people: time, level, message, and what is bound; nothing in them can move the cursor."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        bound = " ".join(f"{name}={value}" for name, value in _facts(record).items())
        message = record.getMessage().translate(_CONTROL)
        colour = _COLOURS.get(record.levelname, "")
        line = f"{clock} {colour}{record.levelname.lower():8}{_RESET if colour else ''}{message}"
        line += f"  [{bound.translate(_CONTROL)}]" if bound else ""
        trace = _trace(record)
        if trace:  # indented, so that no message in it can pass for a line of its own
            line += "".join(f"\n  {part.translate(_CONTROL)}" for part in trace.rstrip().split("\n"))
        return line


def configure_logging(*, json: bool | None = None, level: str = "info") -> None:
    """Send the logs of `stanchion` to standard error.

    Args:
        json: JSON lines or readable ones; by default readable on a terminal.
        level: debug, info, warning or error.
    """
    handler = logging.StreamHandler(sys.stderr)
    as_json = not sys.stderr.isatty() if json is None else json
    handler.setFormatter(JsonLines() if as_json else ReadableLines())
    logger = logging.getLogger("stanchion")
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
