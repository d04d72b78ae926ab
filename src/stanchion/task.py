"""`@app.task` and what it makes of a function: a `Task` that enqueues, typed by the function's own signature."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from stanchion.domain.cache import DEFAULT_TTL
from stanchion.domain.dependency import Dependency, Policy
from stanchion.domain.intake import conflict as conflict_of
from stanchion.domain.job import State
from stanchion.domain.limits import weights
from stanchion.domain.priority import priority as priority_of
from stanchion.domain.resources import asked
from stanchion.domain.retry import RetryPolicy
from stanchion.engine.batch import Batch, Items, SyncItems, batching, together
from stanchion.engine.collector import paused
from stanchion.engine.context import Context, SyncContext
from stanchion.engine.control import Retry
from stanchion.engine.cost import costing, names_taken
from stanchion.engine.model import ModelOption, modelling
from stanchion.engine.spec import Isolation, Registry, TaskSpec
from stanchion.engine.submit import NO_OPTIONS, Duration, JobOptions, Submission, span
from stanchion.errors import UsageError
from stanchion.flow import Request, Starter
from stanchion.handle import Job
from stanchion.payload import Codec
from stanchion.store import Enqueued, Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
    from datetime import datetime

    from stanchion.domain.intake import Conflict, Warned
    from stanchion.domain.keys import Share
    from stanchion.domain.normal import Normalize

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Host(Starter, Protocol):
    """What a task needs of its app."""

    def submit_one(self, submission: Submission) -> Awaitable[Enqueued]:
        """Store one request."""
        ...

    @property
    def registry(self) -> Registry:
        """The tasks by name."""
        ...

    async def submit(self, batch: Sequence[Submission], /) -> list[Enqueued | Refused]:
        """Store requests."""
        ...

    def handle(
        self, job_id: str, state: State, *, new: bool = True, cached: bool = False, warnings: tuple[Warned, ...] = ()
    ) -> Job[Any]:
        """Return a handle of a job."""
        ...

    def blocking(self, call: Coroutine[Any, Any, R]) -> R:
        """Run a coroutine for a blocking caller."""
        ...


class Task(Generic[P, R]):
    """A registered function. Calling it runs it here and now; `enqueue` stores a job."""

    def __init__(self, host: Host, spec: TaskSpec, options: JobOptions = NO_OPTIONS) -> None:
        self._host, self.spec, self._options = host, spec, options
        self.name, self.queue = spec.name, spec.queue
        self.__doc__ = spec.function.__doc__
        self.__wrapped__: Callable[..., Any] = spec.function

    def __repr__(self) -> str:
        return f"Task({self.name!r})"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the function as it is
        """Call the function itself, without a queue: for tests and for other functions."""
        return self.spec.function(*args, **kwargs)

    async def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> Job[R]:
        """Store a job with these arguments, durable on return.

        Raises:
            PayloadError: The arguments do not fit the function; nothing was stored.
            QueueFullError: The queue holds as many waiting jobs as it may; nothing was stored.
        """
        return self._handle(await self._host.submit_one(self._submission(args, kwargs)))

    def _handle(self, answer: Enqueued) -> Job[R]:
        return self._host.handle(
            answer.id, answer.state, new=answer.new, cached=answer.cached, warnings=answer.warnings
        )

    async def enqueue_many(self, arguments: Iterable[Mapping[str, Any]]) -> list[Job[R]]:
        """Store a job for each mapping of arguments, up to 10,000 in one transaction; answers in order.

        Raises:
            StanchionError: The first refusal; the requests before and after it are stored. Use
                `app.submit()` for an answer to each.
        """
        given = list(arguments)
        with paused(len(given)):
            options, name = self._options, self.name
            answers = await self._host.submit([Submission(name, item, options) for item in given])
            jobs: list[Job[R]] = []
            for answer in answers:
                if isinstance(answer, Refused):
                    raise answer.error
                jobs.append(self._handle(answer))
            return jobs

    @overload
    def together(
        self, function: Callable[[Items], Awaitable[Sequence[R | Exception]]], /
    ) -> Callable[[Items], Awaitable[Sequence[R | Exception]]]: ...
    @overload
    def together(
        self, function: Callable[[SyncItems], Sequence[R | Exception]], /
    ) -> Callable[[SyncItems], Sequence[R | Exception]]: ...
    def together(self, function: Callable[..., Any], /) -> Callable[..., Any]:
        """Give the function that runs several jobs of the task in one call; stands as `@paint.together` above it.

        It takes one argument, `Items` (`SyncItems` for a plain function, which runs in a thread), and returns a list
        with a result or an exception for each, in order: each job is settled on its own. What it raises holds for all.
        A job that is alone is run by the task's own function.

        Raises:
            UsageError: The task has no `batch=`, or the function does not take one argument.
        """
        self.spec = replace(self.spec, together=together(self.name, self.spec.batch, function))
        self._host.registry.add(self.spec)
        return function

    def request(self, *args: P.args, **kwargs: P.kwargs) -> Request[R]:
        """Return a request with these arguments, for a workflow; nothing is stored yet."""
        return Request(self._host, self._submission(args, kwargs))

    def named(self, arguments: Mapping[str, Any]) -> Request[R]:
        """Return a request with arguments by name, which are checked when it is stored."""
        return Request(self._host, Submission(self.name, arguments, self._options))

    def _submission(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Submission:
        return Submission(self.name, self.spec.codec.bind(args, kwargs), self._options)

    def options(  # noqa: PLR0913 - each is an option of its own
        self,
        *,
        queue: str | None = None,
        tenant: str | None = None,
        user: str | None = None,
        priority: int | str | None = None,
        delay: Duration | None = None,
        run_at: datetime | float | None = None,
        expires_in: Duration | None = None,
        expires_at: datetime | float | None = None,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        dedup_window: Duration | None = None,
        dedup_key: str | None = None,
        timeout: Duration | None = None,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        depends_on: Sequence[Job[Any] | Dependency | str] | None = None,
        parent_policy: Policy | str | None = None,
        workflow: str | None = None,
        cache: bool | None = None,
        limits: Mapping[str, int] | Iterable[str] | None = None,
        model: str | None = None,
        resources: Mapping[str, int] | Iterable[str] | None = None,
        conflict: Conflict | None = None,
        max_ahead: int | None = None,
    ) -> Task[P, R]:
        """Return the task with options for the jobs it enqueues; this one stays as it is.

        `cache=False` asks for a run of its own: it takes no cached result, joins nothing that runs (unless a dedup
        window or key says so), and its result is not kept. `cache=True` caches where the task does not. `model` names
        the model that a job needs, in place of the task's own; '' is none. `conflict` names a key of which one job of
        a tenant runs at a time; with `max_ahead` a job is refused where more would start before it.
        """
        given = JobOptions(
            queue=queue,
            tenant=tenant,
            user=user,
            priority=priority,
            delay=delay,
            run_at=run_at,
            expires_in=expires_in,
            expires_at=expires_at,
            tags=None if tags is None else _several("tags", tags),
            metadata=metadata,
            dedup_window=dedup_window,
            dedup_key=dedup_key,
            timeout=timeout,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
            correlation_id=correlation_id,
            depends_on=None if depends_on is None else _several("depends_on", depends_on),
            parent_policy=parent_policy,
            workflow=workflow,
            cache=cache,
            limits=None if limits is None else dict(weights(limits)),
            model=model,
            resources=None if resources is None else dict(asked(resources)),
            conflict=conflict,
            max_ahead=max_ahead,
        )
        return Task(self._host, self.spec, self._options.merged(given))

    @property
    def sync(self) -> SyncTask[P, R]:
        """The same, for blocking callers."""
        return SyncTask(self, self._host)

    @property
    def secret(self) -> frozenset[str]:
        """The names of the arguments that are never shown."""
        return self.spec.secret

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the arguments."""
        return self.spec.codec.schema()


class SyncTask(Generic[P, R]):
    """A task for blocking callers; its jobs have blocking methods."""

    def __init__(self, task: Task[P, R], host: Host) -> None:
        self._task, self._host = task, host

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> SyncJob[R]:
        """See `Task.enqueue`."""
        return SyncJob(self._host.blocking(self._task.enqueue(*args, **kwargs)), self._host)

    def enqueue_many(self, arguments: Iterable[Mapping[str, Any]]) -> list[SyncJob[R]]:
        """See `Task.enqueue_many`."""
        return [SyncJob(job, self._host) for job in self._host.blocking(self._task.enqueue_many(arguments))]


class SyncJob(Generic[R]):
    """A job with blocking methods."""

    def __init__(self, job: Job[R], host: Host) -> None:
        self._job, self._host = job, host
        self.id, self.new, self.cached = job.id, job.new, job.cached

    @property
    def state(self) -> State:
        """See `Job.state`."""
        return self._job.state

    @property
    def job(self) -> Job[R]:
        """The handle with awaitable methods."""
        return self._job

    def result(self, timeout: float | None = None) -> R:
        """See `Job.result`."""
        return self._host.blocking(self._job.result(timeout))

    def refresh(self) -> SyncJob[R]:
        """See `Job.refresh`."""
        self._host.blocking(self._job.refresh())
        return self

    def cancel(self) -> SyncJob[R]:
        """See `Job.cancel`."""
        self._host.blocking(self._job.cancel())
        return self

    def retry(self) -> SyncJob[R]:
        """See `Job.retry`."""
        self._host.blocking(self._job.retry())
        return self


class Decorator(Protocol):
    """What `@app.task(...)` returns: it makes a task of a function."""

    @overload
    def __call__(self, function: Callable[Concatenate[Context, P], Awaitable[R]], /) -> Task[P, R]: ...
    @overload
    def __call__(self, function: Callable[Concatenate[SyncContext, P], R], /) -> Task[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, Awaitable[R]], /) -> Task[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Task[P, R]: ...


def takes_context(function: Callable[..., Any]) -> bool:
    """Return whether a function's first parameter is a context: by its annotation, or by the name `ctx`."""
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters:
        return False
    first = parameters[0]
    if first.annotation is inspect.Parameter.empty:
        return first.name == "ctx"
    if isinstance(first.annotation, str):
        return first.annotation.rpartition(".")[2] in {"Context", "SyncContext"}
    return first.annotation in {Context, SyncContext}


def make_spec(  # noqa: PLR0913 - each is an option of its own
    function: Callable[..., Any],
    *,
    name: str | None,
    queue: str,
    priority: int | str,
    timeout: Duration | None,
    retry: Retry | RetryPolicy | int,
    isolation: Isolation | None,
    dedup_window: Duration,
    expires_in: Duration | None,
    max_payload: int | None,
    secret: Iterable[str],
    version: int,
    normalize: Mapping[str, Normalize] | None,
    cache: bool | None,
    cache_ttl: Duration | None,
    share: Share,
    limits: Mapping[str, int] | Iterable[str],
    cost: Callable[..., Any] | None,
    batch: Batch | None,
    model: ModelOption = None,
    resources: Mapping[str, int] | Iterable[str] = (),
    conflict: Conflict | None = None,
) -> TaskSpec:
    """Return the spec of a function.

    Raises:
        UsageError: The function or an option cannot be used.
    """
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        message = f"{function.__qualname__} is a generator."
        raise UsageError(message, remedy="Write an ordinary function, and give pieces out with ctx.output().")
    with_context = takes_context(function)
    task_name = name or function.__name__
    kind: Isolation = isolation or ("loop" if inspect.iscoroutinefunction(function) else "thread")
    if kind == "loop" and not inspect.iscoroutinefunction(function):
        message = f"{task_name!r} is a plain function and would block the event loop."
        raise UsageError(message, remedy="Leave isolation out (it runs in a thread), or make it `async def`.")
    codec = Codec(function, name=task_name, takes_context=with_context)
    _check_content(task_name, codec, normalize or {}, share)
    hidden = _secrets(codec, secret, model=model, batch=batch)
    policy = retry.policy if isinstance(retry, Retry) else retry
    try:
        own, told = modelling(codec, model)
        return TaskSpec(
            name=task_name,
            function=function,
            codec=codec,
            takes_context=with_context,
            queue=queue,
            priority=priority_of(priority),
            timeout=None if timeout is None else span(timeout),
            policy=RetryPolicy(max_attempts=policy) if isinstance(policy, int) else policy,
            isolation=kind,
            dedup_window=span(dedup_window),
            expires_in=None if expires_in is None else span(expires_in),
            max_payload=max_payload,
            secret=hidden,
            version=version,
            normalize=dict(normalize or {}),
            cache_ttl=_cache_ttl(cache, cache_ttl),
            share=share,
            limits=weights(limits),
            cost=costing(codec, cost),
            model=own,
            model_of=told,
            batch=batching(codec, batch, costed=cost is not None),
            resources=asked(resources),
            conflict=None if conflict is None else conflict_of(*conflict),
        )
    except ValueError as error:
        message = f"An option of task {task_name!r} cannot be used: {error}."
        raise UsageError(message, remedy="Correct it where the task is defined.") from error


def _secrets(codec: Codec, secret: Iterable[str], *, model: ModelOption, batch: Batch | None) -> frozenset[str]:
    """Return the names of secret arguments; refuses those that hide nothing, and what would show one."""
    names = frozenset([secret] if isinstance(secret, str) else secret)
    known = {parameter.name for parameter in codec.parameters}
    if unknown := sorted(names - known):
        message = f"Task {codec.name!r} has no argument {unknown[0]!r} to keep secret."
        raise UsageError(message, remedy=f"Its arguments are: {', '.join(sorted(known)) or 'none'}.")
    for what, function in (("model", model), ("batch key", batch.key if batch is not None else None)):
        shown = names.intersection(names_taken(codec, function, what)) if names and callable(function) else ()
        if shown:
            message = f"The {what} of task {codec.name!r} takes the secret argument {min(shown)!r}, and would show it."
            raise UsageError(message, remedy="Let it depend on other arguments.")
    return names


def _several(what: str, given: Iterable[T]) -> tuple[T, ...]:
    """Return what was given as a list; a text would be taken for the list of its letters."""
    if isinstance(given, str):
        message = f"{what} was given the text {given!r:.80}."
        raise UsageError(message, remedy=f"Write {what}=[{given!r:.80}].")
    return tuple(given)


def _cache_ttl(cache: bool | None, ttl: Duration | None) -> int:  # noqa: FBT001 - an option as it was given
    """Return how long results are kept, in ms; 0: they are not."""
    if cache is False:
        if ttl is not None:
            message = "cache_ttl needs a cache, and cache=False turns it off"
            raise ValueError(message)
        return 0
    if ttl is not None:
        return span(ttl)
    return DEFAULT_TTL if cache else 0


def _check_content(task: str, codec: Codec, normalize: Mapping[str, Normalize], share: str) -> None:
    """Refuse rules for arguments that are not there, and a sharing that is none."""
    known = {parameter.name for parameter in codec.parameters}
    unknown = sorted(normalize.keys() - known)
    if unknown:
        message = f"Task {task!r} has no argument {unknown[0]!r} to normalize."
        raise UsageError(message, remedy=f"Its arguments are: {', '.join(sorted(known)) or 'none'}.")
    if share not in ("tenant", "all"):
        message = f"Task {task!r} cannot share its results with {share!r}."
        raise UsageError(message, remedy="Write share='tenant' (the default) or share='all'.")
