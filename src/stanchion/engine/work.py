"""A worker: claims up to its free slots, runs attempts, settles them; a settle rides in the next claim."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import socket
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from stanchion.domain.affinity import Warm
from stanchion.domain.batches import slots
from stanchion.domain.job import State
from stanchion.domain.kinds import ErrorInfo, Kind, classify
from stanchion.domain.outcome import Completed, Failed, Lost, Outcome, Released, Settlement, settle
from stanchion.domain.policy import PROFILES
from stanchion.domain.retry import RetryPolicy
from stanchion.engine.attempt import Running, bound
from stanchion.engine.batching import Batches
from stanchion.engine.board import Board
from stanchion.engine.context import Recorder
from stanchion.engine.gather import asks, filled
from stanchion.engine.together import Group, GroupAttempts
from stanchion.errors import PayloadError, StoreError
from stanchion.store import Want, WorkerInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stanchion.domain.job import Lease
    from stanchion.domain.kinds import Rule
    from stanchion.domain.policy import LeaseProfile
    from stanchion.engine.artifacts import Artifacts
    from stanchion.engine.cache import Levels
    from stanchion.engine.cells import Cells
    from stanchion.engine.hooks import Hooks
    from stanchion.engine.spec import Registry, TaskSpec
    from stanchion.store import Signal, Store

log = logging.getLogger("stanchion.worker")

POLL: Final = 2.0
"""Seconds between looks when no hint comes: the floor under lost wake-ups."""
PREFETCH: Final = 256
"""Leases taken ahead of free slots, only while attempts are shorter than `SHORT`."""
FEW: Final = 8
SHORT: Final = 0.050
SWEEP: Final = 0.25
"""Seconds between looks at the deadlines of what runs."""
_SMOOTHING: Final = 0.05
_PASSING: Final = (StoreError, OSError, RuntimeError)
"""What a store raises that may be over soon: its own errors, and the machine's when it has no file or thread left."""
_TROUBLE: Final = (0.1, 0.3, 1.0, 3.0)


def incarnation() -> str:
    """Return a name that no other worker process ever has."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"


def _tell_late(ended: Settlement) -> None:
    log.warning("attempt %d of job %s was refused as %s: its lease was lost", ended.attempt, ended.id, ended.outcome)


def _last_life(lease: Lease, spec: TaskSpec) -> bool:
    """Return whether one more death would set a job aside: it then runs in a process of its own, and dies alone."""
    budget = spec.policy.crash_budget if lease.crash_budget is None else lease.crash_budget
    return 0 < lease.crashes >= budget - 1


class Worker:
    """Runs jobs of the registered tasks until told to stop; belongs to one event loop.

    Args:
        queues: Names, or None for every queue.
        slots: How many attempts run at once.
        profile: Lease and beat; `beats` says whether this process beats for itself or a supervisor does.
        grace: Seconds that running attempts get after a stop.
        models: How many models stay loaded at once.
    """

    def __init__(  # noqa: PLR0913 - what one worker is made of
        self,
        store: Store,
        registry: Registry,
        hooks: Hooks,
        artifacts: Artifacts,
        *,
        queues: Sequence[str] | None = None,
        slots: int = 10,
        profile: LeaseProfile = PROFILES["default"],
        grace: float = 25.0,
        beats: bool = True,
        supervisor: str | None = None,
        rules: Sequence[Rule] = (),
        max_payload: int = 1_000_000,
        version: str = "",
        cells: Cells | None = None,
        capabilities: dict[str, int | str] | None = None,
        models: int = 1,
        resources: dict[str, int] | None = None,
    ) -> None:
        self._store, self._registry, self._slots = store, registry, slots
        self._profile, self._grace, self._beats = profile, grace, beats
        self._queues = None if queues is None else tuple(queues)
        self._tasks = registry.names
        self.info = WorkerInfo(
            incarnation(),
            socket.gethostname(),
            os.getpid(),
            slots,
            self._queues,
            tuple(sorted(registry.names)),
            supervisor,
            version,
            capabilities or {},
            resources or {},
        )
        self.id = 0
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="stanchion-task")
        self._warm = Warm(most=models)
        self._recorder = Recorder(store, artifacts, self._warm.use)
        self._attempts = GroupAttempts(self._recorder, hooks, self._threads, rules, max_payload=max_payload)
        self._batches = Batches(registry)
        self._mates = 0  # attempts that share the slot of another
        self._cells = cells
        if cells is not None:
            cells.heed(self._warm.use)
            cells.has = self.info.resources
        self._running: dict[tuple[int, int], Running] = {}
        self._ready: deque[Lease] = deque()
        self._outbox: list[Settlement] = []
        self._unsure: set[tuple[int, int]] = set()  # settled by a call whose reply was lost
        self._parks: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._check = asyncio.Event()
        self._hungry = True
        self._backlog = False
        self._alive = True
        self._claiming = True
        self._sweeping = False
        self._doubt = False
        self._board = Board(self.info.incarnation, slots)
        self._mean = SHORT
        self._completed: dict[tuple[int, int], bytes] = {}
        self.levels: Levels | None = None
        """Where results that this worker completes are also kept, once they are durable."""
        self.done = 0

    # --- the life of a worker ---------------------------------------------------------------------------------

    async def run(
        self, stop: asyncio.Event, *, burst: bool = False, started: Callable[[Worker], None] | None = None
    ) -> None:
        """Work until `stop` is set (or, in a burst, until nothing is left to claim); then drain within the grace."""
        self.id = await self._store.register(self.info, self._profile.lease)
        log.info(
            "worker %s started: %d slots, queues %s",
            self.info.incarnation,
            self._slots,
            self._queues or "all",
        )
        if started is not None:
            started(self)
        listening = self._store.subscribe(self._signalled, claims=True, watch=False)
        helpers = [asyncio.create_task(self._tend(), name="stanchion-tend")]
        stopping = asyncio.create_task(self._stop_on(stop))
        try:
            await self._intake(burst=burst)
            await self._drain()
        finally:
            listening()
            for helper in (*helpers, stopping):
                helper.cancel()
            await asyncio.gather(*helpers, stopping, return_exceptions=True)
            self._threads.shutdown(wait=False, cancel_futures=True)
            if self._cells is not None:
                await self._cells.close()
            if self._alive:
                left = await self._store.leave([self.id])
                await self._store.settle(
                    [settle(item.lease, Released("its worker stopped"), RetryPolicy()) for item in left]
                )
            self._board.close()
            log.info("worker %s stopped after %d attempts", self.info.incarnation, self.done)

    async def _stop_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._claiming = False
        self._wake.set()

    def _signalled(self, signal: Signal) -> None:
        if signal.kind == "cancel":
            self._check.set()
        else:
            self._hungry = self._batches.stale = True
            self._wake.set()

    # --- claiming and settling --------------------------------------------------------------------------------

    async def _intake(self, *, burst: bool) -> None:
        next_due: float | None = None
        trouble = 0
        while self._claiming:
            self._wake.clear()
            room = self._room() if self._hungry else 0
            if self._outbox or room or self._batches_call():
                try:
                    if self._doubt:
                        await self._reconcile()
                    next_due = await self._round(room)
                    trouble = 0
                except _PASSING as error:
                    log.warning("the store cannot be used now: %s", error)
                    await asyncio.sleep(_TROUBLE[min(trouble, len(_TROUBLE) - 1)] * random.uniform(0.5, 1))  # noqa: S311 - jitter
                    trouble += 1
                continue
            left = self._batches.left(self._store.now()) if self._batches.waiting else None
            if burst and self._idle() and next_due is None and left is None:
                return
            wait = POLL if next_due is None else min(POLL, next_due)
            if left is not None:
                wait = min(wait, left / 1000)
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                self._hungry = True
                next_due = None

    def _idle(self) -> bool:
        return not self._running and not self._ready and not self._outbox

    def _batches_call(self) -> bool:
        """Return whether a group that waits for more is to be looked at."""
        batches = self._batches
        return bool(batches.waiting) and (batches.stale or batches.left(self._store.now()) == 0)

    def _used(self) -> int:
        """How many slots are taken: a group takes one, also while it waits for more."""
        return len(self._running) - self._mates + len(self._batches.waiting)

    def _room(self) -> int:
        """How many leases to ask for: the free slots, and some ahead while attempts are short.

        An idle worker asks for a few first: a small claim is the quickest, and most often finds one job.
        """
        free = self._slots - self._used()
        ahead = PREFETCH if self._mean < SHORT and self.done else 0
        room = free + ahead - len(self._ready)
        if not self._backlog and not self._used() and not self._ready:
            return min(room, FEW)
        return room if free > 0 or room > ahead // 2 else 0

    async def _round(self, room: int) -> float | None:
        while self._parks:  # before the claim, so that it starts nothing of theirs
            key, delay = next(iter(self._parks.items()))
            await self._store.park(key, delay)
            self._parks.pop(key, None)
        if self._batches_call():
            await self._top_up()
        settled, self._outbox = self._outbox, []
        if not room:
            await self._conclude(settled, await self._settle_or_keep(settled))
            return None
        self._hungry = False
        want = Want(room, self._tasks, self._queues, self._warm.models, self._batches.want)
        try:
            answers, claimed = await self._store.claim(self.id, want, settled)
        except BaseException:
            self._keep(settled)
            self._hungry = self._doubt = True
            raise
        for lease in claimed.leases:
            if lease.model:
                self._warm.use(lease.model)
        self._ready.extend(self._batches.arrived(claimed) if self._batches else claimed.leases)
        self._backlog = (slots(claimed.leases) if self._batches else len(claimed.leases)) >= room
        self._hungry = self._hungry or self._backlog
        self._start_ready()
        await self._conclude(settled, answers)
        return None if claimed.next_due is None else claimed.next_due / 1000

    async def _top_up(self) -> None:
        """Let more jobs join the groups that wait, and start those that have waited long enough."""
        self._batches.stale = False
        for group in tuple(self._batches.waiting):
            now = self._store.now()
            want = Want(1, self._tasks, self._queues, join=group.joining(now))
            try:
                _, claimed = await self._store.claim(self.id, want)
            except BaseException:
                self._hungry = self._doubt = self._batches.stale = True
                raise
            if not self._batches.joined(group, claimed, now):
                self._ready.extendleft(reversed(group.leases))
        self._start_ready()

    async def _reconcile(self) -> None:
        """After a claim without an answer: give back what it may have leased, since nobody here knows of it."""
        known = {
            *self._running,
            *((one.ref, one.attempt) for one in (*self._ready, *self._outbox, *self._batches.leases())),
        }
        held = await self._store.held(self.id)
        await self._store.settle(
            [
                Settlement(item.ref, "", item.attempt, State.QUEUED, "released")
                for item in held
                if (item.ref, item.attempt) not in known
            ]
        )
        self._doubt = False

    async def _settle_or_keep(self, settled: list[Settlement]) -> list[bool]:
        try:
            return await self._store.settle(settled)
        except BaseException:
            self._keep(settled)
            raise

    def _keep(self, settled: list[Settlement]) -> None:
        """Settle these again: whether the call that had no answer did so is not known."""
        self._outbox = settled + self._outbox
        self._unsure.update((ended.ref, ended.attempt) for ended in settled)

    async def _conclude(self, settled: Sequence[Settlement], answers: Sequence[bool]) -> None:
        """Forget attempts that have ended; say which ended otherwise than they should have."""
        refused: list[Settlement] = []
        for ended, applied in zip(settled, answers, strict=True):
            key = (ended.ref, ended.attempt)
            self._board.end(*key)
            if self._completed:
                self._fill(key, applied=applied)
            if not applied:
                refused.append(ended)
            elif self._unsure:
                self._unsure.discard(key)
        for ended in refused:
            if (ended.ref, ended.attempt) in self._unsure:
                self._unsure.discard((ended.ref, ended.attempt))
                await self._explain(ended)
            else:
                _tell_late(ended)

    def _fill(self, key: tuple[int, int], *, applied: bool) -> None:
        """Let the nearer levels of the cache know a result that is durable now."""
        cached = self._completed.pop(key, None)
        if applied and cached is not None and self.levels is not None:
            self.levels.spawn_fill(cached)

    async def _explain(self, ended: Settlement) -> None:
        """Say so if a repeated settlement was refused for another reason than that the first was stored."""
        try:
            _, attempts = await self._store.history(ended.id)
        except _PASSING as error:
            log.warning(
                "attempt %d of job %s: whether it is stored as %s could not be read: %s",
                ended.attempt,
                ended.id,
                ended.outcome,
                error,
            )
            return
        found = {attempt.outcome for attempt in attempts if attempt.number == ended.attempt}
        if found & {ended.outcome, "cancelled"}:  # an asked cancel wins over every other ending
            log.info("attempt %d of job %s is stored; the first reply was lost", ended.attempt, ended.id)
        else:
            _tell_late(ended)

    def _start_ready(self) -> None:
        free = self._slots - self._used() if self._ready else 0
        if free <= 0:
            return
        loop = asyncio.get_running_loop()
        while self._ready and free > 0:
            free -= 1
            lease = self._ready.popleft()
            if lease.batch is not None and self._ready and self._ready[0].batch == lease.batch:
                self._start_group(lease)
                continue
            running = Running(lease)
            self._running[lease.ref, lease.attempt] = running
            running.task = loop.create_task(self._attempt(running))
        if not self._sweeping:
            self._sweeping = True
            loop.call_later(SWEEP, self._sweep)

    def _start_group(self, first: Lease) -> None:
        leases = [first]
        while self._ready and self._ready[0].batch == first.batch:
            leases.append(self._ready.popleft())
        group = Group(leases, self._batches.fit(first))
        for member in group.members:
            self._running[member.lease.ref, member.lease.attempt] = member
        self._mates += len(leases) - 1
        group.begin(asyncio.get_running_loop().create_task(self._attempt_together(group)))

    async def _attempt_together(self, group: Group) -> None:
        """Run the attempts of a group; one settlement follows for each."""
        leases = [member.lease for member in group.members]
        loop = asyncio.get_running_loop()
        began = loop.time()
        spec = self._registry.get(leases[0].task)
        outcomes: list[Outcome] = [Released("its worker stopped") for _ in leases]
        try:
            if self._cells is not None and spec.isolation == "process":
                outcomes = await self._cells.run_together(group, spec)
            else:
                for lease in leases:
                    self._board.begin(lease.ref, lease.attempt)
                outcomes = await self._attempts.run_together(group, spec)
        except asyncio.CancelledError:  # cancelled before its first step
            log.debug("%d attempts together were stopped", len(leases))
        except Exception as error:  # noqa: BLE001 - a defect; given back, the jobs would meet it again at once
            bound(leases[0]).exception("the attempts could not be run")
            info = ErrorInfo(Kind.INTERNAL, f"the attempt could not be run: {error}")
            outcomes = [Failed(info) for _ in leases]
        finally:
            self._mates -= len(leases) - 1
            self._batches.learn(leases[0], group.fitted)
            for member, outcome in zip(group.members, outcomes, strict=True):
                self._ended(member, spec, outcome)
            self._go_on(loop.time() - began)

    def _ended(self, running: Running, spec: TaskSpec, outcome: Outcome) -> None:
        """Forget an attempt, and settle it where it still has its lease."""
        lease = running.lease
        del self._running[lease.ref, lease.attempt]
        self.done += 1
        if running.lost:
            self._board.end(lease.ref, lease.attempt)
            bound(lease).warning("attempt abandoned: its lease was lost")
        else:
            self._end(lease, spec, outcome)

    def _go_on(self, took: float) -> None:
        """A slot is free: start what waits for one, and look for more."""
        self._mean += _SMOOTHING * (took - self._mean)
        self._hungry = True
        if self._claiming:
            self._start_ready()
        self._wake.set()

    def _sweep(self) -> None:
        """End attempts whose time is over."""
        now = time.monotonic()
        for running in list(self._running.values()):
            if running.deadline is not None and running.deadline <= now:
                running.expire()
        self._sweeping = bool(self._running)
        if self._sweeping:
            asyncio.get_running_loop().call_later(SWEEP, self._sweep)

    async def _attempt(self, running: Running) -> None:
        """Run one attempt; however it ends, one settlement follows."""
        lease = running.lease
        loop = asyncio.get_running_loop()
        began = loop.time()
        outcome: Outcome = Released("its worker stopped")
        spec = self._registry.get(lease.task)
        try:
            if asks(lease.args):
                running.lease = await filled(self._store, lease)
            if self._cells is not None and (spec.isolation == "process" or _last_life(lease, spec)):
                outcome = await self._cells.run(running, spec)
            else:
                self._board.begin(lease.ref, lease.attempt)
                outcome = await self._attempts.run(running, spec)
        except asyncio.CancelledError:  # cancelled before its first step
            outcome = Released("its worker stopped")
        except StoreError as error:  # nothing ran yet: the handler's own errors are outcomes
            bound(lease).warning("given back: what it depends on cannot be read: %s", error)
            outcome = Released("the results of its parents cannot be read")
        except PayloadError as error:
            outcome = Failed(classify(error))
        except Exception as error:  # noqa: BLE001 - a defect; given back, the job would meet it again at once
            bound(lease).exception("the attempt could not be run")
            outcome = Failed(ErrorInfo(Kind.INTERNAL, f"the attempt could not be run: {error}"))
        finally:
            if lease.batch is not None and isinstance(outcome, Completed):
                self._batches.learn(lease, ((1, True),))
            self._ended(running, spec, outcome)
            self._go_on(loop.time() - began)

    def _end(self, lease: Lease, spec: TaskSpec, outcome: Outcome) -> None:
        ended = settle(lease, outcome, spec.policy, chance=random.random())  # noqa: S311 - jitter
        self._outbox.append(ended)
        if self.levels is not None and spec.cache_ttl and isinstance(outcome, Completed):
            self._completed[ended.ref, ended.attempt] = spec.keys(lease.args, lease.tenant)[1]
        if ended.outcome == "parked":
            keys = [key for key, _ in spec.limits if key.startswith("provider:")]
            self._parks |= {key: max(ended.delay, self._parks.get(key, 0)) for key in keys}
        if isinstance(outcome, Lost):
            bound(lease).error("attempt ended with its process: %s", outcome.reason)
        if log.isEnabledFor(logging.DEBUG):
            bound(lease).debug("attempt ended: %s, job is now %s", ended.outcome, ended.state.value)

    # --- liveness and cancel ----------------------------------------------------------------------------------

    async def _tend(self) -> None:
        """Beat where nobody else does, and look for cancels and lost leases: on a hint, and at every beat."""
        every = self._profile.beat / 1000
        while True:
            try:
                async with asyncio.timeout(every):
                    await self._check.wait()
            except TimeoutError:
                pass
            self._check.clear()
            before = list(self._running.values())
            try:
                if self._beats:
                    (answer,) = await self._store.beat([self.id], self._profile.lease)
                    if not answer.alive:
                        self._declared_lost()
                        return
                    held = answer.held
                elif before:
                    held = await self._store.held(self.id)
                else:
                    continue
            except _PASSING as error:
                log.warning("liveness could not be checked: %s", error)
                continue
            self._compare(before, {(item.ref, item.attempt): item.cancel_requested for item in held})

    def _compare(self, before: Sequence[Running], held: dict[tuple[int, int], bool]) -> None:
        for running in before:
            key = (running.lease.ref, running.lease.attempt)
            if key not in self._running:
                continue
            if key not in held:
                running.lose()
            elif held[key]:
                running.ask_cancel()

    def _declared_lost(self) -> None:
        log.error("worker %s was declared lost; its attempts are abandoned", self.info.incarnation)
        self._alive = self._claiming = False
        self._ready.clear()
        self._batches.waiting.clear()
        for running in list(self._running.values()):
            running.lose()
        self._wake.set()

    async def _drain(self) -> None:
        """Claim no more; let what runs end within the grace; give the rest back unspent."""
        for lease in (*self._ready, *self._batches.leases()):
            self._outbox.append(settle(lease, Released("its worker stops"), RetryPolicy()))
        self._ready.clear()
        self._batches.waiting.clear()
        if self._alive:
            await self._try_settle(draining=True)
        if self._running:
            log.info("stopping: %d attempts have %g s to end", len(self._running), self._grace)
            tasks = [running.task for running in self._running.values() if running.task is not None]
            deadline = asyncio.get_running_loop().time() + self._grace
            while tasks and asyncio.get_running_loop().time() < deadline:
                left = deadline - asyncio.get_running_loop().time()
                _, pending = await asyncio.wait(tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                tasks = list(pending)
                if self._alive:
                    await self._try_settle()
            for running in list(self._running.values()):
                bound(running.lease).info("given back: the worker stops")
                running.release()
            if tasks:
                await asyncio.wait(tasks, timeout=2.0)
            for running in list(self._running.values()):  # blocked for good: give it back without its consent
                self._outbox.append(settle(running.lease, Released("its worker stops"), RetryPolicy()))
        await self._recorder.flush()
        if self._alive:
            await self._try_settle()

    async def _try_settle(self, *, draining: bool = False) -> None:
        try:
            if draining:
                await self._store.drain_worker(self.id)
            if self._outbox:
                settled, self._outbox = self._outbox, []
                await self._conclude(settled, await self._settle_or_keep(settled))
        except _PASSING as error:
            log.warning("the store cannot be used now; leases will expire: %s", error)
