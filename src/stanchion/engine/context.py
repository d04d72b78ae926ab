"""What a running handler may ask: its job, steps, progress, outputs; and what it may raise."""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, NoReturn, TypeVar, cast

import msgspec

from stanchion.domain.keys import fingerprint
from stanchion.domain.limits import named, pause
from stanchion.domain.resources import parts
from stanchion.engine.commit import Batcher
from stanchion.engine.control import Cancel
from stanchion.engine.gather import ParentResult, shown
from stanchion.engine.model import checked
from stanchion.errors import LeaseLostError, PayloadError, UsageError
from stanchion.files import File
from stanchion.store import (
    CostNote,
    LogNote,
    Noted,
    OutputNote,
    PreviewNote,
    ProgressNote,
    StepNote,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from decimal import Decimal

    from stanchion.domain.job import Lease
    from stanchion.engine.artifacts import Artifacts
    from stanchion.store import Note, Store

T = TypeVar("T")

PROGRESS_EVERY: Final = 0.25
"""Seconds between two writes of an attempt's progress; what comes in between is replaced by the latest."""
PREVIEW_EVERY: Final = 0.5
MAX_PREVIEW: Final = 65_536 * 4
MAX_CHUNK: Final = 1_000_000
MAX_MESSAGE: Final = 4_000


class JobFacts(NamedTuple):
    """The running job, as its handler sees it."""

    id: str
    task: str
    queue: str
    tenant: str
    user: str | None
    priority: int
    attempt: int
    spent: int
    max_attempts: int
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    correlation_id: str | None
    created_at: int


class Recorder:
    """Writes the notes of a worker's attempts, in batches, under their fences."""

    def __init__(self, store: Store, artifacts: Artifacts, warm: Callable[[str], None] | None = None) -> None:
        self.store, self.artifacts = store, artifacts
        self.warm = warm or _unheard
        """What is told which models are loaded in this process."""
        self._batcher: Batcher[Noted, bool] = Batcher(store.note)

    async def write(self, ref: int, attempt: int, note: Note) -> bool:
        """Write one note; False where the attempt is not the running one."""
        return await self._batcher.put(Noted(ref, attempt, note))

    async def flush(self) -> None:
        """Wait until no note is on its way."""
        await self._batcher.flush()


def _unheard(_model: str) -> None:
    """Tell nobody: where no worker claims there is nothing to prefer."""


class _Latest(Generic[T]):
    """Writes the latest of a stream of values at a pace; values in between are dropped, the last one is kept."""

    def __init__(self, write: Callable[[T], Awaitable[None]], every: float) -> None:
        self._write, self._every = write, every
        self._value: T | None = None
        self._next = 0.0
        self._task: asyncio.Task[None] | None = None

    async def put(self, value: T) -> None:
        loop = asyncio.get_running_loop()
        self._value = value
        if loop.time() >= self._next and self._task is None:
            await self.flush()
        elif self._task is None:
            self._task = loop.create_task(self._later(self._next - loop.time()))

    async def _later(self, wait: float) -> None:
        try:
            await asyncio.sleep(wait)
            self._task = None
            await self.flush()
        except LeaseLostError:  # the attempt itself is told by its next own write
            self._value = None

    async def flush(self) -> None:
        """Write what is held back now."""
        value, self._value = self._value, None
        if value is not None:
            self._next = asyncio.get_running_loop().time() + self._every
            await self._write(value)

    async def close(self) -> None:
        """Stop the timer and forget what is held back."""
        self._value = None
        if self._task is not None:
            self._task.cancel()
            self._task = None


class Context:
    """The first argument of a handler that asks for it.

    All writes are fenced: after another attempt took over they raise `LeaseLostError` and store nothing.
    """

    def __init__(self, lease: Lease, recorder: Recorder, log: logging.LoggerAdapter[logging.Logger]) -> None:
        self._lease, self._recorder = lease, recorder
        self._steps: dict[str, bytes] | None = None
        self._progress = _Latest(self._note, PROGRESS_EVERY)
        self._preview = _Latest(self._note, PREVIEW_EVERY)
        self._cancelled = asyncio.Event()
        self.log = log
        """A logger with job, attempt, tenant and correlation id bound."""
        self.job = JobFacts(
            lease.id,
            lease.task,
            lease.queue,
            lease.tenant,
            lease.user,
            lease.priority,
            lease.attempt,
            lease.spent,
            lease.max_attempts,
            lease.tags,
            msgspec.json.decode(lease.metadata) if lease.metadata else {},
            lease.correlation_id,
            lease.created_at,
        )

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1: the fencing token for stores of your own."""
        return self._lease.attempt

    @property
    def idempotency_key(self) -> str:
        """A key that is the same over all attempts of the job: hand it to providers."""
        return fingerprint(b"stanchion", self._lease.id.encode()).hex()[:32]

    @property
    def cancelled(self) -> bool:
        """Whether a cancel was asked; a handler in a thread looks at it now and then."""
        return self._cancelled.is_set()

    def warm(self, model: str) -> None:
        """Say that a model is loaded in this worker process, beside that of the job itself; workers prefer such jobs.

        Raises:
            ValueError: The name cannot be used.
        """
        self._recorder.warm(checked(model))

    def ask_cancel(self) -> None:
        """Note that a cancel was asked; the worker calls it."""
        self._cancelled.set()

    async def progress(
        self,
        index: float,
        length: float = 0,
        *,
        unit: str | None = None,
        message: str | None = None,
        stage: str | None = None,
    ) -> None:
        """Report how far the work is: `index` of `length` (0: unknown). Written at most four times a second."""
        await self._progress.put(ProgressNote(index, length, unit, _short(message), _short(stage)))

    async def preview(self, image: File | bytes, *, step: int | None = None) -> None:
        """Show unfinished work; the latest wins, at most two a second are kept. Up to 256 KiB."""
        picture = image if isinstance(image, File) else File(image)
        if picture.size > MAX_PREVIEW:
            message = f"A preview takes {picture.size:,} bytes; the limit is {MAX_PREVIEW:,}."
            raise PayloadError(message, remedy="Make it smaller: 512 pixels on the long side are enough.")
        note = PreviewNote(picture.data, picture.content_type, picture.width, picture.height, step)
        await self._preview.put(note)

    async def output(self, chunk: str | bytes | File, *, name: str | None = None) -> None:
        """Append to what the job produces: a piece of text, bytes, or a file. Durable on return.

        Raises:
            PayloadError: A chunk of more than 1 MB; give it as a `File`.
        """
        if isinstance(chunk, File):
            await self._note(await self.kept(chunk, name))
            return
        data = chunk.encode() if isinstance(chunk, str) else bytes(chunk)
        if len(data) > MAX_CHUNK:
            message = f"A chunk takes {len(data):,} bytes; the limit is {MAX_CHUNK:,}."
            raise PayloadError(message, remedy="Give it as a File.")
        kind, content_type = ("text", "text/plain; charset=utf-8") if isinstance(chunk, str) else ("bytes", None)
        await self._note(OutputNote(kind, data, name, content_type, len(data)))

    async def kept(self, file: File, name: str | None = None) -> OutputNote:
        """Keep a file's bytes and return the output that refers to them."""
        await asyncio.to_thread(file.kept, self._recorder.artifacts.put)
        return OutputNote(
            "artifact",
            None,
            name or file.name,
            file.content_type,
            file.size,
            file.sha256,
            file.width,
            file.height,
        )

    async def write_log(self, message: str, *, level: str = "info") -> None:
        """Add a line to the job's own log, which its owner sees; at most 1,000 an attempt."""
        await self._note(LogNote(level, message[:MAX_MESSAGE]))

    async def cost(self, amount: float | str | Decimal, unit: str = "USD") -> None:
        """Record what something cost; kept also where the attempt fails."""
        await self._note(CostNote(str(amount), unit))

    async def park(self, key: str, seconds: float) -> None:
        """Let no job of a key (`provider:x`) start for so long: its provider asked for a pause, or is down."""
        await self._recorder.store.park(named(key), pause(round(seconds * 1000)))

    @property
    def devices(self) -> dict[str, tuple[str, ...]]:
        """The devices that this attempt was given, by resource: `{"gpu": ("0",)}`."""
        found: dict[str, tuple[str, ...]] = {}
        for hold in self._lease.devices:
            if hold.device:
                found[hold.name] = (*found.get(hold.name, ()), hold.device)
        return found

    async def release(self, resource: str) -> None:
        """Give a resource (`gpu`) or a device (`gpu:1`) back before the end, so that the next job may have it.

        Giving it back again does nothing.

        Raises:
            UsageError: This job never held it.
            LeaseLostError: The attempt is not the running one any more; nothing changed.
        """
        name, device = parts(resource)
        if not any(hold.name == name and device in ("", hold.device) for hold in self._lease.devices):
            message = f"Job {self._lease.id} of task {self._lease.task!r} does not hold {resource!r}."
            raise UsageError(message, remedy=f"Ask for it where the task is defined: resources={{{resource!r}: 1}}.")
        ref, attempt = self._lease.holder or (self._lease.ref, self._lease.attempt)
        if not await self._recorder.store.release(ref, attempt, resource):
            self._refused()

    async def step(
        self,
        name: str,
        function: Callable[[], Awaitable[T] | T],
        *,
        type: type[T] | None = None,  # noqa: A002 - the word that msgspec uses
    ) -> T:
        """Run a function once per job: a later attempt gets the stored result instead of running it again.

        Args:
            name: Names the step within the job.
            function: Takes nothing; its result must be what msgspec can encode.
            type: What to decode a stored result as; plain JSON values by default.
        """
        if self._steps is None:
            self._steps = await self._recorder.store.steps(self._lease.ref) if self._lease.attempt > 1 else {}
        if name in self._steps:
            return cast("T", msgspec.json.decode(self._steps[name], type=type or Any))
        result = function()
        if inspect.isawaitable(result):
            result = await result
        data = msgspec.json.encode(result)
        await self._note(StepNote(name, data))
        self._steps[name] = data
        return result  # pyright: ignore[reportReturnType]

    async def parents(self) -> tuple[ParentResult, ...]:
        """Return the jobs that this one depends on, in the order of its request, with their results."""
        return tuple(shown(parent) for parent in await self._recorder.store.parents(self._lease.ref))

    async def _note(self, note: Note) -> None:
        if not await self._recorder.write(self._lease.ref, self._lease.attempt, note):
            self._refused()

    def _refused(self) -> NoReturn:
        message = f"Attempt {self._lease.attempt} of job {self._lease.id} is not the running one any more."
        raise LeaseLostError(message)

    async def close(self) -> None:
        """Stop what is held back; the attempt is over."""
        await self._progress.close()
        await self._preview.close()

    @property
    def sync(self) -> SyncContext:
        """The same methods for handlers that run in a thread."""
        return SyncContext(self, asyncio.get_running_loop())


class SyncContext:
    """A context for handlers that are plain functions: the same names, and each call blocks."""

    def __init__(self, context: Context, loop: asyncio.AbstractEventLoop) -> None:
        self._context, self._loop = context, loop
        self.job, self.log = context.job, context.log
        self.attempt, self.idempotency_key = context.attempt, context.idempotency_key

    @property
    def cancelled(self) -> bool:
        """Whether a cancel was asked."""
        return self._context.cancelled

    def _run(self, call: Coroutine[Any, Any, T]) -> T:
        if self._context.cancelled:
            call.close()
            raise Cancel
        return asyncio.run_coroutine_threadsafe(call, self._loop).result()

    def warm(self, model: str) -> None:
        """See `Context.warm`."""
        self._loop.call_soon_threadsafe(self._context.warm, checked(model))

    def progress(
        self,
        index: float,
        length: float = 0,
        *,
        unit: str | None = None,
        message: str | None = None,
        stage: str | None = None,
    ) -> None:
        """See `Context.progress`; raises `Cancel` once a cancel was asked."""
        self._run(self._context.progress(index, length, unit=unit, message=message, stage=stage))

    def preview(self, image: File | bytes, *, step: int | None = None) -> None:
        """See `Context.preview`."""
        self._run(self._context.preview(image, step=step))

    def output(self, chunk: str | bytes | File, *, name: str | None = None) -> None:
        """See `Context.output`."""
        self._run(self._context.output(chunk, name=name))

    def write_log(self, message: str, *, level: str = "info") -> None:
        """See `Context.write_log`."""
        self._run(self._context.write_log(message, level=level))

    def cost(self, amount: float | str | Decimal, unit: str = "USD") -> None:
        """See `Context.cost`."""
        self._run(self._context.cost(amount, unit))

    def parents(self) -> tuple[ParentResult, ...]:
        """See `Context.parents`."""
        return self._run(self._context.parents())

    def park(self, key: str, seconds: float) -> None:
        """See `Context.park`."""
        self._run(self._context.park(key, seconds))

    @property
    def devices(self) -> dict[str, tuple[str, ...]]:
        """See `Context.devices`."""
        return self._context.devices

    def release(self, resource: str) -> None:
        """See `Context.release`."""
        self._run(self._context.release(resource))

    def step(self, name: str, function: Callable[[], T], *, type: type[T] | None = None) -> T:  # noqa: A002
        """See `Context.step`; the function runs in this thread."""
        context = self._context

        async def stored() -> bytes | None:
            steps = context._steps  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            if steps is None:
                recorder, lease = context._recorder, context._lease  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
                steps = await recorder.store.steps(lease.ref) if lease.attempt > 1 else {}
                context._steps = steps  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            return steps.get(name)

        found = self._run(stored())
        if found is not None:
            return cast("T", msgspec.json.decode(found, type=type or Any))
        result = function()
        self._run(context.step(name, lambda: result))
        return result


def _short(text: str | None) -> str | None:
    return None if text is None else text[:500]
