"""Workers of one tree that race for resources: `python -m tests.faults.resource_racer FILE NAME WORKERS SEED`."""

from __future__ import annotations

import asyncio
import random
import sys

from stanchion.domain.job import Lease
from stanchion.domain.outcome import Completed, Released
from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import WANT, ended, info

LEASE_FOR = 3_600_000
HAS = {"gpu:0": 1, "gpu:1": 1}


async def main(file: str, name: str, workers: int, seed: str) -> None:
    """Claim, give back early, settle; until killed."""
    store = SqliteStore(file, ballast=0, synchronous="off")
    await store.open()
    rng = random.Random(seed)
    mine = [
        await store.register(info(f"{name}-{number}", supervisor=name, resources=HAS), LEASE_FOR)
        for number in range(workers)
    ]
    held: list[Lease] = []
    while True:
        _, claimed = await store.claim(rng.choice(mine), WANT._replace(limit=rng.randrange(1, 4)))
        held += claimed.leases
        rng.shuffle(held)
        for lease in held:
            if rng.random() < 0.2:
                await store.release(lease.ref, lease.attempt, rng.choice(["gpu", "slots"]))
        for lease in [held.pop() for _ in range(rng.randrange(len(held) + 1))]:
            outcome = Released() if rng.random() < 0.1 else Completed(b"1")
            await store.settle([ended(lease, outcome)])  # refused where this worker was declared lost
        await asyncio.sleep(0 if held or claimed.leases else 0.005)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
