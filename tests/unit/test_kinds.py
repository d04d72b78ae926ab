"""Exceptions as data."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.domain.kinds import VERDICTS, ErrorInfo, Kind, Verdict, classify, verdict
from stanchion.errors import TaskError


class Response:
    def __init__(self, status_code: int) -> None:
        self.status_code = status_code


class HttpError(Exception):
    def __init__(self, status: int, *, own: bool = False) -> None:
        super().__init__(f"status {status}")
        if own:
            self.status = status
        else:
            self.response = Response(status)


def named(name: str, base: type[Exception] = Exception) -> Exception:
    return type(name, (base,), {})("x")


def test_every_kind_has_a_verdict() -> None:
    assert set(VERDICTS) == set(Kind)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(("retryable", "expected"), [(True, Verdict.RETRY), (False, Verdict.FAIL), (None, None)])
def test_an_errors_own_word_wins_over_its_kinds(kind: Kind, retryable: bool | None, expected: Verdict | None) -> None:
    assert verdict(ErrorInfo(kind, "", retryable)) is (expected or VERDICTS[kind])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), Kind.TIMEOUT),
        (ConnectionResetError(), Kind.NETWORK),
        (BrokenPipeError(), Kind.NETWORK),
        (socket.gaierror(), Kind.NETWORK),
        (MemoryError(), Kind.RESOURCE),
        (named("OutOfMemoryError", RuntimeError), Kind.RESOURCE),
        (named("ConnectError"), Kind.NETWORK),
        (named("ConnectTimeout"), Kind.NETWORK),
        (named("ReadTimeout"), Kind.OUTCOME_UNKNOWN),
        (named("RemoteProtocolError"), Kind.OUTCOME_UNKNOWN),
        (named("ValidationError", ValueError), Kind.VALIDATION),
        (ValueError("x"), Kind.INTERNAL),
        (KeyError("x"), Kind.INTERNAL),
    ],
)
def test_known_types_and_names_have_their_kind(error: BaseException, kind: Kind) -> None:
    assert classify(error).kind is kind


def test_a_name_is_known_in_subclasses_too() -> None:
    base = type("ReadTimeout", (Exception,), {})
    assert classify(type("MyTimeout", (base,), {})()).kind is Kind.OUTCOME_UNKNOWN


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Kind.VALIDATION),
        (401, Kind.AUTHENTICATION),
        (402, Kind.INSUFFICIENT_CREDITS),
        (403, Kind.AUTHENTICATION),
        (404, Kind.VALIDATION),
        (408, Kind.TIMEOUT),
        (418, Kind.INTERNAL),
        (422, Kind.VALIDATION),
        (429, Kind.RATE_LIMITED),
        (500, Kind.PROVIDER),
        (503, Kind.PROVIDER),
        (599, Kind.PROVIDER),
        (600, Kind.INTERNAL),
    ],
)
@pytest.mark.parametrize("own", [True, False])
def test_a_status_has_its_kind_wherever_a_client_keeps_it(status: int, kind: Kind, *, own: bool) -> None:
    assert classify(HttpError(status, own=own)).kind is kind


def test_an_errors_own_kind_wins_over_its_type() -> None:
    error = TimeoutError()
    error.kind = "content_policy"  # pyright: ignore[reportAttributeAccessIssue]
    assert classify(error).kind is Kind.CONTENT_POLICY


def test_a_kind_that_is_none_of_ours_is_passed_over() -> None:
    error = TimeoutError()
    error.kind = "odd"  # pyright: ignore[reportAttributeAccessIssue]
    assert classify(error).kind is Kind.TIMEOUT


def test_a_task_error_says_all_of_itself() -> None:
    error = TaskError("try later", kind="provider", retryable=False, retry_after=1.5)
    assert classify(error) == ErrorInfo(Kind.PROVIDER, "try later", False, 1_500, "TaskError")


def test_a_message_is_the_text_or_the_type_and_bounded() -> None:
    assert classify(ValueError("odd")).message == "odd"
    assert classify(ValueError()).message == "ValueError"
    assert len(classify(ValueError("x" * 9_999)).message) == 2_000


@pytest.mark.parametrize("after", [-1, float("inf"), float("nan"), "5", None])
def test_an_odd_retry_after_is_none(after: object) -> None:
    error = ValueError("x")
    error.retry_after = after  # pyright: ignore[reportAttributeAccessIssue]
    assert classify(error).retry_after is None


def test_the_first_rule_that_answers_decides() -> None:
    asked: list[str] = []

    def passes(_: BaseException) -> None:
        asked.append("passes")

    def names(_: BaseException) -> Kind:
        asked.append("names")
        return Kind.CONTENT_POLICY

    def never(_: BaseException) -> Kind:
        asked.append("never")
        return Kind.INTERNAL

    info = classify(TimeoutError("slow"), [passes, names, never])
    assert (info.kind, info.message, info.type) == (Kind.CONTENT_POLICY, "slow", "TimeoutError")
    assert asked == ["passes", "names"]


def test_a_rule_may_answer_with_everything() -> None:
    whole = ErrorInfo(Kind.RATE_LIMITED, "busy", retry_after=9)
    assert classify(ValueError(), [lambda _: whole]) == whole


def test_rules_are_asked_before_the_errors_own_kind() -> None:
    assert classify(TaskError("x", kind="network"), [lambda _: Kind.PROVIDER]).kind is Kind.PROVIDER


@given(st.from_type(type).filter(lambda kind: issubclass(kind, Exception)) | st.just(Exception), st.text())
def test_every_exception_becomes_data(kind: type[Exception], text: str) -> None:
    try:
        error = kind(text)
    except Exception:  # noqa: BLE001 - some need more arguments
        error = Exception(text)
    info = classify(error)
    assert info.kind in set(Kind)
    assert info.message
