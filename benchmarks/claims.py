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
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

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


class Scene(NamedTuple):
    """What waits before a claim: jobs that can start, of how many tenants, and jobs that cannot.

    Attributes:
        waiting: Jobs that may start, of `tenants` tenants in turn.
        limited: Jobs of one tenant more, which is at its limit of one.
        parked: Tenants more, each with ten jobs for a provider of its own that is parked.
    """

    waiting: int
    tenants: int = 1
    limited: int = 0
    parked: int = 0


def scenarios(deep: int) -> dict[str, Scene]:
    """Return what is measured, by name."""
    few = 2 * MEASURED
    return {
        "almost empty": Scene(few),
        f"{deep:,} waiting": Scene(deep),
        f"behind {deep // 10:,} of a tenant at its limit": Scene(few, limited=deep // 10),
        "with 1,000 parked lanes": Scene(few, parked=1_000),
        "100 tenants": Scene(max(100 * BATCH, few), 100),
        "10,000 tenants": Scene(30_000, 10_000),
    }


async def prepare(store: Any, scene: Scene) -> None:
    """Let jobs wait: first those that cannot start, then the others, the tenants' interleaved."""
    from stanchion.domain.ids import uuid7
    from stanchion.domain.job import NewJob
    from stanchion.domain.limits import Limit

    if scene.limited:
        await store.configure_limit(Limit("tenant:full", running=1))
    for tenant in range(scene.parked):
        await store.park(f"provider:p{tenant}", 3_600_000)

    def job(number: int, tenant: str, provider: str = "") -> NewJob:
        keys = ((provider, 1),) if provider else ()
        return NewJob(uuid7(number, os.urandom(10)), TASK, b'{"sent":0}', tenant=tenant, limits=keys)

    async def add(count: int, make: Callable[[int], NewJob]) -> None:
        for start in range(0, count, 10_000):
            await store.enqueue([make(number) for number in range(start, min(start + 10_000, count))])

    await add(scene.limited, lambda number: job(number, "full"))
    parked = max(scene.parked, 1)
    await add(10 * scene.parked, lambda number: job(number, f"parked{number % parked}", f"provider:p{number % parked}"))
    await add(scene.waiting, lambda number: job(number, f"t{number % scene.tenants}"))


async def measure(folder: Path, scene: Scene) -> dict[str, float]:
    """Return jobs a second, and what one claim of 100 did."""
    from stanchion.domain.outcome import Completed, settle
    from stanchion.domain.retry import RetryPolicy
    from stanchion.store import Want, WorkerInfo
    from stanchion.stores.sqlite import SqliteStore

    store = SqliteStore(folder / "claims.db", ballast=0)
    await store.open()
    await prepare(store, scene)
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


def rounds(count: int, scenes: Mapping[str, Scene]) -> Iterator[tuple[str, dict[str, float]]]:
    """Measure every scenario once in each round."""
    for _ in range(count):
        for name, scene in scenes.items():
            with tempfile.TemporaryDirectory(dir=".") as folder:
                yield name, asyncio.run(measure(Path(folder), scene))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.claims", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--deep", type=int, default=1_000_000, help="jobs in the deep line")
    parser.add_argument("--only", nargs="*", default=(), metavar="SCENE", help="measure these only, by name")
    options = parser.parse_args()
    scenes = {
        name: scene for name, scene in scenarios(options.deep).items() if not options.only or name in options.only
    }
    found: dict[str, list[dict[str, float]]] = {}
    for name, told in rounds(options.rounds, scenes):
        found.setdefault(name, []).append(told)
        sys.stderr.write(f"{name}: {told['rate']:,.0f}\n")
    first = next(iter(found))
    base = statistics.median(told["rate"] for told in found[first])
    lines = [
        f"| what waits | jobs a second | of {first} | statements | steps | rows changed |",
        "| --- " + "| ---: " * 5 + "|",
    ]
    for name, all_told in found.items():
        rate = statistics.median(told["rate"] for told in all_told)
        counts = " | ".join(f"{all_told[0][what]:,.0f}" for what in ("statements", "steps", "changed"))
        lines.append(f"| {name} | {rate:,.0f} | {rate / base:.2f} | {counts} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
