"""F16, I13: a step of the wall clock starts nothing early, takes no lease and puts no event before another."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from stanchion.domain.job import State
from stanchion.stores.sqlite import SqliteStore, clock
from tests.conformance.helpers import add, ended, join, new, take
from tests.faults.checker import History, audit

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3_600_000


@pytest.mark.parametrize("step", [HOUR, -HOUR, 120_000, -120_000])
async def test_a_step_of_the_wall_clock_changes_nothing(
    tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = SqliteStore(tmp_path / "t.db", ballast=0)
    await first.open()
    later, now = await add(first, new(delay=30 * 60_000), new())
    worker = await join(first)
    (lease,) = await take(first, worker)
    assert lease.id == now

    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + step * 1_000_000)
    second = SqliteStore(tmp_path / "t.db", ballast=0)  # another process, started after the step
    await second.open()
    assert abs(second.now() - first.now()) < 1_000
    assert await second.overdue(10) == []
    (beat,) = await second.beat([worker], 10_000)
    assert beat.alive
    assert await take(second, await join(second, "second")) == ()
    (waiting,) = await second.inspect([later])
    assert waiting is not None
    assert waiting.state is State.SCHEDULED
    assert await second.settle([ended(lease)]) == [True]
    await second.close()
    await first.close()
    assert audit(History(first.path)) == []


async def test_after_a_boot_with_a_clock_behind_history_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = SqliteStore(tmp_path / "t.db", ballast=0)
    await first.open()
    await add(first)
    last = first.now()
    await first.close()
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() - HOUR * 1_000_000)
    monkeypatch.setattr("stanchion.stores.sqlite.store.boot_id", lambda: "another boot")
    second = SqliteStore(tmp_path / "t.db", ballast=0)
    await second.open()
    assert second.now() >= last
    (lease,) = await take(second, await join(second))
    assert await second.settle([ended(lease)]) == [True]
    await second.close()
    assert audit(History(first.path)) == []


def test_the_clock_runs_on_while_the_wall_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    made = clock.BootClock()
    before = made()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    time.sleep(0.02)
    assert 15 <= made() - before < 1_000
