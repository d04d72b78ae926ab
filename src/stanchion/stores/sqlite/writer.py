"""The one writer of a process: operations that wait together share a transaction and its fsync.

An operation is a function of a `Tx`. While one transaction is in flight, further operations gather and go down
together. A lone small operation on a fast disk runs on the caller's thread: a hop to another thread and back
costs more there than the commit. Each caller gets its own answer, and gets it only when durable.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import threading
import time
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar, cast

import apsw

from stanchion.errors import DiskFullError, ForkedConnectionError, StoreError, StoreUnavailableError
from stanchion.stores.sqlite import join_statements as joining
from stanchion.stores.sqlite import joins
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.connection import connect, disconnect, translate
from stanchion.stores.sqlite.fetch import only
from stanchion.stores.sqlite.tally import Tally
from stanchion.stores.sqlite.wal import Log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from stanchion.domain.units import Instant
    from stanchion.stores.sqlite.fetch import Connection
    from stanchion.stores.sqlite.signals import Sender
    from stanchion.stores.sqlite.turnstile import Turnstile

T = TypeVar("T")

INLINE_SECONDS: Final = 0.002
"""A commit that has lately been faster than this may run on the event loop's thread."""
_SMOOTHING: Final = 0.1
_ROUND: Final = 64
"""At most so many operations share one transaction, so that none waits for an endless one."""


class Mark(NamedTuple):
    """Where what may be undone began: the last numbers, the hints, and who had ended with children to be told of it."""

    seq: int
    event: int
    output: int
    mask: int
    ended: tuple[tuple[int, int], ...]


class Tx(Tally):
    """One write transaction: its connection, its instant, and what it will owe at the end."""

    __slots__ = ("_live", "deleted", "ended", "event", "learned", "live", "mask", "now", "output", "rules", "seq")

    def __init__(self, db: Connection, now: Instant) -> None:
        super().__init__(db)
        self.now = now
        self.seq, self.event, self.output, self.live, self.rules, self.learned = cast(
            "tuple[int, int, int, int, int, int]", only(db, sql.COUNTERS)
        )
        self._live = self.live
        self.deleted = False
        self.ended: list[tuple[int, int]] = []
        """Jobs that ended (number and state) and whose children are not told yet."""
        self.mask = 0

    def mark(self) -> Mark:
        """Begin what may be undone alone, and return where it began."""
        self.flush_lanes()
        self.db.execute(joining.SAVEPOINT)
        return Mark(self.seq, self.event, self.output, self.mask, tuple(self.ended))

    def keep(self) -> None:
        """Keep what was done since the mark."""
        self.db.execute(joining.RELEASE)

    def undo(self, mark: Mark) -> None:
        """Undo what was done since the mark; what operations before it owe is owed still."""
        self.db.execute(joining.ROLL_BACK)
        self.db.execute(joining.RELEASE)
        self.seq, self.event, self.output, self.mask, ended = mark
        self.ended = list(ended)
        self.forget()

    def finish(self) -> None:
        """Write what is owed, once for all operations of the transaction."""
        if self.ended:
            joins.resolve(self)
        self.flush_lanes()
        if self.deleted or self.live != self._live:  # otherwise the rows themselves tell how far the numbers are
            self.db.execute(sql.COUNTERS_MOVED, (self.seq, self.event, self.output, self.live))


class _Waiting(NamedTuple, Generic[T]):
    operation: Callable[[Tx], T]
    future: asyncio.Future[T]
    loop: asyncio.AbstractEventLoop
    needs_room: bool


class Writer:
    """Runs operations against the file, in the order of their arrival."""

    def __init__(  # noqa: PLR0913 - what one writer is made of
        self,
        path: Path,
        *,
        synchronous: str,
        clock: Callable[[], Instant],
        turnstile: Turnstile,
        sender: Sender,
        forget: Callable[[], None],
        vfs: str | None = None,
    ) -> None:
        self.path, self._synchronous, self._vfs = path, synchronous, vfs
        self._clock, self._turnstile, self._sender, self._forget = clock, turnstile, sender, forget
        self._log: Log | None = None
        self.db = self._connected()
        self._ballast = path.with_name(path.name + "-ballast")
        self._queue: queue.SimpleQueue[_Waiting[object] | None] = queue.SimpleQueue()
        self._mutex = threading.Lock()
        self._speed = 0.0
        self._pid = os.getpid()
        self._closed = False
        self._broken = False
        self._kept = 0
        self.commits = 0
        self._thread = threading.Thread(target=self._run, name="stanchion-writer", daemon=True)
        self._thread.start()

    async def run(self, operation: Callable[[Tx], T], *, small: bool = False, needs_room: bool = True) -> T:
        """Return an operation's answer once it is durable.

        Args:
            operation: A function of the transaction; it may run again after a rollback.
            small: It takes well below a millisecond, so it may run on this thread.
            needs_room: On a full disk it is refused; otherwise the ballast is given up for it.
        """
        if self._pid != os.getpid():
            raise ForkedConnectionError(self._pid, os.getpid())
        if self._closed:
            message = "The store is closed."
            raise StoreUnavailableError(message, remedy="Open the app again (`async with app:`) before using it.")
        if small and self._queue.empty() and self._speed < INLINE_SECONDS and self._mutex.acquire(blocking=False):
            try:
                if self._turnstile.try_enter():
                    try:
                        return self._alone(operation, needs_room=needs_room)
                    finally:
                        self._turnstile.leave()
            finally:
                self._mutex.release()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._queue.put(cast("_Waiting[object]", _Waiting(operation, future, loop, needs_room)))
        return await future

    def close(self) -> None:
        """Finish what waits, then close the file; idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._pid == os.getpid():
            self._queue.put(None)
            self._thread.join()
            disconnect(self.path, self.db)

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            batch = [first]
            stop = False
            try:
                while len(batch) < _ROUND:
                    item = self._queue.get_nowait()
                    if item is None:
                        stop = True
                        break
                    batch.append(item)
            except queue.Empty:
                pass
            with self._mutex:
                self._turnstile.enter()
                try:
                    answers = self._together(batch)
                finally:
                    self._turnstile.leave()
            self._answer(batch, answers)
            if stop:
                return

    def _answer(self, batch: Sequence[_Waiting[object]], answers: Sequence[object]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[object], object]]] = {}
        for waiting, answer in zip(batch, answers, strict=True):
            by_loop.setdefault(waiting.loop, []).append((waiting.future, answer))
        for loop, pairs in by_loop.items():
            with contextlib.suppress(RuntimeError):  # a loop that was closed has nobody waiting
                loop.call_soon_threadsafe(_resolve, pairs)

    def _together(self, batch: Sequence[_Waiting[object]]) -> list[object]:
        """Run a batch in one transaction; if anything fails, each alone, so that nobody pays for another."""
        if len(batch) > 1:
            try:
                return self._transaction([waiting.operation for waiting in batch])
            except Exception as error:  # noqa: BLE001 - each is run again alone, and then raises to its own caller
                self._recover(reopen=isinstance(error, apsw.IOError))
        answers: list[object] = []
        for waiting in batch:
            try:
                answers.append(self._alone(waiting.operation, needs_room=waiting.needs_room))
            except Exception as error:  # noqa: BLE001 - carried to its caller
                answers.append(_Raised(error))
        return answers

    def _alone(self, operation: Callable[[Tx], T], *, needs_room: bool) -> T:
        if needs_room and not self._has_ballast():
            message = "The disk is full: what is left of it is kept for running jobs."
            raise DiskFullError(message)
        try:
            return self._tried(operation)
        except DiskFullError:
            if needs_room or not self._drop_ballast():
                raise
            return self._tried(operation)

    def _tried(self, operation: Callable[[Tx], T]) -> T:
        """Run one operation in a transaction of its own; a failure leaves none open and is raised as ours."""
        try:
            return self._transaction([operation])[0]
        except apsw.Error as error:
            self._recover(reopen=isinstance(error, apsw.IOError))
            raise translate(error, self.path) from error
        except BaseException:
            self._recover()
            raise

    def _transaction(self, operations: Sequence[Callable[[Tx], T]]) -> list[T]:
        began = time.perf_counter()
        if self._broken:
            self._reopen()
        db = self.db
        db.execute("BEGIN IMMEDIATE")
        if self._log is not None:
            self._log.make_room()
        tx = Tx(db, self._clock())
        answers = [operation(tx) for operation in operations]
        tx.finish()
        db.execute("COMMIT")
        self.commits += 1
        self._speed += _SMOOTHING * (time.perf_counter() - began - self._speed)
        if tx.mask:
            self._sender.send(tx.mask)
        return answers

    def _recover(self, *, reopen: bool = False) -> None:
        """Leave no transaction open, and trust no cache; after an I/O error trust no connection either.

        Never raises: a connection that is not to be had now is made by the next transaction.
        """
        self._forget()
        try:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
        except apsw.Error:
            reopen = True
        if reopen:
            self._broken = True
            with contextlib.suppress(StoreError):
                self._reopen()

    def _reopen(self) -> None:
        disconnect(self.path, self.db)
        self.db = self._connected()
        self._broken = False

    def _connected(self) -> Connection:
        db = connect(self.path, synchronous=self._synchronous, vfs=self._vfs)
        if self._vfs is None:
            self._log = Log(self.path, int(cast("int", db.pragma("page_size"))))
            db.set_wal_hook(self._log.committed)
        return db

    def make_ballast(self, size: int) -> bool:
        """Keep a file of that size beside the database, to be given up when the disk is full."""
        try:
            if self._ballast.exists() and self._ballast.stat().st_size == size:
                self._kept = size
                return True
            descriptor = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, size)
            finally:
                os.close(descriptor)
        except OSError:  # no room for it: the store works, but cannot drain a full disk
            self._ballast.unlink(missing_ok=True)
            return False
        self._kept = size
        return True

    def _has_ballast(self) -> bool:
        """Return whether the ballast is still there, or could be made anew; without it nothing new is taken in."""
        return not self._kept or self._ballast.exists() or self.make_ballast(self._kept)

    def _drop_ballast(self) -> bool:
        if not self._ballast.exists():
            return False
        self._ballast.unlink(missing_ok=True)
        return True


class _Raised(NamedTuple):
    error: Exception


def _resolve(pairs: Sequence[tuple[asyncio.Future[object], object]]) -> None:
    for future, answer in pairs:
        if future.done():  # its caller was cancelled; the write stands
            continue
        if isinstance(answer, _Raised):
            future.set_exception(answer.error)
        else:
            future.set_result(answer)
