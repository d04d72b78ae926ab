"""Error kinds: what each one means for the job, and how an exception becomes one."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stanchion.domain.units import Millis


class Kind(StrEnum):
    """What went wrong, in the words of the API."""

    VALIDATION = "validation"
    AUTHENTICATION = "authentication"
    INSUFFICIENT_CREDITS = "insufficient_credits"
    CONTENT_POLICY = "content_policy"
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"
    NETWORK = "network"
    PROVIDER = "provider"
    RESOURCE = "resource"
    OUTCOME_UNKNOWN = "outcome_unknown"
    EXPIRED = "expired"
    WORKER_LOST = "worker_lost"
    INTERNAL = "internal"


class Verdict(StrEnum):
    """What a kind asks for."""

    RETRY = "retry"
    FAIL = "fail"
    PARK = "park"


VERDICTS: Final = {
    Kind.VALIDATION: Verdict.FAIL,
    Kind.AUTHENTICATION: Verdict.FAIL,
    Kind.INSUFFICIENT_CREDITS: Verdict.PARK,
    Kind.CONTENT_POLICY: Verdict.FAIL,
    Kind.RATE_LIMITED: Verdict.PARK,
    Kind.TIMEOUT: Verdict.RETRY,
    Kind.NETWORK: Verdict.RETRY,
    Kind.PROVIDER: Verdict.RETRY,
    Kind.RESOURCE: Verdict.RETRY,
    Kind.OUTCOME_UNKNOWN: Verdict.RETRY,
    Kind.EXPIRED: Verdict.FAIL,
    Kind.WORKER_LOST: Verdict.RETRY,
    Kind.INTERNAL: Verdict.RETRY,
}
"""What happens by default. `PARK` means: try later, spending no attempt."""


class ErrorInfo(NamedTuple):
    """A failure as data: what a job keeps of an exception.

    `retry_after` is in ms and comes from the failing side. `retryable` overrides the kind where given.
    """

    kind: Kind
    message: str
    retryable: bool | None = None
    retry_after: Millis | None = None
    type: str | None = None
    trace: str | None = None


def verdict(error: ErrorInfo) -> Verdict:
    """Return what an error asks for: its own word first, then its kind's."""
    if error.retryable is None:
        return VERDICTS[error.kind]
    return Verdict.RETRY if error.retryable else Verdict.FAIL


if TYPE_CHECKING:
    Rule = Callable[[BaseException], Kind | ErrorInfo | None]
"""A rule looks at an exception and names its kind, or passes with None."""

_BY_TYPE: Final[tuple[tuple[type[BaseException], Kind], ...]] = (
    (TimeoutError, Kind.TIMEOUT),
    (ConnectionError, Kind.NETWORK),
    (MemoryError, Kind.RESOURCE),
)
_BY_NAME: Final = {
    "OutOfMemoryError": Kind.RESOURCE,
    "ConnectError": Kind.NETWORK,
    "ConnectTimeout": Kind.NETWORK,
    "gaierror": Kind.NETWORK,
    "ReadTimeout": Kind.OUTCOME_UNKNOWN,
    "ReadError": Kind.OUTCOME_UNKNOWN,
    "WriteError": Kind.OUTCOME_UNKNOWN,
    "RemoteProtocolError": Kind.OUTCOME_UNKNOWN,
    "ValidationError": Kind.VALIDATION,
}
_BY_STATUS: Final = {
    400: Kind.VALIDATION,
    401: Kind.AUTHENTICATION,
    402: Kind.INSUFFICIENT_CREDITS,
    403: Kind.AUTHENTICATION,
    404: Kind.VALIDATION,
    408: Kind.TIMEOUT,
    422: Kind.VALIDATION,
    429: Kind.RATE_LIMITED,
}
_SERVER_SIDE: Final = range(500, 600)
_MAX_MESSAGE: Final = 2_000


def _status_of(error: BaseException) -> int | None:
    """The HTTP status that an exception of any client carries, as a response's or as its own."""
    for owner in (getattr(error, "response", None), error):
        for name in ("status_code", "status"):
            status: object = getattr(owner, name, None)
            if isinstance(status, int):
                return status
    return None


def _default(error: BaseException) -> Kind:
    for kinds_type, kind in _BY_TYPE:
        if isinstance(error, kinds_type):
            return kind
    status = _status_of(error)
    if status in _SERVER_SIDE:
        return Kind.PROVIDER
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    for base in type(error).__mro__:
        if base.__name__ in _BY_NAME:
            return _BY_NAME[base.__name__]
    return Kind.INTERNAL


def _own_kind(error: BaseException) -> Kind | None:
    named: object = getattr(error, "kind", None)
    return Kind(named) if isinstance(named, str) and named in set(Kind) else None


def classify(error: BaseException, rules: Iterable[Rule] = ()) -> ErrorInfo:
    """Return an exception as data: by the user's rules, then its own `kind`, type, status and name.

    Rules are asked in order; the first that does not answer None decides.
    """
    for rule in rules:
        answer = rule(error)
        if isinstance(answer, ErrorInfo):
            return answer
        if answer is not None:
            return _described(error, answer)
    return _described(error, _own_kind(error) or _default(error))


def _described(error: BaseException, kind: Kind) -> ErrorInfo:
    retryable: object = getattr(error, "retryable", None)
    after: object = getattr(error, "retry_after", None)
    message: object = getattr(error, "message", None)
    return ErrorInfo(
        kind=kind,
        message=(message if isinstance(message, str) and message else str(error) or type(error).__name__)[
            :_MAX_MESSAGE
        ],
        retryable=retryable if isinstance(retryable, bool) else None,
        retry_after=round(after * 1000) if isinstance(after, (int, float)) and 0 <= after < float("inf") else None,
        type=type(error).__qualname__,
    )
