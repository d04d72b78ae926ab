"""Blocking callers: the same names, and never inside an event loop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from stanchion import JobFailedError, Stanchion, Submission, TaskError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def app() -> Iterator[Stanchion]:
    made = Stanchion("memory://")
    yield made
    made.stop_portal()


def run_all(app: Stanchion) -> None:
    app.blocking(app.run_worker(burst=True))


def test_a_blocking_caller_enqueues_waits_cancels_and_retries(app: Stanchion) -> None:
    fails = iter([True, False])

    @app.task
    def double(n: int) -> int:
        return 2 * n

    @app.task
    async def second_time() -> str:
        if next(fails):
            raise TaskError("first", kind="validation")
        return "done"

    with app.sync as sync:
        job, *many = [double.sync.enqueue(4), *double.sync.enqueue_many([{"n": 1}, {"n": 2}])]
        idle = double.options(delay=60).sync.enqueue(1)
        assert (idle.state, idle.cancel().state) == ("scheduled", "cancelled")
        again = second_time.sync.enqueue()
        run_all(app)
        assert [each.result(5) for each in (job, *many)] == [8, 2, 4]
        assert job.refresh().state == "completed"
        with pytest.raises(JobFailedError):
            again.result(5)
        assert again.retry().state == "queued"
        run_all(app)
        assert again.result(5) == "done"
        assert sync.job(job.id).result(5) == 8
        assert len(sync.submit([Submission("double", {"n": 3})])) == 1
        assert [stats.policy.name for stats in sync.stats()] == ["default"]
        assert len(sync.workers()) == 2


def test_threads_share_one_portal(app: Stanchion) -> None:
    @app.task
    async def idle() -> None: ...

    found: list[str] = []
    with app.sync:
        threads = [threading.Thread(target=lambda: found.append(idle.sync.enqueue().id)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(found)) == 8
        assert sum(thread.name == "stanchion-portal" for thread in threading.enumerate()) == 1
    assert all(thread.name != "stanchion-portal" for thread in threading.enumerate())


async def test_inside_a_loop_it_refuses_instead_of_blocking(app: Stanchion) -> None:
    @app.task
    async def idle() -> None: ...

    with pytest.raises(UsageError, match="event loop"):
        idle.sync.enqueue()
    with pytest.raises(UsageError, match="event loop"), app.sync:
        pass
