"""Sessions of the dashboard: a key is traded for a cookie that no script can read."""

# ruff: noqa: ARG001 - every endpoint has one signature

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from stanchion.server import bodies, links, wire
from stanchion.server.auth import COOKIE, SESSION
from stanchion.server.context import Endpoint, reply
from stanchion.server.origin import check_csrf
from stanchion.server.problems import ApiError

if TYPE_CHECKING:
    from starlette.requests import Request

    from stanchion.server.auth import Principal
    from stanchion.server.context import Server

_MAX_BODY: Final = 4_096


async def read(server: Server, request: Request, who: Principal) -> Response:
    """Return whether the caller may go on."""
    known = server.door.principal(request, server.now())
    return reply(_out(server, known))


def _out(server: Server, known: Principal | None) -> wire.SessionOut:
    if known is None:
        return wire.SessionOut(authenticated=False, required=server.door.required)
    return wire.SessionOut(
        authenticated=True,
        required=server.door.required,
        tenant=known.tenant,
        scopes=tuple(sorted(known.scopes)),
    )


async def login(server: Server, request: Request, who: Principal) -> Response:
    """Open a session for a key."""
    check_csrf(request, "POST", who)
    body = await bodies.decoded(request, wire.Login, _MAX_BODY)
    known = server.door.by_key(body.key, server.now()) if server.door.required else who
    if known is None:
        raise ApiError(401, "unauthenticated", "That is not a valid key.", remedy="Check it: it starts with stn_.")
    answer = reply(_out(server, known))
    if server.door.required:
        answer.set_cookie(
            COOKIE,
            server.door.open_session(known.id, server.now()),
            max_age=SESSION // 1000,
            path=links.root() or "/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
    return answer


async def logout(server: Server, request: Request, who: Principal) -> Response:
    """Close the session."""
    check_csrf(request, "DELETE", who)
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, path=links.root() or "/", httponly=True, samesite="strict")
    return answer


ENDPOINTS: Final = (
    Endpoint(method="GET", path="/session", name="read_session", call=read, scope=None,
             summary="Whether a key is needed", reply=wire.SessionOut),
    Endpoint(method="POST", path="/session", name="open_session", call=login, scope=None,
             summary="Open a session for a key", body=wire.Login, reply=wire.SessionOut),
    Endpoint(method="DELETE", path="/session", name="close_session", call=logout, scope=None,
             summary="Close the session", status=204),
)  # fmt: skip
