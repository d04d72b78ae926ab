"""Jobs that run together in one call: each ends on its own, and nobody waits for what does not come."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from stanchion import (
    Backoff,
    Batch,
    Cancel,
    Context,
    Item,
    Items,
    JobCancelledError,
    JobFailedError,
    PayloadError,
    Retry,
    Snooze,
    Stanchion,
    State,
    Submission,
    SyncItems,
    TaskError,
    UsageError,
)
from stanchion.domain.outcome import Lost
from stanchion.store import Want
from tests.conformance.helpers import LEASE_FOR, ended, info
from tests.engine.helpers import SOON, in_state, outcomes, until, working

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from stanchion import Job, Task

FOUR = Batch(max_size=4)
ONCE = Retry(max_attempts=1)
AGAIN = Retry(backoff=Backoff(base=0))


class Calls(list[list[Any]]):
    """What each call was given, in order."""

    def note(self, items: Items | SyncItems) -> list[Any]:
        self.append([item.args["n"] for item in items])
        return self[-1]


def painting(app: Stanchion, calls: Calls, **options: Any) -> Task[[int], int]:
    """A task that doubles numbers, several at once."""

    given: dict[str, Any] = {"batch": FOUR} | options

    @app.task(**given)
    async def paint(n: int) -> int:
        calls.append([n])
        return n * 2

    @paint.together
    async def several(items: Items) -> list[int | Exception]:
        return [n * 2 for n in calls.note(items)]

    return paint


async def burst(app: Stanchion, **options: Any) -> None:
    async with asyncio.timeout(SOON):
        await app.run_worker(burst=True, **options)


async def add(task: Task[Any, Any], count: int) -> list[Job[Any]]:
    return await task.enqueue_many([{"n": n} for n in range(count)])


async def test_jobs_run_four_at_a_time_and_each_has_its_own_result(app: Stanchion) -> None:
    calls = Calls()
    async with app:
        jobs = await add(painting(app, calls), 9)
        await burst(app, slots=1)
        assert [await job.result() for job in jobs] == [n * 2 for n in range(9)]
    assert calls == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]


async def test_a_group_takes_one_slot(app: Stanchion) -> None:
    at_once: Counter[str] = Counter()

    @app.task(batch=FOUR)
    async def paint(n: int) -> int:
        return n

    @paint.together
    async def several(items: Items) -> list[int]:
        at_once["now"] += 1
        at_once["most"] = max(at_once["most"], at_once["now"])
        await asyncio.sleep(0)
        at_once["now"] -= 1
        return [item.args["n"] for item in items]

    async with app:
        jobs = await add(paint, 16)
        await burst(app, slots=2)
        assert [await job.result() for job in jobs] == list(range(16))
    assert at_once["most"] == 2


async def test_jobs_of_other_keys_are_called_apart(app: Stanchion) -> None:
    seen: list[set[int]] = []

    @app.task(batch=Batch(max_size=4, key=lambda size: size))
    async def paint(prompt: str, size: int = 64) -> str:
        return f"{prompt} {size}"

    @paint.together
    async def several(items: Items) -> list[str]:
        seen.append({item.args["size"] for item in items})
        return [f"{item.args['prompt']} {item.args['size']}" for item in items]

    async with app:
        jobs = [await paint.enqueue("orc", size=size) for size in (64, 32, 64, 32, 64)]
        jobs.append(await paint.enqueue("elf"))
        await burst(app)
        assert [await job.result() for job in jobs] == ["orc 64", "orc 32", "orc 64", "orc 32", "orc 64", "elf 64"]
    assert seen == [{64}, {32}]


async def test_one_bad_input_fails_one_job(app: Stanchion) -> None:
    @app.task(batch=FOUR, retry=ONCE)
    async def paint(n: int) -> Any:
        return n

    @paint.together
    async def several(items: Items) -> list[Any]:
        return [1, ValueError("bad"), None, object()]

    async with app:
        jobs = await add(paint, 4)
        await burst(app)
        assert await jobs[0].result() == 1
        assert await jobs[2].result() is None
        with pytest.raises(JobFailedError, match="bad"):
            await jobs[1].result()
        with pytest.raises(JobFailedError, match="cannot be stored"):
            await jobs[3].result()


async def test_a_job_may_ask_to_run_later_or_be_cancelled_alone(app: Stanchion) -> None:
    @app.task(batch=FOUR)
    async def paint(n: int) -> int:
        return n

    @paint.together
    async def several(items: Items) -> list[int | Exception]:
        return [Snooze(600), items[1].args["n"], Cancel("not now")]

    async with app:
        jobs = await add(paint, 3)
        stop = asyncio.Event()
        work = asyncio.create_task(app.run_worker(stop=stop))
        await in_state(jobs[1], "completed")
        stop.set()
        await work
        states = [(await job.refresh()).state for job in jobs]
    assert states == [State.SCHEDULED, State.COMPLETED, State.CANCELLED]


@pytest.mark.parametrize("returned", [[1], [1, 2, 3], 7, None])
async def test_a_wrong_number_of_results_fails_all_and_says_so(app: Stanchion, returned: Any) -> None:
    @app.task(batch=FOUR, retry=ONCE)
    async def paint(n: int) -> int:
        return n

    @paint.together
    async def several(items: Items) -> list[int]:
        return returned

    async with app:
        for job in await add(paint, 2):
            await burst(app)
            with pytest.raises(JobFailedError, match="for 2 jobs; return one each"):
                await job.result()


async def test_what_the_call_raises_holds_for_all(app: Stanchion) -> None:
    @app.task(batch=FOUR)
    async def paint(n: int) -> int:
        return n

    @paint.together
    async def several(items: Items) -> list[int]:
        raise TaskError("no such style", kind="content_policy")

    async with app:
        jobs = await add(paint, 3)
        await burst(app)
        for job in jobs:
            assert (await job.refresh()).state == "failed"
            assert await outcomes(app, job) == ["failed"]


async def test_each_job_has_its_own_context_and_progress_may_be_told_for_all(app: Stanchion) -> None:
    @app.task(batch=FOUR)
    async def paint(ctx: Context, n: int) -> str:
        return str(n)

    @paint.together
    async def several(items: Items) -> list[str]:
        await items.progress(1, 2, stage="half")
        for item in items:
            await item.ctx.output(f"piece {item.args['n']}")
        found = await app.store.inspect([item.ctx.job.id for item in items])
        assert all(one is not None and one.progress is not None and one.progress.stage == "half" for one in found)
        assert isinstance(items[0], Item)
        return [item.ctx.idempotency_key + str(item.ctx.attempt) for item in items]

    async with app:
        jobs = await add(paint, 3)
        await burst(app)
        results = [await job.result() for job in jobs]
        assert len(set(results)) == 3
        for n, job in enumerate(jobs):
            assert [output.data for output in await app.store.outputs(job.id)] == [f"piece {n}".encode()]


async def test_a_plain_function_runs_several_in_a_thread(app: Stanchion) -> None:
    @app.task(batch=FOUR)
    def paint(n: int) -> int:
        return n

    @paint.together
    def several(items: SyncItems) -> list[int]:
        items.progress(1, 1)
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        return [item.args["n"] + item.ctx.attempt for item in items]

    async with app:
        jobs = await add(paint, 3)
        await burst(app)
        assert [await job.result() for job in jobs] == [1, 2, 3]


async def test_hooks_run_around_each_job(app: Stanchion) -> None:
    calls = Calls()
    seen: list[str] = []

    @app.around_attempt
    async def watched(ctx: Context, call: Callable[[], Awaitable[Any]]) -> Any:
        seen.append(ctx.job.id)
        return await call()

    async with app:
        jobs = await add(painting(app, calls), 3)
        await burst(app)
        assert [await job.result() for job in jobs] == [0, 2, 4]
    assert seen == [job.id for job in jobs]


async def test_a_cancelled_job_is_dropped_and_the_others_go_on(app: Stanchion) -> None:
    began, cancelled = asyncio.Event(), asyncio.Event()

    @app.task(batch=FOUR)
    async def paint(n: int) -> int:
        return n

    @paint.together
    async def several(items: Items) -> list[int]:
        began.set()
        await cancelled.wait()
        await until(lambda: items[1].ctx.cancelled)
        return [item.args["n"] for item in items]

    async with app, working(app):
        jobs = await add(paint, 3)
        await began.wait()
        await jobs[1].cancel()
        cancelled.set()
        assert [await jobs[0].result(SOON), await jobs[2].result(SOON)] == [0, 2]
        with pytest.raises(JobCancelledError):
            await jobs[1].result(SOON)


async def test_a_call_of_which_all_jobs_are_cancelled_is_stopped(app: Stanchion) -> None:
    began = asyncio.Event()

    @app.task(batch=FOUR)
    async def paint(n: int) -> int:
        return n

    @paint.together
    async def several(items: Items) -> list[int]:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with app, working(app):
        jobs = await add(paint, 3)
        await began.wait()
        for job in jobs:
            await job.cancel()
        for job in jobs:
            await in_state(job, "cancelled")


async def test_the_whole_call_times_out(app: Stanchion) -> None:
    @app.task(batch=FOUR, timeout=0.05, retry=ONCE)
    async def paint(n: int) -> int:
        return n

    @paint.together
    async def several(items: Items) -> list[int]:
        await asyncio.Event().wait()
        raise AssertionError

    async with app:
        jobs = await add(paint, 3)
        await burst(app)
        for job in jobs:
            with pytest.raises(JobFailedError, match="timeout"):
                await job.result()


async def test_a_worker_that_stops_gives_all_jobs_of_a_call_back_unspent(app: Stanchion) -> None:
    began = asyncio.Event()

    @app.task(batch=FOUR)
    async def paint(n: int) -> int:
        return n

    @paint.together
    async def several(items: Items) -> list[int]:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with app:
        jobs = await add(paint, 3)
        async with working(app, grace=0.01):
            await began.wait()
        for job in jobs:
            assert (await job.refresh()).state == "queued"
            assert await outcomes(app, job) == ["released"]


# --- memory ---------------------------------------------------------------------------------------------------------


def hungry_task(app: Stanchion, calls: Calls, room: list[int], size: int = 8) -> Task[[int], int]:
    """A task whose calls have memory for so many jobs."""

    @app.task(batch=Batch(max_size=size), retry=ONCE)
    async def paint(n: int) -> int:
        calls.append([n])
        if room[0] < 1:
            raise MemoryError
        return n

    @paint.together
    async def several(items: Items) -> list[int]:
        numbers = calls.note(items)
        if len(numbers) > room[0]:
            message = "CUDA out of memory"
            raise MemoryError(message)
        return numbers

    return paint


async def test_a_call_that_runs_out_of_memory_is_made_again_in_halves_in_the_same_attempt(app: Stanchion) -> None:
    calls = Calls()
    async with app:
        jobs = await add(hungry_task(app, calls, [3]), 8)
        await burst(app, slots=1)
        assert [await job.result() for job in jobs] == list(range(8))
        assert {(await job.refresh()).facts.attempt for job in jobs} == {1}
    assert [len(call) for call in calls] == [8, 4, 2, 2, 4, 2, 2]


async def test_what_was_claimed_before_the_size_was_known_is_called_in_parts_that_fit(app: Stanchion) -> None:
    calls = Calls()
    async with app:
        jobs = await add(hungry_task(app, calls, [2], size=4), 12)
        await burst(app, slots=1)
        assert [await job.result() for job in jobs] == list(range(12))
    assert [len(call) for call in calls] == [4, 2, 2, 2, 2, 2, 2]


async def test_the_size_that_fits_is_remembered_for_the_key(app: Stanchion) -> None:
    calls = Calls()
    async with app:
        task = hungry_task(app, calls, [2])
        await add(task, 8)
        await burst_then(app, calls, task)


async def burst_then(app: Stanchion, calls: Calls, task: Task[[int], int]) -> None:
    """Run one worker over two bursts of jobs; the second fits at once."""
    async with working(app, slots=1):
        await until(lambda: sum(len(call) for call in calls if len(call) <= 2) == 8)
        calls.clear()
        jobs = await add(task, 6)
        assert [await job.result(SOON) for job in jobs] == list(range(6))
    assert [len(call) for call in calls] == [2, 2, 2]


async def test_in_time_a_larger_call_is_tried_again(app: Stanchion) -> None:
    calls, room = Calls(), [2]
    async with app, working(app, slots=1):
        task = hungry_task(app, calls, room, size=4)
        await add(task, 4)
        await until(lambda: calls == [[0, 1, 2, 3], [0, 1], [2, 3]])
        room[0] = 4
        for _ in range(40):
            for job in await add(task, 4):
                await job.result(SOON)
    sizes = [max(len(call) for call in calls[3:][: at + 1]) for at in range(len(calls) - 3)]
    assert sizes[:10] == [2] * 10
    assert set(sizes) == {2, 3, 4}


async def test_a_single_job_without_memory_ends_as_its_kind_says(app: Stanchion) -> None:
    calls = Calls()
    async with app:
        jobs = await add(hungry_task(app, calls, [0]), 2)
        await burst(app)
        assert [(await job.refresh()).state for job in jobs] == ["failed", "failed"]
        with pytest.raises(JobFailedError, match="resource"):
            await jobs[0].result()
    assert calls == [[0, 1], [0], [1]]


# --- waiting --------------------------------------------------------------------------------------------------------


def counting(app: Stanchion) -> list[Want]:
    """The claims that ask for jobs to join a group, from now on."""
    joins: list[Want] = []
    claim = app.store.claim

    async def counted(worker: int, want: Want, settled: Any = ()) -> Any:
        if want.join is not None:
            joins.append(want)
        return await claim(worker, want, settled)

    app.store.claim = counted
    return joins


async def test_a_job_of_which_no_more_comes_is_not_held(app: Stanchion) -> None:
    calls = Calls()
    async with app:
        joins = counting(app)
        task = painting(app, calls, batch=Batch(max_size=4, max_wait=60))
        jobs = [*await add(task, 6), *[await task.options(delay=300).enqueue(7)]]
        stop = asyncio.Event()
        work = asyncio.create_task(app.run_worker(stop=stop))
        assert [await job.result(SOON) for job in jobs[:6]] == [0, 2, 4, 6, 8, 10]
        stop.set()
        await work
    assert calls == [[0, 1, 2, 3], [4, 5]]
    assert not joins


async def test_a_call_waits_for_a_job_that_falls_due_soon(app: Stanchion) -> None:
    calls = Calls()
    async with app:
        task = painting(app, calls, batch=Batch(max_size=4, max_wait=30))
        soon = await task.options(delay=0.2).enqueue(1)
        now = await task.enqueue(0)
        await burst(app, slots=1)
        assert [await now.result(), await soon.result()] == [0, 2]
    assert calls == [[0, 1]]


async def test_a_call_waits_for_jobs_that_come_at_short_intervals_and_starts_when_it_is_full(app: Stanchion) -> None:
    calls = Calls()
    async with app:
        task = painting(app, calls, batch=Batch(max_size=3, max_wait=60))
        for n in range(4):
            await task.enqueue(n)
            await asyncio.sleep(0.3)
        # the pace is about 0.3 s: two of these wait for one that comes while they do
        async with working(app, slots=1):
            await until(lambda: calls == [[0, 1, 2]])
            await task.enqueue(4)
            await until(lambda: calls == [[0, 1, 2], [3, 4]] or len(calls) > 1)
            await task.enqueue(5)
            await until(lambda: sum(map(len, calls)) == 6)
    assert calls[0] == [0, 1, 2]
    assert calls[1][:2] == [3, 4]


async def test_a_worker_that_stops_gives_a_group_that_waits_back(app: Stanchion) -> None:
    calls = Calls()
    async with app:
        task = painting(app, calls, batch=Batch(max_size=4, max_wait=60))
        await task.options(delay=40).enqueue(1)
        held = await task.enqueue(0)
        async with working(app, slots=1):
            await in_state(held, "running")
        assert (await held.refresh()).state == "queued"
        assert await outcomes(app, held) == ["released"]
    assert not calls


# --- crashes and other workers --------------------------------------------------------------------------------------


async def test_jobs_that_ended_their_worker_together_run_one_by_one(app: Stanchion) -> None:
    calls = Calls()
    async with app:
        task = painting(app, calls)
        jobs = await add(task, 3)
        worker = await app.store.register(info("gone", tasks=("paint",)), LEASE_FOR)
        _, claimed = await app.store.claim(worker, Want(9, frozenset({"paint"})))
        assert all(await app.store.settle([ended(lease, Lost()) for lease in claimed.leases]))
        await burst(app)
        assert [await job.result() for job in jobs] == [0, 2, 4]
    assert sorted(calls) == [[0], [1], [2]]


async def test_batches_work_on_a_file(filed: Stanchion) -> None:
    calls = Calls()
    async with filed:
        jobs = await add(painting(filed, calls), 30)
        await burst(filed, slots=2)
        assert [await job.result() for job in jobs] == [n * 2 for n in range(30)]
    assert sorted(map(len, calls)) == [2, 4, 4, 4, 4, 4, 4, 4]


# --- declarations ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("batch", "why"),
    [
        (Batch(max_size=1), "max_size"),
        (Batch(max_size=2_000), "max_size"),
        (Batch(max_size=4, max_wait=61), "max_wait"),
        (Batch(max_size=4, max_cost=9), "cost="),
        (Batch(max_size=4, key=lambda other: other), "batch key of task 'paint' takes 'other'"),
    ],
)
def test_a_batch_that_cannot_be_used_is_refused_where_it_is_declared(app: Stanchion, batch: Batch, why: str) -> None:
    with pytest.raises(UsageError, match=why):

        @app.task(batch=batch)
        async def paint(n: int) -> int:
            return n


async def test_a_worker_says_that_nothing_runs_several(app: Stanchion) -> None:
    @app.task(batch=FOUR)
    async def paint(n: int) -> int:
        return n

    async with app:
        with pytest.raises(UsageError, match=r"@paint\.together"):
            app.worker()


def test_a_function_for_several_needs_batches_and_one_argument(app: Stanchion) -> None:
    @app.task
    async def alone(n: int) -> int:
        return n

    @app.task(batch=FOUR)
    async def paint(n: int) -> int:
        return n

    async def none() -> list[int]:
        return []

    none_at_all: Any = none

    async def several(items: Items) -> list[int]:
        return []

    with pytest.raises(UsageError, match="has no batches"):
        alone.together(several)
    with pytest.raises(UsageError, match="must take one argument"):
        paint.together(none_at_all)


async def test_a_key_that_cannot_be_told_refuses_the_request(app: Stanchion) -> None:
    @app.task(batch=Batch(max_size=4, key=lambda n: 1 // n))
    async def paint(n: int) -> int:
        return n

    async with app:
        with pytest.raises(PayloadError, match="ZeroDivisionError"):
            await paint.enqueue(0)


async def test_a_long_key_is_kept_short(app: Stanchion) -> None:
    @app.task(batch=Batch(max_size=4, key=lambda text: text))
    async def paint(text: str) -> str:
        return text

    async with app:
        one = await app.prepare(Submission("paint", {"text": "x" * 1_000}))
        other = await app.prepare(Submission("paint", {"text": "x" * 1_001}))
    assert len(one.batch) == len(other.batch) == 64
    assert one.batch != other.batch
