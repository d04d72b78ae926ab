"""Cells: processes that run one attempt at a time, so that a handler can be killed alone.

A cell has no store. What its handler reports goes over a pipe to the worker, which writes it under the fence.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from typing import TYPE_CHECKING, Any, Final, cast

from stanchion.domain.dependency import Parent, Policy
from stanchion.domain.job import Lease, State
from stanchion.domain.kinds import ErrorInfo, Kind
from stanchion.domain.outcome import Cancelled, Completed, Failed, Lost, Outcome, Released, Snoozed
from stanchion.domain.resources import Hold, visible
from stanchion.engine import frames
from stanchion.engine.attempt import StarvedError, bound, starved
from stanchion.engine.context import Recorder
from stanchion.errors import StanchionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stanchion.engine.attempt import Running
    from stanchion.engine.spec import TaskSpec
    from stanchion.engine.together import Group
    from stanchion.store import Store

log = logging.getLogger("stanchion.worker")

SOFT_CANCEL: Final = 5.0
"""Seconds between asking a handler to stop and killing its process."""
SEES: Final = "CUDA_VISIBLE_DEVICES"
_KINDS: Final[dict[str, type[Any]]] = {
    kind.__name__: kind for kind in (Completed, Failed, Lost, Released, Snoozed, Cancelled)
}


def outcome_to_wire(outcome: Outcome) -> list[Any]:
    """Return an outcome as plain values."""
    return [type(outcome).__name__, *outcome]


def outcome_from_wire(values: list[Any]) -> Outcome:
    """Return the outcome of plain values."""
    kind, fields = values[0], values[1:]
    if kind == "Failed":
        name, *rest = fields[0]
        return Failed(ErrorInfo(Kind(name), *rest))
    return cast("Outcome", _KINDS[kind](*fields))


class Cell:
    """One process; idle, or running one attempt. What it sees of GPUs is fixed when it starts, as CUDA wants it."""

    def __init__(self, process: asyncio.subprocess.Process, sees: str | None = None) -> None:
        self.process, self.sees = process, sees

    @property
    def alive(self) -> bool:
        """Whether it can take another attempt."""
        return self.process.returncode is None

    async def send(self, message: object) -> None:
        """Write a message; a dead cell is noticed by its reader."""
        if self.process.stdin is not None:
            with contextlib.suppress(ConnectionError):
                self.process.stdin.write(frames.packed(message))
                await self.process.stdin.drain()

    async def receive(self) -> Any:  # noqa: ANN401 - the receiver checks
        """Return its next message, or raise `EOFError`."""
        if self.process.stdout is None:
            raise EOFError
        return await frames.read(self.process.stdout)

    def kill(self) -> None:
        """End it now."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()


class Cells:
    """The cells of a worker: started when first needed, kept while they are well."""

    def __init__(self, command: Sequence[str], recorder: Recorder) -> None:
        self._command, self._recorder = tuple(command), recorder
        self._idle: list[Cell] = []
        self._all: set[Cell] = set()
        self.has: Mapping[str, int] = {}
        """What the worker advertises of resources."""

    def heed(self, warm: Callable[[str], None]) -> None:
        """Let this be told which models handlers in cells have loaded."""
        self._recorder.warm = warm

    async def _cell(self, lease: Lease) -> Cell:
        """Return an idle cell that sees the devices of an attempt and no others, or a new one in place of another."""
        sees = visible(lease.devices, self.has)
        for cell in reversed(self._idle):
            if cell.sees == sees:
                self._idle.remove(cell)
                return cell
        for other in self._idle[:1]:
            self._idle.remove(other)
            other.kill()
            await other.process.wait()
            self._all.discard(other)
        return await self._start(sees)

    async def _start(self, sees: str | None) -> Cell:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                str(os.getpid()),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=frames.MAX_FRAME,
                env=None if sees is None else {**os.environ, SEES: sees},
            )
        except (OSError, RuntimeError) as error:  # no descriptor or process left; no thread to watch it
            message = f"no process could be started for it: {error}"
            raise StarvedError(message) from error
        cell = Cell(process, sees)
        self._all.add(cell)
        return cell

    async def run(self, running: Running, spec: TaskSpec) -> Outcome:
        """Run an attempt in a cell; its timeout and its cancel end with a kill where the handler does not obey."""
        lease = running.lease
        if running.asked:
            return Cancelled("cancelled before it started")
        try:
            cell = await self._cell(lease)
        except StarvedError as error:
            return starved(lease, error)
        timeout = lease.timeout if lease.timeout is not None else spec.timeout
        limit = asyncio.timeout(None if not timeout else timeout / 1000)
        conversation = asyncio.ensure_future(self._alone(cell, running))
        try:
            async with limit:
                outcome = await asyncio.shield(conversation)
        except TimeoutError:
            await self._end(cell, conversation)
            return Failed(
                ErrorInfo(Kind.TIMEOUT, f"ran longer than its timeout of {(timeout or 0) / 1000:g} s; killed")
            )
        except asyncio.CancelledError:
            return await self._stopped(cell, conversation, running)
        if cell.alive and not isinstance(outcome, Lost):
            self._idle.append(cell)
        return outcome

    async def run_together(self, group: Group, spec: TaskSpec) -> list[Outcome]:
        """Run the attempts of a group in one cell; the answers are in the order of its members."""
        members = group.members
        try:
            cell = await self._cell(members[0].lease)
        except StarvedError as error:
            return [starved(member.lease, error) for member in members]
        timeout = group.timeout(spec)
        tasks: set[asyncio.Task[None]] = set()

        def tell(member: Running) -> None:
            task = asyncio.ensure_future(cell.send(["cancel", member.lease.ref]))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        group.tell = tell
        conversation = asyncio.ensure_future(self._group(cell, group))
        try:
            async with asyncio.timeout(timeout / 1000 if timeout else None):
                ends = await asyncio.shield(conversation)
        except TimeoutError:
            await self._end(cell, conversation)
            info = ErrorInfo(Kind.TIMEOUT, f"ran longer than its timeout of {timeout / 1000:g} s; killed")
            return [Failed(info) for _ in members]
        except asyncio.CancelledError:
            await self._softly(cell, conversation, members[0])
            return [Cancelled() if member.asked else Released("its worker stops") for member in members]
        finally:
            group.tell = None
        if cell.alive and not isinstance(ends[0], Lost):
            self._idle.append(cell)
        return ends

    async def _stopped(self, cell: Cell, conversation: asyncio.Future[Outcome], running: Running) -> Outcome:
        """Ask softly, then kill."""
        await self._softly(cell, conversation, running)
        if running.asked:
            return Cancelled()
        return Released("its worker stops")

    async def _softly(self, cell: Cell, conversation: asyncio.Future[Any], running: Running) -> None:
        await cell.send(["cancel"])
        done, _ = await asyncio.wait([conversation], timeout=SOFT_CANCEL if not running.lost else 0.1)
        if done and Lost not in {type(end) for end in _each(conversation.result())}:
            self._idle.append(cell)
        else:
            bound(running.lease).warning("the handler did not stop when asked; its process is killed")
            await self._end(cell, conversation)

    async def _end(self, cell: Cell, conversation: asyncio.Future[Any]) -> None:
        cell.kill()
        await conversation
        await cell.process.wait()
        self._all.discard(cell)

    async def _alone(self, cell: Cell, running: Running) -> Outcome:
        await cell.send(["run", list(running.lease)])
        end = await self._converse(cell, {running.lease.ref: running.lease})
        return end if isinstance(end, Lost) else outcome_from_wire(end[0])

    async def _group(self, cell: Cell, group: Group) -> list[Outcome]:
        leases = [member.lease for member in group.members]
        await cell.send(["group", [list(lease) for lease in leases], group.size])
        end = await self._converse(cell, {lease.ref: lease for lease in leases})
        if isinstance(end, Lost):
            return [end for _ in leases]
        group.fitted = [(size, well) for size, well in end[1]]
        return [outcome_from_wire(values) for values in end[0]]

    async def _converse(  # noqa: C901 - one case for each thing that a cell asks
        self, cell: Cell, leases: dict[int, Lease]
    ) -> list[Any] | Lost:
        """Do what the cell asks for the jobs that run there, and return its last message."""
        store = self._recorder.store
        try:
            while True:
                message = await cell.receive()
                match message[0]:
                    case "note":
                        lease = leases[message[3]]
                        note = frames.note_from_wire(message[2])
                        applied = await self._recorder.write(lease.ref, lease.attempt, note)
                        await cell.send(["answer", message[1], applied])
                    case "steps":
                        await cell.send(["answer", message[1], await store.steps(leases[message[2]].ref)])
                    case "parents":
                        parents = await store.parents(leases[message[2]].ref)
                        await cell.send(["answer", message[1], [list(parent) for parent in parents]])
                    case "warm":
                        self._recorder.warm(str(message[1]))
                    case "release":
                        lease = leases[message[2]]
                        released = await store.release(lease.ref, lease.attempt, str(message[3]))
                        await cell.send(["answer", message[1], released])
                    case "park":
                        until = await store.park(str(message[2]), int(message[3]))
                        await cell.send(["answer", message[1], until])
                    case _:
                        return message[1:]
        except KeyError:
            cell.kill()
            return Lost("it wrote for a job that does not run there")
        except EOFError:
            code = await cell.process.wait()
            self._all.discard(cell)
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            return Lost(f"its process ended ({how})")
        except StanchionError as error:
            cell.kill()
            return Lost(f"its notes could not be stored: {error.message}")

    async def close(self) -> None:
        """End all cells."""
        for cell in self._all:
            cell.kill()
        for cell in self._all:
            await cell.process.wait()
        self._all.clear()
        self._idle.clear()


def _each(ends: Outcome | list[Outcome]) -> list[Outcome]:
    return ends if isinstance(ends, list) else [ends]


class RemoteStore:
    """The few things that a handler in a cell needs of the store, asked over the pipe."""

    def __init__(self, write: Any) -> None:  # noqa: ANN401 - a raw pipe
        self._write = write
        self._asked = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def _ask(self, *message: object) -> Any:  # noqa: ANN401 - the caller knows what it asked
        self._asked += 1
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[self._asked] = future
        self.send([message[0], self._asked, *message[1:]])
        return await future

    def send(self, message: object) -> None:
        """Write a message to the worker."""
        data = frames.packed(message)
        while data:
            data = data[self._write.write(data) :]

    def answered(self, number: int, value: object) -> None:
        """Wake who asked."""
        future = self._waiting.pop(number)
        if not future.done():
            future.set_result(value)

    async def note(self, batch: Sequence[Any]) -> list[bool]:
        """See `Store.note`."""
        return [await self._ask("note", frames.note_to_wire(noted.note), noted.ref) for noted in batch]

    async def steps(self, ref: int) -> dict[str, bytes]:
        """See `Store.steps`."""
        return await self._ask("steps", ref)

    async def parents(self, ref: int) -> tuple[Parent, ...]:
        """See `Store.parents`."""
        return tuple(
            Parent(job_id, task, State(state), Policy(policy), result, error and ErrorInfo(Kind(error[0]), *error[1:]))
            for job_id, task, state, policy, result, error in await self._ask("parents", ref)
        )

    def warm(self, model: str) -> None:
        """Tell the worker which model is loaded."""
        self.send(["warm", model])

    async def park(self, key: str, delay: int) -> int:
        """See `Store.park`."""
        return await self._ask("park", key, delay)

    async def release(self, ref: int, attempt: int, name: str) -> bool:  # noqa: ARG002 - likewise
        """See `Store.release`."""
        return await self._ask("release", ref, name)


def recorder_for(remote: RemoteStore, artifacts: Any) -> Recorder:  # noqa: ANN401 - as Recorder takes it
    """Return a recorder that writes over the pipe."""
    return Recorder(cast("Store", remote), artifacts, remote.warm)


def lease_from_wire(values: list[Any]) -> Lease:
    """Return the lease of plain values."""
    lease = Lease(*values)
    return lease._replace(tags=tuple(lease.tags), devices=tuple(Hold(*hold) for hold in lease.devices))
