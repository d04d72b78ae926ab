"""What every handler is given: the app, the watch, the door, the bounds; and how handlers are declared."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from starlette.responses import Response

from stanchion.domain.intake import Guard, Overflow
from stanchion.engine.scaling import Scaler
from stanchion.errors import StoreError
from stanchion.server.bodies import SLACK
from stanchion.server.flows import Flows
from stanchion.server.limits import Limits, Streams

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping

    from starlette.requests import Request

    from stanchion.domain.job import Job
    from stanchion.domain.units import Instant, JobId
    from stanchion.engine.watch import Watch
    from stanchion.engine.watchers import Interest, Watcher
    from stanchion.server.auth import Door, Principal
    from stanchion.server.ports import AppPort
    from stanchion.store import Store

_encode: Final = msgspec.json.Encoder().encode
JSON: Final = "application/json"


class Server:
    """One server over one app."""

    def __init__(self, app: AppPort, door: Door, limits: Limits) -> None:
        self.app, self.door, self.limits = app, door, limits
        self.streams = Streams(limits, self.end_revoked, self.close)
        self.flows = Flows(app)
        self.patching = asyncio.Lock()
        self._scaler: Scaler | None = None
        self._closed = False
        self._watchers: dict[Watcher, Principal] = {}

    @property
    def store(self) -> Store:
        """Return the opened store."""
        return self.app.store

    @property
    def watch(self) -> Watch:
        """Return the one feed reader of this process."""
        return self.app.watch

    @property
    def scaler(self) -> Scaler:
        """Return the one scaler of this server; where the app was opened anew it begins anew."""
        if self._scaler is None or self._scaler.store is not self.store:
            self._scaler = Scaler(self.store)
        return self._scaler

    @asynccontextmanager
    async def watching(
        self, who: Principal, interest: Interest, *, jobs: Collection[JobId] = (), queues: Collection[str] = ()
    ) -> AsyncGenerator[Watcher]:
        """Watch for as long as the context is open, the credential holds and the server serves."""
        async with self.watch.open(interest, jobs=jobs, queues=queues) as watcher:
            if self._closed:
                watcher.end("closed")
            self._watchers[watcher] = who
            try:
                yield watcher
            finally:
                del self._watchers[watcher]

    @property
    def max_body(self) -> int:
        """Return the most bytes of a request body."""
        return self.app.settings.max_payload + SLACK

    def asks(self, who: Principal) -> dict[str, Any]:
        """Return what a tenant's own key is asked before its jobs are stored; who holds no key is trusted."""
        if who.tenant is None:
            return {}
        given = self.app.settings
        asked: dict[str, Any] = {}
        if given.tenant_warn or given.tenant_refuse:
            asked["overflow"] = Overflow(given.tenant_warn or None, given.tenant_refuse or None)
        if given.slow_after:
            asked["guard"] = Guard(f"key:{who.id}", given.slow_after, round(given.slow_window * 1000))
        return asked

    def now(self) -> Instant:
        """Return the store's clock."""
        return self.store.now()

    def secrets_of(self, job: Job) -> frozenset[str]:
        """Return the names of a job's secret arguments, kept with it and by its task; they are never shown."""
        return frozenset(job.secret) | self.secrets_of_task(job.task)

    def secrets_of_task(self, name: str) -> frozenset[str]:
        """Return the names of a task's secret arguments, as far as the task is known here."""
        found = self.app.tasks.get(name)
        return frozenset[str]() if found is None else found.spec.secret

    def still(self, who: Principal) -> bool:
        """Return whether a credential that opened a stream still holds, and still allows the same."""
        return self.door.holds(who, self.now())

    def end_revoked(self) -> None:
        """End the watches of credentials that do not hold any more, also where nothing happens."""
        try:
            self.door.look(self.now())
        except StoreError:  # the app was closed under the server, and ended its watches itself
            return
        for watcher, who in tuple(self._watchers.items()):
            if not self.still(who):
                watcher.end("revoked")

    def prepare(self) -> None:
        """Do at the start what may be refused: read or make the secret of sessions.

        Raises:
            ConfigError: It cannot be kept.
        """
        if self.door.required:
            self.door.mark(self.now())

    async def close(self) -> None:
        """End all streams; their clients come again elsewhere."""
        self._closed = True
        for watcher in tuple(self._watchers):
            watcher.end("closed")


Handler: TypeAlias = "Callable[[Server, Request, Principal], Awaitable[Response]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One route: what it takes, what it needs, what it answers; the router and the OpenAPI document come from it."""

    method: str
    path: str
    name: str
    call: Handler
    summary: str
    scope: str | None
    body: type[Any] | None = None
    reply: type[Any] | None = None
    status: int = 200
    media: str = JSON
    params: tuple[str, ...] = ()
    also: Mapping[int, str] = field(default_factory=dict[int, str])


def reply(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a value as a JSON response."""
    return Response(_encode(value), status, headers, media_type=JSON)
