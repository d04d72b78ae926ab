"""Query parameters and headers as bounded values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.job import State
from stanchion.domain.units import millis
from stanchion.server.problems import ApiError

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from stanchion.domain.units import JobId, Millis

MAX_TEXT: Final = 200
MAX_WAIT: Final = 60.0
MAX_WATCHED: Final = 200
_NUMBER: Final = re.compile(r"\d{1,18}(?:\.\d{1,9})?")
_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_KEY: Final = re.compile(r"[\x20-\x7e]{1,255}")
_PREFERENCE: Final = re.compile(r'\s*([A-Za-z-]+)(?:\s*=\s*"?([^",;]*)"?)?\s*')


def refused(name: str, message: str) -> ApiError:
    """Return the refusal of a query parameter or header."""
    return ApiError(
        422, "validation", f"{name}: {message}.", remedy="Correct the request.", problems=((name, message),)
    )


def text(request: HTTPConnection, name: str) -> str | None:
    """Return a text parameter; None where absent or empty."""
    value = request.query_params.get(name)
    if not value:
        return None
    if not is_text(value):
        raise refused(name, f"at most {MAX_TEXT} characters, none of them NUL")
    return value


def is_text(value: str) -> bool:
    """Return whether a text may be asked for: not too long, and no NUL in it."""
    return len(value) <= MAX_TEXT and "\0" not in value


def number(request: HTTPConnection, name: str, default: float, low: float, high: float) -> float:
    """Return a number parameter within its bounds."""
    value = request.query_params.get(name)
    if value is None or value == "":
        return default
    if not _NUMBER.fullmatch(value) or not value.isascii() or not low <= float(value) <= high:
        raise refused(name, f"a number from {low:g} to {high:g}")
    return float(value)


def whole(request: HTTPConnection, name: str, default: int, low: int, high: int) -> int:
    """Return a whole-number parameter within its bounds."""
    value = number(request, name, default, low, high)
    if value != int(value):
        raise refused(name, "a whole number")
    return int(value)


def flag(request: HTTPConnection, name: str) -> bool:
    """Return whether a switch is on: `1`, `true`, `yes`, or the bare name."""
    value = request.query_params.get(name)
    return value is not None and value.lower() in ("", "1", "true", "yes", "on")


def states(request: HTTPConnection, name: str = "state") -> tuple[State, ...]:
    """Return the states of a comma-separated parameter."""
    words = [word for value in request.query_params.getlist(name) for word in value.split(",") if word]
    unknown = sorted(set(words) - set(State))
    if unknown:
        raise refused(name, f"one or more of {', '.join(State)}")
    return tuple(dict.fromkeys(State(word) for word in words))


def job_ids(request: HTTPConnection, name: str = "jobs") -> tuple[JobId, ...]:
    """Return the job ids of a comma-separated parameter."""
    words = [word for value in request.query_params.getlist(name) for word in value.split(",") if word]
    if len(words) > MAX_WATCHED or not all(_ID.fullmatch(word) for word in words):
        raise refused(name, f"at most {MAX_WATCHED} job ids")
    return tuple(dict.fromkeys(words))


def is_job_id(value: str) -> bool:
    """Return whether a text has the form of a job id."""
    return _ID.fullmatch(value) is not None


class Preferences(NamedTuple):
    """What `Prefer` asks (RFC 7240): seconds to wait, and `respond-async`; unknown ones are ignored."""

    wait: float | None
    detached: bool


def preferences(request: HTTPConnection) -> Preferences:
    """Return the preferences of a request; a wait is cut to 60 s."""
    wait: float | None = None
    detached = False
    for part in ",".join(request.headers.getlist("prefer")).split(","):
        found = _PREFERENCE.match(part)
        if found is None:
            continue
        name, value = found.group(1).lower(), found.group(2)
        if name == "respond-async":
            detached = True
        elif name == "wait" and value is not None and _NUMBER.fullmatch(value):
            wait = min(float(value), MAX_WAIT)
    return Preferences(wait, detached)


def cancel_after(request: HTTPConnection) -> Millis | None:
    """Return the `Cancel-After` header in ms: seconds, or a text such as `90s`."""
    value = request.headers.get("cancel-after")
    if value is None:
        return None
    try:
        after = millis(value)
    except ValueError:
        after = 0
    if not 0 < after <= millis("365d"):
        raise refused("Cancel-After", "a number of seconds such as 90 or 90s, at most a year")
    return after


def idempotency_key(request: HTTPConnection) -> str | None:
    """Return the `Idempotency-Key` header; quotes around it, as in a structured field, are taken off."""
    value = request.headers.get("idempotency-key")
    if value is None:
        return None
    key = value.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not _KEY.fullmatch(key):
        raise refused("Idempotency-Key", "1 to 255 printable ASCII characters")
    return key
