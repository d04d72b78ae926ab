"""What the engine itself allows, in the same run: bare statements in one loop, apsw, WAL, synchronous=FULL.

Two ceilings. *Engine*: one plain table, what any queue on SQLite could reach at most. *Statements*: those
that Stanchion's own store runs for the same work, recorded and replayed with nothing around them
(`inside/benchreplay.py`): the ceiling that the budget's shares speak of.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.contenders import HERE
from benchmarks.plan import Plan

TABLE = (
    "CREATE TABLE jobs (id INTEGER PRIMARY KEY, queue TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0,"
    " priority INTEGER NOT NULL DEFAULT 0, attempt INTEGER NOT NULL DEFAULT 0, payload BLOB NOT NULL,"
    " worker TEXT)"
)
READY = "CREATE INDEX ready ON jobs (queue, priority, id) WHERE state = 0"
INSERT = "INSERT INTO jobs (queue, payload) VALUES ('bench', ?)"
CLAIM = (
    "UPDATE jobs SET state = 1, attempt = attempt + 1, worker = 'w' WHERE id IN"
    " (SELECT id FROM jobs WHERE queue = 'bench' AND state = 0 ORDER BY priority, id LIMIT ?)"
    " RETURNING id, payload"
)
SETTLE = "UPDATE jobs SET state = 2, worker = NULL WHERE id = ? AND state = 1"
PAYLOAD = b'{"sent":0}'
BATCH = 100


def measure(work: Path, plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield one record for each ceiling."""
    machine.wait_for_calm(plan.calm)
    yield from _engine(work, plan)
    machine.wait_for_calm(plan.calm)
    yield from _statements(work, plan)


def _engine(work: Path, plan: Plan) -> Iterator[dict[str, Any]]:
    try:
        import apsw  # noqa: PLC0415 (the rest of the benchmarks runs without it)
    except ImportError:
        yield {"of": "engine", "act": "all", "reason": "apsw is not installed"}
        return

    path = work / "engine.db"

    def fresh() -> apsw.Connection:
        for old in work.glob("engine.db*"):
            old.unlink()
        connection = apsw.Connection(str(path))
        connection.execute("PRAGMA journal_mode=WAL").fetchall()
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(TABLE)
        connection.execute(READY)
        return connection

    def insert(connection: apsw.Connection, count: int, batch: int) -> None:
        for start in range(0, count, batch):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(INSERT, [(PAYLOAD,)] * min(batch, count - start))
            connection.execute("COMMIT")

    def drain(connection: apsw.Connection, count: int) -> None:
        # As the worker does: the last batch settles in the transaction that claims the next one.
        held: list[tuple[int]] = []
        for _ in range(0, count + BATCH, BATCH):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(SETTLE, held)
            held = [(row[0],) for row in connection.execute(CLAIM, (BATCH,))]
            connection.execute("COMMIT")

    acts: dict[str, tuple[int, int, Callable[[Any, int], None]]] = {
        "insert, 1 a commit": (0, plan.one // 3, lambda connection, count: insert(connection, count, 1)),
        "insert, 100 a commit": (
            0,
            plan.concurrent,
            lambda connection, count: insert(connection, count, BATCH),
        ),
        "insert, 1,000 a commit": (0, plan.bulk, lambda connection, count: insert(connection, count, 1_000)),
        "settle 100 and claim 100 a commit": (plan.drain, plan.drain, drain),
    }
    for name, (backlog, count, act) in acts.items():
        connection = fresh()
        insert(connection, backlog, 1_000)
        share = machine.Share()
        started = time.perf_counter()
        act(connection, count)
        rate = count / (time.perf_counter() - started)
        version = apsw.sqlite_lib_version()
        connection.close()
        yield {
            "of": "engine",
            "act": name,
            "rate": rate,
            "count": count,
            "sqlite": version,
            "foreign": share.foreign(),
        }
    for old in work.glob("engine.db*"):
        old.unlink()


def _statements(work: Path, plan: Plan) -> Iterator[dict[str, Any]]:
    command = [
        sys.executable,
        str(HERE / "inside" / "benchreplay.py"),
        str(plan.concurrent),
        str(work / "replay"),
    ]
    share = machine.Share()
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, env=dict(os.environ))
    foreign = share.foreign()
    line = next((line for line in reversed(done.stdout.splitlines()) if line.startswith("BENCH ")), None)
    if line is None:
        yield {
            "of": "statements",
            "act": "all",
            "reason": (done.stderr.strip().splitlines() or ["no output"])[-1],
        }
        return
    for act, told in json.loads(line.removeprefix("BENCH ")).items():
        if "error" in told:
            yield {"of": "statements", "act": act, "reason": told["error"]}
        else:
            rate = told["count"] / told["seconds"]
            yield {"of": "statements", "act": act, "rate": rate, **told, "foreign": foreign}
