"""Chains, groups and chords, from their requests to their results."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from stanchion import (
    Context,
    Dependency,
    DependencyCycleError,
    JobCancelledError,
    JobFailedError,
    JobOptions,
    NotFoundError,
    PayloadError,
    Policy,
    QueueFullError,
    Stanchion,
    State,
    Submission,
    SyncContext,
    TaskError,
    UnknownParentError,
    UsageError,
    chain,
    chord,
    group,
)
from stanchion.domain.outcome import Lost, settle
from stanchion.domain.retry import RetryPolicy
from stanchion.store import Noted, StepNote, Want, WorkerInfo
from tests.engine.helpers import SOON, working

if TYPE_CHECKING:
    from collections.abc import Callable


class Studio:
    """A few tasks, and the order in which they ran."""

    def __init__(self, app: Stanchion) -> None:
        self.app, self.ran = app, list[str]()

        @app.task
        async def draw(prompt: str) -> str:
            self.ran.append(prompt)
            if prompt == "broken":
                message = "no paint"
                raise TaskError(message, kind="content_policy")
            return prompt.upper()

        @app.task
        async def sheet(pictures: list[str | None], title: str = "", *, wide: bool = False) -> str:
            self.ran.append("sheet")
            return f"{title}:{'|'.join(str(picture) for picture in pictures)}:{wide}"

        @app.task
        async def look(ctx: Context) -> list[Any]:
            return [[parent.task, parent.state.value, parent.result] for parent in await ctx.parents()]

        @app.task
        def look_in_a_thread(ctx: SyncContext) -> list[Any]:
            return [parent.result for parent in ctx.parents()]

        self.draw, self.sheet, self.look, self.look_in_a_thread = draw, sheet, look, look_in_a_thread


@pytest.fixture(params=["memory", "sqlite"])
def studio(request: pytest.FixtureRequest) -> Studio:
    return Studio(request.getfixturevalue("app" if request.param == "memory" else "filed"))


async def test_a_job_waits_for_the_jobs_that_it_depends_on(studio: Studio) -> None:
    first = await studio.draw.enqueue("orc")
    second = await studio.look.options(depends_on=[first, first.id, Dependency(first.id, Policy.SKIP)]).enqueue()
    assert second.state is State.BLOCKED
    place = await second.position()
    assert (place.reason, place.key) == ("dependency", first.id)
    await studio.app.run_worker(burst=True)
    assert await second.result(SOON) == [["draw", "completed", "ORC"]] * 3


async def test_a_handler_in_a_thread_reads_the_results_of_its_parents(studio: Studio) -> None:
    first = await studio.draw.enqueue("orc")
    second = await studio.look_in_a_thread.options(depends_on=[first]).enqueue()
    await studio.app.run_worker(burst=True)
    assert await second.result(SOON) == ["ORC"]


async def test_a_chain_runs_in_its_order_and_gives_its_last_result(studio: Studio) -> None:
    flow = chain(studio.draw.request("a"), studio.draw.request("b"), studio.look.request())
    workflow = await flow.enqueue()
    assert [job.state.value for job in workflow.jobs] == ["queued", "blocked", "blocked"]
    assert (await workflow.progress())[:2] == (0, 3)
    async with working(studio.app, slots=4):
        assert await workflow.result(SOON) == [["draw", "completed", "B"]]
    assert studio.ran == ["a", "b"]
    assert await workflow.progress() == (3, 3, {State.COMPLETED: 3})


async def test_a_group_gives_its_results_in_order(studio: Studio) -> None:
    workflow = await group(*(studio.draw.request(name) for name in "abc")).enqueue()
    async with working(studio.app):
        assert await workflow.result(SOON) == ["A", "B", "C"]


async def test_a_chord_hands_the_results_to_its_body_as_first_argument(studio: Studio) -> None:
    members = group(*(studio.draw.request(name) for name in "abc"))
    workflow = await chord(members, studio.sheet, "t", wide=True).enqueue()
    async with working(studio.app):
        assert await workflow.result(SOON) == "t:A|B|C:True"
    assert studio.ran[-1] == "sheet"
    (body,) = await studio.app.jobs(task="sheet")
    stored = (await body.refresh()).facts.args
    assert b"A" not in stored
    assert b'{"$parents":true}' in stored


async def test_flows_nest(studio: Studio) -> None:
    sheet = chord(
        group(chain(studio.draw.request("a"), studio.draw.request("b")), studio.draw.request("c")), studio.sheet
    )
    workflow = await chain(
        studio.draw.request("z"), group(studio.draw.request("y"), sheet), studio.look.request()
    ).enqueue()
    async with working(studio.app):
        assert await workflow.result(SOON) == [
            ["draw", "completed", "Y"], ["sheet", "completed", ":B|C:False"],
        ]  # fmt: skip
    assert studio.ran[0] == "z"


async def test_a_broken_member_fails_the_body_with_its_kind(studio: Studio) -> None:
    members = group(studio.draw.request("a"), studio.draw.request("broken"))
    workflow = await chord(members, studio.sheet).enqueue()
    async with working(studio.app):
        with pytest.raises(JobFailedError) as caught:
            await workflow.result(SOON)
    assert caught.value.kind == "content_policy"
    assert "sheet" not in studio.ran


@pytest.mark.parametrize("policy", ["skip", "continue"])
async def test_the_body_says_what_a_broken_member_does_to_it(studio: Studio, policy: str) -> None:
    members = group(studio.draw.request("a"), studio.draw.request("broken"))
    workflow = await chord(members, studio.sheet.options(parent_policy=policy)).enqueue()
    async with working(studio.app):
        if policy == "skip":
            with pytest.raises(JobCancelledError):
                await workflow.result(SOON)
        else:
            assert await workflow.result(SOON) == ":A|None:False"


async def test_a_workflow_tells_what_happens_to_its_jobs_until_all_have_ended(studio: Studio) -> None:
    workflow = await chain(studio.draw.request("a"), studio.draw.request("b")).enqueue()
    first, second = (job.id for job in workflow.jobs)
    told: list[tuple[str, str]] = []
    waits = asyncio.Event()

    async def watch() -> None:
        async for job, event in workflow.events():
            if event.kind == "status":
                told.append((job, event.state.value))
            if len({job for job, _ in told}) == 2:
                waits.set()

    async with asyncio.timeout(SOON), asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watch())
        await waits.wait()
        async with working(studio.app):
            await watching
    assert [state for job, state in told if job == first][-1] == "completed"
    assert next(state for job, state in told if job == second) == "blocked"
    assert told[-1] == (second, "completed")


async def test_cancelling_a_workflow_cancels_what_runs_and_what_waits(studio: Studio) -> None:
    begun = asyncio.Event()

    @studio.app.task
    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    workflow = await chain(endless.request(), group(studio.draw.request("a"), studio.draw.request("b"))).enqueue()
    async with working(studio.app), asyncio.timeout(SOON):
        await begun.wait()
        await workflow.cancel()
        async for _ in workflow.events():
            pass
    assert (await workflow.progress()).states == {State.CANCELLED: 3}
    assert studio.ran == []


async def test_a_workflow_that_failed_is_retried_from_where_it_failed(studio: Studio) -> None:
    healed: list[bool] = []

    @studio.app.task(retry=1)
    async def frail() -> str:
        if not healed:
            message = "not yet"
            raise RuntimeError(message)
        return "well"

    workflow = await chain(studio.draw.request("a"), frail.request(), studio.look.request()).enqueue()
    async with working(studio.app), asyncio.timeout(SOON):
        with pytest.raises(JobFailedError):
            await workflow.result()
        healed.append(True)
        await workflow.retry()
        assert await workflow.result() == [["frail", "completed", "well"]]
    assert studio.ran == ["a"]


async def test_a_workflow_is_found_again_by_its_id(studio: Studio) -> None:
    workflow = await chain(studio.draw.request("a"), studio.draw.request("b")).enqueue()
    await studio.app.run_worker(burst=True)
    found = await studio.app.workflow(workflow.id)
    assert [job.id for job in found.jobs] == [job.id for job in workflow.jobs]
    assert await found.result(SOON) == "B"
    assert len(await studio.app.jobs(workflow=workflow.id)) == 2
    with pytest.raises(NotFoundError):
        await studio.app.workflow("nothing")


async def test_a_workflow_is_stored_as_a_whole_or_not_at_all(studio: Studio) -> None:
    await studio.app.open()
    await studio.app.store.configure("narrow", max_waiting=1)
    narrow = studio.draw.options(queue="narrow")
    with pytest.raises(QueueFullError):
        await group(studio.draw.request("a"), narrow.request("b"), narrow.request("c")).enqueue()
    with pytest.raises(PayloadError):
        await group(studio.draw.request("a"), studio.draw.request(7)).enqueue()  # pyright: ignore[reportArgumentType]
    assert await studio.app.jobs() == []


async def test_what_makes_no_workflow_is_refused(studio: Studio) -> None:
    one, two = studio.draw.request("a"), studio.draw.request("b")
    for wrong in (
        lambda: chain(*()),  # pyright: ignore[reportCallIssue]
        lambda: group(*()),
        lambda: group(group(one, two), one),
        lambda: chord(group(one), studio.look),  # pyright: ignore[reportCallIssue, reportArgumentType]
        lambda: chord(group(one), studio.sheet, "t", "u"),  # pyright: ignore[reportCallIssue]
        lambda: chord(group(one), studio.sheet.options(depends_on=["x"])),
    ):
        with pytest.raises(UsageError):
            wrong()
    await studio.app.open()
    with pytest.raises(UnknownParentError):
        await studio.draw.options(depends_on=["nobody"]).enqueue("a")
    with pytest.raises(PayloadError):
        await studio.draw.options(depends_on=["x"], parent_policy="maybe").enqueue("a")
    mine = "01890000-0000-7000-8000-000000000000"
    itself = Submission("draw", {"prompt": "a"}, JobOptions(id=mine, depends_on=[mine]))
    with pytest.raises(DependencyCycleError):
        await studio.app.submit_together([itself])
    assert await studio.app.jobs() == []


async def test_an_argument_that_asks_for_parents_where_there_are_none_fails_the_attempt(studio: Studio) -> None:
    with pytest.raises(PayloadError):
        await studio.sheet.enqueue({"$parents": True})  # pyright: ignore[reportArgumentType]


async def test_identical_requests_with_other_parents_are_not_joined(studio: Studio) -> None:
    first, second = await studio.draw.enqueue("a"), await studio.draw.enqueue("b")
    again = studio.draw.options(dedup_window=60)
    one = await again.options(depends_on=[first]).enqueue("c")
    two = await again.options(depends_on=[second]).enqueue("c")
    assert one.id != two.id


async def test_after_a_crash_between_steps_only_the_unfinished_one_runs_again(studio: Studio) -> None:
    paid: list[str] = []

    def pay(what: str) -> Callable[[], str]:
        def run() -> str:
            paid.append(what)
            return what

        return run

    @studio.app.task(queue="shop")
    async def buy(ctx: Context) -> str:
        (parent,) = await ctx.parents()
        first = await ctx.step("first", pay("first"))
        second = await ctx.step("second", pay("second"))
        return f"{parent.result} {first} {second}"

    workflow = await chain(studio.draw.request("a"), buy.request(), studio.look.request()).enqueue()
    await studio.app.run_worker(burst=True, queues=["default"])
    store = studio.app.store
    worker = await store.register(WorkerInfo("dies", "h", 1, 1, None, ("buy",)), 10_000)
    _, claimed = await store.claim(worker, Want(1, frozenset({"buy"})))
    (lease,) = claimed.leases
    assert await store.note([Noted(lease.ref, lease.attempt, StepNote("first", b'"first"'))]) == [True]
    assert await store.settle([settle(lease, Lost(), RetryPolicy())]) == [True]
    async with working(studio.app):
        assert await workflow.result(SOON) == [["buy", "completed", "A first second"]]
    assert paid == ["second"]
    assert studio.ran == ["a"]
