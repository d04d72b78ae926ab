"""F27: what cannot be read in one job's rows fails that job, by name; workers, lists and other jobs go on."""

from __future__ import annotations

import json
import logging
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import apsw
import pytest

from stanchion import Context, PayloadError, Stanchion
from stanchion.domain.job import State
from stanchion.domain.kinds import ErrorInfo, Kind
from stanchion.domain.query import Cursor, Filter
from tests.faults.checker import History, audit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from stanchion import Job

DEEP: Final = b'{"said":{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}}"
NO_JSON: Final = {
    "text": b"these are no arguments",
    "cut": b'{"said":{"a":',
    "empty": b"",
    "bytes": b'{"said":{"a":"\xff\xfe"}}',
    "surrogate": b'{"said":{"a":"\\ud800"}}',
    "deep": DEEP,
    "another shape": b'{"said":7}',
}


class World:
    """An app on a file whose rows can be spoiled, with what its handlers were given."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "t.db"
        self.app = Stanchion(f"sqlite:///{self.path}")
        self.heard: list[dict[str, Any]] = []

        @self.app.task(retry=3)
        async def hear(said: dict[str, Any]) -> dict[str, Any]:
            self.heard.append(said)
            return said

        @self.app.task(retry=3)
        async def hear_all(ctx: Context, said: dict[str, Any]) -> dict[str, Any]:
            self.heard.append(said | ctx.job.metadata)
            return said

        @self.app.task(retry=3, isolation="thread")
        def hear_aside(said: dict[str, Any]) -> dict[str, Any]:
            self.heard.append(said)
            return said

        self.hear, self.hear_all, self.hear_aside = hear, hear_all, hear_aside

    def spoil(self, sql: str, *values: Any) -> None:
        """Write past the store, as a disk or another program might."""
        with closing(apsw.Connection(str(self.path))) as db:
            db.set_busy_timeout(5_000)
            db.execute(sql, values)

    async def outcomes(self, job: Job[Any]) -> list[str | None]:
        return [attempt.outcome for attempt in (await self.app.store.history(job.id))[1]]


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(logging.getLogger("stanchion"), "propagate", True)
    made = World(tmp_path)
    async with made.app:
        yield made


@pytest.mark.parametrize("stored", NO_JSON.values(), ids=NO_JSON)
@pytest.mark.parametrize("task", ["hear", "hear_all", "hear_aside"])
async def test_arguments_that_cannot_be_read_fail_their_job_once(world: World, task: str, stored: bytes) -> None:
    before = await world.hear.enqueue({"n": 1})
    job = await getattr(world, task).enqueue({"n": 2})
    world.spoil("UPDATE payloads SET args = ? WHERE seq = (SELECT max(seq) FROM jobs)", stored)
    after = await world.hear.enqueue({"n": 3})
    await world.app.run_worker(burst=True)
    assert [(await one.refresh()).state for one in (before, job, after)] == ["completed", "failed", "completed"]
    assert job.error is not None
    assert job.error.kind is Kind.VALIDATION
    assert f"task {task!r}" in job.error.message
    assert "arguments" in job.error.message
    assert await world.outcomes(job) == ["failed"]
    assert sorted(said["n"] for said in world.heard) == [1, 3]


@pytest.mark.parametrize("stored", [b"{oops", b'{"a":"\xff"}', b"", DEEP[16:]], ids=["text", "bytes", "empty", "deep"])
async def test_metadata_that_cannot_be_read_fail_their_job_once(world: World, stored: bytes) -> None:
    job = await world.hear_all.options(metadata={"k": 1}).enqueue({"n": 1})
    world.spoil("UPDATE payloads SET metadata = ?", stored)
    deaf = await world.hear.options(metadata={"k": 1}).enqueue({"n": 2})
    world.spoil("UPDATE payloads SET metadata = ?", stored)
    await world.app.run_worker(burst=True)
    await job.refresh()
    if not stored:  # nothing at all reads as no metadata
        assert (job.state, world.heard) == ("completed", [{"n": 1}, {"n": 2}])
        return
    assert job.error is not None
    assert job.error.kind is Kind.VALIDATION
    assert f"metadata of job {job.id}" in job.error.message
    assert await world.outcomes(job) == ["failed"]
    assert (await deaf.refresh()).state == "completed"
    assert world.heard == [{"n": 2}]


@pytest.mark.parametrize("stored", [b'{"a":', b'{"a":"\xff"}', DEEP, b"7"], ids=["cut", "bytes", "deep", "shape"])
async def test_a_result_that_cannot_be_read_is_said_to_be_so(world: World, stored: bytes) -> None:
    job = await world.hear.enqueue({"n": 1})
    await world.app.run_worker(burst=True)
    world.spoil("UPDATE results SET result = ?", stored)
    with pytest.raises(PayloadError, match="result of task 'hear'") as caught:
        await job.result(5)
    assert caught.value.remedy
    assert "enqueue" not in caught.value.message
    assert job.state == "completed"


async def test_a_job_of_an_unknown_task_waits_and_says_for_what(world: World) -> None:
    lost, other = await world.hear.enqueue({"n": 1}), await world.hear.enqueue({"n": 2})
    world.spoil(
        "INSERT INTO lanes (share, queue, priority, tenant, task, n2, head)"
        " SELECT share, queue, priority, tenant, 'gone', 1, 1 FROM lanes"
    )
    world.spoil("UPDATE jobs SET lane = (SELECT max(id) FROM lanes) WHERE seq = 1")
    world.spoil("UPDATE lanes SET n2 = 1, head = 2 WHERE task = 'hear'")
    await world.app.run_worker(burst=True)
    assert ((await lost.refresh()).state, (await other.refresh()).state) == ("queued", "completed")
    (place,) = await world.app.store.position([lost.id])
    assert place is not None
    assert (place.reason, place.key) == ("no_worker", "gone")


@pytest.mark.parametrize("state", [8, 77, -1])
async def test_an_event_of_an_unknown_state_is_left_out_of_a_history(
    world: World, state: int, caplog: pytest.LogCaptureFixture
) -> None:
    job, other = await world.hear.enqueue({"n": 1}), await world.hear.enqueue({"n": 2})
    await world.app.run_worker(burst=True)
    world.spoil("UPDATE events SET state = ? WHERE seq = 1 AND version = 2", state)
    events, attempts = await world.app.store.history(job.id)
    assert [(event.version, event.state) for event in events] == [(1, State.QUEUED), (3, State.COMPLETED)]
    assert attempts == []
    assert f"event 2 of job {job.id} has state {state}, which this version does not know" in caplog.text
    assert [event.version for event in (await world.app.store.history(other.id))[0]] == [1, 2, 3]


ERRORS: Final = [
    "{oops",
    "[]",
    "7",
    "null",
    "{}",
    '{"kind":[],"message":"m"}',
    '{"kind":"internal","message":"m","new":1}',
]


@pytest.mark.parametrize("stored", ERRORS)
async def test_an_error_that_cannot_be_read_is_said_to_be_so(world: World, stored: str) -> None:
    job, other = await world.hear.enqueue({"n": 1}), await world.hear.enqueue({"n": 2})
    world.spoil("UPDATE payloads SET args = x'00' WHERE seq = 1")
    await world.app.run_worker(burst=True)
    world.spoil("UPDATE results SET error = ? WHERE seq = 1", stored)
    world.spoil("UPDATE events SET error = ? WHERE error IS NOT NULL", stored)
    await job.refresh()
    assert job.error is not None
    assert job.error.kind is Kind.INTERNAL
    assert "cannot be read" in job.error.message
    events, (attempt,) = await world.app.store.history(job.id)
    for found in (events[-1].error, attempt.error):
        assert isinstance(found, ErrorInfo)
        assert "cannot be read" in found.message
    listed = (await world.app.store.list(Filter(), limit=10)).jobs
    assert [(one.id, one.state) for one in listed] == [(other.id, "completed"), (job.id, "failed")]


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("UPDATE payloads SET tags = '[oops' WHERE seq = 1", "tags"),
        ("UPDATE payloads SET tags = '7' WHERE seq = 1", "tags"),
        ("UPDATE payloads SET secret = '[oops' WHERE seq = 1", "secret"),
        ("UPDATE jobs SET state = 77 WHERE seq = 1", "state 77"),
    ],
)
async def test_a_row_that_cannot_be_read_in_part_is_shown_with_what_can(world: World, sql: str, word: str) -> None:
    job, other = await world.hear.enqueue({"n": 1}), await world.hear.enqueue({"n": 2})
    world.spoil(sql)
    assert [(one.id, one.task) for one in (await world.app.store.list(Filter(), limit=9)).jobs] == [
        (other.id, "hear"),
        (job.id, "hear"),
    ]
    await job.refresh()
    assert job.facts.error is not None
    assert word in job.facts.error.message
    assert "cannot be read" in job.facts.error.message
    assert job.facts.tags == ()
    if word == "secret":  # what was to be hidden is not known, so nothing is shown
        assert b'"n"' not in job.facts.args


async def test_a_worker_whose_row_cannot_be_read_is_shown_and_serves_nothing(world: World) -> None:
    world.spoil(
        "INSERT INTO workers (incarnation, host, pid, slots, queues, tasks, version, capabilities, state, started_at,"
        " beat_at, lease_until) VALUES ('odd', 'h', 1, 1, ?, ?, '', ?, 'alive', 1, 1, ?)",
        "[oops",
        "{}",
        json.dumps([1]),
        1 << 60,
    )
    job = await world.hear.enqueue({"n": 1})
    (place,) = await world.app.store.position([job.id])
    assert place is not None
    assert place.reason == "no_worker"
    (row,) = await world.app.store.workers()
    assert (row.info.incarnation, row.info.queues, row.info.tasks, row.info.capabilities) == ("odd", (), (), {})


async def test_a_job_that_no_worker_can_read_fails_and_stops_no_worker(world: World) -> None:
    before, job, after = [await world.hear.enqueue({"n": n}) for n in (1, 2, 3)]
    world.spoil("UPDATE payloads SET tags = '[oops' WHERE seq = 2")
    await world.app.run_worker(burst=True)
    assert [(await one.refresh()).state for one in (before, job, after)] == ["completed", "failed", "completed"]
    assert job.error is not None
    assert "cannot be read" in job.error.message
    assert audit(History(world.path)) == []
    world.spoil("UPDATE payloads SET tags = NULL WHERE seq = 2")
    await world.app.store.retry([job.id])
    await world.app.run_worker(burst=True)
    assert (await job.refresh()).state == "completed"


async def test_a_job_that_no_worker_can_read_holds_nothing_of_a_limit(world: World) -> None:
    await world.app.limits.set("task:hear", running=1)
    job = await world.hear.enqueue({"n": 1})
    world.spoil("UPDATE payloads SET tags = '{oops' WHERE seq = (SELECT max(seq) FROM jobs)")
    after = await world.hear.enqueue({"n": 2})
    await world.app.run_worker(burst=True)
    assert [(await one.refresh()).state for one in (job, after)] == ["failed", "completed"]
    (state,) = await world.app.limits.list()
    assert (state.used, state.waiting) == (0, 0)


async def test_the_feed_passes_over_an_event_that_cannot_be_read(world: World) -> None:
    await world.hear.enqueue({"n": 1})
    world.spoil("UPDATE payloads SET args = x'00'")
    await world.app.run_worker(burst=True)
    world.spoil("UPDATE events SET state = 77 WHERE version = 2")
    world.spoil("UPDATE events SET error = '{oops' WHERE error IS NOT NULL")
    changes = await world.app.store.changes(Cursor(0, 0, 0))
    assert [event.version for event in changes.events] == [1, 3]
    assert changes.events[-1].error is not None
    assert "cannot be read" in changes.events[-1].error.message
    assert changes.cursor == await world.app.store.tail()
