"""`stanchion dev`: server, dashboard and worker in one, started anew when a Python file changes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from stanchion.cli import exits, render
from stanchion.cli.reach import Json, Url, logs
from stanchion.cli.serve import Port
from stanchion.cli.stopping import on_signals
from stanchion.cli.worker import AtLeastOne, named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stanchion.cli.stopping import Stop

EVERY: Final = 0.5
"""Seconds between looks at the files."""
_SKIPPED: Final = frozenset({"__pycache__", "node_modules", "site-packages", "venv", "stanchion-demo"})
_MOST: Final = 5_000
_GRACE: Final = 2.0
_PATIENCE: Final = 10.0
_CHILD: Final = """
import os, sys
from stanchion.engine.orphan import die_with_parent
die_with_parent(int(sys.argv.pop(1)))
from stanchion.cli import main
sys.exit(main())
"""


async def command(  # noqa: PLR0913 - each is an option of its own
    app: Annotated[str | None, Parameter(env_var="STANCHION_APP")] = None,
    *,
    host: str = "127.0.0.1",
    port: Port = 8080,
    workers: AtLeastOne = 1,
    slots: AtLeastOne = 10,
    url: Url = None,
    json: Json = False,
) -> int:
    """Serve and work, and start anew when a Python file under this folder changes.

    Running jobs get 2 s at a restart; what has not ended by then is given back, and no attempt is spent.

    Args:
        app: The app as module:attribute; also STANCHION_APP.
        host: The address to serve.
        port: The dashboard's port.
        workers: Worker processes.
        slots: Jobs that each of them runs at once.
        url: The store.
        json: JSON lines instead of tables.
    """
    logs(json=json)
    arguments = ["serve", named(app), "--host", host, "--port", str(port), "--workers", str(workers)]
    arguments += ["--slots", str(slots), "--grace", str(_GRACE)]
    arguments += ["--url", url] if url is not None else []
    arguments += ["--json"] if json else []
    with on_signals(render.note, "stopping") as stop:
        await _keep(arguments, stop)
        return exits.OK


async def _keep(arguments: Sequence[str], stop: Stop) -> None:
    """Run the server, anew after each change; after a failed start, wait for the next change."""
    seen = stamps(Path.cwd())
    while not stop.asked.is_set():
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _CHILD, str(os.getpid()), *arguments,
            start_new_session=True,  # Ctrl-C is for this process, which then stops that one
        )  # fmt: skip
        ended = asyncio.create_task(child.wait())
        changed = asyncio.create_task(_change(seen))
        stopping = asyncio.create_task(stop.asked.wait())
        try:
            await asyncio.wait([ended, changed, stopping], return_when=asyncio.FIRST_COMPLETED)
            if ended.done() and not stop.asked.is_set():
                render.note(f"the server ended with exit code {child.returncode}; waiting for a change")
                await asyncio.wait([changed, stopping], return_when=asyncio.FIRST_COMPLETED)
            if changed.done() and not stop.asked.is_set():
                seen, names = changed.result()
                render.note(f"changed: {', '.join(names[:3])}{' …' if len(names) > 3 else ''}; starting anew")  # noqa: PLR2004
        finally:
            await _end(child, ended)
            for task in (ended, changed, stopping):
                task.cancel()


async def _end(child: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    if child.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        child.send_signal(signal.SIGTERM)
    done, _ = await asyncio.wait([ended], timeout=_GRACE + _PATIENCE)
    if not done:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await ended


async def _change(seen: Mapping[str, int]) -> tuple[dict[str, int], list[str]]:
    """Wait until a file was changed, made or removed; return all stamps, and the names."""
    while True:
        await asyncio.sleep(EVERY)
        now = await asyncio.to_thread(stamps, Path.cwd())
        names = sorted(name for name in now.keys() | seen.keys() if now.get(name) != seen.get(name))
        if names:
            return now, names


def stamps(folder: Path) -> dict[str, int]:
    """Return when each Python file under a folder was changed, by its relative name; at most 5,000 of them."""
    found: dict[str, int] = {}
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _SKIPPED and not name.startswith(".")]
        for name in files:
            if name.endswith(".py"):
                path = os.path.join(root, name)  # noqa: PTH118 - many times a second
                with contextlib.suppress(OSError):
                    found[os.path.relpath(path, folder)] = os.stat(path).st_mtime_ns  # noqa: PTH116 - likewise
        if len(found) >= _MOST:
            break
    return found
