"""A worker beside a test, and bounded waiting."""

from __future__ import annotations

import asyncio
import inspect
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from stanchion import Backoff

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from stanchion import Job, Stanchion

SOON: Final = 15.0
"""Seconds after which what a test waits for will not come."""
AT_ONCE: Final = Backoff(base=0)
"""Retries without a wait."""


@asynccontextmanager
async def working(app: Stanchion, **options: Any) -> AsyncGenerator[asyncio.Event]:
    """Run a worker for as long as the context is open; the value stops it earlier."""
    stop = asyncio.Event()
    given: dict[str, Any] = {"grace": 5.0} | options
    work = asyncio.create_task(app.run_worker(stop=stop, **given))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(SOON):
            await work


async def until(true: Callable[[], Any], within: float = SOON) -> Any:
    """Wait for what another task, thread or process does; return it."""
    deadline = time.monotonic() + within
    while True:
        found = true()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.01)


async def in_state(job: Job[Any], state: str, within: float = SOON) -> None:
    """Wait for a job to be in a state."""
    deadline = time.monotonic() + within
    while (await job.refresh()).state != state:
        assert time.monotonic() < deadline, f"{job} is not {state}"
        await asyncio.sleep(0.01)


async def ended(job: Job[Any]) -> str:
    """Wait for a job's end, whichever it is; return the state."""
    async for _ in job.events():
        pass
    return job.state.value


async def outcomes(app: Stanchion, job: Job[Any]) -> list[str | None]:
    """Return how a job's attempts ended."""
    return [attempt.outcome for attempt in (await app.store.history(job.id))[1]]
