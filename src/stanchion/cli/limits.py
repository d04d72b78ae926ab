"""`stanchion limits`: list, set, drop, park."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cyclopts import App

from stanchion.cli import exits, render
from stanchion.cli.reach import HERE, Where, opened
from stanchion.domain.intake import REFUSE_AT, WARN_AT
from stanchion.domain.limits import Limit
from stanchion.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from stanchion.app import Stanchion
    from stanchion.domain.limits import LimitState

command: Final = App(name="limits", help="List, set and drop limits; park a key for a while.")


@command.default
async def list_(*, where: Where = HERE) -> int:
    """List the keys that have a limit, are in use, waited for or parked."""
    async with opened(where) as app:
        return await _shown(app, where)


@command.command(name="set")
async def set_(  # noqa: PLR0913 - the parts of a limit
    key: str,
    /,
    *,
    running: int | None = None,
    starts: int | None = None,
    per: str = "1s",
    burst: int = 1,
    refuse: int | None = None,
    warn: int | None = None,
    where: Where = HERE,
) -> int:
    """Set the limit of a key; counts at once, and stops nothing that runs.

    Args:
        key: queue:NAME, tenant:NAME, user:TENANT/USER, task:NAME or provider:NAME; a name of * holds for each.
        running: At most so many at once.
        starts: At most so many started in each period.
        per: The period, such as 1s, 1m or 1d.
        burst: How many of them may start at one instant.
        refuse: Of a queue, tenant or user at most so many wait and run together; more are refused.
        warn: From so many on those who enqueue are warned.
        where: The store.
    """
    async with opened(where) as app:
        try:
            await app.limits.set(key, running=running, starts=starts, per=per, burst=burst, refuse=refuse, warn=warn)
        except ValueError as error:
            message = f"{error}."
            raise UsageError(message, remedy="Write it as 30 (seconds), 5m, 12h or 7d.") from error
        return await _shown(app, where, key)


@command.command
async def overflow(key: str, /, *, warn_at: int = WARN_AT, refuse_at: int = REFUSE_AT, where: Where = HERE) -> int:
    """Bound how many jobs of a queue, tenant or user wait and run; what else its limit says stays.

    Args:
        key: queue:NAME, tenant:NAME or user:TENANT/USER; a name of * holds for each that has no limit of its own.
        warn_at: From so many on those who enqueue are warned; 0: nobody is.
        refuse_at: So many may be there; 0: any number.
        where: The store.
    """
    async with opened(where) as app:
        await app.limits.overflow(key, warn_at=warn_at or None, refuse_at=refuse_at or None)
        return await _shown(app, where, key)


@command.command
async def drop(key: str, /, *, where: Where = HERE) -> int:
    """Remove the limit of a key."""
    async with opened(where) as app:
        if not await app.limits.drop(key):
            message = f"No limit is set for {key!r}."
            raise NotFoundError(message, remedy="`stanchion limits` lists those there are.")
        render.line({"key": key, "dropped": True}) if where.json else render.say(f"{key}: no limit")
    return exits.OK


@command.command
async def park(key: str, delay: str, /, *, where: Where = HERE) -> int:
    """Let nothing of a key start for a while, such as 30s or 10m; 0 ends a park."""
    async with opened(where) as app:
        try:
            await app.limits.park(key, delay)
        except ValueError as error:
            message = f"{error}."
            raise UsageError(message, remedy="Write it as 30 (seconds), 5m, 12h or 7d.") from error
        return await _shown(app, where, key)


async def _shown(app: Stanchion, where: Where, key: str | None = None) -> int:
    now = app.store.now()
    found = [state for state in await app.limits.list() if key in (None, state.key)]
    if where.json:
        for state in found:
            limit = Limit(state.key) if state.limit is None else state.limit
            facts = {**limit._asdict(), "used": state.used, "waiting": state.waiting, "parked_until": state.parked}
            render.line(facts)
    else:
        columns = ("KEY", "RUNNING", "STARTS", "WARNS AT", "REFUSES ABOVE", "WAITING", "PARKED")
        render.table(columns, [_row(state, now) for state in found])
    return exits.OK


def _row(state: LimitState, now: int) -> tuple[str, ...]:
    limit = state.limit
    running = "" if limit is None or limit.running is None else f"{state.used} of {limit.running}"
    starts = ""
    if limit is not None and limit.starts is not None:
        starts = f"{limit.starts} in {limit.period / 1000:g} s, {limit.burst} at once"
    parked = "" if state.parked is None else f"{(state.parked - now) / 1000:.0f} s more"
    bound = "" if limit is None or limit.refuse is None else str(limit.refuse)
    warns = "" if limit is None or limit.warn is None else str(limit.warn)
    return state.key, running, starts, warns, bound, str(state.waiting or ""), parked
