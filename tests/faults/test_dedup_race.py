"""One job for each dedup key, however many processes ask for it at the same time."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.checker import History
from tests.faults.scale import sized
from tests.faults.trees import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stanchion.stores.sqlite import SqliteStore

PROCESSES = sized(8, 100)
KEYS = sized(40, 100)


def race(file: Path, number: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "tests.faults.racer", str(file), str(number), str(KEYS)]
    pipe = subprocess.PIPE
    return subprocess.Popen(words, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.timeout(sized(60, 300))
async def test_a_key_is_one_job_for_all_processes(store: SqliteStore, tell: Callable[[str], Any]) -> None:
    started = [race(store.path, number) for number in range(PROCESSES)]
    for process in started:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ends = [await asyncio.to_thread(process.communicate) for process in started]
    assert [(process.returncode, err[-2_000:]) for process, (_, err) in zip(started, ends, strict=True)] == [
        (0, "")
    ] * PROCESSES
    told: list[tuple[int, str, bool]] = [tuple(one) for out, _ in ends for one in json.loads(out)]
    jobs = len(History(store.path).jobs)
    winners = Counter(number for number, (out, _) in enumerate(ends) for _, _, new in json.loads(out) if new)
    tell(f"{PROCESSES} processes x {KEYS} keys: {jobs} jobs; {len(winners)} processes stored some of them")
    assert jobs == KEYS
    assert len({job_id for _, job_id, _ in told}) == KEYS
    assert Counter(key for key, _, new in told if new) == Counter(range(KEYS))
    assert len(winners) > 1, "they did not race"
