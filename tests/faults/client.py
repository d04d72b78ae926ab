"""A client that writes down what it asks and what it is told.

`python -m tests.faults.client FILE LOG FIRST COUNT PAUSE SEED`

Ids follow from the number of the job, so that a client that was killed can be started again and repeats itself.
"""

from __future__ import annotations

import asyncio
import random
import sys

from stanchion.domain.ids import uuid7
from stanchion.domain.job import NewJob
from stanchion.store import Enqueued
from stanchion.stores.sqlite import SqliteStore
from tests.clock import T0
from tests.faults.effects import append


def job_number(number: int, ms: int, task: str = "work") -> NewJob:
    """Return the request of that number; the same number is the same job."""
    key = uuid7(T0 + number, number.to_bytes(10, "big"))
    return NewJob(key, task, b'{"ms":%d}' % ms)


def batch_of(numbers: range, seed: str) -> list[NewJob]:
    """Return requests of a few ms; one in a hundred outlives a short lease."""
    jobs: list[NewJob] = []
    for number in numbers:
        rng = random.Random(f"{seed}/{number}")
        jobs.append(job_number(number, 1300 if rng.random() < 0.01 else rng.randrange(1, 8)))
    return jobs


async def main(file: str, log: str, numbers: range, pause: float, seed: str) -> None:
    store = SqliteStore(file)
    await store.open()
    rng = random.Random(f"{seed}/{numbers.start}")
    while numbers:
        size = rng.randrange(1, 12)
        batch, numbers = batch_of(numbers[:size], seed), numbers[size:]
        append(log, "\n".join(f"I {job.id}" for job in batch))
        answers = await store.enqueue(batch)
        append(log, "\n".join(f"A {answer.id}" for answer in answers if isinstance(answer, Enqueued)))
        await asyncio.sleep(rng.random() * 2 * pause * len(batch))
    await store.close()


if __name__ == "__main__":
    file_, log_, first_, count_, pause_, seed_ = sys.argv[1:]
    asyncio.run(main(file_, log_, range(int(first_), int(first_) + int(count_)), float(pause_), seed_))
