"""Random graphs of jobs with random endings: sqlite against the model, and what must hold of dependencies."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from stanchion.domain.dependency import Dependency, Policy, consequence
from stanchion.domain.ids import uuid7
from stanchion.domain.job import FINAL, Event, NewJob, State
from stanchion.domain.kinds import ErrorInfo, Kind
from stanchion.domain.outcome import Cancelled, Completed, Failed, Outcome
from stanchion.domain.query import Filter
from stanchion.stores.sqlite.fetch import Connection, only
from tests.clock import T0
from tests.properties.test_store_against_model import CHECKS, TASKS, TENANTS, TwoStores, places

STRANDED = """
    SELECT count(*) FROM jobs j WHERE j.state = 0
       AND NOT EXISTS (SELECT 1 FROM dependencies d WHERE d.child = j.seq AND d.done = 0)
"""
UNTOLD = """
    SELECT count(*) FROM dependencies d JOIN jobs p ON p.seq = d.parent JOIN jobs c ON c.seq = d.child
     WHERE d.done = 0 AND p.state IN (5, 6, 7) AND c.state = 0 AND p.seq NOT IN (SELECT seq FROM endings)
"""
ORPHANS = """
    SELECT (SELECT count(*) FROM dependencies WHERE child NOT IN (SELECT seq FROM jobs))
         + (SELECT count(*) FROM members WHERE seq NOT IN (SELECT seq FROM jobs))
"""
MISCOUNTED = """
    SELECT count(*) FROM lanes l WHERE (n0, n1, n2, n3, n5, n6, n7) <>
       (SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2),
               count(*) FILTER (WHERE state = 3), count(*) FILTER (WHERE state = 5), count(*) FILTER (WHERE state = 6),
               count(*) FILTER (WHERE state = 7) FROM jobs j WHERE j.lane = l.id)
"""

edges = st.lists(st.tuples(st.integers(-6, 7), st.sampled_from(Policy)), max_size=3)
members = st.fixed_dictionaries(
    {
        "task": st.sampled_from(TASKS),
        "tenant": st.sampled_from([TENANTS[0], TENANTS[0], TENANTS[0], TENANTS[1]]),
        "max_attempts": st.sampled_from([1, 1, 3]),
        "delay": st.sampled_from([0, 0, 0, 700]),
        "expires_in": st.sampled_from([None, None, None, 900]),
        "dedup_key": st.sampled_from([None, None, None, None, b"k"]),
        "dedup_window": st.just(3_000),
        "workflow": st.sampled_from([None, "v", "w"]),
    }
)
endings: st.SearchStrategy[Outcome] = st.sampled_from(
    [Completed(b"1"), Completed(b"2"), Failed(ErrorInfo(Kind.VALIDATION, "wrong")), Cancelled()]
)


class Workflows(TwoStores):
    """What `TwoStores` does, and graphs of jobs."""

    @invariant()
    def dependencies_agree(self) -> None:
        self.runner.run(self.agree())

    async def agree(self) -> None:
        """All that can be read of dependencies is equal; no edge is left behind and no job stranded."""
        for job_id in self.ids:
            assert await self.store.relations(job_id) == await self.model.relations(job_id)
        for ref in range(1, len(self.ids) + 1):
            assert await self.store.parents(ref) == await self.model.parents(ref)
        for workflow in ("v", "w", "none"):
            assert await self.store.workflow(workflow) == await self.model.workflow(workflow)
            for most in (2, 1_000):
                own, known = await self.store.outline(workflow, most), await self.model.outline(workflow, most)
                assert own.counts == known.counts
                assert most == 2 or sorted(own.edges) == sorted(known.edges)
            wanted = Filter(workflow=workflow)
            assert await self.store.select(wanted, 100) == await self.model.select(wanted, 100)
        for fault in (STRANDED, UNTOLD, ORPHANS, MISCOUNTED):
            assert await self.store._read(lambda db, fault=fault: _count(db, fault)) == 0, fault

    @rule(
        given=st.lists(st.tuples(members, edges), min_size=1, max_size=6),
        atomic=st.booleans(),
        order=st.randoms(use_true_random=False),
    )
    def enqueue_a_graph(
        self, given: list[tuple[dict[str, Any], list[tuple[int, Policy]]]], order: Any, *, atomic: bool
    ) -> None:
        """Each edge names a job of the batch (mostly an earlier one), or one that was there."""
        first = len(self.ids)
        for _ in given:
            number = len(self.ids) + 1
            self.ids.append(uuid7(T0 + number, number.to_bytes(10, "big")))
        self.batch = []
        for place, (facts, ties) in enumerate(given):
            depends_on = tuple(Dependency(self.ids[(first + place + offset) % len(self.ids)], p) for offset, p in ties)
            self.batch.append(NewJob(id=self.ids[first + place], args=b"{}", depends_on=depends_on, **facts))
        order.shuffle(self.batch)
        self.both(lambda store: store.enqueue(self.batch, atomic=atomic))

    @precondition(lambda self: self.ids)
    @rule(what=endings, many=st.integers(1, 3), also=places)
    def run_some(self, what: Outcome, many: int, also: int) -> None:
        """Claim and settle: most graphs would else never move."""
        self.claim(1, many, TASKS, None, [])
        self.settle([(place, what) for place in range(many)] + [(also, Completed(b"3"))])

    @precondition(lambda self: self.leases)
    @rule()
    def every_start_was_allowed(self) -> None:
        """I16: when a job started, each of its parents had ended, and so that the job might run; each join was once."""
        for lease in self.leases:
            self.runner.run(self.allowed(lease.id))

    async def allowed(self, job_id: str) -> None:
        history, _ = await self.store.history(job_id)
        states = [event.state for event in history]
        assert all((a, b) != (State.BLOCKED, State.BLOCKED) for a, b in itertools.pairwise(states))
        for parent in (await self.store.relations(job_id)).parents:
            before, _ = await self.store.history(parent.id)
            for start in starts(history):
                ends = [event.state for event in before if event.cursor < start.cursor and event.state in FINAL]
                assert ends, f"{job_id} started before {parent.id} had ended"
                assert consequence(parent.policy, ends[-1]) is None


def starts(history: list[Event]) -> list[Event]:
    return [event for event in history if event.state is State.RUNNING]


def _count(db: Connection, statement: str) -> int:
    return int(only(db, statement)[0])


@pytest.mark.timeout(300)
class TestWorkflowsAgainstModel(Workflows.TestCase):
    settings = settings(max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=CHECKS)


@pytest.mark.laws
@pytest.mark.slow
@pytest.mark.timeout(3_600)
class TestWorkflowsAgainstModelAtLength(Workflows.TestCase):
    settings = settings(max_examples=1_000, stateful_step_count=50, deadline=None, suppress_health_check=CHECKS)
