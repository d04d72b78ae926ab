"""The outermost layer: a request id and safe headers on every response, and no error without a problem body."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from sse_starlette.sse import SendTimeoutError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection

from stanchion.errors import StanchionError
from stanchion.server.origin import check_host
from stanchion.server.problems import ApiError, respond, status_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}
"""Set where the response does not say otherwise."""

_CODES: Final = {404: "not_found", 405: "method_not_allowed", 400: "malformed"}


class Shell:
    """Wraps the app."""

    def __init__(self, app: ASGIApp, allowed_hosts: frozenset[str] | None) -> None:
        self._app, self._allowed = app, allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = uuid4().hex
        started = False

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers["x-request-id"] = request_id
            elif message["type"] == "websocket.accept":
                started = True
            await send(message)

        try:
            check_host(HTTPConnection(scope), self._allowed)
            await self._app(scope, receive, dressed)
        except (ClientDisconnect, SendTimeoutError):  # nobody is there, or nobody reads
            return
        except Exception as error:  # the last door: whatever it was, the client gets a problem body
            if status_of(known(error)) >= 500:  # noqa: PLR2004 - the server's own
                log.exception("request %s failed", request_id)
            if started:
                raise
            response = respond(known(error), instance=scope["path"], request_id=request_id)
            await response(scope, receive, dressed)


def known(error: Exception) -> Exception:
    """Return an error of the router as one of ours."""
    if isinstance(error, HTTPException) and not isinstance(error, StanchionError):
        code = _CODES.get(error.status_code, "malformed")
        return ApiError(error.status_code, code, str(error.detail), headers=error.headers)
    return error
