"""Server-sent events: one job, or many jobs by name, queue or all.

Source:
    HTML Living Standard, section 9.2 (server-sent events).
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final, NamedTuple

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from stanchion.domain.query import Cursor, Scope
from stanchion.engine.watchers import Interest
from stanchion.security.scopes import JOBS_READ
from stanchion.server import frames, queries, views
from stanchion.server.context import Endpoint
from stanchion.server.problems import malformed
from stanchion.server.tracks import FeedTrack, JobTrack, Mark, at_end, pair

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.requests import Request
    from starlette.types import Receive, Send
    from starlette.types import Scope as AsgiScope

    from stanchion.domain.units import JobId
    from stanchion.engine.watchers import Notice, Watcher
    from stanchion.server.auth import Principal
    from stanchion.server.context import Server

PING: Final = 15
RETRY: Final = b"retry: 2000\n\n"
_NO_TRANSFORM: Final = {"cache-control": "no-store, no-transform"}
_CHUNK: Final = 200


class EventStream(EventSourceResponse):
    """An event stream that counts as open, and whose generator ends on its own when the server does."""

    def __init__(
        self,
        server: Server,
        who: Principal,
        content: AsyncIterator[bytes],
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - its content may be any dict
            content,
            status,
            {**_NO_TRANSFORM, **(headers or {})},
            ping=PING,
            ping_message_factory=lambda: ServerSentEvent(comment="ping", sep="\n"),
            send_timeout=server.limits.send_timeout,
        )
        self._server, self._who = server, who

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Serve the stream."""
        with self._server.streams.enter(self._who):
            await super().__call__(scope, receive, send)

    async def _listen_for_exit_signal_with_grace(self) -> None:
        """Wait for nothing: the base class polls for it for ever after the first stream of a process."""
        await asyncio.get_running_loop().create_future()


def cursor_of(request: Request) -> tuple[int, int] | None:
    """Return the cursor that a client comes back with: `Last-Event-ID`, else `?after=`."""
    text = request.headers.get("last-event-id") or request.query_params.get("after")
    return pair(text) if text else None


async def one(server: Server, request: Request, who: Principal) -> Response:
    """Stream one job until it ends; 204 where the cursor is at its end."""
    return await job_stream(server, request, who, views.known_form(str(request.path_params["id"])))


async def job_stream(  # noqa: PLR0913 - a response's own parts
    server: Server,
    request: Request,
    who: Principal,
    job_id: JobId,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the stream of a job from the request's cursor on."""
    given = cursor_of(request)
    after = Mark(*given) if given is not None else None
    job = await views.find(server.store, job_id, who.scope)
    if after is not None and await at_end(server.store, job, who.scope, after):
        return Response(status_code=204)
    server.streams.check(who)
    return EventStream(server, who, _job_frames(server, who, job_id, after), status, headers)


async def _job_frames(server: Server, who: Principal, job_id: JobId, after: Mark | None) -> AsyncIterator[bytes]:
    yield RETRY
    async with server.watching(who, Interest(who.scope), jobs=[job_id]) as watcher:
        track = JobTrack(server, who.scope, job_id)
        for part in _parts(await track.begin(after)):
            yield part
        while not track.done:
            notices = await taken(server, who, watcher)
            if notices is None:
                yield goodbye()
                return
            if told := [frame for notice in notices for frame in track.next(notice)]:
                yield frames.sse(told)


async def many(server: Server, request: Request, who: Principal) -> Response:
    """Stream many jobs: `jobs=a,b`, `queue=x`, `all=1`; with `stats=1` the counts as well."""
    jobs = queries.job_ids(request)
    queue = queries.text(request, "queue")
    asked = queries.text(request, "tenant")
    scope = who.scope if who.tenant is not None else Scope(asked)
    interest = Interest(scope, everything=queries.flag(request, "all"), stats=queries.flag(request, "stats"))
    if not (jobs or queue or interest.everything or interest.stats):
        message = "The stream would be empty."
        raise malformed(message, "Name jobs=, queue=, all=1 or stats=1.")
    given = cursor_of(request)
    found = [job.id for job in await server.store.inspect(jobs, scope) if job is not None] if jobs else []
    server.streams.check(who)
    after = Cursor(*given) if given is not None else None
    wanted = Wanted(interest, found, [queue] if queue else [])
    return EventStream(server, who, _feed_frames(server, who, wanted, after))


class Wanted(NamedTuple):
    """What a stream of many jobs is about."""

    interest: Interest
    jobs: list[JobId]
    queues: list[str]


async def _feed_frames(server: Server, who: Principal, wanted: Wanted, after: Cursor | None) -> AsyncIterator[bytes]:
    yield RETRY
    async with server.watching(who, wanted.interest, jobs=wanted.jobs, queues=wanted.queues) as watcher:
        track = FeedTrack(server, watcher)
        for part in _parts(await track.begin(after, wanted.jobs)):
            yield part
        while True:
            notices = await taken(server, who, watcher)
            if notices is None:
                yield goodbye()
                return
            if told := [frame for notice in notices for frame in track.next(notice)]:
                yield frames.sse(told)


def _parts(told: list[frames.Frame]) -> list[bytes]:
    return [frames.sse(told[start : start + _CHUNK]) for start in range(0, len(told), _CHUNK)]


async def taken(server: Server, who: Principal, watcher: Watcher) -> list[Notice] | None:
    """Wait for notices; None where the stream is over: the reader was slow, the server ends, the key is gone."""
    if not server.still(who):
        return None
    left = None if who.expires_at is None else max(who.expires_at - server.now(), 0) / 1000
    try:
        async with asyncio.timeout(left):
            notices = await watcher.take()
    except TimeoutError:
        return None
    if not notices and watcher.ended is not None:
        return None
    return notices if server.still(who) else None


def goodbye() -> bytes:
    """Return the last words of a stream that its client should come back to, not all at once."""
    return b"retry: %d\n\n" % random.randint(1_000, 5_000)  # noqa: S311 - jitter


_PARAMS: Final = ("jobs", "queue", "all", "stats", "tenant", "after")

ENDPOINTS: Final = (
    Endpoint(method="GET", path="/jobs/{id}/events", name="job_events", call=one, scope=JOBS_READ,
             summary="Stream one job (server-sent events)", media="text/event-stream", params=("after",),
             also={204: "The cursor is at the end"}),
    Endpoint(method="GET", path="/jobs/{id}/stream", name="job_stream", call=one, scope=JOBS_READ,
             summary="The same as /events", media="text/event-stream", params=("after",),
             also={204: "The cursor is at the end"}),
    Endpoint(method="GET", path="/events", name="events", call=many, scope=JOBS_READ,
             summary="Stream many jobs (server-sent events)", media="text/event-stream", params=_PARAMS),
)  # fmt: skip
