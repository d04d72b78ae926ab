"""`stanchion dead`: the jobs that failed for good."""

from __future__ import annotations

from collections import Counter
from typing import Final

from cyclopts import App

from stanchion.cli import exits, render, show
from stanchion.cli.jobs import Limit, erase_ended, retry_failed
from stanchion.cli.reach import HERE, Where, opened
from stanchion.cli.select import ANY, All, Which
from stanchion.domain.job import State
from stanchion.errors import UsageError

command: Final = App(name="dead", help="List, retry and erase failed jobs.")


@command.default
async def list_(*, which: Which = ANY, limit: Limit = 50, after: str | None = None, where: Where = HERE) -> int:
    """List failed jobs, newest first, and count them by the kind of their error.

    Args:
        which: The filters.
        limit: Jobs on a page.
        after: The cursor that the page before ended with.
        where: The store.
    """
    _only_failed(which)
    async with opened(where) as app:
        page = await app.store.list(which.filter(states=(State.FAILED,)), limit=limit, after=after)
        await show.jobs(app, page.jobs, json=where.json)
        kinds = Counter(job.error.kind.value for job in page.jobs if job.error is not None)
        if kinds and not where.json:
            render.note("here: " + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))
        if page.next is not None:
            render.note(f"more: --after {page.next}")
    return exits.OK


@command.command
async def retry(*ids: str, which: Which = ANY, every: All = False, where: Where = HERE) -> int:
    """Queue failed jobs anew, by id or filter, with all their attempts.

    Args:
        ids: The jobs.
        which: The filters.
        every: Every failed job.
        where: The store.
    """
    _only_failed(which)
    return await retry_failed(ids, which, everything=every, where=where)


@command.command
async def erase(
    *ids: str, which: Which = ANY, every: All = False, older_than: str | None = None, where: Where = HERE
) -> int:
    """Erase failed jobs by id or filter, with all they produced. This cannot be undone.

    Args:
        ids: The jobs.
        which: The filters.
        every: Every failed job.
        older_than: Only those that failed so long ago, such as 7d.
        where: The store.
    """
    _only_failed(which)
    return await erase_ended(ids, which, states=(State.FAILED,), everything=every, older_than=older_than, where=where)


def _only_failed(which: Which) -> None:
    if which.state is not None:
        message = "Dead jobs have one state: failed."
        raise UsageError(message, remedy="Leave --state out, or use `stanchion jobs`.")
