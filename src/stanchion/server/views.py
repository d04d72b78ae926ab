"""Jobs with all that is known of them, read with as few questions as their story allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import msgspec
from msgspec import Raw

from stanchion.errors import NotFoundError
from stanchion.server import present, wire
from stanchion.server.queries import is_job_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.job import Job
    from stanchion.domain.query import Scope
    from stanchion.domain.units import JobId
    from stanchion.server.context import Server
    from stanchion.store import Store

_ABSENT: Final = "There is no such job."
_STRUCK: Final = "[secret]"


async def find(store: Store, job_id: JobId, scope: Scope) -> Job:
    """Return a job; `NotFoundError` where there is none in scope."""
    (job,) = await store.inspect([job_id], scope)
    if job is None:
        raise NotFoundError(_ABSENT)
    return job


async def thin_all(server: Server, jobs: Sequence[Job], scope: Scope) -> list[wire.JobThin]:
    """Return jobs as lists show them."""
    open_ = [job.id for job in jobs if not job.final]
    places = dict(zip(open_, await server.watch.forecast.places(open_, scope), strict=True)) if open_ else {}
    now = server.now()
    return [present.thin(job, places.get(job.id), now) for job in jobs]


def known_form(job_id: str) -> JobId:
    """Return the text of a job id; `NotFoundError` where it has not the form of one."""
    if not is_job_id(job_id):
        raise NotFoundError(_ABSENT)
    return job_id


def shown_args(data: bytes, hidden: frozenset[str]) -> Raw:
    """Return arguments as JSON, those that are secret struck out; null where they cannot be read."""
    args = present.kept(data)
    if not hidden or args is present.NULL:
        return args
    named = msgspec.json.decode(data)
    if not isinstance(named, dict):
        return args
    plain = cast("dict[str, object]", named)
    return Raw(msgspec.json.encode({name: _STRUCK if name in hidden else value for name, value in plain.items()}))


async def full(server: Server, job: Job, scope: Scope, *, hidden: frozenset[str] = frozenset()) -> wire.JobOut:
    """Return a job in full, the arguments named in `hidden` struck out; a new one costs two questions."""
    store, place = server.store, None
    if not job.final:
        (place,) = await server.watch.forecast.places([job.id], scope)
    preview = await store.preview(job.id, scope) if job.preview_revision is not None else None
    fields = present.thin_fields(job, place, store.now(), preview)
    fields["error"] = present.error_out(job.error, trace=scope.tenant is None)
    fields.update(present.relations_out(await store.relations(job.id, scope)))
    args = shown_args(job.args, hidden)
    result = present.kept(job.result)
    if job.version == 1:
        born = wire.EventOut(1, job.state.value, present.at(job.created_at), 0, None)
        return wire.JobOut(**fields, args=args, result=result, cost=[], attempts=[], events=[born], warnings=[])
    events, attempts = await store.history(job.id, scope)
    if not job.artifacts and job.attempt:
        made = await store.outputs(job.id, scope)
        fields["outputs"] = [present.output_out(job.id, output) for output in made if output.artifact is not None]
    return wire.JobOut(
        **fields,
        args=args,
        result=result,
        cost=present.costs_out(await store.costs(job.id, scope)),
        attempts=present.attempts_out(job, attempts),
        events=[present.event_out(event) for event in events],
        warnings=[],
    )
