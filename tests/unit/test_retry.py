"""Backoff and retry policy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.domain.kinds import ErrorInfo, Kind, Verdict
from stanchion.domain.retry import Backoff, RetryPolicy, seconds

chances = st.floats(0, 1, exclude_max=True)
retries = st.integers(-5, 10_000)
backoffs = st.builds(
    Backoff,
    base=st.floats(0, 1e4),
    factor=st.floats(1, 1e3),
    cap=st.floats(0, 1e6),
    jitter=st.sampled_from(["full", "tenth", "none"]),
)


def test_the_wait_grows_by_its_factor_up_to_the_cap() -> None:
    backoff = Backoff(base=1.5, factor=2, cap=10, jitter="none")
    assert [backoff.delay(retry, chance=0) for retry in range(1, 6)] == [1_500, 3_000, 6_000, 10_000, 10_000]


@given(backoffs, retries, chances)
def test_a_wait_stays_within_its_bounds(backoff: Backoff, retry: int, chance: float) -> None:
    delay = backoff.delay(retry, chance=chance)
    assert 0 <= delay <= round(backoff.cap * 1_000 * (1.1 if backoff.jitter == "tenth" else 1)) + 1


@given(backoffs, chances)
def test_full_jitter_draws_below_the_wait_without_jitter(backoff: Backoff, chance: float) -> None:
    plain = Backoff(base=backoff.base, factor=backoff.factor, cap=backoff.cap, jitter="none")
    full = Backoff(base=backoff.base, factor=backoff.factor, cap=backoff.cap, jitter="full")
    assert full.delay(3, chance=chance) <= plain.delay(3, chance=chance)
    assert full.delay(3, chance=0) == 0


@given(chances)
def test_a_tenth_of_jitter_stays_near_the_wait(chance: float) -> None:
    assert 900 <= Backoff(base=1, jitter="tenth").delay(1, chance=chance) <= 1_100


@given(st.integers(1, 60), chances)
def test_waits_never_shrink_from_one_retry_to_the_next(retry: int, chance: float) -> None:
    backoff = Backoff()
    assert backoff.delay(retry, chance=chance) <= backoff.delay(retry + 1, chance=chance)


def test_a_huge_retry_number_is_no_overflow() -> None:
    assert Backoff(factor=1e3, jitter="none").delay(10**9, chance=0) == 300_000


@pytest.mark.parametrize("wrong", [{"base": -1}, {"factor": 0.5}, {"cap": -1}, {"base": float("nan")}])
def test_a_backoff_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="backoff"):
        Backoff(**wrong)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("wrong", [{"max_attempts": 0}, {"crash_budget": 0}])
def test_a_policy_without_attempts_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        RetryPolicy(**wrong)  # pyright: ignore[reportArgumentType]


def test_a_policy_may_give_up_on_a_kind_or_retry_it() -> None:
    policy = RetryPolicy(give_up_on=frozenset({Kind.NETWORK}), retry_on=frozenset({Kind.VALIDATION}))
    assert policy.verdict(ErrorInfo(Kind.NETWORK, "")) is Verdict.FAIL
    assert policy.verdict(ErrorInfo(Kind.VALIDATION, "")) is Verdict.RETRY
    assert policy.verdict(ErrorInfo(Kind.RATE_LIMITED, "")) is Verdict.PARK


def test_an_errors_own_word_wins_over_the_policys() -> None:
    policy = RetryPolicy(give_up_on=frozenset({Kind.NETWORK}), retry_on=frozenset({Kind.VALIDATION}))
    assert policy.verdict(ErrorInfo(Kind.NETWORK, "", retryable=True)) is Verdict.RETRY
    assert policy.verdict(ErrorInfo(Kind.VALIDATION, "", retryable=False)) is Verdict.FAIL


def test_a_kind_may_have_a_backoff_of_its_own() -> None:
    slow = Backoff(base=60, jitter="none")
    policy = RetryPolicy(backoff=Backoff(base=1, jitter="none"), per_kind={Kind.RESOURCE: slow})
    assert policy.delay(ErrorInfo(Kind.RESOURCE, ""), 1, chance=0) == 60_000
    assert policy.delay(ErrorInfo(Kind.NETWORK, ""), 1, chance=0) == 1_000


@given(st.integers(0, 10**8), chances)
def test_a_wait_is_never_shorter_than_the_failing_side_asks(after: int, chance: float) -> None:
    assert RetryPolicy().delay(ErrorInfo(Kind.PROVIDER, "", retry_after=after), 1, chance=chance) >= after


def test_seconds_read_what_millis_read() -> None:
    assert seconds("1.5m") == 90.0
