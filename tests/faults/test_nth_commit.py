"""A process that dies at its n-th commit, for every n: what was acknowledged is there, and the next one goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.checker import COMPLETED, History, audit
from tests.faults.exit_at_commit import EXIT, JOBS
from tests.faults.scale import chance, sized
from tests.faults.trees import python

if TYPE_CHECKING:
    from collections.abc import Callable


def live(folder: Path, nth: int, when: str) -> int:
    return python("-m", "tests.faults.exit_at_commit", folder, nth, when, log=folder / "log").wait(20)


def acknowledged(folder: Path, what: str) -> set[str]:
    file = folder / "acknowledged"
    lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
    return {key for kind, key in lines if kind == what}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_may_die_at_any_commit(tmp_path: Path, when: str, tell: Callable[[str], Any]) -> None:
    died = 0
    stride = sized(4, 1)
    for nth in range(1 + chance(when).randrange(stride), 60, stride):
        home = tmp_path / str(nth)
        home.mkdir()
        code = live(home, nth, when)
        assert code in (0, EXIT), (home / "log").read_text()
        history = History(home / "t.db")
        assert audit(history) == []
        assert acknowledged(home, "enqueued") <= set(history.by_id)
        assert acknowledged(home, "completed") <= {job.id for job in history.jobs.values() if job.state == COMPLETED}
        if code == 0:
            break
        died += 1
        assert live(home, 10_000, when) == 0, (home / "log").read_text()
        history = History(home / "t.db")
        assert audit(history) == []
        assert [job.state for job in history.jobs.values()] == [COMPLETED] * JOBS
    tell(f"{died} processes died at a commit; 0 lost, 0 doubled")
    assert died >= 2 * JOBS // stride
