# ruff: noqa: ANN401, PLC0415 - rows of any type; Stanchion is imported where the measuring process needs it
"""What a claim costs, whatever waits: `python -m benchmarks.claims [--rounds 3] [--deep 1000000]`.

One store, one call after the other: settle the last 100 jobs and claim the next 100, no handler between. Every
scenario is measured once in each round, on its own database, and told as jobs a second (the median), and as what
SQLite did for one claim of 100: statements, steps of its machine, and rows changed. Steps do not depend on the
machine that runs them: they show whether a claim looks past what it takes.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw

BATCH = 100
MEASURED = 5_000
TASK = "noop"


class Counter:
    """Statements and machine steps of a connection while it is on."""

    def __init__(self, db: Any) -> None:
        self.statements = self.steps = 0
        self._db = db
        db.trace_v2(apsw.SQLITE_TRACE_PROFILE, self._seen)

    def _seen(self, event: dict[str, Any]) -> None:
        self.statements += 1
        self.steps += event["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]

    def off(self) -> None:
        """Stop counting."""
        self._db.trace_v2(0, None)


def scenarios(deep: int) -> dict[str, tuple[int, int]]:
    """Return how many jobs wait and of how many tenants."""
    return {
        "almost empty": (2 * MEASURED, 1),
        f"{deep:,} waiting": (deep, 1),
        "100 tenants": (max(100 * BATCH, 2 * MEASURED), 100),
        "10,000 tenants": (30_000, 10_000),
    }


async def prepare(store: Any, waiting: int, tenants: int) -> None:
    """Let jobs wait, the tenants' interleaved."""
    from stanchion.domain.ids import uuid7
    from stanchion.domain.job import NewJob

    for start in range(0, waiting, 10_000):
        await store.enqueue(
            [
                NewJob(uuid7(number, os.urandom(10)), TASK, b'{"sent":0}', tenant=f"t{number % tenants}")
                for number in range(start, min(start + 10_000, waiting))
            ]
        )


async def measure(folder: Path, waiting: int, tenants: int) -> dict[str, float]:
    """Return jobs a second, and what one claim of 100 did."""
    from stanchion.domain.outcome import Completed, settle
    from stanchion.domain.retry import RetryPolicy
    from stanchion.store import Want, WorkerInfo
    from stanchion.stores.sqlite import SqliteStore

    store = SqliteStore(folder / "claims.db", ballast=0)
    await store.open()
    await prepare(store, waiting, tenants)
    worker = await store.register(WorkerInfo("bench", "h", 1, 1, None, (TASK,)), 3_600_000)
    want, ended, policy = Want(BATCH, frozenset({TASK})), Completed(b"null"), RetryPolicy()
    held: list[Any] = []

    async def turn() -> int:
        nonlocal held
        _, claimed = await store.claim(worker, want, held)
        held = [settle(lease, ended, policy) for lease in claimed.leases]
        return len(held)

    for _ in range(5):
        await turn()
    started, done = time.perf_counter(), 0
    while done < MEASURED:
        done += await turn()
    rate = done / (time.perf_counter() - started)
    db = store._writing.db  # noqa: SLF001
    counter, before = Counter(db), db.total_changes()
    assert await turn() == BATCH
    counter.off()
    changed = db.total_changes() - before
    await store.close()
    return {"rate": rate, "statements": counter.statements, "steps": counter.steps, "changed": changed}


def rounds(count: int, deep: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Measure every scenario once in each round."""
    for _ in range(count):
        for name, (waiting, tenants) in scenarios(deep).items():
            with tempfile.TemporaryDirectory(dir=".") as folder:
                yield name, asyncio.run(measure(Path(folder), waiting, tenants))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.claims", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--deep", type=int, default=1_000_000, help="jobs in the deep line")
    options = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {}
    for name, told in rounds(options.rounds, options.deep):
        found.setdefault(name, []).append(told)
        sys.stderr.write(f"{name}: {told['rate']:,.0f}\n")
    base = statistics.median(told["rate"] for told in found["almost empty"])
    lines = [
        "| what waits | jobs a second | of almost empty | statements | steps | rows changed |",
        "| --- " + "| ---: " * 5 + "|",
    ]
    for name, all_told in found.items():
        rate = statistics.median(told["rate"] for told in all_told)
        counts = " | ".join(f"{all_told[0][what]:,.0f}" for what in ("statements", "steps", "changed"))
        lines.append(f"| {name} | {rate:,.0f} | {rate / base:.2f} | {counts} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
