"""What the server needs of an app: the least that a test can stand in for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from stanchion.engine.submit import Submission
    from stanchion.security.keys import ApiKey
    from stanchion.store import Enqueued, Refused, Store


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
    def secret(self) -> frozenset[str]:
        """Return the names of the arguments that are never shown."""
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
    def keys(self) -> tuple[ApiKey, ...]:
        """Return the API keys; none: only loopback may be served."""
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

    async def submit(self, batch: Sequence[Submission], /) -> list[Enqueued | Refused]:
        """Validate and store requests; each has its own answer."""
        ...

    async def open(self) -> object:
        """Open the store; idempotent."""
        ...

    async def close(self) -> object:
        """Close the store; idempotent."""
        ...
