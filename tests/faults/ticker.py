"""One of several schedulers on one file in virtual time: `python -m tests.faults.ticker FILE NUMBER SEED`.

The time stands in `FILE.clock`, written by the test. It fires what is due, freezes now and then between its look and
its firing, and repeats some firings as if the reply had been lost; it ends when the clock's file is gone.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from pathlib import Path
from typing import Final

from stanchion.domain.schedule import plan
from stanchion.stores.sqlite import SqliteStore

FROZEN: Final = 0.2
LOST: Final = 0.2


class FileClock:
    """A clock that another process moves; it stays where it was when the file goes."""

    def __init__(self, path: Path) -> None:
        self._path, self._last = path, 0
        self.gone = False

    def __call__(self) -> int:
        try:
            self._last = int(self._path.read_text() or self._last)
        except FileNotFoundError:
            self.gone = True
        return self._last


async def main(file: str, number: int, seed: str) -> dict[str, int]:
    clock = FileClock(Path(f"{file}.clock"))
    store = SqliteStore(file, clock=clock, ballast=0)
    await store.open()
    rng = random.Random(f"{seed}/{number}")
    did = {"applied": 0, "refused": 0, "frozen": 0}
    while True:
        over = clock.gone
        due = await store.due_schedules(10)
        firings = [plan(schedule, due.now) for schedule in due.schedules]
        if not firings:
            if over:
                break
            await asyncio.sleep(0.0005)
            continue
        if rng.random() < FROZEN:
            did["frozen"] += 1
            await asyncio.sleep(rng.random() * 0.02)
        for _ in range(2 if rng.random() < LOST else 1):
            for fired in await store.fire(firings):
                did["applied" if fired.applied else "refused"] += 1
    await store.close()
    return did


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))))
