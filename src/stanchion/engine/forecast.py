"""Places in line with the time left, for whoever asks: a job's handle, the server, the watch."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from stanchion.domain.estimates import Durations
from stanchion.domain.outlook import forecast
from stanchion.domain.query import ALL, Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.outlook import Serving
    from stanchion.domain.units import JobId
    from stanchion.store import Place, Store

FRESH: Final = 2.0
"""For so many seconds what was learned is not read again."""


class Forecast:
    """Adds the time left to places; one per process, so that what was learned is read once for all."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._durations = Durations()
        self._at: float | None = None

    async def places(self, ids: Sequence[JobId], scope: Scope = ALL) -> list[Place | None]:
        """Return where jobs stand in line, as `Store.position`, each with its time left where that can be said."""
        return await self.timed(ids, await self._store.position(ids, scope), scope)

    async def timed(
        self, ids: Sequence[JobId], places: Sequence[Place | None], scope: Scope = ALL
    ) -> list[Place | None]:
        """Return places that were read just now, with the time left."""
        positions = {
            job_id: place.position
            for job_id, place in zip(ids, places, strict=True)
            if place is not None and place.position is not None and place.reason is None
        }
        durations = await self._known() if positions else self._durations
        if not positions or not durations.seen:
            return list(places)
        outlook = await self._store.outlook(list(positions), scope)
        found = await asyncio.to_thread(forecast, outlook, positions, durations)
        return [
            None if place is None else place._replace(eta=found.get(job_id))
            for job_id, place in zip(ids, places, strict=True)
        ]

    async def serving(self, job_id: JobId) -> tuple[Serving, ...]:
        """Return who works, without what runs: where it changes, so does the time left of jobs that stand still.

        Args:
            job_id: A job that waits.
        """
        if not (await self._known()).seen:
            return ()
        outlook = await self._store.outlook([job_id])
        return tuple(worker._replace(running=(), came=0) for worker in outlook.workers)

    async def _known(self) -> Durations:
        """Return what was learned; the same value while nothing was, since it keeps what it reckoned."""
        now = time.monotonic()
        if self._at is None or now > self._at + FRESH:
            self._at = now
            read = await self._store.durations()
            if read != self._durations:
                self._durations = read
        return self._durations
