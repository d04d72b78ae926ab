"""`stanchion queues`: list, pause, resume, drain, clean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cyclopts import App

from stanchion.cli import exits, render, show
from stanchion.cli.reach import HERE, Where, opened
from stanchion.domain.affinity import DEFAULT
from stanchion.domain.job import State
from stanchion.domain.units import millis
from stanchion.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from stanchion.app import Stanchion
    from stanchion.domain.policy import QueuePolicy

command: Final = App(name="queues", help="List, pause, resume, drain and clean queues.")


@command.default
async def list_(*, where: Where = HERE) -> int:
    """List queues with their jobs by state."""
    async with opened(where) as app:
        found, now = await app.stats(), app.store.now()
        full = {key.key.removeprefix("queue:"): key for key in (await app.pressure()).keys if key.key[:6] == "queue:"}
        if where.json:
            for item in found:
                render.line(show.queue_record(item, full.get(item.policy.name)))
        else:
            render.table(show.QUEUE_COLUMNS, [show.queue_row(item, now, full.get(item.policy.name)) for item in found])
    return exits.OK


@command.command
async def pause(name: str, /, *, where: Where = HERE) -> int:
    """Let no job of a queue start; running ones go on. A queue that is not there yet is made."""
    async with opened(where) as app:
        return _told(await app.queue(name).pause(), json=where.json)


@command.command
async def resume(name: str, /, *, where: Where = HERE) -> int:
    """Let the jobs of a queue start again."""
    async with opened(where) as app:
        await _known(app, name)
        return _told(await app.queue(name).resume(), json=where.json)


@command.command
async def limit(name: str, max_waiting: int, /, *, where: Where = HERE) -> int:
    """Bound how many jobs may wait in a queue; 0 removes the bound."""
    async with opened(where) as app:
        return _told(await app.queue(name).limit(max_waiting), json=where.json)


@command.command
async def affinity(name: str, /, *, jobs: int | None = None, seconds: str | None = None, where: Where = HERE) -> int:
    """Bound how far jobs may go past others because their model is loaded; 0 switches affinity off.

    Args:
        name: The queue.
        jobs: No job is passed over by more jobs than this; 8 where nothing was set.
        seconds: Nor once it was first passed over so long ago, such as 30 or 2m; 30 s where nothing was set.
        where: The store.
    """
    async with opened(where) as app:
        try:
            time = None if seconds is None else millis(seconds) / 1000
        except ValueError as error:
            message = f"{error}."
            raise UsageError(message, remedy="Write --seconds as 30 (seconds) or 2m.") from error
        return _told(await app.queue(name).affinity(jobs=jobs, seconds=time), json=where.json)


@command.command
async def aging(name: str, interval: str, /, *, where: Where = HERE) -> int:
    """Lift each waiting job of a queue one priority for each interval.

    Args:
        name: The queue.
        interval: Such as 600 (seconds), 10m or 2h; 0 ends it.
        where: The store.
    """
    async with opened(where) as app:
        try:
            return _told(await app.queue(name).aging(interval), json=where.json)
        except ValueError as error:
            message = f"{error}."
            raise UsageError(message, remedy="Write it as 600 (seconds), 10m or 2h.") from error


@command.command
async def drain(
    name: str,
    /,
    *,
    timeout: float | None = None,  # noqa: ASYNC109 - the option's name
    where: Where = HERE,
) -> int:
    """Wait until nothing waits or runs in a queue; exit code 1 where the time was not enough.

    Args:
        name: The queue.
        timeout: Seconds to wait; for ever by default.
        where: The store.
    """
    async with opened(where) as app:
        await _known(app, name)
        empty = await app.queue(name).drain(timeout)
        counts = (await app.queue(name).stats()).counts
        left = sum(counts.get(state, 0) for state in (State.QUEUED, State.RUNNING, State.RETRYING))
        if where.json:
            render.line({"name": name, "drained": empty, "left": left})
        else:
            render.say(f"{name} is drained" if empty else f"{name} still holds {left} jobs")
    return exits.OK if empty else exits.FAILED


@command.command
async def clean(
    name: str, /, *, older_than: str = "7d", states: str = "completed,cancelled", where: Where = HERE
) -> int:
    """Erase ended jobs of a queue, with all they produced. This cannot be undone.

    Args:
        name: The queue.
        older_than: Only those that ended so long ago.
        states: Their states, separated by commas: completed, failed, cancelled.
        where: The store.
    """
    async with opened(where) as app:
        await _known(app, name)
        try:
            count = await app.queue(name).clean(older_than, [state.strip() for state in states.split(",")])
        except ValueError as error:
            message = f"{error}."
            raise UsageError(message, remedy="Write it as 30 (seconds), 5m, 12h or 7d.") from error
        if where.json:
            render.line({"name": name, "count": count})
        else:
            render.say(f"{count} erased")
    return exits.OK


def _told(policy: QueuePolicy, *, json: bool) -> int:
    if json:
        render.line(
            {
                "name": policy.name,
                "paused": policy.paused,
                "max_waiting": policy.max_waiting,
                "affinity_jobs": policy.affinity.jobs,
                "affinity_seconds": policy.affinity.time / 1000,
                "aging": None if policy.aging is None else policy.aging / 1000,
            }
        )
    else:
        bound = "" if policy.max_waiting is None else f", at most {policy.max_waiting} waiting"
        near = ""
        if policy.affinity != DEFAULT:
            near = f", warm models past {policy.affinity.jobs} jobs or {policy.affinity.time / 1000:g} s"
        near = ", affinity off" if policy.affinity.off else near
        lift = "" if policy.aging is None else f", lifted every {policy.aging / 1000:g} s"
        render.say(f"{policy.name}: {'paused' if policy.paused else 'open'}{bound}{near}{lift}")
    return exits.OK


async def _known(app: Stanchion, name: str) -> None:
    """Refuse a queue that is not there, which is most likely a slip.

    Raises:
        NotFoundError: No queue has the name.
    """
    names = [item.policy.name for item in await app.stats()]
    if name not in names:
        message = f"No queue is named {name!r}."
        raise NotFoundError(message, remedy=f"Known: {', '.join(sorted(names)[:20]) or 'none'}.")
