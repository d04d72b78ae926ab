"""How many children a supervisor has: added when jobs wait, drained without harm to what runs."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from stanchion import Stanchion
from stanchion.domain.policy import PROFILES
from stanchion.domain.scaling import RATE_HALF_LIFE, ScalePolicy
from stanchion.engine import scaling
from stanchion.engine.scaling import Scaler
from stanchion.engine.supervise import Scaling, Supervisor
from stanchion.entry import ChildOptions, child_command, load_app
from stanchion.errors import StoreUnavailableError
from stanchion.stores.memory import MemoryStore
from tests.clock import FakeClock
from tests.conformance.helpers import ACME, add, ended, join, new, take
from tests.engine.helpers import SOON, until

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

TASKS = """
import asyncio
from pathlib import Path
from stanchion import Stanchion

app = Stanchion("sqlite:///jobs.db")

@app.task
async def hold(name: str) -> str:
    Path(f"began-{name}").touch()
    while not Path(f"go-{name}").exists():
        await asyncio.sleep(0.01)
    return name
"""


@pytest.fixture
async def app(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stanchion]:
    name = f"scaled_{uuid4().hex}"
    (folder / f"{name}.py").write_text(TASKS)
    monkeypatch.syspath_prepend(str(folder))
    async with load_app(f"{name}:app") as made:
        yield made


@dataclass
class Crew:
    """A supervisor, the number of children that it is asked for, and what it told."""

    supervisor: Supervisor
    wanted: int
    broken: bool = False
    asked: int = 0
    seen: list[str] = field(default_factory=list[str])

    async def ask(self) -> int:
        self.asked += 1
        if self.broken:
            message = "the disk is gone"
            raise StoreUnavailableError(message)
        return self.wanted


@asynccontextmanager
async def scaled(app: Stanchion, wanted: int, *, most: int = 4) -> AsyncGenerator[Crew]:
    """Run a supervisor of as many children as are wanted, of one slot each, for as long as the context is open."""
    options = ChildOptions(target=app.target or "", slots=1, grace=0.0, log_level="error")

    def happened(event: str, _: dict[str, Any]) -> None:
        crew.seen.append(event)

    async def ask() -> int:
        return await crew.ask()

    supervisor = Supervisor(
        child_command(options),
        store=app.store,
        artifacts=app.artifacts,
        profile=PROFILES["fast"],
        processes=0,
        grace=0.0,
        on_event=happened,
        scaling=Scaling(ask, most, every=0.05),
    )
    crew = Crew(supervisor, wanted)
    stop = asyncio.Event()
    work = asyncio.create_task(supervisor.run(stop))
    try:
        yield crew
    finally:
        stop.set()
        async with asyncio.timeout(SOON):
            await work


async def test_children_are_added_at_once_and_dropped_without_harm_to_what_runs(app: Stanchion, folder: Path) -> None:
    hold = app.tasks["hold"]
    async with scaled(app, 2) as crew:
        jobs = [await hold.enqueue(name) for name in ("a", "b")]
        await until(lambda: (folder / "began-a").exists() and (folder / "began-b").exists())
        assert len(crew.supervisor.children) == 2
        crew.wanted = 0
        await until(lambda: _drains(app, 2))
        later = await hold.enqueue("c")
        asked = crew.asked
        await until(lambda: crew.asked > asked + 3)
        assert len(crew.supervisor.children) == 2  # what they run has not ended: no grace cuts it off
        (folder / "go-a").touch()
        assert await jobs[0].result(SOON) == "a"
        await until(lambda: len(crew.supervisor.children) == 1)
        (folder / "go-b").touch()
        assert await jobs[1].result(SOON) == "b"
        await until(lambda: not crew.supervisor.children)
        assert (await later.refresh()).state == "queued"
        assert not (folder / "began-c").exists()
        crew.wanted = 1
        (folder / "go-c").touch()
        assert await later.result(SOON) == "c"
        assert crew.seen.count("dismissed") == 2
        assert "died" not in crew.seen
    for job in (*jobs, later):
        assert ((await job.refresh()).facts.attempt, job.facts.crashes) == (1, 0)


async def _drains(app: Stanchion, count: int) -> bool:
    return sum(worker.state == "draining" for worker in await app.workers()) == count


async def test_the_child_that_runs_nothing_goes_first(app: Stanchion, folder: Path) -> None:
    async with scaled(app, 2) as crew:
        job = await app.tasks["hold"].enqueue("a")
        await until(lambda: (folder / "began-a").exists() and crew.seen.count("started") == 2)
        crew.wanted = 1
        await until(lambda: len(crew.supervisor.children) == 1)
        (folder / "go-a").touch()
        assert await job.result(SOON) == "a"
        assert job.facts.attempt == 1


async def test_there_are_never_more_children_than_the_most(app: Stanchion, folder: Path) -> None:
    async with scaled(app, 2, most=2) as crew:
        for name in ("a", "b"):
            await app.tasks["hold"].enqueue(name)
        await until(lambda: (folder / "began-a").exists() and (folder / "began-b").exists())
        crew.wanted = 0
        await until(lambda: _drains(app, 2))
        crew.wanted = 9
        asked = crew.asked
        await until(lambda: crew.asked > asked + 3)
        assert len(crew.supervisor.children) == 2


async def test_a_stop_ends_all_children_also_those_that_drain(app: Stanchion, folder: Path) -> None:
    async with scaled(app, 2) as crew:
        job = await app.tasks["hold"].enqueue("a")
        await until((folder / "began-a").exists)
        crew.wanted = 0
        await until(lambda: _drains(app, 1))
    assert not crew.supervisor.children
    assert (await job.refresh()).state == "queued"
    assert {worker.state for worker in await app.workers()} == {"stopped"}


async def test_while_the_store_cannot_be_read_nothing_changes(app: Stanchion) -> None:
    async with scaled(app, 1) as crew:
        await until(lambda: crew.seen.count("started") == 1)
        crew.broken = True
        asked = crew.asked
        await until(lambda: crew.asked > asked + 2)
        assert len(crew.supervisor.children) == 1


async def test_several_queues_are_served_together_and_other_tenants_looks_are_apart() -> None:
    clock = FakeClock()
    store = MemoryStore(clock)
    await store.open()
    worker = await join(store)
    policy = ScalePolicy(least=0, most=50)
    await add(store, *(new(queue="one") for _ in range(3)), new(queue="two"), new(queue="three", tenant="acme"))
    scaler = Scaler(store)
    assert (await scaler.size(None, policy)).desired == 5
    assert (await scaler.size(["two", "one"], policy)).desired == 4
    assert (await scaler.size(["nowhere"], policy)).desired == 0
    assert {n: s.desired for n, s in (await scaler.queues(policy)).items()} == {"one": 3, "two": 1, "three": 1}
    assert (await scaler.size(None, policy, ACME)).desired == 1
    leases = await take(store, worker)
    clock.pass_(2_000)
    await store.settle([ended(lease) for lease in leases])
    found = await scaler.size(None, policy)
    assert (found.mean, found.waiting, found.running) == (pytest.approx(2_000), 0, 0)
    assert found.rate == pytest.approx(5 / (RATE_HALF_LIFE + 2_000), rel=0.01)
    clock.pass_(policy.quiet * 10)
    await scaler.size(None, policy)
    clock.pass_(policy.quiet)
    assert (await scaler.size(None, policy)).desired == 0


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "MOST_DECISIONS", 2)
    clock = FakeClock()
    store = MemoryStore(clock)
    await store.open()
    scaler = Scaler(store)
    (job_id,) = await add(store)
    first = ScalePolicy(least=0, most=5)
    assert (await scaler.size(["default"], first)).desired == 1
    await store.cancel([job_id])
    clock.pass_(2_000)
    assert (await scaler.size(["default"], first)).desired == 1
    for most in (6, 7):
        await scaler.size(["default"], ScalePolicy(least=0, most=most))
    assert (await scaler.size(["default"], first)).desired == 0  # forgotten, so it begins anew
