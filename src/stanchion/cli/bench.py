"""`stanchion bench`: a few seconds of measurement on a database that is thrown away."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

from cyclopts import Parameter, validators

from stanchion.app import Stanchion
from stanchion.cli import exits, render
from stanchion.cli.reach import Json, quiet
from stanchion.domain.progress import quantile

if TYPE_CHECKING:
    from stanchion.task import Task

PRODUCERS: Final = 100
BULK: Final = 5_000


class Measured(NamedTuple):
    """One line of the table."""

    what: str
    jobs: int
    seconds: float
    p50_ms: float | None = None
    p99_ms: float | None = None

    @property
    def rate(self) -> float:
        """Jobs in a second."""
        return self.jobs / self.seconds if self.seconds else 0.0


async def command(
    *,
    seconds: Annotated[float, Parameter(validator=validators.Number(gte=0.05, lte=60))] = 1.0,
    synchronous: str = "full",
    folder: Path | None = None,
    json: Json = False,
) -> int:
    """Measure enqueue and drain of jobs that do nothing, on a SQLite file that is removed afterwards.

    One process does all, so that the numbers say what this machine's disk and one core can do; they compare
    with nothing else. `make bench` in the project's repository compares with its peers, side by side.

    Args:
        seconds: How long each of the first two measurements takes.
        synchronous: The durability: full, extra, normal or off.
        folder: Where the file is made; the folder for temporary files by default.
        json: JSON lines instead of a table.
    """
    quiet()
    with tempfile.TemporaryDirectory(prefix="stanchion-bench-", dir=folder, ignore_cleanup_errors=True) as place:
        measured = await _measure(_app(place, synchronous), seconds)
    if json:
        for item in measured:
            render.line({**item._asdict(), "rate": round(item.rate, 1), "synchronous": synchronous})
        return exits.OK
    rows = [(m.what, f"{m.jobs:,}", f"{m.rate:,.0f}", _ms(m.p50_ms), _ms(m.p99_ms)) for m in measured]
    title = f"SQLite, synchronous={synchronous}, {os.cpu_count()} cores, one process"
    render.table(("measured", "jobs#", "jobs/s#", "p50#", "p99#"), rows, title=title)
    render.note("What a single run says is rough. `make bench` compares with peers, side by side on one machine.")
    return exits.OK


def _app(place: str, synchronous: str) -> Stanchion:
    return Stanchion(f"sqlite:///{Path(place).resolve()}/bench.db?synchronous={synchronous}")


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} ms"


async def _measure(app: Stanchion, seconds: float) -> list[Measured]:
    async def nothing(number: int) -> None:
        """Do nothing."""

    task: Task[[int], None] = app.task_of(nothing)
    async with app:
        measured = [
            await _enqueue("enqueue, one by one", task, seconds, 1),
            await _enqueue(f"enqueue, {PRODUCERS} producers", task, seconds, PRODUCERS),
        ]
        started = time.perf_counter()
        await task.enqueue_many([{"number": number} for number in range(BULK)])
        measured.append(Measured("enqueue, in bulk", BULK, time.perf_counter() - started))
        waiting = sum(item.jobs for item in measured)
        started = time.perf_counter()
        await app.run_worker(slots=PRODUCERS, burst=True)
        measured.append(Measured("run and settle, one worker", waiting, time.perf_counter() - started))
    return measured


async def _enqueue(what: str, task: Task[[int], None], seconds: float, producers: int) -> Measured:
    """Enqueue for so long, each producer awaiting one job at a time."""
    times: list[float] = []
    started = time.perf_counter()

    async def produce() -> None:
        while (begun := time.perf_counter()) - started < seconds:
            await task.enqueue(len(times))
            times.append((time.perf_counter() - begun) * 1000)

    await asyncio.gather(*(produce() for _ in range(producers)))
    spent = time.perf_counter() - started
    ordered = sorted(times)
    return Measured(what, len(times), spent, quantile(ordered, 0.5), quantile(ordered, 0.99))
