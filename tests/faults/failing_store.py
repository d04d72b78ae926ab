"""A store whose n-th call fails: before it happened, or after, so that only its answer is lost."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from stanchion.errors import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from stanchion.store import Store


class FailingStore:
    """Wraps a store; everything that awaits is counted."""

    def __init__(self, store: Store, *, nth: int, when: str) -> None:
        self._store, self._nth, self._when = store, nth, when
        self.calls: list[str] = []
        self.failed: str | None = None

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name in {"open", "close"} or not inspect.iscoroutinefunction(found):
            return found
        return self._counted(name, found)

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        async def counted(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) != self._nth:
                return await call(*args, **kwargs)
            self.failed = name
            if self._when == "after":
                await call(*args, **kwargs)
            message = f"call {self._nth} ({name}) failed {self._when} it happened"
            raise StoreUnavailableError(message)

        return counted
