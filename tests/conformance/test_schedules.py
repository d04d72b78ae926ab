"""Schedules: put, pause, drop; and each tick fired at most once, as one transaction."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.job import State
from stanchion.domain.policy import Retention
from stanchion.domain.query import Scope
from stanchion.domain.schedule import Cron, Every, NewSchedule, Overlap, Schedule, plan, tick_id
from stanchion.domain.units import HOUR, MINUTE, SECOND
from stanchion.errors import QueueFullError
from stanchion.store import Due, Enqueued, Fired, Refused, Signal
from tests.conformance.helpers import LEASE_FOR, WANT, add, ended, finish, join, new, read, states, take

if TYPE_CHECKING:
    from stanchion.store import Store
    from tests.clock import FakeClock

HOURLY = Every(HOUR)


def schedule(name: str = "s", rule: Any = HOURLY, *, overlap: Overlap = Overlap.ALLOW, **given: Any) -> NewSchedule:
    catch_up = given.pop("catch_up", None)
    return NewSchedule(name=name, rule=rule, request=new(**given), overlap=overlap, catch_up=catch_up)


async def put(store: Store, *given: NewSchedule) -> Schedule:
    answers = await store.put_schedules(given or (schedule(),))
    return answers[-1].schedule


async def only(store: Store) -> Schedule:
    (found,) = await store.schedules()
    return found


async def fire(store: Store, limit: int = 100) -> list[Fired]:
    """What a scheduler does in one round."""
    due = await store.due_schedules(limit)
    return await store.fire([plan(found, due.now) for found in due.schedules])


def ids(*fired: Fired) -> list[str]:
    return [answer.id for one in fired for answer in one.jobs if isinstance(answer, Enqueued) and answer.new]


def to_next(clock: FakeClock, found: Schedule) -> int:
    """Let time pass until the next tick; return it."""
    assert found.next_at is not None
    clock.pass_(found.next_at - clock.at)
    return clock.at


async def test_a_schedule_is_kept_as_it_was_given(store: Store, clock: FakeClock) -> None:
    given = schedule(
        "Täglich um 7", Cron("0 7 * * *", "Europe/Berlin"), overlap=Overlap.SKIP, catch_up=HOUR, task="a",
        args='{"x":"ü"}'.encode(), queue="images", tenant="acme", user="ann", priority=2, max_attempts=5, delay=7,
        expires_in=9, tags=("x", "ü"), metadata=b'{"k":1}', timeout=9_000, correlation_id="c-1", crash_budget=2,
        secret=("x",),
    )  # fmt: skip
    ((made, fresh),) = await store.put_schedules([given])
    assert fresh
    assert made == await only(store)
    assert made.request == given.request._replace(id="")
    assert (made.name, made.tenant, made.rule) == ("Täglich um 7", "acme", given.rule)
    assert (made.overlap, made.catch_up, made.created_at) == (Overlap.SKIP, HOUR, clock.at)
    assert (made.paused, made.last_at, made.last_job) == (False, None, None)
    assert made.next_at is not None
    assert made.next_at > clock.at


async def test_a_put_of_the_same_changes_nothing(store: Store, clock: FakeClock) -> None:
    first = await put(store)
    clock.pass_(3 * HOUR)
    ((again, fresh),) = await store.put_schedules([schedule()])
    assert (again, fresh) == (first, False)


async def test_another_request_keeps_the_next_tick_and_another_rule_moves_it(store: Store, clock: FakeClock) -> None:
    first = await put(store)
    clock.pass_(2 * HOUR)
    changed = await put(store, schedule(args=b'{"n":2}'))
    assert (changed.next_at, changed.request.args) == (first.next_at, b'{"n":2}')
    moved = await put(store, schedule(rule=Every(MINUTE, clock.at)))
    assert (moved.next_at, moved.ref) == (clock.at + MINUTE, first.ref)
    assert first.revision < changed.revision < moved.revision


async def test_a_rule_that_cannot_be_used_stores_none_of_its_batch(store: Store) -> None:
    with pytest.raises(ValueError, match="time zone"):
        await store.put_schedules([schedule("a"), schedule("b", Cron("0 0 * * *", "Mars/Olympus"))])
    assert await store.schedules() == []


async def test_schedules_are_listed_by_tenant_and_name_within_a_scope(store: Store) -> None:
    await put(store, schedule("b", tenant="two"), schedule("b", tenant="one"), schedule("a", tenant="two"))
    found = [(one.tenant, one.name) for one in await store.schedules()]
    assert found == [("one", "b"), ("two", "a"), ("two", "b")]
    assert [one.name for one in await store.schedules(Scope("two"))] == ["a", "b"]
    assert await store.schedules(Scope("three")) == []


async def test_what_is_due_is_told_with_the_time_until_the_next(store: Store, clock: FakeClock) -> None:
    assert await store.due_schedules(10) == Due(clock.at)
    await put(store, schedule("b", Every(2 * SECOND, clock.at)), schedule("a", Every(SECOND, clock.at)))
    assert await store.due_schedules(10) == Due(clock.at, (), SECOND)
    clock.pass_(SECOND)
    due = await store.due_schedules(10)
    assert ([found.name for found in due.schedules], due.next_due) == (["a"], SECOND)
    clock.pass_(SECOND)
    due = await store.due_schedules(10)
    assert ([found.name for found in due.schedules], due.next_due) == (["a", "b"], None)
    assert len((await store.due_schedules(1)).schedules) == 1


async def test_a_tick_is_one_job_and_the_schedule_goes_on(store: Store, clock: FakeClock) -> None:
    made = await put(store, schedule(task="a", queue="images", tenant="acme", tags=("x",)))
    tick = to_next(clock, made)
    clock.pass_(5)
    ((applied, jobs),) = await fire(store)
    assert (applied, jobs) == (True, (Enqueued(tick_id("acme", "s", tick), State.QUEUED, new=True),))
    job = await read(store, tick_id("acme", "s", tick))
    assert (job.task, job.queue, job.tenant, job.tags, job.created_at) == ("a", "images", "acme", ("x",), clock.at)
    found = await only(store)
    assert (found.next_at, found.last_at, found.last_job) == (tick + HOUR, tick, job.id)
    assert await fire(store) == []


async def test_a_firing_applies_once_however_often_it_is_repeated(store: Store, clock: FakeClock) -> None:
    to_next(clock, await put(store))
    due = await store.due_schedules(10)
    firing = plan(due.schedules[0], due.now)
    first, second = await store.fire([firing, firing])
    assert (first.applied, second) == (True, Fired(applied=False))
    found = await only(store)
    assert await store.fire([firing]) == [Fired(applied=False)]
    assert await only(store) == found


async def test_the_firing_of_a_scheduler_that_was_frozen_changes_nothing(store: Store, clock: FakeClock) -> None:
    to_next(clock, await put(store))
    due = await store.due_schedules(10)
    old = plan(due.schedules[0], due.now)
    (first,) = ids(*await fire(store))
    worker = await join(store)
    (lease,) = await take(store, worker)
    await finish(store, lease)
    clock.pass_(HOUR)
    await store.maintain(Retention(1, 1, 1), 10)
    assert await store.inspect([first]) == [None]  # its job is gone, so that its id stands for nothing any more
    (second,) = ids(*await fire(store))
    before = await only(store)
    assert await store.fire([old]) == [Fired(applied=False)]
    assert await only(store) == before
    assert await states(store, first, second) == [None, State.QUEUED]


@pytest.mark.parametrize("change", ["request", "pause", "drop", "anew"])
async def test_a_firing_of_what_was_changed_meanwhile_changes_nothing(
    store: Store, clock: FakeClock, change: str
) -> None:
    to_next(clock, await put(store))
    due = await store.due_schedules(10)
    old = plan(due.schedules[0], due.now)
    if change == "request":
        await put(store, schedule(args=b'{"n":2}'))
    elif change == "pause":
        await store.pause_schedule("default", "s", paused=True)
    else:
        assert await store.drop_schedule("default", "s")
    if change == "anew":
        clock.at -= HOUR  # the same tick comes next for the new one
        anew = await put(store)
        assert anew.next_at == old.schedule.next_at
        assert anew.ref != old.schedule.ref
    before = await store.schedules()
    assert await store.fire([old]) == [Fired(applied=False)]
    assert await store.schedules() == before
    assert await store.inspect([old.jobs[0].id]) == [None]


async def test_the_same_tick_is_the_same_job_even_where_a_schedule_was_made_anew(
    store: Store, clock: FakeClock
) -> None:
    to_next(clock, await put(store))
    (first,) = ids(*await fire(store))
    await store.drop_schedule("default", "s")
    clock.at -= HOUR
    to_next(clock, await put(store))
    ((applied, jobs),) = await fire(store)
    assert (applied, jobs) == (True, (Enqueued(first, State.QUEUED, new=False),))


async def test_missed_ticks_are_made_up_for_within_the_window_the_oldest_first(store: Store, clock: FakeClock) -> None:
    made = await put(store, schedule(rule=Every(MINUTE), catch_up=2 * MINUTE))
    tick = to_next(clock, made) + 9 * MINUTE
    clock.pass_(9 * MINUTE)
    assert ids(*await fire(store)) == [tick_id("default", "s", tick - n * MINUTE) for n in (2, 1, 0)]
    assert (await only(store)).next_at == tick + MINUTE


async def test_of_missed_ticks_only_the_latest_is_fired_by_default(store: Store, clock: FakeClock) -> None:
    made = await put(store, schedule(rule=Every(SECOND, clock.at)))
    tick = to_next(clock, made) + 40 * SECOND
    clock.pass_(40 * SECOND)
    assert ids(*await fire(store)) == [tick_id("default", "s", tick)]


async def test_a_tick_older_than_the_window_is_left_out(store: Store, clock: FakeClock) -> None:
    tick = to_next(clock, await put(store))
    clock.pass_(MINUTE + 1)
    assert await fire(store) == [Fired(applied=True)]
    found = await only(store)
    assert (found.next_at, found.last_at) == (tick + HOUR, None)


async def test_overlap_allow_lets_jobs_of_two_ticks_wait_together(store: Store, clock: FakeClock) -> None:
    to_next(clock, await put(store))
    (first,) = ids(*await fire(store))
    clock.pass_(HOUR)
    (second,) = ids(*await fire(store))
    assert await states(store, first, second) == [State.QUEUED, State.QUEUED]


async def test_overlap_skip_leaves_a_tick_out_while_the_job_before_has_not_ended(
    store: Store, clock: FakeClock
) -> None:
    worker = await join(store)
    to_next(clock, await put(store, schedule(overlap=Overlap.SKIP)))
    (first,) = ids(*await fire(store))
    clock.pass_(HOUR)
    assert await fire(store) == [Fired(applied=True, jobs=(None,))]
    await store.beat([worker], 2 * HOUR)
    (lease,) = await take(store, worker)
    clock.pass_(HOUR)
    assert await fire(store) == [Fired(applied=True, jobs=(None,))]
    found = await only(store)
    assert (found.last_at, found.last_job) == (clock.at, first)
    await finish(store, lease)
    clock.pass_(HOUR)
    assert len(ids(*await fire(store))) == 1


async def test_overlap_cancel_ends_the_job_before(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    to_next(clock, await put(store, schedule(overlap=Overlap.CANCEL_RUNNING)))
    (first,) = ids(*await fire(store))
    clock.pass_(HOUR)
    (second,) = ids(*await fire(store))
    assert await states(store, first, second) == [State.CANCELLED, State.QUEUED]
    await store.beat([worker], 2 * HOUR)
    (lease,) = await take(store, worker)
    clock.pass_(HOUR)
    (third,) = ids(*await fire(store))
    assert (await read(store, second)).cancel_requested_at == clock.at
    assert await store.settle([ended(lease)]) == [True]
    assert await states(store, second, third) == [State.CANCELLED, State.QUEUED]


async def test_a_job_that_was_pruned_has_ended(store: Store, clock: FakeClock) -> None:
    to_next(clock, await put(store, schedule(overlap=Overlap.SKIP)))
    (first,) = ids(*await fire(store))
    await store.cancel([first])
    assert await store.erase([first]) == [True]
    clock.pass_(HOUR)
    assert len(ids(*await fire(store))) == 1


async def test_a_refused_tick_is_waited_for_and_those_before_it_stay_fired(store: Store, clock: FakeClock) -> None:
    await store.configure("q", max_waiting=2)
    made = await put(store, schedule(rule=Every(SECOND), catch_up=HOUR, queue="q"), schedule("z", Every(SECOND)))
    first = to_next(clock, made)
    clock.pass_(2 * SECOND)
    (one, other) = await fire(store)
    assert [isinstance(answer, Refused) for answer in one.jobs] == [False, False, True]
    refused = one.jobs[-1]
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, QueueFullError)
    assert ids(other) == [tick_id("default", "z", clock.at)]
    waiting = (await store.schedules())[0]
    assert (waiting.next_at, waiting.last_at) == (first + 2 * SECOND, first + SECOND)
    await store.configure("q", max_waiting=0)
    assert ids(*await fire(store)) == [tick_id("default", "s", first + 2 * SECOND)]


async def test_a_paused_schedule_does_not_tick_and_makes_up_for_nothing(store: Store, clock: FakeClock) -> None:
    made = await put(store, schedule(catch_up=9 * HOUR))
    paused = await store.pause_schedule("default", "s", paused=True)
    assert paused is not None
    assert (paused.paused, paused.next_at) == (True, None)
    assert await store.pause_schedule("default", "s", paused=True) == paused
    clock.pass_(3 * HOUR)
    assert await store.due_schedules(10) == Due(clock.at)
    changed = await put(store, schedule(rule=Every(MINUTE), catch_up=9 * HOUR))
    assert (changed.paused, changed.next_at) == (True, None)
    await put(store, schedule(catch_up=9 * HOUR))
    resumed = await store.pause_schedule("default", "s", paused=False)
    assert resumed is not None
    assert made.next_at is not None
    assert (resumed.paused, resumed.next_at) == (False, made.next_at + 3 * HOUR)


async def test_what_is_not_there_is_neither_paused_nor_dropped(store: Store) -> None:
    await put(store)
    assert await store.pause_schedule("other", "s", paused=True) is None
    assert not await store.drop_schedule("other", "s")
    assert await store.drop_schedule("default", "s")
    assert not await store.drop_schedule("default", "s")


async def test_a_dropped_schedule_leaves_its_jobs(store: Store, clock: FakeClock) -> None:
    to_next(clock, await put(store))
    (job,) = ids(*await fire(store))
    await store.drop_schedule("default", "s")
    assert await states(store, job) == [State.QUEUED]


async def test_a_firing_counts_as_any_enqueue_does(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await store.beat([worker], LEASE_FOR + 2 * HOUR)
    to_next(clock, await put(store, schedule(priority=0)))
    late = await add(store)
    fired = ids(*await fire(store))
    assert [lease.id for lease in await take(store, worker, WANT)] == [*fired, *late]


async def test_a_put_and_a_resume_are_hinted_to_those_who_asked(store: Store) -> None:
    heard: asyncio.Queue[Signal] = asyncio.Queue()
    stop = store.subscribe(heard.put_nowait, claims=False, watch=False, schedules=True)
    await put(store)
    async with asyncio.timeout(5):
        assert await heard.get() == Signal("schedule")
        await add(store)  # tells nothing
        await store.pause_schedule("default", "s", paused=True)
        assert await heard.get() == Signal("schedule")
        await store.pause_schedule("default", "s", paused=False)
        assert await heard.get() == Signal("schedule")
    stop()
