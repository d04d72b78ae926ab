"""All features in one machine: tenants, limits, parks, users, dependencies, caches, keys, pauses, crashes, upkeep.

Beside the comparison with the model, every counter of the file is counted anew after every step, and a claim by a
worker that serves everything must leave nothing behind that could run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from stanchion.domain import limits
from stanchion.domain.dependency import Dependency, Policy
from stanchion.domain.ids import uuid7
from stanchion.domain.job import Idempotency, NewJob, State
from stanchion.domain.limits import FRESH, Limit, Usage, find
from stanchion.domain.resources import is_resource
from stanchion.store import Claimed, Want, WorkerInfo
from stanchion.stores.memory import limits as model
from stanchion.stores.memory import resources
from stanchion.stores.sqlite import SqliteStore, claim, enqueue, settle
from stanchion.stores.sqlite import limit_statements as limit_sql
from stanchion.stores.sqlite.fetch import every
from stanchion.stores.sqlite.holds import Pool
from tests.clock import T0
from tests.properties.test_store_against_model import (
    CHECKS,
    LEASE_FOR,
    LIMITS,
    TASKS,
    fields,
    outcomes,
    places,
    some_places,
)
from tests.properties.test_workflows_against_model import Workflows, edges

if TYPE_CHECKING:
    from stanchion.domain.outcome import Outcome
    from stanchion.store import Store
    from stanchion.stores.sqlite.fetch import Connection
    from stanchion.stores.sqlite.writer import Tx

HEAVY = [
    *LIMITS,
    Limit("provider:p", starts=3, period=1_000, burst=3),
    Limit("provider:p", running=4, starts=2, period=900, burst=2),
    Limit("provider:q", running=0),
    Limit("user:*", running=2),
]
members = st.builds(
    lambda facts, workflow, extra: facts | {"workflow": workflow} | ({} if extra is None else {"limits": extra}),
    fields,
    st.sampled_from([None, None, "v"]),
    st.sampled_from([None, (("provider:p", 3),), (("provider:p", 1), ("provider:q", 2))]),
)
PLENTY = {"gpu:0": 4, "gpu:1": 4, "gpu:2": 4, "vram": 40}
MISCOUNTED = """
    SELECT l.id FROM lanes l
     WHERE (n0, n1, n2, n3, n4, n5, n6, n7) IS NOT (
           SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1),
                  count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE state = 3),
                  count(*) FILTER (WHERE state = 4), count(*) FILTER (WHERE state = 5),
                  count(*) FILTER (WHERE state = 6), count(*) FILTER (WHERE state = 7)
             FROM jobs j WHERE j.lane = l.id)
"""
MISLED = """
    SELECT l.id FROM lanes l
     WHERE l.head IS NOT (SELECT min(seq) FROM jobs j WHERE j.lane = l.id AND j.state = 2)
        OR (l.waits_on IS NOT NULL AND l.head IS NULL)
"""
MISPLACED = """
    SELECT s.id FROM shares s
     WHERE s.open <> CASE
           WHEN EXISTS (SELECT 1 FROM lanes l WHERE l.share = s.id AND l.head IS NOT NULL AND l.waits_on IS NULL)
           THEN 1
           WHEN EXISTS (SELECT 1 FROM lanes l WHERE l.share = s.id AND l.waits_on IS NOT NULL) THEN 2
           ELSE 0 END
"""
WITH_USERS = """
    SELECT j.seq FROM jobs j JOIN lanes l ON l.id = j.lane
     WHERE j.state < 5 AND l.user IS NOT iif((SELECT by_user FROM counters), coalesce(j.user, ''), '')
"""
RECOUNTS = {"counts": MISCOUNTED, "head": MISLED, "share": MISPLACED, "user": WITH_USERS}
KEYS = "SELECT key, used, paid, parked, turn, open, wakes_at FROM usage"
LANES = """
    SELECT l.id, q.name, l.tenant, l.user, l.task, l.limits, l.n3, l.waits_on, l.priority, l.wait_turn, l.head
      FROM lanes l JOIN queues q ON q.id = l.queue
"""


def faults(db: Connection, now: int) -> list[tuple[Any, ...]]:
    """What is counted wrong, and who could be woken and never will be."""
    found: list[tuple[Any, ...]] = [
        (name, *row) for name, statement in RECOUNTS.items() for row in every(db, statement)
    ]
    policies = {row[0]: Limit(*row) for row in every(db, limit_sql.LIMITS)}
    used: dict[str, int] = {}
    waiting: dict[str, list[tuple[int, int, int, int]]] = {}
    for _, queue, tenant, user, task, extra, running, waits_on, priority, turn, head in every(db, LANES):
        weights = limits.keys(queue, tenant, user, task, limits.of_text(extra))
        for key, weight in weights:
            if find(policies, key) is not None:
                used[key] = used.get(key, 0) + weight * running
        if waits_on is not None:
            waiting.setdefault(waits_on, []).append((priority, turn, head or 0, dict(weights)[waits_on]))
    rows = {row[0]: row[1:] for row in every(db, KEYS)}
    for key in {*used, *rows, *waiting}:
        state = Usage(*rows[key][:4]) if key in rows else FRESH
        is_open, wakes_at = rows[key][4:] if key in rows else (0, None)
        if is_resource(key):
            asleep = nobody_wakes(db, key, sorted(waiting.get(key, [])), now, state)
            if asleep and not (is_open or (wakes_at is not None and wakes_at <= now)):
                found.append(("asleep", key, asleep, state, wakes_at))
            continue
        policy = find(policies, key)
        if policy is not None and state.used != used.get(key, 0):
            found.append(("used", key, state.used, used.get(key, 0)))
        weights = (weight for *_, weight in sorted(waiting.get(key, [])))
        first = next((weight for weight in weights if limits.fits(policy, weight)), None)
        woken = is_open or (wakes_at is not None and wakes_at <= now)
        if first is not None and first <= limits.room(policy, state, now) and not woken:
            found.append(("asleep", key, first, state, wakes_at))
    return found


def nobody_wakes(db: Connection, key: str, line: list[tuple[int, int, int, int]], now: int, state: Usage) -> int | None:
    """The weight of the first that waits for a resource and can ever start, if there is room for it now."""
    pool = Pool(db)
    first = next((weight for *_, weight in line if pool.fits(key, weight)), None)
    return first if first is not None and state.parked <= now and pool.jobs(key, first) > 0 else None


class Together(Workflows):
    """What `TwoStores` and `Workflows` do, on requests that use everything at once."""

    async def recounted(self) -> None:
        """I21, and read only: what would heal a fault would hide it."""
        assert await self.store._read(lambda db: faults(db, self.clock.at)) == []

    @rule(
        given=st.lists(st.tuples(members, edges), min_size=1, max_size=5),
        atomic=st.booleans(),
    )
    def enqueue_all_sorts(self, given: list[tuple[dict[str, Any], list[tuple[int, Policy]]]], *, atomic: bool) -> None:
        first = len(self.ids)
        for _ in given:
            number = len(self.ids) + 1
            self.ids.append(uuid7(T0 + number, number.to_bytes(10, "big")))
        self.batch = []
        for place, (facts, ties) in enumerate(given):
            key = facts["idempotency"]
            named = None if key is None else Idempotency(*key)
            depends_on = tuple(Dependency(self.ids[(first + place + offset) % len(self.ids)], p) for offset, p in ties)
            made: dict[str, Any] = facts | {"idempotency": named, "depends_on": depends_on, "args": b"{}"}
            self.batch.append(NewJob(id=self.ids[first + place], **made))
        self.both(lambda store: store.enqueue(self.batch, atomic=atomic))

    @rule(limit=st.sampled_from(HEAVY))
    def set_another_limit(self, limit: Limit) -> None:
        self.set_a_limit(limit)

    @rule(outcome=outcomes, many=st.integers(1, 6))
    def end_many(self, outcome: Outcome, many: int) -> None:
        self.settle([(place, outcome) for place in range(many)])

    @rule(
        wants=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3)), min_size=2, max_size=3),
        ends=st.lists(st.tuples(places, outcomes), max_size=3),
        given=st.lists(fields, max_size=2),
    )
    def share_a_transaction(
        self, wants: list[tuple[int, int]], ends: list[tuple[int, Outcome]], given: list[dict[str, Any]]
    ) -> None:
        """Claims, settlements and requests of one process that wait together go down together."""
        ended = self.settlements(ends)
        batch: list[NewJob] = []
        for facts in given:
            number = len(self.ids) + 1
            self.ids.append(uuid7(T0 + number, number.to_bytes(10, "big")))
            made: dict[str, Any] = facts | {"id": self.ids[-1], "args": b"{}", "idempotency": None}
            batch.append(NewJob(**made))
        asked = [(worker, Want(limit, frozenset(TASKS), None, batches=self.batches)) for worker, limit in wants]

        async def call(store: Store) -> list[Any]:
            if isinstance(store, SqliteStore):
                return await store._write(lambda tx: together(store, tx))
            answers: list[Any] = [(await store.claim(*pair))[1] for pair in asked]
            answers += [await store.settle(ended), await store.enqueue(batch, atomic=True)]
            return answers + [(await store.claim(*pair))[1] for pair in asked]

        def together(store: SqliteStore, tx: Tx) -> list[Any]:
            lanes = store._lanes
            answers: list[Any] = [claim.claim(tx, lanes, *pair) for pair in asked]
            answers += [settle.settle(tx, lanes, ended), enqueue.enqueue(tx, lanes, batch, atomic=True)]
            return answers + [claim.claim(tx, lanes, *pair) for pair in asked]

        for answer in self.both(call):
            if isinstance(answer, Claimed):
                self.leases += answer.leases

    @rule(name=st.sampled_from(["x", "y"]), paused=st.booleans())
    def pause(self, name: str, *, paused: bool) -> None:
        self.both(lambda store: store.configure(name, paused=paused))

    @precondition(lambda self: self.ids)
    @rule(wanted=some_places, back=places)
    def fail_and_retry(self, wanted: list[int], back: int) -> None:
        self.both(lambda store: store.retry(list(dict.fromkeys(self.named([*wanted, back])))))

    @rule(time=st.sampled_from([0, 0, 300, 701]))
    def nothing_that_may_run_is_left(self, time: int) -> None:
        """I-lost-wake: who serves everything takes all that may start, in one claim."""
        self.clock.pass_(time)
        self.workers += 1
        info = WorkerInfo(f"w{self.workers}", "h", self.workers, 1_000, None, TASKS, resources=PLENTY)
        worker = self.both(lambda store: store.register(info, LEASE_FOR))
        _, claimed = self.both(
            lambda store: store.claim(worker, Want(1_000, frozenset(TASKS), None, batches=self.batches), [])
        )
        self.leases += claimed.leases
        tables, now = self.model._tables, self.clock.at
        for job in tables.having(State.QUEUED):
            lane = tables.lane_of(job)
            room, _ = model.room(tables, lane, now)
            if tables.policy(job.queue).paused or room <= 0 or not resources.here(tables, job, worker):
                continue
            assert lane in tables.held, f"{job.id} may run and was not started"
            key, _ = tables.held[lane]
            free = model._room(tables, key, now)
            line = model.waiting(tables, key)
            before = [dict(model._keys(other))[key] for other in line[: line.index(lane)]]
            heavy = [weight for weight in before if model._jobs(tables, key, weight, now) <= 0]
            assert heavy, f"{job.id} waits for {key} with {free} free and nobody before it"
        self.both(lambda store: store.leave([worker]))


@pytest.mark.timeout(300)
class TestTogether(Together.TestCase):
    settings = settings(max_examples=10, stateful_step_count=15, deadline=None, suppress_health_check=CHECKS)


@pytest.mark.laws
@pytest.mark.slow
@pytest.mark.timeout(3_600)
class TestTogetherAtLength(Together.TestCase):
    settings = settings(max_examples=1_000, stateful_step_count=50, deadline=None, suppress_health_check=CHECKS)
