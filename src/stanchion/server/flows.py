"""What happened in each queue in the last minute: read once a second at most, for all who ask."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stanchion.domain.query import Scope
    from stanchion.domain.units import Instant, Millis
    from stanchion.server.ports import AppPort
    from stanchion.store import Flow

WINDOW: Final[Millis] = 60_000
FRESH_FOR: Final[Millis] = 1_000


class _Read(NamedTuple):
    at: Instant
    flows: Mapping[str, Flow]


class Flows:
    """The flows of an app's queues, kept for a second for each scope."""

    def __init__(self, app: AppPort) -> None:
        self._app = app
        self._reading = asyncio.Lock()
        self._known: dict[Scope, _Read] = {}

    async def of(self, scope: Scope) -> Mapping[str, Flow]:
        """Return what happened in the last minute, by queue; those who ask at once share one read."""
        async with self._reading:
            now = self._app.store.now()
            self._known = {known: read for known, read in self._known.items() if abs(now - read.at) < FRESH_FOR}
            if scope not in self._known:
                self._known[scope] = _Read(now, await self._app.store.flow(WINDOW, scope))
            return self._known[scope].flows
