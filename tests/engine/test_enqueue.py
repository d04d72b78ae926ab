"""What a request may say, and what refuses it before anything is stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from stanchion import (
    IdempotencyMismatchError,
    PayloadError,
    PayloadTooLargeError,
    QueueFullError,
    Stanchion,
    Submission,
    UnknownTaskError,
    UsageError,
)
from stanchion.store import Enqueued, Refused

if TYPE_CHECKING:
    from stanchion import Task


@pytest.fixture
def draw(app: Stanchion) -> Task[..., Any]:
    @app.task(queue="images", max_payload=5_000)
    async def draw(prompt: str, size: int = 64, scale: float = 1.0, tree: Any = None) -> str:
        return f"{prompt}/{size}/{scale}/{tree is None}"

    return draw


async def stored(app: Stanchion) -> int:
    await app.open()
    return len(await app.jobs())


async def test_an_enqueued_job_is_stored_with_its_arguments_by_name(app: Stanchion, draw: Task[..., Any]) -> None:
    job = await (await draw.enqueue("an orc", size=32)).refresh()
    assert (job.state, job.facts.queue, job.facts.args) == ("queued", "images", b'{"prompt":"an orc","size":32}')
    assert job.new


async def test_options_are_stored_with_the_job(app: Stanchion, draw: Task[..., Any]) -> None:
    chosen = draw.options(
        queue="fast",
        tenant="acme",
        user="ann",
        priority="high",
        expires_in="1h",
        tags=["a", "b"],
        metadata={"order": 7},
        timeout="90s",
        max_attempts=5,
        correlation_id="c-1",
    )
    facts = (await (await chosen.enqueue("an orc")).refresh()).facts
    assert (facts.queue, facts.tenant, facts.user, facts.tags) == ("fast", "acme", "ann", ("a", "b"))
    assert (facts.timeout, facts.max_attempts, facts.correlation_id) == (90_000, 5, "c-1")
    assert facts.expires_at == facts.created_at + 3_600_000
    assert facts.priority < 5
    assert (await app.job(facts.id)).metadata == {"order": 7}


async def test_options_leave_the_task_as_it_is_and_add_up(app: Stanchion, draw: Task[..., Any]) -> None:
    ann = draw.options(user="ann", tags=["a"])
    later = ann.options(tags=["b"])
    plain, both = await draw.enqueue("x"), await later.enqueue("y")
    assert (await plain.refresh()).facts.user is None
    assert ((await both.refresh()).facts.user, both.facts.tags) == ("ann", ("b",))


@pytest.mark.parametrize("delay", [60, "1m", timedelta(minutes=1)])
async def test_a_delay_schedules_the_job(app: Stanchion, draw: Task[..., Any], delay: Any) -> None:
    job = await (await draw.options(delay=delay).enqueue("x")).refresh()
    assert job.state == "scheduled"
    assert job.facts.due_at == job.facts.created_at + 60_000


async def test_run_at_takes_an_aware_datetime_or_seconds(app: Stanchion, draw: Task[..., Any]) -> None:
    at = datetime(2100, 1, 2, 3, 4, 5, tzinfo=UTC)
    for given in (at, at.timestamp()):
        job = await (await draw.options(run_at=given).enqueue("x")).refresh()
        assert (job.state, job.facts.due_at) == ("scheduled", round(at.timestamp() * 1000))


async def test_a_run_at_that_has_passed_queues_the_job_now(app: Stanchion, draw: Task[..., Any]) -> None:
    assert (await draw.options(run_at=datetime(2020, 1, 1, tzinfo=UTC)).enqueue("x")).state == "queued"


async def test_a_job_that_expired_while_it_waited_never_runs(app: Stanchion) -> None:
    ran: list[str] = []

    @app.task(expires_in=0)
    async def late() -> None:
        ran.append("late")

    job = await late.enqueue()
    await app.run_worker(burst=True)
    await job.refresh()
    assert (job.state, job.error and job.error.kind, ran) == ("failed", "expired", [])


async def test_the_more_urgent_runs_first(app: Stanchion) -> None:
    order: list[str] = []

    @app.task
    async def run(name: str) -> None:
        order.append(name)

    for priority in ("low", "normal", "high"):
        await run.options(priority=priority).enqueue(priority)
    await app.run_worker(slots=1, burst=True)
    assert order == ["high", "normal", "low"]


async def test_the_same_arguments_within_the_window_join_one_job(app: Stanchion, draw: Task[..., Any]) -> None:
    once = draw.options(dedup_window=60)
    first = await once.enqueue("an orc")
    again = await once.enqueue("an orc", size=64)  # the default, written out
    other = await once.enqueue("an elf")
    assert (again.id, again.new, other.new) == (first.id, False, True)


async def test_a_dedup_key_joins_whatever_the_arguments_say(app: Stanchion, draw: Task[..., Any]) -> None:
    once = draw.options(dedup_key="order-7", dedup_window=60)
    first, again = await once.enqueue("an orc"), await once.enqueue("an elf")
    assert (again.id, again.new) == (first.id, False)


async def test_a_task_may_have_a_window_of_its_own(app: Stanchion) -> None:
    @app.task(dedup_window="1m")
    async def once(n: int) -> None: ...

    assert (await once.enqueue(1)).id == (await once.enqueue(1)).id


async def test_an_idempotency_key_answers_with_the_first_job(app: Stanchion, draw: Task[..., Any]) -> None:
    keyed = draw.options(idempotency_key="k")
    first, again = await keyed.enqueue("an orc"), await keyed.enqueue("an orc")
    assert (again.id, again.new) == (first.id, False)
    with pytest.raises(IdempotencyMismatchError):
        await keyed.enqueue("another request")
    assert await stored(app) == 1


async def test_enqueue_many_answers_in_order(app: Stanchion, draw: Task[..., Any]) -> None:
    jobs = await draw.enqueue_many({"prompt": str(n)} for n in range(1_200))
    assert len({job.id for job in jobs}) == 1_200
    assert (await jobs[1_199].refresh()).facts.args == b'{"prompt":"1199"}'


async def test_submit_answers_each_request_of_a_batch(app: Stanchion, draw: Task[..., Any]) -> None:
    good, bad, unknown = await app.submit(
        [Submission("draw", {"prompt": "x"}), Submission("draw", {}), Submission("drew", {})]
    )
    assert isinstance(good, Enqueued)
    assert isinstance(bad, Refused)
    assert isinstance(bad.error, PayloadError)
    assert isinstance(unknown, Refused)
    assert isinstance(unknown.error, UnknownTaskError)
    assert await stored(app) == 1


async def test_a_full_queue_refuses(app: Stanchion, draw: Task[..., Any]) -> None:
    await app.open()
    await app.queue("images").limit(1)
    await draw.enqueue("x")
    with pytest.raises(QueueFullError):
        await draw.enqueue("y")
    await app.queue("images").limit(None)
    await draw.enqueue("y")


def nested(depth: int) -> list[Any]:
    tree: list[Any] = []
    for _ in range(depth):
        tree = [tree]
    return tree


@pytest.mark.parametrize(
    ("arguments", "pointer"),
    [
        ({"prompt": 7}, "/prompt"),
        ({"prompt": "x", "size": "big"}, "/size"),
        ({"prompt": "x", "size": None}, "/size"),
        ({}, ""),
        ({"prompt": "x", "colour": "red"}, ""),
        ({"prompt": "x", "scale": float("nan")}, "/scale"),
        ({"prompt": "x", "tree": {"a": [float("inf")]}}, "/tree/a/0"),
        ({"prompt": "a\0b"}, "/prompt"),
        ({"prompt": "x", "tree": {"a": "b\0"}}, "/tree/a"),
        ({"prompt": "x", "tree": nested(70)}, "/tree" + "/0" * 63),
        ({"prompt": "x", "tree": object()}, "/tree"),
        ({"prompt": "\ud800"}, ""),
    ],
    ids=[
        "type",
        "text",
        "null",
        "missing",
        "unknown",
        "nan",
        "inf",
        "nul",
        "deep nul",
        "nested",
        "object",
        "surrogate",
    ],
)
async def test_arguments_that_do_not_fit_are_refused_and_nothing_is_stored(
    app: Stanchion, draw: Task[..., Any], arguments: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(PayloadError) as refusal:
        await draw.enqueue(**arguments)
    assert refusal.value.problems[0][0] == pointer
    assert await stored(app) == 0


async def test_too_large_arguments_are_refused_with_both_sizes(app: Stanchion, draw: Task[..., Any]) -> None:
    with pytest.raises(PayloadTooLargeError, match=r"5,000|5000"):
        await draw.enqueue("x" * 5_000)
    assert await stored(app) == 0


async def test_too_many_or_repeated_arguments_are_refused(app: Stanchion, draw: Task[..., Any]) -> None:
    with pytest.raises(PayloadError, match="positional"):
        await draw.enqueue("x", 1, 1.0, None, "one more")
    with pytest.raises(PayloadError, match="twice"):
        await draw.enqueue("x", prompt="y")
    assert await stored(app) == 0


@pytest.mark.parametrize(
    "options",
    [
        {"run_at": datetime(2100, 1, 1)},  # noqa: DTZ001 - a time without a zone is what is refused
        {"run_at": 4_102_444_800_000},
        {"delay": -1},
        {"delay": "soon"},
        {"priority": "huge"},
        {"max_attempts": 0},
        {"queue": ""},
        {"queue": "a\nb"},
        {"tags": ["x" * 201]},
        {"tags": ["t"] * 101},
        {"metadata": {"a": "x" * 20_000}},
        {"metadata": {"a": float("nan")}},
        {"timeout": float("inf")},
    ],
    ids=lambda given: next(iter(given)),
)
async def test_options_that_cannot_be_used_are_refused(
    app: Stanchion, draw: Task[..., Any], options: dict[str, Any]
) -> None:
    with pytest.raises(PayloadError):
        await draw.options(**options).enqueue("x")
    assert await stored(app) == 0


def test_functions_that_cannot_be_tasks_are_refused_where_they_are_defined() -> None:
    app = Stanchion("memory://")

    def generator():
        yield 1

    def variadic(*names: str) -> None: ...

    def blocking() -> None: ...

    with pytest.raises(UsageError, match="generator"):
        app.task(generator)
    with pytest.raises(UsageError, match="names"):
        app.task(variadic)
    with pytest.raises(UsageError, match="event loop"):
        app.task(isolation="loop")(blocking)
    with pytest.raises(UsageError, match="duration"):
        app.task(timeout="soon")(blocking)


async def test_a_task_called_directly_is_the_plain_function(app: Stanchion, draw: Task[..., Any]) -> None:
    assert await draw("x", 2) == "x/2/1.0/True"
    assert await stored(app) == 0
