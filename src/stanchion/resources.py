"""The shared resources of an app: set, dropped and listed while jobs run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain.resources import capacity as checked
from stanchion.domain.resources import shared_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from stanchion.domain.resources import Resource
    from stanchion.store import Store


class Resources:
    """What jobs hold while they run: shared by all workers where it is set here, else what workers advertise."""

    def __init__(self, store: Callable[[], Awaitable[Store]]) -> None:
        self._store = store

    async def set(self, name: str, capacity: int) -> None:
        """Share a resource between all workers; counts at once, and stops nothing that runs.

        What workers advertise of the name counts no more while it is set.

        Args:
            name: Such as `pixellab-slots`; no device.
            capacity: How much there is; 0 holds all who ask for it.

        Raises:
            UsageError: The name or the number cannot be used.
        """
        await (await self._store()).set_resource(shared_name(name), checked(name, capacity))

    async def drop(self, name: str) -> bool:
        """Share a resource no more; False where it was not. Then it is what workers advertise of it."""
        return await (await self._store()).drop_resource(name)

    async def list(self) -> list[Resource]:
        """Return the resources that there are, that are held or waited for, by name."""
        return await (await self._store()).resources()
