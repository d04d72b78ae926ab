"""Log lines: readable or JSON, and nothing in them can move a terminal's cursor or fake a line."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from stanchion.telemetry import JsonLines, ReadableLines, configure_logging

if TYPE_CHECKING:
    from collections.abc import Iterator

NASTY = "a\nINFO fake\r\x1b[2Jb\x00\x7f\u2028c\ttab"


def record(message: str, level: int = logging.INFO, **bound: object) -> logging.LogRecord:
    made = logging.LogRecord("stanchion.worker", level, __file__, 1, message, None, None)
    made.__dict__.update(bound)
    return made


def test_a_readable_line_is_one_line_with_its_control_characters_escaped() -> None:
    line = ReadableLines().format(record(NASTY, job=NASTY))
    assert not any(ord(char) < 32 or char in "\x7f\u2028\u2029" for char in line)
    assert r"a\nINFO fake\r\x1b[2Jb\x00\x7f\x2028c\ttab" in line
    assert line.count("fake") == 2


def test_a_readable_line_shows_level_and_what_is_bound() -> None:
    line = ReadableLines().format(record("done", task="sprite", attempt=2, tenant=None))
    assert line.endswith("info    done  [task=sprite attempt=2]")
    assert "\x1b[31m" in ReadableLines().format(record("bad", logging.ERROR))


def test_a_json_line_has_the_facts_as_fields() -> None:
    made = record(NASTY, logging.WARNING, job="j", task="t", attempt=1, tenant="acme", correlation_id="c", other="x")
    made.created, made.msecs = 1_800_000_000.5, 500.0
    line = JsonLines().format(made)
    assert "\n" not in line
    assert json.loads(line) == {
        "at": "2027-01-15T08:00:00.500Z",
        "level": "warning",
        "logger": "stanchion.worker",
        "message": NASTY,
        "job": "j",
        "task": "t",
        "attempt": 1,
        "tenant": "acme",
        "correlation_id": "c",
    }


@pytest.mark.parametrize("formatter", [JsonLines(), ReadableLines()])
def test_a_traceback_follows(formatter: logging.Formatter) -> None:
    error = RuntimeError("boom")
    made = record("failed", exc_info=(RuntimeError, error, None))
    assert "RuntimeError: boom" in formatter.format(made)


def test_no_line_of_a_traceback_passes_for_a_line_of_its_own() -> None:
    error = RuntimeError("boom\n08:00:00 info    all is well")
    _, *rest = ReadableLines().format(record("failed", exc_info=(RuntimeError, error, None))).split("\n")
    assert rest
    assert all(line.startswith("  ") for line in rest)


def test_a_traceback_cannot_move_the_cursor_either() -> None:
    error = RuntimeError("\x1b[2J gone")
    made = record("failed", exc_info=(RuntimeError, error, None))
    assert "\x1b" not in ReadableLines().format(made)
    assert "\x1b" not in JsonLines().format(made)


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("stanchion")
    before = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:], logger.level = before


def test_logs_go_to_standard_error_alone_as_asked(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logger, "propagate", True)
    configure_logging(level="warning")
    configure_logging(json=True, level="warning")
    logging.getLogger("stanchion.worker").info("quiet")
    logging.getLogger("stanchion.worker").warning("loud")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["message"] == "loud"
