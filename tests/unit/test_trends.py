"""What a queue's looks teach: how many jobs arrive, and how long they take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.domain.scaling import (
    RATE_HALF_LIFE,
    Demand,
    Look,
    ScalePolicy,
    Took,
    Trend,
    needed,
    together,
)
from stanchion.domain.units import MINUTE

POLICY = ScalePolicy(least=0, most=1_000)


def test_the_mean_is_of_what_ended_lately() -> None:
    assert Took().mean() is None
    took = Took().counted(4, 8_000, 1_000)
    assert took.mean() == 2_000
    assert took.counted(0, 0, 1_000 + RATE_HALF_LIFE) == Took(1_000 + RATE_HALF_LIFE, 2, 4_000)
    later = took.counted(2, 2_000, 1_000 + RATE_HALF_LIFE)
    assert later.mean() == pytest.approx((4_000 + 2_000) / 4)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 90_000), st.integers(0, MINUTE)), min_size=1))
def test_a_mean_lies_between_the_means_of_its_parts(parts: list[tuple[int, int, int]]) -> None:
    took, now = Took(), 1_000
    for ended, each, pause in parts:
        now += pause
        took = took.counted(ended, ended * each, now)
    means = [each for ended, each, _ in parts if ended]
    mean = took.mean()
    if mean is None:
        assert not means
    else:
        assert min(means) * 0.999 <= mean <= max(means) * 1.001


def test_the_first_look_gives_the_rate_of_the_time_it_looks_back() -> None:
    trend = Trend().seen(Look(arrived=600, ended=10, took=20_000), 1, 1 + 5 * MINUTE)
    assert trend.arrivals.rate() == pytest.approx(2 / 1_000)
    assert trend.demand(Look(waiting=30, running=4), POLICY) == Demand(trend.arrivals.rate(), 2_000, 60_000, 4)


def test_what_waits_for_a_limit_asks_for_no_worker() -> None:
    look = Look(arrived=1_000, started=20, ended=20, took=20_000, held=980, running=2)
    trend = Trend().seen(look, 1, 1 + 5 * MINUTE)
    assert needed(trend.demand(look, POLICY), POLICY) == 2
    assert needed(Trend().seen(look._replace(held=0), 1, 1 + 5 * MINUTE).demand(look, POLICY), POLICY) > 3


def test_while_no_duration_is_known_each_job_asks_for_a_slot() -> None:
    look = Look(arrived=7, waiting=5, running=2)
    assert needed(Trend().seen(look, 1, MINUTE).demand(look, POLICY), POLICY) == 7
    assert needed(Trend().demand(Look(), POLICY), POLICY) == 0


def test_a_queue_that_fell_silent_asks_for_no_worker() -> None:
    trend, now = Trend().seen(Look(arrived=20, ended=20, took=20_000), 1, 5 * MINUTE), 5 * MINUTE
    assert needed(trend.demand(Look(), POLICY), POLICY) == 1
    for _ in range(5):
        now += RATE_HALF_LIFE
        trend = trend.seen(Look(), now - RATE_HALF_LIFE, now)
    assert needed(trend.demand(Look(), POLICY), POLICY) == 0
    assert needed(trend.demand(Look(running=1), POLICY), POLICY) == 1


def test_queues_together_ask_for_what_each_asks() -> None:
    fast, slow = Demand(0.01, 100, 1_000, 1), Demand(0.001, 60_000, 500, 3)
    both = together([fast, slow])
    assert (both.rate, both.mean) == (pytest.approx(0.011), pytest.approx(61 / 0.011))
    assert (both.backlog, both.running) == (1_500, 4)
    assert together([]) == Demand(0, 0, 0, 0)
    assert needed(together([]), POLICY) == 0
    assert Look(1, 2, 3, 4, 5, 6, 7) + Look(1, 1, 1, 1, 1, 1, 1) == Look(2, 3, 4, 5, 6, 7, 8)
