"""What the memory store keeps of durations, and what it tells of the time left."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from stanchion.domain.estimates import Durations, Ended, Seen, Work, size_of
from stanchion.domain.job import State
from stanchion.domain.outlook import MOST_GONE, Asked, Gone, Kind, Outlook, Serving
from stanchion.domain.sketch import Sketch
from stanchion.domain.turnover import WINDOW, Life
from stanchion.store import Lesson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stanchion.domain.job import Event, Job
    from stanchion.domain.query import Scope
    from stanchion.domain.units import Instant, JobId, Millis
    from stanchion.stores.memory.tables import Tables

_ENDS: Final = {"completed": State.COMPLETED, "failed": State.FAILED, "retry": State.RETRYING}


def lessons(tables: Tables, limit: int) -> Lesson:
    """See `Store.lessons`."""
    since = tables.lessons
    events = [event for event in tables.feed if event.cursor > since]
    taken = events[:limit]
    ended = [found for event in taken if (found := _ended(tables, event)) is not None]
    return Lesson(since, taken[-1].cursor if taken else since, tuple(ended), more=len(taken) == limit)


def _ended(tables: Tables, event: Event) -> Ended | None:
    """Return what an event says of an attempt's duration, if it ended one."""
    ref = tables.refs[event.id]
    for past in tables.attempts.get(ref, ()):
        its_own = past.outcome in _ENDS and past.number == event.attempt and past.ended_at == event.at
        if its_own and past.started_at is not None and _ENDS[past.outcome or ""] is event.state:
            took = max(event.at - past.started_at, 0)
            return Ended(_work(tables, tables.jobs[ref]), took, past.outcome != "completed")
    return None


def learn(tables: Tables, since: int, upto: int, seen: Mapping[Work, Seen]) -> bool:
    """See `Store.learn`."""
    if tables.lessons != since:
        return False
    tables.lessons = upto
    for work, sketches in seen.items():  # as they are read from a file, so that no store charges otherwise
        tables.durations[work] = Seen(*(Sketch.decode(sketch.encode()) for sketch in sketches))
    tables.prices.clear()
    return True


def durations(tables: Tables) -> Durations:
    """See `Store.durations`."""
    return Durations(dict(tables.durations), max((seen.took.newest for seen in tables.durations.values()), default=0))


def outlook(tables: Tables, ids: Sequence[JobId], scope: Scope, now: Instant) -> Outlook:
    """See `Store.outlook`."""
    found = [job for job_id in ids if (job := tables.find(job_id, scope)) is not None]
    jobs = {
        job.id: Asked(
            _work(tables, job), job.queue, job.priority, max(job.max_attempts - job.spent, 1), _elapsed(job, now)
        )
        for job in found
        if job.state in (State.QUEUED, State.RUNNING)
    }
    kinds = Counter(
        (job.queue, job.priority, _work(tables, job))
        for job in tables.having(State.QUEUED)
        if tables.lane_of(job) not in tables.held
    )
    waiting = {
        queue: tuple(
            Kind(priority, work, float(count))
            for (name, priority, work), count in sorted(kinds.items())
            if name == queue
        )
        for queue in {asked.queue for asked in jobs.values() if asked.elapsed is None}
    }
    if not waiting:
        return Outlook(jobs, {}, ())
    workers = tuple(
        Serving(
            worker.info.slots,
            worker.info.queues,
            frozenset(worker.info.tasks),
            _running(tables, worker.id, now),
            max(now - worker.started_at, 0),
        )
        for worker in tables.workers.values()
        if worker.state == "alive" and worker.lease_until >= now
    )
    return Outlook(jobs, waiting, workers, _gone(tables, now))


def _gone(tables: Tables, now: Instant) -> tuple[Gone, ...]:
    """Return the workers that ended lately, the latest ones where they are many, the oldest first."""
    ended = sorted(
        (worker.ended_at, worker.id)
        for worker in tables.workers.values()
        if worker.ended_at is not None and worker.ended_at > now - WINDOW
    )
    found: list[Gone] = []
    for at, number in ended[-MOST_GONE:]:
        worker = tables.workers[number]
        life = Life(max(now - worker.started_at, 0), max(now - at, 0), worker.state == "lost")
        found.append(Gone(worker.info.queues, frozenset(worker.info.tasks), life))
    return tuple(found)


def _work(tables: Tables, job: Job) -> Work:
    return Work(job.task, size_of(tables.sizes[job.ref]))


def _running(tables: Tables, worker: int, now: Instant) -> tuple[tuple[Work, Millis], ...]:
    return tuple((_work(tables, job), _elapsed(job, now) or 0) for job in tables.held_by(worker))


def _elapsed(job: Job, now: Instant) -> Millis | None:
    return None if job.state is not State.RUNNING or job.started_at is None else max(now - job.started_at, 0)
