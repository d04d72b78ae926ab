"""`stanchion worker`: children that run jobs, under a supervisor that runs no user code."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter, validators

from stanchion.cli import exits
from stanchion.cli.crew import crew, describe, end, stand_in
from stanchion.cli.reach import Json, Url, logs
from stanchion.cli.stopping import on_signals
from stanchion.entry import ChildOptions, load_app
from stanchion.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from stanchion.cli.stopping import Stop

log = logging.getLogger("stanchion.cli")

AtLeastOne = Annotated[int, Parameter(validator=validators.Number(gte=1))]
Seconds = Annotated[float, Parameter(validator=validators.Number(gte=0))]


async def command(  # noqa: PLR0913 - each is an option of its own
    app: Annotated[str | None, Parameter(env_var="STANCHION_APP")] = None,
    *,
    queues: str | None = None,
    slots: AtLeastOne | None = None,
    processes: AtLeastOne = 1,
    grace: Seconds | None = None,
    profile: Literal["fast", "default"] | None = None,
    burst: Annotated[bool, Parameter(negative="")] = False,
    log_level: Literal["debug", "info", "warning", "error"] = "info",
    url: Url = None,
    json: Json = False,
) -> int:
    """Run jobs in worker processes, under a supervisor that beats for them and replaces those that die.

    SIGTERM or SIGINT once: no new job starts, running ones get the grace, the rest is given back unspent.
    Twice: the processes are ended at once, and what they ran is given back.

    Args:
        app: The app as module:attribute; also STANCHION_APP.
        queues: Only these queues, separated by commas; all by default.
        slots: Jobs that each process runs at once; the setting of that name by default (10).
        processes: Worker processes.
        grace: Seconds that running jobs get after a stop; the setting of that name by default (25).
        profile: How soon a silent worker is given up: fast within 4 s, default within 15 s.
        burst: Work in this one process until nothing is left to start, then end; without a supervisor, and
            tasks with isolation="process" run in a thread.
        log_level: The least that is logged.
        url: The store.
        json: Logs as JSON lines.
    """
    logs(level=log_level, json=json)
    target = named(app)
    wanted = names(queues)
    if burst:
        if processes > 1:
            message = "--burst works in one process."
            raise UsageError(message, remedy="Leave --processes out, or start several commands.")
        return await _burst(target, url=url, queues=wanted, slots=slots, grace=grace)
    options = ChildOptions(
        target=target,
        url=url,
        queues=wanted,
        profile=profile,
        log_json=True if json else None,
        log_level=log_level,
    )
    return await _supervised(options, processes, slots, grace)


def named(app: str | None) -> str:
    """Return the app's name.

    Raises:
        ConfigError: None was given.
    """
    if app is None:
        message = "No app was named."
        raise ConfigError(message, remedy="Name it as module:attribute, such as tasks:app, or set STANCHION_APP.")
    return app


def names(listed: str | None) -> tuple[str, ...] | None:
    """Return names separated by commas; None for none."""
    found = tuple(name.strip() for name in (listed or "").split(",") if name.strip())
    return found or None


async def _supervised(options: ChildOptions, processes: int, slots: int | None, grace: float | None) -> int:
    described = await describe(options.target)
    app = stand_in(described, url=options.url, profile=options.profile)
    options.slots = app.settings.slots if slots is None else slots
    options.grace = app.settings.grace if grace is None else grace
    if not described.tasks:
        message = f"{options.target} has no task."
        raise ConfigError(message, remedy="Import the modules that define its tasks where the app is defined.")
    text = f"stopping: running jobs get up to {options.grace:g} s (once more to end them now)"
    async with app:
        with on_signals(log.warning, text) as stop:
            supervisor = crew(app, options, processes=processes)
            stop.on_hard = lambda: end(supervisor)
            log.info("%d worker processes of %d slots for %s", processes, options.slots, options.target)
            await supervisor.run(stop.asked)
            return exits.INTERRUPTED if stop.hard else exits.OK


async def _burst(
    target: str, *, url: str | None, queues: tuple[str, ...] | None, slots: int | None, grace: float | None
) -> int:
    app = load_app(target, url=url)
    async with app:
        with on_signals(log.warning, "stopping: running jobs get the grace, the rest is given back") as stop:
            working = asyncio.ensure_future(
                app.run_worker(queues=queues, slots=slots, stop=stop.asked, burst=True, grace=grace)
            )
            stop.on_hard = lambda: _cancel(working)
            return await _outcome(working, stop)


def _cancel(working: asyncio.Future[None]) -> None:
    working.cancel()


async def _outcome(working: asyncio.Future[None], stop: Stop) -> int:
    try:
        await working
    except asyncio.CancelledError:
        if not stop.hard:
            raise
        return exits.INTERRUPTED
    return exits.OK
