"""From the body of a request to a submission, and from its answer to a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from stanchion.domain.dependency import Dependency
from stanchion.domain.intake import Conflict
from stanchion.domain.keys import canonical, fingerprint
from stanchion.engine.submit import JobOptions, Submission
from stanchion.errors import PayloadError
from stanchion.server import wire
from stanchion.server.links import BASE
from stanchion.server.problems import ApiError, invalid, malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stanchion.domain.units import JobId, Millis
    from stanchion.server.auth import Principal
    from stanchion.server.context import Server
    from stanchion.store import Enqueued

_PATH: Final = f"{BASE}/jobs".encode()
_OPTIONS: Final = frozenset(
    {
        "queue", "priority", "user", "delay", "run_at", "expires_in", "expires_at", "tags", "metadata", "dedup_window",
        "dedup_key", "timeout", "max_attempts", "correlation_id", "workflow",
        "cache", "max_ahead",
    }
)  # fmt: skip


def submission(  # noqa: PLR0913 - what it is made of
    body: wire.NewJob,
    who: Principal,
    *,
    key: str | None = None,
    deadline: Millis | None = None,
    asked: Mapping[str, Any] | None = None,
    named: Mapping[str, JobId] | None = None,
    pointer: str = "",
) -> Submission:
    """Return what a body asks for.

    Args:
        body: The decoded body.
        who: Whose credential it came with; it decides the tenant.
        key: The idempotency key, kept with a fingerprint of method, path and canonical body.
        deadline: `Cancel-After` in ms: not started by then, the job expires; and no attempt runs for longer.
        asked: Further options, of what the server asks of its callers.
        named: The ids of those jobs of a bulk request that others of it depend on, by `custom_id`.
        pointer: Where the body stands in the request.
    """
    given = {name: value for name in _OPTIONS if (value := getattr(body, name)) is not None}
    if body.depends_on:
        given["depends_on"] = dependencies(body, named, pointer)
    if named and isinstance(body, wire.BulkItem) and body.custom_id is not None and body.custom_id in named:
        given["id"] = named[body.custom_id]
    if deadline is not None:
        seconds = deadline / 1000
        given["expires_in"] = min(body.expires_in, seconds) if body.expires_in is not None else seconds
        given["timeout"] = min(body.timeout, seconds) if body.timeout is not None else seconds
    if key is not None:
        given["idempotency_key"] = key
        given["idempotency_fingerprint"] = _fingerprint(body)
    if body.conflict is not None:
        given["conflict"] = Conflict(body.conflict.policy, body.conflict.key)
    options = JobOptions(tenant=who.tenant_for(body.tenant), **given, **(asked or {}))
    return Submission(task=body.task, args=body.args, options=options)


def dependencies(
    body: wire.NewJob, named: Mapping[str, JobId] | None = None, pointer: str = ""
) -> list[Dependency] | None:
    """Return the jobs that a body depends on; None for none.

    Args:
        body: The decoded body.
        named: The jobs of a bulk request that others of it name, by `custom_id`; None outside of one.
        pointer: Where the body stands in the request.

    Raises:
        ApiError: A parent is named in no way, in two, or by a `custom_id` that no one job of the request has.
    """
    found: list[Dependency] = []
    for place, one in enumerate(body.depends_on or ()):
        if isinstance(one, str):
            found.append(Dependency(one))
            continue
        where = f"{pointer}/depends_on/{place}"
        if (one.id is None) == (one.custom_id is None):
            raise invalid(where, "needs either an id or a custom_id")
        if one.custom_id is None:
            found.append(Dependency(one.id or "", one.policy))
        elif named is None:
            raise invalid(f"{where}/custom_id", "names a job of the same bulk request; give an id")
        elif one.custom_id not in named:
            raise invalid(f"{where}/custom_id", f"{one.custom_id!r} is the custom_id of no job, or of several")
        else:
            found.append(Dependency(named[one.custom_id], one.policy))
    return found or None


def _fingerprint(body: wire.NewJob) -> bytes:
    plain = {name: value for name, value in msgspec.to_builtins(body).items() if value is not None}
    plain.pop("custom_id", None)
    plain.pop("idempotency_key", None)
    try:
        return fingerprint(b"POST", _PATH, canonical(plain))
    except (ValueError, UnicodeEncodeError) as error:
        message = f"The body cannot be repeated: {error}."
        raise malformed(message) from error


async def submit_one(server: Server, wanted: Submission) -> Enqueued:
    """Store one request.

    Raises:
        StanchionError: It was refused; nothing was stored.
    """
    try:
        return await server.app.submit_one(wanted)
    except PayloadError as error:
        raise below_args(error) from error


def below_args(error: Exception, pointer: str = "") -> Exception:
    """Return an error of arguments with its pointers as they stand in the request's body."""
    if type(error) is not PayloadError or not error.problems:
        return error
    moved = [(f"{pointer}/args{where}" if where else pointer, message) for where, message in error.problems]
    return ApiError(422, error.code, error.message, remedy=error.remedy, problems=moved)
