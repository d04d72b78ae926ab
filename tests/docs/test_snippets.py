from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import Block, blocks, name_of, pages

DRIVER = Path(__file__).with_name("driver.py")
AT_ONCE = 3
LIMIT = 50
REASON_LENGTH = 15


def step_of(block: Block) -> dict[str, Any] | None:
    """What the driver does with a block; None for what only shows something."""
    if block.excuse is not None:
        return None
    if block.title is not None:
        return {"kind": "file", "line": block.line, "title": block.title, "text": block.text}
    if block.language == "python":
        return {"kind": "python", "line": block.line, "text": block.text}
    if block.language == "console" and ("curl " not in block.text or shutil.which("curl")):
        background = "background" in block.notes
        return {
            "kind": "console",
            "line": block.line,
            "text": block.text,
            "background": background,
            "exit": block.exit_code,
        }
    return None


def steps_of(page: Path) -> list[dict[str, Any]]:
    return [step for block in blocks(page) if (step := step_of(block)) is not None]


RUNNABLE = [page for page in pages() if any(step["kind"] != "file" for step in steps_of(page))]


def run(page: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    folder.mkdir()
    given = folder.with_suffix(".json")
    given.write_text(json.dumps({"name": name_of(page), "steps": steps_of(page)}))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("STANCHION_")}
    environ |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, str(DRIVER), str(given)],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
        check=False,
    )


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest):
    """All chosen pages at work, a few at a time."""
    chosen = {item.callspec.params.get("page") for item in request.session.items if hasattr(item, "callspec")}  # pyright: ignore[reportAttributeAccessIssue]
    base = tmp_path_factory.mktemp("pages")
    with ThreadPoolExecutor(AT_ONCE) as threads:
        started: dict[Path, Future[subprocess.CompletedProcess[str]]] = {
            page: threads.submit(run, page, base / f"{number}")
            for number, page in enumerate(RUNNABLE)
            if name_of(page) in chosen
        }
        yield started


@pytest.mark.parametrize("page", [name_of(page) for page in RUNNABLE])
def test_the_code_of_a_page_runs(page: str, runs: dict[Path, Future[subprocess.CompletedProcess[str]]]) -> None:
    ended = next(run for path, run in runs.items() if name_of(path) == page).result()
    assert ended.returncode == 0, ended.stdout[-6_000:]


@pytest.mark.parametrize("page", [name_of(page) for page in pages()])
def test_code_that_is_not_run_says_why(page: str) -> None:
    for block in blocks(next(path for path in pages() if name_of(path) == page)):
        if block.excuse is not None:
            assert len(block.excuse) >= REASON_LENGTH, f"{page}:{block.line} gives no reason"
        if block.language in {"py", "pycon", "sh", "bash", "shell"}:
            pytest.fail(f"{page}:{block.line}: {block.language} escapes the tests; use python or console")
