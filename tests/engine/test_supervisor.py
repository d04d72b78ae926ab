"""Real children under a supervisor: what dies is replaced, what it held is rescued, what blocks is told."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from stanchion import ConfigError, Stanchion
from stanchion.domain.policy import PROFILES
from stanchion.engine.supervise import Supervisor
from stanchion.entry import ChildOptions, child_command, load_app
from tests.engine.helpers import SOON, outcomes, until

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

TASKS = """
import asyncio, os, time
from pathlib import Path
from stanchion import Backoff, Context, Retry, Stanchion

app = Stanchion("sqlite:///jobs.db")

@app.task(retry=Retry(backoff=Backoff(base=0)))
async def second_time(ctx: Context) -> int:
    Path(f"began-{ctx.attempt}").write_text(str(os.getpid()))
    if ctx.attempt == 1:
        await asyncio.Event().wait()
    return ctx.attempt

@app.task
async def block(ctx: Context) -> int:
    Path("began").touch()
    while not Path("go").exists():
        time.sleep(0.01)
    return ctx.attempt
"""
BEAT = PROFILES["fast"].beat / 1000


@pytest.fixture
async def app(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stanchion]:
    name = f"children_{uuid4().hex}"
    (folder / f"{name}.py").write_text(TASKS)
    monkeypatch.syspath_prepend(str(folder))
    async with load_app(f"{name}:app") as made:
        yield made


Seen = list[tuple[str, dict[str, Any], float]]


def supervisor(app: Stanchion, seen: Seen, grace: float) -> Supervisor:
    """Return a supervisor of one child, which notes what happened, and when."""
    return Supervisor(
        child_command(ChildOptions(target=app.target or "", grace=grace, log_level="error")),
        store=app.store,
        artifacts=app.artifacts,
        profile=PROFILES["fast"],
        grace=grace,
        on_event=lambda event, facts: seen.append((event, facts, time.monotonic())),
    )


@asynccontextmanager
async def supervised(app: Stanchion, *, grace: float = 0.0) -> AsyncGenerator[Seen]:
    """Run a supervisor for as long as the context is open."""
    seen: Seen = []
    stop = asyncio.Event()
    work = asyncio.create_task(supervisor(app, seen, grace).run(stop))
    try:
        yield seen
    finally:
        stop.set()
        async with asyncio.timeout(SOON):
            await work


async def test_a_killed_child_is_replaced_and_its_job_rescued_within_a_beat(app: Stanchion, folder: Path) -> None:
    async with supervised(app) as seen:
        job = await app.tasks["second_time"].enqueue()
        await until((folder / "began-1").exists)
        killed = time.monotonic()
        os.kill(int((folder / "began-1").read_text()), signal.SIGKILL)
        assert await job.result(SOON) == 2
        events = [event for event, _, _ in seen]
        assert events.count("started") == 2
        assert ("died", "SIGKILL") in [(event, facts.get("how")) for event, facts, _ in seen]
        (rescued,) = [(facts["jobs"], at - killed) for event, facts, at in seen if event == "rescued"]
        assert rescued[0] == 1
        assert rescued[1] < BEAT
    assert await outcomes(app, job) == ["lost", "completed"]
    assert job.facts.crashes == 1


async def test_a_child_whose_loop_is_blocked_is_told_and_keeps_its_leases(
    app: Stanchion, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("stanchion.engine.supervise.UNRESPONSIVE", 1.5)
    caplog.set_level("INFO", logger="stanchion")
    async with supervised(app, grace=5.0):
        job = await app.tasks["block"].enqueue()
        await until(lambda: "is unresponsive" in caplog.text)
        (folder / "go").touch()
        assert await job.result(SOON) == 1
        await until(lambda: "responds again" in caplog.text)


async def test_a_stop_drains_the_children_and_gives_back_what_does_not_end(app: Stanchion, folder: Path) -> None:
    async with supervised(app) as seen:
        job = await app.tasks["second_time"].enqueue()
        await until((folder / "began-1").exists)
    await job.refresh()
    assert (job.state, job.facts.spent, await outcomes(app, job)) == ("queued", 0, ["released"])
    assert [event for event, _, _ in seen] == ["started"]
    assert [worker.state for worker in await app.workers()] == ["stopped"]


async def test_a_child_that_cannot_start_ends_the_supervisor_with_a_remedy(
    app: Stanchion, capfd: pytest.CaptureFixture[str]
) -> None:
    app.target = "no_such_module:app"
    with pytest.raises(ConfigError, match="cannot start"):
        async with asyncio.timeout(SOON):
            await supervisor(app, [], 0.0).run(asyncio.Event())
    assert "no_such_module" in capfd.readouterr().err
