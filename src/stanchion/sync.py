"""Blocking callers: one event loop in a thread of its own, and the same names."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from stanchion.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


class Portal:
    """An event loop in a thread, for callers that block."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="stanchion-portal", daemon=True)
                self._thread.start()
            return self._loop

    @property
    def started(self) -> bool:
        """Whether the loop runs."""
        return self._loop is not None

    def call(self, call: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the portal's loop and return its result.

        Raises:
            UsageError: The caller is in an event loop, which this would block.
        """
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop()
            call.close()
            message = "A blocking call was made inside an event loop."
            raise UsageError(message, remedy="Await the method of the same name without `.sync`.")
        return asyncio.run_coroutine_threadsafe(call, self._running()).result()

    def stop(self) -> None:
        """Stop the loop; idempotent."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()
