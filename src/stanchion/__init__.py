"""The job queue for AI generation."""

from stanchion.app import Stanchion
from stanchion.domain.dependency import Dependency, Policy
from stanchion.domain.intake import Conflict, OnConflict, Overflowing, Pressure, Warned
from stanchion.domain.job import State
from stanchion.domain.kinds import ErrorInfo, Kind
from stanchion.domain.normal import Normalize
from stanchion.domain.priority import Priority
from stanchion.domain.retry import Backoff
from stanchion.domain.schedule import Overlap, Schedule, cron
from stanchion.engine.batch import Batch, Item, Items, SyncItems
from stanchion.engine.context import Context, SyncContext
from stanchion.engine.control import Cancel, Retry, Snooze
from stanchion.engine.gather import ParentResult
from stanchion.engine.hooks import StateChange
from stanchion.engine.scheduling import every
from stanchion.engine.submit import JobOptions, Submission
from stanchion.errors import (
    ConfigError,
    ConflictError,
    ConflictingJobError,
    DependencyCycleError,
    DependencyError,
    DiskFullError,
    IdempotencyMismatchError,
    JobCancelledError,
    JobFailedError,
    LeaseLostError,
    MissingExtraError,
    NotFoundError,
    OverLimitError,
    PayloadError,
    PayloadTooLargeError,
    QueueFullError,
    RefusedError,
    SchemaTooNewError,
    SlowDownError,
    StanchionError,
    StillNeededError,
    StoreError,
    StoreUnavailableError,
    TaskConflictError,
    TaskError,
    UnknownParentError,
    UnknownTaskError,
    UnsafeStoreError,
    UsageError,
    WrongStateError,
)
from stanchion.files import Audio, File, Image
from stanchion.flow import Request, Workflow, WorkflowEvent, WorkflowProgress
from stanchion.handle import Job, JobEvent
from stanchion.task import Task
from stanchion.workflow import chain, chord, group

__version__ = "0.1.0"

__all__ = [
    "Audio",
    "Backoff",
    "Batch",
    "Cancel",
    "ConfigError",
    "Conflict",
    "ConflictError",
    "ConflictingJobError",
    "Context",
    "Dependency",
    "DependencyCycleError",
    "DependencyError",
    "DiskFullError",
    "ErrorInfo",
    "File",
    "IdempotencyMismatchError",
    "Image",
    "Item",
    "Items",
    "Job",
    "JobCancelledError",
    "JobEvent",
    "JobFailedError",
    "JobOptions",
    "Kind",
    "LeaseLostError",
    "MissingExtraError",
    "Normalize",
    "NotFoundError",
    "OnConflict",
    "OverLimitError",
    "Overflowing",
    "Overlap",
    "ParentResult",
    "PayloadError",
    "PayloadTooLargeError",
    "Policy",
    "Pressure",
    "Priority",
    "QueueFullError",
    "RefusedError",
    "Request",
    "Retry",
    "Schedule",
    "SchemaTooNewError",
    "SlowDownError",
    "Snooze",
    "Stanchion",
    "StanchionError",
    "State",
    "StateChange",
    "StillNeededError",
    "StoreError",
    "StoreUnavailableError",
    "Submission",
    "SyncContext",
    "SyncItems",
    "Task",
    "TaskConflictError",
    "TaskError",
    "UnknownParentError",
    "UnknownTaskError",
    "UnsafeStoreError",
    "UsageError",
    "Warned",
    "Workflow",
    "WorkflowEvent",
    "WorkflowProgress",
    "WrongStateError",
    "__version__",
    "chain",
    "chord",
    "cron",
    "every",
    "group",
]
