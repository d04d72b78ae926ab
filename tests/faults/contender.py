"""One of many processes on one file: `python -m tests.faults.contender FILE NUMBER SECONDS`; prints what it did."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time

from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import WANT, ended, join
from tests.faults.client import job_number


async def main(file: str, number: int, seconds: float) -> dict[str, object]:
    store = SqliteStore(file, ballast=0)
    await store.open()
    worker = await join(store, f"w{number}")
    rng = random.Random(number)
    did: dict[str, float] = {"enqueued": 0, "claimed": 0, "settled": 0, "slowest": 0.0}
    ids: list[str] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        batch = [job_number(number * 1_000_000 + int(did["enqueued"]) + i, 1, "t") for i in range(rng.randrange(1, 4))]
        await store.enqueue(batch)
        ids += (job.id for job in batch)
        did["enqueued"] += len(batch)
        _, claimed = await store.claim(worker, WANT._replace(limit=rng.randrange(1, 4)))
        did["claimed"] += len(claimed.leases)
        done = await store.settle([ended(lease) for lease in claimed.leases])
        assert all(done), "somebody else had this lease, too"
        did["settled"] += len(done)
        await store.beat([worker], 10_000)
        did["slowest"] = max(did["slowest"], time.monotonic() - began)
    await store.leave([worker])
    await store.close()
    return {**did, "ids": ids}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))))
