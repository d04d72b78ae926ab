"""A real server on a free loopback port, and the smallest client of event streams."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stanchion.server.serve import http_server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    import httpx

    from tests.server.world import World


@asynccontextmanager
async def served(world: World, **options: Any) -> AsyncGenerator[int]:
    """Serve a world on a free port for as long as the context is open."""
    ready = asyncio.get_running_loop().create_future()
    server = http_server(world.app, port=0, limits=world.limits, manage=False, on_ready=ready.set_result, **options)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    world.take(server.config.app.state.server)  # type: ignore[union-attr]
    task = asyncio.create_task(server.serve())
    try:
        yield await ready
    finally:
        server.should_exit = True
        await task


@dataclass
class Sse:
    """One event as a browser's EventSource would dispatch it."""

    event: str
    data: Any
    id: str | None


@dataclass
class Reader:
    """Reads a response as an EventSource does: it keeps the last id, and drops events without data."""

    response: httpx.Response
    last_id: str = ""
    retry: int | None = None
    raw: list[str] = field(default_factory=list)

    async def events(self) -> AsyncIterator[Sse]:
        event, data, own = "", [], None
        async for line in self.response.aiter_lines():
            self.raw.append(line)
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if line == "":
                if data:
                    yield Sse(event, json.loads("\n".join(data)), own)
                event, data, own = "", [], None
            elif name == "event":
                event = value
            elif name == "data":
                data.append(value)
            elif name == "id":
                self.last_id = own = value
            elif name == "retry":
                self.retry = int(value)

    async def until(self, last: str, *, skip: tuple[str, ...] = ()) -> list[Sse]:
        """Return the events up to and with the first of a name."""
        found: list[Sse] = []
        async for event in self.events():
            if event.event not in skip:
                found.append(event)
            if event.event == last:
                break
        return found


@asynccontextmanager
async def stream(client: httpx.AsyncClient, path: str, **headers: str) -> AsyncGenerator[Reader]:
    async with client.stream("GET", path, headers=headers, timeout=15) as response:
        assert response.status_code == 200, await response.aread()
        yield Reader(response)
