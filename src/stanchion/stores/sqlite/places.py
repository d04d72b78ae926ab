"""Where jobs stand in line: exact, from counts of lanes and shares, never by looking at the jobs ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain.fairness import before, step
from stanchion.store import Place
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.fetch import every, one, only
from stanchion.stores.sqlite.reads import key_of
from stanchion.stores.sqlite.rows import BLOCKED, QUEUED, RETRYING, RUNNING, SCHEDULED
from stanchion.stores.sqlite.workers import names_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.query import Scope
    from stanchion.domain.units import Instant, JobId
    from stanchion.stores.sqlite.fetch import Connection, Row


def places(db: Connection, ids: Sequence[JobId], scope: Scope, now: Instant) -> list[Place | None]:
    """See `Store.position`."""
    line = _Line(db, now)
    return [_place(line, one(db, sql.PLACE, (key_of(job_id), scope.tenant))) for job_id in ids]


def _place(line: _Line, row: Row | None) -> Place | None:
    if row is None:
        return None
    seq, state, due_at, priority, queue, paused, name, task, share = row
    if state == QUEUED and not paused:
        position = 1 + line.ahead(seq, queue, priority, share)
        return Place(position) if line.served(task, name) else Place(position, "no_worker", task)
    places: dict[int, Place] = {
        BLOCKED: Place(None, "dependency"),
        SCHEDULED: Place(None, "scheduled", None, due_at),
        QUEUED: Place(None, "paused_queue", name),
        RUNNING: Place(0),
        RETRYING: Place(None, "scheduled", None, due_at),
    }
    return places.get(state, Place(None))


class _Line:
    """The line as of one snapshot; what several jobs need of it is read once."""

    def __init__(self, db: Connection, now: Instant) -> None:
        self._db = db
        self._serving = [(names_of(row[0]), names_of(row[1]) or ()) for row in every(db, sql.SERVING, (now,))]
        self._bands: dict[tuple[int, int], tuple[int, list[Row]]] = {}

    def served(self, task: str, queue: str) -> bool:
        """Return whether a living worker would claim a job."""
        return any(task in tasks and (queues is None or queue in queues) for queues, tasks in self._serving)

    def ahead(self, seq: int, queue: int, priority: int, share: int) -> int:
        """Return how many jobs of its queue start before one that waits."""
        above, band = self._band(queue, priority)
        own = int(only(self._db, sql.AHEAD_IN_SHARE, (share, seq))[0])
        _, turn, since, weight, _ = next(row for row in band if row[0] == share)
        tag = turn + own * step(weight)
        others = (
            min(int(count), before(tag - at, step(heft), equal=joined < since))
            for number, at, joined, heft, count in band
            if number != share
        )
        return above + own + sum(others)

    def _band(self, queue: int, priority: int) -> tuple[int, list[Row]]:
        """Return how many wait at higher priorities, and the band's shares (`statements.BAND`)."""
        found = self._bands.get((queue, priority))
        if found is None:
            above = int(only(self._db, sql.AHEAD_BANDS, (queue, priority))[0])
            found = self._bands[queue, priority] = above, every(self._db, sql.BAND, (priority, queue))
        return found
