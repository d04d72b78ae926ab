"""One of many processes that ask for the same: `python -m tests.faults.racer FILE NUMBER KEYS`.

It waits for a line on standard input, then enqueues one job for each key, one by one; prints the ids.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys

from stanchion.domain.ids import uuid7
from stanchion.domain.job import NewJob
from stanchion.store import Enqueued
from stanchion.stores.sqlite import SqliteStore


async def main(file: str, number: int, keys: int) -> list[tuple[int, str, bool]]:
    store = SqliteStore(file, ballast=0)
    await store.open()
    order = [*range(keys)]
    random.Random(number // 2).shuffle(order)  # two by two in the same order, so that they meet
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    told: list[tuple[int, str, bool]] = []
    for key in order:
        job_id = uuid7(store.now(), random.randbytes(10))
        (answer,) = await store.enqueue([NewJob(job_id, "t", b"{}", dedup_key=key.to_bytes(32, "big"))])
        assert isinstance(answer, Enqueued), answer
        told.append((key, answer.id, answer.new))
    await store.close()
    return told


if __name__ == "__main__":
    found = asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
    sys.stdout.write(json.dumps(found) + "\n")
