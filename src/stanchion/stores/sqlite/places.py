"""Where jobs stand in line: exact, from the turns of tenants and the counts of lanes."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from stanchion.domain import resources
from stanchion.domain.charges import class_in
from stanchion.domain.estimates import Work
from stanchion.domain.fairness import step, timed
from stanchion.domain.ids import digits
from stanchion.domain.limits import FRESH, Limit, Usage, find, hold, keys, of_text
from stanchion.domain.standing import Even, ahead, scaled
from stanchion.store import Place
from stanchion.stores.sqlite import estimate_statements as estimate_sql
from stanchion.stores.sqlite import limit_statements as limit_sql
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.fetch import every, one, only
from stanchion.stores.sqlite.joins import first_open
from stanchion.stores.sqlite.rows import BLOCKED, QUEUED, RETRYING, RUNNING, SCHEDULED
from stanchion.stores.sqlite.workers import names_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stanchion.domain.query import Scope
    from stanchion.domain.units import Instant, JobId, Turn
    from stanchion.stores.sqlite.fetch import Connection, Row
    from stanchion.stores.sqlite.ranks import Ranks
    from stanchion.stores.sqlite.uneven import View


class _Kin(NamedTuple):
    """The lane of jobs that were asked about, as far as their places follow from it."""

    share: int
    queue: int
    priority: int
    paused: bool
    name: str
    task: str
    waits_on: str | None


def places(db: Connection, ranks: Ranks, ids: Sequence[JobId], scope: Scope, now: Instant) -> list[Place | None]:
    """See `Store.position`."""
    answers: list[Place | None] = [None] * len(ids)
    waiting: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    holds = _Holds(db, now)
    rows = every(db, sql.PLACES, (json.dumps([digits(job_id) for job_id in ids]),))
    kin = _kin(db, {row[4] for row in rows}, scope)
    for at, seq, state, due_at, lane in rows:
        own = kin.get(lane)
        if own is None:
            continue
        if state != QUEUED or own.paused:
            answers[at] = _standing(state, due_at, own.name, first_open(db, seq) if state == BLOCKED else ("", None))
        elif own.waits_on is not None:
            answers[at] = holds.place(own.waits_on, lane)
        else:
            waiting[lane].append((seq, at))
    if waiting:
        ranks.catch_up(db)
        serving = [(names_of(row[0]), names_of(row[1]) or ()) for row in every(db, sql.SERVING, (now,))]
        positions = _positions(db, ranks, {lane: kin[lane] for lane in waiting}, waiting)
        for lane, jobs in waiting.items():
            task, name = kin[lane].task, kin[lane].name
            served = any(task in tasks and (queues is None or name in queues) for queues, tasks in serving)
            reason, key = (None, None) if served else ("no_worker", task)
            for seq, at in jobs:
                answers[at] = Place(positions[seq], reason, key)
    return answers


def _kin(db: Connection, lanes: set[int], scope: Scope) -> dict[int, _Kin]:
    """Return the lanes in scope."""
    listed = json.dumps(list(lanes))
    return {row[0]: _Kin(*row[2:]) for row in every(db, sql.KIN, (listed,)) if scope.tenant in (None, row[1])}


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


def _standing(state: int, due_at: Instant | None, queue: str, behind: tuple[str, JobId | None]) -> Place:
    places: dict[int, Place] = {
        BLOCKED: Place(None, *behind),
        SCHEDULED: Place(None, "scheduled", None, due_at),
        QUEUED: Place(None, "paused_queue", queue),
        RUNNING: Place(0),
        RETRYING: Place(None, "scheduled", None, due_at),
    }
    return places.get(state, Place(None))


def _positions(
    db: Connection, ranks: Ranks, kin: Mapping[int, _Kin], waiting: Mapping[int, Sequence[tuple[int, int]]]
) -> dict[int, int]:
    """Return the position of each job by its number."""
    bands: defaultdict[tuple[int, int], defaultdict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for lane, jobs in waiting.items():
        own = kin[lane]
        bands[own.queue, own.priority][own.share] += [seq for seq, _ in jobs]
    positions: dict[int, int] = {}
    for (queue, priority), shares in bands.items():
        above = 1 + int(only(db, sql.AHEAD_BANDS, (queue, priority))[0])
        rows = every(db, sql.BAND, (priority, queue))
        lines = _lines(db, ranks, rows)
        seqs: list[int] = []
        tags: list[Turn] = []
        for share, asked in shares.items():
            line = lines[share]
            own = _own(db, ranks, share, asked) if isinstance(line, Even) else {}
            if len(lines) == 1:
                positions |= {seq: above + own[seq] for seq in asked}
            else:
                seqs += asked
                tags += [line.turn + own[seq] * line.step if isinstance(line, Even) else line.tag(seq) for seq in asked]
        for seq, others in zip(seqs, ahead(list(lines.values()), tags), strict=True):
            positions[seq] = above + others
    return positions


def _lines(db: Connection, ranks: Ranks, rows: Sequence[Row]) -> dict[int, Even | View]:
    """Return the tenants of a band, as `BAND` tells of them."""
    scale, first = scaled({row[0]: (row[1], row[2]) for row in rows})
    found: dict[int, Even | View] = {}
    for share, _, _, weight, jobs, by_time in rows:
        steps: dict[int, Turn] = {}
        counts: dict[int, int] = {}
        if by_time and len(rows) > 1:
            learned = only(db, estimate_sql.LEARNED_AS_OF)[0]
            for lane, count, task, keys in every(db, sql.LANES_OF_SHARE, (share,)):
                size = class_in(keys)
                work = None if size is None else Work(task, size)
                price = None if work is None else ranks.prices.price(db, learned, work)
                steps[lane] = scale * (step(weight) if price is None else timed(weight, price))
                counts[lane] = count
        if len(set(steps.values())) > 1:
            found[share] = ranks.uneven(db, share, counts).view(first[share], steps)
        else:
            found[share] = Even(first[share], next(iter(steps.values()), step(weight) * scale), int(jobs))
    return found


def _own(db: Connection, ranks: Ranks, share: int, seqs: Sequence[int]) -> dict[int, int]:
    """Return how many jobs of the same tenant start before each."""
    found: dict[int, int] | None = None
    for lane, count, *_ in every(db, sql.LANES_OF_SHARE, (share,)):
        here = ranks.before(db, lane, count, seqs)
        found = here if found is None else {seq: found[seq] + more for seq, more in here.items()}
    return found or {}
