"""Serving on a port: uvicorn with our bounds, and a drain that sends watchers away first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import uvicorn

from stanchion.server.app import build
from stanchion.server.auth import check_bind
from stanchion.server.routes.socket import MAX_MESSAGE

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable

    from starlette.applications import Starlette

    from stanchion.server.limits import Limits
    from stanchion.server.ports import AppPort

GRACE: Final = 10
_MAX_HEADERS: Final = 16 * 1024


class HttpServer(uvicorn.Server):
    """A uvicorn that ends the streams before it waits for connections, and tells when it listens."""

    def __init__(self, config: uvicorn.Config, asgi: Starlette, on_ready: Callable[[int], None] | None = None) -> None:
        super().__init__(config)
        self._asgi, self._on_ready = asgi, on_ready

    @property
    def port(self) -> int:
        """Return the port that is listened on; a free one was chosen where 0 was asked for."""
        for server in self.servers:
            for sock in server.sockets:
                return int(sock.getsockname()[1])
        return self.config.port

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if self.started and self._on_ready is not None:
            self._on_ready(self.port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Send watchers away, then wait for requests in flight."""
        await self._asgi.state.server.close()
        await super().shutdown(sockets)


def http_server(  # noqa: PLR0913 - a command's own options
    app: AppPort,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    limits: Limits | None = None,
    hosts: Iterable[str] = (),
    manage: bool = True,
    log_level: str = "warning",
    on_ready: Callable[[int], None] | None = None,
) -> HttpServer:
    """Return a server for an app; `await server.serve()` runs it until it is told to exit.

    Raises:
        ConfigError: The host is not a loopback and no API key is configured.
    """
    check_bind(host, app.settings.keys or app.settings.keys_file)
    names = {*hosts, host} if host not in ("0.0.0.0", "::", "") else set(hosts)  # noqa: S104 - compared, not bound
    asgi = build(app, limits=limits, hosts=names, manage=manage)
    config = uvicorn.Config(
        asgi,
        host,
        port,
        log_level=log_level,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,  # X-Forwarded-For is anybody's word
        http="h11",
        h11_max_incomplete_event_size=_MAX_HEADERS,
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE,
        ws_per_message_deflate=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE,
        backlog=2048,
    )
    return HttpServer(config, asgi, on_ready)


async def serve(app: AppPort, host: str = "127.0.0.1", port: int = 8000, *, limits: Limits | None = None) -> None:
    """Serve an app until the process is told to exit."""
    await http_server(app, host, port, limits=limits).serve()
