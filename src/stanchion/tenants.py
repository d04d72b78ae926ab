"""Tenants as an operator holds them: their share of each queue, and how urgent their jobs may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain.fairness import MAX_WEIGHT
from stanchion.domain.policy import TenantPolicy
from stanchion.domain.priority import priority
from stanchion.domain.units import whole
from stanchion.errors import UsageError

if TYPE_CHECKING:
    from stanchion.store import Store

MAX_NAME = 200


class Tenants:
    """The tenants of a store; one without a policy has weight 1 and may ask for any priority."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def list(self) -> list[TenantPolicy]:
        """Return the tenants that have a policy, by name."""
        return await self._store.tenants()

    async def set(self, name: str, *, weight: int | None = None, top_priority: int | str | None = None) -> TenantPolicy:
        """Change a tenant's policy; what is None stays as it is. It counts from the next start and the next request.

        Args:
            name: The tenant, 1 to 200 printable characters.
            weight: Its share against other tenants that wait in the same queue and priority, 1 to 1,000.
            top_priority: The most urgent priority that its jobs get, 0 to 9 or a name; 0 is no bound.

        Raises:
            UsageError: A value cannot be used; nothing was changed.
        """
        if not 0 < len(name) <= MAX_NAME or not name.isprintable():
            message = f"{name!r} is not the name of a tenant: it must be 1 to {MAX_NAME} printable characters."
            raise UsageError(message, remedy="Use the name that its jobs carry.")
        if weight is not None and not whole(weight, 1, MAX_WEIGHT):
            message = f"{weight!r} is not a weight: it must be 1 to {MAX_WEIGHT:,}."
            raise UsageError(message, remedy="Weights are relative: 4 gets twice what 2 gets.")
        known = {policy.name: policy for policy in await self._store.tenants()}
        policy = known.get(name, TenantPolicy(name))
        if weight is not None:
            policy = policy._replace(weight=weight)
        if top_priority is not None:
            try:
                policy = policy._replace(top_priority=priority(top_priority))
            except ValueError as error:
                message = f"{top_priority!r} is not a priority: {error}."
                raise UsageError(message, remedy="Use 0 (most urgent) to 9, or a name such as 'normal'.") from error
        await self._store.configure_tenant(policy)
        return policy
