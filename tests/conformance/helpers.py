"""Short words for what the promises are made of."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

from stanchion.domain.ids import uuid7
from stanchion.domain.job import Idempotency, Job, Lease, NewJob, State
from stanchion.domain.kinds import ErrorInfo, Kind
from stanchion.domain.outcome import Completed, Failed, Outcome, Settlement, settle
from stanchion.domain.policy import Retention
from stanchion.domain.query import ALL, Scope
from stanchion.domain.retry import Backoff, RetryPolicy
from stanchion.store import Enqueued, OutputNote, Refused, Want, WorkerInfo
from tests.clock import T0

if TYPE_CHECKING:
    from stanchion.store import Store

LEASE_FOR: Final = 10_000
WANT: Final = Want(limit=100, tasks=frozenset({"t", "a", "b"}))
POLICY: Final = RetryPolicy(backoff=Backoff(base=1.0, factor=2.0, jitter="none"))
KEEP: Final = Retention(completed=60_000, failed=120_000, cancelled=60_000)
BOOM: Final = ErrorInfo(Kind.INTERNAL, "boom", type="RuntimeError")
ACME: Final = Scope("acme")
OTHER: Final = Scope("other")

_numbers = count(1)


def new_id() -> str:
    number = next(_numbers)
    return uuid7(T0 + number, number.to_bytes(10, "big"))


def new(task: str = "t", **given: Any) -> NewJob:
    fields: dict[str, Any] = {"id": new_id(), "task": task, "args": b'{"n":1}'}
    return NewJob(**fields | given)


def keyed(key: str, fingerprint: bytes = b"f", **given: Any) -> NewJob:
    return new(idempotency=Idempotency(key, fingerprint), **given)


def info(incarnation: str = "w", **given: Any) -> WorkerInfo:
    facts: dict[str, Any] = {"host": "h", "pid": 7, "slots": 4, "queues": None, "tasks": ("t", "a", "b")}
    return WorkerInfo(incarnation=incarnation, **facts | given)


async def join(store: Store, incarnation: str = "w", **given: Any) -> int:
    """Register a worker."""
    return await store.register(info(incarnation, **given), LEASE_FOR)


async def add(store: Store, *jobs: NewJob) -> list[str]:
    """Enqueue jobs that nothing stands against."""
    answers = await store.enqueue(jobs or (new(),))
    return [answer.id for answer in answers if isinstance(answer, Enqueued) and answer.new]


async def take(store: Store, worker: int, want: Want = WANT) -> tuple[Lease, ...]:
    return (await store.claim(worker, want))[1].leases


async def start(store: Store, job: NewJob | None = None, incarnation: str = "w") -> Lease:
    """Enqueue one job and claim it."""
    worker = await join(store, incarnation)
    (job_id,) = await add(store, job or new())
    (lease,) = (lease for lease in await take(store, worker) if lease.id == job_id)
    return lease


def ended(lease: Lease, outcome: Outcome | None = None, policy: RetryPolicy = POLICY) -> Settlement:
    return settle(lease, Completed(b"1") if outcome is None else outcome, policy)


async def finish(store: Store, lease: Lease, outcome: Outcome | None = None) -> None:
    assert await store.settle([ended(lease, outcome)]) == [True]


async def fail(store: Store, job: NewJob | None = None) -> str:
    """Bring one job to its failed end."""
    lease = await start(store, (job or new())._replace(max_attempts=1))
    await finish(store, lease, Failed(BOOM))
    return lease.id


async def complete(store: Store, job: NewJob | None = None) -> str:
    lease = await start(store, job)
    await finish(store, lease)
    return lease.id


async def read(store: Store, job_id: str, scope: Scope = ALL) -> Job:
    (job,) = await store.inspect([job_id], scope)
    assert job is not None
    return job


async def states(store: Store, *ids: str) -> list[State | None]:
    return [None if job is None else job.state for job in await store.inspect(ids)]


def joined(answer: Enqueued | Refused) -> str | None:
    """The id of the job that an enqueue joined; None where it stored a new one."""
    assert isinstance(answer, Enqueued)
    return None if answer.new else answer.id


def chunk(text: str) -> OutputNote:
    return OutputNote("chunk", data=text.encode(), content_type="text/plain", size=len(text))


def artifact(digest: str) -> OutputNote:
    return OutputNote("artifact", name="result", content_type="image/png", size=9, artifact=digest, width=3, height=3)
