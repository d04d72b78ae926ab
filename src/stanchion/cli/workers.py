"""`stanchion workers`: who works, and who fell silent."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from stanchion.cli import exits, render, show
from stanchion.cli.reach import HERE, Where, opened


async def command(*, gone: Annotated[bool, Parameter(negative="")] = False, where: Where = HERE) -> int:
    """List the workers that live.

    Args:
        gone: Also those that stopped or fell silent in the last hour.
        where: The store.
    """
    async with opened(where) as app:
        found, now = [row for row in await app.workers() if gone or row.alive], app.store.now()
        if where.json:
            for row in found:
                render.line(show.worker_record(row))
        else:
            render.table(show.WORKER_COLUMNS, [show.worker_row(row, now) for row in found])
            if not found:
                render.note("no worker; start one: stanchion worker module:app")
    return exits.OK
