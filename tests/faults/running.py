"""What tests of real worker trees share: one store, one tree, jobs by task name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain.job import FINAL, NewJob
from stanchion.store import Enqueued
from tests.conformance.helpers import new_id
from tests.faults import effects
from tests.faults.trees import until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stanchion.stores.sqlite import SqliteStore


async def put(store: SqliteStore, task: str, args: str, count: int = 1, **given: int) -> list[str]:
    """Enqueue jobs of a task; return their ids."""
    batch = [NewJob(new_id(), task, args.encode(), **given) for _ in range(count)]  # pyright: ignore[reportArgumentType]
    return [answer.id for answer in await store.enqueue(batch) if isinstance(answer, Enqueued)]


async def ended(store: SqliteStore, ids: Sequence[str], within: float = 30.0) -> None:
    """Wait until all have ended."""

    async def all_ended() -> bool:
        return all(job is not None and job.state in FINAL for job in await store.inspect(ids))

    await until("all jobs ended", all_ended, within)


async def running(store: SqliteStore, ids: Sequence[str], folder: Path) -> None:
    """Wait until the handlers of all have started."""

    async def all_started() -> bool:
        return set(ids) <= {one.id for one in effects.read(folder / "effects")}

    await until("all handlers started", all_started, 20)


def starts(folder: Path, job_id: str) -> list[int]:
    """Return the attempts of a job that were started, in order."""
    return [one.attempt for one in effects.read(folder / "effects") if one.kind == "S" and one.id == job_id]
