"""`stanchion cache`: what the result cache holds, and dropping it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cyclopts import App

from stanchion.cli import exits, render
from stanchion.cli.reach import HERE, Where, opened
from stanchion.errors import UsageError

if TYPE_CHECKING:
    from stanchion.domain.cache import CacheSum

command: Final = App(name="cache", help="Show and purge the results that answer requests without a run.")
COLUMNS: Final = ("tenant", "task", "entries#", "bytes#", "hits#")


@command.command
async def stats(*, tenant: str | None = None, where: Where = HERE) -> int:
    """Show how many results are kept, how many bytes they keep in use, and how often they answered.

    Args:
        tenant: Only those of this tenant.
        where: The store.
    """
    async with opened(where) as app:
        report = await app.cache.stats(tenant=tenant)
        if where.json:
            for one in report.tasks:
                render.line(_record(one))
        else:
            render.table(COLUMNS, [tuple(one) for one in report.tasks])
            render.say(f"{report.entries} results, {report.bytes:,} bytes, {report.hits} hits")
    return exits.OK


@command.command
async def purge(
    *,
    task: str | None = None,
    tenant: str | None = None,
    older_than: str | None = None,
    all_: bool = False,
    where: Where = HERE,
) -> int:
    """Drop results, so that the next request runs. Jobs that were answered with them keep theirs.

    Args:
        task: Only those of this task.
        tenant: Only those that jobs of this tenant made.
        older_than: Only those that were made so long ago, such as 12h or 7d.
        all_: Drop all of them; needed where nothing else is named.
        where: The store.
    """
    if not all_ and task is None and tenant is None and older_than is None:
        message = "Nothing says which results are meant."
        raise UsageError(message, remedy="Name --task, --tenant or --older-than; or write --all.")
    async with opened(where) as app:
        try:
            count = await app.cache.purge(task=task, tenant=tenant, older_than=older_than)
        except ValueError as error:
            message = f"{error}."
            raise UsageError(message, remedy="Write it as 30 (seconds), 5m, 12h or 7d.") from error
        if where.json:
            render.line({"count": count})
        else:
            render.say(f"{count} dropped")
    return exits.OK


def _record(one: CacheSum) -> dict[str, object]:
    return one._asdict()
