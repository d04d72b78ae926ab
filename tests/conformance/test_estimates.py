"""What every store tells of durations and of the time left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from stanchion.domain.estimates import Durations, Ended, Work
from stanchion.domain.limits import Limit
from stanchion.domain.outcome import Cancelled, Completed, Failed, Lost, Outcome, Released, Snoozed
from stanchion.domain.outlook import MOST_GONE, Asked, Gone, Kind, Serving
from stanchion.domain.turnover import WINDOW, Life
from stanchion.engine.learning import learn
from stanchion.store import Lesson, Want
from tests.conformance.helpers import ACME, BOOM, KEEP, OTHER, add, ended, finish, join, new, start, take

if TYPE_CHECKING:
    from stanchion.store import Store
    from tests.clock import FakeClock

T = Work("t")


async def ran(
    store: Store, clock: FakeClock, took: int = 100, outcome: Outcome | None = None, size: float | None = None
) -> None:
    lease = await start(store, new(size=size))
    clock.pass_(took)
    await finish(store, lease, outcome)


async def test_nothing_is_known_at_first(store: Store) -> None:
    assert await store.lessons(10) == Lesson(0, 0)
    assert not (await store.durations()).seen


async def test_completions_and_failures_are_lessons_by_task_and_size(store: Store, clock: FakeClock) -> None:
    await ran(store, clock, 100, size=3.0)
    await ran(store, clock, 200, Failed(BOOM))
    lesson = await store.lessons(100)
    assert lesson.ended == (Ended(Work("t", 2), 100), Ended(T, 200, failed=True))
    assert lesson.upto > lesson.since == 0
    assert not lesson.more


async def test_the_last_failure_is_a_lesson_too(store: Store, clock: FakeClock) -> None:
    lease = await start(store, new(max_attempts=1))
    clock.pass_(7)
    await finish(store, lease, Failed(BOOM))
    assert (await store.lessons(100)).ended == (Ended(T, 7, failed=True),)


@pytest.mark.parametrize("outcome", [Cancelled(), Lost("x"), Released("x"), Snoozed(5)])
async def test_what_did_not_run_to_its_own_end_is_no_lesson(store: Store, clock: FakeClock, outcome: Outcome) -> None:
    await ran(store, clock, 100, outcome)
    assert (await store.lessons(100)).ended == ()


async def test_a_completion_after_a_cancel_was_asked_is_no_lesson(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    await store.cancel([lease.id])
    clock.pass_(9)
    await finish(store, lease)
    assert (await store.lessons(100)).ended == ()


async def test_each_attempt_is_measured_by_its_own_start(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    clock.pass_(50)
    await finish(store, lease, Failed(BOOM))
    clock.pass_(5_000)
    await store.maintain(KEEP, 10)
    worker = await join(store)
    (again,) = await take(store, worker)
    clock.pass_(70)
    await finish(store, again)
    assert (await store.lessons(100)).ended == (Ended(T, 50, failed=True), Ended(T, 70))


async def test_a_round_looks_at_so_many_events_and_the_next_goes_on(store: Store, clock: FakeClock) -> None:
    for _ in range(5):
        await ran(store, clock)
    found, rounds = 0, 0
    while (lesson := await store.lessons(4)).upto != lesson.since:
        assert await store.learn(lesson.since, lesson.upto, {})
        assert lesson.more == (lesson.upto - lesson.since == 4)
        found, rounds = found + len(lesson.ended), rounds + 1
    assert (found, rounds) == (5, 4)


async def test_what_upkeep_has_no_time_for_is_passed_over(store: Store, clock: FakeClock) -> None:
    for _ in range(5):
        await ran(store, clock)
    await learn(store, limit=4)
    assert (await store.durations()).seen[T].took.weight(clock.at) == pytest.approx(1, rel=0.05)
    assert (await store.lessons(100)).ended == ()
    await ran(store, clock)
    await learn(store, limit=4)
    assert (await store.durations()).seen[T].took.weight(clock.at) == pytest.approx(2, rel=0.05)


async def test_what_is_learned_is_kept(store: Store, clock: FakeClock) -> None:
    for took in (80, 100, 120):
        await ran(store, clock, took)
    await ran(store, clock, 400, Failed(BOOM), size=16.0)
    await learn(store)
    known = await store.durations()
    assert known.seen.keys() == {T, Work("t", 5)}
    estimate = known.estimate(T)
    assert estimate is not None
    assert estimate.p50 == pytest.approx(100, rel=0.05)
    assert known.failing(Work("t", 5)) > 0
    assert known.now == clock.at
    before = await store.lessons(100)
    assert before.ended == ()


async def test_of_many_who_learn_at_once_one_counts(store: Store, clock: FakeClock) -> None:
    for _ in range(4):
        await ran(store, clock)
    lesson = await store.lessons(100)
    seen = Durations().learned(lesson.ended, clock.at).seen
    answers = await asyncio.gather(*[store.learn(lesson.since, lesson.upto, seen) for _ in range(5)])
    assert sorted(answers) == [False, False, False, False, True]
    await asyncio.gather(*[learn(store) for _ in range(3)])
    assert (await store.durations()).seen[T].took.weight(clock.at) == pytest.approx(4)


async def test_who_learned_from_an_older_cursor_changes_nothing(store: Store, clock: FakeClock) -> None:
    await ran(store, clock)
    assert await store.learn(0, 2, {})
    seen = Durations().learned([Ended(T, 1)], clock.at).seen
    assert not await store.learn(0, 3, seen)
    assert not (await store.durations()).seen
    assert (await store.lessons(100)).since == 2


async def test_the_outlook_names_the_job_its_line_and_who_serves(store: Store, clock: FakeClock) -> None:
    worker = await join(store, slots=2, queues=("default",))
    (running,) = await add(store, new(size=8.0))
    assert [lease.id for lease in await take(store, worker)] == [running]
    first, last, other = await add(store, new(size=2.0), new(task="a", priority=7), new(queue="else"))
    await add(store, new(delay=1_000))
    clock.pass_(30)
    outlook = await store.outlook([first, last, running, "no id"])
    assert outlook.jobs == {
        first: Asked(Work("t", 2), "default", 5, 3),
        last: Asked(Work("a"), "default", 7, 3),
        running: Asked(Work("t", 4), "default", 5, 3, 30),
    }
    assert outlook.waiting == {"default": (Kind(5, Work("t", 2), 1.0), Kind(7, Work("a"), 1.0))}
    assert outlook.workers == (Serving(2, ("default",), frozenset({"t", "a", "b"}), ((Work("t", 4), 30),), 30),)
    assert (await store.outlook([other])).waiting == {"else": (Kind(5, T, 1.0),)}


async def test_kinds_of_one_task_are_told_by_size(store: Store) -> None:
    ids = await add(store, *[new(size=1.0) for _ in range(3)], *[new(size=4.0) for _ in range(6)])
    assert (await store.outlook(ids[:1])).waiting == {
        "default": (Kind(5, Work("t", 1), 3.0), Kind(5, Work("t", 3), 6.0))
    }


async def test_what_waits_for_a_limit_stands_before_nobody(store: Store) -> None:
    worker = await join(store)
    await store.configure_limit(Limit("tenant:full", running=0))
    await add(store, new(tenant="full"))
    await store.claim(worker, Want(1, frozenset({"t"})))
    (free,) = await add(store, new())
    assert (await store.outlook([free])).waiting == {"default": (Kind(5, T, 1.0),)}


async def test_workers_that_drain_left_or_fell_silent_are_not_counted_on(store: Store, clock: FakeClock) -> None:
    draining, gone, _ = await join(store, "a"), await join(store, "b"), await join(store, "c")
    await store.drain_worker(draining)
    await store.leave([gone])
    (waiting,) = await add(store)
    assert len((await store.outlook([waiting])).workers) == 1
    clock.pass_(60_000)
    assert (await store.outlook([waiting])).workers == ()


async def test_workers_that_ended_within_the_hour_are_told_with_their_time(store: Store, clock: FakeClock) -> None:
    old = await join(store, "old")
    clock.pass_(1_000)
    await store.leave([old])
    clock.pass_(WINDOW - 5_000)
    left = await join(store, "left", queues=("default",), tasks=("t",))
    clock.pass_(2_000)
    await store.leave([left], lost=False)
    silent = await join(store, "silent", tasks=("t",))
    clock.pass_(1_000)
    await store.leave([silent], lost=True)
    clock.pass_(1_000)
    (waiting,) = await add(store)
    found = (await store.outlook([waiting])).gone
    assert found == (
        Gone(None, frozenset({"t", "a", "b"}), Life(WINDOW, WINDOW - 1_000)),
        Gone(("default",), frozenset({"t"}), Life(4_000, 2_000)),
        Gone(None, frozenset({"t"}), Life(2_000, 1_000, lost=True)),
    )
    clock.pass_(1_000)
    assert len((await store.outlook([waiting])).gone) == 2
    (running,) = await take(store, await join(store))
    assert (await store.outlook([running.id])).gone == ()


async def test_of_very_many_workers_that_ended_the_latest_are_told(store: Store, clock: FakeClock) -> None:
    for number in range(MOST_GONE + 4):
        await store.leave([await join(store, f"w{number}")])
        clock.pass_(1)
    (waiting,) = await add(store)
    gone = (await store.outlook([waiting])).gone
    assert [worker.life.went for worker in gone] == list(range(MOST_GONE, 0, -1))


async def test_the_outlook_stays_within_its_scope(store: Store) -> None:
    (job,) = await add(store, new(tenant="acme"))
    assert (await store.outlook([job], ACME)).jobs.keys() == {job}
    assert (await store.outlook([job], OTHER)).jobs == {}


async def test_settled_in_a_batch_each_is_a_lesson(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await add(store, *[new() for _ in range(3)])
    leases = await take(store, worker)
    clock.pass_(11)
    assert all(await store.settle([ended(lease, Completed(b"1")) for lease in leases]))
    assert (await store.lessons(100)).ended == (Ended(T, 11),) * 3
