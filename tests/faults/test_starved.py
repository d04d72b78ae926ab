"""F28: threads or file descriptors are used up: jobs wait and lose no attempt, nothing runs twice, and all recovers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import signal
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from stanchion import Stanchion
from stanchion.domain.query import Filter
from stanchion.engine import attempt
from tests.faults.checker import COMPLETED, History, audit
from tests.faults.running import ended, put, starts
from tests.faults.trees import Tree, python, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from stanchion.stores.sqlite import SqliteStore


class Threads:
    """Says whether threads of some names can be started."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.refused: tuple[str, ...] = ()
        self.refusals = 0
        start = threading.Thread.start

        def started(thread: threading.Thread) -> None:
            if thread.name.startswith(self.refused or ("no such",)):
                self.refusals += 1
                message = "can't start new thread"
                raise RuntimeError(message)
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", started)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Threads:
    monkeypatch.setattr(logging.getLogger("stanchion"), "propagate", True)
    monkeypatch.setattr(attempt, "STARVED", 50)
    return Threads(monkeypatch)


async def all_ended(app: Stanchion, count: int) -> None:
    async def have_ended() -> bool:
        jobs = (await app.store.list(Filter(), limit=100)).jobs
        return len(jobs) == count and all(job.final for job in jobs)

    await until("all jobs ended", have_ended)


@pytest.mark.parametrize("living", [0, 1], ids=["no thread yet", "one thread already"])
async def test_a_handler_that_gets_no_thread_runs_later_and_once(
    tmp_path: Path, threads: Threads, living: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Where one thread lives, what could not start one must not be left in line for it as well."""
    app = Stanchion(f"sqlite:///{tmp_path / 't.db'}")
    ran: list[int] = []
    go = threading.Event()

    @app.task(retry=1)
    def slow(n: int) -> int:
        ran.append(n)
        if not n:
            go.wait(20)
        return n

    stop = asyncio.Event()
    async with app:
        working = asyncio.create_task(app.run_worker(stop=stop, slots=4))

        async def first_runs() -> bool:
            return ran == [0]

        async def refused() -> bool:
            return threads.refusals >= 3

        try:
            if living:
                await slow.enqueue(0)
                await until("the first runs", first_runs)
            threads.refused = ("stanchion-task",)
            for number in range(1, 4):
                await slow.enqueue(number)
            await until("three were refused", refused)
            go.set()
            if not living:
                threads.refused = ()
            await all_ended(app, 3 + living)
        finally:
            go.set()
            stop.set()
            await working
    assert sorted(ran) == [0, 1, 2, 3][1 - living :]
    assert "no thread" in caplog.text
    history = History(tmp_path / "t.db")
    assert audit(history) == []
    assert {job.spent for job in history.jobs.values()} == {1}
    assert history.outcomes()["completed"] == 3 + living
    assert set(history.outcomes()) <= {"completed", "snoozed"}


async def test_a_worker_that_cannot_look_at_its_leases_goes_on(
    tmp_path: Path, threads: Threads, caplog: pytest.LogCaptureFixture
) -> None:
    """The reader's thread is not to be had: the look at what is still held fails, and is tried again."""
    app = Stanchion(f"sqlite:///{tmp_path / 't.db'}", profile="fast")

    @app.task
    async def wait() -> int:
        await go.wait()
        return 1

    go, stop = asyncio.Event(), asyncio.Event()
    async with app:
        threads.refused = ("stanchion-reader",)
        job = await wait.enqueue()
        worker = app.worker(slots=1)
        worker._beats = False  # as under a supervisor
        working = asyncio.create_task(worker.run(stop))

        async def said() -> bool:
            return caplog.text.count("liveness could not be checked") >= 2

        try:
            await until("it was tried twice", said)
            threads.refused = ()
            await app.store.cancel([job.id])
            await all_ended(app, 1)
        finally:
            go.set()
            stop.set()
            await working
    assert (await asyncio.to_thread(History, tmp_path / "t.db")).outcomes()["cancelled"] == 1


@pytest.fixture
def limits() -> Iterator[Limits]:
    made = Limits()
    yield made
    made.lift()


class Limits:
    """Leaves processes no new file descriptor, until lifted."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[int, int]] = {}

    def set(self, pid: int, spare: int = 0) -> None:
        """Let a process open so many files more than it has open."""
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        self._before[pid] = (soft, hard)
        highest = max(int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir())
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 1 + spare if spare else 3, hard))

    def lift(self) -> None:
        """Give all processes their limits back."""
        for pid, before in self._before.items():
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        self._before.clear()


def says(log: Path, text: str, times: int = 1) -> Callable[[], Awaitable[bool]]:
    """Return a condition: a log has lines with a text."""

    async def said() -> bool:
        found = await asyncio.to_thread(log.read_text, errors="replace")
        return found.count(text) >= times

    return said


def lived(store: SqliteStore, folder: Path, ids: Sequence[str]) -> None:
    """Check that each job completed at its only start, and that nothing of the file is wrong."""
    history = History(store.path)
    assert audit(history) == []
    assert {history.by_id[key].state for key in ids} == {COMPLETED}
    assert [len(starts(folder, key)) for key in ids] == [1] * len(ids)


@pytest.mark.timeout(60)
async def test_a_supervisor_without_file_descriptors_starts_its_child_later(
    store: SqliteStore, tmp_path: Path, limits: Limits
) -> None:
    with Tree(tmp_path, processes=1, slots=2) as tree:
        await until("a worker lives", lambda: _alive(store, 1))
        limits.set(tree.process.pid)
        os.kill(tree.below[0], signal.SIGKILL)
        ids = await put(store, "work", '{"ms":1}', 10)
        await until("it was tried", says(tree.log, "a worker process cannot be started", 2))
        assert tree.process.poll() is None
        assert tree.logged("ulimit -n") >= 2
        limits.lift()
        await ended(store, ids)
        assert tree.stop() == 0
    lived(store, tmp_path, ids)


async def _alive(store: SqliteStore, count: int) -> bool:
    return sum(row.alive for row in await store.workers()) == count


@pytest.mark.timeout(60)
async def test_a_worker_without_file_descriptors_runs_its_jobs_later_and_once(
    store: SqliteStore, tmp_path: Path, limits: Limits
) -> None:
    log = tmp_path / "worker.log"
    env = {"FAULTS_EFFECTS": str(tmp_path / "effects")}
    process = python("-m", "tests.faults.alone", f"sqlite:///{store.path}", env=env, log=log)
    try:
        await until("a worker lives", lambda: _alive(store, 1))
        limits.set(process.pid)
        ids = await put(store, "alone", "{}", 6)
        await until("it was tried", says(log, "no process could be started", 6))
        assert (await asyncio.to_thread(History, store.path)).outcomes().keys() == {"snoozed"}
        limits.lift()
        await ended(store, ids)
        process.terminate()
        assert await asyncio.to_thread(process.wait, 20) == 0
    finally:
        process.kill()
        process.wait()
    lived(store, tmp_path, ids)


@pytest.mark.timeout(60)
async def test_a_server_without_file_descriptors_answers_again_when_it_has_some(
    store: SqliteStore, tmp_path: Path, limits: Limits
) -> None:
    """What was acknowledged before, in between and after is there, once."""
    log = tmp_path / "server.log"
    url = f"sqlite:///{store.path}"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = python("-m", "stanchion", "serve", "tests.faults.tasks:app", "--url", url, "--port", port, log=log)
    told: list[str] = []

    async def enqueued(client: httpx.AsyncClient) -> bool:
        with contextlib.suppress(httpx.TransportError):
            made = await client.post("/api/v1/jobs", json={"task": "work", "args": {"ms": 1}})
            if made.is_success:
                told.append(made.json()["id"])
                return True
        return False

    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
            await until("it serves", lambda: enqueued(client))
            limits.set(process.pid, spare=2)
            strangers = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
            await until("it has none left", says(log, "Too many open files"))
            assert await enqueued(client), "a connection that is open goes on"
            for stranger in strangers:
                stranger.close()
        limits.lift()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
            await until("it answers new clients", lambda: enqueued(client))
        process.terminate()
        assert await asyncio.to_thread(process.wait, 20) == 0
    finally:
        process.kill()
        process.wait()
    history = History(store.path)
    assert audit(history) == []
    assert set(history.by_id) == set(told)
    assert len(told) == 3
