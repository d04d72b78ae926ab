"""What a worker knows of batches: how jobs of a key arrive, how many fit into memory, which groups wait for more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stanchion.domain.batches import Batching, Fit, Joining, Pace, pause
from stanchion.domain.resources import keys_of
from stanchion.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from stanchion.domain.job import Lease
    from stanchion.domain.units import Instant, Millis
    from stanchion.engine.batch import BatchRule
    from stanchion.engine.spec import Registry, TaskSpec
    from stanchion.store import Claimed

_REMEMBERED: Final = 1_000
"""So many keys are remembered; then all are forgotten, and learned anew."""


class Waiting:
    """A group that has room and waits for more of its key. Times are the store's, in ms."""

    def __init__(self, leases: Sequence[Lease], spec: TaskSpec, rule: BatchRule, key: str, size: int) -> None:
        self.leases = list(leases)
        self.spec, self.rule, self.key = spec, rule, key
        self._size = size
        self.until: Instant = leases[0].started_at + rule.wait
        self.due: Instant | None = None
        self.at: Instant = 0
        """When it is looked at next."""

    @property
    def room(self) -> int:
        """How many more may join."""
        return self._size - len(self.leases)

    def joining(self, now: Instant) -> Joining:
        """Return who may join it."""
        first, rule = self.leases[0], self.rule
        tenant = None if rule.across else first.tenant
        cost = rule.cost
        if cost is not None and self.spec.cost is not None:
            cost -= sum(self.spec.cost(lease.args) for lease in self.leases)
        within = max(self.until - now, 0)
        waits = tuple(sorted({key for hold in first.devices for key in keys_of(hold)}))
        return Joining(first.queue, first.task, self.key, tenant, self.room, cost, within, waits)

    def joined(self, claimed: Claimed, now: Instant) -> None:
        """Add who joined, and note when more falls due."""
        self.leases += [lease._replace(batch=self.leases[0].batch) for lease in claimed.leases]
        coming = claimed.coming.get(0)
        self.due = None if coming is None else now + coming


class Batches:
    """The batches of a worker's tasks.

    Raises:
        UsageError: A task has batches, and no function for several jobs.
    """

    def __init__(self, registry: Registry) -> None:
        self._specs = {spec.name: spec for spec in registry if spec.batch is not None}
        for spec in self._specs.values():
            if spec.together is None:
                message = f"Task {spec.name!r} has batch=, and nothing runs several of its jobs together."
                raise UsageError(message, remedy=f"Write a function below @{spec.name}.together, or leave batch= out.")
        self._fits: dict[tuple[str, str], Fit] = {}
        self._paces: dict[tuple[str, str], Pace] = {}
        self._serial = 0
        self.waiting: list[Waiting] = []
        self.stale = False
        """Whether more may have come since the groups that wait were looked at."""
        self.want: Mapping[str, Batching] = self._wanted()
        """What a claim is asked for."""

    def __bool__(self) -> bool:
        return bool(self._specs)

    def _wanted(self) -> dict[str, Batching]:
        wanted: dict[str, Batching] = {}
        for name, spec in self._specs.items():
            if spec.batch is not None:
                sizes = {key: fit.size for (task, key), fit in self._fits.items() if task == name}
                rule = spec.batch
                wanted[name] = Batching(rule.size, rule.cost, rule.across, sizes, rule.wait)
        return wanted

    def arrived(self, claimed: Claimed) -> list[Lease]:
        """Take what was claimed, and return what starts now; the others wait in `waiting`."""
        now: list[Lease] = []
        for leases in _grouped(claimed.leases):
            group = self._waits(leases, claimed)
            if leases[0].batch is not None:
                self._serial += 1
                leases = [lease._replace(batch=self._serial) for lease in leases]  # noqa: PLW2901 - the same, numbered
            if group is None:
                now += leases
            else:
                group.leases = leases
                self.waiting.append(group)
        return now

    def _waits(self, leases: Sequence[Lease], claimed: Claimed) -> Waiting | None:
        """Return a group that is to wait for more."""
        first = leases[0]
        spec = self._specs.get(first.task)
        if first.batch is None or spec is None or spec.batch is None or not spec.batch.wait:
            return None
        key = first.batch_key
        self._seen(first.task, key, leases)
        size = self.want[first.task].fit(key)
        group = Waiting(leases, spec, spec.batch, key, size)
        coming = claimed.coming.get(first.batch)
        group.due = None if coming is None else first.started_at + coming
        return group if self._pause(group, first.started_at) else None

    def _seen(self, task: str, key: str, leases: Iterable[Lease]) -> None:
        """Learn how jobs of a key arrive; a job that is run again is no new one."""
        if len(self._paces) >= _REMEMBERED:
            self._paces.clear()
        for at in sorted({lease.created_at for lease in leases if lease.attempt == 1}):
            pace = self._paces.get((task, key))
            self._paces[task, key] = Pace(at) if pace is None else pace.arrived(at)

    def _pause(self, group: Waiting, now: Instant) -> Millis:
        pace = self._paces.get((group.spec.name, group.key))
        wait = pause(now, group.until, group.due, pace) if group.room > 0 else 0
        group.at = now + wait
        return wait

    def joined(self, group: Waiting, claimed: Claimed, now: Instant) -> bool:
        """Add who joined a group; return whether it goes on waiting."""
        self._seen(group.spec.name, group.key, claimed.leases)
        group.joined(claimed, now)
        if self._pause(group, now):
            return True
        self.waiting.remove(group)
        return False

    def left(self, now: Instant) -> Millis | None:
        """Return in how many ms a group is to be looked at; None: none waits."""
        return min((max(group.at - now, 0) for group in self.waiting), default=None)

    def leases(self) -> list[Lease]:
        """Return the leases of the groups that wait."""
        return [lease for group in self.waiting for lease in group.leases]

    def fit(self, lease: Lease) -> int | None:
        """Return how many jobs of a lease's key fit into memory; None where nothing was learned of it."""
        rule = self._specs[lease.task].batch
        found = None if rule is None or not self._fits else self._fits.get((lease.task, lease.batch_key))
        return None if found is None else found.size

    def learn(self, lease: Lease, fitted: Iterable[tuple[int, bool]]) -> None:
        """Learn how many jobs of a key fit into memory from the sizes of its calls."""
        spec = self._specs[lease.task]
        assert spec.batch is not None
        before = self._fits
        for size, well in fitted:
            if before or not well:
                key = (lease.task, lease.batch_key)
                self._fits = self._learned(key, size, well=well, most=spec.batch.size)
        if self._fits is not before:
            self.want = self._wanted()

    def _learned(self, key: tuple[str, str], size: int, *, well: bool, most: int) -> dict[tuple[str, str], Fit]:
        fit = self._fits.get(key)
        if not well:
            fit = Fit((size + 1) // 2)
        elif fit is None:
            return self._fits
        else:
            fit = fit.ended(size)
        others = {} if len(self._fits) >= _REMEMBERED else {one: it for one, it in self._fits.items() if one != key}
        return others if fit.size >= most else others | {key: fit}


def _grouped(leases: Sequence[Lease]) -> Iterator[list[Lease]]:
    """Give the leases that run together, and each of the others alone."""
    group: list[Lease] = []
    for lease in leases:
        if group and (lease.batch is None or lease.batch != group[0].batch):
            yield group
            group = []
        group.append(lease)
    if group:
        yield group
