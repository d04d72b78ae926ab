"""What the server needs of an app: the least that a test can stand in for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence
    from pathlib import Path

    from stanchion.domain.job import NewJob
    from stanchion.engine.submit import Submission
    from stanchion.engine.watch import Watch
    from stanchion.results import CacheReport
    from stanchion.store import Enqueued, Refused, Store


class SpecPort(Protocol):
    """A task's policies, as far as the server heeds them."""

    @property
    def secret(self) -> frozenset[str]:
        """Return the names of the arguments that are never shown."""
        ...


class TaskPort(Protocol):
    """A task as the server shows it."""

    @property
    def name(self) -> str:
        """Return its name."""
        ...

    @property
    def queue(self) -> str:
        """Return the queue that its jobs join by default."""
        ...

    @property
    def spec(self) -> SpecPort:
        """Return its policies."""
        ...

    def schema(self) -> Mapping[str, object]:
        """Return the JSON schema of its arguments."""
        ...


class ArtifactsPort(Protocol):
    """Where the bytes of artifacts are."""

    def path(self, sha256: str, /) -> Path:
        """Return the file of a content hash."""
        ...


class SettingsPort(Protocol):
    """The settings that the server reads."""

    @property
    def max_payload(self) -> int:
        """Return the most bytes that arguments may take."""
        ...

    @property
    def slots(self) -> int:
        """Return how many jobs a worker runs at once, where it is not told."""
        ...

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the API keys as their owners hold them; none, and no file: only a loopback may be served."""
        ...

    @property
    def keys_file(self) -> str | None:
        """Return the file of further API keys."""
        ...

    @property
    def session_path(self) -> Path | None:
        """Return the file of the secret that seals sessions; None: they end with the process."""
        ...

    @property
    def streams_per_key(self) -> int:
        """Return how many streams, sockets and waiting requests one key may have open."""
        ...

    @property
    def tenant_warn(self) -> int:
        """Return from how many jobs of a tenant on its keys are warned; 0: they are not."""
        ...

    @property
    def tenant_refuse(self) -> int:
        """Return how many jobs of a tenant its keys may have waiting and running; 0: any number."""
        ...

    @property
    def slow_after(self) -> int:
        """Return after how many refusals a tenant's key is slowed down; 0: never."""
        ...

    @property
    def slow_window(self) -> float:
        """Return in how many seconds so many refusals slow it down."""
        ...


class CachePort(Protocol):
    """The result cache."""

    async def stats(self, *, tenant: str | None = None) -> CacheReport:
        """Return what it holds."""
        ...

    async def purge(
        self, *, task: str | None = None, tenant: str | None = None, older_than: float | None = None
    ) -> int:
        """Drop results; return how many."""
        ...


class AppPort(Protocol):
    """An opened app."""

    @property
    def store(self) -> Store:
        """Return the opened store."""
        ...

    @property
    def settings(self) -> SettingsPort:
        """Return the settings."""
        ...

    @property
    def tasks(self) -> Mapping[str, TaskPort]:
        """Return the registered tasks by name."""
        ...

    @property
    def artifacts(self) -> ArtifactsPort:
        """Return the artifacts."""
        ...

    @property
    def cache(self) -> CachePort:
        """Return the result cache."""
        ...

    @property
    def watch(self) -> Watch:
        """Return the one feed reader of the process."""
        ...

    def submit_one(self, submission: Submission, /) -> Awaitable[Enqueued]:
        """Validate and store one request; concurrent ones share a transaction."""
        ...

    async def submit(self, batch: Sequence[Submission], /, *, atomic: bool = False) -> list[Enqueued | Refused]:
        """Validate and store requests; each has its own answer. With `atomic`, one refusal refuses all."""
        ...

    async def prepare(self, submission: Submission, /) -> NewJob:
        """Validate a request without storing it."""
        ...

    async def open(self) -> object:
        """Open the store; idempotent."""
        ...

    async def close(self) -> object:
        """Close the store; idempotent."""
        ...
