from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.domain.intake import (
    FRESH,
    MAX_PAUSE,
    Conflict,
    Guard,
    Intake,
    OnConflict,
    Overflow,
    conflict,
    expected,
    furthest,
    of_values,
    relieved,
    slowed,
    struck,
    worked,
)
from stanchion.errors import UsageError

guards = st.builds(Guard, st.just("k"), st.integers(1, 50), st.integers(1_000, 100_000))


@given(guards)
def test_so_many_refusals_at_once_slow_down_and_one_less_does_not(guard: Guard) -> None:
    strikes = FRESH
    for _ in range(guard.after - 1):
        strikes = struck(guard, strikes, 5_000)
        assert slowed(strikes, 5_000) is None
    assert slowed(struck(guard, strikes, 5_000), 5_000) == 2_000


@given(guards, st.integers(2, 200))
def test_who_is_refused_no_more_often_than_allowed_is_never_slowed_down(guard: Guard, count: int) -> None:
    strikes, now = FRESH, 0
    if guard.after == 1:
        return
    for _ in range(count):
        strikes = struck(guard, strikes, now)
        assert slowed(strikes, now) is None
        now += -(-guard.window // guard.after)


@given(guards, st.integers(1, 60))
def test_pauses_grow_to_a_bound(guard: Guard, rounds: int) -> None:
    strikes, now, last = FRESH, 0, 0
    for _ in range(guard.after):
        strikes = struck(guard, strikes, now)
    for _ in range(rounds):
        left = slowed(strikes, now)
        assert left is not None
        assert last <= left <= MAX_PAUSE
        last = left
        now += left
        strikes = struck(guard, strikes, now)


@given(
    st.builds(
        Intake,
        st.none() | st.builds(Conflict, st.sampled_from(OnConflict), st.text(min_size=1)),
        st.none() | st.integers(0, 10),
        st.none() | st.builds(Overflow, st.none() | st.integers(0, 9), st.none() | st.integers(0, 9)),
        st.none() | guards,
    )
)
def test_plain_lists_bring_an_intake_back(asked: Intake) -> None:
    plain = [list(one) if isinstance(one, tuple) else one for one in asked]
    assert of_values(plain) == asked


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb"])
def test_what_cannot_be_a_conflict_key_is_refused(key: str) -> None:
    with pytest.raises(UsageError):
        conflict("queue", key)


def test_what_is_no_number_of_jobs_is_refused() -> None:
    for ahead in (-1, 10**10):
        with pytest.raises(UsageError):
            furthest(ahead)


def test_estimates_say_nothing_where_nothing_is_known() -> None:
    assert expected(10, 0, 1_000) is None
    assert expected(10, 5, 1_000) == 2_000
    assert worked(10, None, 3) is None
    assert worked(10, 50.0, 0) is None
    assert worked(10, 50.0, 5) == 100


def test_a_warning_is_over_at_four_fifths() -> None:
    assert [relieved(jobs, 10) for jobs in (8, 9)] == [True, False]
    assert relieved(99, None)
