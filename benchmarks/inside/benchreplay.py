# ruff: noqa: ANN401, PLC0415 - values of any type are bound; Stanchion must be imported after the hook is set
"""The engine's own ceiling: the very statements that Stanchion's store runs, replayed bare in one loop.

`benchreplay.py JOBS DIRECTORY`, run by Stanchion's interpreter. First Stanchion does the work on a fresh
database while the statements of its connections are written down, with their values. Then what the writing
connection ran is run again, in the same transactions and with the same settings, on a copy of the database as
it was before: no event loop, no thread, nothing between the statements. Prints `BENCH {json}`.
"""

import asyncio
import contextlib
import itertools
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import apsw

Statement = tuple[str, Any]
PRODUCERS = 100
ALONE = 500
SETTINGS = ("synchronous", "wal_autocheckpoint", "cache_size", "temp_store", "journal_size_limit")
_WRITES = re.compile(r"\s*(?:WITH\b.*?\b)?(?:INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE | re.DOTALL)
_BEGINS = re.compile(r"\s*BEGIN\b", re.IGNORECASE)


class Recorder:
    """Writes down what each connection runs while `on`."""

    def __init__(self) -> None:
        self.on = False
        self._ran: list[tuple[apsw.Connection, list[Statement]]] = []
        self._traces: dict[apsw.Connection, Any] = {}
        apsw.connection_hooks.append(self._watch)

    def _watch(self, connection: apsw.Connection) -> None:
        ran: list[Statement] = []
        self._ran.append((connection, ran))

        def trace(_cursor: apsw.Cursor, sql: str, values: Any) -> bool:
            if self.on:
                ran.append((sql, values))
            return True

        connection.exec_trace = self._traces[connection] = trace

    def pause(self) -> None:
        """Stand aside, so that the work can be timed."""
        self._set(watching=False)

    def resume(self) -> None:
        """Watch again."""
        self._set(watching=True)

    def _set(self, *, watching: bool) -> None:
        for connection, trace in self._traces.items():
            with contextlib.suppress(apsw.ConnectionClosedError):
                connection.exec_trace = trace if watching else None

    def take(self) -> tuple[list[Statement], dict[str, Any]]:
        """Return what the connection that wrote most has run, with its settings, and forget everything."""
        connection, ran = max(self._ran, key=lambda item: sum(bool(_WRITES.match(sql)) for sql, _ in item[1]))
        settings = {name: connection.pragma(name) for name in SETTINGS}
        tape = list(ran)
        for _, other in self._ran:
            other.clear()
        return tape, settings


class Rig:
    """Stanchion on a fresh database in `directory`, its statements recorded."""

    def __init__(self, directory: Path, jobs: int) -> None:
        self.directory = directory
        self.path = directory / "ceiling.db"
        self.jobs = jobs
        self.recorder = Recorder()
        self.ran = 0
        self.settings: dict[str, Any] = {}
        self.own: dict[str, float] = {}

    async def record(self) -> dict[str, tuple[int, list[Statement]]]:
        """Return the jobs and the tape of each act; the database as it was before it is kept beside."""
        from stanchion import Stanchion

        app = Stanchion(f"sqlite:///{self.path}")

        @app.task(queue="bench")
        async def noop(sent: int) -> None:
            self.ran += 1 + sent

        async with app:
            await noop.enqueue(0)
            return {
                "one": await self._act("one", lambda: self._together(noop, 1, min(ALONE, self.jobs))),
                "concurrent": await self._act("concurrent", lambda: self._together(noop, PRODUCERS, self.jobs)),
                "bulk": await self._act("bulk", lambda: self._bulk(noop)),
                "drain": await self._act("drain", lambda: self._drain(app)),
                **await self._turnover(app, noop),
            }

    async def _turnover(self, app: Any, task: Any) -> dict[str, tuple[int, list[Statement]]]:
        """Claim and settle in one call of the store after another, no handler between; timed first, then recorded."""
        from stanchion.domain.outcome import Completed, settle
        from stanchion.domain.retry import RetryPolicy
        from stanchion.store import Want, WorkerInfo

        store, ended, policy = app.store, Completed(b"null"), RetryPolicy()
        want = Want(PRODUCERS, frozenset({task.name}))

        async def act() -> int:
            worker = await store.register(
                WorkerInfo(incarnation=os.urandom(8).hex(), host="h", pid=1, slots=1, queues=None, tasks=(task.name,)),
                60_000,
            )
            done, held = 0, []
            while True:
                _, claimed = await store.claim(worker, want, held)
                done += len(held)
                held = [settle(lease, ended, policy) for lease in claimed.leases]
                if not held:
                    await store.leave([worker])
                    return done

        await self._bulk(task)
        self.recorder.pause()
        started = time.perf_counter()
        count = await act()
        self.own["claim and settle"] = count / (time.perf_counter() - started)
        self.recorder.resume()
        await self._bulk(task)
        return {"claim and settle": await self._act("claim and settle", act)}

    async def _together(self, task: Any, producers: int, count: int) -> int:
        turns = iter(range(count))

        async def produce() -> None:
            for _ in turns:
                await task.enqueue(0)

        await asyncio.gather(*(produce() for _ in range(producers)))
        return count

    async def _bulk(self, task: Any) -> int:
        await task.enqueue_many([{"sent": 0}] * self.jobs)
        return self.jobs

    async def _drain(self, app: Any) -> int:
        await app.run_worker(slots=PRODUCERS, burst=True)
        return self.ran

    async def _act(self, name: str, act: Callable[[], Awaitable[int]]) -> tuple[int, list[Statement]]:
        source, target = apsw.Connection(str(self.path)), apsw.Connection(str(self._before(name)))
        with target.backup("main", source, "main") as backup:
            backup.step()
        target.close()
        source.close()
        self.recorder.on = True
        count = await act()
        self.recorder.on = False
        tape, self.settings = self.recorder.take()
        return count, tape

    def _before(self, name: str) -> Path:
        return self.directory / f"before-{name.replace(' ', '-')}.db"

    def replay(self, name: str, count: int, tape: list[Statement]) -> dict[str, Any]:
        """Run the tape in one loop and return how long it took."""
        connection = apsw.Connection(str(self._before(name)))
        connection.pragma("journal_mode", "wal")
        for setting, value in self.settings.items():
            connection.pragma(setting, value)
        # The store binds many rows to one statement where it can; so does the loop.
        groups = [
            (sql, [values if values is not None else () for _, values in group])
            for sql, group in itertools.groupby(tape, key=lambda statement: statement[0])
        ]
        run = connection.executemany
        started = time.perf_counter()
        for sql, rows in groups:
            for _ in run(sql, rows):
                pass
        seconds = time.perf_counter() - started
        connection.close()
        return {
            "count": count,
            "seconds": seconds,
            "statements": len(tape),
            "transactions": sum(bool(_BEGINS.match(sql)) for sql, _ in tape),
            "synchronous": self.settings["synchronous"],
        }


def main() -> None:
    """Record, replay, and print one line."""
    jobs, directory = int(sys.argv[1]), Path(sys.argv[2])
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    rig = Rig(directory, jobs)
    tapes = asyncio.run(rig.record())
    os.sync()
    told: dict[str, Any] = {}
    for name, (count, tape) in tapes.items():
        try:
            told[name] = rig.replay(name, count, tape) | {"own": rig.own.get(name)}
        except apsw.Error as error:
            told[name] = {"error": f"{type(error).__name__}: {error}"}
    shutil.rmtree(directory, ignore_errors=True)
    sys.stdout.write(f"\nBENCH {json.dumps(told)}\n")


if __name__ == "__main__":
    main()
