"""A worker without a supervisor whose handlers run in processes of their own.

`python -m tests.faults.alone URL`
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Final

from stanchion import Stanchion, SyncContext
from stanchion.engine import attempt
from stanchion.entry import ChildOptions, child_command
from stanchion.telemetry import configure_logging
from tests.faults.effects import record

EFFECTS: Final = os.environ.get("FAULTS_EFFECTS", "/dev/null")

app = Stanchion()


@app.task(isolation="process", retry=1)
def alone(ctx: SyncContext) -> int:
    record(EFFECTS, "S", ctx.job.id, ctx.attempt)
    record(EFFECTS, "E", ctx.job.id, ctx.attempt)
    return ctx.attempt


async def main(url: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    app.relocate(url)
    command = child_command(ChildOptions(target="tests.faults.alone:app", url=url))
    command[command.index("child")] = "cell"
    async with app:
        await app.worker(slots=2, cell_command=command).run(stop)


if __name__ == "__main__":
    attempt.STARVED = 200
    configure_logging(json=False)
    asyncio.run(main(sys.argv[1]))
