"""The WebSocket: the same events as the streams, for many jobs over one connection.

A client that sent neither key nor session says `{"op": "auth", "key": "…"}` first. Then `subscribe`
(`jobs: [{id, after}]`, `queues`), `unsubscribe`, `cancel` (`job`) and `ping`. The server sends
`{type, job, id?, data}` with the events of the streams, and `pong`, `error`, `auth`.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta
from starlette.websockets import WebSocketDisconnect

from stanchion.engine.watchers import Interest
from stanchion.errors import PermissionDeniedError, StanchionError
from stanchion.security.scopes import JOBS_READ, JOBS_WRITE
from stanchion.server import frames, views, wire
from stanchion.server.bodies import parsed
from stanchion.server.problems import ApiError, problem
from stanchion.server.routes.stream import taken
from stanchion.server.tracks import JobTrack, Mark, pair

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.websockets import WebSocket

    from stanchion.domain.units import JobId
    from stanchion.engine.watchers import Notice, Watcher
    from stanchion.server.auth import Principal
    from stanchion.server.context import Server

UNAUTHENTICATED: Final = 4401
FORBIDDEN: Final = 4403
SLOW: Final = 4408
TOO_MANY: Final = 4429
GOING_AWAY: Final = 1001
MAX_MESSAGE: Final = 64 * 1024
MAX_RATE: Final = 20
MAX_JOBS: Final = 1_000
_AUTH_WITHIN: Final = 5.0
_ENDINGS: Final = {"slow": SLOW, "revoked": UNAUTHENTICATED}
_encode: Final = msgspec.json.Encoder().encode


class JobRef(wire.Strict):
    """A job to watch, from a cursor on (`id` of the last frame that was seen)."""

    id: wire.JobIdText
    after: str | None = None


class Message(wire.Strict):
    """What a client says."""

    op: Annotated[str, Meta(max_length=20)]
    key: Annotated[str, Meta(max_length=200)] | None = None
    jobs: Annotated[list[JobRef | wire.JobIdText], Meta(max_length=MAX_JOBS)] = msgspec.field(
        default_factory=list["JobRef | str"]
    )
    queues: Annotated[list[wire.QueueName], Meta(max_length=100)] = msgspec.field(default_factory=list[str])
    job: wire.JobIdText | None = None


class _Closed(Exception):  # noqa: N818 - an ending, not an error
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


async def serve(server: Server, socket: WebSocket, who: Principal | None) -> None:
    """Serve one connection, accepted here; its origin was checked before."""
    await socket.accept()
    try:
        who = who or await _authenticated(server, socket)
        _admit(server, who)
        with server.streams.enter(who):
            async with server.watching(who, Interest(who.scope)) as watcher:
                await Session(server, socket, who, watcher).run()
    except _Closed as ending:
        with suppress(RuntimeError, WebSocketDisconnect):
            await socket.close(ending.code, ending.reason)
    except WebSocketDisconnect:
        pass


def _admit(server: Server, who: Principal) -> None:
    if not who.may(JOBS_READ):
        raise _Closed(FORBIDDEN, "the key lacks jobs:read")
    try:
        server.streams.check(who)
    except ApiError as error:
        raise _Closed(TOO_MANY, error.message) from error


async def _authenticated(server: Server, socket: WebSocket) -> Principal:
    try:
        async with asyncio.timeout(_AUTH_WITHIN):
            message = parsed(await _text(socket), Message)
    except (TimeoutError, StanchionError):
        raise _Closed(UNAUTHENTICATED, "say {op: auth, key} first") from None
    who = server.door.by_key(message.key or "", server.now()) if message.op == "auth" else None
    if who is None:
        raise _Closed(UNAUTHENTICATED, "not a valid key")
    await socket.send_text('{"type":"auth","data":{"authenticated":true}}')
    return who


async def _text(socket: WebSocket) -> bytes:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    text = message.get("text")
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else message.get("bytes") or b""
    if len(data) > MAX_MESSAGE:
        raise _Closed(1009, "the message is too large")
    return data


class Session:
    """One connection: two loops, one that hears the client and one that tells it what happens."""

    def __init__(self, server: Server, socket: WebSocket, who: Principal, watcher: Watcher) -> None:
        self._server, self._socket, self._who, self._watcher = server, socket, who, watcher
        self._tracks: dict[JobId, JobTrack] = {}
        self._sending = asyncio.Lock()
        self._second, self._heard = 0, 0

    async def run(self) -> None:
        """Serve until either side ends."""
        loops = {asyncio.create_task(self._hear()), asyncio.create_task(self._tell())}
        try:
            done, _ = await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
        for loop in done:
            loop.result()

    async def _hear(self) -> None:
        while True:
            data = await _text(self._socket)
            self._bound_rate()
            try:
                await self._obey(parsed(data, Message))
            except StanchionError as error:
                await self._send([_encode({"type": "error", "data": problem(error)})])

    def _bound_rate(self) -> None:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._heard = second, 0
        self._heard += 1
        if self._heard > MAX_RATE:
            raise _Closed(TOO_MANY, f"more than {MAX_RATE} messages a second")

    async def _obey(self, message: Message) -> None:
        match message.op:
            case "subscribe":
                await self._subscribe(message)
            case "unsubscribe":
                await self._unsubscribe(message)
            case "cancel":
                await self._cancel(message.job)
            case "ping":
                await self._send([b'{"type":"pong"}'])
            case "auth":
                await self._send([b'{"type":"auth","data":{"authenticated":true}}'])
            case _:
                raise ApiError(
                    400,
                    "malformed",
                    "There is no such op.",
                    remedy="Use subscribe, unsubscribe, cancel, ping.",
                )

    async def _subscribe(self, message: Message) -> None:
        if len(self._tracks) + len(message.jobs) > MAX_JOBS:
            raise ApiError(429, "too_many_streams", f"One connection watches at most {MAX_JOBS} jobs.")
        self._server.watch.follow(self._watcher, queues=message.queues)
        for ref in message.jobs:
            job_id, after = (ref, None) if isinstance(ref, str) else (ref.id, ref.after)
            await self._follow(views.known_form(job_id), Mark(*pair(after)) if after else None)

    async def _follow(self, job_id: JobId, after: Mark | None) -> None:
        await views.find(self._server.store, job_id, self._who.scope)
        track = JobTrack(self._server, self._who.scope, job_id)
        async with self._sending:  # what happens meanwhile is told after the beginning
            self._server.watch.follow(self._watcher, [job_id])
            told = await track.begin(after)
            self._tracks[job_id] = track
            await self._write([_message(frame) for frame in told])
        if track.done:
            self._forget([job_id])

    def _forget(self, jobs: Iterable[JobId]) -> None:
        for job_id in jobs:
            self._tracks.pop(job_id, None)
            self._server.watch.unfollow(self._watcher, [job_id])

    async def _unsubscribe(self, message: Message) -> None:
        async with self._sending:
            self._forget(ref if isinstance(ref, str) else ref.id for ref in message.jobs)
            self._server.watch.unfollow(self._watcher, queues=message.queues)

    async def _cancel(self, job_id: JobId | None) -> None:
        if not self._who.may(JOBS_WRITE):
            message = "This credential lacks the scope 'jobs:write'."
            raise PermissionDeniedError(message)
        (answer,) = await self._server.store.cancel([views.known_form(job_id or "")], self._who.scope)
        if isinstance(answer, Exception):
            raise answer

    async def _tell(self) -> None:
        while True:
            notices = await taken(self._server, self._who, self._watcher)
            if notices is None:
                raise self._ending()
            async with self._sending:
                await self._write([_message(frame) for notice in notices for frame in self._frames(notice)])
            self._forget([job_id for job_id, track in self._tracks.items() if track.done])

    def _ending(self) -> _Closed:
        if not self._server.still(self._who):
            return _Closed(UNAUTHENTICATED, "the key is not valid any more")
        ended = self._watcher.ended or "closed"
        return _Closed(_ENDINGS.get(ended, GOING_AWAY), ended)

    def _frames(self, notice: Notice) -> list[frames.Frame]:
        job = notice.job
        if job is None:
            return []
        track = self._tracks.get(job.id)
        if track is not None:
            return track.next(notice)
        if job.queue not in self._watcher.queues:
            return []
        if notice.event is not None:
            return [frames.status(notice, None)]
        frame = frames.ephemeral(notice, self._server.now()) if not notice.durable else None
        return [frame] if frame is not None else []

    async def _send(self, messages: list[bytes]) -> None:
        async with self._sending:
            await self._write(messages)

    async def _write(self, messages: list[bytes]) -> None:
        try:
            async with asyncio.timeout(self._server.limits.send_timeout):
                for message in messages:
                    await self._socket.send_text(message.decode())
        except TimeoutError:
            raise _Closed(SLOW, "slow") from None


def _message(frame: frames.Frame) -> bytes:
    head = b'{"type":' + _encode(frame.event)
    if frame.job is not None:
        head += b',"job":' + _encode(frame.job)
    if frame.id is not None:
        head += b',"id":' + _encode(frame.id)
    return head + b',"data":' + (frame.data or b"null") + b"}"
