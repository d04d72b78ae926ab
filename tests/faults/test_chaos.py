"""F1–F4: processes, trees and clients are killed and frozen all the while; nothing is lost or completed twice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.faults import effects
from tests.faults.chaos import Chaos, Plan
from tests.faults.checker import FINAL, History, judge, percentiles, recoveries
from tests.faults.scale import chance, sized

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CI = Plan(jobs=1_500, kills=30, freezes=4, every=0.25)
FULL = Plan(jobs=10_000, kills=200, freezes=25, every=0.25)


@pytest.mark.timeout(300)
async def test_kills_and_freezes_lose_nothing_and_double_nothing(tmp_path: Path, tell: Callable[[str], None]) -> None:
    plan = sized(CI, FULL)
    began = time.monotonic()
    chaos = Chaos(tmp_path, plan, chance("chaos"))
    await chaos.run()
    took = time.monotonic() - began

    history = History(tmp_path / "t.db")
    done = effects.read(tmp_path / "effects")
    wrong = judge(history, chaos.told, done)
    kills = [(pid, at + history.offset) for pid, at in chaos.kills]
    recovered = recoveries(history, kills)
    fenced = chaos.trees[0].logged("its lease was lost")
    ends = history.outcomes()
    failed = sum(job.state == 6 for job in history.jobs.values())
    completions = [step.seq for steps in history.events.values() for step in steps if step.outcome == "completed"]
    tell(
        f"{len(history.jobs)} jobs, {len(chaos.kills)} children + {chaos.tree_kills} trees + {chaos.client_kills}"
        f" clients killed, {chaos.frozen_trees} trees + {chaos.frozen_children} children frozen;"
        f" lost {len(set(chaos.told.acknowledged) - set(history.by_id))},"
        f" completed twice {len(completions) - len(set(completions))}, quarantined {failed};"
        f" late writes refused {fenced}, unknown calls {chaos.unknown};"
        f" attempts {dict(ends)}; dead child recovered {percentiles(recovered)}; {took:.0f} s"
    )
    assert wrong == []
    assert all(job.state in FINAL for job in history.jobs.values())
    assert len(history.jobs) == chaos.expected
    assert failed == 0, "a job was set aside whose handler had killed nobody"
    assert len(recovered) >= len(chaos.kills) // 2, "too few kills hit running jobs"
    assert fenced >= plan.freezes // 4, "the freezes proved nothing about the fence"
    assert sorted(recovered)[len(recovered) // 2] < 1_000
