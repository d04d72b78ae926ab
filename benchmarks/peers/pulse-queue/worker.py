import asyncio
import os

from benchhit import hit
from pulse_queue import HandlerRegistry, WorkerPool
from stores import open_

registry = HandlerRegistry()


@registry.register("noop")
async def noop(ctx):
    hit(ctx.payload["sent"])


async def main():
    chosen = os.environ.get("BENCH_CONCURRENCY")
    pool = WorkerPool(open_(), registry, **({"concurrency": int(chosen)} if chosen else {}))
    await pool.run()


asyncio.run(main())
