"""One handler, one outcome: in the loop, in a thread, or in a process of its own."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
import time
import traceback
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from stanchion.domain.kinds import ErrorInfo, Kind, classify
from stanchion.domain.outcome import Cancelled, Completed, Failed, Lost, Outcome, Released, Snoozed
from stanchion.engine.context import Context, Recorder
from stanchion.engine.control import Cancel, Snooze
from stanchion.errors import LeaseLostError, PayloadError
from stanchion.files import File
from stanchion.payload import UNREADABLE, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from stanchion.domain.job import Lease
    from stanchion.domain.kinds import Rule
    from stanchion.engine.hooks import Hooks
    from stanchion.engine.spec import TaskSpec

log = logging.getLogger("stanchion.worker")

COARSE: Final = 2_000
"""Timeouts above so many ms are watched by a sweep over what runs, four times a second."""
STARVED: Final = 5_000
"""How long a job waits, unspent, when the machine has no thread or process left to run it, in ms."""
MAX_TRACE: Final = 8_000
_PLAIN: Final = (str, int, float, bool)


class Running:
    """An attempt under way: how it is asked to stop, and why."""

    __slots__ = ("asked", "context", "deadline", "late", "lease", "lost", "stopping", "task")

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.task: asyncio.Task[None] | None = None
        self.context: Context | None = None
        self.deadline: float | None = None
        self.late = False
        self.asked = lease.cancel_requested
        self.lost = False
        self.stopping = False

    def ask_cancel(self) -> None:
        """Ask softly: the flag, and `CancelledError` where the handler awaits."""
        if not self.asked:
            self.asked = True
            self._interrupt()

    def lose(self) -> None:
        """The lease is gone: stop, and settle nothing."""
        if not self.lost:
            self.lost = True
            self._interrupt()

    def release(self) -> None:
        """The worker stops: give the job back."""
        if not self.stopping:
            self.stopping = True
            self._interrupt()

    def expire(self) -> None:
        """Its time is over."""
        if not self.late:
            self.late = True
            self._interrupt()

    def _interrupt(self) -> None:
        if self.context is not None:
            self.context.ask_cancel()
        if self.task is not None:
            self.task.cancel()


class Attempts:
    """Runs attempts of known tasks and answers with their outcome; never raises."""

    def __init__(
        self, recorder: Recorder, hooks: Hooks, threads: Executor, rules: Sequence[Rule], *, max_payload: int
    ) -> None:
        self._recorder, self._hooks, self._threads, self._rules = recorder, hooks, threads, rules
        self._max_payload = max_payload

    async def run(self, running: Running, spec: TaskSpec) -> Outcome:  # noqa: C901, PLR0911, PLR0912 - one branch for each ending
        """Run a handler to its end.

        A handler that swallows its cancellation and returns is completed; the store still ends a job
        `cancelled` whose cancel was asked.
        """
        lease = running.lease
        if running.asked:
            return Cancelled("cancelled before it started")
        timeout = lease.timeout if lease.timeout is not None else spec.timeout
        try:
            if not timeout:
                return await self._called(running, spec)
            if timeout > COARSE:  # the worker looks at all deadlines together
                running.deadline = time.monotonic() + timeout / 1000
                return await self._called(running, spec)
            exact = asyncio.get_running_loop().call_later(timeout / 1000, running.expire)
            try:
                return await self._called(running, spec)
            finally:
                exact.cancel()
        except asyncio.CancelledError:
            return self._stopped(running, timeout)
        except StarvedError as error:
            return starved(lease, error)
        except Snooze as asked:
            return Snoozed(asked.delay)
        except Cancel as asked:
            return Cancelled(asked.reason)
        except LeaseLostError:
            running.lost = True
            return Lost("its lease was lost")
        except PayloadError as error:
            return self._failed(lease, error)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises becomes an outcome
            return self._failed(lease, error)
        except BaseException as error:  # noqa: BLE001 - SystemExit of a handler must not end the worker
            return Failed(ErrorInfo(Kind.INTERNAL, f"the handler raised {type(error).__name__}: {error}"))
        finally:
            if running.context is not None:
                await running.context.close()

    async def _called(self, running: Running, spec: TaskSpec) -> Completed:
        lease, codec = running.lease, spec.codec
        load = self._recorder.artifacts.get
        positional, named = codec.decode(lease.args, load)
        if spec.takes_context or self._hooks.around_attempt:
            running.context = self._context_of(lease)
        if self._hooks.around_attempt and running.context is not None:
            context = running.context
            result = await self._hooks.attempted(context, lambda: self._call(running, spec, positional, named))
        elif spec.is_async and spec.isolation != "thread":
            leading = (running.context,) if spec.takes_context else ()
            result = await spec.function(*leading, *positional, **named)
        else:
            result = await self._call(running, spec, positional, named)
        if result is None:
            return Completed(None)
        return Completed(await self._encoded(running, spec, result))

    async def _call(self, running: Running, spec: TaskSpec, positional: list[object], named: dict[str, object]) -> Any:  # noqa: ANN401 - a handler's own result
        context = running.context
        if spec.is_async and spec.isolation != "thread":
            leading = (context,) if spec.takes_context else ()
            return await spec.function(*leading, *positional, **named)
        leading = (context.sync,) if spec.takes_context and context is not None else ()
        if spec.is_async:
            leading = (context,) if spec.takes_context else ()
        return await self._elsewhere(functools.partial(spec.function, *leading, *positional, **named), spec.is_async)

    async def _elsewhere(self, call: Callable[[], Any], is_async: bool) -> Any:  # noqa: ANN401, FBT001 - a handler's own result
        """Return what a handler in a thread returns; a coroutine function gets an event loop of its own there."""
        if is_async:
            call = functools.partial(_in_loop_of_its_own, call)
        within = contextvars.copy_context()
        return await self._in_thread(lambda: within.run(_carried, call))

    async def _in_thread(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - a handler's own result
        """Return what a call in a thread of the pool returns.

        Raises:
            StarvedError: There is no thread for it, and it was not called.
        """
        future: Future[Any] = Future()
        try:
            self._threads.submit(_fulfil, future, call)
        except RuntimeError as error:
            # The pool keeps what it could start no thread for: one that lives may take it, unless it is taken back.
            if future.cancel():
                message = f"there is no thread for it: {error}"
                raise StarvedError(message) from error
        return await asyncio.wrap_future(future)

    def _context_of(self, lease: Lease) -> Context:
        try:
            return Context(lease, self._recorder, bound(lease))
        except UNREADABLE as error:
            raise unreadable(f"The metadata of job {lease.id}", error) from error

    async def _encoded(self, running: Running, spec: TaskSpec, result: object) -> bytes | None:
        limit = spec.max_payload or self._max_payload
        put = self._recorder.artifacts.put
        if not spec.codec.gives_files or isinstance(result, _PLAIN):
            return spec.codec.encode_result(result, limit, put)
        files: list[File] = []
        try:
            data = await asyncio.to_thread(spec.codec.encode_result, result, limit, put, files)
        except RuntimeError:  # no thread for it; what the handler made is worth more than a moment of the loop
            files = []
            data = spec.codec.encode_result(result, limit, put, files)
        if files:
            context = running.context or self._context_of(running.lease)
            for place, file in enumerate(files):
                await context.output(file, name=file.name or ("result" if len(files) == 1 else f"result-{place + 1}"))
        return data

    def _stopped(self, running: Running, timeout: int | None) -> Outcome:
        if running.late:
            return Failed(ErrorInfo(Kind.TIMEOUT, f"ran longer than its timeout of {(timeout or 0) / 1000:g} s"))
        if running.asked:
            return Cancelled()
        if running.stopping:
            return Released("its worker stops")
        if running.lost:
            return Lost("its lease was lost")
        return Failed(ErrorInfo(Kind.INTERNAL, "the handler raised CancelledError although nobody cancelled it"))

    def _failed(self, lease: Lease, error: BaseException) -> Failed:
        info = classify(error, self._rules)
        if isinstance(error, PayloadError) and info.kind is Kind.INTERNAL:
            info = info._replace(kind=Kind.VALIDATION)
        trace = "".join(traceback.format_exception(error))[-MAX_TRACE:]
        bound(lease).warning("attempt failed: %s: %s", info.kind.value, info.message, exc_info=error)
        return Failed(info._replace(trace=trace))


class StarvedError(Exception):
    """The machine has no thread or process left; the handler was not called."""


def starved(lease: Lease, error: StarvedError) -> Snoozed:
    """Return the outcome of an attempt that could not begin, and say so."""
    bound(lease).warning(
        "job %s cannot run here now: %s; it is tried again in %g s. Raise the limits of this user (`ulimit -n`, "
        "`ulimit -u`) or run fewer slots",
        lease.id,
        error,
        STARVED / 1000,
    )
    return Snoozed(STARVED)


def _fulfil(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - carried to the loop
        future.set_exception(error)
        del future  # the trace of the error holds this frame
    else:
        future.set_result(result)


def _carried(call: Callable[[], Any]) -> Any:  # noqa: ANN401 - a handler's own result
    """Call a handler in its thread; what no future can carry to the loop becomes an ordinary error."""
    try:
        return call()
    except (StopIteration, GeneratorExit) as error:
        message = f"the handler raised {type(error).__name__}"
        raise RuntimeError(message) from error


def _in_loop_of_its_own(call: Callable[[], Any]) -> Any:  # noqa: ANN401 - a handler's own result
    """Run a coroutine function in a thread, in an event loop of its own, so that it may block."""
    return asyncio.run(call())


def bound(lease: Lease) -> logging.LoggerAdapter[logging.Logger]:
    """Return a logger with the attempt's facts bound."""
    facts = {
        "job": lease.id,
        "task": lease.task,
        "attempt": lease.attempt,
        "tenant": lease.tenant,
        "correlation_id": lease.correlation_id,
    }
    return logging.LoggerAdapter(log, facts)
