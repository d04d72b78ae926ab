"""Tasks as users write them, and what type each call has. Checked by mypy, never run.

An ignored error is a promise too: mypy complains where there is none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, assert_type

from stanchion import (
    Backoff,
    Batch,
    Context,
    Dependency,
    ErrorInfo,
    Image,
    Items,
    Job,
    JobEvent,
    Kind,
    Normalize,
    ParentResult,
    Policy,
    Request,
    Retry,
    Schedule,
    Stanchion,
    State,
    StateChange,
    Submission,
    SyncContext,
    SyncItems,
    Task,
    Workflow,
    WorkflowEvent,
    WorkflowProgress,
    chain,
    chord,
    cron,
    every,
    group,
)

app = Stanchion("memory://", slots=4)


@app.task
async def plain(prompt: str, size: int = 64) -> str:
    return prompt * size


@app.task(queue="images", timeout="5m", retry=Retry(max_attempts=5, backoff=Backoff(base=0.5)), secret=["key"])
async def with_context(ctx: Context, prompt: str, *, size: int = 64) -> Image:
    await ctx.progress(1, 8, stage="shade")
    await ctx.preview(b"")
    await ctx.output("chunk", name="part")
    await ctx.cost("0.01", "USD")
    assert_type(await ctx.step("pay", lambda: 7), int)
    assert_type(ctx.attempt, int)
    assert_type(ctx.job.metadata, dict[str, Any])
    return Image(b"")


@app.task
def blocking(a: int, b: float = 1.0) -> list[float]:
    return [a * b]


@app.task(isolation="process", cache_ttl="30d", share="all", normalize={"path": Normalize(trim=True)})
def blocking_with_context(ctx: SyncContext, path: str) -> None:
    ctx.progress(1, 2)


@app.before_enqueue
def before(submission: Submission) -> Submission | None:
    return submission._replace(options=submission.options)


@app.around_attempt
async def around(ctx: Context, call: Callable[[], Awaitable[Any]]) -> object:
    return await call()


@app.on_state
async def on_state(change: StateChange) -> None:
    assert_type(change.state, State)


@app.classify
def classify(error: BaseException) -> Kind | ErrorInfo | None:
    return Kind.NETWORK


async def calls() -> None:
    assert_type(await plain.enqueue("an orc"), Job[str])
    assert_type(await plain.enqueue(prompt="an orc", size=32), Job[str])
    await plain.enqueue(7)  # type: ignore[arg-type]
    await plain.enqueue()  # type: ignore[call-arg]
    await plain.enqueue("an orc", colour="red")  # type: ignore[call-arg]
    await plain.enqueue("an orc", size="big")  # type: ignore[arg-type]

    assert_type(await with_context.enqueue("an orc", size=32), Job[Image])
    await with_context.enqueue("an orc", 32)  # type: ignore[call-arg]
    await with_context.enqueue(7)  # type: ignore[arg-type]
    await with_context.enqueue()  # type: ignore[call-arg]

    assert_type(await blocking.enqueue(1, b=2.0), Job[list[float]])
    await blocking.enqueue("one")  # type: ignore[arg-type]

    assert_type(await blocking_with_context.enqueue("a/b"), Job[None])
    await blocking_with_context.enqueue(7)  # type: ignore[arg-type]


async def options() -> None:
    urgent = with_context.options(priority="high", delay="5m", tags=["a"], metadata={"order": 7})
    assert_type(await urgent.enqueue("an orc"), Job[Image])
    await urgent.enqueue(7)  # type: ignore[arg-type]
    with_context.options(colour="red")  # type: ignore[call-arg]
    with_context.options(max_attempts="three")  # type: ignore[arg-type]
    assert_type(await plain.options(user="ann").enqueue_many([{"prompt": "an orc"}]), list[Job[str]])


async def results() -> None:
    job = await with_context.enqueue("an orc")
    assert_type(await job.result(timeout=60), Image)
    assert_type((await job.result()).width, int | None)
    assert_type(await job.refresh(), Job[Image])
    assert_type(await job.cancel(), Job[Image])
    assert_type(await job.retry(), Job[Image])
    assert_type(job.state, State)
    async for event in job.events():
        assert_type(event, JobEvent)
    assert_type(await (await blocking.enqueue(1)).result(), list[float])
    unknown = await app.job(job.id)
    assert_type(await unknown.result(), Any)


def blocking_callers() -> None:
    with app.sync:
        job = plain.sync.enqueue("an orc", size=1)
        assert_type(job.result(timeout=5), str)
        plain.sync.enqueue(7)  # type: ignore[arg-type]
        assert_type(blocking.options(user="ann").sync.enqueue(1).result(), list[float])


@app.schedule("0 7 * * *", tz="Europe/Berlin", args={"prompt": "an orc"}, overlap="skip", catch_up="1h")
@app.schedule(every("15m"), name="often")
@app.task
async def planned(prompt: str = "an elf") -> str:
    return prompt


async def schedules() -> None:
    assert_type(await planned.enqueue("an orc"), Job[str])
    assert_type(plain.request("an orc", size=1), Request[str])
    plain.request(7)  # type: ignore[arg-type]
    put = app.schedules.put
    assert_type(await put("a", cron("0 7 * * *", tz="UTC"), plain.options(user="ann").request("an orc")), Schedule)
    await put("a", 7, plain.request("an orc"))  # type: ignore[arg-type]
    await put("a", every(60), plain.request("an orc"), overlap="sometimes")  # type: ignore[arg-type]
    assert_type((await app.schedules.get("a")).next_at, int | None)
    assert_type(await app.schedules.run_now("a"), Job[Any])


async def handing_on(task: Task[[str], int]) -> int:
    """A task is a type that other code may ask for."""
    return await (await task.enqueue("text")).result()


@app.task
async def count(text: str) -> int:
    return len(text)


async def asking() -> None:
    await handing_on(count)
    await handing_on(with_context)  # type: ignore[arg-type]


@app.task
async def join(parts: list[str], separator: str = ", ") -> int:
    return len(separator.join(parts))


@app.task
async def join_some(parts: list[str | None]) -> int:
    return len(parts)


@app.task
async def join_with_context(ctx: Context, parts: list[str]) -> str:
    for parent in await ctx.parents():
        assert_type(parent, ParentResult)
    return "".join(parts)


async def workflows() -> None:
    assert_type(plain.request("an orc"), Request[str])
    plain.request(7)  # type: ignore[arg-type]
    assert_type(await chain(plain.request("a"), count.request("b")).enqueue(), Workflow[int])
    assert_type(await group(plain.request("a"), plain.request("b")).enqueue(), Workflow[list[str]])
    members = group(plain.request("a"), chain(count.request("b"), plain.request("c")))
    assert_type(await chord(members, join, separator="; ").enqueue(), Workflow[int])
    assert_type(await (await chord(members, join_with_context).enqueue()).result(), str)
    assert_type(await chord(members, join_some.options(parent_policy="continue")).enqueue(), Workflow[int])
    chord(members, count)  # type: ignore[call-overload]
    chord(members, join, separator=7)  # type: ignore[call-overload]
    first = await plain.enqueue("a")
    later = plain.options(depends_on=[first, first.id, Dependency(first.id, Policy.SKIP)], parent_policy="continue")
    assert_type(await later.enqueue("b"), Job[str])
    workflow = await app.workflow("id")
    assert_type(await workflow.progress(), WorkflowProgress)
    async for told in workflow.events():
        assert_type(told, WorkflowEvent)
    assert_type(await workflow.cancel(), Workflow[Any])


@app.task(batch=Batch(max_size=4, max_wait="200ms", key=lambda size: size))
async def paint(prompt: str, size: int = 64) -> str:
    return prompt * size


@paint.together
async def paint_several(items: Items) -> list[str | Exception]:
    await items.progress(1, 2)
    assert_type(items[0].ctx, Context)
    return [item.args["prompt"] for item in items]


@paint.together
def paint_in_a_thread(items: SyncItems) -> list[str]:
    assert_type(items[0].ctx, SyncContext)
    return [item.args["prompt"] for item in items]


@paint.together  # type: ignore[arg-type]
async def paint_wrongly(items: Items) -> list[int]:
    return []


async def painting() -> None:
    assert_type(await paint.enqueue("an orc", size=32), Job[str])
    await paint.enqueue(7)  # type: ignore[arg-type]
