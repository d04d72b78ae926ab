"""Schedules: list, read, put, delete, pause, resume, run at once."""

# ruff: noqa: ARG001 - every endpoint has one signature

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from stanchion.domain.query import Scope
from stanchion.domain.schedule import Cron, Every
from stanchion.engine.scheduling import run_now, scheduled, template
from stanchion.errors import NotFoundError, PayloadError
from stanchion.security.scopes import JOBS_READ, JOBS_WRITE
from stanchion.server import bodies, present, submit, views, wire
from stanchion.server.context import Endpoint, reply
from stanchion.server.problems import ApiError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from stanchion.domain.schedule import Rule, Schedule
    from stanchion.server.auth import Principal
    from stanchion.server.context import Server

_NAME: Final = re.compile(r"[^\x00-\x1f\x7f/]{1,150}")
_TENANT: Final = "tenant"


def _absent() -> NotFoundError:
    return NotFoundError("There is no such schedule.", remedy="Read /schedules for those there are.")


def _key(request: Request, who: Principal) -> tuple[str, str]:
    """Return whose schedule a path names, and its name."""
    name = str(request.path_params["name"])
    if not _NAME.fullmatch(name) or not name.isprintable():
        raise _absent()
    return who.tenant_for(request.query_params.get(_TENANT)), name


def _out(server: Server, schedule: Schedule) -> wire.ScheduleOut:
    job = schedule.request
    hidden = frozenset(job.secret) | server.secrets_of_task(job.task)
    return present.schedule(schedule, views.shown_args(job.args, hidden))


async def _found(server: Server, tenant: str, name: str) -> Schedule:
    for schedule in await server.store.schedules(Scope(tenant)):
        if schedule.name == name:
            return schedule
    raise _absent()


async def read_many(server: Server, request: Request, who: Principal) -> Response:
    """Return all schedules, by tenant and name."""
    return reply(wire.Schedules([_out(server, found) for found in await server.store.schedules(who.scope)]))


async def read_one(server: Server, request: Request, who: Principal) -> Response:
    """Return one schedule."""
    return reply(_out(server, await _found(server, *_key(request, who))))


async def put(server: Server, request: Request, who: Principal) -> Response:
    """Store a schedule, or change the one of that name; the same again changes nothing."""
    tenant, name = _key(request, who)
    body = await bodies.decoded(request, wire.SchedulePut, server.max_body)
    if body.job.tenant not in (None, tenant):
        raise _wrong("/job/tenant", "is not the tenant of the schedule", "Name the tenant in the query: ?tenant=.")
    body.job.tenant = tenant
    rule = _rule(body)
    try:
        job = await template(submit.submission(body.job, who), server.app.prepare)
    except PayloadError as error:
        raise submit.below_args(error, "/job") from error
    new = scheduled(name, rule, job, overlap=body.overlap, catch_up=body.catch_up)
    (answer,) = await server.store.put_schedules([new])
    return reply(_out(server, answer.schedule), 201 if answer.new else 200)


def _rule(body: wire.SchedulePut) -> Rule | str:
    if (body.cron is None) == (body.every is None):
        raise _wrong("", "exactly one of cron and every is needed", "Give `cron` with `tz`, or `every` with `start`.")
    if body.cron is not None:
        if body.start is not None:
            raise _wrong("/start", "stands beside every only", "Leave it out.")
        return Cron(body.cron, body.tz or "UTC")
    if body.tz is not None:
        raise _wrong("/tz", "stands beside cron only", "Leave it out.")
    start = 0 if body.start is None else present.instant_of(body.start)
    return Every(round((body.every or 0) * 1000), start)


def _wrong(pointer: str, message: str, remedy: str) -> ApiError:
    text = f"The schedule cannot be used: {pointer[1:] + ' ' if pointer else ''}{message}."
    return ApiError(422, "validation", text, remedy=remedy, problems=((pointer, message),))


async def delete(server: Server, request: Request, who: Principal) -> Response:
    """Delete a schedule and return it as it was; its jobs stay."""
    tenant, name = _key(request, who)
    found = await _found(server, tenant, name)
    if not await server.store.drop_schedule(tenant, name):
        raise _absent()
    return reply(_out(server, found))


async def _paused(server: Server, request: Request, who: Principal, *, paused: bool) -> Response:
    tenant, name = _key(request, who)
    found = await server.store.pause_schedule(tenant, name, paused=paused)
    if found is None:
        raise _absent()
    return reply(_out(server, found))


async def pause(server: Server, request: Request, who: Principal) -> Response:
    """Let a schedule tick no more."""
    return await _paused(server, request, who, paused=True)


async def resume(server: Server, request: Request, who: Principal) -> Response:
    """Let a schedule tick from now on; ticks of the pause are not made up for."""
    return await _paused(server, request, who, paused=False)


async def run(server: Server, request: Request, who: Principal) -> Response:
    """Enqueue a schedule's job at once, paused or not; its ticks stay as they are."""
    tenant, name = _key(request, who)
    answer = await run_now(server.store, await _found(server, tenant, name))
    job = await views.find(server.store, answer.id, Scope(tenant))
    (shown,) = await views.thin_all(server, [job], Scope(tenant))
    return reply(shown, 201, {"location": shown.urls.self})


ENDPOINTS: Final = (
    Endpoint(method="GET", path="/schedules", name="list_schedules", call=read_many, scope=JOBS_READ,
             summary="List schedules", reply=wire.Schedules),
    Endpoint(method="GET", path="/schedules/{name}", name="read_schedule", call=read_one, scope=JOBS_READ,
             summary="Read a schedule", reply=wire.ScheduleOut, params=(_TENANT,)),
    Endpoint(method="PUT", path="/schedules/{name}", name="put_schedule", call=put, scope=JOBS_WRITE,
             summary="Store a schedule", body=wire.SchedulePut, reply=wire.ScheduleOut, status=201,
             params=(_TENANT,), also={200: "it was there: changed, or the same"}),
    Endpoint(method="DELETE", path="/schedules/{name}", name="delete_schedule", call=delete, scope=JOBS_WRITE,
             summary="Delete a schedule", reply=wire.ScheduleOut, params=(_TENANT,)),
    Endpoint(method="POST", path="/schedules/{name}/pause", name="pause_schedule", call=pause, scope=JOBS_WRITE,
             summary="Pause a schedule", reply=wire.ScheduleOut, params=(_TENANT,)),
    Endpoint(method="POST", path="/schedules/{name}/resume", name="resume_schedule", call=resume, scope=JOBS_WRITE,
             summary="Resume a schedule", reply=wire.ScheduleOut, params=(_TENANT,)),
    Endpoint(method="POST", path="/schedules/{name}/run", name="run_schedule", call=run, scope=JOBS_WRITE,
             summary="Run a schedule's job at once", reply=wire.JobThin, status=201, params=(_TENANT,)),
)  # fmt: skip
