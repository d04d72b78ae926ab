"""`stanchion schedules`: list, pause, resume, run, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Parameter

from stanchion.cli import exits, render, show
from stanchion.cli.reach import HERE, Where, opened
from stanchion.domain.units import DEFAULT_TENANT
from stanchion.server import present

if TYPE_CHECKING:
    from stanchion.app import Stanchion
    from stanchion.domain.schedule import Schedule

command: Final = App(name="schedules", help="List, pause, resume, run and delete schedules.")

Tenant = Annotated[str, Parameter(help="Whose schedule it is.")]


@command.default
@command.command(name="list")
async def list_(*, tenant: str | None = None, where: Where = HERE) -> int:
    """List schedules with their rule and their next tick.

    Args:
        tenant: Only those of a tenant.
        where: The store.
    """
    async with opened(where) as app:
        found, now = await app.schedules.list(tenant=tenant), app.store.now()
        if where.json:
            for item in found:
                render.line(show.schedule_record(app, item))
        else:
            render.table(show.SCHEDULE_COLUMNS, [show.schedule_row(item, now) for item in found])
    return exits.OK


@command.command
async def pause(name: str, /, *, tenant: Tenant = DEFAULT_TENANT, where: Where = HERE) -> int:
    """Let a schedule tick no more; jobs that it made stay."""
    async with opened(where) as app:
        return _told(app, await app.schedules.pause(name, tenant=tenant), json=where.json)


@command.command
async def resume(name: str, /, *, tenant: Tenant = DEFAULT_TENANT, where: Where = HERE) -> int:
    """Let a schedule tick from now on; ticks of the pause are not made up for."""
    async with opened(where) as app:
        return _told(app, await app.schedules.resume(name, tenant=tenant), json=where.json)


@command.command
async def run(name: str, /, *, tenant: Tenant = DEFAULT_TENANT, where: Where = HERE) -> int:
    """Enqueue a schedule's job at once, paused or not; its ticks stay as they are."""
    async with opened(where) as app:
        job = await app.schedules.run_now(name, tenant=tenant)
        if where.json:
            render.line({"id": job.id, "state": job.state.value})
        else:
            render.say(job.id)
    return exits.OK


@command.command
async def delete(name: str, /, *, tenant: Tenant = DEFAULT_TENANT, where: Where = HERE) -> int:
    """Delete a schedule; its jobs stay. One that stands in code comes back when its app is opened: pause it."""
    async with opened(where) as app:
        await app.schedules.delete(name, tenant=tenant)
        if where.json:
            render.line({"name": name, "deleted": True})
        else:
            render.say(f"{name} is deleted")
    return exits.OK


def _told(app: Stanchion, found: Schedule, *, json: bool) -> int:
    if json:
        render.line(show.schedule_record(app, found))
    elif found.paused:
        render.say(f"{found.name}: paused")
    else:
        render.say(f"{found.name}: next tick {present.maybe_at(found.next_at) or 'never'}")
    return exits.OK
