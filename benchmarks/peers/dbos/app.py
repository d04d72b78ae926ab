import os

import benchold  # noqa: F401  (must come before anything imports sqlite3)
import benchsync
from benchhit import hit

from dbos import DBOS

DBOS(
    config={
        "name": "bench",
        "system_database_url": "sqlite:///" + benchsync.PATH,
        "application_version": "1",
        "executor_id": "w" + os.environ.get("BENCH_WORKER", "0"),
        "log_level": "ERROR",
    }
)


@DBOS.workflow(name="noop")
async def noop(sent):
    hit(sent)
