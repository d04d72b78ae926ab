"""Errors as problem bodies (RFC 9457): the only place that maps an error to a status."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import UNSET
from starlette.responses import Response

from stanchion import errors
from stanchion.server import wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEDIA_TYPE: Final = "application/problem+json"
_encode: Final = msgspec.json.Encoder().encode

_STATUS: Final[Mapping[type[Exception], int]] = {
    errors.DiskFullError: 507,
    errors.StoreUnavailableError: 503,
    errors.SchemaMissingError: 503,
    errors.SchemaOutdatedError: 503,
    errors.SchemaTooNewError: 503,
    errors.StoreError: 503,
    errors.QueueFullError: 429,
    errors.OverLimitError: 429,
    errors.SlowDownError: 429,
    errors.InsufficientCreditsError: 402,
    errors.PermissionDeniedError: 403,
    errors.RefusedError: 422,
    errors.IdempotencyMismatchError: 422,
    errors.ConflictError: 409,
    errors.NotFoundError: 404,
    errors.PayloadTooLargeError: 413,
    errors.UsageError: 422,
}
"""By class, the nearest ancestor decides; what is not here is a bug of ours: 500."""

_TYPES: Final[Mapping[int, str]] = {
    429: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    503: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
}
_RETRYABLE: Final = frozenset({408, 429, 503, 507})
_RETRY_AFTER: Final = 5.0


class ApiError(errors.StanchionError):
    """A refusal that only HTTP knows: a wrong media type, a missing credential, too many streams."""

    def __init__(  # noqa: PLR0913 - the fields of a problem
        self,
        status: int,
        code: str,
        message: str,
        *,
        remedy: str = "",
        problems: Sequence[tuple[str, str]] = (),
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.status, self.slug = status, code
        self.problems, self.retry_after, self.headers = tuple(problems), retry_after, dict(headers or {})


def invalid(pointer: str, message: str) -> ApiError:
    """Return the refusal of one field of a body."""
    return ApiError(
        422,
        "validation",
        f"{pointer or '/'}: {message}.",
        remedy="Correct the request.",
        problems=((pointer, message),),
    )


def malformed(message: str, remedy: str = "Correct the request.") -> ApiError:
    """Return the refusal of a request that cannot be read."""
    return ApiError(400, "malformed", message, remedy=remedy)


def unauthenticated(message: str = "A valid API key is needed.") -> ApiError:
    """Return the refusal of a caller whose credential is missing or not valid any more."""
    return ApiError(
        401,
        "unauthenticated",
        message,
        remedy="Send Authorization: Bearer stn_…, or sign in on the dashboard.",
        headers={"www-authenticate": 'Bearer realm="stanchion"'},
    )


def status_of(error: Exception) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, ApiError):
        return error.status
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)


def problem(error: Exception, *, instance: str | None = None, request_id: str | None = None) -> wire.ProblemOut:
    """Return an error as a problem body; of an unforeseen one only the request id is told."""
    status = status_of(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR or not isinstance(error, errors.StanchionError):
        return wire.ProblemOut(
            type=_type(500, "internal"),
            title=HTTPStatus.INTERNAL_SERVER_ERROR.phrase,
            status=500,
            detail="Something went wrong in the server.",
            code="internal",
            retryable=False,
            instance=instance,
            request_id=request_id,
            remedy="Look for the request id in the server's log.",
        )
    code = error.slug if isinstance(error, ApiError) else error.code
    pairs: Sequence[tuple[str, str]] = getattr(error, "problems", ())
    return wire.ProblemOut(
        type=_type(status, code),
        title=HTTPStatus(status).phrase,
        status=status,
        detail=error.message,
        code=code,
        retryable=status in _RETRYABLE or UNSET,
        instance=instance,
        remedy=error.remedy or None,
        retry_after=retry_after(error, status),
        estimated_wait=error.estimated_wait if isinstance(error, errors.RefusedError) else None,
        job=error.job_id if isinstance(error, errors.ConflictingJobError) else None,
        request_id=request_id,
        errors=[wire.PointerOut(pointer, message) for pointer, message in pairs],
    )


def _type(status: int, code: str) -> str:
    return _TYPES.get(status, f"urn:stanchion:problem:{code}")


def retry_after(error: Exception, status: int) -> float | None:
    """Return the seconds until a repeat makes sense; each 429, 503 and 507 has some."""
    given: float | None = getattr(error, "retry_after", None)
    if given is not None:
        return given
    return _RETRY_AFTER if status in (429, 503, 507) else None


def respond(error: Exception, *, instance: str | None = None, request_id: str | None = None) -> Response:
    """Return an error as a response."""
    body = problem(error, instance=instance, request_id=request_id)
    headers = dict(error.headers) if isinstance(error, ApiError) else {}
    if body.retry_after is not None:
        headers["retry-after"] = str(max(1, round(body.retry_after)))
    return Response(_encode(body), body.status, headers, media_type=MEDIA_TYPE)
