"""Watching: what changed since a cursor, and the recent past in intervals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from stanchion.domain.ids import unpacked
from stanchion.domain.query import Cursor, Scope
from stanchion.store import Bucket, Changes, Flow, OutputItem
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.fetch import Row, every, one, only
from stanchion.stores.sqlite.reads import problem_of
from stanchion.stores.sqlite.rows import COMPLETED, FAILED, RUNNING, STATES, UNREADABLE, event_of, output_of

if TYPE_CHECKING:
    from stanchion.domain.job import Event
    from stanchion.domain.units import Instant, Millis
    from stanchion.stores.sqlite.fetch import Connection

SAMPLE: Final = 20_000
"""Up to so many events of a window are read; beyond, an even sample stands for them."""
MAX_SAMPLES: Final = 200


def changes(db: Connection, since: Cursor, limit: int, scope: Scope) -> Changes:
    """See `Store.changes`; an event whose state is unknown is left out, as in a history."""
    floor = only(db, sql.FLOOR)[0]
    top = tail(db)
    if since.event < floor or since.event > top.event:
        return Changes((), (), (), top, gap=True)
    rows = every(db, sql.EVENTS_SINCE, (since.event, limit))
    items = every(db, sql.OUTPUTS_SINCE, (since.output, limit))
    lively = every(db, sql.LIVE_SINCE, (since.live, limit))
    events = tuple(_event(row) for row in rows if scope.tenant in (None, row[7]) and 0 <= row[3] < len(STATES))
    produced = tuple(OutputItem(unpacked(row[11]), output_of(row)) for row in items if scope.tenant in (None, row[12]))
    live = tuple(unpacked(row[1]) for row in lively if scope.tenant in (None, row[2]))
    more = limit in (len(rows), len(items), len(lively))
    cursor = Cursor(
        rows[-1][0] if len(rows) == limit else top.event,
        items[-1][10] if len(items) == limit else top.output,
        lively[-1][0] if len(lively) == limit else top.live,
    )
    return Changes(events, produced, live, cursor, more=more)


def _event(row: Row) -> Event:
    try:
        return event_of(row)
    except UNREADABLE:
        return event_of((*row[:6], None))._replace(error=problem_of(row[6]))


def tail(db: Connection) -> Cursor:
    """See `Store.tail`."""
    _, event, output, live, *_ = only(db, sql.COUNTERS)
    return Cursor(event, output, live)


def series(db: Connection, since: Instant, now: Instant, step: Millis, scope: Scope) -> list[Bucket]:
    """See `Store.series`; beyond `SAMPLE` events, counts are scaled up from an even sample."""
    since -= since % step
    first, last = after(db, since), only(db, sql.TOP_EVENT)[0] or 0
    count = max(last - first, 0)
    if count <= SAMPLE:
        scale = 1.0
        rows = every(db, sql.RECENT, (first, last))
    else:
        stride = -(-count // (SAMPLE // 4))
        scale = float(stride)
        rows = every(db, sql.RECENT_SAMPLE, (json.dumps(list(range(first + 1, last + 1, stride))),))
    starts = range(since, now + 1, step)
    sums = {at: [0, 0, 0, 0] for at in starts}
    waits: dict[int, list[int]] = {at: [] for at in starts}
    runs: dict[int, list[int]] = {at: [] for at in starts}
    for at, version, state, outcome, before, tenant in rows:
        place = at - at % step
        if place not in sums or scope.tenant not in (None, tenant):
            continue
        sums[place][0] += version == 1
        if state == RUNNING and outcome is None:
            sums[place][1] += 1
            if before is not None and len(waits[place]) < MAX_SAMPLES:
                waits[place].append(at - before)
        elif state == COMPLETED:
            sums[place][2] += 1
            if before is not None and len(runs[place]) < MAX_SAMPLES:
                runs[place].append(at - before)
        elif state == FAILED:
            sums[place][3] += 1
    return [
        Bucket(at, *(round(n * scale) for n in sums[at]), waits=tuple(waits[at]), runs=tuple(runs[at])) for at in starts
    ]


def flow(db: Connection, since: Instant, scope: Scope) -> dict[str, Flow]:
    """See `Store.flow`; beyond `SAMPLE` events, counts are scaled up from an even sample."""
    first, last = after(db, since), only(db, sql.TOP_EVENT)[0] or 0
    stride = 1
    if last - first <= SAMPLE:
        rows = every(db, sql.FLOW, (scope.tenant, first, last, since))
    else:
        stride = -(-(last - first) // (SAMPLE // 4))
        picked = json.dumps(list(range(first + 1, last + 1, stride)))
        rows = every(db, sql.FLOW_SAMPLE, (scope.tenant, picked, since))
    return {name: Flow(*(stride * count for count in counts)) for name, *counts in rows}


def after(db: Connection, instant: Instant) -> int:
    """Return the last cursor before an instant, by bisection: cursors grow with time."""
    low: int = (only(db, sql.BOTTOM_EVENT)[0] or 1) - 1
    high: int = only(db, sql.TOP_EVENT)[0] or 0
    while low < high:
        middle = (low + high) // 2
        row = one(db, sql.EVENT_AT, (middle + 1,))
        if row is None or row[0] >= instant:
            high = middle
        else:
            low = middle + 1
    return low
