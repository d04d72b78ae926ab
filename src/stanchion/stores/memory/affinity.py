"""Warm models first, in plainest form: the whole line is looked at, and cut to what a choice may see."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from stanchion.domain import affinity
from stanchion.domain.affinity import LANES, SHARES, Line, Pass, Seen, Warm
from stanchion.stores.memory.tables import share_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stanchion.domain.affinity import Passes
    from stanchion.domain.job import Job
    from stanchion.domain.units import Instant
    from stanchion.store import Want
    from stanchion.stores.memory.tables import Lane, Share, Tables, Worker


class Pick(NamedTuple):
    """The job that starts in place of the first in line, and what is kept of those it goes past."""

    job: Job
    passed: Mapping[Lane, Passes]


def warm_of(want: Want) -> Warm:
    """Return what is loaded where the jobs of a claim will run."""
    return Warm(sorted(want.warm))


def tell(worker: Worker, warm: Warm) -> None:
    """Keep what a worker has loaded after a claim."""
    worker.warm = tuple(sorted(warm.models))
    worker.swaps += warm.swaps


def pick(  # noqa: PLR0913, PLR0917 - what a choice looks at
    tables: Tables, line: Mapping[Share, Sequence[Job]], first: Job, worker: int, warm: Warm, now: Instant
) -> Pick | None:
    """Return which job starts in place of the first in line; None: the first does."""
    bound = tables.policy(first.queue).affinity
    if bound.off or not warm.cold(first.model):
        return None
    band = share_of(first)[:2]
    shares = sorted((share for share in line if share[:2] == band), key=tables.turn)
    lanes = [_lanes(tables, line[share]) for share in shares]
    choice = affinity.choose(
        islice(_lines(tables, shares, lanes), SHARES), warm.models, bound, now, _elsewhere(tables, line, first)
    )
    if choice is None:
        return None
    job = list(lanes[choice.line].values())[choice.lane][0]
    living = [other for other in tables.workers.values() if other.state == "alive" and other.id != worker]
    if affinity.crowded(first.model, job.model, {model for other in living for model in other.warm}):
        return None
    passed: dict[Lane, Passes] = {}
    for number, place, count in choice.passed:
        lane, jobs = list(lanes[number].items())[place]
        upto = job.ref if count is None else jobs[count - 1].ref if count <= min(len(jobs), affinity.DEEP) else None
        kept = affinity.past(tables.passed.get(lane, ()), jobs[0].ref)
        passed[lane] = (*kept, Pass(tables.last_ref if upto is None else upto, now))
    return Pick(job, passed)


def count(tables: Tables, picked: Pick | None) -> None:
    """Keep who was passed over, once the job has started."""
    if picked is not None:
        tables.passed.update(picked.passed)


def _lanes(tables: Tables, jobs: Sequence[Job]) -> dict[Lane, list[Job]]:
    """Return a tenant's lanes with their jobs, by the oldest job of each."""
    found: dict[Lane, list[Job]] = {}
    for job in jobs:
        found.setdefault(tables.lane_of(job), []).append(job)
    return found


def _lines(tables: Tables, shares: Sequence[Share], lanes: Sequence[Mapping[Lane, Sequence[Job]]]) -> Iterator[Line]:
    for share, own in zip(shares, lanes, strict=True):
        turn, since = tables.turn(share)
        heads = [Seen(jobs[0].ref, jobs[0].model, tables.passed.get(lane, ())) for lane, jobs in own.items()]
        step = min(tables.step(jobs[0]) for jobs in list(own.values())[:LANES])
        yield Line(turn, since, step, heads[:LANES], len(heads) > LANES)


def _elsewhere(tables: Tables, line: Mapping[Share, Sequence[Job]], first: Job) -> int:
    """Return the job with which the turn of another queue begins."""
    oldest = sys.maxsize
    for queue in {share[0] for share in line if share[1] == first.priority} - {first.queue}:
        shares = [share for share in line if share[:2] == (queue, first.priority)]
        oldest = min(oldest, line[min(shares, key=tables.turn)][0].ref)
    return oldest
