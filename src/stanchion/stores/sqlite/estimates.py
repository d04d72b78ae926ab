"""What is kept of durations, and what the time left follows from."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Final

from stanchion.domain.estimates import Durations, Ended, Work, size_of
from stanchion.domain.outlook import MOST_GONE, Asked, Gone, Kind, Outlook, Serving
from stanchion.domain.turnover import WINDOW, Life
from stanchion.store import Lesson
from stanchion.stores.sqlite import estimate_statements as sql
from stanchion.stores.sqlite.fetch import every, one, only
from stanchion.stores.sqlite.reads import key_of
from stanchion.stores.sqlite.rows import RUNNING
from stanchion.stores.sqlite.sketches import read
from stanchion.stores.sqlite.workers import names_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stanchion.domain.estimates import Seen
    from stanchion.domain.query import Scope
    from stanchion.domain.units import Instant, JobId
    from stanchion.stores.sqlite.fetch import Connection
    from stanchion.stores.sqlite.writer import Tx

MOST_KINDS: Final = 256
"""So many kinds of work of one queue are told at most."""
SAMPLE: Final = 32
"""The sizes of so many jobs, the next to start, stand for a kind."""


def lessons(db: Connection, limit: int) -> Lesson:
    """See `Store.lessons`."""
    since: int = only(db, sql.LEARNED_UPTO)[0]
    upto, count = only(db, sql.LESSON_END, (since, limit))
    if upto is None:
        return Lesson(since, since)
    ended = tuple(
        Ended(Work(task, size_of(size)), max(took, 0), outcome != "completed")
        for task, size, took, outcome in every(db, sql.LESSONS, (since, upto))
    )
    return Lesson(since, upto, ended, more=count == limit)


def learn(tx: Tx, since: int, upto: int, seen: Mapping[Work, Seen]) -> bool:
    """See `Store.learn`."""
    if one(tx.db, sql.LEARN, (since, upto)) is None:
        return False
    rows = [(work.task, work.size, took.encode(), failed.encode()) for work, (took, failed) in seen.items()]
    tx.db.executemany(sql.SET_DURATIONS, rows)
    if rows:
        tx.db.execute(sql.LEARNED)
        tx.learned += 1
    return True


def durations(db: Connection) -> Durations:
    """See `Store.durations`."""
    seen = dict(read(every(db, sql.DURATIONS)))
    return Durations(seen, max((known.took.newest for known in seen.values()), default=0))


def outlook(db: Connection, ids: Sequence[JobId], scope: Scope, now: Instant) -> Outlook:
    """See `Store.outlook`."""
    names = {key_of(job_id).hex(): job_id for job_id in ids}
    jobs: dict[JobId, Asked] = {}
    queues: dict[str, int] = {}
    for key, state, task, size, queue, number, priority, attempts, started_at in every(
        db, sql.ASKED, (json.dumps(list(names)), scope.tenant)
    ):
        elapsed = max(now - (started_at or now), 0) if state == RUNNING else None
        jobs[names[key]] = Asked(Work(task, size_of(size)), queue, priority, max(attempts, 1), elapsed)
        if elapsed is None:
            queues[queue] = number
    if not queues:
        return Outlook(jobs, {}, ())
    waiting = {name: _kinds(db, number) for name, number in queues.items()}
    return Outlook(jobs, waiting, _workers(db, now), _gone(db, now))


def _kinds(db: Connection, queue: int) -> tuple[Kind, ...]:
    """Return the kinds of work that wait in a queue and may start, the most urgent first."""
    found: list[Kind] = []
    for priority, task, jobs, lane, _ in every(db, sql.KINDS, (queue, MOST_KINDS)):
        sizes = Counter(size_of(row[0]) for row in every(db, sql.SIZES, (lane, SAMPLE)))
        drawn = sizes.total()
        found += [Kind(priority, Work(task, size), jobs * count / drawn) for size, count in sorted(sizes.items())]
    return tuple(found)


def _workers(db: Connection, now: Instant) -> tuple[Serving, ...]:
    return tuple(
        Serving(
            slots,
            names_of(queues),
            frozenset(names_of(tasks) or ()),
            tuple(
                (Work(task, size_of(size)), max(now - (started_at or now), 0))
                for task, size, started_at in every(db, sql.RUNS, (number, slots))
            ),
            max(now - came, 0),
        )
        for number, slots, queues, tasks, came in every(db, sql.ALIVE, (now,))
    )


def _gone(db: Connection, now: Instant) -> tuple[Gone, ...]:
    """Return the workers that ended lately, the latest ones where they are many, the oldest first."""
    rows = list(every(db, sql.GONE, (now - WINDOW, MOST_GONE)))
    return tuple(
        Gone(
            names_of(queues),
            frozenset(names_of(tasks) or ()),
            Life(max(now - came, 0), max(now - went, 0), state == "lost"),
        )
        for queues, tasks, came, went, state in reversed(rows)
    )
