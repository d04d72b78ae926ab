"""A task as the engine knows it, and the registry of them: the only place where names become functions."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from stanchion.domain.intake import Intake
from stanchion.domain.job import NewJob
from stanchion.domain.keys import Json, Share, content_key
from stanchion.domain.normal import Normalize, normalized
from stanchion.domain.retry import RetryPolicy
from stanchion.errors import TaskConflictError, UnknownTaskError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from stanchion.domain.intake import Conflict
    from stanchion.domain.limits import Weights
    from stanchion.domain.units import Millis
    from stanchion.engine.batch import BatchRule
    from stanchion.payload import Codec

Isolation = Literal["loop", "thread", "process"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """A registered function with its policies. Times are in ms."""

    name: str
    function: Callable[..., Any]
    codec: Codec
    takes_context: bool
    queue: str = "default"
    priority: int = 5
    timeout: Millis | None = 600_000
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    isolation: Isolation = "loop"
    dedup_window: Millis = 0
    expires_in: Millis | None = None
    max_payload: int | None = None
    secret: frozenset[str] = frozenset()
    version: int = 1
    normalize: Mapping[str, Normalize] = field(default_factory=dict[str, Normalize])
    cache_ttl: Millis = 0
    share: Share = "tenant"
    limits: Weights = ()
    cost: Callable[[bytes], float] | None = None
    """What tells the cost of encoded arguments, for estimates."""
    model: str = ""
    """The model that its jobs need; '' where they need none, or it depends on the arguments."""
    model_of: Callable[[bytes], str] | None = None
    """What tells the model by encoded arguments."""
    batch: BatchRule | None = None
    """How its jobs run together; None: each runs alone."""
    together: Callable[..., Any] | None = None
    """The function that runs several of its jobs in one call."""
    resources: Weights = ()
    """What each of its jobs holds while it runs."""
    conflict: Conflict | None = None

    is_async: bool = field(init=False)
    """Whether the function is a coroutine function."""
    plain: tuple[Any, ...] | None = field(init=False)
    """The fields of a new job after its arguments, where a request sets no option; None where they depend on it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_async", inspect.iscoroutinefunction(self.function))
        plain = None
        if not self.secret and not self.dedup_window and not self.cache_ttl:
            plain = NewJob(
                id="",
                task=self.name,
                args=b"",
                queue=self.queue,
                priority=self.priority,
                max_attempts=self.policy.max_attempts,
                expires_in=self.expires_in,
                crash_budget=self.policy.crash_budget,
                limits=self.limits,
                model=self.model,
                resources=self.resources,
                intake=None if self.conflict is None else Intake(self.conflict),
            )[3:]
        object.__setattr__(self, "plain", plain)

    def keys(self, data: bytes, tenant: str) -> tuple[bytes, bytes]:
        """Return the keys of a request: what joins it to an equal one, and what finds its result in the cache.

        A job is always a tenant's own, so only the second may be shared: to join another tenant's job would be
        to learn its id.
        """
        arguments = normalized(cast("dict[str, Json]", self.codec.filled(data)), self.normalize)
        own = content_key(self.name, self.version, arguments, tenant=tenant)
        if self.share == "tenant":
            return own, own
        return own, content_key(self.name, self.version, arguments, tenant=tenant, share=self.share)


class Registry:
    """Tasks by name. Names that come from outside are looked up here and nowhere else."""

    def __init__(self) -> None:
        self._specs: dict[str, TaskSpec] = {}

    def add(self, spec: TaskSpec) -> None:
        """Add a task.

        Raises:
            TaskConflictError: Another function has the name. The same one again (a reload) replaces it.
        """
        there = self._specs.get(spec.name)
        if there is not None and _origin(there) != _origin(spec):
            raise TaskConflictError(spec.name)
        self._specs[spec.name] = spec

    def get(self, name: str) -> TaskSpec:
        """Return a task.

        Raises:
            UnknownTaskError: None has the name.
        """
        try:
            return self._specs[name]
        except KeyError:
            raise UnknownTaskError(name, tuple(self._specs)) from None

    @property
    def names(self) -> frozenset[str]:
        """All names."""
        return frozenset(self._specs)

    def __contains__(self, name: object) -> bool:
        return name in self._specs

    def __iter__(self) -> Iterator[TaskSpec]:
        return iter(self._specs.values())

    def __len__(self) -> int:
        return len(self._specs)


def _origin(spec: TaskSpec) -> tuple[str, str]:
    module = spec.function.__module__
    return ("__main__" if module == "__mp_main__" else module, spec.function.__qualname__)
