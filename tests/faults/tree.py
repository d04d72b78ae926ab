"""A supervisor with its worker children, as its own process.

`python -m tests.faults.tree URL PROCESSES SLOTS GRACE`
"""

from __future__ import annotations

import asyncio
import signal
import sys

from stanchion import Stanchion
from stanchion.engine import supervise
from stanchion.entry import ChildOptions, child_command
from stanchion.telemetry import configure_logging
from tests.faults import tasks


async def main(url: str, processes: int, slots: int, grace: float) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    options = ChildOptions(
        target="tests.faults.tasks:app", url=url, slots=slots, grace=grace, profile="fast", log_json=False
    )
    async with Stanchion(url, profile="fast") as app:
        await supervise.Supervisor(
            child_command(options),
            store=app.store,
            artifacts=app.artifacts,
            profile=tasks.PROFILES["fast"],
            processes=processes,
            grace=grace,
        ).run(stop)


if __name__ == "__main__":
    supervise._SLOWEST = 0.2  # hundreds of kills are no crash loop
    configure_logging(json=False)
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
