"""What jobs produced: the list, the bytes, and the preview of unfinished work."""

from __future__ import annotations

import asyncio
import re
import stat
from typing import TYPE_CHECKING, Final

from starlette.responses import FileResponse, Response

from stanchion.errors import ConfigError, NotFoundError
from stanchion.security.scopes import JOBS_READ
from stanchion.server import present, queries, views, wire
from stanchion.server.context import Endpoint, reply
from stanchion.server.problems import ApiError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.requests import Request

    from stanchion.domain.job import Output
    from stanchion.server.auth import Principal
    from stanchion.server.context import Server

SANDBOX: Final = "default-src 'none'; sandbox"
_SHOWN: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
"""Types that a browser may show in place; SVG is not one: it can hold scripts."""
_MEDIA_TYPE: Final = re.compile(
    r"[A-Za-z0-9!#$&^_.+-]{1,60}/[A-Za-z0-9!#$&^_.+-]{1,60}(?:; ?charset=[A-Za-z0-9-]{1,20})?"
)
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_MAX_INDEX: Final = 2**31
_MAX_CURSOR: Final = 2**53
_PAGE: Final = 1_000
_MAX_RANGES: Final = 8


async def listed(server: Server, request: Request, who: Principal) -> Response:
    """Return the outputs of the current attempt, chunks included, with an index above `after`."""
    job = await views.find(server.store, views.known_form(str(request.path_params["id"])), who.scope)
    after = queries.whole(request, "after", -1, 0, _MAX_INDEX)
    limit = queries.whole(request, "limit", _PAGE, 1, _PAGE)
    found = await server.store.outputs(job.id, who.scope, after)
    items = [present.output_out(job.id, output, chunks=True) for output in found[:limit]]
    return reply(wire.OutputsOut(items, items[-1].index if len(found) > limit else None))


async def logged(server: Server, request: Request, who: Principal) -> Response:
    """Return the lines that handlers wrote, of all attempts, with a cursor above `after`."""
    job = await views.find(server.store, views.known_form(str(request.path_params["id"])), who.scope)
    after = queries.whole(request, "after", 0, 0, _MAX_CURSOR)
    lines = await server.store.logs(job.id, who.scope, after)
    shown = [wire.LogOut(x.cursor, x.attempt, x.level, x.message, present.at(x.at)) for x in lines[:_PAGE]]
    return reply(wire.LogsOut(shown, shown[-1].cursor if len(lines) > _PAGE else None))


async def content(server: Server, request: Request, who: Principal) -> Response:
    """Return an output's bytes, with ETag and ranges; what is no picture is a download."""
    job = await views.find(server.store, views.known_form(str(request.path_params["id"])), who.scope)
    number = str(request.path_params["n"])
    index = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else _MAX_INDEX  # noqa: PLR2004
    found = await server.store.outputs(job.id, who.scope, index - 1)
    if not found or found[0].index != index:
        message = "The job has no such output."
        raise NotFoundError(message, remedy="Read the job's `outputs`.")
    return await _content(server, request, found[0])


async def _content(server: Server, request: Request, output: Output) -> Response:
    if output.artifact is None:
        data = output.data or b""
        return _bytes(request, data, _headers(output, f'"{output.cursor}-{output.attempt}-{output.index}"'))
    headers = _headers(output, f'"{output.artifact}"')
    if _matches(request, headers["etag"]):
        return Response(status_code=304, headers=headers)
    path, facts = await _file(server, output.artifact)
    ranges = request.headers.get("range")
    if ranges is not None and not _plain_ranges(ranges):
        _without_range(request)
    return FileResponse(path, headers=headers, media_type=headers["content-type"], stat_result=facts)


async def _file(server: Server, artifact: str) -> tuple[Path, os.stat_result]:
    try:
        path = await asyncio.to_thread(server.app.artifacts.path, artifact)
        facts = await asyncio.to_thread(path.stat)
    except (OSError, NotFoundError, ConfigError) as error:
        message = "The bytes of this output are not here any more."
        raise ApiError(410, "expired_result", message, remedy="Run the job again.") from error
    if not stat.S_ISREG(facts.st_mode):
        message = "The bytes of this output are not here any more."
        raise ApiError(410, "expired_result", message, remedy="Run the job again.")
    return path, facts


def _plain_ranges(value: str) -> bool:
    parts = value.removeprefix("bytes=").split(",")
    return len(parts) <= _MAX_RANGES and all(_RANGE.fullmatch(f"bytes={part.strip()}") for part in parts)


def _without_range(request: Request) -> None:
    """Take odd ranges off a request: a server may answer with the whole."""
    scope = request.scope
    scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"range"]


def _headers(output: Output, etag: str) -> dict[str, str]:
    media = output.content_type or "application/octet-stream"
    if not _MEDIA_TYPE.fullmatch(media):
        media = "application/octet-stream"
    shown = media in _SHOWN
    return {
        "content-type": media,
        "etag": etag,
        "cache-control": "private, no-cache",
        "content-security-policy": SANDBOX,
        "content-disposition": disposition(output.name, inline=shown),
        "accept-ranges": "bytes",
    }


def disposition(name: str | None, *, inline: bool) -> str:
    """Return a Content-Disposition whose name cannot break out of the header or name a folder."""
    kind = "inline" if inline else "attachment"
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", (name or "").replace("\\", "/").rpartition("/")[2])[:100].strip(" .")
    return f'{kind}; filename="{plain}"' if plain else kind


def _matches(request: Request, etag: str) -> bool:
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or etag in [part.strip().removeprefix("W/") for part in given.split(",")]


def _bytes(request: Request, data: bytes, headers: Mapping[str, str]) -> Response:
    if _matches(request, headers["etag"]):
        return Response(status_code=304, headers=headers)
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    if_range = request.headers.get("if-range")
    if found is None or not (found[1] or found[2]) or if_range not in (None, headers["etag"]):
        return Response(data, headers=headers)
    size = len(data)
    if found[1]:
        start, end = int(found[1]), min(int(found[2]) + 1 if found[2] else size, size)
    else:
        start, end = max(size - int(found[2]), 0), size
    if start >= end:
        return Response(status_code=416, headers={"content-range": f"bytes */{size}"})
    return Response(data[start:end], 206, {**headers, "content-range": f"bytes {start}-{end - 1}/{size}"})


async def preview(server: Server, request: Request, who: Principal) -> Response:
    """Return the latest preview's bytes while the job runs; 204 where there is none, or none any more."""
    job_id = views.known_form(str(request.path_params["id"]))
    found = await server.store.preview(job_id, who.scope)
    if found is None or found.content_type not in _SHOWN:
        await views.find(server.store, job_id, who.scope)
        return Response(status_code=204, headers={"cache-control": "no-store"})
    headers = {
        "content-type": found.content_type,
        "etag": f'"{found.revision}"',
        "cache-control": "private, no-cache",
        "content-security-policy": SANDBOX,
    }
    return _bytes(request, found.data, headers)


ENDPOINTS: Final = (
    Endpoint(method="GET", path="/jobs/{id}/outputs", name="list_outputs", call=listed, scope=JOBS_READ,
             summary="List outputs", reply=wire.OutputsOut, params=("after", "limit")),
    Endpoint(method="GET", path="/jobs/{id}/outputs/{n}", name="read_output", call=content, scope=JOBS_READ,
             summary="Download an output", media="application/octet-stream", also={206: "A range", 410: "Gone"}),
    Endpoint(method="GET", path="/jobs/{id}/logs", name="read_logs", call=logged, scope=JOBS_READ,
             summary="Read the log lines of a job", reply=wire.LogsOut, params=("after",)),
    Endpoint(method="GET", path="/jobs/{id}/preview", name="read_preview", call=preview, scope=JOBS_READ,
             summary="Download the latest preview", media="image/png"),
)  # fmt: skip
