"""The ASGI app: every endpoint behind one guard, on `/api/v1` and its alias `/api`."""

# ruff: noqa: ARG001 - every endpoint has one signature

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Route, WebSocketRoute

from stanchion.engine.scheduling import Scheduler
from stanchion.errors import StoreError
from stanchion.security.keys import PEPPER
from stanchion.security.scopes import JOBS_READ
from stanchion.server import openapi
from stanchion.server.auth import GUEST, Door
from stanchion.server.context import Endpoint, Server, reply
from stanchion.server.dashboard import Dashboard
from stanchion.server.keyfile import Keys
from stanchion.server.limits import Limits
from stanchion.server.links import BASE
from stanchion.server.origin import check_csrf, check_socket_origin, loopback_hosts
from stanchion.server.problems import ApiError, unauthenticated
from stanchion.server.routes import (
    bulk,
    cache,
    health,
    jobs,
    outputs,
    queues,
    scaling,
    schedules,
    session,
    socket,
    stats,
    stream,
    sweep,
    workers,
    workflows,
)
from stanchion.server.routes import limits as limits_
from stanchion.server.routes import resources as resources_
from stanchion.server.seal import Seal
from stanchion.server.shell import Shell, known

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence

    from starlette.responses import Response
    from starlette.websockets import WebSocket

    from stanchion.server.auth import Principal
    from stanchion.server.ports import AppPort

PUBLIC: Final = (
    ("live", "ready"),  # probes have no credential and learn one word
    ("read_session", "open_session", "close_session"),  # a key is traded for a cookie here
    ("dashboard",),  # static files; what they show comes from the API
)
"""All that answers without a credential; everything else refuses strangers."""

_PREFIXES: Final = (BASE, "/api")
_BARE: Final = ("/metrics", "/health", "/health/live", "/health/ready")
"""Also without a prefix: where probes and scrapers look."""


async def _document(server: Server, request: Request, who: Principal) -> Response:
    """Return this document."""
    return reply(openapi.document(ENDPOINTS))


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *bulk.ENDPOINTS,  # fixed paths stand before those with an id
    *sweep.ENDPOINTS,
    *jobs.ENDPOINTS,
    *stream.ENDPOINTS,
    *outputs.ENDPOINTS,
    *queues.ENDPOINTS,
    *scaling.ENDPOINTS,
    *schedules.ENDPOINTS,
    *cache.ENDPOINTS,
    *limits_.ENDPOINTS,
    *resources_.ENDPOINTS,
    *workers.ENDPOINTS,
    *workflows.ENDPOINTS,
    *stats.ENDPOINTS,
    *health.ENDPOINTS,
    *session.ENDPOINTS,
    Endpoint(method="GET", path="/openapi.json", name="openapi", call=_document, scope=JOBS_READ,
             summary="The OpenAPI document", reply=dict[str, Any]),
)  # fmt: skip


def build(app: AppPort, *, limits: Limits | None = None, hosts: Iterable[str] = (), manage: bool = True) -> Starlette:
    """Return the ASGI app over an app.

    Args:
        app: What the server serves.
        limits: Bounds; where left out the defaults, and what the settings say.
        hosts: Host names that a server without keys answers to, beside those of the loopback.
        manage: Whether the lifespan closes the app that it opened.
    """
    bounds = limits or Limits(streams_per_key=app.settings.streams_per_key)
    server = Server(app, Door(_keys(app), Seal(app.settings.session_path)), bounds)
    allowed = None if server.door.required else loopback_hosts(frozenset(hosts))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        own = manage and not _is_open(app)
        await app.open()
        ticking = asyncio.create_task(Scheduler(app.store).run(), name="stanchion-scheduler")
        try:
            server.prepare()
            yield
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
            await server.close()
            if own:
                await app.close()

    built = Starlette(
        routes=_routes(server),
        middleware=[Middleware(Shell, allowed_hosts=allowed)],
        exception_handlers={HTTPException: _pass_on},
        lifespan=lifespan,
    )
    built.router.redirect_slashes = False
    built.state.server = server
    return built


def _keys(app: AppPort) -> Keys:
    pepper = os.environ.get(PEPPER, "").encode()
    settings = app.settings
    file = Path(settings.keys_file) if settings.keys_file else None
    return Keys(settings.keys, file, pepper=pepper)


def _is_open(app: AppPort) -> bool:
    try:
        return bool(app.store)
    except StoreError:
        return False


async def _pass_on(_: Request, error: Exception) -> Response:
    """Leave the router's own errors to the shell, which answers them as problems."""
    raise known(error)


def _routes(server: Server) -> list[Route | WebSocketRoute]:
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in ENDPOINTS:
        _check_declared(endpoint)
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    routes: list[Route | WebSocketRoute] = []
    for prefix in _PREFIXES:
        routes += [Route(prefix + path, _handler(server, own), methods=list(own)) for path, own in by_path.items()]
    routes += [Route(path, _handler(server, by_path[path]), methods=list(by_path[path])) for path in _BARE]
    routes += [WebSocketRoute(path, _socket(server)) for path in (f"{BASE}/ws", "/api/ws", "/ws")]
    return [*routes, Route("/{path:path}", _static(Dashboard()), methods=["GET"], name="dashboard")]


def _check_declared(endpoint: Endpoint) -> None:
    if endpoint.scope is None and not any(endpoint.name in names for names in PUBLIC):
        message = f"{endpoint.name} has no scope and is not public"
        raise ValueError(message)


def _handler(server: Server, own: dict[str, Endpoint]) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        endpoint = own["GET" if request.method == "HEAD" else request.method]
        await server.app.open()  # where the app is mounted, nobody else has done so
        return await endpoint.call(server, request, _admitted(server, request, endpoint))

    return handle


def _admitted(server: Server, request: Request, endpoint: Endpoint) -> Principal:
    """Return who asks, if they may: known, not led here by a foreign site, and with the scope."""
    if endpoint.scope is None:
        return GUEST
    who = server.door.principal(request, server.now())
    if who is None:
        raise unauthenticated()
    check_csrf(request, request.method, who)
    who.need(endpoint.scope)
    return who


def _socket(server: Server) -> Callable[[WebSocket], Awaitable[None]]:
    async def handle(websocket: WebSocket) -> None:
        await server.app.open()
        bearer = "authorization" in websocket.headers
        who = server.door.principal(websocket, server.now())
        check_socket_origin(websocket, bearer=bearer and who is not None and who.by == "key")
        if bearer and who is None:
            raise ApiError(401, "unauthenticated", "That is not a valid key.", remedy="Check it: it starts with stn_.")
        await socket.serve(server, websocket, who)

    return handle


def _static(dashboard: Dashboard) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        if f"/{request.path_params['path']}".startswith("/api"):
            raise ApiError(404, "not_found", "There is nothing here.", remedy="See /api/v1/openapi.json.")
        return await dashboard.serve(request)

    return handle


def endpoints() -> Sequence[Endpoint]:
    """Return all endpoints of the API."""
    return ENDPOINTS
