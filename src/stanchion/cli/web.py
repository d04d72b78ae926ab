"""The web server around an app: its socket, its life, its end."""

from __future__ import annotations

import errno
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, cast

from stanchion.cli.reach import join_logs
from stanchion.errors import ConfigError, ConflictError, MissingExtraError

try:
    from stanchion.server.serve import HttpServer, http_server
except ModuleNotFoundError as error:
    if error.name is None or error.name.startswith("stanchion"):
        raise
    extra = "server"
    raise MissingExtraError(extra, "The HTTP server") from error

if TYPE_CHECKING:
    from collections.abc import Generator

    from starlette.applications import Starlette

    from stanchion.app import Stanchion

TRIES: Final = 50
"""Ports that are tried after a busy one, where another will do."""
_LAST_PORT: Final = 65_535


class _Server(HttpServer):
    """Leaves signals to the command that runs it."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address; port 0 takes any free one.

    Raises:
        ConflictError: The port is in use.
        ConfigError: The address cannot be used.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        message = f"{host} is not an address of this machine: {error.strerror or error}."
        raise ConfigError(message, remedy="Use 127.0.0.1, or an address that this machine has.") from error
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
        bound.listen(2048)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            message = f"Port {port} of {host} is in use."
            raise ConflictError(message, remedy="Choose another with --port, or 0 for any free one.") from error
        message = f"{host}:{port} cannot be bound: {error.strerror}."
        raise ConfigError(message, remedy="Use a port above 1023 and an address that this machine has.") from error
    return bound


def listen_near(host: str, port: int) -> socket.socket:
    """Return a socket on the port, or on the next free one."""
    for candidate in range(port, min(port + TRIES, _LAST_PORT)):
        try:
            return listen(host, candidate)
        except ConflictError:
            continue
    return listen(host, 0)


def url_of(bound: socket.socket) -> str:
    """Return where a browser finds what listens on a socket."""
    host, port = bound.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 - read
    return f"http://{shown}:{port}"


class Web:
    """The HTTP API and the dashboard of an app, on a socket; the app is opened and closed by its owner.

    Raises:
        ConfigError: A key, or the secret of sessions, cannot be used.
    """

    def __init__(self, app: Stanchion, host: str, bound: socket.socket) -> None:
        self.bound = bound
        self.url = url_of(bound)
        made = http_server(app, host, bound.getsockname()[1], manage=False)
        asgi = cast("Starlette", made.config.app)
        asgi.state.server.prepare()
        self._server = _Server(made.config, asgi)
        join_logs()

    async def run(self) -> None:
        """Serve until `close`."""
        try:
            await self._server.serve(sockets=[self.bound])
        finally:
            self.bound.close()

    def close(self) -> None:
        """Let `run` end: streams first, then what is in flight."""
        self._server.should_exit = True
