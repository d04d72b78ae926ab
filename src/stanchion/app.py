"""The composition root: settings in, a running Stanchion out. The only place that picks a store."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar, overload

import msgspec

from stanchion import settings as settings_
from stanchion.domain.job import State
from stanchion.domain.query import ALL, Filter
from stanchion.domain.resources import advertised
from stanchion.engine.artifacts import Artifacts
from stanchion.engine.batch import Batch
from stanchion.engine.cache import Levels, MemoryCache
from stanchion.engine.cells import Cells
from stanchion.engine.context import Recorder
from stanchion.engine.hooks import Hooks, StateChange
from stanchion.engine.maintain import Maintainer
from stanchion.engine.model import ModelOption
from stanchion.engine.scheduling import OverlapWord, rule_of
from stanchion.engine.spec import Isolation, Registry
from stanchion.engine.submit import Duration, Submitter
from stanchion.engine.watch import Watch
from stanchion.engine.watchers import Interest
from stanchion.engine.work import Worker
from stanchion.errors import MissingExtraError, NotFoundError, StoreError, UsageError
from stanchion.flow import Workflow, find
from stanchion.handle import Job, Ports
from stanchion.limits import Limits
from stanchion.queues import Queue, states_of
from stanchion.resources import Resources
from stanchion.results import ResultCache, SyncResultCache
from stanchion.schedules import Declared, Schedules, SyncSchedules
from stanchion.stores import open_store
from stanchion.sync import Portal
from stanchion.task import Decorator, Task, make_spec
from stanchion.tenants import Tenants

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
    from types import TracebackType

    from stanchion.domain import job as domain
    from stanchion.domain.intake import Conflict, Pressure, Warned
    from stanchion.domain.keys import Share
    from stanchion.domain.kinds import Rule
    from stanchion.domain.normal import Normalize
    from stanchion.domain.resources import Given
    from stanchion.domain.retry import RetryPolicy
    from stanchion.domain.schedule import Rule as Ticks
    from stanchion.domain.units import Instant
    from stanchion.engine.context import Context, SyncContext
    from stanchion.engine.control import Retry
    from stanchion.engine.hooks import AroundAttempt, BeforeEnqueue, OnOverflow, OnState
    from stanchion.engine.submit import Submission
    from stanchion.payload import Codec
    from stanchion.settings import Settings
    from stanchion.store import Enqueued, QueueStats, Refused, Store, WorkerRow

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound="Callable[..., Any]")
TaskT = TypeVar("TaskT", bound="Task[..., Any]")

log = logging.getLogger("stanchion")


class Stanchion:
    """An application's queue: tasks, and the store that keeps their jobs.

    Args:
        url: `sqlite:///relative.db`, `sqlite:////absolute.db` or `memory://`.
        target: How a spawned process finds this object, `module:attribute`; filled in by the command line.
        settings: Further settings by name (see `stanchion.settings.Settings`).
    """

    def __init__(self, url: str | None = None, *, target: str | None = None, **settings: Any) -> None:  # noqa: ANN401 - checked by Settings
        self.settings: Settings = settings_.load({"url": url, **settings})
        self.target = target
        self.tasks = Tasks()
        self.registry = Registry()
        self.hooks = Hooks()
        self.rules: list[Rule] = []
        self._declared: list[Declared] = []
        self.artifacts = Artifacts(self.settings.artifact_folder)
        self._portal = Portal()
        self._store: Store | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._submitter: Submitter | None = None
        self._watch: Watch | None = None
        self._ports: Ports | None = None
        self._levels: Levels | None = None
        self.cache = ResultCache(self._reach_cache, self._now)
        self._observer: asyncio.Task[None] | None = None
        self._opening: asyncio.Lock | None = None

    # --- tasks and hooks --------------------------------------------------------------------------------------

    @overload
    def task(self, function: Callable[Concatenate[Context, P], Awaitable[R]], /) -> Task[P, R]: ...
    @overload
    def task(self, function: Callable[Concatenate[SyncContext, P], R], /) -> Task[P, R]: ...
    @overload
    def task(self, function: Callable[P, Awaitable[R]], /) -> Task[P, R]: ...
    @overload
    def task(self, function: Callable[P, R], /) -> Task[P, R]: ...
    @overload
    def task(
        self,
        *,
        name: str | None = None,
        queue: str = "default",
        priority: int | str = "normal",
        timeout: Duration | None = 600.0,
        retry: Retry | RetryPolicy | int = 3,
        isolation: Isolation | None = None,
        dedup_window: Duration = 0,
        expires_in: Duration | None = None,
        max_payload: int | None = None,
        secret: Iterable[str] = (),
        version: int = 1,
        normalize: Mapping[str, Normalize] | None = None,
        cache: bool | None = None,
        cache_ttl: Duration | None = None,
        share: Share = "tenant",
        limits: Mapping[str, int] | Iterable[str] = (),
        cost: Callable[..., float] | None = None,
        model: ModelOption = None,
        batch: Batch | None = None,
        resources: Mapping[str, int] | Iterable[str] = (),
        conflict: Conflict | None = None,
    ) -> Decorator: ...
    def task(  # pyright: ignore[reportInconsistentOverload] - the options are checked by `task_of`
        self, function: Callable[..., Any] | None = None, /, **options: Any
    ) -> Any:
        """Register a function as a task; with or without options.

        Args:
            function: `async def` runs in the worker's loop, `def` in a thread; a first parameter annotated
                `Context` (or named `ctx`) receives the context.
            options: `name`, `queue`, `priority`, `timeout` (None: none), `retry`, `isolation`
                (`loop`, `thread`, `process`), `dedup_window`, `expires_in`, `max_payload`, `secret`, `version`;
                `normalize` (rules by argument for comparing requests), `cache` (True: 30 days), `cache_ttl`, and
                `share` (`"all"`: cached results are for all tenants); `limits` (keys that its jobs count for, such as
                `["provider:x"]`, or a mapping to weights); `cost` (a function of arguments of the task that tells how
                much work a request is, above 0: how long jobs take is learned by it); `model` (the model that must be
                loaded to run it, or a function of arguments that names it: workers prefer jobs whose model they have
                loaded); `batch` (`Batch(max_size=4)`: jobs may run together, by the function that `@task.together`
                gives); `resources` (what each job holds while it runs, such as `{"gpu": 1, "vram_gb": 12}`: see
                `run_worker` and `app.resources`); `conflict` (a key of which one job of a tenant runs at a time, and
                who gives way).

        Raises:
            UsageError: The function or an option cannot be used.
            TaskConflictError: Another function has the name.
        """
        if function is not None:
            return self.task_of(function, **options)

        def decorate(later: Callable[..., Any]) -> Task[..., Any]:
            return self.task_of(later, **options)

        return decorate

    def task_of(  # noqa: PLR0913 - each is an option of its own
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        queue: str = "default",
        priority: int | str = "normal",
        timeout: Duration | None = 600.0,
        retry: Retry | RetryPolicy | int = 3,
        isolation: Isolation | None = None,
        dedup_window: Duration = 0,
        expires_in: Duration | None = None,
        max_payload: int | None = None,
        secret: Iterable[str] = (),
        version: int = 1,
        normalize: Mapping[str, Normalize] | None = None,
        cache: bool | None = None,
        cache_ttl: Duration | None = None,
        share: Share = "tenant",
        limits: Mapping[str, int] | Iterable[str] = (),
        cost: Callable[..., float] | None = None,
        model: ModelOption = None,
        batch: Batch | None = None,
        resources: Mapping[str, int] | Iterable[str] = (),
        conflict: Conflict | None = None,
    ) -> Task[..., Any]:
        """Register a function and return its task; what `task` does."""
        spec = make_spec(
            function,
            name=name,
            queue=queue,
            priority=priority,
            timeout=timeout,
            retry=retry,
            isolation=isolation,
            dedup_window=dedup_window,
            expires_in=expires_in,
            max_payload=max_payload,
            secret=secret,
            version=version,
            normalize=normalize,
            cache=cache,
            cache_ttl=cache_ttl,
            share=share,
            limits=limits,
            cost=cost,
            model=model,
            batch=batch,
            resources=resources,
            conflict=conflict,
        )
        self.registry.add(spec)
        task: Task[..., Any] = Task(self, spec)
        self.tasks[spec.name] = task
        return task

    def schedule(  # noqa: PLR0913 - each is an option of its own
        self,
        rule: Ticks | str,
        /,
        *,
        tz: str | None = None,
        name: str | None = None,
        args: Mapping[str, Any] | None = None,
        overlap: OverlapWord = "allow",
        catch_up: Duration | None = None,
    ) -> Callable[[TaskT], TaskT]:
        """Enqueue a task by a rule: stands above `@app.task`, and is stored whenever an app with it is opened.

        Args:
            rule: A cron text such as `"0 7 * * *"`, or `every("15m")`.
            tz: The IANA time zone of a cron text; UTC by default.
            name: The schedule's name; the task's by default.
            args: The arguments of each job, by name.
            overlap: What a tick does while the previous job has not ended: `allow`, `skip` or `cancel_running`.
            catch_up: Ticks missed by at most so long, because nothing ran, are fired late, each of them; by default
                only the latest, up to a minute late.

        Raises:
            UsageError: The rule cannot be used, what is below is no task, or the name is taken.
        """
        try:
            ticks = rule_of(rule, tz)
        except ValueError as error:
            message = f"A schedule cannot be used: {error}."
            raise UsageError(message, remedy="Correct it where it is declared.") from error

        def declare(task: TaskT) -> TaskT:
            given: Any = task
            if not isinstance(given, Task):
                message = f"@app.schedule stands on {getattr(given, '__name__', given)!r}, which is no task."
                raise UsageError(message, remedy="Write @app.task below it, next to the function.")
            named = name or task.name
            if any(named == other.name for other in self._declared):
                message = f"Two schedules are named {named!r}."
                raise UsageError(message, remedy="Give one of them another name=.")
            self._declared.append(Declared(named, ticks, task.request(**(args or {})).submission, overlap, catch_up))
            return task

        return declare

    def before_enqueue(self, hook: BeforeEnqueue) -> BeforeEnqueue:
        """Call a function with each request before it is validated; it may return another, or raise to refuse."""
        self.hooks.before_enqueue.append(hook)
        return hook

    def around_attempt(self, hook: AroundAttempt) -> AroundAttempt:
        """Wrap each attempt: `async def hook(ctx, call): ...; return await call()`."""
        self.hooks.around_attempt.append(hook)
        return hook

    def on_state(self, hook: OnState) -> OnState:
        """Call a function on every change of any job's state, while this app is open here."""
        self.hooks.on_state.append(hook)
        return hook

    def on_overflow(self, hook: OnOverflow) -> OnOverflow:
        """Call a function when a request of this process takes a queue, tenant or user to its warning level.

        Once for each crossing: not again before the number of its jobs has fallen to four fifths of the level.
        """
        self.hooks.on_overflow.append(hook)
        return hook

    def classify(self, rule: Rule) -> Rule:
        """Add a rule that names the error kind of an exception, or passes with None; asked before the built-in ones."""
        self.rules.append(rule)
        return rule

    def relocate(self, url: str) -> None:
        """Use another store; only before the app is opened."""
        self.configure(url=url)

    def configure(self, **settings: Any) -> None:  # noqa: ANN401 - checked by Settings
        """Change settings by name; only before the app is opened.

        Raises:
            ConfigError: A value does not fit.
            UsageError: The app is open.
        """
        if self._store is not None:
            message = "The app is open; its settings are fixed."
            raise UsageError(message, remedy="Close it first.")
        self.settings = settings_.load({**msgspec.structs.asdict(self.settings), **settings})
        self.artifacts = Artifacts(self.settings.artifact_folder)

    # --- opening and closing ----------------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        """The store, opened.

        Raises:
            StoreError: The app is not open.
        """
        if self._store is None:
            message = "The app is not open."
            raise StoreError(message, remedy="Use `async with app:`, or `await app.open()` first.")
        return self._store

    @property
    def watch(self) -> Watch:
        """The watch of this process."""
        if self._watch is None:
            message = "The app is not open."
            raise StoreError(message, remedy="Use `async with app:`, or `await app.open()` first.")
        return self._watch

    async def open(self) -> Self:
        """Open the store; done on first use, too. Idempotent."""
        if self._store is not None:
            return self
        if self._opening is None:
            self._opening = asyncio.Lock()
        async with self._opening:
            if self._store is None:
                store = open_store(self.settings.url)
                await store.open()
                self._loop = asyncio.get_running_loop()
                self._watch = Watch(store)
                self._levels = Levels([MemoryCache(self.settings.cache_memory, store.now), store.cache], store.now)
                self._submitter = Submitter(
                    store,
                    self.registry,
                    self.hooks,
                    self.artifacts,
                    max_payload=self.settings.max_payload,
                    levels=self._levels,
                )
                self._ports = Ports(store, self._watch, self.artifacts, self._codec_of)
                if self.hooks.on_state:
                    watching = asyncio.Event()
                    self._observer = asyncio.create_task(self._observe(watching), name="stanchion-observer")
                    await watching.wait()
                self._store = store
                if self._declared:
                    await self._put_declared(store)
        return self

    async def _put_declared(self, store: Store) -> None:
        """Store the schedules that stand in code; an app that has one that cannot be used is not opened."""
        try:
            await store.put_schedules([await declared.ready(self) for declared in self._declared])
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Finish what is on its way and close the store. Idempotent."""
        self._opening = None
        store, self._store = self._store, None
        if store is None:
            return
        if self._observer is not None:
            self._observer.cancel()
            await asyncio.gather(self._observer, return_exceptions=True)
            self._observer = None
        if self._submitter is not None:
            await self._submitter.flush()
        if self._levels is not None:
            await self._levels.close()
        if self._watch is not None:
            await self._watch.close()
        await store.close()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @asynccontextmanager
    async def lifespan(self, _asgi: object = None) -> AsyncGenerator[None]:
        """Open and close with a web application: `FastAPI(lifespan=app.lifespan)`."""
        async with self:
            yield

    async def _observe(self, watching: asyncio.Event) -> None:
        """Tell the hooks of every change of state; a hook that raises is logged and the next is told."""
        while True:
            async with self.watch.open(Interest(ALL, everything=True)) as watcher:
                watching.set()
                while watcher.ended is None:
                    for notice in await watcher.take():
                        if notice.event is None or notice.job is None:
                            continue
                        event = notice.event
                        try:
                            await self.hooks.changed(StateChange(notice.job, event.state, event.version, event.attempt))
                        except Exception:
                            log.exception("a state hook failed for job %s", event.id)
                if watcher.ended == "closed":
                    return
                log.warning("state hooks missed changes: their watch ended (%s) and begins anew", watcher.ended)

    # --- requests ---------------------------------------------------------------------------------------------

    def submit_one(self, submission: Submission) -> Awaitable[Enqueued]:
        """Store one request; concurrent calls share a transaction."""
        if self._submitter is None or self._store is None:
            return self._open_and_submit(submission)
        return self._submitter.one(submission)

    async def _open_and_submit(self, submission: Submission) -> Enqueued:
        await self.open()
        return await self._submitting.one(submission)

    async def submit(self, batch: Sequence[Submission], /, *, atomic: bool = False) -> list[Enqueued | Refused]:
        """Store requests, up to 10,000 in one transaction; each has its own answer, in order.

        With `atomic`, one refusal refuses all (at most 10,000), and nothing is stored.
        """
        if self._store is None:
            await self.open()
        return await self._submitting.many(batch, atomic=atomic)

    async def prepare(self, submission: Submission, /) -> domain.NewJob:
        """Validate a request as an enqueue would, without storing it.

        Raises:
            UsageError: It does not fit.
        """
        if self._store is None:
            await self.open()
        return await self._submitting.prepare(submission)

    async def submit_together(self, batch: Sequence[Submission], /) -> list[Enqueued]:
        """Store requests in one transaction, all or none; answers in order.

        Raises:
            StanchionError: One was refused; nothing was stored.
        """
        await self.open()
        return await self._submitting.together(batch)

    @property
    def _submitting(self) -> Submitter:
        if self._submitter is None:
            message = "The app is not open."
            raise StoreError(message, remedy="Use `async with app:`, or `await app.open()` first.")
        return self._submitter

    def _codec_of(self, name: str) -> Codec | None:
        return self.registry.get(name).codec if name in self.registry else None

    @property
    def ports(self) -> Ports:
        """What handles are made with.

        Raises:
            StoreError: The app is not open.
        """
        if self._ports is None:
            message = "The app is not open."
            raise StoreError(message, remedy="Use `async with app:`, or `await app.open()` first.")
        return self._ports

    def handle(
        self, job_id: str, state: State, *, new: bool = True, cached: bool = False, warnings: tuple[Warned, ...] = ()
    ) -> Job[Any]:
        """Return a handle of a job."""
        return Job(self.ports, job_id, state, new=new, cached=cached, warnings=warnings)

    def handle_of(self, facts: domain.Job) -> Job[Any]:
        """Return a handle of a job that was read."""
        return Job(self.ports, facts.id, facts.state, facts=facts)

    async def job(self, job_id: str) -> Job[Any]:
        """Return a job by id.

        Raises:
            NotFoundError: There is none.
        """
        await self.open()
        (found,) = await self.store.inspect([job_id])
        if found is None:
            message = f"No job {job_id}."
            raise NotFoundError(message)
        return self.handle_of(found)

    async def jobs(  # noqa: PLR0913 - each is a filter of its own
        self,
        state: State | str | Iterable[State | str] | None = None,
        *,
        queue: str | None = None,
        task: str | None = None,
        user: str | None = None,
        tag: str | None = None,
        workflow: str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> list[Job[Any]]:
        """Return jobs, newest first."""
        await self.open()
        filter_ = Filter(states=states_of(state), queue=queue, task=task, user=user, tag=tag, workflow=workflow)
        page = await self.store.list(filter_, limit=limit, after=after)
        return [self.handle_of(job) for job in page.jobs]

    async def workflow(self, workflow_id: str) -> Workflow[Any]:
        """Return a workflow by id.

        Raises:
            NotFoundError: No job belongs to it.
        """
        await self.open()
        return await find(self.ports, workflow_id)

    def queue(self, name: str) -> Queue:
        """Return a queue to operate on; the app must be open."""
        return Queue(name, self.store, self.handle_of)

    @property
    def tenants(self) -> Tenants:
        """The tenants and their shares; the app must be open."""
        return Tenants(self.store)

    @property
    def schedules(self) -> Schedules:
        """The schedules: put, list, pause, resume, run now, delete."""
        return Schedules(self)

    async def _reach_cache(self) -> Levels:
        await self.open()
        assert self._levels is not None
        return self._levels

    def _now(self) -> Instant:
        return self.store.now()

    @property
    def limits(self) -> Limits:
        """What may run at once and start per period: set, dropped, listed and parked while jobs run."""
        return Limits(self._opened)

    @property
    def resources(self) -> Resources:
        """What jobs hold while they run: listed, and shared between all workers."""
        return Resources(self._opened)

    async def _opened(self) -> Store:
        await self.open()
        return self.store

    async def pressure(self) -> Pressure:
        """Return the keys that have a bound on their jobs, with how many there are, and who is slowed down."""
        await self.open()
        return await self.store.pressure()

    async def stats(self) -> list[QueueStats]:
        """Return all queues with their counts by state."""
        await self.open()
        return await self.store.stats()

    async def workers(self) -> list[WorkerRow]:
        """Return the registry of workers."""
        await self.open()
        return await self.store.workers()

    # --- work -------------------------------------------------------------------------------------------------

    def worker(  # noqa: PLR0913 - each is an option of its own
        self,
        *,
        queues: Sequence[str] | None = None,
        slots: int | None = None,
        grace: float | None = None,
        supervisor: str | None = None,
        cell_command: Sequence[str] | None = None,
        models: int | None = None,
        resources: Given | None = None,
    ) -> Worker:
        """Return a worker on this app's store; with a supervisor it does not beat for itself."""
        from stanchion import __version__  # noqa: PLC0415 - the package imports this module

        cells = None if cell_command is None else Cells(cell_command, Recorder(self.store, self.artifacts))
        return Worker(
            self.store,
            self.registry,
            self.hooks,
            self.artifacts,
            queues=queues,
            slots=slots or self.settings.slots,
            profile=self.settings.lease,
            grace=self.settings.grace if grace is None else grace,
            beats=supervisor is None,
            supervisor=supervisor,
            rules=self.rules,
            max_payload=self.settings.max_payload,
            version=__version__,
            cells=cells,
            models=models or self.settings.models,
            resources=advertised(resources or {}),
        )

    async def run_worker(  # noqa: PLR0913 - each is an option of its own
        self,
        *,
        queues: Sequence[str] | None = None,
        slots: int | None = None,
        stop: asyncio.Event | None = None,
        burst: bool = False,
        grace: float | None = None,
        models: int | None = None,
        resources: Given | None = None,
    ) -> None:
        """Run jobs in this process until `stop` is set, or (`burst`) until nothing is left.

        For development, tests and light work: a handler that blocks the event loop or holds the interpreter
        lock also blocks this worker's heartbeat, and a task with `isolation="process"` runs in a thread or in
        the loop. `stanchion worker` has neither weakness. `models` is how many models stay loaded at once; the setting
        of that name by default.

        `resources` is what this worker has for jobs that ask for it: `{"gpu": 2}` are the devices `gpu:0` and `gpu:1`,
        `{"gpu": ["a", "b"]}` names them, `{"gpu": {"0": 4}}` is one that up to four jobs share, and of any other name
        a number is an amount, such as `{"vram_gb": 24}`.
        """
        await self.open()
        worker = self.worker(queues=queues, slots=slots, grace=grace, models=models, resources=resources)
        worker.levels = self._levels
        upkeep = asyncio.create_task(
            Maintainer(self.store, self.artifacts, self.settings.lease, self.settings.retention).run()
        )
        try:
            await worker.run(stop or asyncio.Event(), burst=burst)
        finally:
            upkeep.cancel()
            await asyncio.gather(upkeep, return_exceptions=True)

    # --- other faces ------------------------------------------------------------------------------------------

    def asgi(self) -> Any:  # noqa: ANN401 - an ASGI application
        """Return the HTTP API, streams and dashboard as an ASGI application, to mount or to serve.

        Raises:
            MissingExtraError: The extra `server` is not installed.
        """
        try:
            from stanchion.server.app import build  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as error:
            if error.name and error.name.startswith("stanchion"):
                raise
            extra = "server"
            raise MissingExtraError(extra, "The HTTP server") from error
        return build(self)

    def blocking(self, call: Coroutine[Any, Any, R]) -> R:
        """Run a coroutine for a blocking caller, in a loop of its own thread."""
        return self._portal.call(call)

    @property
    def sync(self) -> SyncApp:
        """The same names for blocking callers: `with app.sync as sync: ...`."""
        return SyncApp(self)

    def stop_portal(self) -> None:
        """End the thread of the blocking callers."""
        if self._portal.started:
            self._portal.call(self.close())
            self._portal.stop()


class Tasks(dict[str, Task[..., Any]]):
    """The tasks of an app by name."""


class SyncApp:
    """An app for blocking callers; closes the app when its block ends."""

    def __init__(self, app: Stanchion) -> None:
        self._app = app

    def __enter__(self) -> Self:
        self._app.blocking(self._app.open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._app.stop_portal()

    def submit(self, batch: Sequence[Submission]) -> list[Enqueued | Refused]:
        """See `Stanchion.submit`."""
        return self._app.blocking(self._app.submit(batch))

    def job(self, job_id: str) -> Any:  # noqa: ANN401 - a SyncJob of any result
        """See `Stanchion.job`."""
        from stanchion.task import SyncJob  # noqa: PLC0415 - only here

        return SyncJob(self._app.blocking(self._app.job(job_id)), self._app)

    @property
    def schedules(self) -> SyncSchedules:
        """See `Stanchion.schedules`."""
        return SyncSchedules(self._app.schedules, self._app.blocking)

    def pressure(self) -> Pressure:
        """See `Stanchion.pressure`."""
        return self._app.blocking(self._app.pressure())

    def stats(self) -> list[QueueStats]:
        """See `Stanchion.stats`."""
        return self._app.blocking(self._app.stats())

    @property
    def cache(self) -> SyncResultCache:
        """See `Stanchion.cache`."""
        return SyncResultCache(self._app.cache, self._app.blocking)

    def workers(self) -> list[WorkerRow]:
        """See `Stanchion.workers`."""
        return self._app.blocking(self._app.workers())
