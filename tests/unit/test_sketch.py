"""Quantile sketches against exact quantiles."""

from __future__ import annotations

import itertools
import struct
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.domain.sketch import ACCURACY, LEAST, MAX_BUCKETS, SLICES, Sketch
from stanchion.domain.units import DAY, HOUR

values = st.lists(st.floats(0.001, 1e7), min_size=1, max_size=200)
shares = st.floats(0, 1)
instants = st.integers(0, 40 * DAY)


def exact(found: list[float], q: float) -> float:
    return sorted(found)[max(0, ceil(q * len(found) - 1e-9) - 1)]


def of(found: list[float], now: int = 0) -> Sketch:
    return Sketch().added(found, now)


@given(values, shares)
def test_a_quantile_is_within_two_percent_of_the_exact_one(found: list[float], q: float) -> None:
    neighbours = [exact(found, min(1, max(0, q + step))) for step in (-1e-6, 0, 1e-6)]
    answer = of(found).quantile(q)
    assert min(abs(answer - value) / value for value in neighbours) <= ACCURACY * 1.0001


@given(values)
def test_the_mean_is_exact(found: list[float]) -> None:
    assert of(found).mean == pytest.approx(sum(found) / len(found))


@given(values, values, instants, instants)
def test_merging_is_seeing_both(left: list[float], right: list[float], then: int, now: int) -> None:
    then, now = sorted((then, now))
    apart = of(left, then).merged(of(right, now))
    together = of(left, then).added(right, now)
    assert apart.weight(now) == pytest.approx(together.weight(now))
    assert apart.mean == pytest.approx(together.mean)
    assert apart.merged(Sketch()) == apart
    assert Sketch().merged(apart) == apart
    backwards = of(right, now).merged(of(left, then))
    assert backwards.counts == pytest.approx(apart.counts)


@given(values, instants)
def test_what_is_decoded_is_what_was_encoded(found: list[float], now: int) -> None:
    sketch = of(found, now)
    again = Sketch.decode(sketch.encode())
    assert again.encode() == sketch.encode()
    assert again.weight(now) == pytest.approx(sketch.weight(now))
    assert again.quantile(0.9) == pytest.approx(sketch.quantile(0.9))
    assert again.mean == pytest.approx(sketch.mean)


@given(st.binary(max_size=120))
def test_other_bytes_are_refused_or_make_a_sketch(data: bytes) -> None:
    try:
        sketch = Sketch.decode(data)
    except ValueError:
        return
    assert sketch.quantile(0.5) >= 0


@given(values, st.integers(0, 90))
def test_bytes_cut_short_never_read_as_the_whole(found: list[float], at: int) -> None:
    whole = of(found).encode()
    if at >= len(whole):
        return
    try:
        part = Sketch.decode(whole[:at])
    except ValueError:
        return
    assert len(part.counts) < len(of(found).counts)


def test_a_later_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format 9"):
        Sketch.decode(struct.pack(">Bqqd", 9, 1, 1, 1.0))


def test_a_value_weighs_half_after_each_half_life() -> None:
    sketch = Sketch(half_life=HOUR).added([100.0] * 8, 0).added([900.0] * 2, 2 * HOUR)
    assert sketch.weight(2 * HOUR) == pytest.approx(4)
    assert sketch.mean == pytest.approx(500)
    assert sketch.weight(3 * HOUR) == pytest.approx(2)


def test_what_was_long_ago_is_forgotten_and_nothing_overflows() -> None:
    sketch = Sketch(half_life=HOUR).added([1.0] * 1_000, 0)
    for hour in range(0, 5_000, 40):
        sketch = sketch.added([500.0], hour * HOUR)
    assert sketch.quantile(0.01) == pytest.approx(500, rel=ACCURACY)
    assert sketch.weight(4_960 * HOUR) == pytest.approx(1, abs=1e-6)


def test_values_that_come_late_count_as_the_newest() -> None:
    sketch = of([10.0], 5_000).added([20.0], 1_000)
    assert sketch.newest == 5_000
    assert sketch.weight(5_000) == pytest.approx(2)


def test_the_room_is_bounded_and_the_long_ones_stay_exact() -> None:
    found = [1.05**n for n in range(-100, 600)]
    sketch = of(found)
    assert len(sketch.counts) <= MAX_BUCKETS
    assert sketch.weight(0) == pytest.approx(len(found))
    assert sketch.quantile(0.9) == pytest.approx(exact(found, 0.9), rel=ACCURACY)
    assert len(sketch.encode()) < 6 * MAX_BUCKETS


@given(values, st.floats(0.01, 100))
def test_a_scaled_sketch_is_the_sketch_of_the_scaled_values(found: list[float], factor: float) -> None:
    scaled = of(found).scaled(factor)
    assert scaled.mean == pytest.approx(of(found).mean * factor)
    assert scaled.quantile(0.5) == pytest.approx(of(found).quantile(0.5) * factor, rel=0.021)


@given(values)
def test_slices_are_in_order_and_have_the_mean_of_all(found: list[float]) -> None:
    slices = of(found).slices
    assert len(slices) == SLICES
    assert all(low <= high * (1 + 1e-9) for low, high in itertools.pairwise(slices))
    assert sum(slices) / SLICES == pytest.approx(sum(found) / len(found), rel=1e-6)


@given(values, st.floats(0.001, 1e7))
def test_what_lies_beyond_a_floor_is_told_by_how_much(found: list[float], floor: float) -> None:
    rest = of(found).beyond(floor)
    if max(found) > floor * 1.05:
        assert len(rest) == SLICES
        assert rest[0] >= 0
        assert list(rest) == sorted(rest)
        assert floor + rest[-1] <= max(found) * 1.05
    if max(found) < floor * 0.95:
        assert rest == ()


def test_half_of_what_lies_beyond_lies_beyond_its_median() -> None:
    rest = of([float(n) for n in range(1, 1_001)]).beyond(500)
    assert rest[SLICES // 2] == pytest.approx(250, rel=0.03)
    assert rest[0] < 6


def test_an_empty_sketch_answers_zero() -> None:
    empty = Sketch()
    assert (empty.quantile(0.5), empty.mean, empty.weight(0), empty.slices) == (0, 0, 0, ())
    assert empty.moments == (0, 0, 0)
    assert Sketch.decode(empty.encode()) == empty
    assert of([0.0]).quantile(0.5) == pytest.approx(LEAST, rel=ACCURACY)


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_what_is_no_duration_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        of([wrong])


def test_sketches_that_forget_at_different_speeds_do_not_merge() -> None:
    with pytest.raises(ValueError, match="half-lives"):
        Sketch(half_life=HOUR).added([1.0], 0).merged(of([1.0]))
