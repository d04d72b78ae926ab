# ruff: noqa: ANN401 - a context is whatever the library's adapter opened
"""The producer's side, the same for every contender: `producer.py OPERATION COUNT`.

The last line of its output is `BENCH {json}`. Operations: `setup`, `one`, `concurrent`, `bulk`, `fill`,
`latency`, `probe`.
"""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import benchsync

COROUTINES = 100
THREADS = 8
CHUNK = 10_000
GAP = float(os.environ.get("BENCH_GAP", "0.02"))

_COLD = {"fill", "probe"}


def _answer(count: int, seconds: float) -> None:
    sys.stdout.write(f"\nBENCH {json.dumps({'count': count, 'seconds': seconds})}\n")
    sys.stdout.flush()


def _chunks(count: int) -> list[int]:
    return [min(CHUNK, count - start) for start in range(0, count, CHUNK)]


def run_async(  # noqa: C901 - a handful of one-line acts
    open_: Callable[[], Awaitable[Any]],
    one: Callable[[Any, int], Awaitable[Any]],
    *,
    bulk: Callable[[Any, Sequence[int]], Awaitable[Any]] | None = None,
    close: Callable[[Any], Awaitable[Any]] | None = None,
    setup: Callable[[], Awaitable[Any]] | None = None,
) -> None:
    """Run the operation of the command line for a library of coroutines."""
    operation, count = sys.argv[1], int(sys.argv[2])

    async def repeat(context: Any) -> None:
        for _ in range(count):
            await one(context, 0)

    async def concurrent(context: Any) -> None:
        turns = iter(range(count))

        async def produce() -> None:
            for _ in turns:
                await one(context, 0)

        await asyncio.gather(*(produce() for _ in range(COROUTINES)))

    async def paced(context: Any) -> None:
        for _ in range(count):
            await one(context, time.time_ns())
            await asyncio.sleep(GAP)

    async def in_bulk(context: Any) -> None:
        assert bulk is not None
        for size in _chunks(count):
            await bulk(context, [0] * size)

    acts = {"one": repeat, "probe": repeat, "concurrent": concurrent, "latency": paced, "bulk": in_bulk}
    acts["fill"] = in_bulk if bulk else concurrent

    async def main() -> None:
        if operation == "setup":
            if setup:
                await setup()
            _answer(0, 0)
            return
        context = await open_()
        if operation not in _COLD:
            await one(context, 0)  # opens connections; not counted
        started = time.perf_counter()
        await acts[operation](context)
        seconds = time.perf_counter() - started
        benchsync.report("producer")
        if close:
            await close(context)
        _answer(count, seconds)

    asyncio.run(main())


def run_sync(  # noqa: C901 - a handful of one-line acts
    open_: Callable[[], Any],
    one: Callable[[Any, int], Any],
    *,
    bulk: Callable[[Any, Sequence[int]], Any] | None = None,
    close: Callable[[Any], Any] | None = None,
    setup: Callable[[], Any] | None = None,
) -> None:
    """Run the operation of the command line for a library of blocking calls."""
    operation, count = sys.argv[1], int(sys.argv[2])

    def repeat(context: Any, times: int = count) -> None:
        for _ in range(times):
            one(context, 0)

    def concurrent(context: Any) -> None:
        shares = [count // THREADS + (index < count % THREADS) for index in range(THREADS)]
        threads = [threading.Thread(target=repeat, args=(context, share)) for share in shares]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def paced(context: Any) -> None:
        for _ in range(count):
            one(context, time.time_ns())
            time.sleep(GAP)

    def in_bulk(context: Any) -> None:
        assert bulk is not None
        for size in _chunks(count):
            bulk(context, [0] * size)

    acts = {"one": repeat, "probe": repeat, "concurrent": concurrent, "latency": paced, "bulk": in_bulk}
    acts["fill"] = in_bulk if bulk else repeat
    if operation == "setup":
        if setup:
            setup()
        _answer(0, 0)
        return
    context = open_()
    if operation not in _COLD:
        one(context, 0)  # opens connections; not counted
    started = time.perf_counter()
    acts[operation](context)
    seconds = time.perf_counter() - started
    benchsync.report("producer")
    if close:
        close(context)
    _answer(count, seconds)


def per_thread(make: Callable[[], Any]) -> Callable[[], Any]:
    """Return a getter that makes one object for each thread, for connections that are bound to one."""
    local = threading.local()

    def get() -> Any:
        try:
            return local.value
        except AttributeError:
            local.value = make()
            return local.value

    return get
