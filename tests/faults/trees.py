"""Supervisors with their children, as the operating system sees them: started, frozen, thawed, killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import psutil

from tests.faults.effects import since_boot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from types import TracebackType

    from stanchion.store import WorkerRow
    from stanchion.stores.sqlite import SqliteStore

ROOT: Final = Path(__file__).parent.parent.parent


def python(*words: object, env: dict[str, str] | None = None, log: Path | None = None) -> subprocess.Popen[bytes]:
    """Start a Python program of this project in a session of its own."""
    with (log or Path(os.devnull)).open("ab") as err:
        return subprocess.Popen(
            [sys.executable, *map(str, words)],
            cwd=ROOT,
            env={**os.environ} | (env or {}),
            stdout=subprocess.DEVNULL,
            stderr=err,
            start_new_session=True,
        )


def tell(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to processes, dead ones included."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


class Tree:
    """One supervisor and all below it, on one store."""

    def __init__(
        self, folder: Path, *, processes: int = 2, slots: int = 4, grace: float = 5.0, lease: str | None = None
    ) -> None:
        self.folder, self.log = folder, folder / "workers.log"
        self.frozen = False
        self._command = (f"sqlite:///{folder / 't.db'}", processes, slots, grace)
        self._env = {"FAULTS_EFFECTS": str(folder / "effects")} | ({"FAULTS_LEASE": lease} if lease else {})
        self.start()

    def start(self) -> None:
        """Start it (again)."""
        self.process = python("-m", "tests.faults.tree", *self._command, env=self._env, log=self.log)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def below(self) -> list[int]:
        """The pids below the supervisor."""
        try:
            return [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> int:
        """Kill the supervisor, from which its children die; return when, in ms since the host started."""
        self.thaw()
        below = self.below
        self.process.kill()
        at = since_boot()
        self.process.wait()
        gone = [psutil.Process(pid) for pid in below if psutil.pid_exists(pid)]
        _, alive = psutil.wait_procs(gone, timeout=5)
        assert not alive, f"orphans outlived their supervisor: {alive}"
        self._end_stopped_orphans()
        return at

    def _end_stopped_orphans(self) -> None:
        """End what was stopped before it had asked to die with its parent, and lost the parent meanwhile."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                ours = process.environ().get("FAULTS_EFFECTS") == self._env["FAULTS_EFFECTS"]
                if ours and process.ppid() == 1 and process.status() == psutil.STATUS_STOPPED:
                    process.kill()

    def freeze(self) -> None:
        """Stop the whole tree, the supervisor first, so that it starts nothing."""
        self.frozen = True
        tell([self.process.pid], signal.SIGSTOP)
        tell(self.below, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on, the children first: what they write then is late."""
        if self.frozen:
            tell(self.below, signal.SIGCONT)
            tell([self.process.pid], signal.SIGCONT)
            self.frozen = False

    def stop(self, timeout: float = 20.0) -> int:
        """Ask it to stop; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def logged(self, text: str) -> int:
        """Count lines of its log."""
        return sum(text in line for line in self.log.read_text(errors="replace").splitlines())


async def workers(store: SqliteStore, *, busy: bool = False, among: Iterable[int] | None = None) -> list[WorkerRow]:
    """Return the living workers; only those that run something, or of some processes, where asked."""
    pids = None if among is None else set(among)
    return [
        row
        for row in await store.workers()
        if row.alive and (row.running or not busy) and (pids is None or row.info.pid in pids)
    ]


async def until(what: str, condition: Callable[[], Awaitable[bool]], within: float = 20.0, every: float = 0.02) -> None:
    """Wait until an asynchronous condition holds."""
    deadline = asyncio.get_running_loop().time() + within
    while not await condition():
        assert asyncio.get_running_loop().time() < deadline, f"after {within:g} s still not: {what}"
        await asyncio.sleep(every)
