"""What is asked of each queue's workers, from the recent past."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from stanchion.domain.job import State
from stanchion.domain.resources import is_resource, parts
from stanchion.store import Load
from stanchion.stores.memory.tables import visible

if TYPE_CHECKING:
    from stanchion.domain.query import Scope
    from stanchion.domain.units import Instant, Millis
    from stanchion.stores.memory.tables import Tables

_ENDS: Final = frozenset({State.RETRYING, State.COMPLETED, State.FAILED})


def loads(tables: Tables, window: Millis, scope: Scope, now: Instant) -> dict[str, Load]:
    """Return what the recent past asked of each queue's workers."""
    found: defaultdict[str, Load] = defaultdict(Load)
    for ref, events in tables.events.items():
        job = tables.jobs[ref]
        if not visible(job, scope):
            continue
        before = None
        for event in events:
            if event.at >= now - window:
                ran = before is not None and before.state is State.RUNNING
                own = found[job.queue]
                match event.state:
                    case State.QUEUED:
                        own = own._replace(arrived=own.arrived + 1)
                    case State.RUNNING if not ran:  # else it tells of an asked cancel
                        own = own._replace(started=own.started + 1)
                    case state if state in _ENDS and before is not None and ran:
                        own = own._replace(ended=own.ended + 1, took=own.took + event.at - before.at)
                    case _:
                        pass
                found[job.queue] = own
            before = event
    for job in tables.having(State.QUEUED):
        key, _ = tables.held.get(tables.lane_of(job), ("", 0))
        had = not is_resource(key) or any(name == parts(key)[0] for name, *_ in tables.resources)
        if key and had and visible(job, scope):
            found[job.queue] = found[job.queue]._replace(held=found[job.queue].held + 1)
    return {queue: load for queue, load in found.items() if load != Load()}
