"""A job's whole life in a process that ends at its n-th commit.

`python -m tests.faults.exit_at_commit FOLDER N WHEN`
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stanchion.store import Noted, ProgressNote
from stanchion.stores.sqlite import SqliteStore
from stanchion.stores.sqlite.writer import Writer
from tests.conformance.helpers import WANT, ended, join
from tests.faults.client import job_number
from tests.faults.effects import append

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT = 9
JOBS = 5


def end_at(nth: int, when: str) -> None:
    """Make this process end right before or right after its n-th commit."""
    transaction: Any = Writer._transaction
    seen = 0

    def counted(self: Any, operations: Sequence[Any]) -> Any:
        nonlocal seen
        seen += 1
        if seen == nth and when == "before":
            self.db.set_commit_hook(lambda: os._exit(EXIT))
        answer = transaction(self, operations)
        if seen == nth:
            os._exit(EXIT)
        return answer

    Writer._transaction = counted


async def life(folder: Path) -> None:
    """Enqueue, claim, note, settle; write down what was acknowledged."""
    store = SqliteStore(folder / "t.db", ballast=0)
    await store.open()
    for number in range(JOBS):
        job = job_number(number, 1, task="t")
        await store.enqueue([job])
        append(folder / "acknowledged", "enqueued", job.id)
    worker = await join(store, f"w-{os.getpid()}")
    for row in await store.workers():
        if row.id != worker:
            await store.settle([ended(item.lease) for item in await store.leave([row.id], lost=True)])
    while True:
        _, claimed = await store.claim(worker, WANT._replace(limit=2))
        if not claimed.leases:
            break
        await store.note([Noted(lease.ref, lease.attempt, ProgressNote(1, 2)) for lease in claimed.leases])
        for lease in claimed.leases:
            if await store.settle([ended(lease)]) == [True]:
                append(folder / "acknowledged", "completed", lease.id)
    await store.leave([worker])
    await store.close()


if __name__ == "__main__":
    end_at(int(sys.argv[2]), sys.argv[3])
    asyncio.run(life(Path(sys.argv[1])))
