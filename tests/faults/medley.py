"""Everything at once on one file: `python -m tests.faults.medley FILE NAME SECONDS SEED`.

Enqueues, claims, settles, sets and drops limits, parks, weighs tenants and pauses, in random order.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time

from stanchion.domain.dependency import Dependency
from stanchion.domain.job import NewJob
from stanchion.domain.limits import Limit
from stanchion.domain.outcome import Completed, Released
from stanchion.domain.policy import Retention, TenantPolicy
from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import WANT, ended, info, new

P, Q = "provider:p", "provider:q"
LIMITS = (
    Limit(P, running=3), Limit(P, starts=50, period=1_000, burst=5), Limit(Q, running=2), Limit("tenant:*", running=4),
    Limit("tenant:t1", running=1), Limit("user:*", running=2), Limit("queue:x", running=5),
)  # fmt: skip
KEYS = ((), (), ((P, 1),), ((P, 1), (Q, 1)), ((P, 2),))


class Medley:
    """One process of it."""

    def __init__(self, store: SqliteStore, name: str, seed: str) -> None:
        self.store, self.rng, self.name = store, random.Random(seed), name
        self.until = 0.0
        self.last: str | None = None

    def request(self) -> NewJob:
        rng = self.rng
        job_id = new().id[:-6] + rng.randbytes(3).hex()
        parents = () if self.last is None or rng.random() < 0.8 else (Dependency(self.last),)
        self.last = job_id
        return new(
            rng.choice("ab"), id=job_id, queue=rng.choice("xy"), tenant=f"t{rng.randrange(4)}",
            user=rng.choice((None, "ann", "bob")), priority=rng.choice((2, 5)), delay=rng.choice((0, 0, 0, 20)),
            expires_in=rng.choice((None, None, None, 40)), limits=rng.choice(KEYS), depends_on=parents,
        )  # fmt: skip

    async def enqueue(self) -> None:
        while time.monotonic() < self.until:
            batch = [self.request() for _ in range(self.rng.randrange(1, 8))]
            await self.store.enqueue(batch, atomic=self.rng.random() < 0.3)
            await asyncio.sleep(0.002)

    async def work(self) -> None:
        worker = await self.store.register(info(f"{self.name}-{self.rng.random()}"), 3_600_000)
        while time.monotonic() < self.until:
            _, claimed = await self.store.claim(worker, WANT._replace(limit=self.rng.randrange(1, 12)))
            await asyncio.sleep(self.rng.choice((0, 0.005)))
            outcomes = [Released() if self.rng.random() < 0.1 else Completed(b"1") for _ in claimed.leases]
            await self.store.settle([ended(*pair) for pair in zip(claimed.leases, outcomes, strict=True)])

    async def operate(self) -> None:
        rng, store = self.rng, self.store
        while time.monotonic() < self.until:
            match rng.randrange(7):
                case 0 | 1:
                    await store.configure_limit(rng.choice(LIMITS))
                case 2:
                    await store.drop_limit(rng.choice(LIMITS).key)
                case 3:
                    await store.park(rng.choice((P, Q, "provider:r", "queue:y")), rng.choice((0, 10, 40)))
                case 4:
                    await store.configure_tenant(TenantPolicy(f"t{rng.randrange(4)}", rng.randrange(1, 5), 0))
                case 5:
                    await store.configure("y", paused=rng.random() < 0.3)
                case _:
                    await store.maintain(Retention(200, 200, 200), 1_000)
            await asyncio.sleep(0.01)


async def main(file: str, name: str, seconds: str, seed: str) -> None:
    store = SqliteStore(file, ballast=0, synchronous="off")
    await store.open()
    medley = Medley(store, name, seed)
    medley.until = time.monotonic() + float(seconds)
    await asyncio.gather(medley.enqueue(), medley.work(), medley.work(), medley.operate())
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
