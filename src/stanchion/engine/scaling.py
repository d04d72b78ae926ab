"""How many workers a queue should have now: the scaling rule, fed with looks at the store.

What was learned from earlier looks (how many jobs arrive, how long they take, since when fewer would do) is kept in
this process: another answers by its own looks, and one that starts anew begins with the last five minutes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.job import State
from stanchion.domain.query import ALL, Scope
from stanchion.domain.scaling import RATE_HALF_LIFE, Look, Scale, ScalePolicy, Trend, scaled, together
from stanchion.store import Load

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from stanchion.domain.units import Instant, Millis
    from stanchion.store import QueueStats, Store

FRESH_FOR: Final[Millis] = 1_000
"""Those who ask within so many ms share one look."""
MOST_DECISIONS: Final = 1_000
MOST_SCOPES: Final = 100
"""What is remembered; the longest unused is forgotten first, and begins anew."""
FORGET: Final[Millis] = 6 * RATE_HALF_LIFE


class Sizing(NamedTuple):
    """How many workers there should be, and why.

    Attributes:
        desired: So many workers.
        rate: Jobs that arrive per ms.
        mean: What an attempt takes on average, in ms; None while no attempt was seen to end.
        waiting: Jobs that a worker could start.
        held: Jobs that wait for a limit, or in a paused queue.
        running: Attempts that run.
    """

    desired: int
    rate: float
    mean: float | None
    waiting: int
    held: int
    running: int


@dataclass(slots=True)
class _Seen:
    """All looks of one scope, as far as they are remembered."""

    at: Instant = 0
    looks: dict[str, Look] = field(default_factory=dict[str, Look])
    trends: dict[str, Trend] = field(default_factory=dict[str, Trend])


class Scaler:
    """Looks at a store's queues and decides; one for a process."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._looking = asyncio.Lock()
        self._seen: OrderedDict[Scope, _Seen] = OrderedDict()
        self._decided: OrderedDict[tuple[Scope, tuple[str, ...] | None, ScalePolicy], Scale] = OrderedDict()

    async def queues(self, policy: ScalePolicy, scope: Scope = ALL) -> Mapping[str, Sizing]:
        """Return how many workers each queue should have.

        Raises:
            StoreError: The store cannot be read; nothing was learned.
        """
        seen = await self._look(scope)
        return {name: self._decide(seen, (name,), policy, scope) for name in sorted(seen.looks)}

    async def size(self, queues: Collection[str] | None, policy: ScalePolicy, scope: Scope = ALL) -> Sizing:
        """Return how many workers should serve these queues together (None: all there are).

        Raises:
            StoreError: The store cannot be read; nothing was learned.
        """
        seen = await self._look(scope)
        return self._decide(seen, None if queues is None else tuple(sorted(queues)), policy, scope)

    async def known(self, scope: Scope = ALL) -> Collection[str]:
        """Return the names of the queues there are.

        Raises:
            StoreError: The store cannot be read.
        """
        return (await self._look(scope)).looks.keys()

    async def _look(self, scope: Scope) -> _Seen:
        """Look at all queues of a scope; at once, those who ask share a look."""
        async with self._looking:
            seen = self._seen.setdefault(scope, _Seen())
            self._seen.move_to_end(scope)
            now = self.store.now()
            if abs(now - seen.at) < FRESH_FOR:
                return seen
            if not 0 <= now - seen.at <= FORGET:
                seen.trends.clear()
            since = seen.at if seen.trends else now - RATE_HALF_LIFE
            # What happened in the ms of the look before was seen then.
            loads = await self.store.loads(now - since - (1 if seen.trends else 0), scope)
            looks = {queue.policy.name: _looked(queue, loads) for queue in await self.store.stats(scope)}
            seen.trends = {n: seen.trends.get(n, Trend()).seen(look, since, now) for n, look in looks.items()}
            seen.looks, seen.at = looks, now
            while len(self._seen) > MOST_SCOPES:
                self._seen.popitem(last=False)
            return seen

    def _decide(self, seen: _Seen, queues: tuple[str, ...] | None, policy: ScalePolicy, scope: Scope) -> Sizing:
        names = [name for name in (seen.looks if queues is None else queues) if name in seen.looks]
        look = sum((seen.looks[name] for name in names), Look())
        demand = together([seen.trends[name].demand(seen.looks[name], policy) for name in names])
        key = scope, queues, policy
        decision = scaled(self._decided.get(key), demand, policy, seen.at)
        self._decided[key] = decision
        self._decided.move_to_end(key)
        while len(self._decided) > MOST_DECISIONS:
            self._decided.popitem(last=False)
        known = any(seen.trends[name].took.mean() is not None for name in names)
        rate = sum(seen.trends[name].arrivals.rate() for name in names)
        mean = demand.mean if known else None
        return Sizing(decision.desired, rate, mean, look.waiting, look.held, look.running)


def _looked(queue: QueueStats, loads: Mapping[str, Load]) -> Look:
    load = loads.get(queue.policy.name, Load())
    waiting = queue.counts[State.QUEUED]
    held = waiting if queue.policy.paused else min(load.held, waiting)
    return Look(load.arrived, load.started, load.ended, load.took, waiting - held, held, queue.counts[State.RUNNING])
