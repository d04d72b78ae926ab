"""`stanchion tenants`: list, set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cyclopts import App

from stanchion.cli import exits, render
from stanchion.cli.reach import HERE, Where, opened
from stanchion.domain.fairness import MAX_WEIGHT
from stanchion.domain.policy import TenantPolicy
from stanchion.domain.priority import priority
from stanchion.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

command: Final = App(name="tenants", help="List tenants; set their weight and the most urgent priority they may use.")


@command.default
async def list_(*, where: Where = HERE) -> int:
    """List the tenants that have a policy; all others have weight 1 and may use every priority."""
    async with opened(where) as app:
        return _shown(await app.store.tenants(), json=where.json)


@command.command(name="set")
async def set_(name: str, /, *, weight: int = 1, top_priority: str = "critical", where: Where = HERE) -> int:
    """Set a tenant's policy; it counts from the next job on.

    Args:
        name: The tenant.
        weight: Its share of what a queue can do, against other tenants: 1 to 1,000.
        top_priority: The most urgent priority of its jobs, by name or number (0 to 9).
        where: The store.
    """
    if not 1 <= weight <= MAX_WEIGHT:
        message = f"A weight of {weight} cannot be used."
        raise UsageError(message, remedy=f"Give a whole number from 1 to {MAX_WEIGHT:,}.")
    try:
        top = priority(int(top_priority) if top_priority.isdecimal() else top_priority)
    except ValueError as error:
        message = f"{error}."
        raise UsageError(message, remedy="Give critical, high, normal, low, or 0 to 9.") from error
    async with opened(where) as app:
        policy = TenantPolicy(name, weight, top)
        await app.store.configure_tenant(policy)
        return _shown([policy], json=where.json)


def _shown(found: Sequence[TenantPolicy], *, json: bool) -> int:
    if json:
        for policy in found:
            render.line(policy._asdict())
    else:
        render.table(("TENANT", "WEIGHT", "TOP PRIORITY"), [tuple(map(str, policy)) for policy in found])
    return exits.OK
