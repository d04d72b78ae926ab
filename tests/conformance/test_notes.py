"""Notes: what a running attempt tells, under the fence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanchion.domain.job import Cost, Progress
from stanchion.domain.outcome import Released
from stanchion.store import CostNote, LogNote, Note, Noted, PreviewNote, ProgressNote, StepNote
from tests.conformance.helpers import artifact, chunk, ended, finish, read, start, take

if TYPE_CHECKING:
    from stanchion.store import Store
    from tests.clock import FakeClock

EVERY_NOTE = (
    ProgressNote(1, 2),
    PreviewNote(b"p", "image/png"),
    chunk("x"),
    LogNote("info", "x"),
    StepNote("s", b"1"),
    CostNote("0.01", "USD"),
)


async def tell(store: Store, ref: int, attempt: int, *notes: Note) -> list[bool]:
    return await store.note([Noted(ref, attempt, note) for note in notes])


async def traces(store: Store, job_id: str, ref: int) -> list[object]:
    return [
        await store.inspect([job_id]), await store.preview(job_id), await store.outputs(job_id),
        await store.logs(job_id), await store.steps(ref), await store.costs(job_id), await store.tail(),
    ]  # fmt: skip


@pytest.mark.parametrize("note", EVERY_NOTE, ids=lambda note: type(note).__name__)
async def test_a_stale_attempt_notes_nothing(store: Store, note: Note) -> None:
    lease = await start(store)
    await finish(store, lease, Released())
    before = await traces(store, lease.id, lease.ref)
    assert await tell(store, lease.ref, 1, note) == [False]
    assert await traces(store, lease.id, lease.ref) == before
    await take(store, 1)
    before = await traces(store, lease.id, lease.ref)
    assert await tell(store, lease.ref, 1, note) == [False]
    assert await traces(store, lease.id, lease.ref) == before


async def test_notes_of_unknown_jobs_are_refused(store: Store) -> None:
    assert await tell(store, 77, 1, *EVERY_NOTE) == [False] * len(EVERY_NOTE)


async def test_a_running_attempt_may_note_after_its_cancel_was_asked(store: Store) -> None:
    lease = await start(store)
    await store.cancel([lease.id])
    assert await tell(store, lease.ref, 1, *EVERY_NOTE) == [True] * len(EVERY_NOTE)


async def test_each_note_of_a_batch_is_answered_for_itself(store: Store) -> None:
    lease = await start(store)
    batch = [Noted(lease.ref, attempt, chunk("x")) for attempt in (2, 1, 0, 1)]
    assert await store.note(batch) == [False, True, False, True]
    assert len(await store.outputs(lease.id)) == 2


async def test_progress_replaces_progress(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    await tell(store, lease.ref, 1, ProgressNote(1, 8, "px", "hello", "draft"))
    assert (await read(store, lease.id)).progress == Progress(1, 8, "px", "hello", "draft", clock.at)
    clock.pass_(5)
    await tell(store, lease.ref, 1, ProgressNote(2.5, 0))
    assert (await read(store, lease.id)).progress == Progress(2.5, 0, None, None, None, clock.at)


async def test_progress_is_no_new_version(store: Store) -> None:
    lease = await start(store)
    await tell(store, lease.ref, 1, *EVERY_NOTE)
    assert (await read(store, lease.id)).version == 2


async def test_a_preview_replaces_the_one_before(store: Store) -> None:
    lease = await start(store)
    await tell(store, lease.ref, 1, PreviewNote(b"one", "image/png", 8, 9, 1))
    one = await store.preview(lease.id)
    assert one is not None
    assert one[:5] == (b"one", "image/png", 8, 9, 1)
    assert (await read(store, lease.id)).preview_revision == one.revision
    await tell(store, lease.ref, 1, PreviewNote(b"two", "image/webp"))
    two = await store.preview(lease.id)
    assert two is not None
    assert two[:5] == (b"two", "image/webp", None, None, None)
    assert two.revision > one.revision


async def test_progress_and_preview_leave_each_other_alone(store: Store) -> None:
    lease = await start(store)
    await tell(
        store,
        lease.ref,
        1,
        PreviewNote(b"p", "image/png"),
        ProgressNote(1, 2),
        PreviewNote(b"q", "image/png"),
    )
    preview, job = await store.preview(lease.id), await read(store, lease.id)
    assert preview is not None
    assert preview.data == b"q"
    assert job.progress is not None


async def test_outputs_count_from_zero_in_order(store: Store) -> None:
    lease = await start(store)
    await tell(store, lease.ref, 1, chunk("one"), artifact("hash-1"), chunk("two"))
    outputs = await store.outputs(lease.id)
    assert [(output.index, output.attempt, output.kind, output.data) for output in outputs] == [
        (0, 1, "chunk", b"one"), (1, 1, "artifact", None), (2, 1, "chunk", b"two"),
    ]  # fmt: skip
    picture = outputs[1]
    assert (picture.name, picture.content_type, picture.size) == ("result", "image/png", 9)
    assert (picture.artifact, picture.width, picture.height) == ("hash-1", 3, 3)
    assert [output.cursor for output in outputs] == [1, 2, 3]


async def test_outputs_may_be_read_on_from_an_index(store: Store) -> None:
    lease = await start(store)
    await tell(store, lease.ref, 1, chunk("one"), chunk("two"), chunk("three"))
    assert [output.data for output in await store.outputs(lease.id, after=0)] == [b"two", b"three"]
    assert await store.outputs(lease.id, after=2) == []


async def test_outputs_of_attempts_never_mix(store: Store) -> None:
    lease = await start(store)
    await tell(store, lease.ref, 1, chunk("old"), artifact("hash-old"))
    await finish(store, lease, Released())
    assert len(await store.outputs(lease.id)) == 2
    await take(store, 1)
    assert await store.outputs(lease.id) == []
    assert (await read(store, lease.id)).artifacts == ()
    await tell(store, lease.ref, 2, chunk("new"))
    assert [(output.index, output.attempt, output.data) for output in await store.outputs(lease.id)] == [(0, 2, b"new")]


async def test_a_job_names_its_artifacts(store: Store) -> None:
    lease = await start(store)
    await tell(store, lease.ref, 1, chunk("text"), artifact("hash-1"), artifact("hash-2"))
    await store.settle([ended(lease)])
    job = await read(store, lease.id)
    assert [(output.index, output.artifact) for output in job.artifacts] == [(1, "hash-1"), (2, "hash-2")]


async def test_outputs_stay_after_the_end(store: Store) -> None:
    lease = await start(store)
    await tell(store, lease.ref, 1, chunk("one"))
    await finish(store, lease)
    assert [output.data for output in await store.outputs(lease.id)] == [b"one"]


async def test_logs_are_kept_in_order_over_attempts(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    await tell(store, lease.ref, 1, LogNote("info", "one"), LogNote("warning", "two"))
    await finish(store, lease, Released())
    await take(store, 1)
    await tell(store, lease.ref, 2, LogNote("error", "three"))
    lines = await store.logs(lease.id)
    assert [(line.attempt, line.level, line.message, line.at) for line in lines] == [
        (1, "info", "one", clock.at), (1, "warning", "two", clock.at), (2, "error", "three", clock.at),
    ]  # fmt: skip
    assert [line.message for line in await store.logs(lease.id, after=lines[0].cursor)] == ["two", "three"]


async def test_an_attempt_logs_a_thousand_lines_and_no_more(store: Store) -> None:
    lease = await start(store)
    lines = [LogNote("info", str(number)) for number in range(1_003)]
    assert await tell(store, lease.ref, 1, *lines) == [True] * 1_003
    kept = await store.logs(lease.id)
    assert (len(kept), kept[-1].message) == (1_000, "999")
    await finish(store, lease, Released())
    await take(store, 1)
    await tell(store, lease.ref, 2, LogNote("info", "fresh"))
    assert (await store.logs(lease.id))[-1].message == "fresh"


async def test_the_first_result_of_a_step_stays_over_attempts(store: Store) -> None:
    lease = await start(store)
    await tell(store, lease.ref, 1, StepNote("draw", b"1"), StepNote("draw", b"2"), StepNote("paint", b"3"))
    await finish(store, lease, Released())
    await take(store, 1)
    assert await tell(store, lease.ref, 2, StepNote("draw", b"4")) == [True]
    assert await store.steps(lease.ref) == {"draw": b"1", "paint": b"3"}
    assert await store.steps(99) == {}


async def test_costs_of_all_attempts_stay(store: Store) -> None:
    lease = await start(store)
    await tell(store, lease.ref, 1, CostNote("0.10", "USD"))
    await finish(store, lease, Released())
    await take(store, 1)
    await tell(store, lease.ref, 2, CostNote("0.10", "USD"), CostNote("7", "credits"))
    assert await store.costs(lease.id) == [
        Cost(1, "0.10", "USD"),
        Cost(2, "0.10", "USD"),
        Cost(2, "7", "credits"),
    ]
