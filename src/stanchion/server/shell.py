"""The outermost layer: a request id and safe headers on every response, and no error without a problem body."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from sse_starlette.sse import SendTimeoutError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection

from stanchion.errors import StanchionError
from stanchion.server import links
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

_STARTS: Final = frozenset({"http.response.start", "websocket.http.response.start", "websocket.accept"})
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
        dresser = _Dresser(send)
        try:
            check_host(HTTPConnection(scope), self._allowed)
            with links.below(scope.get("root_path", "")):
                await self._app(scope, receive, dresser)
        except (ClientDisconnect, SendTimeoutError):  # nobody is there, or nobody reads
            return
        except Exception as error:  # noqa: BLE001 - the last door: whatever it was, the client gets a problem body
            _tell(error, dresser.request_id)
            if not dresser.started:
                response = respond(known(error), instance=scope["path"], request_id=dresser.request_id)
                await response(scope, receive, dresser)


class _Dresser:
    """Sends messages on, the headers put on the first."""

    def __init__(self, send: Send) -> None:
        self._send, self.request_id, self.started = send, uuid4().hex, False

    async def __call__(self, message: Message) -> None:
        """Send a message."""
        if message["type"] in _STARTS:
            self.started = True
        if message["type"].endswith("response.start"):
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers["x-request-id"] = self.request_id
        await self._send(message)


def _tell(error: Exception, request_id: str) -> None:
    """Log what is the server's own fault."""
    status = status_of(known(error))
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request %s failed", request_id, exc_info=error)
    elif status > HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request %s failed: %s", request_id, error)


def known(error: Exception) -> Exception:
    """Return an error of the router as one of ours."""
    if isinstance(error, HTTPException) and not isinstance(error, StanchionError):
        code = _CODES.get(error.status_code, "malformed")
        return ApiError(error.status_code, code, str(error.detail), headers=error.headers)
    return error
