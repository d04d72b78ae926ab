"""F7: after a power cut every acknowledged change is there, and nothing else is half there."""

from __future__ import annotations

import shutil
from itertools import count
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from stanchion.stores.sqlite import SqliteStore, wal
from tests.clock import FakeClock
from tests.faults.checker import History, audit
from tests.faults.crash_vfs import MODES, CrashVFS
from tests.faults.random_life import Life
from tests.faults.scale import chance, sized

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

CUTS = sized(150, 1_000)
STEPS, CUTS_EACH = 30, 10
CODES = {
    "blocked": 0,
    "scheduled": 1,
    "queued": 2,
    "running": 3,
    "retrying": 4,
    "completed": 5,
    "failed": 6,
    "cancelled": 7,
}
_numbers = count(1)


class Cutter:
    """Cuts the power of one life after another, half the time in the middle of a transaction."""

    def __init__(self, folder: Path, rng: random.Random, synchronous: str) -> None:
        self.folder, self.rng, self.synchronous = folder, rng, synchronous
        self.cuts = self.within = 0
        self.lost = self.corrupt = 0
        self.wrong: list[str] = []

    async def lives(self, cuts: int) -> None:
        while self.cuts < cuts:
            await self._life()

    async def _life(self) -> None:
        number = next(_numbers)
        home = self.folder / f"life-{number}"
        home.mkdir()
        name = f"crash-{number}"
        vfs, clock = CrashVFS(name), FakeClock()
        store = SqliteStore(home / "t.db", synchronous=self.synchronous, clock=clock, vfs=name)
        await store.open()
        life = Life(store, clock, self.rng)
        marked = set(self.rng.sample(range(STEPS), CUTS_EACH))
        for step in range(STEPS):
            if step in marked and self.rng.random() < 0.5:
                self._in_the_middle(vfs, life)
            elif step in marked:
                self._cut(vfs, life)
            await life.step()
            vfs.on_write = None
        await store.close()
        vfs.unregister()
        shutil.rmtree(home)

    def _in_the_middle(self, vfs: CrashVFS, life: Life) -> None:
        left = self.rng.randrange(1, 6)

        def write() -> None:
            nonlocal left
            left -= 1
            if not left:
                self.within += 1
                self._cut(vfs, life)

        vfs.on_write = write

    def _cut(self, vfs: CrashVFS, life: Life) -> None:
        self.cuts += 1
        copy = self.folder / f"cut-{self.cuts}"
        copy.mkdir()
        mode = self.rng.choice(MODES)
        vfs.power_cut(self.rng, copy, mode)
        found = self._judged(copy / "t.db", life)
        self.wrong += (f"cut {self.cuts} ({mode}): {text}" for text in found)
        shutil.rmtree(copy)

    def _judged(self, file: Path, life: Life) -> list[str]:
        try:
            history = History(file)
        except (apsw.Error, TypeError) as error:
            self.corrupt += 1
            return [f"cannot be read: {error}"]
        wrong = audit(history)
        self.corrupt += bool(wrong)
        lost = [
            text for key, (version, state) in life.known.items() if (text := _missing(history, key, version, state))
        ]
        self.lost += bool(lost)
        halves = [ids for ids in life.asked if 0 < len(ids & history.by_id.keys()) < len(ids)]
        return wrong + lost + [f"a batch is half there: {ids}" for ids in halves]


def _missing(history: History, key: str, version: int, state: str) -> str | None:
    job = history.by_id.get(key)
    if job is None:
        return f"acknowledged job {key} is lost"
    if job.version < version or (job.version == version > 1 and job.state != CODES[state]):
        return f"job {key} is at {job.version}/{job.state}, acknowledged was {version}/{state}"
    return None


@pytest.fixture(params=[8, 60, 4_000])
def checkpoint(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """After how many pages the log is carried over: often, now and then, never."""
    monkeypatch.setattr(wal, "CHECKPOINT_PAGES", request.param)
    return request.param


@pytest.mark.timeout(300)
async def test_nothing_acknowledged_is_lost(tmp_path: Path, checkpoint: int, tell: Callable[[str], Any]) -> None:
    cutter = Cutter(tmp_path, chance(f"cut-{checkpoint}"), "full")
    await cutter.lives((CUTS + 2) // 3)
    tell(
        f"{cutter.cuts} power cuts, {cutter.within} within a transaction: lost {cutter.lost}, corrupt {cutter.corrupt}"
    )
    assert cutter.wrong == []
    assert cutter.within >= cutter.cuts // 5


@pytest.mark.timeout(300)
@pytest.mark.parametrize("synchronous", ["normal", "off"])
async def test_weaker_settings_do_lose(
    tmp_path: Path, synchronous: str, tell: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a test that finds nothing here could not find anything above."""
    monkeypatch.setattr(wal, "CHECKPOINT_PAGES", 60)
    cutter = Cutter(tmp_path, chance(f"cut-{synchronous}"), synchronous)
    await cutter.lives(sized(40, 200))
    tell(f"control: {cutter.cuts} cuts, lost in {cutter.lost}, corrupt in {cutter.corrupt}")
    assert cutter.lost + cutter.corrupt >= cutter.cuts // 4
    assert cutter.lost or synchronous == "off"
