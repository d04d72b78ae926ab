"""A small world behind the server: real submission over the model, and a worker's moves by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from stanchion.domain.job import Lease, NewJob, State
from stanchion.domain.kinds import ErrorInfo, Kind
from stanchion.domain.outcome import Cancelled, Completed, Failed, Outcome, settle
from stanchion.domain.retry import RetryPolicy
from stanchion.engine.artifacts import Artifacts
from stanchion.engine.cache import Levels, MemoryCache
from stanchion.engine.hooks import Hooks
from stanchion.engine.spec import Registry, TaskSpec
from stanchion.engine.submit import Submission, Submitter
from stanchion.engine.watch import Watch
from stanchion.payload import Codec
from stanchion.results import ResultCache
from stanchion.security.keys import ApiKey, Keyring
from stanchion.security.scopes import EVERYTHING, USUAL
from stanchion.security.tokens import digest, mint, parse
from stanchion.server.app import build
from stanchion.store import (
    CostNote,
    LogNote,
    Note,
    Noted,
    OutputNote,
    PreviewNote,
    ProgressNote,
    Refused,
    Want,
    WorkerInfo,
)
from stanchion.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from starlette.applications import Starlette

    from stanchion.server.context import Server
    from stanchion.server.limits import Limits
    from stanchion.store import Enqueued

BASE = "/api/v1"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
LEASE_FOR = 60_000


async def sprite(prompt: str, size: int = 64) -> str:
    return f"{prompt} {size}"


async def login_task(user: str, api_key: str = "") -> str:
    return user + api_key


@dataclass
class FakeSettings:
    max_payload: int = 1_000_000
    slots: int = 10
    keys: tuple[str, ...] = ()
    keys_file: str | None = None
    session_path: Path | None = None
    streams_per_key: int = 50
    tenant_warn: int = 400
    tenant_refuse: int = 500
    slow_after: int = 20
    slow_window: float = 60.0


@dataclass
class FakeTask:
    name: str
    queue: str
    codec: Codec
    spec: TaskSpec

    def schema(self) -> dict[str, Any]:
        return self.codec.schema()


class FakeApp:
    """What `stanchion.app.Stanchion` is to the server."""

    def __init__(self, store: MemoryStore, folder: Path, settings: FakeSettings) -> None:
        self.store, self.settings = store, settings
        self.artifacts = Artifacts(folder)
        self.watch = Watch(store)
        self.hooks, self.registry = Hooks(), Registry()
        registry = self.registry
        self.tasks: dict[str, FakeTask] = {}
        for name, function, secret in (
            ("sprite", sprite, ()),
            ("login", login_task, ("api_key",)),
            ("echo", echo, ()),
        ):
            codec = Codec(function, name=name, takes_context=False)
            spec = TaskSpec(
                name=name,
                function=function,
                codec=codec,
                takes_context=False,
                queue="images",
                secret=frozenset(secret),
            )
            registry.add(spec)
            self.tasks[name] = FakeTask(name, "images", codec, spec)
        self.levels = Levels([MemoryCache(1_000_000, store.now), store.cache], store.now)
        self.cache = ResultCache(self.reached, store.now)
        self._submitter = Submitter(
            store, registry, self.hooks, self.artifacts, max_payload=settings.max_payload, levels=self.levels
        )

    async def reached(self) -> Levels:
        return self.levels

    async def submit_one(self, submission: Submission) -> Enqueued:
        return await self._submitter.one(submission)

    async def submit(self, batch: Sequence[Submission], /, *, atomic: bool = False) -> list[Enqueued | Refused]:
        return await self._submitter.many(batch, atomic=atomic)

    async def prepare(self, submission: Submission) -> NewJob:
        return await self._submitter.prepare(submission)

    async def open(self) -> None:
        await self.store.open()

    async def close(self) -> None:
        await self.levels.close()
        await self.store.close()


async def echo(value: Any = None) -> Any:
    return value


def key_of(
    text: str, *, tenant: str | None = None, scopes: frozenset[str] = USUAL, expires_at: int | None = None
) -> ApiKey:
    token = parse(text)
    assert token is not None
    return ApiKey(id=token.id, digest=digest(token.secret), tenant=tenant, scopes=scopes, expires_at=expires_at)


@dataclass
class World:
    """One server, its store, and one worker moved by hand."""

    folder: Path
    settings: FakeSettings = field(default_factory=FakeSettings)
    limits: Limits | None = None
    keys: tuple[ApiKey, ...] = ()
    clock: Callable[[], int] | None = None

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.clock) if self.clock else MemoryStore()
        self.app = FakeApp(self.store, self.folder, self.settings)
        self.asgi: Starlette = build(self.app, limits=self.limits)
        self.take(self.asgi.state.server)
        self.worker = 0

    def take(self, server: Server) -> None:
        """Look at this server, with this world's keys."""
        self.server = server
        if self.keys:
            server.door.keyring.replace(self.keys)

    async def open(self) -> None:
        await self.store.open()
        info = WorkerInfo("w_one", "host", 1, 10, None, ("sprite", "login", "echo"))
        self.worker = await self.store.register(info, LEASE_FOR)

    async def close(self) -> None:
        await self.server.close()
        await self.app.watch.close()
        await self.store.close()

    def client(self, key: str | None = None, **headers: str) -> httpx.AsyncClient:
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        transport = httpx.ASGITransport(app=self.asgi)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers)

    async def claim(self, limit: int = 1) -> list[Lease]:
        _, claimed = await self.store.claim(self.worker, Want(limit, frozenset({"sprite", "login", "echo"})))
        return list(claimed.leases)

    async def note(self, lease: Lease, *notes: Note) -> None:
        assert all(await self.store.note([Noted(lease.ref, lease.attempt, note) for note in notes]))

    async def end(self, lease: Lease, outcome: Outcome) -> None:
        assert await self.store.settle([settle(lease, outcome, RetryPolicy(), chance=0.5)]) == [True]

    async def complete(self, lease: Lease, result: object = None) -> None:
        await self.end(lease, Completed(msgspec.json.encode(result)))

    async def fail(self, lease: Lease, message: str = "no") -> None:
        await self.end(lease, Failed(ErrorInfo(Kind.VALIDATION, message)))

    async def cancelled(self, lease: Lease) -> None:
        await self.end(lease, Cancelled())


__all__ = [
    "BASE", "EVERYTHING", "PNG", "USUAL", "CostNote", "FakeSettings", "Keyring", "LogNote", "OutputNote", "PreviewNote",
    "ProgressNote", "State", "World", "key_of", "mint",
]  # fmt: skip
