"""Resources: what there is of them, and what all workers share."""

# ruff: noqa: ARG001 - every endpoint has one signature

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stanchion.domain import resources
from stanchion.errors import NotFoundError
from stanchion.security.scopes import ADMIN_LIMITS
from stanchion.server import bodies, wire
from stanchion.server.context import Endpoint, reply

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from stanchion.server.auth import Principal
    from stanchion.server.context import Server


async def _all(server: Server) -> Response:
    return reply(wire.ResourceList([wire.ResourceOut(**one._asdict()) for one in await server.store.resources()]))


async def read_many(server: Server, request: Request, who: Principal) -> Response:
    """Return the resources that there are, that are held or waited for."""
    return await _all(server)


async def put(server: Server, request: Request, who: Principal) -> Response:
    """Share a resource between all workers."""
    body = await bodies.decoded(request, wire.ResourceIn, server.max_body)
    await server.store.set_resource(resources.shared_name(body.name), resources.capacity(body.name, body.capacity))
    return await _all(server)


async def drop(server: Server, request: Request, who: Principal) -> Response:
    """Share a resource no more."""
    body = await bodies.decoded(request, wire.ResourceName, server.max_body)
    if not await server.store.drop_resource(body.name):
        message = "This resource is not shared."
        raise NotFoundError(message, remedy="Read /resources for those there are.")
    return await _all(server)


ENDPOINTS: Final = (
    Endpoint(method="GET", path="/resources", name="list_resources", call=read_many, scope=ADMIN_LIMITS,
             summary="List resources and what is held of them", reply=wire.ResourceList),
    Endpoint(method="PUT", path="/resources", name="put_resource", call=put, scope=ADMIN_LIMITS,
             summary="Share a resource between all workers", body=wire.ResourceIn, reply=wire.ResourceList),
    Endpoint(method="POST", path="/resources/drop", name="drop_resource", call=drop, scope=ADMIN_LIMITS,
             summary="Share a resource no more", body=wire.ResourceName, reply=wire.ResourceList),
)  # fmt: skip
