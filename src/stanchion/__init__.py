"""The job queue for AI generation."""

from stanchion.app import Stanchion
from stanchion.domain.job import State
from stanchion.domain.kinds import ErrorInfo, Kind
from stanchion.domain.priority import Priority
from stanchion.domain.retry import Backoff
from stanchion.domain.schedule import Overlap, Schedule, cron
from stanchion.engine.context import Context, SyncContext
from stanchion.engine.control import Cancel, Retry, Snooze
from stanchion.engine.hooks import StateChange
from stanchion.engine.scheduling import every
from stanchion.engine.submit import JobOptions, Submission
from stanchion.errors import (
    ConfigError,
    ConflictError,
    DiskFullError,
    IdempotencyMismatchError,
    JobCancelledError,
    JobFailedError,
    LeaseLostError,
    MissingExtraError,
    NotFoundError,
    PayloadError,
    PayloadTooLargeError,
    QueueFullError,
    RefusedError,
    SchemaTooNewError,
    StanchionError,
    StoreError,
    StoreUnavailableError,
    TaskConflictError,
    TaskError,
    UnknownTaskError,
    UnsafeStoreError,
    UsageError,
    WrongStateError,
)
from stanchion.files import Audio, File, Image
from stanchion.handle import Job, JobEvent
from stanchion.task import Task

__version__ = "0.1.0"

__all__ = [
    "Audio",
    "Backoff",
    "Cancel",
    "ConfigError",
    "ConflictError",
    "Context",
    "DiskFullError",
    "ErrorInfo",
    "File",
    "IdempotencyMismatchError",
    "Image",
    "Job",
    "JobCancelledError",
    "JobEvent",
    "JobFailedError",
    "JobOptions",
    "Kind",
    "LeaseLostError",
    "MissingExtraError",
    "NotFoundError",
    "Overlap",
    "PayloadError",
    "PayloadTooLargeError",
    "Priority",
    "QueueFullError",
    "RefusedError",
    "Retry",
    "Schedule",
    "SchemaTooNewError",
    "Snooze",
    "Stanchion",
    "StanchionError",
    "State",
    "StateChange",
    "StoreError",
    "StoreUnavailableError",
    "Submission",
    "SyncContext",
    "Task",
    "TaskConflictError",
    "TaskError",
    "UnknownTaskError",
    "UnsafeStoreError",
    "UsageError",
    "WrongStateError",
    "__version__",
    "cron",
    "every",
]
