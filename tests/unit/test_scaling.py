"""How many workers a queue should have."""

from __future__ import annotations

import itertools
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.domain.scaling import Arrivals, Demand, Scale, ScalePolicy, needed, scaled
from stanchion.domain.units import MINUTE, SECOND

rates = st.floats(0, 1)
means = st.floats(1, 1e6)
demands = st.builds(Demand, rates, means, st.floats(0, 1e9), st.integers(0, 100))
bounds = st.tuples(st.integers(0, 50), st.integers(1, 50)).map(sorted)
policies = st.builds(
    lambda ends, slots, wait, quiet: ScalePolicy(least=ends[0], most=ends[1], slots=slots, wait=wait, quiet=quiet),
    bounds,
    st.integers(1, 16),
    st.integers(1, 10 * MINUTE),
    st.integers(0, 10 * MINUTE),
)
POLICY = ScalePolicy(least=1, most=20)


@given(demands, policies)
def test_the_need_stays_within_its_bounds_and_covers_what_runs(demand: Demand, policy: ScalePolicy) -> None:
    need = needed(demand, policy)
    assert policy.least <= need <= policy.most
    assert need == policy.most or need * policy.slots >= demand.running


@given(demands, policies, rates)
def test_more_arrivals_never_need_fewer_workers(demand: Demand, policy: ScalePolicy, more: float) -> None:
    assert needed(demand._replace(rate=demand.rate + more), policy) >= needed(demand, policy)


@given(demands, policies, st.floats(0, 1e9))
def test_a_longer_line_never_needs_fewer_workers(demand: Demand, policy: ScalePolicy, more: float) -> None:
    assert needed(demand._replace(backlog=demand.backlog + more), policy) >= needed(demand, policy)


def test_the_need_covers_the_load_with_a_margin() -> None:
    assert needed(Demand(0, 1_000, 0, 0), POLICY) == 1
    assert needed(Demand(4 / 1_000, 1_000, 0, 0), POLICY) == 5
    assert needed(Demand(9 / 60_000, 60_000, 0, 0), POLICY) == 11
    assert needed(Demand(0, 1_000, 10 * 30_000, 0), POLICY) == 10
    assert needed(Demand(0, 1_000, 0, 0), ScalePolicy(least=0)) == 0


@given(st.lists(st.tuples(demands, st.integers(0, 10 * MINUTE)), max_size=30), policies)
def test_a_decision_stays_within_its_bounds_whatever_came_before(
    steps: list[tuple[Demand, int]], policy: ScalePolicy
) -> None:
    scale, now = None, 0
    for demand, pause in steps:
        now += pause
        before, scale = scale, scaled(scale, demand, policy, now)
        assert policy.least <= scale.desired <= policy.most
        assert scale.desired >= needed(demand, policy)
        if before is not None and scale.desired < before.desired:
            assert before.since is not None
            assert now - before.since >= policy.quiet


@given(demands, policies)
def test_the_same_demand_gives_the_same_answer_for_ever(demand: Demand, policy: ScalePolicy) -> None:
    first = scaled(None, demand, policy, 0)
    scale = first
    for minute in range(1, 60):
        scale = scaled(scale, demand, policy, minute * MINUTE)
    assert scale == first


def test_up_comes_at_once_and_down_after_a_quiet_time() -> None:
    busy, calm = Demand(0, 1_000, 8 * 30_000, 0), Demand(0, 1_000, 2 * 30_000, 0)
    scale = scaled(None, calm, POLICY, 0)
    assert scale.desired == 2
    scale = scaled(scale, busy, POLICY, 1_000)
    assert scale.desired == 8
    scale = scaled(scale, calm, POLICY, 2_000)
    assert scale == Scale(8, 2, 2_000)
    assert scaled(scale, calm, POLICY, 2_000 + POLICY.quiet - 1).desired == 8
    assert scaled(scale, calm, POLICY, 2_000 + POLICY.quiet).desired == 2


def test_down_goes_to_the_highest_need_of_the_quiet_time() -> None:
    scale = Scale(8, 2, 0)
    scale = scaled(scale, Demand(0, 1_000, 5 * 30_000, 0), POLICY, MINUTE)
    assert scale == Scale(8, 5, 0)
    scale = scaled(scale, Demand(0, 1_000, 30_000, 0), POLICY, POLICY.quiet)
    assert scale == Scale(5, 1, POLICY.quiet)


def test_what_runs_is_never_taken_away() -> None:
    scale = Scale(8, 1, 0)
    assert scaled(scale, Demand(0, 1_000, 0, 6), POLICY, POLICY.quiet).desired == 6


def test_a_lower_maximum_holds_at_once() -> None:
    assert scaled(Scale(8), Demand(0, 1_000, 0, 8), ScalePolicy(most=3), 1).desired == 3


@pytest.mark.parametrize("load", [0.02, 0.035, 0.05, 0.0625, 0.08])
def test_a_steady_load_makes_no_workers_come_and_go(load: float) -> None:
    chance = Random(3)
    arrivals, scale, found = Arrivals(), None, []
    arrivals = arrivals.counted(0, 1)
    for tick in range(1, 6 * 240):
        now = 1 + tick * 10 * SECOND
        jobs = sum(chance.random() < load for _ in range(200))
        arrivals = arrivals.counted(jobs, now)
        scale = scaled(scale, Demand(arrivals.rate(), 4_000, 0, 0), POLICY, now)
        found.append(scale.desired)
    settled = found[180:]
    changes = sum(now != before for before, now in itertools.pairwise(settled))
    assert max(settled) - min(settled) <= 1
    assert changes <= 4  # in three and a half hours


@given(st.floats(0.0001, 1), st.integers(1, 200))
def test_the_rate_of_even_arrivals_is_their_rate_from_the_start(rate: float, ticks: int) -> None:
    arrivals = Arrivals().counted(7, 1_000)
    assert arrivals.rate() == 0
    for tick in range(1, ticks + 1):
        arrivals = arrivals.counted(round(rate * 10_000), 1_000 + tick * 10_000)
    assert arrivals.rate() == pytest.approx(round(rate * 10_000) / 10_000)


def test_the_rate_forgets() -> None:
    arrivals = Arrivals().counted(0, 1).counted(600, 60_001)
    high = arrivals.rate()
    arrivals = arrivals.counted(0, 90 * MINUTE)
    assert high == pytest.approx(0.01)
    assert arrivals.rate() < high / 1_000
    assert arrivals.counted(1, 5).at == arrivals.at


@pytest.mark.parametrize("wrong", [{"least": 3, "most": 2}, {"most": 0, "least": 0}, {"slots": 0}, {"wait": 0}])
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="scaling needs"):
        ScalePolicy(**wrong)
