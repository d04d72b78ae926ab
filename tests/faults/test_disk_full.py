"""F8: on a full disk new work is refused before it is acknowledged, running work ends, and all resumes with space."""

from __future__ import annotations

import asyncio
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.outcome import Completed
from stanchion.errors import DiskFullError
from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import WANT, add, chunk, ended, join, new, take
from tests.faults.checker import History, audit
from tests.faults.scale import cannot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BALLAST = 1 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip(cannot("mounting a small disk needs root"))
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(cannot(f"a small disk cannot be mounted: {made.stderr.decode().strip()}"))
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


async def fill(store: SqliteStore) -> int:
    """Enqueue until the disk is full; return how many jobs were acknowledged."""
    for count in range(10_000):
        try:
            await add(store, new(args=b'{"text":"%s"}' % (b"x" * 20_000)))
        except DiskFullError:
            return count
    pytest.fail("the disk never filled")


async def test_running_jobs_end_on_a_full_disk(small_disk: Path, tell: Callable[[str], Any]) -> None:
    store = SqliteStore(small_disk / "t.db", ballast=BALLAST)
    await store.open()
    await add(store, *(new() for _ in range(20)))
    leases = await take(store, await join(store), WANT._replace(limit=20))
    stored = 20 + await fill(store)
    junk = small_disk / "junk"
    with junk.open("wb") as file:  # what else is on the disk takes the rest
        while _wrote(file.fileno()):
            pass

    refused = 0
    for lease in leases:
        assert await store.settle([ended(lease, Completed(b'"%s"' % (b"r" * 5_000)))]) == [True]
        try:
            await add(store, new(args=b'{"text":"%s"}' % (b"x" * 20_000)))
        except DiskFullError:
            refused += 1
    assert refused == len(leases), "new jobs ate what was kept for running ones"
    assert not (small_disk / "t.db-ballast").exists()
    history = History(store.path)
    assert audit(history) == []
    assert len(history.jobs) == stored

    junk.unlink()
    remount = ["mount", "-o", "remount,size=12m", str(small_disk)]
    await asyncio.to_thread(subprocess.run, remount, check=True)
    await add(store)
    assert (small_disk / "t.db-ballast").exists(), "the ballast was not taken in again"
    await store.close()
    assert audit(History(store.path)) == []
    tell(f"{refused + 1} refused, {len(leases)} running jobs ended on a full disk, resumed with space")


def _wrote(descriptor: int) -> bool:
    try:
        return os.write(descriptor, b"j" * 4096) == 4096
    except OSError:
        return False


async def test_callers_together_are_each_refused(small_disk: Path) -> None:
    store = SqliteStore(small_disk / "t.db", ballast=BALLAST)
    await store.open()
    await fill(store)
    jobs = [new(args=b'{"text":"%s"}' % (b"x" * 50_000)) for _ in range(20)]
    answers = await asyncio.gather(*(store.enqueue([job]) for job in jobs), return_exceptions=True)
    accepted = {job.id for job, answer in zip(jobs, answers, strict=True) if isinstance(answer, list)}
    assert {type(answer) for answer in answers} <= {DiskFullError, list}
    assert any(isinstance(answer, DiskFullError) for answer in answers)
    worker = await join(store)
    (lease,) = await take(store, worker, WANT._replace(limit=1))
    assert await store.note([_noted(lease)]) == [True]
    assert await store.settle([ended(lease)]) == [True]
    await store.close()
    history = History(store.path)
    assert audit(history) == []
    assert accepted <= set(history.by_id)
    assert not {job.id for job in jobs} - accepted & set(history.by_id)


def _noted(lease: Any) -> Any:
    from stanchion.store import Noted

    return Noted(lease.ref, lease.attempt, chunk("x"))
