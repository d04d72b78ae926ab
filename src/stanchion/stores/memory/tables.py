"""What the memory store holds: dicts, counters, and the few ways to change a job."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from stanchion.domain.charges import charge, class_of, known
from stanchion.domain.estimates import Work
from stanchion.domain.fairness import Standing, joined, step, timed
from stanchion.domain.job import Event, State
from stanchion.domain.policy import QueuePolicy, TenantPolicy
from stanchion.domain.units import DAY, HOUR
from stanchion.stores.memory.cache import CacheTable

if TYPE_CHECKING:
    from collections.abc import Collection

    from stanchion.domain.affinity import Passes
    from stanchion.domain.estimates import Seen
    from stanchion.domain.intake import Strikes
    from stanchion.domain.job import Attempt, Cost, Job, LogLine, Output, Preview
    from stanchion.domain.kinds import ErrorInfo
    from stanchion.domain.limits import Limit, Usage, Weights
    from stanchion.domain.query import Scope
    from stanchion.domain.resources import Hold
    from stanchion.domain.schedule import Schedule
    from stanchion.domain.units import Instant, JobId, Millis, Turn
    from stanchion.store import OutputItem, WorkerInfo
    from stanchion.stores.memory.joins import Edge

Band: TypeAlias = tuple[str, int]
"""A queue and a priority."""
Share: TypeAlias = tuple[str, int, str]
"""A band and a tenant in it."""
Lane: TypeAlias = tuple[str, int, str, str, str, "Weights", str, str]
"""What jobs that may start together have in common: queue, priority, tenant, task, user ('' where it does not
matter), the keys of their own, the model, and their batch key."""

REMEMBER_FOR: Final[Millis] = DAY
"""How long an idempotency key is kept."""

SHOW_ENDED_FOR: Final[Millis] = HOUR
"""How long a worker that ended stays in the registry."""

GONE: Final = frozenset({"lost", "stopped"})


@dataclass(slots=True)
class Worker:
    """A registered worker; its state is alive, draining, lost or stopped."""

    id: int
    info: WorkerInfo
    started_at: Instant
    beat_at: Instant
    lease_until: Instant
    state: str = "alive"
    ended_at: Instant | None = None
    done: int = 0
    failed: int = 0
    busy: Millis = 0
    warm: tuple[str, ...] = ()
    swaps: int = 0

    def living(self, now: Instant) -> bool:
        """Return whether it may be counted on at this instant."""
        return self.state not in GONE and self.lease_until >= now


class Remembered(NamedTuple):
    """What an idempotency key was used for, which job it made, and when."""

    fingerprint: bytes
    ref: int
    at: Instant


class Tables:
    """All rows. A job's `ref` is its key everywhere; dicts keep their order of insertion, which is by ref."""

    def __init__(self) -> None:  # noqa: PLR0915 - one line for each table
        self.jobs: dict[int, Job] = {}
        self.refs: dict[JobId, int] = {}
        self.by_state: dict[State, set[int]] = {state: set() for state in State}
        self.queues: dict[str, QueuePolicy] = {}
        self.tenants: dict[str, TenantPolicy] = {}
        self.turns: dict[Share, Turn] = {}
        self.since: dict[Share, int] = {}
        self.joining: dict[Share, int] = {}
        self.clocks: dict[Band, Turn] = {}
        self.in_line: Counter[Share] = Counter()
        self.schedules: dict[tuple[str, str], Schedule] = {}
        self.limits: dict[str, Limit] = {}
        self.usage: dict[str, Usage] = {}
        self.wakes: dict[str, Instant] = {}
        self.touched: set[str] = set()
        self.held: dict[Lane, tuple[str, Turn]] = {}
        self.passed: dict[Lane, Passes] = {}
        self.by_user = False
        self.resourceful = False
        self.resources: dict[tuple[str, str, str], int] = {}
        self.holds: dict[int, tuple[str, tuple[Hold, ...]]] = {}
        self.conflicts: dict[int, str] = {}
        self.warned: dict[str, tuple[Instant, int]] = {}
        self.strikes: dict[tuple[str, str], Strikes] = {}
        self.windows: dict[tuple[str, str], Millis] = {}
        self.extras: dict[int, Weights] = {}
        self.sizes: dict[int, float | None] = {}
        self.batches: dict[int, str] = {}
        self.durations: dict[Work, Seen] = {}
        self.lessons = 0
        self.workers: dict[int, Worker] = {}
        self.holders: dict[int, int] = {}
        self.feed: list[Event] = []
        self.produced: list[OutputItem] = []
        self.events: dict[int, list[Event]] = {}
        self.attempts: dict[int, list[Attempt]] = {}
        self.outputs: dict[int, list[Output]] = {}
        self.logs: dict[int, list[LogLine]] = {}
        self.steps: dict[int, dict[str, bytes]] = {}
        self.costs: dict[int, list[Cost]] = {}
        self.previews: dict[int, Preview] = {}
        self.live: dict[int, int] = {}
        self.dedup: dict[bytes, int] = {}
        self.idempotency: dict[tuple[str, str], Remembered] = {}
        self.edges: dict[int, list[Edge]] = {}
        self.children: dict[int, list[tuple[int, int]]] = {}
        self.members: dict[str, dict[int, None]] = {}
        self.ended: list[int] = []
        self.orphans: set[str] = set()
        self.cache = CacheTable()
        self.credits: dict[Share, Turn] = {}
        self.charges: dict[int, Millis] = {}
        self.mates: dict[int, int] = {}
        """How many started together, of jobs that started in a group."""
        self.prices: dict[Work, Millis] = {}
        self.aged: dict[int, Instant] = {}
        self.last_ref = self.last_event = self.last_output = 0
        self.last_live = self.last_log = self.last_worker = self.last_schedule = 0
        self.floor = 0
        self.hints: set[str] = set()

    def find(self, job_id: JobId, scope: Scope) -> Job | None:
        """Return a job that the scope may see."""
        ref = self.refs.get(job_id)
        return None if ref is None or not visible(self.jobs[ref], scope) else self.jobs[ref]

    def having(self, *states: State) -> list[Job]:
        """Return the jobs in these states, by ref."""
        return [self.jobs[ref] for ref in sorted(ref for state in states for ref in self.by_state[state])]

    def put(self, job: Job) -> Job:
        """Store a job as given: no new version, no event."""
        before = self.jobs.get(job.ref)
        if before is not None:
            self.by_state[before.state].discard(job.ref)
            self._line(before, -1)
        self._line(job, 1)
        self.by_state[job.state].add(job.ref)
        self.jobs[job.ref] = job
        self.hints.add("change")
        if job.state is State.QUEUED:
            self.hints.add("work")
        return job

    def _line(self, job: Job, count: int) -> None:
        """Count a queued job in or out; a tenant that begins to wait joins at its band's clock."""
        if job.state is State.QUEUED:
            share = share_of(job)
            if count > 0 and not self.in_line[share]:
                self.turns[share] = joined(self.turns.get(share, 0), self.clocks.get(share[:2], 0))
                self.credits[share] = 0
                self.joining[share] = job.ref
            elif count > 0 and share in self.joining:
                self.joining[share] = min(self.joining[share], job.ref)
            self.in_line[share] += count

    def join(self) -> None:
        """End an operation: who joined by it stands where its oldest job puts it; an empty lane waits for nothing."""
        self.since.update(self.joining)
        self.joining.clear()
        if self.held:
            full = {self.lane_of(job) for job in self.having(State.QUEUED)}
            self.wakes |= {key: 0 for lane, (key, _) in self.held.items() if lane not in full}
            self.held = {lane: held for lane, held in self.held.items() if lane in full}

    def turn(self, share: Share) -> tuple[Turn, int]:
        """Return what orders a band: the turn, behind the clock by its credit at most, then who joined first."""
        return self.standing(share).against(self.clocks.get(share[:2], 0)), self.since[share]

    def standing(self, share: Share) -> Standing:
        """Return where a tenant stands."""
        return Standing(self.turns[share], self.credits[share])

    def stand(self, share: Share, standing: Standing) -> None:
        """Keep where a tenant stands."""
        self.turns[share], self.credits[share] = standing

    @property
    def limited(self) -> bool:
        """Whether there is any limit, a key was ever parked, or a job ever asked for a resource."""
        return bool(self.limits or self.usage or self.resourceful)

    def lane_of(self, job: Job) -> Lane:
        """Return the lane of a job."""
        user = (job.user or "") if self.by_user else ""
        extra, batch = self.extras.get(job.ref, ()), self.batches.get(job.ref, "")
        return job.queue, job.priority, job.tenant, job.task, user, extra, job.model, batch

    def head(self, lane: Lane) -> int:
        """Return the oldest job that waits in a lane."""
        return min(job.ref for job in self.having(State.QUEUED) if self.lane_of(job) == lane)

    def price(self, job: Job) -> Millis | None:
        """Return what a job is charged at its claim; None where it counts 1."""
        size = class_of(self.extras.get(job.ref, ()))
        if size is None:
            return None
        work = Work(job.task, size)
        if work not in self.prices:
            own = {key: seen for key, seen in self.durations.items() if key.task == job.task}
            self.prices[work] = charge(known(own), work)
        return self.prices[work]

    def step(self, job: Job) -> Turn:
        """Return how far a job moves its tenant's turn."""
        weight, price = self.tenant(job.tenant).weight, self.price(job)
        return step(weight) if price is None else timed(weight, price)

    def tenant(self, name: str) -> TenantPolicy:
        """Return a tenant's policy."""
        return self.tenants.get(name) or TenantPolicy(name)

    def record(self, event: Event) -> None:
        """Write an event to the job's history and to the feed."""
        self.events.setdefault(self.refs[event.id], []).append(event)
        self.feed.append(event)

    def policy(self, queue: str) -> QueuePolicy:
        """Return a queue's policy; a queue is there from its first use."""
        return self.queues.setdefault(queue, QueuePolicy(queue))

    def held_by(self, worker: int) -> list[Job]:
        """Return the running jobs of a worker, by ref."""
        return [job for job in self.having(State.RUNNING) if self.holders[job.ref] == worker]

    def drop(self, refs: Collection[int]) -> None:
        """Delete jobs with all their rows, and remember whose artifacts may be orphans now."""
        gone = set(refs)
        if not gone:
            return
        ids = {self.jobs[ref].id for ref in gone}
        self.floor = max(self.floor, *(event.cursor for ref in gone for event in self.events[ref]))
        self.orphans |= {item.artifact for ref in gone for item in self.outputs.get(ref, ()) if item.artifact}
        self.feed = [event for event in self.feed if event.id not in ids]
        self.produced = [item for item in self.produced if item.id not in ids]
        self.dedup = {key: ref for key, ref in self.dedup.items() if ref not in gone}
        self.idempotency = {key: used for key, used in self.idempotency.items() if used.ref not in gone}
        for ref in gone:
            self._drop_rows(ref)
        self.hints.add("change")

    def _drop_rows(self, ref: int) -> None:
        job = self.jobs.pop(ref)
        self.by_state[job.state].discard(ref)
        del self.refs[job.id]
        self.extras.pop(ref, None)
        self.sizes.pop(ref, None)
        self.charges.pop(ref, None)
        self.mates.pop(ref, None)
        self.batches.pop(ref, None)
        self.aged.pop(ref, None)
        self.conflicts.pop(ref, None)
        for table in (
            self.events, self.attempts, self.outputs, self.logs, self.steps, self.costs, self.cache.keeping,
        ):  # fmt: skip
            table.pop(ref, None)

    def take_orphans(self) -> tuple[str, ...]:
        """Return the hashes that deleted jobs referred to and no job refers to now; each is told once."""
        used = {item.artifact for items in self.outputs.values() for item in items} | self.cache.artifacts()
        orphans = tuple(sorted(self.orphans - used))
        self.orphans.clear()
        return orphans


def share_of(job: Job) -> Share:
    """Return whose turn a job waits for: its tenant's, among those of its queue and priority."""
    return job.queue, job.priority, job.tenant


def visible(job: Job, scope: Scope) -> bool:
    """Return whether a scope may see a job."""
    return scope.tenant is None or job.tenant == scope.tenant


def advance(tables: Tables, job: Job, now: Instant, error: ErrorInfo | None = None) -> Job:
    """Store a job under its next version and write the event of it."""
    tables.last_event += 1
    job = replace(job, version=job.version + 1)
    tables.put(job)
    tables.record(Event(tables.last_event, job.id, job.version, job.state, job.attempt, now, error))
    if job.final:
        tables.ended.append(job.ref)
    return job
