"""Where one measurement happens: a fresh database, a producer, its workers, and the file of hits."""

import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.contenders import HERE, Contender

_RECORD = struct.Struct("<QQQ")
_STALLED_AFTER = 45.0
_LOOK_EVERY = 0.01


class ContestError(Exception):
    """A producer or a worker did not do what was asked of it; the message has the end of its output."""


@dataclass(frozen=True)
class Hit:
    """One job's start: when it was sent (ns, 0 if unknown), when it started (ns), which worker ran it."""

    sent: int
    started: int
    worker: int


class Arena:
    """One contender's place; used as a context manager, it leaves no process behind."""

    def __init__(self, contender: Contender, work: Path) -> None:
        self.contender = contender
        self.peer = contender.peer
        self.home = work / f"{self.peer.name}-{contender.sync}"
        self.state = self.home / "state"
        memory = Path("/dev/shm")  # hits must not wait for the disk under test
        self.hits_path = (memory if memory.is_dir() else self.home) / f"stanchion-bench-{os.getpid()}"
        self.probe_path = self.home / "probe.jsonl"
        self._running: list[subprocess.Popen[bytes]] = []
        self.home.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.hits_path.unlink(missing_ok=True)

    # The database

    def fresh(self) -> None:
        """Start over with an empty database."""
        self._empty()
        if self.peer.setup:
            self.produce("setup", 0)

    def filled(self, count: int) -> None:
        """Start over with `count` jobs waiting: the backlog is made once and copied afterwards."""
        template = self.home / f"template-{count}"
        if not template.exists():
            self._empty()
            if self.peer.setup:
                self.produce("setup", 0, sync="off")
            self.produce("fill", count, sync="off", patience=600)
            self.state.rename(template)
        self._empty()
        shutil.rmtree(self.state)
        shutil.copytree(template, self.state)
        os.sync()  # the copy must not be written back while we measure

    def _empty(self) -> None:
        self.stop()
        self.clear_hits()
        shutil.rmtree(self.state, ignore_errors=True)
        self.state.mkdir(parents=True)

    # Processes

    def _environment(
        self, *, sync: str | None = None, worker: int = 0, extra: dict[str, str] | None = None
    ) -> dict[str, str]:
        ours = {
            "PATH": os.pathsep.join([str(self.contender.python.parent), os.environ.get("PATH", "")]),
            "PYTHONPATH": os.pathsep.join([str(HERE / "inside"), str(self.peer.home)]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "ignore",
            "BENCH_HITS": str(self.hits_path),
            "BENCH_SQLITE": str(self.state / "queue.db"),
            "BENCH_SYNC": sync or self.contender.sync,
            "BENCH_WORKER": str(worker),
        }
        return {**os.environ, **ours, **(extra or {})}

    def produce(
        self,
        operation: str,
        count: int,
        *,
        sync: str | None = None,
        patience: float = 180,
        probe: bool = False,
    ) -> dict[str, Any]:
        """Run one producer process to its end and return what it told."""
        command = [str(self.contender.python), str(self.peer.home / "producer.py"), operation, str(count)]
        extra = {"BENCH_PROBE": str(self.probe_path)} if probe else None
        environment = self._environment(sync=sync, extra=extra)
        try:
            done = subprocess.run(
                command,
                cwd=self.home,
                env=environment,
                capture_output=True,
                text=True,
                timeout=patience,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ContestError(f"producer {operation} {count} took more than {patience:.0f} s") from error
        for line in reversed(done.stdout.splitlines()):
            if line.startswith("BENCH "):
                return json.loads(line.removeprefix("BENCH "))
        raise ContestError(f"producer {operation}: exit {done.returncode}\n{done.stdout[-500:]}\n{done.stderr[-1500:]}")

    def work(self, *, index: int = 1, concurrency: str = "", default: bool = False, probe: bool = False) -> int:
        """Start a worker and return its session's id."""
        command = (self.peer.default_worker if default else []) or self.peer.worker
        extra = {"BENCH_CONCURRENCY": concurrency} | ({"BENCH_PROBE": str(self.probe_path)} if probe else {})
        return self._start(command, concurrency, self._environment(worker=index, extra=extra), f"worker{index}.log")

    def serve(self) -> int:
        """Start the server and return its session's id."""
        return self._start(self.peer.server, "", self._environment(), "server.log")

    def _start(self, command: list[str], concurrency: str, environment: dict[str, str], log: str) -> int:
        python = self.contender.python
        names = {
            "python": str(python),
            "bin": str(python.parent),
            "here": str(self.peer.home),
            "db": str(self.state / "queue.db"),
            "port": "",
        }
        if "{port}" in command:
            names["port"] = str(_free_port())
        arguments: list[str] = []
        for part in command:
            if part == "{concurrency}":
                arguments += concurrency.split()
            else:
                arguments.append(part.format(**names))
        with (self.home / log).open("wb") as output:
            process = subprocess.Popen(
                arguments,
                cwd=self.home,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append(process)
        return process.pid

    def stop(self) -> None:
        """End what was started, and wait for all of it so that its CPU time is known."""
        for process in self._running:
            for sign, patience in ((signal.SIGTERM, 1.0), (signal.SIGKILL, 5.0)):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(patience)
                    break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                while True:
                    os.waitpid(-process.pid, 0)  # its orphans: they are ours, see `adopt_orphans`
        self._running = []

    # Hits

    def clear_hits(self) -> None:
        """Forget every hit."""
        self.hits_path.unlink(missing_ok=True)

    def count(self) -> int:
        """Return how many jobs have started."""
        try:
            return self.hits_path.stat().st_size // _RECORD.size
        except FileNotFoundError:
            return 0

    def hits(self) -> list[Hit]:
        """Return every job's start, in the order of writing."""
        return [Hit(*fields) for fields in _RECORD.iter_unpack(self.hits_path.read_bytes())]

    def await_hits(self, count: int, patience: float) -> None:
        """Wait until so many jobs have started.

        Raises:
            ContestError: They have not in time, nothing moves any more, or every process is gone.
        """
        deadline = time.monotonic() + patience
        seen, moved = -1, time.monotonic()
        while (now := self.count()) < count:
            if now != seen:
                seen, moved = now, time.monotonic()
            gone = all(process.poll() is not None for process in self._running)
            if gone or time.monotonic() > deadline or time.monotonic() - moved > _STALLED_AFTER:
                raise ContestError(
                    f"{now} of {count} jobs started{', no worker lives' if gone else ''}\n{self._logs()}"
                )
            time.sleep(_LOOK_EVERY)

    def _logs(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-1200:] for path in sorted(self.home.glob("*.log")))

    # What it says of itself

    def probe(self) -> dict[str, Any]:
        """Return the settings that the contender's own connections answer, of producer and worker."""
        self.probe_path.unlink(missing_ok=True)
        self.fresh()
        self.produce("probe", 5, probe=True)
        self.work(concurrency=self.peer.default or self.peer.concurrency[0], probe=True)
        self.await_hits(5, 60)
        time.sleep(0.2)
        self.stop()
        told: dict[str, list[dict[str, Any]]] = {}
        for line in self.probe_path.read_text(encoding="utf-8").splitlines():
            report = json.loads(line)
            if report["connections"]:
                told[report["role"]] = report["connections"]
        return _settings(told)

    def version(self) -> str:
        """Return the release that is measured."""
        code = f"import importlib.metadata as m; print(m.version({self.peer.package!r}))"
        return self._ask(code)

    def python_version(self) -> str:
        """Return the interpreter's version."""
        return self._ask("import platform; print(platform.python_version())")

    def _ask(self, code: str) -> str:
        done = subprocess.run([str(self.contender.python), "-c", code], capture_output=True, text=True, check=False)
        return done.stdout.strip() or "unknown"


def _settings(told: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Reduce the connections' answers to one: the weakest setting of those that may write."""
    result: dict[str, Any] = {}
    for role, connections in told.items():
        writers = [answer for answer in connections if not answer.get("query_only")]
        if writers:
            result[role] = min(int(answer["synchronous"]) for answer in writers)
            result["journal_mode"] = str(writers[-1]["journal_mode"])
            result["sqlite"] = str(writers[-1]["sqlite"])
    levels = [result[role] for role in ("producer", "worker") if role in result]
    result["synchronous"] = min(levels) if levels else None
    return result


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def default_work() -> Path:
    """Return a new directory for databases, on the checkout's disk: in memory, fsync would be free."""
    base = HERE / ".work"
    base.mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="run-", dir=base))
