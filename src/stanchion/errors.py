"""What a caller may catch: every error has a stable code and a remedy."""

from __future__ import annotations

from typing import ClassVar


class StanchionError(Exception):
    """The root of all errors that Stanchion raises on purpose.

    `code` is a stable snake_case word: the same in logs, problem bodies and `--json` output.
    `remedy` says what to do next; `str()` gives the message and the remedy.
    """

    code: ClassVar[str] = "stanchion_error"
    remedy: str = ""

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if remedy is not None:
            self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class ConfigError(StanchionError):
    """A setting is missing or cannot be used."""

    code = "config"
    remedy = "Correct the setting and start again."


class MissingExtraError(ConfigError):
    """A feature needs packages that an optional extra brings."""

    code = "missing_extra"

    def __init__(self, extra: str, feature: str) -> None:
        super().__init__(
            f"{feature} needs the extra {extra!r}.", remedy=f"Install it: pip install 'stanchion[{extra}]'."
        )
        self.extra = extra


class UsageError(StanchionError):
    """The call itself is wrong; nothing was stored."""

    code = "usage"


class UnknownTaskError(UsageError):
    """No task of that name is registered here."""

    code = "unknown_task"

    def __init__(self, name: str, known: tuple[str, ...] = ()) -> None:
        listed = ", ".join(sorted(known)[:10]) or "none"
        super().__init__(
            f"No task is named {name!r}; known: {listed}.",
            remedy="Import the module that defines it before starting, or correct the name.",
        )
        self.name, self.known = name, known


class TaskConflictError(UsageError):
    """Two functions claim one task name."""

    code = "task_conflict"

    def __init__(self, name: str) -> None:
        super().__init__(f"Two functions are registered as {name!r}.", remedy="Give one of them another name=.")
        self.name = name


class PayloadError(UsageError):
    """The arguments do not fit the task, or cannot be stored; nothing was stored.

    `problems` holds (JSON pointer, message) pairs.
    """

    code = "validation"
    remedy = "Correct the arguments and enqueue again."

    def __init__(self, message: str, *, problems: tuple[tuple[str, str], ...] = (), remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.problems = problems


class PayloadTooLargeError(PayloadError):
    """The encoded arguments or result are larger than the limit."""

    code = "payload_too_large"

    def __init__(self, size: int, limit: int, *, what: str = "arguments") -> None:
        super().__init__(
            f"The {what} take {size:,} bytes; the limit is {limit:,}.",
            remedy="Store large data as a File artifact and pass its reference, or raise max_payload.",
        )
        self.size, self.limit = size, limit


class UnknownParentError(UsageError):
    """A job was to depend on one that is not here for its tenant, or that was itself refused; it was not stored."""

    code = "unknown_parent"

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"There is no job {job_id} to depend on.",
            remedy="Check the id: the job must be of the same tenant, and neither erased, pruned nor refused.",
        )
        self.job_id = job_id


class DependencyCycleError(UsageError):
    """Jobs of a batch depend on one another in a circle, or on such jobs; none of these was stored."""

    code = "dependency_cycle"
    remedy = "Remove one of the dependencies of the circle and enqueue again."

    def __init__(self, job_id: str) -> None:
        super().__init__(f"Job {job_id} waits in a circle of dependencies: none of its jobs could ever start.")
        self.job_id = job_id


class NotFoundError(StanchionError):
    """Nothing of that id is here for this tenant (the same answer for what is another tenant's)."""

    code = "not_found"
    remedy = "Check the id; finished jobs are pruned after the retention time."


class ConflictError(StanchionError):
    """The state of things forbids the operation."""

    code = "conflict"


class NotAloneError(ConflictError):
    """Another item of a request that is stored as a whole or not at all was refused; nothing was stored."""

    code = "not_stored"

    def __init__(self) -> None:
        super().__init__(
            "Another job of the request was refused, so none was stored.",
            remedy="Correct the one that was refused, then send all again.",
        )


class WrongStateError(ConflictError):
    """The job's state does not allow this move."""

    code = "wrong_state"

    def __init__(self, action: str, state: str) -> None:
        super().__init__(
            f"A job that is {state} cannot be changed by {action!r}.",
            remedy="Read the job again and decide by its state.",
        )
        self.action, self.state = action, state


class IdempotencyMismatchError(ConflictError):
    """The same key was used before for another request."""

    code = "idempotency_mismatch"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The key {key!r} was used for another request.",
            remedy="Use a new key for a new request, and the same key only to repeat one.",
        )
        self.key = key


class LeaseLostError(ConflictError):
    """The attempt is no longer the running one; nothing it wrote was stored."""

    code = "lease_lost"
    remedy = "Stop: another attempt has taken over, or the job was cancelled."


class DependencyError(ConflictError):
    """The job cannot run now because of a job that it depends on."""

    code = "dependency"
    remedy = "Retry that job first; if it is gone, enqueue both anew."

    def __init__(self, job_id: str, reason: str) -> None:
        super().__init__(f"Job {job_id} cannot be retried: {reason}.")
        self.job_id, self.reason = job_id, reason


class StillNeededError(ConflictError):
    """Another job that has not ended depends on this one, and may read its result."""

    code = "still_needed"
    remedy = "Wait until the jobs that depend on it have ended, or cancel them first."

    def __init__(self, job_id: str) -> None:
        super().__init__(f"Job {job_id} cannot be erased: a job that has not ended depends on it.")
        self.job_id = job_id


class ConflictingJobError(ConflictError):
    """Another job of the same conflict key has not ended; nothing was stored."""

    code = "conflicting_job"

    def __init__(self, key: str, job_id: str) -> None:
        super().__init__(
            f"Job {job_id} of the conflict key {key!r} has not ended.",
            remedy="Follow that job, wait until it has ended, or cancel it.",
        )
        self.key, self.job_id = key, job_id


class RefusedError(StanchionError):
    """The request was understood and refused; nothing was stored."""

    code = "refused"
    retry_after: float | None = None
    """Seconds after which a repeat makes sense; None where it makes none."""
    estimated_wait: float | None = None
    """For how many seconds a job would wait behind those that are there; None where nobody can tell."""
    slowed_for: float | None = None
    """Seconds for which nothing of this caller is looked at: this was one refusal too many."""


class QueueFullError(RefusedError):
    """The queue holds as many waiting jobs as it may; or more than the request allows would start before its job.

    `ahead` is how many would start before it, where that was why.
    """

    code = "queue_full"

    def __init__(self, queue: str, limit: int, *, ahead: int | None = None, retry_after: float = 5.0) -> None:
        message = f"Queue {queue!r} already holds {limit} waiting jobs."
        remedy = "Try again later, or raise the queue's max_waiting."
        if ahead is not None:
            message = f"In queue {queue!r} {ahead} jobs would start before this one; it allows {limit}."
            remedy = "Try again later, or allow more with max_ahead."
        super().__init__(message, remedy=remedy)
        self.queue, self.limit, self.ahead, self.retry_after = queue, limit, ahead, retry_after


class SlowDownError(RefusedError):
    """Too many requests of this caller were refused lately; this one was not looked at."""

    code = "slow_down"

    def __init__(self, retry_after: float) -> None:
        super().__init__(
            "Too many requests of this caller were refused lately.",
            remedy=f"Send nothing for {retry_after:.0f} s, and less after that.",
        )
        self.retry_after = retry_after


class OverLimitError(RefusedError):
    """As many jobs of a queue, tenant or user wait and run as may."""

    code = "over_limit"

    def __init__(self, key: str, limit: int, *, retry_after: float = 5.0) -> None:
        super().__init__(
            f"{key} already has {limit} jobs that wait or run.",
            remedy="Try again later, or raise the limit's `refuse`.",
        )
        self.key, self.limit, self.retry_after = key, limit, retry_after


class PermissionDeniedError(RefusedError):
    """The credential does not allow this."""

    code = "permission_denied"
    remedy = "Use a key with the needed scope."


class InsufficientCreditsError(RefusedError):
    """The tenant's budget is used up."""

    code = "insufficient_credits"
    remedy = "Raise the tenant's budget."


class StoreError(StanchionError):
    """The store could not do what was asked."""

    code = "store"


class StoreUnavailableError(StoreError):
    """The store cannot be reached or opened now."""

    code = "store_unavailable"
    remedy = "Check that the store is running and reachable; callers may try again."


class StoreBusyError(StoreUnavailableError):
    """Another process held the store's lock for too long."""

    code = "store_busy"
    remedy = "Find the process that holds a transaction open (stanchion doctor lists readers and writers)."


class DiskFullError(StoreUnavailableError):
    """The disk of the store is full; the request was refused before it was acknowledged."""

    code = "disk_full"
    remedy = "Free space on the disk of the store; running jobs can still finish."


class StoreCorruptError(StoreError):
    """The store's file is damaged."""

    code = "store_corrupt"
    remedy = "Stop all processes, copy the file, and restore the last backup; `stanchion doctor` shows details."


class UnsafeStoreError(StoreError):
    """Using this store here could lose data, so it is refused."""

    code = "unsafe_store"


class ForkedConnectionError(UnsafeStoreError):
    """A connection was carried over a fork."""

    code = "forked_connection"

    def __init__(self, opened_in: int, used_in: int) -> None:
        super().__init__(
            f"This store was opened in process {opened_in} and is used in its fork {used_in}.",
            remedy="Open the app after forking, or start processes with the 'spawn' method.",
        )


class SchemaMissingError(StoreError):
    """The store has no schema yet."""

    code = "schema_missing"
    remedy = "Run `stanchion migrate`."


class SchemaOutdatedError(StoreError):
    """The store's schema is older than this code."""

    code = "schema_outdated"
    remedy = "Run `stanchion migrate` before starting this version."

    def __init__(self, found: int, wanted: int) -> None:
        super().__init__(f"The store is at schema {found}; this version needs {wanted}.")
        self.found, self.wanted = found, wanted


class SchemaTooNewError(StoreError):
    """The store's schema is newer than this code."""

    code = "schema_too_new"
    remedy = "Upgrade stanchion in this process; an older version must not write to a newer schema."

    def __init__(self, found: int, wanted: int) -> None:
        super().__init__(f"The store is at schema {found}; this version knows {wanted}.")
        self.found, self.wanted = found, wanted


class SchemaChangedError(StoreError):
    """A migration that was applied is not the one this code ships."""

    code = "schema_changed"
    remedy = "Use the released package; released migrations are never edited."

    def __init__(self, number: int) -> None:
        super().__init__(f"Migration {number:04d} in the store differs from the one in this version.")
        self.number = number


class TaskError(StanchionError):
    """A handler's failure with a kind; raised by handlers, raised again by `await job.result()`.

    Args:
        message: For people; shown to whoever may read the job.
        kind: One of the error kinds (see `stanchion.domain.kinds`).
        retryable: Overrides what the kind says, where given.
        retry_after: Seconds until the next attempt makes sense.
    """

    code = "task"

    def __init__(
        self,
        message: str,
        *,
        kind: str = "internal",
        retryable: bool | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind, self.retryable, self.retry_after = kind, retryable, retry_after


class JobFailedError(TaskError):
    """The awaited job ended in state `failed`."""

    code = "job_failed"
    remedy = "Read the job's attempts for the cause; `await job.retry()` runs it again."

    def __init__(self, job_id: str, message: str, *, kind: str = "internal") -> None:
        super().__init__(f"Job {job_id} failed ({kind}): {message}", kind=kind, retryable=False)
        self.job_id = job_id


class JobCancelledError(TaskError):
    """The awaited job was cancelled."""

    code = "job_cancelled"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"Job {job_id} was cancelled.", kind="cancelled", retryable=False)
        self.job_id = job_id
