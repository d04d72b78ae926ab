"""The write-ahead log's file is kept longer than what is in it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import apsw
import pytest

from stanchion.domain.job import NewJob
from stanchion.stores.sqlite import SqliteStore, wal

if TYPE_CHECKING:
    from pathlib import Path

ID = "01890a5d-ac96-774b-bcce-{:012d}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.db"


async def fill(store: SqliteStore, first: int, count: int) -> None:
    for number in range(first, first + count):
        await store.enqueue([NewJob(ID.format(number), "idle", b"{}")])


async def test_commits_find_room_and_the_file_grows_in_steps(path: Path) -> None:
    store = SqliteStore(path, ballast=0)
    await store.open()
    lengths: list[int] = []
    for number in range(60):
        await fill(store, number, 1)
        lengths.append((path.parent / "t.db-wal").stat().st_size)
    await store.close()
    assert len(set(lengths)) <= 4
    assert lengths[-1] >= wal.STEP


async def test_what_ends_in_zeros_is_read_whole_after_a_crash(path: Path, tmp_path: Path) -> None:
    store = SqliteStore(path, ballast=0)
    await store.open()
    await fill(store, 0, 40)
    other = tmp_path / "copy"
    other.mkdir()
    for name in ("t.db", "t.db-wal"):  # as a crash leaves them: no shared memory, no orderly end
        shutil.copy(path.parent / name, other / name)
    await store.close()
    assert (other / "t.db-wal").read_bytes().endswith(bytes(wal.STEP // 2))
    again = SqliteStore(other / "t.db", ballast=0)
    await again.open()
    await fill(again, 40, 1)
    db = apsw.Connection(str(other / "t.db"))
    assert db.pragma("integrity_check") == "ok"
    assert db.execute("SELECT count(*) FROM jobs").fetchone() == (41,)
    db.close()
    await again.close()


async def test_two_writers_on_one_file_make_room_without_touching_each_others_frames(path: Path) -> None:
    stores = [SqliteStore(path, ballast=0) for _ in range(2)]
    for store in stores:
        await store.open()
    for turn in range(200):
        await fill(stores[turn % 2], turn, 1)
    for store in stores:
        await store.close()
    db = apsw.Connection(str(path))
    assert db.pragma("integrity_check") == "ok"
    assert db.execute("SELECT count(*), max(n2) FROM jobs, lanes").fetchone() == (200, 200)
    db.close()


async def test_a_log_that_cannot_be_lengthened_grows_by_itself(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        message = "No space left on device"
        raise OSError(28, message)

    monkeypatch.setattr(wal.os, "pwrite", full)
    store = SqliteStore(path, ballast=0)
    await store.open()
    await fill(store, 0, 10)
    assert 0 < (path.parent / "t.db-wal").stat().st_size < wal.STEP
    await store.close()
