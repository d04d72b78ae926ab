"""Random histories: the sqlite store answers as the model does, step by step.

Both stores get the same ids, the same clock and the same calls; after every step all that can be read of them
must be equal. What is not promised is brought to one form first (see `plain`).
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from stanchion.domain.batches import Batching
from stanchion.domain.cache import Caching, Selection, Use
from stanchion.domain.ids import uuid7
from stanchion.domain.intake import Conflict, Guard, Intake, OnConflict, Overflow
from stanchion.domain.job import Idempotency, Lease, LogLine, NewJob, State
from stanchion.domain.kinds import ErrorInfo, Kind
from stanchion.domain.limits import Limit, find
from stanchion.domain.outcome import (
    Cancelled,
    Completed,
    Failed,
    Lost,
    Outcome,
    Released,
    Settlement,
    Snoozed,
    settle,
)
from stanchion.domain.policy import Retention, TenantPolicy
from stanchion.domain.query import ALL, Cursor, Filter, Scope
from stanchion.domain.retry import Backoff, RetryPolicy
from stanchion.domain.units import DAY, HOUR
from stanchion.engine.learning import learn
from stanchion.errors import WrongStateError
from stanchion.store import (
    Bucket,
    CostNote,
    LogNote,
    Note,
    Noted,
    OutputNote,
    Overdue,
    PreviewNote,
    ProgressNote,
    Refused,
    StepNote,
    Upkeep,
    Want,
    WorkerInfo,
)
from stanchion.stores.memory import MemoryStore
from stanchion.stores.sqlite import SqliteStore, ranks, usage
from stanchion.stores.sqlite.fetch import every
from tests.clock import T0, FakeClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from stanchion.store import Store

T = TypeVar("T")

ranks.DEEP = 3  # lines are short here, and positions are to be followed in memory too
LEASE_FOR = 4_000
POLICY = RetryPolicy(backoff=Backoff(base=1.0, jitter="none"), crash_budget=2)
TASKS, QUEUES, TENANTS = ("a", "b"), ("x", "y"), ("d", "e")
KEYS = (b"k", b"l")
KEYS_KEPT = (b"c", b"d")

intakes = st.one_of(
    st.none(),
    st.none(),
    st.builds(
        Intake,
        st.one_of(st.none(), st.builds(Conflict, st.sampled_from(OnConflict), st.sampled_from(["k", "l"]))),
        st.sampled_from([None, None, 0, 1, 3]),
        st.sampled_from([None, None, Overflow(2, 4)]),
        st.sampled_from([None, Guard("g", 2, 2_000)]),
    ),
)
fields = st.fixed_dictionaries(
    {
        "task": st.sampled_from(TASKS),
        "queue": st.sampled_from(QUEUES),
        "tenant": st.sampled_from(TENANTS),
        "priority": st.sampled_from([2, 5]),
        "max_attempts": st.sampled_from([1, 3]),
        "delay": st.sampled_from([0, 0, 0, 0, 700]),
        "expires_in": st.sampled_from([None, None, None, 900, 5_000]),
        "dedup_key": st.sampled_from([None, None, None, None, *KEYS]),
        "dedup_window": st.sampled_from([0, 3_000]),
        "idempotency": st.sampled_from([None, None, None, None, None, None, ("i", b"1"), ("i", b"2"), ("j", b"1")]),
        "cache": st.sampled_from([None, None, None, Caching(b"c", 2_500), Caching(b"d", HOUR)]),
        "tags": st.sampled_from([(), ("red",), ("red", "big")]),
        "user": st.sampled_from([None, "ann", "Bob"]),
        "limits": st.sampled_from([(), (), (), (("provider:p", 1),), (("provider:p", 2), ("provider:q", 1))]),
        "batch": st.sampled_from(["", "", "", "k", "l"]),
        "size": st.sampled_from([None, None, None, 1.0, 50.0]),
        "resources": st.sampled_from(
            [
                (),
                (),
                (),
                (("gpu", 1),),
                (("gpu", 2),),
                (("gpu:1", 1),),
                (("gpu", 1), ("vram", 5)),
                (("slots", 2),),
                (("slots", 1), ("vram", 3)),
            ]
        ),
        "intake": intakes,
    }
)
WHAT_WORKERS_HAVE: list[dict[str, int]] = [
    {}, {}, {"gpu:0": 1}, {"gpu:0": 1, "gpu:1": 1, "vram": 9}, {"gpu:1": 2, "vram": 4}, {"gpu:0": 2, "slots": 9},
]  # fmt: skip
LIMITS = [
    Limit("queue:x", running=2),
    Limit("queue:x", refuse=3),
    Limit("tenant:*", running=2, refuse=4),
    Limit("user:*", refuse=2),
    Limit("queue:*", warn=2),
    Limit("tenant:d", running=2, warn=1, refuse=3),
    Limit("queue:y", starts=2, period=1_000, burst=2),
    Limit("tenant:d", running=1),
    Limit("tenant:*", running=3),
    Limit("tenant:e", running=2, starts=3, period=2_000),
    Limit("user:*", running=1),
    Limit("user:d/ann", running=2),
    Limit("task:a", running=1),
    Limit("task:a", running=0),
    Limit("provider:p", running=3),
    Limit("provider:p", running=1),
    Limit("provider:q", starts=1, period=700),
]
OVER_GRANTED = """
    SELECT h.name, h.owner, h.device, sum(h.weight) AS held, r.capacity
      FROM holds h JOIN resources r ON (r.name, r.owner, r.device) = (h.name, h.owner, h.device)
     WHERE h.name <> 'slots' GROUP BY h.name, h.owner, h.device HAVING held > r.capacity
"""
STRAY_HOLDS = "SELECT seq FROM holds h WHERE NOT EXISTS (SELECT 1 FROM jobs j WHERE j.seq = h.seq AND j.state = 3)"
limited_keys = st.sampled_from([*dict.fromkeys(limit.key for limit in LIMITS), "tenant:d"])
parked_keys = st.sampled_from([*dict.fromkeys(limit.key for limit in LIMITS), "tenant:d", "resource:gpu"])
outcomes: st.SearchStrategy[Outcome] = st.sampled_from(
    [
        Completed(b"1"),
        Completed(None),
        Failed(ErrorInfo(Kind.INTERNAL, "boom")),
        Failed(ErrorInfo(Kind.VALIDATION, "wrong")),
        Failed(ErrorInfo(Kind.RATE_LIMITED, "busy", retry_after=1_500)),
        Snoozed(600),
        Released(),
        Cancelled(),
        Lost(),
    ]
)
notes: st.SearchStrategy[Note] = st.sampled_from(
    [
        ProgressNote(1, 4, "px", "on", "draft"),
        PreviewNote(b"p", "image/png", 2, 3, 1),
        OutputNote("chunk", data=b"x", size=1),
        OutputNote("artifact", artifact="hash-1", content_type="image/png", size=5),
        OutputNote("artifact", artifact="hash-2", content_type="image/png", size=5),
        LogNote("info", "hello"),
        StepNote("draw", b"1"),
        StepNote("draw", b"2"),
        CostNote("0.1", "USD"),
    ]
)
scopes = st.sampled_from([ALL, ALL, Scope("d"), Scope("nobody")])
places = st.integers(0, 9)
some_places = st.lists(places, min_size=1, max_size=4)
endings = st.lists(st.tuples(places, outcomes), max_size=3)
filters = st.builds(
    Filter,
    states=st.lists(st.sampled_from(State), max_size=3, unique=True).map(tuple),
    queue=st.sampled_from([None, None, "x"]),
    task=st.sampled_from([None, None, "a"]),
    user=st.sampled_from([None, None, "ann"]),
    tag=st.sampled_from([None, None, "big"]),
    text=st.sampled_from([None, None, None, "bO", "01"]),
    ended_before=st.sampled_from([None, None, T0 + 5_000]),
)


def plain(answer: Any) -> Any:  # noqa: PLR0911 - one form for each kind of answer
    """Bring an answer to the form in which the stores must agree."""
    match answer:
        case WrongStateError():
            return (type(answer), answer.action, answer.state)
        case Exception():
            return type(answer)
        case Refused(error):
            return ("refused", type(error))
        case Overdue(lease, worker):  # what a judgement needs; args and metadata may be left out
            return (worker, *lease[:4], *lease[5:14], lease.cancel_requested)
        case Upkeep():
            return answer._replace(artifacts=tuple(sorted(answer.artifacts)))
        case Bucket():
            return answer._replace(waits=tuple(sorted(answer.waits)), runs=tuple(sorted(answer.runs)))
        case LogLine():  # its cursor only orders
            return answer[1:]
        case list():
            return [plain(item) for item in answer]
        case tuple() if type(answer) is tuple:
            return tuple(plain(item) for item in answer)
        case _:
            return answer


async def whole_feed(store: Store, since: Cursor, limit: int, scope: Scope) -> list[Any]:
    """Read the feed in portions to its end; where a portion is cut is a store's own affair."""
    events: list[Any] = []
    outputs: list[Any] = []
    live: list[str] = []
    while True:
        part = await store.changes(since, limit, scope)
        events += part.events
        outputs += part.outputs
        live += part.live
        since = part.cursor
        if not part.more:
            return [events, outputs, live, part.cursor, part.gap]


async def whole_list(store: Store, wanted: Filter, limit: int, scope: Scope) -> list[Any]:
    jobs: list[Any] = []
    after: str | None = None
    while True:
        page = await store.list(wanted, limit=limit, after=after, scope=scope)
        jobs += page.jobs
        after = page.next
        if after is None:
            return jobs


async def everything(store: Store, ids: list[str], refs: int) -> dict[str, Any]:
    """Return all that can be read."""
    return {
        "jobs": await store.inspect(ids),
        "histories": [await store.history(job_id) for job_id in ids],
        "outputs": [await store.outputs(job_id) for job_id in ids],
        "previews": [await store.preview(job_id) for job_id in ids],
        "logs": plain([await store.logs(job_id) for job_id in ids]),
        "costs": [await store.costs(job_id) for job_id in ids],
        "steps": [await store.steps(ref) for ref in range(1, refs + 1)],
        "positions": await store.position(ids),
        "stats": await store.stats(),
        "workers": await store.workers(),
        "tail": await store.tail(),
        "cache": await store.cache.get(KEYS_KEPT),
        "cached": await store.cache.stats(),
        "limits": await store.limits(),
        "resources": await store.resources(),
        "pressure": await store.pressure(),
    }


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
        self.ids: list[str] = []
        self.batch: list[NewJob] = []
        self.ended: list[Settlement] = []
        self.leases: list[Lease] = []
        self.cursors = [Cursor()]
        self.workers = 0
        self.used: dict[str, int] = {}
        self.batches: dict[str, Batching] = {}
        self.taken: dict[str, int] = {}

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    def both(self, call: Callable[[Store], Awaitable[T]]) -> T:
        """Make one call on both; their answers and all that can be read afterwards must agree."""

        async def ask() -> T:
            expected, answer = await call(self.model), await call(self.store)
            assert plain(answer) == plain(expected)
            refs = len(self.ids)
            wanted, found = (
                await everything(self.model, self.ids, refs),
                await everything(self.store, self.ids, refs),
            )
            for name, part in wanted.items():
                assert found[name] == part, name
            await self.within_limits()
            return expected

        return self.runner.run(ask())

    async def within_limits(self) -> None:
        """Nothing is above its limit, unless it was lowered below what ran."""
        states = await self.store.limits()
        policies = {state.key: state.limit for state in states if state.limit is not None}
        for state in states:
            limit = find(policies, state.key)
            if limit is not None and limit.running is not None:
                assert state.used <= max(limit.running, self.used.get(state.key, 0)), state
            assert state.used >= 0
        self.used = {state.key: state.used for state in states}
        await self.recounted()
        await self.within_resources()

    async def within_resources(self) -> None:
        """I4: no more is held than there is, unless it was made less than what was held; and only by what runs."""
        found = await self.store.resources()
        for one in found:
            if one.shared:
                assert one.used <= max(one.capacity, self.taken.get(one.name, 0)), one
        self.taken = {one.name: one.used for one in found}
        assert await self.store._read(lambda db: every(db, OVER_GRANTED)) == []
        assert await self.store._read(lambda db: every(db, STRAY_HOLDS)) == []

    async def recounted(self) -> None:
        """What is counted is what runs."""
        assert not await self.store._write(lambda tx: usage.reconcile(tx, self.store._lanes))

    def named(self, wanted: list[int]) -> list[str]:
        return [self.ids[-1 - place % len(self.ids)] for place in wanted]

    def settlements(self, wanted: list[tuple[int, Outcome]]) -> list[Settlement]:
        if not self.leases:
            return []
        self.ended = [settle(self.leases[-1 - place % len(self.leases)], outcome, POLICY) for place, outcome in wanted]
        return self.ended

    @initialize(first=st.sampled_from([None, None, *LIMITS]), second=st.sampled_from([None, *LIMITS]))
    def a_worker_comes(self, first: Limit | None, second: Limit | None) -> None:
        self.register(None, WHAT_WORKERS_HAVE[3])
        for limit in (first, second):
            if limit is not None:
                self.set_a_limit(limit)

    @rule(
        queues=st.sampled_from([None, None, ("x",)]),
        has=st.sampled_from(WHAT_WORKERS_HAVE),
        tree=st.booleans(),
    )
    def register(self, queues: tuple[str, ...] | None, has: dict[str, int], *, tree: bool = False) -> None:
        self.workers += 1
        supervisor = f"tree{WHAT_WORKERS_HAVE.index(has)}" if tree else None
        info = WorkerInfo(f"w{self.workers}", "h", self.workers, 2, queues, TASKS, supervisor=supervisor, resources=has)
        self.both(lambda store: store.register(info, LEASE_FOR))

    @rule(given=st.lists(fields, min_size=1, max_size=4))
    def enqueue(self, given: list[dict[str, Any]]) -> None:
        self.batch = []
        for one in given:
            number = len(self.ids) + 1
            key = one["idempotency"]
            self.ids.append(uuid7(T0 + number, number.to_bytes(10, "big")))
            named = None if key is None else Idempotency(*key)
            facts: dict[str, Any] = one | {"id": self.ids[-1], "args": b"{}", "idempotency": named}
            self.batch.append(NewJob(**facts))
        self.both(lambda store: store.enqueue(self.batch))

    @rule(given=st.lists(fields, min_size=1, max_size=3))
    def start(self, given: list[dict[str, Any]]) -> None:
        """Enqueue and claim: else most histories would never run a job."""
        self.enqueue(given)
        alive = [row.id for row in self.runner.run(self.model.workers()) if row.state in {"idle", "busy"}]
        if not alive:
            self.register(None, WHAT_WORKERS_HAVE[3])
            alive = [self.workers]
        self.claim(alive[-1], 4, TASKS, None, [])

    @rule()
    def learn_durations(self) -> None:
        self.both(learn)

    @precondition(lambda self: self.batch)
    @rule()
    def enqueue_again(self) -> None:
        self.both(lambda store: store.enqueue(self.batch))

    @rule(
        worker=st.integers(1, 4),
        limit=st.integers(0, 4),
        tasks=st.sampled_from([TASKS, TASKS, TASKS[:1]]),
        queues=st.sampled_from([None, None, ("y",)]),
        ends=endings,
    )
    def claim(
        self,
        worker: int,
        limit: int,
        tasks: tuple[str, ...],
        queues: tuple[str, ...] | None,
        ends: list[tuple[int, Outcome]],
    ) -> None:
        want = Want(limit, frozenset(tasks), queues, batches=self.batches)
        ended = self.settlements(ends)
        _, claimed = self.both(lambda store: store.claim(worker, want, ended))
        self.leases += claimed.leases

    @precondition(lambda self: self.leases)
    @rule(ends=endings)
    def settle(self, ends: list[tuple[int, Outcome]]) -> None:
        ended = self.settlements(ends)
        self.both(lambda store: store.settle(ended))

    @precondition(lambda self: self.leases)
    @rule(outcome=outcomes)
    def settle_the_newest(self, outcome: Outcome) -> None:
        ended = self.settlements([(0, outcome)])
        self.both(lambda store: store.settle(ended))

    @precondition(lambda self: self.ended)
    @rule()
    def settle_again(self) -> None:
        self.both(lambda store: store.settle(self.ended))

    @precondition(lambda self: self.leases)
    @rule(told=st.lists(st.tuples(places, notes), min_size=1, max_size=5))
    def note(self, told: list[tuple[int, Note]]) -> None:
        leases = [(self.leases[-1 - place % len(self.leases)], one) for place, one in told]
        batch = [Noted(lease.ref, lease.attempt, one) for lease, one in leases]
        self.both(lambda store: store.note(batch))

    @precondition(lambda self: self.ids)
    @rule(wanted=some_places, scope=scopes)
    def cancel(self, wanted: list[int], scope: Scope) -> None:
        self.both(lambda store: store.cancel(list(dict.fromkeys(self.named(wanted))), scope))

    @precondition(lambda self: self.ids)
    @rule(wanted=some_places, scope=scopes)
    def retry(self, wanted: list[int], scope: Scope) -> None:
        self.both(lambda store: store.retry(list(dict.fromkeys(self.named(wanted))), scope))

    @precondition(lambda self: self.ids)
    @rule(
        wanted=some_places,
        priority=st.sampled_from([None, 2, 7]),
        metadata=st.sampled_from([None, b"{}"]),
        tags=st.sampled_from([None, (), ("new",)]),
        scope=scopes,
    )
    def amend(
        self,
        wanted: list[int],
        priority: int | None,
        metadata: bytes | None,
        tags: tuple[str, ...] | None,
        scope: Scope,
    ) -> None:
        ids = list(dict.fromkeys(self.named(wanted)))
        self.both(lambda store: store.amend(ids, priority=priority, metadata=metadata, tags=tags, scope=scope))

    @precondition(lambda self: self.ids)
    @rule(wanted=some_places, scope=scopes)
    def erase(self, wanted: list[int], scope: Scope) -> None:
        self.both(lambda store: store.erase(self.named(wanted), scope))

    @rule(what=st.sampled_from(["beat", "beat", "drain", "stop", "lose"]), worker=st.integers(1, 4))
    def a_worker_tells(self, what: str, worker: int) -> None:
        match what:
            case "beat":
                self.both(lambda store: store.beat([worker, worker + 1], LEASE_FOR))
            case "drain":
                self.both(lambda store: store.drain_worker(worker))
            case _:
                self.both(lambda store: store.leave([worker], lost=what == "lose"))
        self.both(lambda store: store.held(worker))

    @rule(limit=st.sampled_from([0, 1, 9]), silence=st.sampled_from([0, LEASE_FOR + 1]), rescue=st.booleans())
    def workers_fall_silent(self, limit: int, silence: int, *, rescue: bool) -> None:
        self.clock.pass_(silence)
        late = self.both(lambda store: store.overdue(limit))
        if rescue:
            ended = [settle(one.lease, Lost(), POLICY) for one in late]
            self.both(lambda store: store.settle(ended))

    @rule(
        time=st.sampled_from([0, 701, 3_001, HOUR + 1, DAY + 1]),
        limit=st.sampled_from([1, 100]),
        keep=st.sampled_from([2_000, 2_000, 10 * DAY]),
        room=st.sampled_from([0, 6, 100, 100]),
    )
    def maintain(self, time: int, limit: int, keep: int, room: int) -> None:
        self.clock.pass_(time)
        self.both(lambda store: store.maintain(Retention(keep, keep * 2, keep, room), limit))

    @rule(key=st.sampled_from(KEYS_KEPT), hits=st.integers(1, 3), back=st.sampled_from([0, 0, 500]))
    def touch(self, key: bytes, hits: int, back: int) -> None:
        self.both(lambda store: store.cache.touch([Use(key, hits, self.clock.at - back)]))

    @rule(tenant=st.sampled_from([None, "d"]), task=st.sampled_from([None, "a"]), age=st.sampled_from([None, 0, 700]))
    def purge(self, tenant: str | None, task: str | None, age: int | None) -> None:
        wanted = Selection(tenant, task, None if age is None else self.clock.at - age)
        self.both(lambda store: store.cache.purge(wanted))

    @rule(time=st.sampled_from([1, 50, 701, 1_001, LEASE_FOR + 1]))
    def pass_time(self, time: int) -> None:
        self.clock.pass_(time)

    @rule(
        queue=st.sampled_from(QUEUES),
        paused=st.sampled_from([None, False, False, False, True]),
        max_waiting=st.sampled_from([None, 0, 0, 3]),
    )
    def configure(self, queue: str, paused: bool | None, max_waiting: int | None) -> None:
        self.both(lambda store: store.configure(queue, paused=paused, max_waiting=max_waiting))

    @rule(queue=st.sampled_from(QUEUES), aging=st.sampled_from([0, 400, 3_000]))
    def configure_aging(self, queue: str, aging: int) -> None:
        self.both(lambda store: store.configure(queue, aging=aging))

    @rule(name=st.sampled_from(TENANTS), weight=st.sampled_from([1, 2, 3]), top=st.sampled_from([0, 0, 0, 3]))
    def configure_tenant(self, name: str, weight: int, top: int) -> None:
        self.both(lambda store: store.configure_tenant(TenantPolicy(name, weight, top)))
        self.both(lambda store: store.tenants())

    @rule(limit=st.sampled_from(LIMITS))
    def set_a_limit(self, limit: Limit) -> None:
        self.used |= dict.fromkeys(self.used, 1 << 30)  # what runs may count for other keys now
        self.used |= {f"user:{tenant}/{user}": 1 << 30 for tenant in TENANTS for user in ("ann", "Bob")}
        self.used |= dict.fromkeys((*(one.key for one in LIMITS), "tenant:e"), 1 << 30)
        self.both(lambda store: store.configure_limit(limit))

    @rule(key=limited_keys)
    def drop_a_limit(self, key: str) -> None:
        self.used |= dict.fromkeys((*self.used, "tenant:d", "tenant:e", "user:d/ann"), 1 << 30)
        self.both(lambda store: store.drop_limit(key))

    @rule(capacity=st.sampled_from([None, 0, 1, 2, 4]))
    def share_a_resource(self, capacity: int | None) -> None:
        self.both(lambda store: store.drop_resource("slots") if capacity is None else share(store, "slots", capacity))

    @precondition(lambda self: self.leases)
    @rule(place=places, name=st.sampled_from(["gpu", "gpu", "gpu:1", "vram", "slots", "disk"]))
    def release(self, place: int, name: str) -> None:
        lease = self.leases[-1 - place % len(self.leases)]
        self.both(lambda store: store.release(lease.ref, lease.attempt, name))

    @rule(key=parked_keys, delay=st.sampled_from([0, 0, 500, 1_500]))
    def park(self, key: str, delay: int) -> None:
        self.both(lambda store: store.park(key, delay))

    @rule(wanted=filters, since=places, limit=st.sampled_from([1, 3, 1_000]), scope=scopes)
    def look(self, wanted: Filter, since: int, limit: int, scope: Scope) -> None:
        self.both(lambda store: whole_list(store, wanted, limit, scope))
        self.both(lambda store: store.select(wanted, limit, scope))
        self.both(lambda store: store.series(5_000, 500 + limit, scope))
        self.both(lambda store: store.flow(5_000, scope))
        self.both(lambda store: store.loads(5_000, scope))
        self.both(lambda store: store.stats(scope))
        cursor = self.cursors[since % len(self.cursors)]
        feed = self.both(lambda store: whole_feed(store, cursor, limit, scope))
        self.cursors.append(feed[3])


async def share(store: Store, name: str, capacity: int) -> bool:
    await store.set_resource(name, capacity)
    return True


CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@pytest.mark.timeout(300)
class TestStoreAgainstModel(TwoStores.TestCase):
    settings = settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=CHECKS)


@pytest.mark.laws
@pytest.mark.slow
@pytest.mark.timeout(3_600)
class TestStoreAgainstModelAtLength(TwoStores.TestCase):
    settings = settings(max_examples=2_000, stateful_step_count=60, deadline=None, suppress_health_check=CHECKS)
