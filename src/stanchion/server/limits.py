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

_EXIT_POLL: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of the server.

    Args:
        streams: Open event streams and WebSockets, and requests that wait.
        streams_per_key: The same for one key; not applied where no key is configured.
        page: Jobs on one page.
        send_timeout: Seconds that one write to a slow reader may take.
    """

    streams: int = 10_000
    streams_per_key: int = 1_000
    page: int = 500
    send_timeout: float = 30.0


class Streams:
    """Counts what is open. While something is, it looks out for uvicorn's wish to exit; else it costs nothing."""

    def __init__(self, limits: Limits, on_exit: Callable[[], Awaitable[None]]) -> None:
        self._limits = limits
        self._on_exit = on_exit
        self._open: Counter[str] = Counter()
        self._lookout: asyncio.Task[None] | None = None

    @property
    def open(self) -> int:
        """Return how many are open."""
        return self._open.total()

    def check(self, who: Principal) -> None:
        """Refuse one more where the bounds are reached."""
        own = who.by != "open" and self._open[who.id] >= self._limits.streams_per_key
        if own or self.open >= self._limits.streams:
            message = "Too many streams are open."
            raise ApiError(429, "too_many_streams", message, remedy="Close some, or poll.", retry_after=10)

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
        """End all streams when uvicorn is told to exit, which waits for them before it tells the app."""
        while not AppStatus.should_exit:  # noqa: ASYNC110 - a plain flag, set by a signal handler
            await asyncio.sleep(_EXIT_POLL)
        await self._on_exit()
