"""The position of a job in a frozen queue is the order in which single claims start the jobs; nothing less."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from stanchion.domain.job import State
from stanchion.domain.limits import Limit
from stanchion.domain.policy import TenantPolicy
from stanchion.domain.query import Filter
from stanchion.engine.learning import learn
from stanchion.store import WorkerInfo
from stanchion.stores.memory import MemoryStore
from stanchion.stores.memory import charges as model_charges
from stanchion.stores.sqlite import SqliteStore, costs, ranks, uneven
from tests.clock import FakeClock
from tests.conformance.helpers import WANT, ended, new, take
from tests.faults.scale import SEED, sized

if TYPE_CHECKING:
    from pathlib import Path

    from stanchion.domain.job import NewJob
    from stanchion.store import Store

ONE = WANT._replace(limit=1)
QUEUES, USERS, TASKS = ("x", "y", "z"), (None, "ann", "bob"), ("a", "b")
PARKED, CLOSED, OPEN = "provider:parked", "provider:closed", "provider:open"
SIZES = (None, None, 1.0, 30.0, 1_000.0)
HAS = {"gpu:0": 1, "gpu:1": 1, "vram": 10}
ASKS: tuple[tuple[tuple[str, int], ...], ...] = (
    (), (), (("gpu", 1),), (("gpu", 2), ("vram", 6)), (("gpu:1", 1),), (("slots", 2),),
)  # fmt: skip
STANDING = (State.QUEUED, State.SCHEDULED)


def request(rng: random.Random, tenants: int, keys: tuple[str, ...], *, delayed: bool = True) -> NewJob:
    return new(
        rng.choice(TASKS),
        queue=rng.choice(QUEUES),
        tenant=f"t{rng.randrange(tenants)}",
        user=rng.choice(USERS),
        priority=rng.choice((2, 5, 5, 8)),
        delay=rng.choice((0, 0, 0, 0, 60_000)) if delayed else 0,
        limits=tuple((key, 1) for key in keys),
        size=rng.choice(SIZES),
        resources=rng.choice(ASKS),
        model=rng.choice(("", "", "flux", "sdxl")),
        batch=rng.choice(("", "", "k")),
    )


async def frozen(store: Store, clock: FakeClock, rng: random.Random) -> int:
    """Bring about a queue with a past: turns, clocks, lanes that wait. Return a worker that serves all of it.

    A lane is found to wait when its turn comes, so those that do have been tried once, and are left where they are.
    """
    worker = await store.register(WorkerInfo("all", "h", 1, 1_000, None, ("a", "b", "t"), resources=HAS), 10**9)
    await store.set_resource("slots", 3)
    tenants = rng.randrange(1, 7)
    for number in range(tenants):
        if rng.random() < 0.6:
            await store.configure_tenant(TenantPolicy(f"t{number}", rng.randrange(1, 9), rng.choice((0, 0, 0, 3))))
    await store.configure_limit(Limit(CLOSED, running=0))
    await store.configure_limit(Limit(OPEN, running=rng.randrange(1, 4)))
    if rng.random() < 0.5:
        await store.configure_limit(Limit("user:*", running=1))
    await store.park(PARKED, 1_000_000)
    held = [request(rng, tenants, (key,), delayed=False) for key in (PARKED, CLOSED) for _ in range(rng.randrange(4))]
    await store.enqueue(held)
    assert not await take(store, worker)
    for _ in range(rng.randrange(3)):
        await store.enqueue([request(rng, tenants, rng.choice(((), (OPEN,)))) for _ in range(rng.randrange(1, 12))])
        for _ in range(rng.randrange(6)):
            leases = await take(store, worker, ONE)
            clock.pass_(rng.choice((0, 3, 50, 2_000)))
            await store.settle([ended(lease) for lease in leases])
        if rng.random() < 0.5:
            await learn(store)
    more = [request(rng, tenants, rng.choice(((), (), (OPEN,)))) for _ in range(rng.randrange(1, 25))]
    more += [one._replace(id=new().id) for one in held if rng.random() < 0.5]
    rng.shuffle(more)
    await store.enqueue(more)
    free = [one.id for one in more if not {PARKED, CLOSED} & dict(one.limits).keys() and rng.random() < 0.1]
    await store.amend(free, priority=rng.choice((2, 5, 8)))
    await store.configure("z", paused=rng.random() < 0.3)
    return worker


async def wrong(store: Store, clock: FakeClock, rng: random.Random) -> tuple[int, int]:
    """Return how many jobs of a random frozen queue had a position, and how many of them a wrong one.

    Nothing of a frozen queue ends; what is ended here to make room for the next was charged right.
    """
    worker = await frozen(store, clock, rng)
    with pytest.MonkeyPatch.context() as patch:
        for module in (model_charges, costs):
            patch.setattr(module, "correct", lambda *_: None)
        return await compared(store, worker)


async def compared(store: Store, worker: int) -> tuple[int, int]:
    """Return the same, of a queue that is frozen."""
    ids = await store.select(Filter(STANDING), 1_000)
    told = {
        job_id: place.position
        for job_id, place in zip(ids, await store.position(ids), strict=True)
        if place is not None and place.position is not None
    }
    order: dict[str, list[str]] = {name: [] for name in QUEUES}
    while leases := await take(store, worker, ONE):
        order[leases[0].queue].append(leases[0].id)
        await store.settle([ended(lease) for lease in leases])
    found = {job_id: place for line in order.values() for place, job_id in enumerate(line, 1)}
    return len(told), sum(told.get(job_id) != found.get(job_id) for job_id in told.keys() | found.keys())


@pytest.mark.timeout(sized(60, 900))
async def test_positions_in_frozen_queues_of_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    jobs, seeds = 0, sized(100, 1_000)
    for seed in range(seeds):
        clock = FakeClock()
        store = MemoryStore(clock)
        count, errors = await wrong(store, clock, random.Random(f"{SEED}/{seed}"))
        assert errors == 0, seed
        jobs += count
    with capsys.disabled():
        print(f"\nmodel: {seeds} frozen queues, {jobs} positions, error 0")
    assert jobs > seeds


@pytest.mark.parametrize("deep", [2, 2_000])
@pytest.mark.timeout(sized(60, 900))
async def test_positions_in_frozen_queues_of_sqlite(
    deep: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranks, "DEEP", deep)
    monkeypatch.setattr(uneven, "BLOCK", 3)
    jobs, seeds = 0, sized(15, 150)
    for seed in range(seeds):
        clock = FakeClock()
        store = SqliteStore(tmp_path / f"{seed}.db", clock=clock, synchronous="off", ballast=0)
        await store.open()
        count, errors = await wrong(store, clock, random.Random(f"{SEED}/{seed}"))
        await store.close()
        assert errors == 0, seed
        jobs += count
    with capsys.disabled():
        print(f"\nsqlite: {seeds} frozen queues, {jobs} positions, error 0")
    assert jobs > seeds
