"""Groups of jobs that start together, in a machine that uses everything else too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from stanchion.domain.batches import Batching, Joining, slots
from stanchion.store import Want
from tests.properties.test_store_against_model import CHECKS, TASKS, TENANTS, fields
from tests.properties.test_together import Together

if TYPE_CHECKING:
    from stanchion.domain.job import Lease

batchings = st.builds(
    Batching,
    st.integers(1, 4),
    st.sampled_from([None, None, 1.0, 4.0]),
    st.booleans(),
    st.sampled_from([{}, {}, {"k": 1}, {"k": 2}]),
    st.sampled_from([0, 500, 1_000]),
)
keyed = fields.map(lambda one: one | {"batch": one["batch"] or "k", "task": "a", "idempotency": None})
joinings = st.builds(
    Joining,
    st.sampled_from(["x", "y"]),
    st.sampled_from(TASKS),
    st.sampled_from(["k", "l"]),
    st.sampled_from([None, *TENANTS]),
    st.integers(1, 3),
    st.sampled_from([None, 2.0]),
    st.sampled_from([0, 800]),
)


class Batched(Together):
    """What `Together` does, by workers that run jobs together."""

    @initialize(a=batchings, b=batchings)
    def some_run_together(self, a: Batching, b: Batching) -> None:
        self.batches = {"a": a, "b": b}

    @rule(a=batchings)
    def otherwise(self, a: Batching) -> None:
        self.batches = self.batches | {"a": a}

    @rule(given=st.lists(keyed, min_size=2, max_size=6), limit=st.integers(1, 3))
    def start_some_together(self, given: list[dict[str, Any]], limit: int) -> None:
        self.enqueue(given)
        before = len(self.leases)
        self.claim(self.workers, limit, TASKS, None, [])
        self.within_bounds(self.leases[before:], limit)

    def within_bounds(self, leases: list[Lease], limit: int) -> None:
        assert slots(leases) <= limit
        for lease in leases:
            if lease.batch is not None:
                group = [one for one in leases if one.batch == lease.batch]
                batching = self.batches[lease.task]
                assert len(group) <= batching.size
                assert len({(one.task, one.queue) for one in group}) == 1
                assert batching.across or len({one.tenant for one in group}) == 1
                assert all(not one.crashes for one in group)

    @precondition(lambda self: self.workers)
    @rule(joining=joinings)
    def join_a_group(self, joining: Joining) -> None:
        want = Want(1, frozenset(TASKS), None, batches=self.batches, join=joining)
        _, claimed = self.both(lambda store: store.claim(self.workers, want))
        assert len(claimed.leases) <= joining.size
        self.leases += claimed.leases


@pytest.mark.timeout(300)
class TestBatched(Batched.TestCase):
    settings = settings(max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=CHECKS)


@pytest.mark.laws
@pytest.mark.slow
@pytest.mark.timeout(3_600)
class TestBatchedAtLength(Batched.TestCase):
    settings = settings(max_examples=1_000, stateful_step_count=50, deadline=None, suppress_health_check=CHECKS)
