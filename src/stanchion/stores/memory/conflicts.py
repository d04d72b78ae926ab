"""Conflict keys: of one key of a tenant one job runs at a time, in the order in which they were stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stanchion.domain.intake import OnConflict
from stanchion.domain.job import WAITING, Move, State, move
from stanchion.errors import ConflictingJobError
from stanchion.stores.memory.tables import advance

if TYPE_CHECKING:
    from stanchion.domain.intake import Conflict
    from stanchion.domain.job import Job
    from stanchion.domain.units import Instant
    from stanchion.stores.memory.tables import Tables


def contenders(tables: Tables, tenant: str, key: str, below: int | None = None) -> list[Job]:
    """Return the jobs of a key that have not ended, the latest first."""
    return [
        tables.jobs[ref]
        for ref in sorted(tables.conflicts, reverse=True)
        if (below is None or ref < below)
        and tables.conflicts[ref] == key
        and tables.jobs[ref].tenant == tenant
        and not tables.jobs[ref].final
    ]


def refusal(tables: Tables, tenant: str, wanted: Conflict) -> ConflictingJobError | None:
    """Return why a job must be refused: another of its key has not ended, and it is the newest that goes."""
    standing = contenders(tables, tenant, wanted.key)
    if wanted.policy is not OnConflict.CANCEL_NEWEST or not standing:
        return None
    return ConflictingJobError(wanted.key, standing[0].id)


def victims(tables: Tables, tenant: str, wanted: Conflict) -> list[Job]:
    """Return the jobs that a new one cancels."""
    standing = contenders(tables, tenant, wanted.key)
    if wanted.policy is OnConflict.REPLACE:
        return standing
    if wanted.policy is OnConflict.CANCEL_RUNNING:
        return [job for job in standing if job.attempt > 0]
    return []


def before(tables: Tables, ref: int) -> Job | None:
    """Return the job of the same key behind which a job waits."""
    key = tables.conflicts.get(ref)
    return None if key is None else next(iter(contenders(tables, tables.jobs[ref].tenant, key, ref)), None)


def behind(tables: Tables, ref: int) -> list[int]:
    """Return the blocked jobs that may go on now that a job of their key has ended."""
    key = tables.conflicts.get(ref)
    if key is None:
        return []
    waiting = [job for job in contenders(tables, tables.jobs[ref].tenant, key) if job.state is State.BLOCKED]
    return [job.ref for job in waiting if before(tables, job.ref) is None]


def taken(tables: Tables, job: Job) -> ConflictingJobError | None:
    """Return why an ended job cannot come back: another of its key has not ended."""
    key = tables.conflicts.get(job.ref)
    standing = [] if key is None else contenders(tables, job.tenant, key)
    return None if key is None or not standing else ConflictingJobError(key, standing[0].id)


def cancel(tables: Tables, job: Job, now: Instant) -> Job:
    """Cancel a waiting job, ask a running one; once."""
    if job.state in WAITING:
        gone = replace(job, state=move(job.state, Move.CANCEL), due_at=None, ended_at=now)
        return advance(tables, gone, now)
    if job.state is State.RUNNING and job.cancel_requested_at is None:
        tables.hints.add("cancel")
        return advance(tables, replace(job, cancel_requested_at=now), now)
    return job
