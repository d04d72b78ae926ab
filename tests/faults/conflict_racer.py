"""One of many processes that want one key: `python -m tests.faults.conflict_racer FILE NUMBER POLICY ROUNDS`.

It waits for a line on standard input, then enqueues and works by turns; prints how many of its jobs were stored.
"""

from __future__ import annotations

import asyncio
import random
import sys

from stanchion.domain.ids import uuid7
from stanchion.domain.intake import Conflict, Intake, OnConflict
from stanchion.domain.job import NewJob
from stanchion.domain.outcome import Completed
from stanchion.store import Enqueued, Want
from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import ended, info

WANT = Want(2, frozenset({"t"}))


async def main(file: str, number: int, policy: OnConflict, rounds: int) -> int:
    store = SqliteStore(file, ballast=0, synchronous="off")
    await store.open()
    worker = await store.register(info(f"w{number}"), 600_000)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    stored = 0
    for _ in range(rounds):
        asked = Intake(Conflict(policy, "k"))
        new = NewJob(uuid7(store.now(), random.randbytes(10)), "t", b"{}", tenant=f"t{number % 2}", intake=asked)
        (answer,) = await store.enqueue([new])
        stored += isinstance(answer, Enqueued)
        _, claimed = await store.claim(worker, WANT)
        await asyncio.sleep(random.random() / 500)
        await store.settle([ended(lease, Completed(b"1")) for lease in claimed.leases])
    await store.close()
    return stored


if __name__ == "__main__":
    done = asyncio.run(main(sys.argv[1], int(sys.argv[2]), OnConflict(sys.argv[3]), int(sys.argv[4])))
    sys.stdout.write(f"{done}\n")
