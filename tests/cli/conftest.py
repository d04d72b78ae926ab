"""A folder of its own with an app in it, and the command line run in this process or in another."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pytest

from stanchion.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TASKS = """
import asyncio
from pathlib import Path
from stanchion import Context, Stanchion, TaskError

app = Stanchion("sqlite:///jobs.db")
empty = Stanchion("sqlite:///jobs.db")
here = Stanchion("memory://")

@app.task(queue="sums")
async def add(a: int, b: int = 1) -> int:
    return a + b

@app.task(secret=("token",))
async def echo(text: str, token: str | None = None) -> str:
    return text

@app.task
async def fail(reason: str = "no") -> None:
    raise TaskError(reason, kind="validation")

@app.task
async def slow(ctx: Context, seconds: float = 1.0) -> str:
    Path("started").touch()
    await asyncio.sleep(seconds)
    return "slept"
"""


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def record(self) -> dict[str, Any]:
        (only,) = self.records
        return only


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("STANCHION_")]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def module(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module with tasks; a name is imported once in a process, so each test has its own."""
    name = f"tasks_{uuid4().hex[:12]}"
    (folder / f"{name}.py").write_text(TASKS)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return name


@pytest.fixture
def target(module: str) -> str:
    return f"{module}:app"


@pytest.fixture
def run(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Result]]:
    logger = logging.getLogger("stanchion")
    before = (logger.handlers[:], logger.level, logger.propagate)

    def call(*arguments: str, stdin: str = "") -> Result:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = main(arguments)
        told = capsys.readouterr()
        return Result(code, told.out, told.err)

    yield call
    logger.handlers[:], logger.level, logger.propagate = before


class Spawned:
    """The command line in a process of its own."""

    def __init__(self, folder: Path, arguments: tuple[str, ...]) -> None:
        with (folder / "stderr.txt").open("a") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "stanchion", *arguments],
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                bufsize=1,
            )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def record(self, event: str) -> dict[str, Any]:
        """The next JSON line of an event."""
        while text := self.line():
            found = json.loads(text)
            if found.get("event") == event:
                return found
        raise AssertionError(event)

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def ended(self, within: float = 30.0) -> int:
        return self.process.wait(within)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def spawn(folder: Path) -> Iterator[Callable[..., Spawned]]:
    started: list[Spawned] = []

    def start(*arguments: str) -> Spawned:
        started.append(Spawned(folder, arguments))
        return started[-1]

    yield start
    for spawned in started:
        spawned.close()


def until(true: Callable[[], bool], within: float = 30.0) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
