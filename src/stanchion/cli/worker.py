"""`stanchion worker`: children that run jobs, under a supervisor that runs no user code."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter, validators

from stanchion.cli import exits
from stanchion.cli.crew import crew, describe, end, stand_in
from stanchion.cli.reach import Json, Url, logs
from stanchion.cli.resources import given
from stanchion.cli.stopping import on_signals
from stanchion.domain.resources import advertised
from stanchion.domain.scaling import ScalePolicy
from stanchion.domain.units import millis
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
    models: AtLeastOne | None = None,
    processes: AtLeastOne | None = None,
    scale: str | None = None,
    scale_wait: str = "30s",
    scale_quiet: str = "5m",
    grace: Seconds | None = None,
    profile: Literal["fast", "default"] | None = None,
    resource: Annotated[list[str] | None, Parameter(negative="")] = None,
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
        models: Models that each process keeps loaded at once; the setting of that name by default (1).
        processes: Worker processes; 1 by default.
        scale: As many processes as the queues need, within MIN..MAX, such as 1..8; started when they are needed, and
            ended when they run nothing and were not needed for a while.
        scale_wait: How long a job may wait, with --scale: a shorter time means more processes.
        scale_quiet: With --scale, fewer processes must have been enough for so long before one ends.
        grace: Seconds that running jobs get after a stop; the setting of that name by default (25).
        profile: How soon a silent worker is given up: fast within 4 s, default within 15 s.
        resource: What this machine has, as often as needed: vram_gb=24; gpu=2 (the devices gpu:0 and gpu:1) or
            gpu=0,1; gpu:0=4 (a device that up to four jobs share). Its processes have it together.
        burst: Work in this one process until nothing is left to start, then end; without a supervisor, and
            tasks with isolation="process" run in a thread.
        log_level: The least that is logged.
        url: The store.
        json: Logs as JSON lines.
    """
    logs(level=log_level, json=json)
    target = named(app)
    wanted, has = names(queues), advertised(given(resource or ()))
    bounds = None if scale is None else scale_bounds(scale)
    if bounds is not None and (burst or processes is not None):
        message = f"--scale does not go with {'--burst' if burst else '--processes'}."
        raise UsageError(message, remedy="Leave one of the two out.")
    if burst:
        if (processes or 1) > 1:
            message = "--burst works in one process."
            raise UsageError(message, remedy="Leave --processes out, or start several commands.")
        return await _burst(target, url=url, queues=wanted, slots=slots, grace=grace, models=models, has=has)
    options = ChildOptions(
        target=target,
        url=url,
        queues=wanted,
        profile=profile,
        log_json=True if json else None,
        log_level=log_level,
        models=models,
        resources=has,
    )
    policy = None if bounds is None else _policy(bounds, scale_wait, scale_quiet)
    return await _supervised(options, processes or 1, slots, grace, policy)


def scale_bounds(text: str) -> tuple[int, int]:
    """Return the least and the most of `MIN..MAX`.

    Raises:
        UsageError: It is not so written, or not possible.
    """
    found = re.fullmatch(r"(\d{1,4})\.\.(\d{1,4})", text.strip(), re.ASCII)
    if found is None or not 0 <= int(found[1]) <= int(found[2]) or int(found[2]) == 0:
        message = f"--scale {text!r} is not a range of processes."
        raise UsageError(message, remedy="Write the least and the most, such as 1..8; the most is at least 1.")
    return int(found[1]), int(found[2])


def _policy(bounds: tuple[int, int], wait: str, quiet: str) -> ScalePolicy:
    try:
        return ScalePolicy(least=bounds[0], most=bounds[1], wait=millis(wait), quiet=millis(quiet))
    except ValueError as error:
        raise UsageError(f"{error}.", remedy="Write --scale-wait and --scale-quiet such as 30s or 5m.") from error


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


async def _supervised(
    options: ChildOptions, processes: int, slots: int | None, grace: float | None, scale: ScalePolicy | None
) -> int:
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
            policy = None if scale is None else replace(scale, slots=options.slots)
            count = processes if policy is None else policy.least
            supervisor = crew(app, options, processes=count, scale=policy)
            stop.on_hard = lambda: end(supervisor)
            told = f"{count}" if policy is None else f"{policy.least} to {policy.most}"
            log.info("%s worker processes of %d slots for %s", told, options.slots, options.target)
            await supervisor.run(stop.asked)
            return exits.INTERRUPTED if stop.hard else exits.OK


async def _burst(  # noqa: PLR0913 - each is an option of its own
    target: str,
    *,
    url: str | None,
    queues: tuple[str, ...] | None,
    slots: int | None,
    grace: float | None,
    models: int | None,
    has: dict[str, int],
) -> int:
    app = load_app(target, url=url)
    async with app:
        with on_signals(log.warning, "stopping: running jobs get the grace, the rest is given back") as stop:
            working = asyncio.ensure_future(
                app.run_worker(
                    queues=queues, slots=slots, stop=stop.asked, burst=True, grace=grace, models=models, resources=has
                )
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
