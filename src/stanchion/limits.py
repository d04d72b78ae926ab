"""The limits of an app: set, dropped, listed and parked while jobs run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain.intake import REFUSE_AT, WARN_AT
from stanchion.domain.limits import USER_RUNNING, Limit, LimitState, checked, named, pause
from stanchion.engine.submit import Duration, span

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from stanchion.store import Store


class Limits:
    """What may run at once, and what may start per period, for keys such as `tenant:acme` or `provider:x`."""

    def __init__(self, store: Callable[[], Awaitable[Store]]) -> None:
        self._store = store

    async def set(  # noqa: PLR0913 - the parts of a limit
        self,
        key: str,
        *,
        running: int | None = None,
        starts: int | None = None,
        per: Duration = 1.0,
        burst: int = 1,
        refuse: int | None = None,
        warn: int | None = None,
    ) -> Limit:
        """Set the limit of a key, in place of the one it had; counts at once, and stops nothing that runs.

        Args:
            key: `queue:NAME`, `tenant:NAME`, `user:TENANT/USER`, `task:NAME`, or a name of your own with its kind
                (`provider:NAME`); `tenant:*`, `user:*` and `queue:*` hold for each that has no limit of its own.
            running: At most so many at once (the sum of their weights).
            starts: At most so many started in each period.
            per: The period: seconds, a text such as `"1m"`, or a `timedelta`.
            burst: How many of them may start at one instant.
            refuse: Of a queue, tenant or user at most so many wait and run together; more are refused.
            warn: From so many on those who enqueue are warned.

        Raises:
            UsageError: The key or a number cannot be used.
        """
        if key == "user:*" and (running, starts, refuse, warn) == (None, None, None, None):
            running = USER_RUNNING
        limit = checked(Limit(key, running, starts, span(per), burst, refuse, warn))
        await (await self._store()).configure_limit(limit)
        return limit

    async def overflow(self, key: str, *, warn_at: int | None = WARN_AT, refuse_at: int | None = REFUSE_AT) -> Limit:
        """Bound how many jobs of a queue, tenant or user wait and run; what else its limit says stays.

        Args:
            key: `queue:NAME`, `tenant:NAME` or `user:TENANT/USER`, or `*` as the name, for each without its own limit.
            warn_at: From so many on those who enqueue are warned; None: nobody is.
            refuse_at: So many may be there; None: any number.

        Raises:
            UsageError: The key or a number cannot be used.
        """
        store = await self._store()
        known = {state.key: state.limit for state in await store.limits()}
        limit = checked((known.get(key) or Limit(key))._replace(warn=warn_at, refuse=refuse_at))
        await store.configure_limit(limit)
        return limit

    async def drop(self, key: str) -> bool:
        """Remove the limit of a key; False where it had none."""
        return await (await self._store()).drop_limit(key)

    async def list(self) -> list[LimitState]:
        """Return the keys that have a limit, are in use, waited for or parked, by key."""
        return await (await self._store()).limits()

    async def park(self, key: str, delay: Duration) -> int:
        """Let nothing of a key start for so long; 0 ends a park. Return until when, in ms since the epoch.

        Raises:
            UsageError: The key or the time cannot be used.
        """
        return await (await self._store()).park(named(key), pause(span(delay)))
