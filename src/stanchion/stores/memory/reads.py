"""What the memory store answers to readers; every read stays within a scope."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain import resources
from stanchion.domain.job import FINAL, State
from stanchion.domain.limits import FRESH, find, hold
from stanchion.domain.query import Cursor
from stanchion.store import Bucket, Changes, Flow, OutputItem, Page, Place, QueueStats, WorkerRow
from stanchion.stores.memory import limits
from stanchion.stores.memory.control import ended_long_ago
from stanchion.stores.memory.joins import first_open
from stanchion.stores.memory.tables import share_of, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stanchion.domain.job import Job
    from stanchion.domain.query import Filter, Scope
    from stanchion.domain.units import Instant, JobId, Millis
    from stanchion.stores.memory.tables import Lane, Share, Tables, Worker

MAX_SAMPLES: Final = 200
_CURSOR_DIGITS: Final = 19


def matching(tables: Tables, wanted: Filter, scope: Scope) -> list[Job]:
    """Return the jobs that a filter names, oldest first."""
    return [
        job
        for job in tables.jobs.values()
        if visible(job, scope) and _matches(job, wanted) and _of(tables, job, wanted.workflow)
    ]


def _of(tables: Tables, job: Job, workflow: str | None) -> bool:
    return workflow is None or job.ref in tables.members.get(workflow, ())


def _matches(job: Job, wanted: Filter) -> bool:
    return (
        (not wanted.states or job.state in wanted.states)
        and (wanted.queue is None or job.queue == wanted.queue)
        and (wanted.task is None or job.task == wanted.task)
        and (wanted.user is None or job.user == wanted.user)
        and (wanted.tag is None or wanted.tag in job.tags)
        and (wanted.text is None or _mentions(job, wanted.text.lower()))
        and (not wanted.ids or job.id in wanted.ids)
        and (wanted.ended_before is None or (job.ended_at is not None and job.ended_at < wanted.ended_before))
    )


def _mentions(job: Job, text: str) -> bool:
    return job.id.startswith(text) or text in job.task.lower() or text in (job.user or "").lower()


def page(tables: Tables, wanted: Filter, limit: int, after: str | None, scope: Scope) -> Page:
    """Return a page of jobs, newest first, strictly below the cursor."""
    if after is not None and not (after.isascii() and after.isdecimal() and len(after) <= _CURSOR_DIGITS):
        message = f"{after!r} is not a cursor; send back the page's `next` unchanged"
        raise ValueError(message)
    found = [job for job in reversed(matching(tables, wanted, scope)) if after is None or job.ref < int(after)]
    shown = tuple(replace(job, args=b"", result=None) for job in found[:limit])
    return Page(shown, str(shown[-1].ref) if shown and len(found) > limit else None)


def place(tables: Tables, job: Job, now: Instant) -> Place:
    """Return where a job stands in its queue's line, and why it cannot start."""
    match job.state:
        case State.RUNNING:
            return Place(0)
        case State.SCHEDULED | State.RETRYING:
            return Place(None, "scheduled", until=job.due_at)
        case State.BLOCKED:
            return Place(None, *first_open(tables, job.ref))
        case State.QUEUED if tables.policy(job.queue).paused:
            return Place(None, "paused_queue", key=job.queue)
        case State.QUEUED:
            return _in_line(tables, job, now)
        case _:
            return Place(None)


def _in_line(tables: Tables, job: Job, now: Instant) -> Place:
    if tables.lane_of(job) not in tables.held:
        ahead = order(tables, job.queue).index(job.ref)
        served = any(_serves(worker, job, now) for worker in tables.workers.values())
        return Place(1 + ahead) if served else Place(1 + ahead, "no_worker", key=job.task)
    key, _ = tables.held[tables.lane_of(job)]
    if resources.is_resource(key):
        reason, until = resources.hold(tables.usage.get(key, FRESH), now)
        return Place(None, reason, key, until)
    weight = dict(limits.all_keys(tables, job))[key]
    reason, until = hold(find(tables.limits, key), limits.usage(tables, key), weight, now)
    return Place(None, reason, key, until)


def order(tables: Tables, queue: str) -> list[int]:
    """Return the refs of a queue's waiting jobs as they would start if nothing came.

    A job of a tenant starts when those before it have moved its turn on.
    """
    tags: dict[int, tuple[int, int, int]] = {}
    moved: Counter[Share] = Counter()
    for job in tables.having(State.QUEUED):
        if job.queue == queue and tables.lane_of(job) not in tables.held:
            share = share_of(job)
            turn, since = tables.turn(share)
            tags[job.ref] = (job.priority, turn + moved[share], since)
            moved[share] += tables.step(job)
    return sorted(tags, key=lambda ref: tags[ref])


def _serves(worker: Worker, job: Job, now: Instant) -> bool:
    queues = worker.info.queues
    if worker.state != "alive" or not worker.living(now):
        return False
    return job.task in worker.info.tasks and (queues is None or job.queue in queues)


def stats(tables: Tables, scope: Scope) -> list[QueueStats]:
    """Return all queues by name, with the scope's counts."""
    jobs = [job for job in tables.jobs.values() if visible(job, scope)]
    answer: list[QueueStats] = []
    for name in sorted(tables.queues):
        counts = Counter(job.state for job in jobs if job.queue == name)
        queued = (job.created_at for job in jobs if job.queue == name and job.state is State.QUEUED)
        answer.append(
            QueueStats(tables.queues[name], {state: counts[state] for state in State}, next(queued, None)),
        )
    return answer


def census(tables: Tables) -> dict[str, Mapping[State, int]]:
    """Return how many jobs of each tenant with unfinished ones are in each state."""
    found: defaultdict[str, Counter[State]] = defaultdict(Counter)
    for job in tables.jobs.values():
        found[job.tenant][job.state] += 1
    return {tenant: dict(counts) for tenant, counts in sorted(found.items()) if not counts.keys() <= FINAL}


def upcoming(tables: Tables, most: int, scope: Scope) -> list[JobId]:
    """Return the oldest jobs of the lanes that may start, the lanes whose turn it is first."""
    lanes: defaultdict[Lane, list[Job]] = defaultdict(list)
    for job in tables.having(State.QUEUED):
        if visible(job, scope) and tables.lane_of(job) not in tables.held and not tables.policy(job.queue).paused:
            lanes[tables.lane_of(job)].append(job)

    def rank(jobs: list[Job]) -> tuple[int, int, int]:
        return jobs[0].priority, tables.turns.get(share_of(jobs[0]), 0), jobs[0].ref

    ready = sorted((sorted(jobs, key=lambda job: job.ref) for jobs in lanes.values()), key=rank)
    return [job.id for jobs in ready[:most] for job in jobs[:most]]


def series(tables: Tables, window: Millis, step: Millis, scope: Scope, now: Instant) -> list[Bucket]:
    """Return the recent past in intervals that start at multiples of the step."""
    first = (now - window) // step * step
    buckets = {at: Bucket(at, 0, 0, 0, 0, (), ()) for at in range(first, now + 1, step)}
    for fact in _facts(tables, scope):
        at = fact.at // step * step
        if at in buckets:
            buckets[at] = _counted(buckets[at], fact)
    return list(buckets.values())


def flow(tables: Tables, window: Millis, scope: Scope, now: Instant) -> dict[str, Flow]:
    """Return what happened to the jobs of each queue in the recent past."""
    found: dict[str, Flow] = {}
    for fact in _facts(tables, scope):
        if fact.at >= now - window and fact.what != "enqueued":
            own = found.get(fact.queue, Flow())
            found[fact.queue] = own._replace(**{fact.what: getattr(own, fact.what) + 1})
    return found


class _Fact(NamedTuple):
    """One thing that happened to a job: enqueued, started, completed or failed; and what it took, in ms."""

    at: Instant
    what: str
    queue: str
    took: Millis | None = None


def _facts(tables: Tables, scope: Scope) -> Iterator[_Fact]:
    for ref, events in tables.events.items():
        if not visible(tables.jobs[ref], scope):
            continue
        queue = tables.jobs[ref].queue
        yield _Fact(events[0].at, "enqueued", queue)
        queued = started = events[0].at
        before = None
        for event in events:
            match event.state:
                case State.QUEUED:
                    queued = event.at
                case State.RUNNING if before is not State.RUNNING:  # else it tells of an asked cancel
                    started = event.at
                    yield _Fact(event.at, "started", queue, started - queued)
                case State.COMPLETED | State.FAILED:
                    took = None if before is None else event.at - started  # None: answered from the cache
                    yield _Fact(event.at, event.state.value, queue, took)
                case _:
                    pass
            before = event.state


def _counted(bucket: Bucket, fact: _Fact) -> Bucket:
    match fact.what:
        case "enqueued":
            return bucket._replace(enqueued=bucket.enqueued + 1)
        case "started":
            waits = _sampled(bucket.waits, fact)
            return bucket._replace(started=bucket.started + 1, waits=waits)
        case "completed":
            runs = _sampled(bucket.runs, fact)
            return bucket._replace(completed=bucket.completed + 1, runs=runs)
        case _:
            return bucket._replace(failed=bucket.failed + 1)


def _sampled(samples: tuple[int, ...], fact: _Fact) -> tuple[int, ...]:
    return samples if fact.took is None else (*samples, fact.took)[:MAX_SAMPLES]


def workers(tables: Tables, now: Instant) -> list[WorkerRow]:
    """Return the registry: living workers, and those that ended lately."""
    return [_row(tables, worker, now) for worker in tables.workers.values() if not ended_long_ago(worker, now)]


def _row(tables: Tables, worker: Worker, now: Instant) -> WorkerRow:
    running = tables.held_by(worker.id)
    jobs = tuple(job.id for job in running)
    state = worker.state
    if state == "alive":
        state = "busy" if jobs else "idle"
    ended = worker.done + worker.failed
    return WorkerRow(
        id=worker.id, info=worker.info, state=state, started_at=worker.started_at, beat_at=worker.beat_at,
        alive=worker.living(now), running=len(jobs), jobs=jobs, done=worker.done, failed=worker.failed,
        mean_ms=worker.busy / ended if ended else None, warm=worker.warm, swaps=worker.swaps,
        holds=resources.summed(hold for job in running for hold in tables.holds.get(job.ref, ("", ()))[1]),
    )  # fmt: skip


def tail(tables: Tables) -> Cursor:
    """Return the cursor of now."""
    return Cursor(tables.last_event, tables.last_output, tables.last_live)


def _cursor_of(item: OutputItem) -> int:
    return item.output.cursor


def changes(tables: Tables, since: Cursor, limit: int, scope: Scope) -> Changes:
    """Return what changed after a cursor; the new cursor also passes what the scope may not see."""
    if since.event < tables.floor or since.event > tables.last_event:
        return Changes((), (), (), tail(tables), gap=True)

    def seen(job_id: str) -> bool:
        return visible(tables.jobs[tables.refs[job_id]], scope)

    feed = tables.feed[bisect_right(tables.feed, since.event, key=lambda event: event.cursor) :]
    produced = tables.produced[bisect_right(tables.produced, since.output, key=_cursor_of) :]
    events = [event for event in feed if seen(event.id)]
    outputs = [item for item in produced if seen(item.id)]
    live = sorted((revision, ref) for ref, revision in tables.live.items() if revision > since.live)
    end = tail(tables)
    return Changes(
        events=tuple(events[:limit]),
        outputs=tuple(outputs[:limit]),
        live=tuple(tables.jobs[ref].id for _, ref in live if visible(tables.jobs[ref], scope)),
        cursor=Cursor(
            events[limit - 1].cursor if len(events) > limit else end.event,
            outputs[limit - 1].output.cursor if len(outputs) > limit else end.output,
            end.live,
        ),
        more=len(events) > limit or len(outputs) > limit,
    )
