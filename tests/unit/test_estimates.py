"""Learned durations."""

from __future__ import annotations

import itertools
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.domain.estimates import Durations, Ended, Work, rest_of, size_of
from stanchion.domain.units import DAY

SMALL, LARGE = Work("sprite", size_of(64 * 64)), Work("sprite", size_of(512 * 512))


def known(work: Work, *took: int, failed: int = 0) -> Durations:
    return Durations().learned([Ended(work, ms, n < failed) for n, ms in enumerate(took)], 0)


@given(st.floats(1e-300, 1e300))
def test_a_size_class_spans_a_factor_of_two(cost: float) -> None:
    size = size_of(cost)
    assert abs(size) <= 1_000
    assert size_of(cost * 2) in {size + 1, size}
    if 1e-290 < cost < 1e290:
        assert 2.0 ** (size - 1) <= cost < 2.0**size


@pytest.mark.parametrize("none", [None, 0, -5, float("nan"), float("inf")])
def test_a_task_without_cost_has_one_class(none: float | None) -> None:
    assert size_of(none) == 0


def test_nothing_is_said_of_what_was_hardly_seen() -> None:
    durations = known(SMALL, 100, 100)
    assert durations.estimate(SMALL) is None
    assert durations.remaining(SMALL, 0) is None
    assert durations.charge(SMALL) is None
    assert durations.total(SMALL) is None
    assert known(SMALL, 100, 100, 100).estimate(SMALL) is not None
    assert known(SMALL, *[100] * 50).estimate(Work("other")) is None


def test_a_class_that_has_seen_enough_stands_for_itself() -> None:
    durations = known(SMALL, *[100] * 30).learned([Ended(LARGE, 6_400)] * 30, 0)
    small, large = durations.estimate(SMALL), durations.estimate(LARGE)
    assert small is not None
    assert large is not None
    assert small.p90 == pytest.approx(100, rel=0.02)
    assert large.p50 == pytest.approx(6_400, rel=0.02)
    assert large.mean == pytest.approx(6_400)


def test_an_unseen_size_is_reckoned_from_how_durations_grow() -> None:
    durations = known(Work("sprite", 10), *[100] * 30).learned([Ended(Work("sprite", 12), 400)] * 30, 0)
    between, beyond = durations.charge(Work("sprite", 11)), durations.charge(Work("sprite", 14))
    assert between == pytest.approx(200, rel=0.05)
    assert beyond == pytest.approx(1_600, rel=0.05)


def test_with_one_size_seen_another_is_thought_alike() -> None:
    assert known(SMALL, *[100] * 30).charge(LARGE) == pytest.approx(100)


def test_few_of_its_own_weigh_more_the_more_there_are() -> None:
    base = known(SMALL, *[100] * 100)
    charges = [base.learned([Ended(LARGE, 1_000)] * n, 0).charge(LARGE) for n in (1, 4, 19, 20)]
    assert charges == sorted(charges, key=lambda charge: charge or 0)
    assert charges[-1] == pytest.approx(1_000)


def test_what_is_left_of_an_attempt_follows_those_that_ran_as_long() -> None:
    durations = known(SMALL, *[100] * 50, *[1_000] * 50)
    fresh, old = durations.remaining(SMALL, 0), durations.remaining(SMALL, 500)
    assert fresh is not None
    assert old is not None
    assert fresh.p90 == pytest.approx(1_000, rel=0.02)
    assert old.p50 == pytest.approx(500, rel=0.05)


def test_what_has_run_longer_than_all_is_expected_to_go_on() -> None:
    durations = known(SMALL, *[100] * 50)
    first, later = durations.remaining(SMALL, 1_000), durations.remaining(SMALL, 4_000)
    assert first is not None
    assert later is not None
    assert 0 < first.p50 < first.p90
    assert later.p50 == pytest.approx(4 * first.p50, rel=0.01)


@given(st.lists(st.integers(0, 10**6), min_size=3, max_size=60), st.integers(0, 2 * 10**6))
def test_what_is_left_is_in_order_and_never_negative(took: list[int], elapsed: int) -> None:
    spread = known(SMALL, *took).spread(SMALL)
    assert spread is not None
    rest = rest_of(spread, elapsed)
    assert rest[0] >= 0
    assert all(low <= high * (1 + 1e-9) for low, high in itertools.pairwise(rest))


def test_retries_make_a_job_take_longer() -> None:
    durations = known(SMALL, *[100] * 99, failed=50)
    assert durations.failing(SMALL) == pytest.approx(0.5)
    assert durations.total(SMALL, 1) == pytest.approx(100)
    assert durations.total(SMALL, 2, 10) == pytest.approx(100 + 0.5 * 110)
    assert durations.total(SMALL, 10**9) == pytest.approx(200)
    assert known(SMALL, *[100] * 5).failing(SMALL) == 0
    assert Durations().failing(SMALL) == 0


def test_what_two_processes_learned_is_what_one_would_have() -> None:
    one, two = known(SMALL, 100, 200), known(SMALL, 300).learned([Ended(LARGE, 50)], DAY)
    merged = one.merged(two)
    assert merged.charge(SMALL) == pytest.approx(two.merged(one).charge(SMALL))
    assert merged.now == DAY
    assert set(merged.seen) == {SMALL, LARGE}
    assert one.learned([], 5) is one


def test_a_task_that_became_faster_is_believed_within_days() -> None:
    chance = Random(1)
    durations = Durations().learned([Ended(SMALL, chance.randint(900, 1_100)) for _ in range(500)], 0)
    durations = durations.learned([Ended(SMALL, chance.randint(90, 110)) for _ in range(500)], 15 * DAY)
    estimate = durations.estimate(SMALL)
    assert estimate is not None
    assert estimate.p50 < 112
    assert estimate.p90 < 112
