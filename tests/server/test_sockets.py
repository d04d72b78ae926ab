"""The WebSocket: who may open it, what it tells, and how it ends."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from stanchion.domain.query import Filter
from stanchion.security.scopes import EVERYTHING, JOBS_READ
from tests.server.live import served
from tests.server.world import BASE, OutputNote, World, key_of, mint

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

ORC = {"task": "sprite", "args": {"prompt": "orc"}}
KEYS = {"all": mint(), "reader": mint(), "none": mint(), "other": mint()}


class Page:
    """A page of our own server, or a program."""

    def __init__(self, port: int) -> None:
        self.port, self.own = port, f"http://127.0.0.1:{port}"

    @asynccontextmanager
    async def open(
        self, origin: str | None = "own", path: str = f"{BASE}/ws", **headers: str
    ) -> AsyncGenerator[ClientConnection]:
        given: Any = self.own if origin == "own" else origin
        uri = f"ws://127.0.0.1:{self.port}{path}"
        async with connect(uri, origin=given, additional_headers=headers, proxy=None) as socket:
            yield socket

    async def status(self, origin: str | None, **headers: str) -> int:
        try:
            async with self.open(origin, **headers):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code


@pytest.fixture
async def page(world: World) -> AsyncIterator[Page]:
    async with served(world) as port:
        yield Page(port)


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[tuple[World, Page]]:
    keys = (
        key_of(KEYS["all"], tenant="ours", scopes=EVERYTHING),
        key_of(KEYS["reader"], tenant="ours", scopes=frozenset({JOBS_READ})),
        key_of(KEYS["none"], scopes=frozenset()),
        key_of(KEYS["other"], tenant="theirs", scopes=EVERYTHING),
    )
    world = World(tmp_path, keys=keys)
    await world.open()
    async with served(world) as port:
        yield world, Page(port)
    await world.close()


async def create(world: World, key: str | None = None) -> str:
    async with world.client(key) as client:
        return (await client.post(f"{BASE}/jobs", json=ORC)).json()["id"]


async def say(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def hear(socket: ClientConnection, *kinds: str) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while True:
            message = json.loads(await socket.recv())
            if not kinds or message["type"] in kinds:
                return message


async def closed_with(socket: ClientConnection) -> int | None:
    async with asyncio.timeout(10):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed:
            return socket.close_code


@pytest.mark.parametrize("path", [f"{BASE}/ws", "/api/ws", "/ws"])
async def test_a_subscriber_hears_the_story_of_its_jobs(world: World, page: Page, path: str) -> None:
    job = await create(world)
    async with page.open(path=path) as socket:
        await say(socket, op="subscribe", jobs=[{"id": job}])
        first = await hear(socket)
        assert (first["type"], first["job"], first["id"], first["data"]["id"]) == (
            "snapshot",
            job,
            "1-0",
            job,
        )
        (lease,) = await world.claim()
        await world.note(lease, OutputNote("text", b"a"))
        await world.complete(lease)
        story = [await hear(socket, "status", "output", "done") for _ in range(4)]
        assert [(message["type"], message["id"]) for message in story] == [
            ("status", "2-0"), ("output", "2-1"), ("status", "3-1"), ("done", "3-1"),
        ]  # fmt: skip


async def test_a_subscription_resumes_where_it_ended(world: World, page: Page) -> None:
    job = await create(world)
    (lease,) = await world.claim()
    await world.note(lease, OutputNote("text", b"a"), OutputNote("text", b"b"))
    async with page.open() as socket:
        await say(socket, op="subscribe", jobs=[{"id": job, "after": "2-1"}])
        message = await hear(socket)
        assert (message["type"], message["id"], message["data"]["chunk"]) == ("output", "2-2", "b")


async def test_queues_are_watched_and_left(world: World, page: Page) -> None:
    async with page.open() as socket:
        await say(socket, op="subscribe", queues=["images"])
        await say(socket, op="ping")
        assert (await hear(socket))["type"] == "pong"
        job = await create(world)
        assert (await hear(socket, "status"))["job"] == job
        await say(socket, op="unsubscribe", queues=["images"])
        await say(socket, op="ping")
        await hear(socket, "pong")
        await create(world)
        await asyncio.sleep(0.1)
        await say(socket, op="ping")
        assert (await hear(socket))["type"] == "pong"


async def test_a_job_is_cancelled_over_the_socket(world: World, page: Page) -> None:
    job = await create(world)
    async with page.open() as socket:
        await say(socket, op="subscribe", jobs=[job])
        await say(socket, op="cancel", job=job)
        assert (await hear(socket, "done"))["data"]["state"] == "cancelled"


ORIGINS = [
    None,
    "null",
    "https://evil.example",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "OWN.evil.example",
    "http://x@HOST",
    "",
]


@pytest.mark.parametrize("origin", ORIGINS)
async def test_a_foreign_or_missing_origin_is_403_before_the_upgrade(page: Page, origin: str | None) -> None:
    if origin is not None:
        origin = origin.replace("OWN", page.own).replace("HOST", f"127.0.0.1:{page.port}")
    assert await page.status(origin) == 403


async def test_a_rebound_host_is_refused_before_the_upgrade(page: Page) -> None:
    raw = (
        b"GET /ws HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", page.port)
    writer.write(raw)
    assert (await reader.readline()).split()[1] == b"421"
    writer.close()


async def test_credentials_are_judged_before_the_upgrade_where_they_are_given(
    locked: tuple[World, Page],
) -> None:
    _, page = locked
    assert await page.status(None, authorization=f"Bearer {KEYS['all']}") == 101
    assert await page.status("own", authorization=f"Bearer {KEYS['all']}") == 101
    assert await page.status("own", authorization="Bearer garbage") == 401
    assert await page.status(None, authorization="Bearer garbage") == 403
    assert await page.status(None) == 403
    async with httpx.AsyncClient(base_url=page.own) as client:
        answer = await client.post(f"{BASE}/session", json={"key": KEYS["all"]})
        cookie = answer.headers["set-cookie"].partition(";")[0]
    assert await page.status("own", cookie=cookie) == 101
    assert await page.status("https://evil.example", cookie=cookie) == 403
    assert await page.status(None, cookie=cookie) == 403


async def test_a_key_may_be_the_first_message_and_nothing_else(locked: tuple[World, Page]) -> None:
    world, page = locked
    job = await create(world, KEYS["all"])
    async with page.open() as socket:
        await say(socket, op="auth", key=KEYS["all"])
        assert (await hear(socket))["type"] == "auth"
        await say(socket, op="subscribe", jobs=[job])
        assert (await hear(socket))["type"] == "snapshot"
    for first in ({"op": "auth", "key": "garbage"}, {"op": "subscribe", "jobs": [job]}, {"nope": 1}):
        async with page.open() as socket:
            await say(socket, **first)
            assert await closed_with(socket) == 4401


async def test_scopes_and_tenants_hold_on_the_socket(locked: tuple[World, Page]) -> None:
    world, page = locked
    job = await create(world, KEYS["all"])
    async with page.open(authorization=f"Bearer {KEYS['none']}") as socket:
        assert await closed_with(socket) == 4403
    async with page.open(authorization=f"Bearer {KEYS['reader']}") as socket:
        await say(socket, op="cancel", job=job)
        assert (await hear(socket))["data"]["code"] == "permission_denied"
    async with page.open(authorization=f"Bearer {KEYS['other']}") as socket:
        await say(socket, op="subscribe", jobs=[job], queues=["images"])
        assert (await hear(socket))["data"]["code"] == "not_found"
        await say(socket, op="cancel", job=job)
        assert (await hear(socket))["data"]["code"] == "not_found"
        await create(world, KEYS["all"])
        mine = await create(world, KEYS["other"])
        assert (await hear(socket, "status"))["job"] == mine


async def test_a_revoked_key_ends_the_socket(locked: tuple[World, Page]) -> None:
    world, page = locked
    async with page.open(authorization=f"Bearer {KEYS['all']}") as socket:
        await say(socket, op="subscribe", queues=["images"])
        await say(socket, op="ping")
        await hear(socket, "pong")
        await create(world, KEYS["all"])
        await hear(socket, "status")
        world.server.door.keyring.replace([key_of(mint())])
        await world.store.configure("images", paused=True)
        await world.claim()
        (job,) = (await world.store.list(Filter(), limit=1)).jobs
        await world.store.cancel([job.id])
        assert await closed_with(socket) == 4401


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"op":"nope"}', '{"op":"subscribe","jobs":["x"]}', '{"op":"ping","x":1}', "\0"]
)
async def test_a_message_that_cannot_be_read_is_answered_and_the_socket_lives(page: Page, text: str) -> None:
    async with page.open() as socket:
        await socket.send(text)
        assert (await hear(socket))["type"] == "error"
        await say(socket, op="ping")
        assert (await hear(socket))["type"] == "pong"


async def test_too_many_and_too_large_messages_close_it(page: Page) -> None:
    async with page.open() as socket:
        for _ in range(50):
            await say(socket, op="ping")
        assert await closed_with(socket) == 4429
    async with page.open() as socket:
        await socket.send("x" * 100_000)
        assert await closed_with(socket) == 1009


async def test_a_draining_server_says_that_it_goes_away(world: World, page: Page) -> None:
    async with page.open() as socket:
        await say(socket, op="ping")
        await hear(socket, "pong")
        await world.server.close()
        assert await closed_with(socket) == 1001
