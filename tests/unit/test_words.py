"""Durations, priorities, progress, cursors and the errors' words."""

from __future__ import annotations

import contextlib
import inspect
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion import errors
from stanchion.domain.job import Progress
from stanchion.domain.policy import PROFILES
from stanchion.domain.priority import Priority, priority
from stanchion.domain.progress import fraction, per_second, quantile, remaining
from stanchion.domain.query import ALL, Cursor, Scope, decode_cursor, encode_cursor
from stanchion.domain.units import millis

numbers = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (0, 0), (1.5, 1_500), ("250ms", 250), ("90", 90_000), ("90s", 90_000), (" 1.5h ", 5_400_000),
        ("30D", 30 * 86_400_000), ("2w", 14 * 86_400_000), ("1m", 60_000), ("0.4ms", 0), ("5 m", 300_000),
    ],
)  # fmt: skip
def test_a_duration_is_read(text: float | str, result: int) -> None:
    assert millis(text) == result


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s",
        "5y",
        "1h30m",
        "abc",
        "-5s",
        "inf",
        "nan",
        "1e999",
        -1,
        float("inf"),
        float("nan"),
        "--5s",
        "5 5s",
    ],
)
def test_what_is_no_duration_is_refused(text: float | str) -> None:
    with pytest.raises(ValueError, match=r"duration|float"):
        millis(text)


@given(st.integers(0, 10**12))
def test_a_duration_in_ms_is_exact(time: int) -> None:
    assert millis(f"{time}ms") == time


@pytest.mark.parametrize(
    ("value", "number"),
    [(0, 0), (9, 9), ("3", 3), (" High ", 2), ("critical", 0), ("NORMAL", 5), ("low", 8), (Priority.LOW, 8)],
)
def test_a_priority_is_read(value: int | str, number: int) -> None:
    assert priority(value) == number
    assert type(priority(value)) is int


@pytest.mark.parametrize("value", [-1, 10, "10", "urgent", "", True, 1.0, None, "-1", "²"])
def test_what_is_no_priority_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not a priority"):
        priority(value)  # pyright: ignore[reportArgumentType]


def test_named_priorities_are_in_order() -> None:
    assert Priority.CRITICAL < Priority.HIGH < Priority.NORMAL < Priority.LOW


@given(numbers, numbers)
def test_a_fraction_is_between_nothing_and_all(index: float, length: float) -> None:
    done = fraction(index, length)
    assert (done is None) is (length <= 0)
    assert done is None or 0 <= done <= 1


def test_a_fraction_is_what_is_done() -> None:
    assert [fraction(index, 8) for index in (0, 2, 8, 9)] == [0, 0.25, 1, 1]


def progress(index: float, length: float, at: int) -> Progress:
    return Progress(index, length, None, None, None, at)


def test_the_time_left_follows_the_mean_speed() -> None:
    assert remaining(progress(2, 8, 1_000), started_at=0, now=1_000) == 3_000
    assert remaining(progress(2, 8, 1_000), started_at=0, now=2_500) == 1_500
    assert remaining(progress(2, 8, 1_000), started_at=0, now=99_000) == 0
    assert remaining(progress(8, 8, 1_000), started_at=0, now=1_000) == 0


@pytest.mark.parametrize(("index", "length", "at"), [(0, 8, 1_000), (2, 0, 1_000), (2, 8, 0)])
def test_before_there_is_a_speed_there_is_no_time_left(index: float, length: float, at: int) -> None:
    assert remaining(progress(index, length, at), started_at=0, now=at) is None


@given(numbers, numbers, st.integers(0, 10**9), st.integers(0, 10**9))
def test_the_time_left_is_never_negative(index: float, length: float, at: int, now: int) -> None:
    left = remaining(progress(index, length, at), started_at=0, now=now)
    assert left is None or left >= 0


def test_a_speed_of_almost_nothing_makes_no_estimate() -> None:
    assert remaining(progress(5e-324, 8, 1_000), started_at=0, now=1_000) is None


def test_a_rate_is_per_second() -> None:
    assert (per_second(30, 60_000), per_second(5, 0), per_second(5, -1)) == (0.5, 0, 0)


def test_a_quantile_lies_between_its_neighbours() -> None:
    values = [1.0, 2.0, 4.0]
    assert [quantile(values, q) for q in (0, 0.25, 0.5, 1)] == [1, 1.5, 2, 4]
    assert quantile([], 0.5) is None


@given(st.lists(numbers, min_size=1).map(sorted), st.floats(0, 1))
def test_a_quantile_lies_within_the_values(values: list[float], q: float) -> None:
    found = quantile(values, q)
    assert found is not None
    assert values[0] - 1e-6 <= found <= values[-1] + 1e-6


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_a_cursor_survives_its_text(event: int, output: int) -> None:
    assert decode_cursor(encode_cursor(Cursor(event, output, 7))) == Cursor(event, output)


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert min(decode_cursor(text)) >= 0


@pytest.mark.parametrize("text", ["", "1", "-", "1-", "-1", "1-2-3", "a-b", "1 -2", "9" * 30 + "-" + "9" * 30])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        decode_cursor(text)


def test_the_scope_of_all_is_no_tenants() -> None:
    assert Scope() == ALL
    assert Scope("") != ALL


def test_a_worker_beats_often_enough_to_miss_two() -> None:
    for profile in PROFILES.values():
        assert profile.beat * 3 <= profile.lease
        assert math.isfinite(profile.lease)


OURS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.StanchionError) and kind.__module__ == errors.__name__
]


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in OURS]
    assert len(set(codes)) == len(codes)
    assert all(code.isidentifier() and code == code.lower() for code in codes)


@pytest.mark.parametrize("kind", OURS)
def test_every_error_says_what_it_is(kind: type[errors.StanchionError]) -> None:
    assert kind.__doc__


@pytest.mark.parametrize(
    "error",
    [
        errors.MissingExtraError("server", "The server"),
        errors.UnknownTaskError("x", ("b", "a")),
        errors.TaskConflictError("x"),
        errors.PayloadError("bad", problems=(("/a", "missing"),)),
        errors.PayloadTooLargeError(2_000_000, 1_000_000),
        errors.NotFoundError("no job"),
        errors.WrongStateError("retry", "queued"),
        errors.IdempotencyMismatchError("k"),
        errors.LeaseLostError("lost"),
        errors.QueueFullError("q", 5),
        errors.ForkedConnectionError(1, 2),
        errors.SchemaOutdatedError(1, 2),
        errors.SchemaTooNewError(3, 2),
        errors.SchemaChangedError(1),
        errors.JobFailedError("id", "boom"),
    ],
)
def test_an_error_carries_its_remedy_into_its_text(error: errors.StanchionError) -> None:
    assert error.remedy
    assert str(error) == f"{error.message} {error.remedy}"


def test_a_remedy_may_be_given() -> None:
    error = errors.ConfigError("x", remedy="Do y.")
    assert (str(error), errors.ConfigError("x").remedy) == ("x Do y.", errors.ConfigError.remedy)


def test_a_refusal_for_fullness_says_when_to_come_back() -> None:
    assert errors.QueueFullError("q", 5).retry_after == 5.0


@given(st.floats(0, 1e6))
def test_seconds_become_whole_ms(value: float) -> None:
    assert abs(millis(value) - value * 1_000) <= 0.5
