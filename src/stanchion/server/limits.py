"""How much of the server one caller may take, and the count of open streams."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sse_starlette.sse import AppStatus

from stanchion.server.problems import ApiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from stanchion.server.auth import Principal

_LOOK_EVERY: Final = 0.5
"""Seconds between looks at what ends streams: the wish to exit, and keys that were revoked."""
_RETRY_AFTER: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of the server.

    Args:
        streams: Open event streams and WebSockets, and requests that wait.
        streams_per_key: The same for one key (or the session of one); not applied where no key is configured.
        page: Jobs on one page.
        send_timeout: Seconds that one write to a slow reader may take.
    """

    streams: int = 10_000
    streams_per_key: int = 50
    page: int = 500
    send_timeout: float = 30.0


class Streams:
    """Counts what is open. While something is, it looks out for what ends it; else it costs nothing.

    Args:
        limits: How many may be open.
        on_look: Called twice a second; it ends what may not stay open.
        on_exit: Called when uvicorn wishes to exit.
    """

    def __init__(self, limits: Limits, on_look: Callable[[], None], on_exit: Callable[[], Awaitable[None]]) -> None:
        self._limits = limits
        self._on_look, self._on_exit = on_look, on_exit
        self._open: Counter[str] = Counter()
        self._lookout: asyncio.Task[None] | None = None

    @property
    def open(self) -> int:
        """Return how many are open."""
        return self._open.total()

    def check(self, who: Principal) -> None:
        """Refuse one more where the bounds are reached."""
        most = self._limits.streams_per_key
        if who.by != "open" and self._open[who.id] >= most:
            message = f"This key has {most:,} streams, sockets and waiting requests open: all that it may."
            raise ApiError(
                429,
                "too_many_streams",
                message,
                remedy="Close some, poll, or raise the server's setting streams_per_key.",
                retry_after=_RETRY_AFTER,
            )
        if self.open >= self._limits.streams:
            message = f"The server has {self._limits.streams:,} streams open: all that it may."
            raise ApiError(429, "too_many_streams", message, remedy="Poll, or come again.", retry_after=_RETRY_AFTER)

    @contextmanager
    def enter(self, who: Principal) -> Generator[None]:
        """Count one for as long as the context is open."""
        self.check(who)
        self._open[who.id] += 1
        if self._lookout is None:
            self._lookout = asyncio.create_task(self._look_out(), name="stanchion-exit")
        try:
            yield
        finally:
            self._open[who.id] -= 1
            if self._open[who.id] <= 0:
                del self._open[who.id]
            self._look_away()

    def _look_away(self) -> None:
        if self._lookout is not None and not self._open:
            self._lookout.cancel()
            self._lookout = None

    async def _look_out(self) -> None:
        """End streams of revoked keys; and all when uvicorn is told to exit, which waits for them before it says so."""
        while not AppStatus.should_exit:
            await asyncio.sleep(_LOOK_EVERY)
            self._on_look()
        await self._on_exit()
