"""A task that caches: what is answered without a run, what is not, and what a broken cache costs."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from stanchion import Image, Normalize, Stanchion, State, Submission, UsageError
from stanchion.domain.cache import Entry, Selection
from stanchion.engine.cache import Levels, MemoryCache
from stanchion.store import Enqueued
from tests.clock import FakeClock
from tests.engine.helpers import until, working

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion import Job, Task

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


@pytest.fixture(params=["memory", "file"])
def host(request: pytest.FixtureRequest) -> Stanchion:
    return request.getfixturevalue("app" if request.param == "memory" else "filed")


@pytest.fixture
def runs() -> list[str]:
    return []


@pytest.fixture
def draw(host: Stanchion, runs: list[str]) -> Task[..., Any]:
    rule = Normalize(trim=True, lower=True, squeeze=True)

    @host.task(cache_ttl="30d", normalize={"prompt": rule}, secret=["key"])
    async def draw(prompt: str, scale: float = 1.0, key: str = "") -> str:
        runs.append(prompt)
        return f"{prompt} at {scale} {key}".strip()

    return draw


async def ran(app: Stanchion, job: Job[Any]) -> Any:
    await app.run_worker(burst=True)
    return await job.result(10)


async def test_an_equal_request_is_answered_without_a_run(
    host: Stanchion, draw: Task[..., Any], runs: list[str]
) -> None:
    first = await draw.enqueue("An orc")
    assert (first.cached, await ran(host, first)) == (False, "An orc at 1.0")
    second = await draw.enqueue("  an   ORC ", scale=1)
    assert (second.state, second.cached, second.new, second.id == first.id) == (State.COMPLETED, True, True, False)
    assert await second.result(10) == "An orc at 1.0"
    assert runs == ["An orc"]
    facts = (await second.refresh()).facts
    assert (facts.args, facts.version, facts.attempt) == (b'{"prompt":"  an   ORC ","scale":1}', 1, 0)


async def test_one_that_runs_is_joined(host: Stanchion, draw: Task[..., Any]) -> None:
    first = await draw.enqueue("an orc")
    second = await draw.enqueue("AN ORC")
    assert (second.id, second.new, second.cached) == (first.id, False, False)


async def test_many_at_once_are_answered_each(host: Stanchion, draw: Task[..., Any], runs: list[str]) -> None:
    await ran(host, await draw.enqueue("an orc"))
    jobs = await draw.enqueue_many([{"prompt": p} for p in ("an orc", "an elf", "AN ELF", "An Orc")])
    assert [(job.new, job.cached) for job in jobs] == [(True, True), (True, False), (False, False), (True, True)]


async def test_a_request_may_ask_for_a_run_of_its_own(host: Stanchion, draw: Task[..., Any], runs: list[str]) -> None:
    await ran(host, await draw.enqueue("an orc"))
    fresh = await draw.options(cache=False).enqueue("an orc")
    assert not fresh.cached
    await ran(host, fresh)
    assert len(runs) == 2


async def test_a_request_may_ask_for_the_cache_where_its_task_does_not(app: Stanchion) -> None:
    @app.task
    async def add(a: int, b: int) -> int:
        return a + b

    await ran(app, await add.options(cache=True).enqueue(1, 2))
    assert not (await add.enqueue(1, 2)).cached
    assert (await add.options(cache=True).enqueue(1, 2)).cached


async def test_what_failed_runs_again(app: Stanchion) -> None:
    @app.task(cache=True, retry=1)
    async def fail(a: int) -> int:
        raise ValueError(a)

    job = await fail.enqueue(1)
    await app.run_worker(burst=True)
    assert (await job.refresh()).state is State.FAILED
    assert not (await fail.enqueue(1)).cached


async def test_tenants_do_not_share_unless_the_task_says_so(app: Stanchion) -> None:
    @app.task(cache=True)
    async def own(a: int) -> int:
        return a

    @app.task(cache=True, share="all")
    async def common(a: int) -> int:
        return a

    for task in (own, common):
        await ran(app, await task.options(tenant="acme").enqueue(1))
    assert not (await own.options(tenant="other").enqueue(1)).cached
    answer = await common.options(tenant="other").enqueue(1)
    assert answer.cached
    assert (await answer.refresh()).facts.tenant == "other"


async def test_what_runs_is_not_joined_across_tenants_even_where_results_are_shared(app: Stanchion) -> None:
    @app.task(cache=True, share="all")
    async def common(a: int) -> int:
        return a

    first = await common.options(tenant="acme").enqueue(1)
    second = await common.options(tenant="other").enqueue(1)
    assert (second.new, second.id == first.id) == (True, False)


async def test_whenever_equal_requests_come_there_is_one_run(
    host: Stanchion, draw: Task[..., Any], runs: list[str]
) -> None:
    async def ask(number: int) -> str:
        await asyncio.sleep(number % 7 / 200)  # before, while and after it runs
        return await (await draw.enqueue("an orc")).result(10)

    async with working(host):
        answers = await asyncio.gather(*(ask(number) for number in range(100)))
    assert set(answers) == {"an orc at 1.0"}
    assert runs == ["an orc"]


async def test_files_of_an_answer_are_there(filed: Stanchion) -> None:
    @filed.task(cache=True)
    async def paint(prompt: str) -> Image:
        return Image(PNG)

    await ran(filed, await paint.enqueue("x"))
    answer = await paint.enqueue("x")
    image = await answer.result(10)
    assert (answer.cached, image.data) == (True, PNG)
    (output,) = (await answer.refresh()).facts.artifacts
    assert output.artifact == image.sha256


async def test_no_secret_is_in_the_cache_but_by_its_hash(host: Stanchion, draw: Task[..., Any]) -> None:
    one = await draw.enqueue("x", key="s3cret")
    two = await draw.enqueue("x", key="other")
    assert one.id != two.id
    spec = host.registry.get("draw")
    assert b"s3cret" not in b"".join(spec.keys(b'{"prompt":"x","key":"s3cret"}', "default"))


async def test_stats_and_purge(host: Stanchion, draw: Task[..., Any]) -> None:
    await ran(host, await draw.enqueue("an orc"))
    for _ in range(3):
        assert (await draw.enqueue("an orc")).cached
    report = await host.cache.stats()
    assert (report.entries, report.hits, report.lookups.hits, report.lookups.misses) == (1, 3, 3, 1)
    assert report.bytes == len(b'"an orc at 1.0"')
    assert [level.name for level in report.levels] == ["memory", "store"]
    assert [(one.tenant, one.task, one.hits) for one in report.tasks] == [("default", "draw", 3)]
    assert (await host.cache.stats(tenant="acme")).entries == 0
    assert await host.cache.purge(task="other") == 0
    assert await host.cache.purge(older_than="1h") == 0
    assert await host.cache.purge(task="draw", tenant="default", older_than=0) == 1
    assert not (await draw.enqueue("an orc")).cached


async def test_a_purge_elsewhere_holds_here_although_memory_has_the_entry(
    host: Stanchion, draw: Task[..., Any]
) -> None:
    await ran(host, await draw.enqueue("an orc"))
    assert (await draw.enqueue("an orc")).cached
    await host.store.cache.purge(Selection())
    assert not (await draw.enqueue("an orc")).cached


async def test_a_result_is_in_memory_once_its_settle_is_durable(host: Stanchion, draw: Task[..., Any]) -> None:
    async with working(host):
        await (await draw.enqueue("an orc")).result(10)

        async def in_memory() -> bool:
            memory, _ = (await host.cache.stats()).levels
            return [one.task for one in memory.sums] == ["draw"]

        await until(in_memory)


class Broken:
    """A cache that fails, or hangs, at everything."""

    name = "broken"

    def __init__(self, *, hangs: bool) -> None:
        self.hangs, self.calls = hangs, 0

    async def _fail(self) -> None:
        self.calls += 1
        if self.hangs:
            await asyncio.Event().wait()
        message = "cache down"
        raise OSError(message)

    async def get(self, _keys: Sequence[bytes]) -> list[Entry | None]:
        await self._fail()
        return []

    async def put(self, _entries: object) -> None:
        await self._fail()

    async def touch(self, _uses: object) -> None:
        await self._fail()

    async def purge(self, _wanted: object) -> int:
        await self._fail()
        return 0

    async def stats(self, _tenant: str | None = None) -> list[Any]:
        await self._fail()
        return []


@pytest.mark.parametrize("hangs", [False, True])
async def test_a_broken_cache_costs_a_miss_and_a_line(
    app: Stanchion, caplog: pytest.LogCaptureFixture, *, hangs: bool
) -> None:
    @app.task(cache=True)
    async def add(a: int, b: int) -> int:
        return a + b

    await app.open()
    broken = Broken(hangs=hangs)
    assert app._submitter is not None
    app._levels = app._submitter._levels = Levels([broken], app.store.now, patience=0.01, pause=60)
    with caplog.at_level(logging.WARNING, "stanchion.cache"):
        job = await add.enqueue(1, 2)
        assert await ran(app, job) == 3
        again = await add.enqueue(1, 2)
    assert again.cached, "the store itself still knows"
    lines = [record.getMessage() for record in caplog.records if record.name == "stanchion.cache"]
    assert len(lines) == 1
    assert "too slow" in lines[0] if hangs else "cache down" in lines[0]
    assert (broken.calls, app._levels.lookups.failures) == (1, 1)


async def test_memory_forgets_what_was_not_used_for_longest() -> None:
    clock = FakeClock()
    memory = MemoryCache(8 * 1_500, clock)

    def entry(number: int, size: int = 1_000) -> Entry:
        return Entry(bytes([number]), "d", "t", number, b"x" * size, (), clock.at, clock.at + 10)

    await memory.put([entry(number) for number in range(8)])
    assert (len(memory), memory.bytes) == (8, 8 * 1_500)
    assert (await memory.get([b"\0"]))[0] is not None
    await memory.put([entry(9), entry(10, 2_000)])
    assert [one is not None for one in await memory.get([b"\0", b"\1", b"\2", b"\x09", b"\x0a"])] == [
        True, False, True, True, False,
    ]  # fmt: skip
    clock.pass_(10)
    assert await memory.get([b"\0"]) == [None]


async def test_a_memory_of_no_bytes_keeps_nothing(tmp_path: Any) -> None:
    app = Stanchion(f"sqlite:///{tmp_path}/j.db", cache_memory=0)

    @app.task(cache=True)
    async def add(a: int) -> int:
        return a

    async with app:
        await ran(app, await add.enqueue(1))
        assert (await add.enqueue(1)).cached
        memory, store = (await app.cache.stats()).levels
        assert (memory.sums, len(store.sums)) == ((), 1)


async def test_hits_are_counted_when_the_app_closes(tmp_path: Any) -> None:
    app = Stanchion(f"sqlite:///{tmp_path}/j.db")

    @app.task(cache=True)
    async def add(a: int) -> int:
        return a

    async with app:
        await ran(app, await add.enqueue(1))
        answers = await app.submit([Submission("add", {"a": 1})] * 5)
        assert all(isinstance(answer, Enqueued) and answer.cached for answer in answers)
    async with app:
        assert (await app.cache.stats()).hits == 5


def test_blocking_callers_have_the_cache_too(folder: Any) -> None:
    app = Stanchion("sqlite:///b.db")

    @app.task(cache=True)
    async def add(a: int) -> int:
        return a

    with app.sync as sync:
        add.sync.enqueue(1)
        app.blocking(app.run_worker(burst=True))
        assert add.sync.enqueue(1).cached
        assert sync.cache.stats().entries == 1
        assert sync.cache.purge() == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"normalize": {"size": Normalize()}}, "no argument 'size'"),
        ({"share": "users"}, "'users'"),
        ({"cache": False, "cache_ttl": "1d"}, "cache=False"),
        ({"cache_ttl": "soon"}, "soon"),
    ],
)
def test_options_that_cannot_be_used_are_refused(app: Stanchion, options: dict[str, Any], words: str) -> None:
    async def draw(prompt: str) -> str:
        return prompt

    with pytest.raises(UsageError, match=words):
        app.task_of(draw, **options)
