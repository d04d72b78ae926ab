"""Where jobs stand in line: exact, from the turns of tenants and the counts of lanes."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from stanchion.domain import resources
from stanchion.domain.fairness import before, step
from stanchion.domain.limits import FRESH, Limit, Usage, find, hold, keys, of_text
from stanchion.store import Place
from stanchion.stores.sqlite import limit_statements as limit_sql
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.fetch import every, one, only
from stanchion.stores.sqlite.joins import first_open
from stanchion.stores.sqlite.reads import key_of
from stanchion.stores.sqlite.rows import BLOCKED, QUEUED, RETRYING, RUNNING, SCHEDULED
from stanchion.stores.sqlite.workers import names_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.query import Scope
    from stanchion.domain.units import Instant, JobId, Turn
    from stanchion.stores.sqlite.fetch import Connection, Row
    from stanchion.stores.sqlite.ranks import Ranks


class _Waiting(NamedTuple):
    """A queued job of a queue that is not paused; `at` is its place among the answers."""

    at: int
    seq: int
    queue: int
    priority: int
    share: int
    name: str
    task: str


class _Rival(NamedTuple):
    """A tenant of a band: the turn of its next job, with which job it joined, its step, and how many it has waiting."""

    share: int
    turn: Turn
    since: int
    step: Turn
    jobs: int


def places(db: Connection, ranks: Ranks, ids: Sequence[JobId], scope: Scope, now: Instant) -> list[Place | None]:
    """See `Store.position`."""
    answers: list[Place | None] = [None] * len(ids)
    waiting: list[_Waiting] = []
    holds = _Holds(db, now)
    asked = json.dumps([key_of(job_id).hex() for job_id in ids])
    for at, seq, state, due_at, priority, queue, paused, name, task, share, waits_on, lane in every(
        db, sql.PLACES, (asked, scope.tenant)
    ):
        if state == QUEUED and not paused and waits_on is not None:
            answers[at] = holds.place(waits_on, lane)
        elif state == QUEUED and not paused:
            waiting.append(_Waiting(at, seq, queue, priority, share, name, task))
        else:
            answers[at] = _standing(state, due_at, name, first_open(db, seq) if state == BLOCKED else None)
    if waiting:
        ranks.catch_up(db)
        serving = [(names_of(row[0]), names_of(row[1]) or ()) for row in every(db, sql.SERVING, (now,))]
        positions = _positions(db, ranks, waiting)
        for job in waiting:
            served = any(job.task in tasks and (queues is None or job.name in queues) for queues, tasks in serving)
            position = positions[job.seq]
            answers[job.at] = Place(position) if served else Place(position, "no_worker", job.task)
    return answers


class _Holds:
    """What lanes wait for; the limits are read once."""

    def __init__(self, db: Connection, now: Instant) -> None:
        self._db, self._now = db, now
        self._limits: dict[str, Limit] | None = None

    def place(self, key: str, lane: int) -> Place:
        """Return the place of a job whose lane waits for a key."""
        if self._limits is None:
            self._limits = {row[0]: Limit(*row) for row in every(self._db, limit_sql.LIMITS)}
        row = one(self._db, limit_sql.USAGE, (key,))
        usage = FRESH if row is None else Usage(*row)
        if resources.is_resource(key):
            reason, until = resources.hold(usage, self._now)
            return Place(None, reason, key, until)
        queue, tenant, user, task, extra = only(self._db, limit_sql.LANE_FACTS, (lane,))
        weight = dict(keys(queue, tenant, user, task, of_text(extra)))[key]
        reason, until = hold(find(self._limits, key), usage, weight, self._now)
        return Place(None, reason, key, until)


def _standing(state: int, due_at: Instant | None, queue: str, parent: JobId | None) -> Place:
    places: dict[int, Place] = {
        BLOCKED: Place(None, "dependency", parent),
        SCHEDULED: Place(None, "scheduled", None, due_at),
        QUEUED: Place(None, "paused_queue", queue),
        RUNNING: Place(0),
        RETRYING: Place(None, "scheduled", None, due_at),
    }
    return places.get(state, Place(None))


def _positions(db: Connection, ranks: Ranks, waiting: Sequence[_Waiting]) -> dict[int, int]:
    """Return the position of each job by its number."""
    shares: defaultdict[tuple[int, int, int], list[int]] = defaultdict(list)
    for job in waiting:
        shares[job.queue, job.priority, job.share].append(job.seq)
    bands: dict[tuple[int, int], tuple[int, list[_Rival]]] = {}
    positions: dict[int, int] = {}
    for (queue, priority, share), seqs in shares.items():
        band = bands.get((queue, priority))
        if band is None:
            above = int(only(db, sql.AHEAD_BANDS, (queue, priority))[0])
            band = bands[queue, priority] = above, [_rival(row) for row in every(db, sql.BAND, (priority, queue))]
        above, rivals = band
        own = _own(db, ranks, share, seqs)
        positions |= {seq: 1 + above + own[seq] + _others(rivals, share, own[seq]) for seq in seqs}
    return positions


def _rival(row: Row) -> _Rival:
    return _Rival(row[0], row[1], row[2], step(row[3]), int(row[4]))


def _own(db: Connection, ranks: Ranks, share: int, seqs: Sequence[int]) -> dict[int, int]:
    """Return how many jobs of the same tenant start before each."""
    sums = dict.fromkeys(seqs, 0)
    for lane, count in every(db, sql.LANES_OF_SHARE, (share,)):
        for seq, ahead in ranks.before(db, lane, count, seqs).items():
            sums[seq] += ahead
    return sums


def _others(rivals: Sequence[_Rival], share: int, own: int) -> int:
    """Return how many jobs of other tenants start before a tenant's job that has `own` before it."""
    me = next(rival for rival in rivals if rival.share == share)
    tag = me.turn + own * me.step
    return sum(
        min(rival.jobs, before(tag - rival.turn, rival.step, equal=rival.since < me.since))
        for rival in rivals
        if rival.share != share
    )
