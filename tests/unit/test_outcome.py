"""What follows from the end of an attempt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.domain.job import FINAL, Lease, State
from stanchion.domain.kinds import VERDICTS, ErrorInfo, Kind, Verdict
from stanchion.domain.outcome import (
    MAX_PARKS,
    PARK_FOR,
    Cancelled,
    Completed,
    Failed,
    Lost,
    Outcome,
    Released,
    Settlement,
    Snoozed,
    effective,
    settle,
)
from stanchion.domain.retry import Backoff, RetryPolicy

POLICY = RetryPolicy(backoff=Backoff(base=2.0, factor=3.0, jitter="none"), crash_budget=3)


def lease(*, attempt: int = 1, spent: int = 0, crashes: int = 0, max_attempts: int = 3) -> Lease:
    return Lease(
        ref=9, id="job", attempt=attempt, task="t", args=b"", queue="q", tenant="d", user=None, priority=5,
        spent=spent, crashes=crashes, max_attempts=max_attempts, created_at=0, started_at=0, timeout=None,
        tags=(), metadata=None, correlation_id=None,
    )  # fmt: skip


def error(kind: Kind = Kind.INTERNAL, **given: bool | int | None) -> ErrorInfo:
    return ErrorInfo(kind, "boom", retryable=given.get("retryable"), retry_after=given.get("retry_after"))  # pyright: ignore[reportArgumentType]


leases = st.builds(
    lease,
    attempt=st.integers(1, 400),
    spent=st.integers(0, 10),
    crashes=st.integers(0, 5),
    max_attempts=st.integers(1, 10),
)
errors = st.builds(
    ErrorInfo,
    st.sampled_from(Kind),
    st.text(max_size=5),
    st.none() | st.booleans(),
    st.none() | st.integers(0, 10**7),
)
outcomes: st.SearchStrategy[Outcome] = st.one_of(
    st.builds(Completed, st.none() | st.binary(max_size=4)),
    st.builds(Failed, errors),
    st.builds(Snoozed, st.integers(0, 10**6)),
    st.builds(Released),
    st.builds(Cancelled),
    st.builds(Lost),
)


def test_completing_ends_with_the_result() -> None:
    assert settle(lease(), Completed(b"1"), POLICY) == Settlement(
        9, "job", 1, State.COMPLETED, "completed", spent=1, result=b"1"
    )


def test_snoozing_waits_and_spends_nothing() -> None:
    assert settle(lease(), Snoozed(70), POLICY) == Settlement(9, "job", 1, State.SCHEDULED, "snoozed", delay=70)


def test_releasing_queues_at_once_and_spends_nothing() -> None:
    assert settle(lease(), Released(), POLICY) == Settlement(9, "job", 1, State.QUEUED, "released")


def test_cancelling_ends() -> None:
    assert settle(lease(), Cancelled(), POLICY) == Settlement(9, "job", 1, State.CANCELLED, "cancelled", spent=1)


def test_a_failure_backs_off_by_the_attempts_spent() -> None:
    delays = [settle(lease(spent=spent, max_attempts=9), Failed(error()), POLICY).delay for spent in range(3)]
    assert delays == [2_000, 6_000, 18_000]


def test_a_failure_that_retries_keeps_its_error_and_spends_one() -> None:
    assert settle(lease(), Failed(error()), POLICY) == Settlement(
        9, "job", 1, State.RETRYING, "retry", delay=2_000, spent=1, error=error()
    )


@pytest.mark.parametrize(
    ("spent", "state"), [(0, State.RETRYING), (1, State.RETRYING), (2, State.FAILED), (5, State.FAILED)]
)
def test_the_last_attempt_fails_for_good(spent: int, state: State) -> None:
    assert settle(lease(attempt=9, spent=spent), Failed(error()), POLICY).state is state


def test_the_jobs_own_number_of_attempts_wins_over_the_policys() -> None:
    policy = RetryPolicy(max_attempts=9)
    assert settle(lease(max_attempts=1), Failed(error()), policy).state is State.FAILED


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_decides_what_a_first_failure_does(kind: Kind) -> None:
    settlement = settle(lease(), Failed(error(kind)), POLICY)
    told = {Verdict.FAIL: "failed", Verdict.RETRY: "retry", Verdict.PARK: "parked"}[VERDICTS[kind]]
    assert settlement.outcome == told
    assert settlement.spent == (0 if told == "parked" else 1)


def test_an_error_that_says_it_is_not_retryable_fails_at_once() -> None:
    assert settle(lease(), Failed(error(Kind.NETWORK, retryable=False)), POLICY).state is State.FAILED


def test_an_error_that_says_it_is_retryable_is_retried() -> None:
    assert settle(lease(), Failed(error(Kind.VALIDATION, retryable=True)), POLICY).state is State.RETRYING


def test_a_parked_job_waits_as_long_as_the_failing_side_says() -> None:
    assert settle(lease(), Failed(error(Kind.RATE_LIMITED, retry_after=4_200)), POLICY).delay == 4_200
    assert settle(lease(), Failed(error(Kind.RATE_LIMITED)), POLICY).delay == PARK_FOR


def test_a_parked_job_never_spins() -> None:
    assert settle(lease(), Failed(error(Kind.RATE_LIMITED, retry_after=0)), POLICY).delay >= 1


def test_a_job_parked_too_often_spends_its_attempts() -> None:
    last_free = settle(lease(attempt=MAX_PARKS), Failed(error(Kind.RATE_LIMITED)), POLICY)
    after = settle(lease(attempt=MAX_PARKS + 1), Failed(error(Kind.RATE_LIMITED)), POLICY)
    assert (last_free.outcome, after.outcome, after.spent) == ("parked", "retry", 1)


def test_a_lost_attempt_runs_again_unspent_until_the_crash_budget_is_used() -> None:
    settlements = [settle(lease(crashes=crashes, attempt=crashes + 1), Lost(), POLICY) for crashes in range(3)]
    assert [(ended.state, ended.crashes, ended.spent) for ended in settlements] == [
        (State.QUEUED, 1, 0), (State.QUEUED, 1, 0), (State.FAILED, 1, 0),
    ]  # fmt: skip
    assert {ended.outcome for ended in settlements} == {"lost"}
    assert all(ended.error is not None and ended.error.kind is Kind.WORKER_LOST for ended in settlements)
    assert settlements[-1].error is not None
    assert settlements[-1].error.retryable is False
    assert "quarantined" in settlements[-1].error.message


@given(leases, outcomes, st.floats(0, 1, exclude_max=True))
def test_every_ending_leads_to_one_state_under_its_fence(held: Lease, outcome: Outcome, chance: float) -> None:
    ended = settle(held, outcome, POLICY, chance=chance)
    assert (ended.ref, ended.id, ended.attempt) == (held.ref, held.id, held.attempt)
    assert ended.state not in {State.RUNNING, State.BLOCKED}
    assert ended.delay >= 0
    assert ended.delay == 0 or ended.state in {State.SCHEDULED, State.RETRYING}
    assert ended.result is None or ended.state is State.COMPLETED
    assert (ended.spent, ended.crashes) in {(0, 0), (1, 0), (0, 1)}


@given(leases, errors)
def test_a_failure_never_runs_beyond_its_attempts(held: Lease, problem: ErrorInfo) -> None:
    ended = settle(held, Failed(problem), POLICY)
    if ended.outcome == "retry":
        assert held.spent + 1 < held.max_attempts
    assert ended.error == problem


@given(st.sampled_from(State))
def test_an_asked_cancel_wins_over_every_other_ending(state: State) -> None:
    assert effective(state, cancel_requested=True) is State.CANCELLED
    assert effective(state, cancel_requested=False) is state
    assert State.CANCELLED in FINAL
