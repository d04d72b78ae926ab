"""A caller's end of a job: its result as the function's own type, its events, its errors."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from stanchion import (
    Context,
    File,
    Image,
    JobCancelledError,
    JobEvent,
    JobFailedError,
    NotFoundError,
    Stanchion,
    TaskError,
    WrongStateError,
)
from stanchion.demo.sprites import png, render
from tests.engine.helpers import SOON, ended, in_state, working


@dataclass
class Box:
    width: int
    names: list[str]


async def test_a_result_has_the_type_that_the_function_returns(app: Stanchion) -> None:
    @app.task
    async def boxed(width: int) -> Box:
        return Box(width, ["a"])

    @app.task
    def plain(a: int, /, b: int, *, c: int = 3) -> tuple[int, int]:
        return a + b, c

    @app.task
    async def nothing() -> None: ...

    async with working(app):
        assert await (await boxed.enqueue(4)).result(SOON) == Box(4, ["a"])
        assert await (await plain.enqueue(1, b=2)).result(SOON) == (3, 3)
        assert await (await nothing.enqueue()).result(SOON) is None


def picture() -> bytes:
    *_, last = render("an orc", size=16, seed=0, palette=None)
    return png(last.pixels)


async def test_files_travel_both_ways_by_their_content(app: Stanchion) -> None:
    @app.task
    async def frame(image: Image, notes: list[File]) -> dict[str, Image]:
        assert image.width == 16
        return {notes[0].data.decode(): Image(image.data, name="framed.png")}

    async with working(app):
        job = await frame.enqueue(Image(picture(), name="orc.png"), [File(b"key", content_type="text/plain")])
        found = (await job.result(SOON))["key"]
    assert isinstance(found, Image)
    assert (found.data, found.name, found.content_type) == (picture(), "framed.png", "image/png")
    assert (found.width, found.height, found.size) == (16, 16, len(picture()))
    (output,) = await app.store.outputs(job.id)
    assert (output.kind, output.artifact, output.name) == ("artifact", found.sha256, "framed.png")
    assert picture() not in job.facts.args


async def test_a_result_that_cannot_be_stored_fails_the_job(app: Stanchion) -> None:
    @app.task
    async def odd() -> object:
        return object()

    @app.task(max_payload=100)
    async def large() -> str:
        return "x" * 1_000

    async with working(app):
        for task in (odd, large):
            job = await task.enqueue()
            with pytest.raises(JobFailedError) as failure:
                await job.result(SOON)
            assert failure.value.kind == "validation"


async def test_a_failed_job_raises_its_kind_and_message(app: Stanchion) -> None:
    @app.task
    async def refuse() -> None:
        message = "no such style"
        raise TaskError(message, kind="content_policy")

    async with working(app):
        with pytest.raises(JobFailedError, match="no such style") as failure:
            await (await refuse.enqueue()).result(SOON)
    assert (failure.value.kind, failure.value.retryable) == ("content_policy", False)


async def test_a_cancelled_job_raises_cancelled(app: Stanchion) -> None:
    @app.task
    async def idle() -> None: ...

    job = await idle.enqueue()
    await job.cancel()
    with pytest.raises(JobCancelledError):
        await job.result(SOON)


async def test_a_result_that_takes_too_long_is_a_timeout_and_the_job_goes_on(app: Stanchion) -> None:
    @app.task
    async def idle() -> None: ...

    job = await idle.enqueue()
    with pytest.raises(TimeoutError):
        await job.result(0.05)
    await app.run_worker(burst=True)
    await job.result(SOON)
    assert job.state == "completed"


async def test_many_callers_may_wait_for_one_job(app: Stanchion) -> None:
    @app.task
    async def one() -> int:
        return 1

    job = await one.enqueue()
    waiting = [asyncio.create_task(job.result(SOON)) for _ in range(20)]
    async with working(app):
        assert await asyncio.gather(*waiting) == [1] * 20


async def test_events_come_in_order_and_end_with_the_end(app: Stanchion) -> None:
    go = asyncio.Event()

    @app.task
    async def stages(ctx: Context) -> None:
        await ctx.progress(1, 2, stage="half")
        await ctx.preview(picture())
        await ctx.output("some ")
        await ctx.output("text")
        await go.wait()

    seen: list[JobEvent] = []
    job = await stages.enqueue()
    async with AsyncExitStack() as stack:
        async for event in job.events():
            if not seen:
                await stack.enter_async_context(working(app))
            seen.append(event)
            if {"progress", "preview"} <= {each.kind for each in seen}:
                go.set()
    assert [each.state for each in seen if each.kind == "status"] == ["queued", "running", "completed"]
    assert [each.version for each in seen if each.kind == "status"] == [1, 2, 3]
    assert b"".join(each.data or b"" for each in seen if each.kind == "output") == b"some text"
    (progress,) = [each for each in seen if each.kind == "progress"]
    assert (progress.fraction, progress.stage) == (0.5, "half")
    assert seen[-1].state == "completed"


async def test_events_of_a_job_that_has_ended_are_its_end_alone(app: Stanchion) -> None:
    @app.task
    async def idle() -> None: ...

    job = await idle.enqueue()
    await app.run_worker(burst=True)
    assert [event.state async for event in job.events()] == ["completed"]


async def test_a_failed_job_runs_again_when_asked(app: Stanchion) -> None:
    results = iter([TaskError("first", kind="validation"), None])

    @app.task
    async def second_time() -> str:
        problem = next(results)
        if problem:
            raise problem
        return "done"

    async with working(app):
        job = await second_time.enqueue()
        assert await ended(job) == "failed"
        assert (await job.retry()).state == "queued"
        assert (job.facts.spent, job.error) == (0, None)
        assert await job.result(SOON) == "done"


async def test_only_a_failed_job_can_be_retried(app: Stanchion) -> None:
    @app.task
    async def idle() -> None: ...

    job = await idle.enqueue()
    with pytest.raises(WrongStateError):
        await job.retry()


async def test_a_job_that_is_not_there_is_not_found(app: Stanchion) -> None:
    with pytest.raises(NotFoundError):
        await app.job("00000000-0000-7000-8000-000000000000")
    with pytest.raises(NotFoundError):
        await app.job("no id")


async def test_facts_need_a_first_look(app: Stanchion) -> None:
    @app.task
    async def idle() -> None: ...

    job = await idle.enqueue()
    with pytest.raises(NotFoundError, match="not been read"):
        _ = job.facts
    assert (await job.position()).position == 1


async def test_stored_arguments_that_fit_no_more_fail_the_job_as_invalid(app: Stanchion) -> None:
    @app.task(name="sum")
    async def old(a: int) -> int:
        return a

    job = await old.enqueue(1)

    async def new(a: int, b: int) -> int:
        return a + b

    fresh = Stanchion("memory://")
    spec = fresh.task(name="sum")(new).spec
    app.registry._specs["sum"] = spec
    async with working(app):
        await in_state(job, "failed")
    assert job.error is not None
    assert job.error.kind == "validation"


async def test_a_result_is_read_without_the_code_too(filed: Stanchion) -> None:
    @filed.task
    async def boxed() -> Box:
        return Box(1, [])

    job = await boxed.enqueue()
    await filed.run_worker(burst=True)
    async with Stanchion(filed.settings.url) as reader:
        assert await (await reader.job(job.id)).result(SOON) == {"width": 1, "names": []}


def test_a_file_without_bytes_here_says_so() -> None:
    reference = {"$artifact": {"sha256": "0" * 64}}

    def gone(_: str) -> bytes:
        raise NotFoundError("gone")

    with pytest.raises(NotFoundError):
        _ = File.referred(reference, gone).data
    with pytest.raises(ValueError, match="artifact"):
        File.referred({"$artifact": {"sha256": 7}}, gone)


async def test_a_forged_reference_reads_no_file(app: Stanchion) -> None:
    @app.task(retry=1)
    async def read(file: File) -> int:
        return len(file.data)

    forged: Any = {"$artifact": {"sha256": "../../etc/passwd", "size": 1}}
    async with working(app):
        job = await read.enqueue(forged)
        with pytest.raises(JobFailedError, match="not a content hash"):
            await job.result(SOON)
