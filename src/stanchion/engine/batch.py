"""Several jobs in one call: what a task declares, and what the function that runs them is given."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar, overload

from stanchion.domain.batches import MAX_SIZE, MAX_WAIT
from stanchion.domain.keys import canonical
from stanchion.engine.context import Context, SyncContext
from stanchion.engine.cost import names_taken
from stanchion.engine.gather import asks
from stanchion.engine.submit import Duration, span
from stanchion.errors import LeaseLostError, PayloadError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from stanchion.domain.units import Millis
    from stanchion.payload import Codec

C = TypeVar("C", bound="Context | SyncContext")

_LONGEST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How jobs of a task run together: `@app.task(batch=Batch(max_size=4))`, and `@task.together` for several.

    Args:
        max_size: At most so many jobs in one call, 2 to 1,000.
        max_wait: How long a call may wait for more jobs, while more are known to come; up to 60 s. It never waits
            for what may not come.
        key: A function of arguments of the task, by their names; jobs run together where it gives the same. Without
            it all jobs of the task do.
        max_cost: At most so much in one call, as the task's `cost=` tells.
        across_tenants: Whether jobs of several tenants may share a call.
    """

    max_size: int
    max_wait: Duration = 0.0
    key: Callable[..., Any] | None = None
    max_cost: float | None = None
    across_tenants: bool = False


class BatchRule(NamedTuple):
    """A task's batches, checked. Times are in ms."""

    size: int
    wait: Millis
    cost: float | None
    across: bool
    key: Callable[[bytes], str]


def batching(codec: Codec, batch: Batch | None, *, costed: bool) -> BatchRule | None:
    """Return the rule that a task declares.

    Raises:
        UsageError: A part of it cannot be used.
    """
    if batch is None:
        return None
    wait = span(batch.max_wait)
    problem = None
    if not 2 <= batch.max_size <= MAX_SIZE:  # noqa: PLR2004 - one job is no batch
        problem = f"max_size must be 2 to {MAX_SIZE:,}, not {batch.max_size}"
    elif not 0 <= wait <= MAX_WAIT:
        problem = f"max_wait must be 0 to {MAX_WAIT // 1000} seconds"
    elif batch.max_cost is not None and (not costed or batch.max_cost <= 0):
        problem = "max_cost must be above 0, and needs cost= of the task to tell what a job costs"
    if problem is not None:
        message = f"The batches of task {codec.name!r} cannot be used: {problem}."
        raise UsageError(message, remedy="Correct batch= where the task is defined.")
    return BatchRule(batch.max_size, wait, batch.max_cost, batch.across_tenants, _keying(codec, batch.key))


def _keying(codec: Codec, key: Callable[..., Any] | None) -> Callable[[bytes], str]:
    """Return what tells the batch key of encoded arguments; '' for those that are not known before the job runs."""
    names = () if key is None else names_taken(codec, key, "batch key")

    def told(data: bytes) -> str:
        if key is None:
            return "null"
        if asks(data):
            return ""
        arguments = codec.named(data)
        try:
            text = canonical(key(**{name: arguments[name] for name in names})).decode()
        except Exception as error:
            why = f"its key function raised {type(error).__name__}: {error}"
            message = f"The batch key of this request for task {codec.name!r} cannot be told: {why}."
            remedy = (
                "Correct the arguments, or the key= of the task's batch so that it takes them and gives plain values."
            )
            raise PayloadError(message, remedy=remedy, problems=(("", why),)) from error
        return text if len(text) <= _LONGEST else sha256(text.encode()).hexdigest()

    return told


def together(task: str, rule: BatchRule | None, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that runs several jobs of a task, checked.

    Raises:
        UsageError: The task has no batches, or the function cannot be called with items.
    """
    if rule is None:
        message = f"Task {task!r} has no batches, so {function.__name__} would never be called."
        raise UsageError(message, remedy="Declare the task with batch=Batch(max_size=4).")
    parameters = list(inspect.signature(function).parameters.values())
    needed = [one for one in parameters if one.default is inspect.Parameter.empty]
    if len(needed) != 1 or parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
        message = f"{function.__name__} runs jobs of {task!r} together and must take one argument: the items."
        raise UsageError(message, remedy=f"Write async def {function.__name__}(items: Items) -> list[...].")
    return function


class Item(Generic[C]):
    """One job of a batch: its arguments by name, and its context."""

    __slots__ = ("args", "ctx")

    args: dict[str, Any]
    """The arguments by name, with the defaults."""
    ctx: C
    """The job's own context: progress, preview, output, attempt, idempotency key, whether it was cancelled."""

    def __init__(self, args: dict[str, Any], ctx: C) -> None:
        self.args, self.ctx = args, ctx


class _Items(Sequence[Item[C]]):
    def __init__(self, items: Sequence[Item[C]]) -> None:
        self._items = tuple(items)

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, place: int) -> Item[C]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Item[C]]: ...
    def __getitem__(self, place: int | slice) -> Item[C] | Sequence[Item[C]]:
        return self._items[place]


class Items(_Items[Context]):
    """The jobs of one call, in order, for an `async def`."""

    async def progress(
        self,
        index: float,
        length: float = 0,
        *,
        unit: str | None = None,
        message: str | None = None,
        stage: str | None = None,
    ) -> None:
        """Report for all jobs of the call how far the work is; see `Context.progress`."""
        told = [item.ctx.progress(index, length, unit=unit, message=message, stage=stage) for item in self]
        for answer in await asyncio.gather(*told, return_exceptions=True):
            if isinstance(answer, BaseException) and not isinstance(answer, LeaseLostError):
                raise answer


class SyncItems(_Items[SyncContext]):
    """The jobs of one call, in order, for a plain function."""

    def progress(
        self,
        index: float,
        length: float = 0,
        *,
        unit: str | None = None,
        message: str | None = None,
        stage: str | None = None,
    ) -> None:
        """Report for all jobs of the call how far the work is; those that were cancelled are passed over."""
        for item in self:
            if not item.ctx.cancelled:
                item.ctx.progress(index, length, unit=unit, message=message, stage=stage)
