"""What jobs were charged, corrected when their attempts end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain.charges import ran
from stanchion.domain.fairness import timed
from stanchion.domain.job import State
from stanchion.stores.memory.tables import share_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.job import Job
    from stanchion.domain.outcome import Settlement
    from stanchion.domain.units import Instant, Millis
    from stanchion.stores.memory.tables import Tables


def correct(tables: Tables, settled: Sequence[Settlement], now: Instant) -> None:
    """Charge what ends now the time that it ran, before anything of it is back in line."""
    for end in settled:
        job = tables.jobs.get(end.ref)
        if job is not None and job.state is State.RUNNING and job.attempt == end.attempt and job.ref in tables.charges:
            lost = end.outcome == "lost"
            until = min(now, tables.workers[tables.holders[job.ref]].lease_until) if lost else now
            _correct(tables, job, tables.charges.pop(job.ref), until)


def _correct(tables: Tables, job: Job, charged: Millis, until: Instant) -> None:
    assert job.started_at is not None
    share, weight = share_of(job), tables.tenant(job.tenant).weight
    took = ran(job.started_at, until, tables.mates.pop(job.ref, 1))
    if took != charged:
        clock = tables.clocks.get(share[:2], 0)
        given, due = timed(weight, charged), timed(weight, took)
        in_line = tables.in_line[share] > 0
        tables.stand(share, tables.standing(share).corrected(clock, given, due, in_line=in_line))
