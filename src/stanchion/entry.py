"""What spawned processes run: a supervised worker, or a cell; and how they find the app.

`python -m stanchion.entry child|cell|describe module:attribute ...`
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from stanchion.app import Stanchion
from stanchion.engine import collector, frames
from stanchion.engine.attempt import Running
from stanchion.engine.cells import RemoteStore, lease_from_wire, outcome_to_wire, recorder_for
from stanchion.engine.orphan import die_with_parent
from stanchion.engine.together import Group, GroupAttempts
from stanchion.errors import ConfigError, StanchionError
from stanchion.telemetry import configure_logging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.engine.work import Worker

EXIT_CONFIG: Final = 2
TICK: Final = 1.0
SWITCH: Final = 0.0005
"""Seconds after which a thread that waits for the interpreter gets it: the default of 5 ms would hold up the writer."""


class ChildOptions(msgspec.Struct, kw_only=True):
    """What a supervisor tells its children, as JSON."""

    target: str
    url: str | None = None
    queues: tuple[str, ...] | None = None
    slots: int = 10
    grace: float = 25.0
    supervisor: str = ""
    profile: str | None = None
    log_json: bool | None = None
    log_level: str = "info"
    models: int | None = None
    resources: dict[str, int] = {}


def child_command(options: ChildOptions) -> list[str]:
    """Return what starts a child; the supervisor appends its pid."""
    return [sys.executable, "-m", "stanchion.entry", "child", msgspec.json.encode(options).decode()]


def describe_command(target: str) -> list[str]:
    """Return what prints an app's settings as JSON, in a process of its own: the caller runs no user code."""
    return [sys.executable, "-m", "stanchion.entry", "describe", target]


def load_app(target: str, *, url: str | None = None) -> Stanchion:
    """Return the app that `module:attribute` names; the current folder is searched first.

    Raises:
        ConfigError: There is no such module, attribute or app.
    """
    module_name, colon, attribute = target.partition(":")
    if not colon or not module_name or not attribute:
        message = f"{target!r} does not name an app."
        raise ConfigError(message, remedy="Write module:attribute, such as tasks:app.")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name == error.name or module_name.startswith(error.name + ".")):
            raise
        message = f"There is no module {module_name!r} here."
        raise ConfigError(
            message, remedy="Run the command in the folder of the module, or correct the name."
        ) from error
    found: object = getattr(module, attribute, None)
    if not isinstance(found, Stanchion):
        message = f"{target!r} is {'not there' if found is None else 'a ' + type(found).__name__}, not a Stanchion."
        raise ConfigError(message, remedy="Name the variable that holds Stanchion(...).")
    found.target = target
    if url is not None and url != found.settings.url:
        found.relocate(url)
    return found


async def _child(options: ChildOptions) -> None:
    out = frames.own_stdout()
    app = load_app(options.target, url=options.url)
    if options.profile is not None:
        app.configure(profile=options.profile)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # the supervisor decides
    cell = [sys.executable, "-m", "stanchion.entry", "cell", msgspec.json.encode(options).decode()]

    def started(worker: Worker) -> None:
        out.write(frames.packed(["worker", worker.id, worker.info.incarnation]))

    async with app:
        collector.settle_in()
        worker = app.worker(
            queues=options.queues,
            slots=options.slots,
            grace=options.grace,
            supervisor=options.supervisor or f"pid-{os.getppid()}",
            cell_command=cell,
            models=options.models,
            resources=options.resources,
        )
        ticking = asyncio.create_task(_tick(out))
        try:
            await worker.run(stop, started=started)
        finally:
            ticking.cancel()


async def _tick(out: Any) -> None:  # noqa: ANN401 - a raw pipe
    """Tell the supervisor that the event loop turns."""
    beat = frames.packed(["tick"])
    while True:
        await asyncio.sleep(TICK)
        out.write(beat)


async def _cell(options: ChildOptions) -> None:
    out = frames.own_stdout()
    commands = await frames.stdin_reader()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: None)  # the worker decides
    app = load_app(options.target, url=options.url)
    remote = RemoteStore(out)
    recorder = recorder_for(remote, app.artifacts)
    threads = ThreadPoolExecutor(1)
    attempts = GroupAttempts(recorder, app.hooks, threads, app.rules, max_payload=app.settings.max_payload)
    running: list[Running] = []
    loop = asyncio.get_running_loop()

    async def attempt(current: Running) -> None:
        outcome = await attempts.run(current, app.registry.get(current.lease.task))
        await recorder.flush()
        remote.send(["end", outcome_to_wire(outcome)])

    async def attempts_together(current: Group) -> None:
        outcomes = await attempts.run_together(current, app.registry.get(current.members[0].lease.task))
        await recorder.flush()
        remote.send(["end", [outcome_to_wire(outcome) for outcome in outcomes], current.fitted])

    with contextlib.suppress(EOFError):
        while True:
            message = await frames.read(commands)
            match message[0]:
                case "run":
                    one = Running(lease_from_wire(message[1])._replace(timeout=0))
                    running = [one]
                    one.task = loop.create_task(attempt(one))
                case "group":
                    group = Group([lease_from_wire(values)._replace(timeout=0) for values in message[1]], message[2])
                    running = list(group.members)
                    group.begin(loop.create_task(attempts_together(group)))
                case "cancel":
                    for each in running:
                        if len(message) == 1 or each.lease.ref == message[1]:
                            each.ask_cancel()
                case "answer":
                    remote.answered(message[1], message[2])
                case _:
                    continue
    os._exit(0)


def main(arguments: Sequence[str]) -> int:
    """Run a child, a cell or a description; return the exit code."""
    what, given, *rest = arguments
    try:
        if what == "describe":
            app = load_app(given)
            facts = {"settings": msgspec.to_builtins(app.settings), "tasks": sorted(app.registry.names)}
            sys.stdout.buffer.write(msgspec.json.encode(facts) + b"\n")
            return 0
        options = msgspec.json.decode(given, type=ChildOptions)
        die_with_parent(int(rest[0]))
        configure_logging(json=options.log_json, level=options.log_level)
        sys.setswitchinterval(SWITCH)
        asyncio.run(_child(options) if what == "child" else _cell(options))
    except StanchionError as error:
        sys.stderr.write(f"error: {error.message}\nwhat to do: {error.remedy}\n")
        return EXIT_CONFIG if isinstance(error, ConfigError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
