"""Health: for people, and for probes."""

# ruff: noqa: ARG001 - every endpoint has one signature

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stanchion import __version__
from stanchion.errors import StanchionError, StoreUnavailableError
from stanchion.security.scopes import JOBS_READ
from stanchion.server import wire
from stanchion.server.context import Endpoint, reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from stanchion.server.auth import Principal
    from stanchion.server.context import Server


async def health(server: Server, request: Request, who: Principal) -> Response:
    """Return how the server and its store are."""
    store = server.store
    facts: Mapping[str, object] = await store.check() if who.tenant is None else {}
    told = {"status": "ok", "store": store.name, "durability": store.durability, "version": __version__}
    return reply({**facts, **told})


async def live(server: Server, request: Request, who: Principal) -> Response:
    """Answer that the process serves."""
    return reply(wire.Ready("ok"))


async def ready(server: Server, request: Request, who: Principal) -> Response:
    """Answer whether the store can be read."""
    try:
        await server.store.tail()
    except StanchionError as error:
        message = "The store cannot be read."
        raise StoreUnavailableError(message) from error
    return reply(wire.Ready("ok"))


ENDPOINTS: Final = (
    Endpoint(method="GET", path="/health", name="health", call=health, scope=JOBS_READ, summary="Health and versions",
             reply=dict[str, Any]),
    Endpoint(method="GET", path="/health/live", name="live", call=live, scope=None, summary="Liveness probe",
             reply=wire.Ready),
    Endpoint(method="GET", path="/health/ready", name="ready", call=ready, scope=None, summary="Readiness probe",
             reply=wire.Ready),
)  # fmt: skip
