"""The supervisor: spawns children that run handlers, beats for them, and sees their death at once.

It runs no user code, so nothing that a handler does can hold up a beat. It claims nothing itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from stanchion.domain.outcome import Released, settle
from stanchion.domain.retry import RetryPolicy
from stanchion.engine import frames
from stanchion.engine.board import forget
from stanchion.engine.maintain import Maintainer, rescue
from stanchion.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from stanchion.domain.policy import LeaseProfile, Retention
    from stanchion.engine.artifacts import Artifacts
    from stanchion.store import Store

log = logging.getLogger("stanchion.supervisor")

CONFIG_EXIT: Final = 2
"""The exit code of a child that cannot start: starting it again would not help."""
_FASTEST: Final = 0.05
_SLOWEST: Final = 10.0
_STEADY: Final = 5.0
UNRESPONSIVE: Final = 5.0
"""Seconds without a sign of a child's event loop before it is said to be blocked."""


@dataclass(slots=True, eq=False)
class Child:
    """A child process, and what it told of itself."""

    process: asyncio.subprocess.Process
    started: float = field(default_factory=time.monotonic)
    worker: int = 0
    incarnation: str = ""
    seen: float = field(default_factory=time.monotonic)
    blocked: bool = False
    lost: bool = False
    spare: bool = False
    """Whether there are more children than are needed: it claims no more, and is stopped once it holds nothing."""
    told: bool = False
    """Whether it was told to stop, as a spare one."""


class Scaling(NamedTuple):
    """What says how many children there should be.

    Attributes:
        wanted: Answers with the number; it may raise a `StoreError`, and then nothing changes.
        most: Never more children, those that still end their jobs among them.
        every: Seconds between two questions.
    """

    wanted: Callable[[], Awaitable[int]]
    most: int
    every: float = 2.0


class Supervisor:
    """Keeps a number of children running until told to stop.

    Args:
        command: What starts a child; the supervisor's pid is appended.
        processes: How many children.
        grace: Seconds that running attempts get after a stop.
        scaling: What says how many children there should be from then on; `processes` are what it begins with.
    """

    def __init__(  # noqa: PLR0913 - what one supervisor is made of
        self,
        command: Sequence[str],
        *,
        store: Store,
        artifacts: Artifacts,
        profile: LeaseProfile,
        processes: int = 1,
        grace: float = 25.0,
        retention: Retention | None = None,
        on_event: Callable[[str, dict[str, Any]], None] | None = None,
        scaling: Scaling | None = None,
    ) -> None:
        self._command = tuple(command)
        self._store, self._artifacts, self._profile = store, artifacts, profile
        self._processes, self._grace, self._retention = processes, grace, retention
        self._children: set[Child] = set()
        self._stopping = False
        self._stopped = asyncio.Event()
        self._over = asyncio.Event()
        self._keepers: set[asyncio.Task[None]] = set()
        self._places = 0
        self._scaling = scaling
        self._failure: ConfigError | None = None
        self._on_event = on_event or _ignore

    @property
    def children(self) -> list[int]:
        """The pids of the children."""
        return [child.process.pid for child in self._children]

    async def run(self, stop: asyncio.Event) -> None:
        """Supervise until `stop` is set, then stop the children within the grace.

        Raises:
            ConfigError: A child cannot start; its own message is on standard error.
        """
        maintainer = Maintainer(self._store, self._artifacts, self._profile, self._retention)
        helpers = [asyncio.create_task(self._beating()), asyncio.create_task(maintainer.run())]
        for _ in range(self._processes):
            self._add()
        if self._scaling is not None:
            helpers.append(asyncio.create_task(self._scale(self._scaling)))
        ends = [asyncio.create_task(stop.wait()), asyncio.create_task(self._over.wait())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopping = True
            self._stopped.set()
            if self._scaling is not None:
                helpers[-1].cancel()  # no child is added to those that are stopped now
            await self._stop_children()
            tasks = [*self._keepers, *ends, *helpers]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if self._failure is not None:
            raise self._failure

    def _add(self) -> None:
        """Have one more child."""
        keeper = asyncio.create_task(self._keep(self._places))
        self._places += 1
        self._keepers.add(keeper)
        keeper.add_done_callback(self._kept)

    def _kept(self, keeper: asyncio.Task[None]) -> None:
        """Forget a keeper whose child was spare; the end of any other ends all."""
        self._keepers.discard(keeper)
        if self._stopping or keeper.cancelled():
            return
        if (error := keeper.exception()) is not None:
            log.error("a worker process is kept no more: %s", error, exc_info=error)
        if error is not None or self._failure is not None:
            self._over.set()

    async def _scale(self, scaling: Scaling) -> None:
        """Add children at once where more are needed, drain spare ones where fewer are."""
        while True:
            try:
                await self._adjust(min(await scaling.wanted(), scaling.most), scaling.most)
                await self._dismiss()
            except StoreError as error:
                log.warning("how many worker processes are needed is not known now: %s", error)
            await asyncio.sleep(scaling.every)

    async def _adjust(self, wanted: int, most: int) -> None:
        spare = sum(child.spare for child in self._children)
        count = len(self._keepers) - spare
        more = min(wanted, most - spare) - count  # those that still drain take room, too
        if more > 0:
            log.info("%d worker processes are needed: %d more start", wanted, more)
            for _ in range(more):
                self._add()
            self._on_event("added", {"count": more})
        elif wanted < count:
            started = [child for child in self._children if child.worker and not child.spare]
            for child in (await self._by_load(started))[: count - wanted]:
                log.info("worker process %d is not needed any more: it ends once its jobs have", child.process.pid)
                child.spare = True

    async def _by_load(self, children: Sequence[Child]) -> list[Child]:
        """Return children by what they run, the least first; of equals the youngest."""
        held = {child: len(await self._store.held(child.worker)) for child in children}
        return sorted(children, key=lambda child: (held[child], -child.started))

    async def _dismiss(self) -> None:
        """Let spare children claim no more, and stop those that hold nothing any more."""
        for child in [child for child in self._children if child.spare and not child.told]:
            await self._store.drain_worker(child.worker)
            if not await self._store.held(child.worker):
                child.told = True
                with contextlib.suppress(ProcessLookupError):
                    child.process.send_signal(signal.SIGTERM)

    async def _keep(self, place: int) -> None:
        """Keep one child running; a child that dies young is started again ever more slowly."""
        pause = _FASTEST
        while not self._stopping:
            try:
                child = await self._spawn()
            except (OSError, RuntimeError) as error:  # no descriptor or process left; no thread to watch it
                pause = min(pause * 2, _SLOWEST)
                log.warning(
                    "a worker process cannot be started: %s; tried again in %g s. Raise the limits of this user "
                    "(`ulimit -n`, `ulimit -u`)",
                    error,
                    pause,
                )
                await self._rest(pause)
                continue
            code = await self._attend(child)
            if self._stopping:
                return
            if child.spare:
                self._on_event("dismissed", {"place": place, "pid": child.process.pid})
                return
            if code == CONFIG_EXIT and not child.worker:
                message = "A worker process cannot start (its message is above)."
                self._failure = ConfigError(message, remedy="Correct the app or its settings, and start again.")
                return
            lived = time.monotonic() - child.started
            pause = _FASTEST if lived > _STEADY else min(pause * 2, _SLOWEST)
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            log.error(
                "worker process %d (%s) died: %s; another is started",
                child.process.pid,
                child.incarnation,
                how,
            )
            self._on_event("died", {"place": place, "pid": child.process.pid, "how": how})
            await self._rest(pause)

    async def _rest(self, pause: float) -> None:
        """Wait for so many seconds, or until it stops."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._stopped.wait()

    async def _spawn(self) -> Child:
        process = await asyncio.create_subprocess_exec(
            *self._command, str(os.getpid()), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        child = Child(process)
        self._children.add(child)
        return child

    async def _attend(self, child: Child) -> int:
        """Read what a child says until it dies; then give its jobs to others at once."""
        try:
            while child.process.stdout is not None:
                message = await frames.read(child.process.stdout)
                child.seen = time.monotonic()
                if message[0] == "worker":
                    child.worker, child.incarnation = message[1], message[2]
                    self._on_event("started", {"pid": child.process.pid, "worker": child.incarnation})
        except EOFError:
            pass
        code = await child.process.wait()
        self._children.discard(child)
        if child.worker:
            await self._bury(child)
        return code

    async def _bury(self, child: Child) -> None:
        for pause in (0.1, 0.5, 2.0):
            try:
                found = await self._store.leave([child.worker], lost=True)
                if self._stopping:
                    await self._store.settle(
                        [settle(i.lease, Released("its worker stopped"), RetryPolicy()) for i in found]
                    )
                else:
                    count = await rescue(self._store, found, "its process died")
                    self._on_event("rescued", {"jobs": count, "pid": child.process.pid})
            except StoreError as error:
                log.warning("the jobs of a dead process could not be given back yet: %s", error)
                await asyncio.sleep(pause)
            else:
                forget(child.incarnation)
                return
        log.error("the jobs of worker %s wait for their lease to expire", child.incarnation)

    async def _beating(self) -> None:
        every = self._profile.beat / 1000
        while True:
            await asyncio.sleep(every)
            children = [child for child in self._children if child.worker and not child.lost]
            self._watch_loops(children)
            if not children:
                continue
            try:
                beats = await self._store.beat([child.worker for child in children], self._profile.lease)
            except StoreError as error:
                log.warning("a beat could not be stored: %s", error)
                continue
            for child, beat in zip(children, beats, strict=True):
                if not beat.alive and not self._stopping and not child.told and child.process.returncode is None:
                    log.error(
                        "worker %s was declared lost while it was frozen; its process is ended",
                        child.incarnation,
                    )
                    child.lost = True
                    with contextlib.suppress(ProcessLookupError):
                        child.process.kill()

    def _watch_loops(self, children: Sequence[Child]) -> None:
        for child in children:
            silent = time.monotonic() - child.seen
            if silent > UNRESPONSIVE and not child.blocked:
                child.blocked = True
                log.warning(
                    "worker process %d is unresponsive: its event loop is blocked since %.0f s; its leases are kept",
                    child.process.pid,
                    silent,
                )
            elif silent <= UNRESPONSIVE and child.blocked:
                child.blocked = False
                log.info("worker process %d responds again", child.process.pid)

    async def _ended(self, children: Sequence[Child], within: float) -> None:
        """Wait until all children have ended, or the time is over."""
        waits = [asyncio.ensure_future(child.process.wait()) for child in children]
        if waits:
            _, late = await asyncio.wait(waits, timeout=within)
            for wait in late:
                wait.cancel()

    async def _stop_children(self) -> None:
        for child in self._children:
            with contextlib.suppress(ProcessLookupError):
                child.process.send_signal(signal.SIGTERM)
        children = list(self._children)
        await self._ended(children, self._grace + 3.0)
        for child in [child for child in children if child.process.returncode is None]:
            log.warning("worker process %d did not end within its grace; it is killed", child.process.pid)
            with contextlib.suppress(ProcessLookupError):
                child.process.kill()
        await self._ended(children, 2.0)


def _ignore(_event: str, _facts: dict[str, Any]) -> None:
    """Nobody listens."""
