"""The dashboard: the built bundle, and the few lines that serve it."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from stanchion.server.problems import ApiError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from starlette.requests import Request

CSP: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
)
_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "ico": "image/x-icon",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
    "woff2": "font/woff2",
}
_PAGES: Final = (
    "jobs",
    "queues",
    "workers",
    "limits",
    "tenants",
    "schedules",
    "workflows",
    "dead",
    "login",
    "settings",
)
_HASHED: Final = "public, max-age=31536000, immutable"


class Dashboard:
    """Serves the files of the bundle, read once; and its one page for every route of its own."""

    def __init__(self, folder: Traversable | None = None) -> None:
        root = folder if folder is not None else files("stanchion.server.dashboard") / "static"
        self._files = dict(_read(root)) if root.is_dir() else {}

    async def serve(self, request: Request) -> Response:
        """Return a file of the bundle, or the page."""
        path = request.url.path.lstrip("/")
        if path in self._files and path != "index.html":
            return _file(path, self._files[path])
        first = path.partition("/")[0]
        if "index.html" in self._files and (not path or path == "index.html" or first in _PAGES):
            return _file("index.html", self._files["index.html"])
        if not path:
            message = "The dashboard is not part of this installation."
            raise ApiError(404, "not_found", message, remedy="Build it (make dashboard), or use the API at /api/v1.")
        raise ApiError(404, "not_found", "There is nothing here.", remedy="The API is at /api/v1.")


def _read(folder: Traversable, prefix: str = "") -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for item in folder.iterdir():
        if item.is_dir():
            found += _read(item, f"{prefix}{item.name}/")
        elif item.name.rpartition(".")[2] in _TYPES:
            found.append((prefix + item.name, item.read_bytes()))
    return found


def _file(path: str, data: bytes) -> Response:
    headers = {
        "content-type": _TYPES[path.rpartition(".")[2]],
        "content-security-policy": CSP,
        "cache-control": _HASHED if path.startswith("assets/") else "no-cache",
    }
    return Response(data, headers=headers)
