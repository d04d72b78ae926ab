"""What callers and operators change: cancel, retry, amend, erase, queues, workers, upkeep."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stanchion.domain.job import FINAL, WAITING, Move, State, move
from stanchion.errors import NotFoundError, StillNeededError, WrongStateError
from stanchion.store import Beat, Held, Overdue, Upkeep
from stanchion.stores.memory import cache, conflicts, intake, joins, resources
from stanchion.stores.memory.aging import age
from stanchion.stores.memory.attempts import expire, late, lease_of, next_due, promote
from stanchion.stores.memory.tables import GONE, REMEMBER_FOR, SHOW_ENDED_FOR, Worker, advance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.job import Job
    from stanchion.domain.policy import QueuePolicy, Retention, TenantPolicy
    from stanchion.domain.query import Scope
    from stanchion.domain.units import Instant, JobId, Millis
    from stanchion.store import WorkerInfo
    from stanchion.stores.memory.tables import Tables


def absent(job_id: JobId) -> NotFoundError:
    """Return the error for what is not there, or not there for this caller."""
    return NotFoundError(f"No job has the id {job_id!r}.")


def cancel(tables: Tables, job_id: JobId, scope: Scope, now: Instant) -> Job | Exception:
    """Cancel a waiting job, ask a running one; once."""
    job = tables.find(job_id, scope)
    if job is None:
        return absent(job_id)
    return conflicts.cancel(tables, job, now)


def retry(tables: Tables, job_id: JobId, scope: Scope, now: Instant) -> Job | Exception:
    """Queue a failed job anew, with a fresh budget of attempts."""
    job = tables.find(job_id, scope)
    if job is None:
        return absent(job_id)
    try:
        move(job.state, Move.RETRY)
    except WrongStateError as error:
        return error
    taken = conflicts.taken(tables, job)
    if taken is not None:
        return taken
    state = joins.again(tables, job)
    if not isinstance(state, State):
        return state
    fresh = replace(
        job, state=state, spent=0, crashes=0, error=None, result=None, ended_at=None, due_at=None,
        started_at=None, cancel_requested_at=None,
    )  # fmt: skip
    return advance(tables, fresh, now)


def amend(  # noqa: PLR0913 - three of them are what may change
    tables: Tables,
    job_id: JobId,
    scope: Scope,
    *,
    priority: int | None,
    metadata: bytes | None,
    tags: tuple[str, ...] | None,
) -> Job | Exception:
    """Change what is given; a forbidden change of priority leaves all as it was."""
    job = tables.find(job_id, scope)
    if job is None:
        return absent(job_id)
    if priority is not None and job.state not in WAITING:
        return WrongStateError("reprioritise", job.state.value)
    return tables.put(
        replace(
            job,
            priority=job.priority if priority is None else max(priority, tables.tenant(job.tenant).top_priority),
            metadata=job.metadata if metadata is None else metadata,
            tags=job.tags if tags is None else tags,
        )
    )


def erase(tables: Tables, job_id: JobId, scope: Scope) -> bool | Exception:
    """Delete a final job and all it produced."""
    job = tables.find(job_id, scope)
    if job is None:
        return absent(job_id)
    if not job.final:
        return WrongStateError("erase", job.state.value)
    if joins.needed(tables, job.ref):
        return StillNeededError(job_id)
    joins.forget(tables, {job.ref})
    cache.forget(tables, job.ref)
    tables.drop([job.ref])
    return True


def configure(  # noqa: PLR0913 - each may change
    tables: Tables,
    queue: str,
    *,
    paused: bool | None,
    max_waiting: int | None,
    affinity_jobs: int | None,
    affinity_time: Millis | None,
    aging: Millis | None,
) -> QueuePolicy:
    """Change a queue's policy; None leaves as is, 0 removes the bound or ends aging."""
    policy = tables.policy(queue)
    if paused is not None:
        policy = policy._replace(paused=paused)
    if max_waiting is not None:
        policy = policy._replace(max_waiting=max_waiting or None)
    if affinity_jobs is not None:
        policy = policy._replace(affinity=policy.affinity._replace(jobs=affinity_jobs))
    if affinity_time is not None:
        policy = policy._replace(affinity=policy.affinity._replace(time=affinity_time))
    if aging is not None:
        policy = policy._replace(aging=aging or None)
    tables.queues[queue] = policy
    tables.hints |= {"change"} if policy.paused else {"change", "work"}
    return policy


def configure_tenant(tables: Tables, policy: TenantPolicy) -> None:
    """Set a tenant's policy; a weight counts from the next start on."""
    tables.tenants[policy.name] = policy
    tables.hints.add("change")


def register(tables: Tables, info: WorkerInfo, lease_for: Millis, now: Instant) -> int:
    """Add a worker, once for each incarnation."""
    for worker in tables.workers.values():
        if worker.info.incarnation == info.incarnation:
            if info.resources and worker.state == "alive":
                resources.came(tables, info, now)
            return worker.id
    tables.last_worker += 1
    tables.workers[tables.last_worker] = Worker(tables.last_worker, info, now, now, now + lease_for)
    resources.came(tables, info, now)
    tables.hints.add("change")
    return tables.last_worker


def held(tables: Tables, worker: int) -> tuple[Held, ...]:
    """Return the attempts that a worker holds."""
    jobs = tables.held_by(worker)
    return tuple(Held(job.ref, job.attempt, job.cancel_requested_at is not None) for job in jobs)


def beat(tables: Tables, worker: int, lease_for: Millis, now: Instant) -> Beat:
    """Extend a living worker's lease."""
    known = tables.workers.get(worker)
    if known is None or known.state in GONE:
        return Beat(alive=False, held=())
    known.beat_at, known.lease_until = now, now + lease_for
    return Beat(alive=True, held=held(tables, worker))


def leave(tables: Tables, workers: Sequence[int], state: str, now: Instant) -> list[Overdue]:
    """End workers and return what they still hold; how a worker first ended stays."""
    for worker in workers:
        known = tables.workers.get(worker)
        if known is not None and known.state not in GONE:
            known.state, known.ended_at = state, now
            tables.hints.add("change")
    resources.gone(tables, now)
    return _orphaned(tables, set(workers))


def overdue(tables: Tables, limit: int, now: Instant) -> list[Overdue]:
    """Declare silent workers lost, and return what ended workers still hold."""
    for worker in tables.workers.values():
        if worker.state not in GONE and worker.lease_until < now:
            worker.state, worker.ended_at = "lost", now
            tables.hints.add("change")
    resources.gone(tables, now)
    ended = {worker.id for worker in tables.workers.values() if worker.state in GONE}
    return _orphaned(tables, ended)[:limit]


def _orphaned(tables: Tables, workers: set[int]) -> list[Overdue]:
    return [
        Overdue(lease_of(job), tables.workers[tables.holders[job.ref]].info.incarnation)
        for job in tables.having(State.RUNNING)
        if tables.holders[job.ref] in workers
    ]


def maintain(tables: Tables, retention: Retention, limit: int, now: Instant) -> Upkeep:
    """Promote, expire, prune; forget old keys and workers."""
    promoted = promote(tables, now, limit)
    expired = [job for job in tables.having(*WAITING) if late(job, now)]
    expired = sorted(expired, key=lambda job: (job.expires_at, job.ref))[:limit]
    for job in expired:
        expire(tables, job, now)
    joins.resolve(tables, now)
    aged = age(tables, now, limit)
    old = [job.ref for job in tables.having(*FINAL) if _old(job, retention, now) and not joins.needed(tables, job.ref)]
    old = old[:limit]
    joins.forget(tables, set(old))
    tables.drop(old)
    _forget(tables, now)
    uncached = cache.upkeep(tables, retention.cache_bytes, limit, now)
    relieved = intake.upkeep(tables, now)
    orphans = tables.take_orphans()
    return Upkeep(
        promoted,
        len(expired),
        len(old),
        orphans,
        next_due(tables, now),
        uncached=uncached,
        aged=aged,
        relieved=relieved,
    )


def _forget(tables: Tables, now: Instant) -> None:
    """Drop old keys, and workers that ended long ago and hold nothing."""
    for key in [key for key, used in tables.idempotency.items() if used.at + REMEMBER_FOR <= now]:
        del tables.idempotency[key]
    holding = set(tables.holders.values())
    for worker in [worker for worker in tables.workers.values() if ended_long_ago(worker, now)]:
        if worker.id not in holding:
            del tables.workers[worker.id]


def _old(job: Job, retention: Retention, now: Instant) -> bool:
    keep = {
        State.COMPLETED: retention.completed,
        State.FAILED: retention.failed,
        State.CANCELLED: retention.cancelled,
    }
    return job.ended_at is not None and job.ended_at + keep[job.state] <= now


def ended_long_ago(worker: Worker, now: Instant) -> bool:
    """Return whether a worker ended so long ago that the registry forgets it."""
    return worker.ended_at is not None and worker.ended_at + SHOW_ENDED_FOR <= now
