"""What a dead worker had begun: read by others, whole, while workers come and go."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from stanchion.engine import board
from stanchion.engine.board import Board, begun, forget

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / f"stanchion-{os.getuid()}-workers"


def test_what_was_begun_and_not_settled_is_known() -> None:
    mine = Board("host-1-a", 2)
    assert begun("host-1-a") == set()
    mine.begin(7, 1)
    mine.begin(8, 3)
    mine.end(7, 1)
    mine.end(99, 1)
    assert begun("host-1-a") == {(8, 3)}
    mine.close()
    mine.close()
    assert begun("host-1-a") is None


def test_it_outlives_a_kill() -> None:
    program = (
        "import os, signal; from stanchion.engine.board import Board\n"
        "b = Board('host-2-b', 1); b.begin(5, 2); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program], check=False)
    assert begun("host-2-b") == {(5, 2)}
    forget("host-2-b")
    assert begun("host-2-b") is None


def test_a_board_that_vanishes_while_another_tidies_up_harms_nobody(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Board("host-1-a", 1)
    lives = board._lives

    def gone(name: str) -> bool:
        (folder / name).unlink(missing_ok=True)
        return lives(name)

    monkeypatch.setattr(board, "_KEPT", -1.0)
    monkeypatch.setattr(board, "_lives", gone)
    folder.joinpath("host-3-dangling").symlink_to(folder / "nowhere")
    Board("host-2-b", 1)
    assert begun("host-2-b") == set()


def test_where_no_file_can_be_made_everything_counts(folder: Path) -> None:
    folder.write_text("in the way")
    mine = Board("host-1-a", 1)
    mine.begin(1, 1)
    mine.end(1, 1)
    mine.close()
    assert begun("host-1-a") is None
    forget("host-1-a")


def test_more_than_fit_are_not_noted() -> None:
    mine = Board("host-1-a", 1)
    for number in range(1, 3_000):
        mine.begin(number, 1)
    assert len(begun("host-1-a") or ()) == 2_001
    for number in range(1, 3_000):
        mine.end(number, 1)
    assert begun("host-1-a") == set()
    mine.close()
