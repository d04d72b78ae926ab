"""Jobs: enqueue, read, change, cancel, retry, erase."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from msgspec import UNSET
from starlette.responses import Response

from stanchion.domain.job import State
from stanchion.domain.merge import merge_patch
from stanchion.domain.priority import priority
from stanchion.domain.query import Filter, Scope
from stanchion.engine.watchers import Interest
from stanchion.security.scopes import JOBS_READ, JOBS_WRITE
from stanchion.server import bodies, links, present, queries, views, wire
from stanchion.server.context import Endpoint, reply
from stanchion.server.problems import invalid, unauthenticated
from stanchion.server.routes.stream import job_stream
from stanchion.server.submit import submission, submit_one

if TYPE_CHECKING:
    from starlette.requests import Request

    from stanchion.domain.job import Job
    from stanchion.domain.units import JobId
    from stanchion.server.auth import Principal
    from stanchion.server.context import Server
    from stanchion.store import Enqueued

MAX_METADATA: Final = 16_384
_MAX_VERSION: Final = 2**53


async def create(server: Server, request: Request, who: Principal) -> Response:
    """Enqueue a job: 201 new, 200 joined or answered from the cache, 202 not finished within `Prefer: wait`."""
    body = await bodies.decoded(request, wire.NewJob, server.max_body)
    key = queries.idempotency_key(request)
    prefers = queries.preferences(request)
    wanted = submission(body, who, key=key, deadline=queries.cancel_after(request), asked=server.asks(who))
    if prefers.wait is not None:
        server.streams.check(who)
    answer = await submit_one(server, wanted)
    headers = _headers(answer, key)
    if "text/event-stream" in request.headers.get("accept", ""):
        who.need(JOBS_READ)
        return await job_stream(server, request, who, answer.id, status=201 if answer.created else 200, headers=headers)
    if prefers.wait is not None and prefers.wait > 0:
        headers["preference-applied"] = f"wait={prefers.wait:g}"
        job = await awaited(server, who, answer.id, 0, prefers.wait, final=True)
        waiting = not job.final
    else:
        job, waiting = await views.find(server.store, answer.id, Scope(who.tenant)), False
        if prefers.detached:
            headers["preference-applied"] = "respond-async"
    status = 202 if waiting else 201 if answer.created else 200
    body = await _full(server, job, who)
    if answer.warnings:
        body.warnings = [present.warning_out(one, who.scope) for one in answer.warnings]
    return reply(body, status, headers)


def _headers(answer: Enqueued, key: str | None) -> dict[str, str]:
    headers = {"location": links.job(answer.id)}
    if key is not None and not answer.new:
        headers["idempotency-replayed"] = "true"
    return headers


async def _full(server: Server, job: Job, who: Principal) -> wire.JobOut:
    return await views.full(server, job, who.scope, hidden=server.secrets_of(job))


async def awaited(  # noqa: PLR0913 - whom, what, and until when
    server: Server, who: Principal, job_id: JobId, version: int, seconds: float, *, final: bool = False
) -> Job:
    """Return a job once its version is above the given one, or once it is final; or as it is after some seconds."""
    job = await views.find(server.store, job_id, who.scope)
    if job.final or (job.version > version and not final):
        return job
    with server.streams.enter(who):
        async with server.watching(who, Interest(who.scope), jobs=[job_id]) as watcher:
            try:
                async with asyncio.timeout(seconds):
                    while True:
                        job = await views.find(server.store, job_id, who.scope)
                        if job.final or (job.version > version and not final) or watcher.ended is not None:
                            break
                        while not any(n.event is not None for n in await watcher.take()) and watcher.ended is None:
                            pass
            except TimeoutError:
                job = await views.find(server.store, job_id, who.scope)
    if not server.still(who):
        raise unauthenticated()
    return job


async def read_one(server: Server, request: Request, who: Principal) -> Response:
    """Return a job; `wait` and `version` hold the reply until its version is above the given one."""
    job_id = path_id(request)
    wait = queries.number(request, "wait", 0, 0, queries.MAX_WAIT)
    version = queries.whole(request, "version", -1, 0, _MAX_VERSION)
    if wait and version < 0:
        job = await views.find(server.store, job_id, who.scope)
        version = job.version
    job = await awaited(server, who, job_id, version, wait) if wait else None
    if job is None:
        job = await views.find(server.store, job_id, who.scope)
    return reply(await _full(server, job, who))


def path_id(request: Request) -> JobId:
    """Return the job id of the path; what has not its form is not found."""
    return views.known_form(str(request.path_params["id"]))


async def read_many(server: Server, request: Request, who: Principal) -> Response:
    """Return a page of jobs, newest first."""
    asked = queries.text(request, "tenant")
    if who.tenant is not None and asked not in (None, who.tenant):
        return reply(wire.JobPage([], None))
    scope = Scope(who.tenant or asked)
    filter_ = Filter(
        states=queries.states(request),
        queue=queries.text(request, "queue"),
        task=queries.text(request, "task"),
        user=queries.text(request, "user"),
        tag=queries.text(request, "tag"),
        text=queries.text(request, "q"),
        workflow=queries.text(request, "workflow"),
    )
    limit = queries.whole(request, "limit", 50, 1, server.limits.page)
    after = queries.text(request, "after")
    if after is not None and not (after.isascii() and after.isdecimal() and len(after) <= 18):  # noqa: PLR2004
        raise queries.refused("after", "the `next` of another page")
    page = await server.store.list(filter_, limit=limit, after=after, scope=scope)
    return reply(wire.JobPage(await views.thin_all(server, page.jobs, scope), page.next))


async def patch(server: Server, request: Request, who: Principal) -> Response:
    """Change priority, metadata (RFC 7396) or tags."""
    job_id = path_id(request)
    body = await bodies.decoded(request, wire.Patch, server.max_body)
    async with server.patching:  # metadata is read, merged and written
        job = await views.find(server.store, job_id, who.scope)
        (changed,) = await server.store.amend(
            [job_id],
            priority=None if body.priority is UNSET else priority(cast("int | str", body.priority)),
            metadata=None if body.metadata is UNSET else _merged(job, body.metadata),
            tags=None if body.tags is UNSET else tuple(body.tags),
            scope=who.scope,
        )
    if isinstance(changed, Exception):
        raise changed
    return reply(await _full(server, changed, who))


def _merged(job: Job, change: object) -> bytes:
    old: Any = msgspec.json.decode(job.metadata) if job.metadata else {}
    new = msgspec.json.encode(merge_patch(old, cast("Any", change)) if change is not None else {})
    if len(new) > MAX_METADATA:
        raise invalid("/metadata", f"takes {len(new):,} bytes; the limit is {MAX_METADATA:,}")
    return new


async def delete(server: Server, request: Request, who: Principal) -> Response:
    """Cancel a job that is not final (200); erase one that is (204); a cancelled one stays unless `purge=true`."""
    job_id = path_id(request)
    job = await views.find(server.store, job_id, who.scope)
    if not job.final:
        return await _cancelled(server, job_id, who)
    if job.state is State.CANCELLED and not queries.flag(request, "purge"):
        return reply(await _full(server, job, who))
    (erased,) = await server.store.erase([job_id], who.scope)
    if isinstance(erased, Exception):
        raise erased
    return Response(status_code=204)


async def cancel(server: Server, request: Request, who: Principal) -> Response:
    """Cancel a job, or ask a running one to end; repeating it changes nothing."""
    return await _cancelled(server, path_id(request), who)


async def _cancelled(server: Server, job_id: JobId, who: Principal) -> Response:
    (job,) = await server.store.cancel([job_id], who.scope)
    if isinstance(job, Exception):
        raise job
    return reply(await _full(server, job, who))


async def retry(server: Server, request: Request, who: Principal) -> Response:
    """Queue a failed job anew, with a fresh budget of attempts."""
    (job,) = await server.store.retry([path_id(request)], who.scope)
    if isinstance(job, Exception):
        raise job
    return reply(await _full(server, job, who))


_LIST = ("state", "queue", "task", "tenant", "user", "tag", "workflow", "q", "limit", "after")

ENDPOINTS: Final = (
    Endpoint(method="POST", path="/jobs", name="create_job", call=create, scope=JOBS_WRITE, status=201,
             summary="Enqueue a job", body=wire.NewJob, reply=wire.JobOut,
             also={200: "Joined a job that was there, or answered from the cache",
                   202: "Not finished within Prefer: wait"}),
    Endpoint(method="GET", path="/jobs", name="list_jobs", call=read_many, scope=JOBS_READ,
             summary="List jobs, newest first", reply=wire.JobPage, params=_LIST),
    Endpoint(method="GET", path="/jobs/{id}", name="read_job", call=read_one, scope=JOBS_READ,
             summary="Read a job", reply=wire.JobOut, params=("wait", "version")),
    Endpoint(method="PATCH", path="/jobs/{id}", name="patch_job", call=patch, scope=JOBS_WRITE,
             summary="Change priority, metadata or tags", body=wire.Patch, reply=wire.JobOut),
    Endpoint(method="DELETE", path="/jobs/{id}", name="delete_job", call=delete, scope=JOBS_WRITE,
             summary="Cancel a job, or erase a final one", reply=wire.JobOut, params=("purge",),
             also={204: "Erased"}),
    Endpoint(method="POST", path="/jobs/{id}/cancel", name="cancel_job", call=cancel, scope=JOBS_WRITE,
             summary="Cancel a job", reply=wire.JobOut),
    Endpoint(method="POST", path="/jobs/{id}/retry", name="retry_job", call=retry, scope=JOBS_WRITE,
             summary="Run a failed job again", reply=wire.JobOut),
)  # fmt: skip
