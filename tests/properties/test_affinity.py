"""Warm models first: both stores choose alike, and over any history no job is passed over beyond the bound."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from stanchion.domain.affinity import Bound
from stanchion.domain.ids import uuid7
from stanchion.domain.job import NewJob, State
from stanchion.domain.outcome import Completed, Outcome, Released, settle
from stanchion.domain.policy import TenantPolicy
from stanchion.domain.units import DAY
from stanchion.store import Want, WorkerInfo
from stanchion.stores.memory import MemoryStore
from stanchion.stores.sqlite import SqliteStore
from tests.clock import T0, FakeClock
from tests.properties.test_store_against_model import CHECKS, POLICY, TASKS, TwoStores, fields, outcomes, plain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from stanchion.domain.job import Job, Lease
    from stanchion.store import Store

T = TypeVar("T")

MODELS = ("flux", "sdxl", "wan")
models = st.sampled_from(["", *MODELS])
warmth = st.frozensets(st.sampled_from(MODELS), max_size=2)
bounds = st.sampled_from([Bound(), Bound(2, 1_000), Bound(3, 30_000), Bound(0, 30_000), Bound(8, 0)])
modelled = st.builds(lambda facts, model: facts | {"model": model, "idempotency": None}, fields, models)


class WithModels(TwoStores):
    """What `TwoStores` does, on requests that name models and workers that have some loaded."""

    @rule(given=st.lists(modelled, min_size=1, max_size=6))
    def enqueue_with_models(self, given: list[dict[str, Any]]) -> None:
        self.enqueue(given)

    @rule(bound=bounds, queue=st.sampled_from(["x", "y"]))
    def bound_a_queue(self, bound: Bound, queue: str) -> None:
        self.both(lambda store: store.configure(queue, affinity_jobs=bound.jobs, affinity_time=bound.time))

    @rule(
        given=st.lists(modelled, max_size=4),
        place=st.integers(0, 3),
        limit=st.integers(1, 6),
        warm=warmth,
        time=st.sampled_from([0, 0, 500, 1_100]),
        outcome=outcomes,
    )
    def claim_warm(  # noqa: PLR0913, PLR0917 - what one claim may meet
        self,
        given: list[dict[str, Any]],
        place: int,
        limit: int,
        warm: frozenset[str],
        time: int,
        outcome: Outcome,
    ) -> None:
        if given:
            self.enqueue(given)
        self.clock.pass_(time)
        worker = 1 + place % self.workers
        ended = self.settlements([(0, outcome)])
        want = Want(limit, frozenset(TASKS), warm=warm)
        _, claimed = self.both(lambda store: store.claim(worker, want, ended))
        self.leases += claimed.leases


@pytest.mark.timeout(300)
class TestWithModels(WithModels.TestCase):
    settings = settings(max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=CHECKS)


@pytest.mark.laws
@pytest.mark.slow
@pytest.mark.timeout(3_600)
class TestWithModelsAtLength(WithModels.TestCase):
    settings = settings(max_examples=2_000, stateful_step_count=50, deadline=None, suppress_health_check=CHECKS)


class Judged(RuleBasedStateMachine):
    """Jobs of models in one queue that workers claim one by one; every start is judged.

    A job is passed over by one of its tenant's that came later; and by one of another tenant when its own turn would
    have come before that tenant's, as the positions of the frozen line say.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="stanchion-"))
        self.clock = FakeClock()
        self.runner = asyncio.Runner()
        self.model = MemoryStore(self.clock)
        self.store = SqliteStore(self.folder / "t.db", clock=self.clock, synchronous="off", ballast=0)
        self.runner.run(self.store.open())
        self.ids: list[str] = []
        self.leases: list[Lease] = []
        self.passes: dict[str, list[int]] = {}
        self.bound = Bound()

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    def both(self, call: Callable[[Store], Awaitable[T]]) -> T:
        """Make one call on both, whose answers must agree; what else can be read is compared by `WithModels`."""

        async def ask() -> T:
            expected, answer = await call(self.model), await call(self.store)
            assert plain(answer) == plain(expected)
            return expected

        return self.runner.run(ask())

    @initialize(bound=bounds, weight=st.sampled_from([1, 3, 200]))
    def workers_come(self, bound: Bound, weight: int) -> None:
        self.bound = bound
        for number in range(3):
            info = WorkerInfo(f"w{number}", "h", number, 1, None, TASKS)
            self.both(lambda store, info=info: store.register(info, DAY))
        self.both(lambda store: store.configure("x", affinity_jobs=bound.jobs, affinity_time=bound.time))
        self.both(lambda store: store.configure_tenant(TenantPolicy("d", weight)))

    @rule(
        jobs=st.lists(
            st.tuples(st.sampled_from(["d", "e", "f"]), models, st.sampled_from([5, 5, 5, 2])),
            min_size=1,
            max_size=12,
        )
    )
    def some_come(self, jobs: list[tuple[str, str, int]]) -> None:
        batch: list[NewJob] = []
        for tenant, model, priority in jobs:
            number = len(self.ids) + 1
            self.ids.append(uuid7(T0 + number, number.to_bytes(10, "big")))
            batch.append(NewJob(self.ids[-1], "a", b"{}", "x", tenant, priority=priority, model=model, max_attempts=9))
        self.both(lambda store: store.enqueue(batch))

    @precondition(lambda self: self.ids)
    @rule(
        starts=st.lists(st.tuples(st.integers(1, 3), warmth), min_size=1, max_size=8),
        time=st.sampled_from([0, 0, 0, 400, 1_000, 40_000]),
        back=st.booleans(),
    )
    def some_start(self, starts: list[tuple[int, frozenset[str]]], time: int, back: bool) -> None:
        self.clock.pass_(time)
        for worker, warm in starts:
            self.judged(worker, warm)
        if back and self.leases:
            ended = [settle(self.leases.pop(), Released(), POLICY)]
            self.both(lambda store: store.settle(ended))
        elif self.leases:
            ended = [settle(self.leases.pop(), Completed(b"1"), POLICY)]
            self.both(lambda store: store.settle(ended))

    def judged(self, worker: int, warm: frozenset[str]) -> None:
        waiting = [
            job
            for job in self.runner.run(self.model.inspect(self.ids))
            if job is not None and job.state is State.QUEUED
        ]
        places = self.runner.run(self.model.position([job.id for job in waiting]))
        order = {job.id: place.position for job, place in zip(waiting, places, strict=True) if place is not None}
        _, claimed = self.both(lambda store: store.claim(worker, Want(1, frozenset(TASKS), warm=warm), []))
        self.leases += claimed.leases
        for lease in claimed.leases:
            assert lease.priority == min(job.priority for job in waiting)
            self.judge(lease, waiting, order)

    def judge(self, lease: Lease, waiting: list[Job], order: dict[str, int | None]) -> None:
        band = [job for job in waiting if job.priority == lease.priority]
        turn = min(order[job.id] or 0 for job in band if job.tenant == lease.tenant)
        for job in band:
            later = job.tenant == lease.tenant and job.ref < lease.ref
            if not later and not (job.tenant != lease.tenant and (order[job.id] or 0) < turn):
                continue
            assert not self.bound.off, "the line keeps its order"
            passes = self.passes.setdefault(job.id, [])
            passes.append(self.clock.at)
            assert len(passes) <= self.bound.jobs, (job.id, passes)
            assert passes[-1] - passes[0] < self.bound.time, (job.id, passes)


@pytest.mark.timeout(300)
class TestJudged(Judged.TestCase):
    settings = settings(max_examples=10, stateful_step_count=12, deadline=None, suppress_health_check=CHECKS)


@pytest.mark.laws
@pytest.mark.slow
@pytest.mark.timeout(3_600)
class TestJudgedAtLength(Judged.TestCase):
    settings = settings(max_examples=2_000, stateful_step_count=50, deadline=None, suppress_health_check=CHECKS)
