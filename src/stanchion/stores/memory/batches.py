"""Groups of jobs that start together, in their plainest form."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from stanchion.domain.batches import Batching, Joining, Offer, joining, led
from stanchion.domain.fairness import Standing
from stanchion.domain.job import State
from stanchion.domain.resources import only_resources
from stanchion.stores.memory import limits
from stanchion.stores.memory.tables import share_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stanchion.domain.job import Job, Lease
    from stanchion.domain.units import Instant, Millis, Turn
    from stanchion.store import Want
    from stanchion.stores.memory.tables import Lane, Tables


class Groups:
    """The groups of one claim, begun one after the other."""

    def __init__(self, tables: Tables, want: Want, now: Instant) -> None:
        self._tables, self._want, self._now = tables, want, now
        self._last = 0
        self.key = "" if want.join is None else want.join.key
        """The batch key of the group that was begun last."""
        self.number: int | None = 0
        """That of the group that was begun last; None where it is a job that runs alone."""
        self.coming: dict[int, Millis] = {}
        self._open: Joining | None = want.join
        self._look = 0 if want.join is None else want.join.size
        self._begun = False

    def takes(self, job: Job) -> bool:
        """Return whether a job may run with others."""
        return job.task in self._want.batches and bool(self._tables.batches.get(job.ref))

    def began(self) -> bool:
        """Return, once, whether a group was begun: then the line must be looked at anew."""
        begun, self._begun = self._begun, False
        return begun

    def lead(self, lane: Sequence[Job], room: int, front: Turn) -> tuple[list[Job], list[Job]]:
        """Begin a group with jobs of a lane; return who starts, and who is too late.

        Args:
            lane: Its jobs, the oldest first.
            room: So many of them may start.
            front: The turn of whose it was.
        """
        first = lane[0]
        batching: Batching = self._want.batches[first.task]
        key = self._tables.batches[first.ref]
        self._look = batching.fit(key)
        offered = lane[: self._look]
        offers = self._offers(offered)
        group = led(offers, self._look, batching.cost, room)
        begun = [offered[place] for place in group.places]
        if begun:
            self._last += not group.alone
            self.key = key
            self.number = None if group.alone else self._last
            self._begun = True
            tenant = None if batching.across else first.tenant
            asks = only_resources(limits.all_keys(self._tables, first))
            waits = tuple(ask for ask, _ in asks)
            self._open = Joining(first.queue, first.task, key, tenant, group.size, group.cost, batching.within, waits)
            band = share_of(first)[:2]
            self._tables.clocks[band] = max(front, self._tables.clocks.get(band, 0))
            self._charge(begun)
        return begun, [job for job, offer in zip(offered, offers, strict=True) if offer.late]

    def fill(self) -> Iterator[tuple[list[Job], list[Job]]]:
        """Let others join the group that was begun; give who starts, and who is too late, lane by lane."""
        group, self._open = self._open, None
        if group is None or not group.size or self._paused(group.queue):
            return
        for lane in self._lanes(group)[: self._look]:
            jobs = [job for job in self._tables.having(State.QUEUED) if self._tables.lane_of(job) == lane][: self._look]
            room, _ = limits.room(self._tables, lane, self._now, 0)
            if room <= 0:
                continue
            offers = self._offers(jobs)
            joined = joining(offers, group.size, group.cost, room)
            begun = [jobs[place] for place in joined.places]
            group = group._replace(size=group.size - len(begun), cost=joined.cost)
            self._charge(begun)
            yield begun, [job for job, offer in zip(jobs, offers, strict=True) if offer.late]
            if not group.size:
                return
        self._look_ahead(group)

    def count(self, leases: Sequence[Lease]) -> None:
        """Keep how many of a claim's jobs started together."""
        sizes = Counter(lease.batch for lease in leases)
        for lease in leases:
            self._tables.mates[lease.ref] = 1 if lease.batch is None else sizes[lease.batch]

    def _charge(self, begun: Sequence[Job]) -> None:
        """Charge a tenant for jobs of a lane; those that start before their turn move no clock."""
        tables = self._tables
        for job in begun:
            share = share_of(job)
            turn, _ = tables.turn(share)
            tables.stand(share, Standing(turn + tables.step(job)).owed(tables.clocks.get(share[:2], 0)))
            price = tables.price(job)
            if price is not None:
                tables.charges[job.ref] = price

    def _lanes(self, group: Joining) -> list[Lane]:
        heads: dict[Lane, int] = {}
        for job in self._tables.having(State.QUEUED):
            lane = self._tables.lane_of(job)
            if self._of(group, job) and self._tables.held.get(lane, (None,))[0] in (None, *group.waits):
                heads.setdefault(lane, job.ref)
        return sorted(heads, key=lambda lane: (lane[1], heads[lane]))

    def _of(self, group: Joining, job: Job) -> bool:
        same = (job.queue, job.task, self._tables.batches.get(job.ref)) == (group.queue, group.task, group.key)
        return same and group.tenant in (None, job.tenant)

    def _look_ahead(self, group: Joining) -> None:
        if group.within:
            waiting = self._tables.having(State.SCHEDULED, State.RETRYING)
            dues = [job.due_at for job in waiting if job.due_at is not None and self._of(group, job)]
            first = min(dues, default=None)
            if first is not None and first <= self._now + group.within:
                self.coming[self._last] = max(first - self._now, 0)

    def _offers(self, jobs: Sequence[Job]) -> list[Offer]:
        return [
            Offer(
                job.expires_at is not None and job.expires_at <= self._now, job.crashes > 0, self._tables.sizes[job.ref]
            )
            for job in jobs
        ]

    def _paused(self, queue: str) -> bool:
        return self._tables.policy(queue).paused
