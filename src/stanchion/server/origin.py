"""Where a request comes from: defences against foreign sites that act through a browser on this machine.

Source:
    OWASP CSRF Prevention Cheat Sheet; Fetch Metadata (W3C); DNS rebinding and cross-site WebSocket hijacking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from stanchion.errors import PermissionDeniedError
from stanchion.server.auth import LOOPBACK_NAMES
from stanchion.server.problems import ApiError

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from stanchion.server.auth import Principal

CSRF_HEADER: Final = "x-stanchion-csrf"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES: Final = frozenset({"same-origin", "none"})


def host_name(value: str) -> str | None:
    """Return the lower-case host of a Host header, None where it is not one."""
    try:
        parts = urlsplit(f"//{value}")
        _ = parts.port
    except ValueError:
        return None
    if parts.path or parts.query or parts.fragment or parts.username is not None or not parts.hostname:
        return None
    return parts.hostname.lower()


def check_host(connection: HTTPConnection, allowed: frozenset[str] | None) -> None:
    """Refuse names that are not this server's: a foreign name that resolves to it is a rebinding attack.

    Args:
        connection: The request.
        allowed: The names, lower case; None allows any (credentials protect the server then).
    """
    given = connection.headers.getlist("host")
    name = host_name(given[0]) if len(given) == 1 else None
    if name is None or (allowed is not None and name not in allowed):
        message = "This server does not answer to that host name."
        raise ApiError(421, "wrong_host", message, remedy="Use 127.0.0.1 or localhost, or configure API keys.")


def loopback_hosts(extra: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the names that a server without keys answers to."""
    return LOOPBACK_NAMES | {name.lower() for name in extra}


def same_origin(connection: HTTPConnection, origin: str) -> bool:
    """Return whether an Origin header names this server exactly: scheme, host and port."""
    scheme = {"ws": "http", "wss": "https"}.get(connection.url.scheme, connection.url.scheme)
    host = connection.headers.get("host", "").lower()
    return origin.lower() in (f"{scheme}://{host}", f"https://{host}")


def check_csrf(connection: HTTPConnection, method: str, principal: Principal) -> None:
    """Refuse what a foreign site could have sent in the caller's name.

    A bearer key is never sent by a browser on its own, so it needs no more. A cookie or an open loopback does:
    Fetch Metadata and Origin must not be foreign, and a change made by a browser carries our own header.
    """
    if principal.by == "key":
        return
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
    foreign = (site is not None and site not in _OWN_SITES) or (
        origin is not None and not same_origin(connection, origin)
    )
    if foreign:
        message = "Requests from other sites are refused."
        raise PermissionDeniedError(message, remedy="Use the API with a bearer key, or from this server's own pages.")
    browser = principal.by == "cookie" or site is not None or origin is not None
    if method not in SAFE and browser and connection.headers.get(CSRF_HEADER) != "1":
        message = "A change from a browser needs the header X-Stanchion-CSRF."
        raise PermissionDeniedError(message, remedy="Send X-Stanchion-CSRF: 1.")


def check_socket_origin(connection: HTTPConnection, *, bearer: bool) -> None:
    """Refuse a WebSocket of a foreign page before the upgrade; only a bearer key needs no Origin."""
    given = connection.headers.getlist("origin")
    if not given and bearer:
        return
    if len(given) != 1 or not same_origin(connection, given[0]):
        message = "WebSockets are opened from this server's own pages, or with a bearer key."
        raise PermissionDeniedError(message, remedy="Send an Origin of this server, or Authorization: Bearer.")
