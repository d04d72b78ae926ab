"""The figures of the documentation, on fewer seeds than it shows."""

from __future__ import annotations

import pytest

from stanchion.domain.units import SECOND
from stanchion.testing import affine, fair, fifo, most_overtaken, round_robin, shares, simulate, steady, weighted_jain
from stanchion.testing.tables import ENDS, WEIGHTS, affinity, backlog, fairness, loads, scored, two_models

SEEDS = range(501, 504)


@pytest.mark.parametrize("seed", SEEDS)
def test_compute_time_is_shared_by_weight_to_within_two_percent(seed: int) -> None:
    report = simulate(backlog(seed), steady(4), fair(by_time=True), ends=ENDS)
    got = shares(report.ended)
    for tenant, weight in WEIGHTS.items():
        assert got[tenant] == pytest.approx(weight / sum(WEIGHTS.values()), abs=0.02)
    assert weighted_jain(report.ended) > 0.995


@pytest.mark.parametrize("policy", [lambda: fifo, round_robin, fair])
def test_policies_that_do_not_weigh_time_share_it_otherwise(policy) -> None:
    assert weighted_jain(simulate(backlog(501), steady(4), policy(), ends=ENDS).ended) < 0.8


def test_warm_models_first_swaps_a_fifth_as_often_and_keeps_its_bound() -> None:
    swaps = {"fifo": 0, "warm": 0}
    for seed in SEEDS:
        swaps["fifo"] += simulate(two_models(seed), steady(1), fifo, swap=8 * SECOND).swaps
        warm = simulate(two_models(seed), steady(1), affine(fifo), swap=8 * SECOND)
        swaps["warm"] += warm.swaps
        assert most_overtaken(warm) <= 8
    assert swaps["fifo"] >= 4.5 * swaps["warm"]


def test_the_time_left_comes_true() -> None:
    score = scored(loads()["one task, 1 slot"], range(501, 504))
    assert score.said > 150
    assert 0.75 <= score.start_p90 <= 1.0
    assert 0.75 <= score.end_p90 <= 1.0


@pytest.mark.parametrize("table", [fairness, affinity])
def test_a_table_is_markdown(table) -> None:
    lines = table([501])
    assert {line.count("|") for line in lines} == {lines[0].count("|")}
    assert lines == table([501])
