import os
from pathlib import Path

import benchsync

from localqueue import DurabilityMode, SimpleQueue


def open_():
    chosen = {"durability": DurabilityMode.DURABLE} if benchsync.SYNC == "full" else {}
    queue = SimpleQueue(str(Path(benchsync.PATH).parent), **chosen)

    def settings():
        told = queue.diagnostics()
        return {
            "synchronous": told.synchronous,
            "journal_mode": told.journal_mode,
            "query_only": 0,
            "sqlite": told.sqlite_version,
        }

    if benchsync.PROBING and os.environ.get("BENCH_PROBE"):
        benchsync.add_reader(settings)
    return queue
