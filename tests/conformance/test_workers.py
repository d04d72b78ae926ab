"""Workers: registry, beats, silence, leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanchion.domain.job import State
from stanchion.domain.outcome import Lost
from stanchion.domain.units import HOUR
from stanchion.store import Beat, Held
from tests.conformance.helpers import KEEP, LEASE_FOR, WANT, add, ended, info, join, new, start, states, take

if TYPE_CHECKING:
    from stanchion.store import Store
    from tests.clock import FakeClock


async def test_a_worker_is_registered_once_for_each_incarnation(store: Store) -> None:
    one = await join(store, "one")
    assert await join(store, "one") == one
    assert await join(store, "two") != one
    assert len(await store.workers()) == 2


async def test_the_registry_tells_what_a_worker_told(store: Store, clock: FakeClock) -> None:
    given = info("one", queues=("x", "y"), supervisor="sup", version="1.2", capabilities={"gpu": 2, "model": "x"})
    number = await store.register(given, LEASE_FOR)
    (row,) = await store.workers()
    assert (row.id, row.state, row.alive, row.started_at, row.beat_at) == (
        number,
        "idle",
        True,
        clock.at,
        clock.at,
    )
    assert row.info._replace(tasks=()) == given._replace(tasks=())
    assert set(row.info.tasks) == set(given.tasks)
    assert (row.running, row.jobs, row.done, row.failed, row.mean_ms) == (0, (), 0, 0, None)


async def test_a_worker_with_jobs_is_busy(store: Store) -> None:
    lease = await start(store)
    (row,) = await store.workers()
    assert (row.state, row.running, row.jobs) == ("busy", 1, (lease.id,))


async def test_a_beat_tells_what_is_held_and_whose_cancel_was_asked(store: Store) -> None:
    worker = await join(store)
    ids = await add(store, new(), new())
    one, two = await take(store, worker)
    await store.cancel([ids[1]])
    assert await store.beat([worker, 99], LEASE_FOR) == [
        Beat(alive=True, held=(Held(one.ref, 1, False), Held(two.ref, 1, True))),
        Beat(alive=False, held=()),
    ]
    assert await store.held(worker) == (Held(one.ref, 1, False), Held(two.ref, 1, True))
    await store.settle([ended(one), ended(two)])
    assert await store.beat([worker], LEASE_FOR) == [Beat(alive=True, held=())]


async def test_a_beat_extends_the_lease_of_a_worker(store: Store, clock: FakeClock) -> None:
    await start(store)
    clock.pass_(LEASE_FOR)
    assert (await store.beat([1], LEASE_FOR))[0].alive
    clock.pass_(LEASE_FOR)
    assert await store.overdue(10) == []
    clock.pass_(1)
    assert len(await store.overdue(10)) == 1


async def test_asking_what_is_held_extends_nothing(store: Store, clock: FakeClock) -> None:
    await start(store)
    clock.pass_(LEASE_FOR)
    await store.held(1)
    await take(store, 1)
    clock.pass_(1)
    assert len(await store.overdue(10)) == 1


async def test_a_silent_worker_is_lost_but_nothing_is_settled(store: Store, clock: FakeClock) -> None:
    lease = await start(store, incarnation="silent")
    await join(store, "idle")
    clock.pass_(LEASE_FOR + 1)
    await join(store, "fresh")
    (overdue,) = await store.overdue(10)
    assert overdue.worker == "silent"
    assert (overdue.lease.ref, overdue.lease.id, overdue.lease.attempt) == (lease.ref, lease.id, 1)
    assert await states(store, lease.id) == [State.RUNNING]
    assert {row.info.incarnation: row.state for row in await store.workers()} == {
        "silent": "lost", "idle": "lost", "fresh": "idle",
    }  # fmt: skip


async def test_an_overdue_lease_is_told_until_it_is_settled(store: Store, clock: FakeClock) -> None:
    await start(store)
    clock.pass_(LEASE_FOR + 1)
    (overdue,) = await store.overdue(10)
    assert [again.lease.ref for again in await store.overdue(10)] == [overdue.lease.ref]
    assert await store.settle([ended(overdue.lease, Lost())]) == [True]
    assert await store.overdue(10) == []


async def test_an_overdue_lease_tells_what_its_judgement_needs(store: Store, clock: FakeClock) -> None:
    lease = await start(store, new(max_attempts=7, tenant="acme", queue="x", priority=2, user="ann"))
    await store.cancel([lease.id])
    clock.pass_(LEASE_FOR + 1)
    (overdue,) = await store.overdue(10)
    told, meant = overdue.lease, lease
    assert (told.task, told.queue, told.tenant, told.user, told.priority) == (
        meant.task, meant.queue, meant.tenant, meant.user, meant.priority,
    )  # fmt: skip
    assert (told.spent, told.crashes, told.max_attempts) == (0, 0, 7)
    assert (told.created_at, told.started_at) == (meant.created_at, meant.started_at)
    assert told.cancel_requested is True


async def test_overdue_leases_come_in_portions(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await add(store, new(), new(), new())
    await take(store, worker)
    clock.pass_(LEASE_FOR + 1)
    assert [overdue.lease.ref for overdue in await store.overdue(2)] == [1, 2]
    assert await store.overdue(0) == []


async def test_a_lost_worker_stays_lost(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    clock.pass_(LEASE_FOR + 1)
    await store.overdue(10)
    assert await store.beat([worker], LEASE_FOR) == [Beat(alive=False, held=())]
    await store.leave([worker])
    assert [row.state for row in await store.workers()] == ["lost"]


@pytest.mark.parametrize(("lost", "state"), [(False, "stopped"), (True, "lost")])
async def test_a_leaving_worker_tells_what_it_still_holds(store: Store, *, lost: bool, state: str) -> None:
    lease = await start(store, incarnation="one")
    await join(store, "two")
    left = await store.leave([1], lost=lost)
    assert [(overdue.worker, overdue.lease.id) for overdue in left] == [("one", lease.id)]
    assert await states(store, lease.id) == [State.RUNNING]
    assert [(row.state, row.alive) for row in await store.workers()] == [(state, False), ("idle", True)]
    assert (await store.beat([1], LEASE_FOR))[0].alive is False


async def test_leaving_again_tells_the_same(store: Store) -> None:
    await start(store)
    first = await store.leave([1])
    assert await store.leave([1, 99]) == first
    assert [overdue.lease.ref for overdue in await store.overdue(10)] == [overdue.lease.ref for overdue in first]


async def test_a_draining_worker_beats_and_ends_its_jobs(store: Store, clock: FakeClock) -> None:
    lease = await start(store)
    await add(store)
    await store.drain_worker(1)
    await store.drain_worker(99)
    assert await take(store, 1) == ()
    assert (await store.beat([1], LEASE_FOR))[0].alive
    (row,) = await store.workers()
    assert (row.state, row.alive) == ("draining", True)
    assert await store.settle([ended(lease)]) == [True]
    clock.pass_(LEASE_FOR + 1)
    await store.overdue(10)
    assert [row.state for row in await store.workers()] == ["lost"]


async def test_a_worker_past_its_lease_is_not_alive_even_before_it_is_declared_lost(
    store: Store, clock: FakeClock
) -> None:
    await join(store)
    clock.pass_(LEASE_FOR)
    assert [row.alive for row in await store.workers()] == [True]
    clock.pass_(1)
    assert [(row.state, row.alive) for row in await store.workers()] == [("idle", False)]


async def test_an_ended_worker_is_shown_for_an_hour(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await store.leave([worker])
    clock.pass_(HOUR - 1)
    assert len(await store.workers()) == 1
    clock.pass_(2)
    assert await store.workers() == []
    await store.maintain(KEEP, 10)
    assert await store.beat([worker], LEASE_FOR) == [Beat(alive=False, held=())]


async def test_a_worker_that_still_holds_leases_is_not_forgotten(store: Store, clock: FakeClock) -> None:
    lease = await start(store, incarnation="one")
    await store.leave([1])
    clock.pass_(HOUR * 2)
    await store.maintain(KEEP, 10)
    assert [(overdue.worker, overdue.lease.ref) for overdue in await store.overdue(10)] == [("one", lease.ref)]


async def test_history_names_a_worker_after_the_registry_forgot_it(store: Store, clock: FakeClock) -> None:
    lease = await start(store, incarnation="one")
    await store.settle([ended(lease)])
    await store.leave([1])
    clock.pass_(HOUR * 2)
    await store.maintain(KEEP._replace(completed=HOUR * 9), 10)
    _, (attempt,) = await store.history(lease.id)
    assert attempt.worker == "one"


async def test_ids_of_workers_are_never_used_again(store: Store, clock: FakeClock) -> None:
    old = await join(store, "old")
    await store.leave([old])
    clock.pass_(HOUR * 2)
    await store.maintain(KEEP, 10)
    assert await join(store, "young") != old
    await add(store)
    assert (await store.claim(old, WANT))[1].leases == ()
