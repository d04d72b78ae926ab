"""The command line: `stanchion COMMAND`. Commands are imported when they are called, so that help is quick."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from stanchion.cli import exits
from stanchion.errors import StanchionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cyclopts import App, CycloptsError

COMMANDS: Final = {
    "demo": "Draw sprites from a list of prompts, with workers and a dashboard: see it work in a minute.",
    "dev": "Serve, work and reload on every change of a Python file: for development.",
    "serve": "Serve the HTTP API and the dashboard; with --workers also work.",
    "worker": "Run jobs in worker processes, under a supervisor.",
    "enqueue": "Enqueue a job, or many from standard input.",
    "jobs": "List, show, watch, cancel, retry and erase jobs.",
    "dead": "List, retry and erase failed jobs.",
    "queues": "List, pause, resume, drain and clean queues.",
    "schedules": "List, pause, resume, run and delete schedules.",
    "limits": "List, set and drop limits; park a key for a while.",
    "resources": "List resources; share one between all workers.",
    "tenants": "List tenants; set their weight and top priority.",
    "workers": "List the workers.",
    "cache": "Show and purge cached results.",
    "migrate": "Bring the store's schema up to date.",
    "doctor": "Examine the store, the workers and this machine.",
    "bench": "Measure this machine for a few seconds.",
}


SUMMARY: Final = "The job queue for AI generation."
_HELP: Final[tuple[list[str], ...]] = ([], ["--help"], ["-h"])


def overview() -> str:
    """Return the help of the whole command line; printed as it is, so that it is there at once."""
    width = max(map(len, COMMANDS)) + 2
    return "\n".join((
        "Usage: stanchion COMMAND",
        "",
        SUMMARY,
        "",
        *(f"  {name:{width}}{text}" for name, text in COMMANDS.items()),
        "",
        "stanchion COMMAND --help        the options of a command",
        "stanchion --version             the version",
        "stanchion --install-completion  completion for your shell",
        "",
        "Exit codes:",
        *(f"  {code:<{width}}{meaning}" for code, meaning in exits.MEANINGS.items()),
    ))  # fmt: skip


def build(tokens: Sequence[str] = ()) -> App:
    """Return the command line as an app of cyclopts; a command that is called speaks for itself."""
    from cyclopts import App  # noqa: PLC0415 - keeps the start quick

    from stanchion import __version__  # noqa: PLC0415 - likewise

    app = App(
        name="stanchion",
        help=SUMMARY,
        help_epilogue=exits.HELP,
        help_format="plaintext",
        version=__version__,
        backend="asyncio",
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for name, text in COMMANDS.items():
        short = {} if name in tokens[:1] else {"help": text}
        app.command(f"stanchion.cli.{name}:command", name=name, **short)
    app.register_install_completion_command()  # pyright: ignore[reportUnknownMemberType] - its **kwargs
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; no error of ours ends in a traceback."""
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    if tokens in _HELP:
        sys.stdout.write(overview() + "\n")
        return exits.OK
    from cyclopts import CycloptsError  # noqa: PLC0415 - keeps the start quick

    as_json = "--json" in tokens
    try:
        result = build(tokens)(tokens, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        return _wrong_usage(error, as_json=as_json)
    except StanchionError as error:
        from stanchion.cli.render import problem  # noqa: PLC0415 - keeps the start quick

        problem(error.code, error.message, error.remedy, json=as_json)
        return exits.code_of(error)
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still buffered has no reader
        return exits.OK
    return result if isinstance(result, int) else exits.OK


def _wrong_usage(error: CycloptsError, *, as_json: bool) -> int:
    from stanchion.cli.render import problem  # noqa: PLC0415 - keeps the start quick

    command = " ".join(("stanchion", *(error.command_chain or ())))
    problem("usage", str(error), f"{command} --help shows how it is called.", json=as_json)
    return exits.USAGE
