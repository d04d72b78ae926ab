"""Aging in its plainest form: every waiting job is looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stanchion.domain.aging import lifted
from stanchion.domain.job import State

if TYPE_CHECKING:
    from stanchion.domain.job import Job
    from stanchion.domain.units import Instant
    from stanchion.stores.memory.tables import Tables


def age(tables: Tables, now: Instant, limit: int) -> int:
    """Lift the jobs whose next interval has passed, the least urgent first; return how many."""
    count = 0
    for job in sorted(tables.having(State.QUEUED), key=_order):
        aging = tables.policy(job.queue).aging
        if aging is None or count == limit:
            continue
        since = max(tables.events[job.ref][-1].at, tables.aged.get(job.ref, 0))
        found = lifted(job.priority, tables.tenant(job.tenant).top_priority, since, now, aging)
        if found is not None:
            priority, tables.aged[job.ref] = found
            tables.put(replace(job, priority=priority))
            count += 1
    return count


def _order(job: Job) -> tuple[int, int]:
    return -job.priority, job.ref
