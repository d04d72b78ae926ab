"""Queues: counts, pause, resume, bounds, cleaning."""

# ruff: noqa: ARG001 - every endpoint has one signature

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import UNSET

from stanchion.domain.query import Filter
from stanchion.errors import NotFoundError
from stanchion.security.scopes import ADMIN_QUEUES, JOBS_READ, JOBS_WRITE
from stanchion.server import bodies, present, wire
from stanchion.server.context import Endpoint, reply
from stanchion.server.routes import sweep
from stanchion.store import Flow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from stanchion.domain.intake import Overflowing
    from stanchion.server.auth import Principal
    from stanchion.server.context import Server
    from stanchion.store import QueueStats

NONE: Final = Flow()
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f/]{1,200}")


def _name(request: Request) -> str:
    name = str(request.path_params["name"])
    if not _NAME.fullmatch(name) or not name.isprintable():
        message = "There is no such queue."
        raise NotFoundError(message, remedy="Read /queues for those there are.")
    return name


async def _full(server: Server, who: Principal) -> dict[str, Overflowing]:
    """Return how full the queues are that have a bound; to a tenant's key that would tell of other tenants."""
    if who.tenant is not None:
        return {}
    return {found.key: found for found in (await server.store.pressure()).keys}


def _out(queue: QueueStats, flow: Flow | None, full: Mapping[str, Overflowing]) -> wire.QueueOut:
    return wire.QueueOut(
        queue.policy.name,
        queue.policy.paused,
        queue.policy.max_waiting,
        present.counts(queue),
        present.maybe_at(queue.oldest_queued_at),
        wire.Rates(*(flow or NONE)),
        queue.policy.affinity.jobs,
        queue.policy.affinity.time / 1000,
        None if queue.policy.aging is None else queue.policy.aging / 1000,
        present.overflow_out(full.get(f"queue:{queue.policy.name}")),
    )


async def read_many(server: Server, request: Request, who: Principal) -> Response:
    """Return all queues."""
    flows = await server.flows.of(who.scope)
    full = await _full(server, who)
    return reply(wire.Queues([_out(q, flows.get(q.policy.name), full) for q in await server.store.stats(who.scope)]))


async def _one(server: Server, name: str, who: Principal) -> Response:
    for queue in await server.store.stats(who.scope):
        if queue.policy.name == name:
            return reply(_out(queue, (await server.flows.of(who.scope)).get(name), await _full(server, who)))
    message = "There is no such queue."
    raise NotFoundError(message, remedy="Read /queues for those there are.")


async def read_one(server: Server, request: Request, who: Principal) -> Response:
    """Return one queue."""
    return await _one(server, _name(request), who)


async def pause(server: Server, request: Request, who: Principal) -> Response:
    """Stop claims from a queue; jobs may still join it."""
    name = _name(request)
    await server.store.configure(name, paused=True)
    return await _one(server, name, who)


async def resume(server: Server, request: Request, who: Principal) -> Response:
    """Let a queue be claimed from again."""
    name = _name(request)
    await server.store.configure(name, paused=False)
    return await _one(server, name, who)


async def patch(server: Server, request: Request, who: Principal) -> Response:
    """Change a queue's policy."""
    name = _name(request)
    body = await bodies.decoded(request, wire.QueuePatch, server.max_body)
    await server.store.configure(
        name,
        paused=None if body.paused is UNSET else body.paused,
        max_waiting=None if body.max_waiting is UNSET else body.max_waiting,
        affinity_jobs=None if body.affinity_jobs is UNSET else body.affinity_jobs,
        affinity_time=None if body.affinity_seconds is UNSET else round(body.affinity_seconds * 1000),
        aging=None if body.aging is UNSET else round(body.aging * 1000),
    )
    return await _one(server, name, who)


async def clean(server: Server, request: Request, who: Principal) -> Response:
    """Erase ended jobs of a queue with all they produced."""
    name = _name(request)
    body = await bodies.decoded(request, wire.Clean, server.max_body, default=b"{}")
    before = server.now() - round(body.older_than * 1000) + (1 if body.older_than == 0 else 0)
    filter_ = Filter(states=sweep.final_states(body.states), queue=name, ended_before=before)
    return reply(wire.Count(await sweep.swept(server.store, filter_, who.scope, sweep.erased)))


ENDPOINTS: Final = (
    Endpoint(method="GET", path="/queues", name="list_queues", call=read_many, scope=JOBS_READ,
             summary="List queues", reply=wire.Queues),
    Endpoint(method="GET", path="/queues/{name}", name="read_queue", call=read_one, scope=JOBS_READ,
             summary="Read a queue", reply=wire.QueueOut),
    Endpoint(method="PATCH", path="/queues/{name}", name="patch_queue", call=patch, scope=ADMIN_QUEUES,
             summary="Change a queue's policy", body=wire.QueuePatch, reply=wire.QueueOut),
    Endpoint(method="POST", path="/queues/{name}/pause", name="pause_queue", call=pause, scope=ADMIN_QUEUES,
             summary="Pause a queue", reply=wire.QueueOut),
    Endpoint(method="POST", path="/queues/{name}/resume", name="resume_queue", call=resume, scope=ADMIN_QUEUES,
             summary="Resume a queue", reply=wire.QueueOut),
    Endpoint(method="POST", path="/queues/{name}/clean", name="clean_queue", call=clean, scope=JOBS_WRITE,
             summary="Erase ended jobs of a queue", body=wire.Clean, reply=wire.Count),
)  # fmt: skip
