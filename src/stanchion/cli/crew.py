"""Worker processes: what an app says of itself, and the supervisor over its children."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from stanchion.app import Stanchion
from stanchion.cli.reach import own_processes_can_share
from stanchion.engine.scaling import Scaler
from stanchion.engine.supervise import Scaling, Supervisor
from stanchion.engine.work import incarnation
from stanchion.entry import child_command, describe_command
from stanchion.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from stanchion.domain.scaling import ScalePolicy
    from stanchion.entry import ChildOptions

_TIMEOUT: Final = 60.0
_ERROR, _REMEDY = "error: ", "what to do: "


class Described(msgspec.Struct):
    """What an app says of itself."""

    settings: dict[str, Any]
    tasks: list[str]


async def describe(target: str) -> Described:
    """Ask an app for its settings and tasks, in a process of its own.

    Raises:
        ConfigError: It cannot be loaded.
    """
    process = await asyncio.create_subprocess_exec(
        *describe_command(target), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(_TIMEOUT):
            given, told = await process.communicate()
    except TimeoutError:
        process.kill()
        message = f"{target} was not imported within {_TIMEOUT:.0f} s."
        raise ConfigError(message, remedy="Move slow work out of the module's top level.") from None
    if process.returncode:
        raise _refusal(target, told.decode(errors="replace"))
    return msgspec.json.decode(given.splitlines()[-1], type=Described)


def _refusal(target: str, told: str) -> ConfigError:
    """Return the error that a child wrote; of a traceback, its end."""
    lines = told.strip().splitlines()
    message = next((text.removeprefix(_ERROR) for text in lines if text.startswith(_ERROR)), None)
    remedy = next((text.removeprefix(_REMEDY) for text in lines if text.startswith(_REMEDY)), None)
    if message is not None:
        return ConfigError(message, remedy=remedy)
    where = "".join(text.strip() + ": " for text in lines if text.lstrip().startswith("File "))[-300:]
    return ConfigError(
        f"{target} cannot be imported: {where.rsplit('File ', 1)[-1]}{lines[-1] if lines else 'no reason was given'}",
        remedy="Correct the module; `python -c 'import module'` shows the whole traceback.",
    )


def stand_in(described: Described, *, url: str | None, profile: str | None) -> Stanchion:
    """Return an app without tasks on the same store: what a process that runs no user code works with."""
    changes = {"url": url, "profile": profile}
    app = Stanchion(**{**described.settings, **{name: value for name, value in changes.items() if value is not None}})
    own_processes_can_share(app.settings.url)
    return app


def crew(
    app: Stanchion,
    options: ChildOptions,
    *,
    processes: int,
    on_event: Callable[[str, dict[str, Any]], None] | None = None,
    scale: ScalePolicy | None = None,
) -> Supervisor:
    """Return the supervisor of worker processes on an opened app's store; with `scale`, of as many as are needed."""
    options.supervisor = options.supervisor or incarnation()  # whose tree they are: never another's
    scaling = None if scale is None else Scaling(partial(_wanted, Scaler(app.store), options.queues, scale), scale.most)
    return Supervisor(
        child_command(options),
        store=app.store,
        artifacts=app.artifacts,
        profile=app.settings.lease,
        processes=processes,
        grace=options.grace,
        retention=app.settings.retention,
        on_event=on_event,
        scaling=scaling,
    )


async def _wanted(scaler: Scaler, queues: tuple[str, ...] | None, policy: ScalePolicy) -> int:
    return (await scaler.size(queues, policy)).desired


def end(supervisor: Supervisor) -> None:
    """Kill the children; their supervisor gives back what they ran."""
    for pid in supervisor.children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
