"""Random histories of schedules: the sqlite store answers as the model does, and no tick is two jobs."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from stanchion.domain.job import NewJob
from stanchion.domain.policy import Retention
from stanchion.domain.query import Filter, Scope
from stanchion.domain.schedule import Cron, Every, Firing, NewSchedule, Overlap, plan
from stanchion.domain.units import HOUR, MINUTE, SECOND
from stanchion.store import Enqueued, Fired, Refused
from stanchion.stores.memory import MemoryStore
from stanchion.stores.sqlite import SqliteStore
from tests.clock import T0, FakeClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from stanchion.store import Store

T = TypeVar("T")
NAMES = st.sampled_from(["a", "b"])
TENANTS = st.sampled_from(["default", "acme"])
RULES = st.sampled_from([
    Every(SECOND), Every(90 * SECOND, T0 - 7), Every(HOUR, T0 + MINUTE), Cron("*/2 * * * *"),
    Cron("30 * * * *", "Asia/Kolkata"),
])  # fmt: skip
WINDOWS = st.sampled_from([None, None, SECOND, 10 * MINUTE])
REQUESTS = st.builds(
    NewJob,
    id=st.just("unused"),
    task=st.just("t"),
    args=st.sampled_from([b"{}", b'{"n":1}']),
    queue=st.sampled_from(["x", "bounded"]),
    tenant=TENANTS,
    delay=st.sampled_from([0, 0, 5]),
)
SCHEDULES = st.builds(
    NewSchedule, name=NAMES, rule=RULES, request=REQUESTS, overlap=st.sampled_from(Overlap), catch_up=WINDOWS
)


def plain(value: Any) -> Any:
    """An answer with its errors named by their type: two errors are never equal."""
    if isinstance(value, Refused):
        return type(value.error).__name__
    if isinstance(value, Fired):
        return value.applied, [plain(answer) for answer in value.jobs]
    return [plain(item) for item in value] if isinstance(value, list) else value


class TwoStores(RuleBasedStateMachine):
    """The sqlite store and the model, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="stanchion-"))
        self.clock = FakeClock()
        self.runner = asyncio.Runner()
        self.model = MemoryStore(self.clock)
        self.store = SqliteStore(self.folder / "t.db", clock=self.clock, synchronous="off", ballast=0)
        self.runner.run(self.store.open())
        self.both(lambda store: store.configure("bounded", max_waiting=3))
        self.seen: list[Firing] = []
        self.made: list[str] = []

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    def both(self, call: Callable[[Store], Awaitable[T]]) -> T:
        """Make one call on both; their answers, schedules and jobs must agree."""

        async def read(store: Store) -> Any:
            ids = await store.select(Filter(), 1_000_000)
            jobs = [(job.id, job.state, job.args, job.correlation_id) for job in await store.inspect(ids) if job]
            return await store.schedules(), await store.due_schedules(3), jobs

        async def ask() -> T:
            expected, answer = await call(self.model), await call(self.store)
            assert plain(answer) == plain(expected)
            assert await read(self.store) == await read(self.model)
            return expected

        return self.runner.run(ask())

    @rule(given=st.lists(SCHEDULES, min_size=1, max_size=3))
    def put(self, given: list[NewSchedule]) -> None:
        self.both(lambda store: store.put_schedules(given))

    @rule(tenant=TENANTS, name=NAMES, paused=st.booleans())
    def pause(self, tenant: str, name: str, *, paused: bool) -> None:
        self.both(lambda store: store.pause_schedule(tenant, name, paused=paused))

    @rule(tenant=TENANTS, name=NAMES)
    def drop(self, tenant: str, name: str) -> None:
        self.both(lambda store: store.drop_schedule(tenant, name))

    @rule(time=st.sampled_from([1, SECOND, 30 * SECOND, 5 * MINUTE, HOUR]))
    def pass_(self, time: int) -> None:
        self.clock.pass_(time)

    @rule()
    def look(self) -> None:
        """A scheduler looks at what is due, and may fire it much later."""
        due = self.both(lambda store: store.due_schedules(10))
        self.seen += [plan(schedule, due.now) for schedule in due.schedules]

    @rule(wanted=st.lists(st.integers(0, 30), min_size=1, max_size=3))
    def fire(self, wanted: list[int]) -> None:
        if not self.seen:
            return
        batch = [self.seen[-1 - place % len(self.seen)] for place in wanted]
        for fired in self.both(lambda store: store.fire(batch)):
            self.made += [answer.id for answer in fired.jobs if isinstance(answer, Enqueued) and answer.new]
        assert len(self.made) == len(set(self.made))

    @rule(wanted=st.lists(st.integers(0, 10), min_size=1, max_size=3))
    def cancel(self, wanted: list[int]) -> None:
        if self.made:
            ids = [self.made[-1 - place % len(self.made)] for place in wanted]
            self.both(lambda store: self._changed(store, ids))

    async def _changed(self, store: Store, ids: list[str]) -> list[str]:
        return [getattr(job, "state", type(job).__name__) for job in await store.cancel(ids)]

    @rule()
    def prune(self) -> None:
        self.both(lambda store: store.maintain(Retention(HOUR, HOUR, HOUR), 10_000))

    @rule(tenant=TENANTS)
    def read(self, tenant: str) -> None:
        self.both(lambda store: store.schedules(Scope(tenant)))


CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@pytest.mark.timeout(300)
class TestSchedulesAgainstModel(TwoStores.TestCase):
    settings = settings(max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=CHECKS)


@pytest.mark.laws
@pytest.mark.slow
@pytest.mark.timeout(3_600)
class TestSchedulesAgainstModelAtLength(TwoStores.TestCase):
    settings = settings(max_examples=2_000, stateful_step_count=60, deadline=None, suppress_health_check=CHECKS)
