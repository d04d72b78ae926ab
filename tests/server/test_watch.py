"""The watch: one reader for all, nothing while nobody watches, and slow readers cannot hold it up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.job import NewJob
from stanchion.domain.query import Scope
from stanchion.engine import watchers
from stanchion.engine.watch import Watch
from stanchion.engine.watchers import Interest, Notice, Watcher
from tests.server.world import OutputNote, ProgressNote, World

if TYPE_CHECKING:
    from stanchion.domain.job import Job


def job_id(n: int) -> str:
    return f"01890000-0000-7000-8000-{n:012x}"


async def enqueue(world: World, *numbers: int, **fields: Any) -> None:
    await world.store.enqueue([NewJob(job_id(n), "sprite", b"{}", **fields) for n in numbers])


async def some(watcher: Watcher, kind: str, count: int = 1) -> list[Notice]:
    found: list[Notice] = []
    async with asyncio.timeout(5):
        while len(found) < count:
            found += [notice for notice in await watcher.take() if notice.kind == kind]
    return found


@pytest.fixture
def watch(world: World) -> Watch:
    return Watch(world.store)


async def test_nothing_runs_and_nothing_listens_while_nobody_watches(world: World, watch: Watch) -> None:
    def listening() -> int:
        return len(world.store._listeners)

    before = (len(asyncio.all_tasks()), listening())
    async with watch.open(Interest(everything=True)), watch.open(Interest(everything=True)):
        assert (len(asyncio.all_tasks()), listening()) == (before[0] + 1, before[1] + 1)
    await asyncio.sleep(0.01)
    assert (len(asyncio.all_tasks()), listening()) == before
    async with watch.open(Interest(everything=True)) as again:
        await enqueue(world, 1)
        assert (await some(again, "event"))[0].job is not None


async def test_one_reader_serves_a_thousand_watchers(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    await enqueue(world, 1)
    reads = 0
    changes = world.store.changes

    async def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal reads
        reads += 1
        return await changes(*args, **kwargs)

    monkeypatch.setattr(world.store, "changes", counted)
    from contextlib import AsyncExitStack

    async with AsyncExitStack() as stack:
        crowd = [await stack.enter_async_context(watch.open(jobs=[job_id(1)])) for _ in range(1_000)]
        assert watch.watching == 1_000
        (lease,) = await world.claim()
        await world.complete(lease)
        for watcher in crowd:
            assert len(await some(watcher, "event", 2)) == 2
        assert reads < 20


async def test_only_what_is_watched_is_told(world: World, watch: Watch) -> None:
    async with (
        watch.open(jobs=[job_id(1)]) as by_job,
        watch.open(queues=["other"]) as by_queue,
        watch.open(Interest(Scope("acme"), everything=True)) as by_tenant,
        watch.open(Interest(everything=True)) as by_all,
    ):
        await enqueue(world, 1)
        await enqueue(world, 2, queue="other")
        await enqueue(world, 3, tenant="acme")
        told = {
            "all": [notice.job for notice in await some(by_all, "event", 3)],
            "job": [notice.job for notice in await some(by_job, "event")],
            "queue": [notice.job for notice in await some(by_queue, "event")],
            "tenant": [notice.job for notice in await some(by_tenant, "event")],
        }
        ids = {name: [job.id for job in jobs if job is not None] for name, jobs in told.items()}
    assert ids == {
        "all": [job_id(1), job_id(2), job_id(3)], "job": [job_id(1)], "queue": [job_id(2)], "tenant": [job_id(3)],
    }  # fmt: skip


async def test_a_slow_reader_loses_ephemeral_notices_first_and_is_then_closed(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchers, "MAX_DURABLE", 10)
    await enqueue(world, 1)
    async with watch.open(jobs=[job_id(1)]) as slow, watch.open(jobs=[job_id(1)]) as quick:
        (lease,) = await world.claim()
        await some(quick, "event")
        for n in range(8):
            await world.note(lease, OutputNote("text", b"x"), ProgressNote(n, 8))
        await some(quick, "output", 8)
        assert slow.ended is None
        assert len([notice for notice in slow._ephemeral.values() if notice.kind == "progress"]) <= 1
        for _ in range(5):
            await world.note(lease, OutputNote("text", b"x"))
        await some(quick, "output", 5)
        assert slow.ended == "slow"
        assert await slow.take() == []
        assert quick.ended is None


async def test_what_waits_for_a_reader_is_bounded_in_bytes(job: Job) -> None:
    from stanchion.domain.job import Output

    watcher = Watcher(Interest(everything=True))
    n = 0
    for n in range(100):
        output = Output(n, 1, "text", bytes(1_000_000), None, None, 1_000_000, None, None, None, n)
        watcher.push(Notice(kind="output", job=job, output=output))
        if watcher.ended:
            break
    assert n < 6


@pytest.fixture
async def job(world: World) -> Job:
    await enqueue(world, 1)
    (found,) = await world.store.inspect([job_id(1)])
    assert found is not None
    return found


async def test_a_newer_event_makes_older_progress_stale(job: Job) -> None:
    from stanchion.domain.job import Event, State

    watcher = Watcher(Interest(everything=True))
    watcher.push(Notice(kind="progress", job=job))
    watcher.push(Notice(kind="event", job=job, event=Event(1, job.id, 2, State.COMPLETED, 1, 0, None)))
    assert [notice.kind for notice in await watcher.take()] == ["event"]


async def test_a_store_that_fails_for_a_moment_only_delays(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stanchion.errors import StoreBusyError

    changes, failures = world.store.changes, 1

    async def flaky(*args: Any, **kwargs: Any) -> Any:
        nonlocal failures
        if failures:
            failures -= 1
            raise StoreBusyError("busy")
        return await changes(*args, **kwargs)

    monkeypatch.setattr(world.store, "changes", flaky)
    async with watch.open(Interest(everything=True)) as watcher:
        await enqueue(world, 1)
        assert await some(watcher, "event")


async def test_a_reader_that_breaks_ends_all_watches_and_the_next_starts_anew(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("bug")

    with monkeypatch.context() as patched:
        patched.setattr(world.store, "changes", broken)
        async with watch.open(Interest(everything=True)) as watcher:
            await enqueue(world, 1)
            async with asyncio.timeout(5):
                assert await watcher.take() == []
            assert watcher.ended == "closed"
    async with watch.open(Interest(everything=True)) as again:
        await enqueue(world, 2)
        assert await some(again, "event")


async def test_a_large_batch_arrives_whole(world: World, watch: Watch) -> None:
    async with watch.open(Interest(everything=True)) as watcher:
        told: list[Notice] = []

        async def read() -> None:
            while len(told) < 3_000:
                told.extend(await some(watcher, "event"))

        reading = asyncio.create_task(read())
        for start in range(0, 3_000, 500):
            await enqueue(world, *range(start, start + 500))
            await asyncio.sleep(0.03)
        await asyncio.wait_for(reading, 20)
    versions = [notice.event.cursor for notice in told if notice.event is not None]
    assert versions == sorted(set(versions))
    assert len(versions) == 3_000
