"""Group commit on the caller's side: concurrent calls become batches, a lone call goes at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

T = TypeVar("T")
R = TypeVar("R")

MAX_BATCH: Final = 1000


class Batcher(Generic[T, R]):
    """Sends items in batches: while one is in flight, the next gathers. There is no timer.

    Belongs to one event loop. Each caller gets the answer to its own item.
    """

    def __init__(self, send: Callable[[Sequence[T]], Awaitable[Sequence[R]]], *, max_batch: int = MAX_BATCH) -> None:
        self._send, self._max = send, max_batch
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._task: asyncio.Task[None] | None = None
        self._alone: asyncio.Future[None] | None = None
        self._asked = 0
        self._lone = 0

    def lone(self) -> bool:
        """Return whether the running task asks again and again by itself, so that `alone` is the shorter way."""
        caller = id(asyncio.current_task())  # at worst a new task is taken for an old one and sends alone once
        if caller == self._lone and self._task is None and self._alone is None:
            return True
        self._asked = caller
        return False

    async def alone(self, item: T) -> R:
        """Send one item at once, without the round through the event loop in which those of several tasks gather."""
        alone = self._alone = asyncio.get_running_loop().create_future()
        try:
            return (await self._send([item]))[0]
        finally:
            self._alone = None
            alone.set_result(None)
            if self._waiting:
                self._lone = 0
                self._start()

    def put(self, item: T) -> asyncio.Future[R]:
        """Return the future answer to an item; the item is on its way."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None and self._alone is None:
            self._start()
        return future

    def _start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._max], self._waiting[self._max :]
                self._lone = self._asked if len(batch) == 1 else 0
                try:
                    answers = await self._send([item for item, _ in batch])
                except Exception as error:  # noqa: BLE001 - carried to the callers
                    for _, future in batch:
                        if not future.done():
                            future.set_exception(error)
                else:
                    for (_, future), answer in zip(batch, answers, strict=True):
                        if not future.done():
                            future.set_result(answer)
        finally:
            self._task = None

    async def flush(self) -> None:
        """Wait until nothing is on its way."""
        while (flight := self._task or self._alone) is not None:
            await asyncio.wait([flight])
