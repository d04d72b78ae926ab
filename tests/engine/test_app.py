"""Opening, closing, and what an app refuses."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from stanchion import ConfigError, Stanchion, StoreError, TaskConflictError, UnknownTaskError, UsageError
from stanchion.stores.memory import MemoryStore
from tests.engine.helpers import SOON, in_state, until, working

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What each opening and closing of a store leaves."""
    seen: list[str] = []

    class Counted(MemoryStore):
        async def open(self) -> None:
            seen.append("open")
            await asyncio.sleep(0)
            await super().open()

        async def close(self) -> None:
            seen.append("close")
            await super().close()

    monkeypatch.setattr("stanchion.app.open_store", lambda url: Counted())
    return seen


async def test_concurrent_first_uses_open_once(app: Stanchion, opened: list[str]) -> None:
    @app.task
    async def idle() -> None: ...

    jobs = await asyncio.gather(*(idle.enqueue() for _ in range(50)), *(app.open() for _ in range(5)))
    assert opened == ["open"]
    assert len({job.id for job in jobs[:50]}) == 50  # type: ignore[union-attr]


async def test_the_lifespan_opens_and_closes(app: Stanchion, opened: list[str]) -> None:
    async with app.lifespan():
        assert opened == ["open"]
        assert await app.stats() == []
    assert opened == ["open", "close"]
    await app.close()
    assert opened == ["open", "close"]
    with pytest.raises(StoreError, match="not open"):
        _ = app.store


async def test_an_app_may_be_opened_again(filed: Stanchion) -> None:
    @filed.task
    async def one() -> int:
        return 1

    async with filed:
        job = await one.enqueue()
    async with filed:
        await filed.run_worker(burst=True)
        assert await (await filed.job(job.id)).result(SOON) == 1


async def test_closing_waits_for_what_is_on_its_way(filed: Stanchion) -> None:
    @filed.task
    async def idle() -> None: ...

    await filed.open()
    waiting = [asyncio.ensure_future(idle.enqueue()) for _ in range(20)]
    await asyncio.sleep(0)
    await filed.close()
    stored = [(await each).id for each in waiting]
    async with filed:
        assert len(await filed.jobs()) == len(stored) == 20


async def test_settings_are_fixed_while_open(app: Stanchion) -> None:
    app.configure(slots=3)
    async with app:
        with pytest.raises(UsageError, match="open"):
            app.relocate("memory://")
    app.relocate("memory://")
    assert app.settings.slots == 3


@pytest.mark.parametrize(
    "url",
    ["mysql://x", "sqlite://", "sqlite:///", "sqlite://host/x", "sqlite:///x?mode=ro", "sqlite:///x?synchronous=no"],
)
async def test_a_url_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"sqlite:///|synchronous="):
        await Stanchion(url).open()


def test_two_functions_may_not_share_a_name(app: Stanchion) -> None:
    async def one() -> None: ...

    async def other() -> None: ...

    app.task(name="t")(one)
    app.task(name="t")(one)  # a reload
    with pytest.raises(TaskConflictError):
        app.task(name="t")(other)


async def test_an_unknown_task_is_refused_with_the_known_ones(app: Stanchion) -> None:
    @app.task
    async def sprite() -> None: ...

    from stanchion import Submission

    with pytest.raises(UnknownTaskError, match="sprite"):
        await app.submit_one(Submission("sprit", {}))


async def test_a_process_without_the_code_enqueues_what_a_living_worker_knows(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    worker, client = Stanchion(url), Stanchion(url)

    @worker.task
    async def double(n: int) -> int:
        return 2 * n

    from stanchion import Submission

    async with worker, client:
        with pytest.raises(UnknownTaskError):
            await client.submit_one(Submission("double", {"n": 4}))
        async with working(worker):
            await until(client.workers)
            answer = await client.submit_one(Submission("double", {"n": 4}))
            assert await (await client.job(answer.id)).result(SOON) == 8


async def test_a_job_whose_task_no_worker_knows_waits_for_one_that_does(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    old, new = Stanchion(url), Stanchion(url)

    @old.task
    async def known() -> str:
        return "known"

    @new.task
    async def later() -> str:
        return "later"

    async with old, new, working(old):
        first, job = await known.enqueue(), await later.enqueue()
        assert await first.result(SOON) == "known"
        await in_state(job, "queued")
        place = await job.position()
        assert (place.position, place.reason, job.facts.attempt) == (1, "no_worker", 0)
        async with working(new):
            assert await job.result(SOON) == "later"
