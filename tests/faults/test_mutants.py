"""Who guards the guards: each fault put into the code is caught by the test that is there for it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.mutants import MUTANTS, Mutant, breed
from tests.faults.scale import SEED
from tests.faults.trees import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HERE = "tests/faults/"
FAILED, PASSED = 1, 0


def hunt(killers: list[str], source: Path) -> tuple[int, str]:
    """Run tests against a copy of the package; return pytest's exit code and its last words."""
    env = {**os.environ, "PYTHONPATH": str(source), "STANCHION_SEED": str(SEED), "STANCHION_FAULTS": "ci"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "faults", "-p", "no:cacheprovider", "--tb=line"]
    ran = subprocess.run(
        [*command, *(HERE + killer for killer in killers)],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout[-3_000:]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_each_mutant_is_caught_by_its_killer(mutant: Mutant, tmp_path: Path, tell: Callable[[str], Any]) -> None:
    code, said = hunt([mutant.killer], breed(mutant, tmp_path))
    assert code == FAILED, f"{mutant.name} ({mutant.fault}) lived on:\n{said}"
    lines = [line for line in said.splitlines() if line.startswith("E  ") or "/test_" in line]
    because = lines[0].removeprefix("E").strip().rpartition("/")[2] if lines else "?"
    tell(f"{mutant.fault}; caught by {mutant.killer}: {because[:160]}")


@pytest.mark.timeout(240)
def test_the_killers_spare_the_healthy(tmp_path: Path) -> None:
    """The control: the copy without a fault passes, so it was the fault that failed."""
    code, said = hunt(sorted({mutant.killer for mutant in MUTANTS}), breed(None, tmp_path))
    assert code == PASSED, said
