"""Hooks: before an enqueue, around an attempt, on every change of state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stanchion import Context, RefusedError, Retry, Stanchion, StateChange, Submission
from tests.engine.helpers import AT_ONCE, SOON, ended, until, working

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def test_a_hook_may_change_a_request_before_it_is_validated(app: Stanchion) -> None:
    @app.before_enqueue
    def fill(submission: Submission) -> Submission:
        return submission._replace(args={**submission.args, "size": 32})

    @app.before_enqueue
    async def look(submission: Submission) -> None:
        assert submission.args["size"] == 32

    @app.task
    async def draw(prompt: str, size: int) -> int:
        return size

    job = await (await draw.enqueue("x", size="replaced")).refresh()  # type: ignore[arg-type]
    assert job.facts.args == b'{"prompt":"x","size":32}'


async def test_a_hook_that_raises_refuses_the_request(app: Stanchion) -> None:
    @app.before_enqueue
    def refuse(submission: Submission) -> None:
        raise RefusedError("not today")

    @app.task
    async def idle() -> None: ...

    with pytest.raises(RefusedError, match="not today"):
        await idle.enqueue()
    await app.open()
    assert await app.jobs() == []


async def test_hooks_wrap_each_attempt_the_first_outermost(app: Stanchion) -> None:
    seen: list[str] = []

    def wrapping(name: str) -> Callable[[Context, Callable[[], Awaitable[Any]]], Awaitable[Any]]:
        async def hook(ctx: Context, call: Callable[[], Awaitable[Any]]) -> Any:
            seen.append(f"{name} before {ctx.attempt}")
            try:
                return f"{name}({await call()})"
            finally:
                seen.append(f"{name} after")

        return hook

    app.around_attempt(wrapping("outer"))
    app.around_attempt(wrapping("inner"))

    @app.task(retry=Retry(backoff=AT_ONCE))
    async def run() -> str:
        seen.append("run")
        if seen.count("run") == 1:
            raise RuntimeError
        return "done"

    @app.task
    def plain() -> str:
        return "plain"

    async with working(app):
        assert await (await run.enqueue()).result(SOON) == "outer(inner(done))"
        first = ["outer before 1", "inner before 1", "run", "inner after", "outer after"]
        assert seen[:5] == first
        assert seen[5:] == [line.replace("1", "2") for line in first]
        assert await (await plain.enqueue()).result(SOON) == "outer(inner(plain))"


async def test_a_hook_around_an_attempt_may_end_it(app: Stanchion) -> None:
    @app.around_attempt
    async def guard(ctx: Context, call: Callable[[], Awaitable[Any]]) -> Any:
        raise PermissionError(ctx.job.task)

    @app.task(retry=1)
    async def idle() -> None: ...

    async with working(app):
        job = await idle.enqueue()
        assert await ended(job) == "failed"
    assert job.error is not None
    assert job.error.type == "PermissionError"


async def test_a_state_hook_sees_every_change_from_the_first(app: Stanchion) -> None:
    seen: list[tuple[str, str, int]] = []

    @app.on_state
    def note(change: StateChange) -> None:
        seen.append((change.job.id, change.state.value, change.version))

    @app.task
    async def run(n: int) -> None: ...

    jobs = await run.enqueue_many({"n": n} for n in range(1, 20))
    async with working(app):
        for job in jobs:
            await job.result(SOON)
        await until(lambda: len(seen) >= 3 * len(jobs))
    for job in jobs:
        assert [(state, version) for job_id, state, version in seen if job_id == job.id] == [
            ("queued", 1),
            ("running", 2),
            ("completed", 3),
        ]


async def test_a_state_hook_that_raises_is_logged_and_goes_on(app: Stanchion, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []

    @app.on_state
    async def fail(change: StateChange) -> None:
        seen.append(change.state.value)
        raise RuntimeError("in the hook")

    @app.task
    async def idle() -> None: ...

    await idle.enqueue()
    await app.run_worker(burst=True)
    await until(lambda: len(seen) == 3)
    assert "a state hook failed" in caplog.text
