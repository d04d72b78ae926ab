"""From a request to a stored job: validate, run the hooks, make keys, enqueue in batches."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, cast

import msgspec

from stanchion.domain.batches import alike
from stanchion.domain.cache import DEFAULT_TTL, Caching
from stanchion.domain.dependency import Dependency, Policy
from stanchion.domain.intake import NOTHING, Conflict, Guard, Intake, Overflow, conflict, furthest
from stanchion.domain.job import Idempotency, NewJob
from stanchion.domain.keys import content_key, fingerprint, named_key
from stanchion.domain.limits import weights
from stanchion.domain.priority import priority
from stanchion.domain.resources import asked
from stanchion.domain.units import DEFAULT_TENANT, millis, whole
from stanchion.engine.chance import new_id
from stanchion.engine.collector import paused
from stanchion.engine.commit import Batcher
from stanchion.engine.desk import Desk
from stanchion.engine.gather import holes
from stanchion.engine.model import checked as checked_model
from stanchion.errors import NotAloneError, PayloadError, StanchionError, UnknownTaskError
from stanchion.payload import checked
from stanchion.store import Enqueued, Refused, all_refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stanchion.domain.units import Instant, Millis
    from stanchion.engine.artifacts import Artifacts
    from stanchion.engine.cache import Levels
    from stanchion.engine.hooks import Hooks
    from stanchion.engine.spec import Registry, TaskSpec
    from stanchion.store import Store

Duration = float | str | timedelta
MAX_NAME: Final = 200
MAX_TAGS: Final = 100
MAX_PARENTS: Final = 10_000
BULK: Final = 10_000
"""A bulk request of up to so many jobs is one transaction."""
_YIELD_EVERY: Final = 500


class Named(Protocol):
    """What has a job's id: a handle."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """What one request sets beside its arguments; None leaves the task's own setting.

    Durations are seconds, a text such as `"5m"`, or a `timedelta`; instants are aware datetimes or seconds
    since the epoch.
    """

    queue: str | None = None
    tenant: str | None = None
    user: str | None = None
    priority: int | str | None = None
    delay: Duration | None = None
    run_at: datetime | float | None = None
    expires_in: Duration | None = None
    expires_at: datetime | float | None = None
    tags: tuple[str, ...] | list[str] | None = None
    metadata: Mapping[str, Any] | None = None
    dedup_window: Duration | None = None
    dedup_key: str | None = None
    timeout: Duration | None = None
    max_attempts: int | None = None
    idempotency_key: str | None = None
    idempotency_fingerprint: bytes | None = None
    correlation_id: str | None = None
    depends_on: Sequence[Named | Dependency | str] | None = None
    """Jobs that must end first, by handle or id; a `Dependency` has a policy of its own."""
    parent_policy: Policy | str | None = None
    """What happens where one of them does not complete: `fail` (the default), `skip` or `continue`."""
    workflow: str | None = None
    """The workflow that the job belongs to."""
    id: str | None = None
    """The id of the new job, so that others of its batch can name it; a UUID that was never used."""
    cache: bool | None = None
    limits: Mapping[str, int] | Iterable[str] | None = None
    model: str | None = None
    resources: Mapping[str, int] | Iterable[str] | None = None
    """What the job holds while it runs."""
    conflict: Conflict | None = None
    """Its conflict key, within its tenant, and what becomes of it while another job of the key has not ended."""
    max_ahead: int | None = None
    """It is refused where more jobs than this would start before it."""
    overflow: Overflow | None = None
    """The bound of its tenant where no limit says otherwise: what the server asks of an API key's tenant."""
    guard: Guard | None = None
    """Who asks, so that who is refused too often is slowed down: what the server asks of an API key."""

    def merged(self, other: JobOptions) -> JobOptions:
        """Return these options with what the other sets put over them."""
        given = {f.name: getattr(other, f.name) for f in fields(other) if getattr(other, f.name) is not None}
        return JobOptions(**{f.name: given.get(f.name, getattr(self, f.name)) for f in fields(self)})


NO_OPTIONS: Final = JobOptions()


class Submission(NamedTuple):
    """A request to run a task: its name, its arguments by name, and its options."""

    task: str
    args: Mapping[str, Any]
    options: JobOptions = NO_OPTIONS


class Submitter:
    """Validates requests and enqueues them; one per process and event loop."""

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        store: Store,
        registry: Registry,
        hooks: Hooks,
        artifacts: Artifacts,
        *,
        max_payload: int,
        levels: Levels | None = None,
        desk: Desk | None = None,
    ) -> None:
        self._desk = desk or Desk(store, hooks)
        self._store, self._registry, self._hooks, self._artifacts = store, registry, hooks, artifacts
        self._max_payload, self._levels = max_payload, levels
        self._batcher: Batcher[NewJob, Enqueued | Refused] = Batcher(store.enqueue)

    async def one(self, submission: Submission) -> Enqueued:
        """Store one request; concurrent calls share a transaction.

        Raises:
            UsageError: It does not fit; nothing was stored.
            RefusedError: The store refused it; nothing was stored.
        """
        new = self._prepared_now(submission) or await self._prepared(submission)
        if new.cache is not None:
            (new,) = await self._looked_up([new])
        batcher = self._batcher
        answer = await (batcher.alone(new) if batcher.lone() else batcher.put(new))
        if isinstance(answer, Refused):
            raise await self._desk.explained(new, answer.error)
        if answer.warnings:
            await self._desk.warned(answer.warnings)
        if new.cache is not None:
            self._told(new, answer)
        return answer

    async def _looked_up(self, batch: Sequence[NewJob]) -> list[NewJob]:
        """Return the requests with what the cache answers; the store asks again as it stores them."""
        if self._levels is None:
            return list(batch)
        asked = [new.cache for new in batch if new.cache is not None]
        found = await self._levels.look([one.key for one in asked]) if asked else []
        entries = dict(zip((one.key for one in asked), found, strict=True))
        return [
            new if new.cache is None else new._replace(cache=new.cache._replace(entry=entries[new.cache.key]))
            for new in batch
        ]

    def _told(self, new: NewJob, answer: Enqueued | Refused) -> None:
        if self._levels is not None and new.cache is not None and isinstance(answer, Enqueued) and answer.new:
            self._levels.told(new.cache.key, hit=answer.cached)

    async def many(self, submissions: Sequence[Submission], *, atomic: bool = False) -> list[Enqueued | Refused]:
        """Store requests, up to `BULK` in one transaction; each has its own answer, in order.

        With `atomic`, one refusal refuses all, and nothing is stored.

        Raises:
            PayloadError: More than `BULK` requests were to be stored as a whole.
        """
        if atomic and len(submissions) > BULK:
            message = f"{len(submissions):,} requests cannot be stored as a whole; {BULK:,} can."
            raise PayloadError(message, remedy="Send them in several parts, or let each be answered by itself.")
        with paused(len(submissions)):
            return await self._many(submissions, atomic=atomic)

    async def _many(self, submissions: Sequence[Submission], *, atomic: bool) -> list[Enqueued | Refused]:
        answers: list[Enqueued | Refused | None] = [None] * len(submissions)
        ready: list[tuple[int, NewJob]] = []
        for place, submission in enumerate(submissions):
            if place % _YIELD_EVERY == _YIELD_EVERY - 1:
                await asyncio.sleep(0)
            try:
                new = self._prepared_now(submission) or await self._prepared(submission)
                ready.append((place, new))
            except StanchionError as error:
                answers[place] = Refused(error)
        for start in range(0, len(ready), BULK):
            part = ready[start : start + BULK]
            if atomic and len(part) < len(submissions):
                return all_refused([answer or Refused(NotAloneError()) for answer in answers])
            batch = await self._looked_up([new for _, new in part])
            stored = await self._desk.all_told(batch, await self._store.enqueue(batch, atomic=atomic))
            for (place, new), answer in zip(part, stored, strict=True):
                answers[place] = answer
                self._told(new, answer)
        return cast("list[Enqueued | Refused]", answers)

    async def prepare(self, submission: Submission) -> NewJob:
        """Return the job that a request asks for, after the hooks and validated; nothing is stored.

        Raises:
            UsageError: It does not fit.
        """
        return self._prepared_now(submission) or await self._prepared(submission)

    async def together(self, submissions: Sequence[Submission]) -> list[Enqueued]:
        """Store requests in one transaction, all or none; answers in order.

        Raises:
            StanchionError: One was refused; nothing was stored.
        """
        with paused(len(submissions)):
            batch: list[NewJob] = []
            for place, submission in enumerate(submissions):
                if place % _YIELD_EVERY == _YIELD_EVERY - 1:
                    await asyncio.sleep(0)
                batch.append(self._prepared_now(submission) or await self._prepared(submission))
            batch = await self._looked_up(batch)
            answers: list[Enqueued] = []
            stored = await self._desk.all_told(batch, await self._store.enqueue(batch, atomic=True))
            for new, answer in zip(batch, stored, strict=True):
                if isinstance(answer, Refused) and not isinstance(answer.error, NotAloneError):
                    raise answer.error
                if isinstance(answer, Enqueued):
                    answers.append(answer)
                    self._told(new, answer)
            return answers

    async def flush(self) -> None:
        """Wait until no enqueue is on its way."""
        await self._batcher.flush()

    def _prepared_now(self, submission: Submission) -> NewJob | None:
        """Return the job where nothing needs to be awaited for it: no hook, no file, a known task."""
        if self._hooks.before_enqueue or submission.task not in self._registry:
            return None
        spec = self._registry.get(submission.task)
        if spec.codec.takes_files or submission.options.depends_on:
            return None
        return new_job(submission, spec.codec.encode(submission.args, spec.max_payload or self._max_payload), spec)

    async def _prepared(self, submission: Submission) -> NewJob:
        if self._hooks.before_enqueue:
            submission = await self._hooks.submitted(submission)
        if submission.task in self._registry:
            spec = self._registry.get(submission.task)
            asking = holes(submission.args) if submission.options.depends_on else frozenset[str]()
            data = await self._encoded(spec, submission.args, asking)
            return new_job(submission, data, spec, whole=not asking)
        await self._refuse_unknown(submission.task)
        checked(submission.args)
        data = msgspec.json.encode(submission.args)
        if len(data) > self._max_payload:
            from stanchion.errors import PayloadTooLargeError  # noqa: PLC0415 - rare

            raise PayloadTooLargeError(len(data), self._max_payload)
        return new_job(submission, data, None)

    async def _encoded(self, spec: TaskSpec, arguments: Mapping[str, Any], asking: frozenset[str]) -> bytes:
        limit = spec.max_payload or self._max_payload
        if spec.codec.takes_files:
            return await asyncio.to_thread(spec.codec.encode, arguments, limit, self._artifacts.put, asking)
        return spec.codec.encode(arguments, limit, None, asking)

    async def _refuse_unknown(self, name: str) -> None:
        """A process without the code accepts what a living worker knows; one with code only what it knows."""
        known: set[str] = set(self._registry.names)
        if not known:
            for row in await self._store.workers():
                if row.alive:
                    known.update(row.info.tasks)
        if name not in known:
            raise UnknownTaskError(name, tuple(known))


def new_job(submission: Submission, data: bytes, spec: TaskSpec | None, *, whole: bool = True) -> NewJob:
    """Return the job that a request asks for.

    Args:
        submission: The request.
        data: Its arguments, encoded and checked.
        spec: Its task, where the code is here.
        whole: False where results of other jobs are put into the arguments later; what follows from them is not known.

    Raises:
        PayloadError: An option has a value that cannot be used, or the task's cost or model cannot be told.
    """
    new = _new_job(submission, data, spec)
    if spec is None or not whole:
        return new
    if spec.model_of is not None and submission.options.model is None:
        new = new._replace(model=spec.model_of(data))
    if spec.batch is not None:
        new = new._replace(batch=alike(spec.batch.key(data), new.model, new.resources))
    return new if spec.cost is None else new._replace(size=spec.cost(data))


def _new_job(submission: Submission, data: bytes, spec: TaskSpec | None) -> NewJob:
    if submission.options is NO_OPTIONS and spec is not None and spec.plain is not None:
        return NewJob(new_id(), submission.task, data, *spec.plain)
    try:
        return _with_options(submission, data, spec)
    except (ValueError, TypeError) as error:
        message = f"An option of this request cannot be used: {error}."
        raise PayloadError(message, problems=(("", str(error)),)) from error


def _with_options(submission: Submission, data: bytes, spec: TaskSpec | None) -> NewJob:
    options = submission.options
    tenant = _name("tenant", options.tenant) or DEFAULT_TENANT
    window = span(options.dedup_window) if options.dedup_window is not None else spec.dedup_window if spec else 0
    ttl = _ttl(options.cache, spec)
    if options.depends_on:  # with other parents it would be another request, be its arguments the same
        ttl, window = 0, window if options.dedup_key is not None else 0
    key, cache_key = _keys(submission, data, spec, tenant) if ttl or (window and not options.dedup_key) else (None, b"")
    if options.dedup_key is not None:
        key = named_key(tenant, submission.task, options.dedup_key)
    expires_in = span(options.expires_in) if options.expires_in is not None else None
    if expires_in is None and options.expires_at is None and spec is not None:
        expires_in = spec.expires_in
    attempts = options.max_attempts if options.max_attempts is not None else spec.policy.max_attempts if spec else 3
    if not whole(attempts, 1, 1000):
        message = f"max_attempts must be a whole number from 1 to 1000, not {attempts!r}"
        raise ValueError(message)
    return NewJob(
        id=options.id or new_id(),
        task=submission.task,
        args=data,
        queue=_name("queue", options.queue) or (spec.queue if spec else "default"),
        tenant=tenant,
        user=_name("user", options.user),
        priority=priority(options.priority) if options.priority is not None else spec.priority if spec else 5,
        max_attempts=attempts,
        delay=span(options.delay) if options.delay is not None else 0,
        run_at=instant(options.run_at),
        expires_in=expires_in,
        expires_at=instant(options.expires_at) if expires_in is None else None,
        dedup_key=key,
        dedup_window=window,
        idempotency=_idempotency(submission, data),
        tags=_tags(options.tags),
        metadata=_metadata(options.metadata),
        timeout=span(options.timeout) if options.timeout is not None else None,
        correlation_id=_name("correlation_id", options.correlation_id),
        crash_budget=spec.policy.crash_budget if spec is not None else None,
        secret=tuple(sorted(spec.secret)) if spec is not None else (),
        depends_on=_dependencies(options),
        workflow=_name("workflow", options.workflow),
        cache=Caching(cache_key, ttl) if ttl else None,
        limits=weights(options.limits) if options.limits is not None else spec.limits if spec is not None else (),
        model=checked_model(options.model) if options.model is not None else spec.model if spec is not None else "",
        resources=asked(options.resources) if options.resources is not None else spec.resources if spec else (),
        intake=_intake(options, spec),
    )


def _intake(options: JobOptions, spec: TaskSpec | None) -> Intake | None:
    """Return what a request is asked before it is stored; None asks nothing."""
    given = options.conflict if options.conflict is not None else spec.conflict if spec is not None else None
    asked = Intake(
        None if given is None else conflict(*given),
        None if options.max_ahead is None else furthest(options.max_ahead),
        options.overflow,
        options.guard,
    )
    return None if asked == NOTHING else asked


def _dependencies(options: JobOptions) -> tuple[Dependency, ...]:
    given = options.depends_on or ()
    if isinstance(given, str):
        message = f"depends_on must be a list, such as [{given!r:.80}]"
        raise TypeError(message)
    if len(given) > MAX_PARENTS:
        message = f"at most {MAX_PARENTS:,} jobs may be named in depends_on"
        raise ValueError(message)
    policy = Policy(options.parent_policy or Policy.FAIL)
    return tuple(
        Dependency(one.parent, Policy(one.policy))
        if isinstance(one, Dependency)
        else Dependency(one if isinstance(one, str) else one.id, policy)
        for one in given
    )


def _ttl(wanted: bool | None, spec: TaskSpec | None) -> Millis:  # noqa: FBT001 - an option as it was given
    """Return how long the result is kept for others; 0: it is not, and no cached one is taken."""
    if wanted is False or spec is None:
        return 0
    return spec.cache_ttl or (DEFAULT_TTL if wanted else 0)


def _keys(submission: Submission, data: bytes, spec: TaskSpec | None, tenant: str) -> tuple[bytes, bytes]:
    """Return the keys for joining and for the cache; without the task's code nothing is normalised or filled in."""
    if spec is not None:
        return spec.keys(data, tenant)
    key = content_key(submission.task, 1, msgspec.json.decode(data), tenant=tenant)
    return key, key


def _idempotency(submission: Submission, data: bytes) -> Idempotency | None:
    options = submission.options
    if options.idempotency_key is None:
        return None
    key = _name("idempotency_key", options.idempotency_key) or ""
    return Idempotency(key, options.idempotency_fingerprint or fingerprint(submission.task.encode(), data))


def span(value: Duration) -> Millis:
    """Return a duration in ms."""
    return millis(value.total_seconds() if isinstance(value, timedelta) else value)


def instant(value: datetime | float | None) -> Instant | None:
    """Return an instant in ms since the epoch.

    Raises:
        ValueError: A datetime without a time zone: it would mean another time on another machine.
    """
    if value is None:
        return None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            message = f"{value!r} has no time zone; use datetime.now(timezone.utc)"
            raise ValueError(message)
        value = value.timestamp()
    if not 0 <= value < 1e11:  # noqa: PLR2004 - the year 5138: ms given for seconds end up beyond
        message = f"{value!r} is not in seconds since the epoch"
        raise ValueError(message)
    return round(value * 1000)


def _name(what: str, value: str | None) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value or len(value) > MAX_NAME or not value.isprintable():  # pyright: ignore[reportUnnecessaryIsInstance] - what untyped callers give
        message = f"{what} must be 1 to {MAX_NAME} printable characters"
        raise ValueError(message)
    return value


def _tags(tags: Sequence[str] | None) -> tuple[str, ...]:
    if not tags:
        return ()
    if isinstance(tags, str):
        message = f"tags must be a list, such as [{tags!r:.80}]"
        raise TypeError(message)
    if len(tags) > MAX_TAGS:
        message = f"at most {MAX_TAGS} tags are allowed"
        raise ValueError(message)
    return tuple(_name("a tag", tag) or "" for tag in tags)


def _metadata(metadata: Mapping[str, Any] | None) -> bytes | None:
    if metadata is None:
        return None
    checked(metadata)
    data = msgspec.json.encode(metadata)
    if len(data) > 16_384:  # noqa: PLR2004 - metadata is for labels
        message = f"metadata takes {len(data):,} bytes; the limit is 16,384"
        raise ValueError(message)
    return data
