"""`stanchion serve`: the HTTP API and the dashboard, and workers where asked."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, validators

from stanchion.cli import exits, render
from stanchion.cli.crew import crew, end
from stanchion.cli.reach import Json, Url, Where, logs, own_processes_can_share, resolve
from stanchion.cli.stopping import on_signals
from stanchion.cli.web import Web, listen
from stanchion.cli.worker import AtLeastOne, Seconds, named
from stanchion.entry import ChildOptions
from stanchion.server.auth import check_bind
from stanchion.server.seal import renew

if TYPE_CHECKING:
    from stanchion.app import Stanchion
    from stanchion.cli.stopping import Stop
    from stanchion.engine.supervise import Supervisor

log = logging.getLogger("stanchion.cli")

Port = Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65_535))]


async def command(  # noqa: PLR0913 - each is an option of its own
    app: Annotated[str | None, Parameter(env_var="STANCHION_APP")] = None,
    *,
    host: str = "127.0.0.1",
    port: Port = 8080,
    workers: Annotated[int, Parameter(validator=validators.Number(gte=0))] = 0,
    slots: AtLeastOne | None = None,
    grace: Seconds | None = None,
    new_sessions: Annotated[bool, Parameter(negative="")] = False,
    url: Url = None,
    json: Json = False,
) -> int:
    """Serve the HTTP API, the live streams and the dashboard.

    Args:
        app: The app as module:attribute, so that requests are checked against its tasks; also STANCHION_APP.
        host: The address to serve; other than a loopback needs an API key.
        port: The port; 0 takes any free one.
        workers: Worker processes to run beside the server.
        slots: Jobs that each worker process runs at once; the setting of that name by default (10).
        grace: Seconds that running jobs get after a stop; the setting of that name by default (25).
        new_sessions: Make a new secret for the dashboard's sessions first: everyone signs in again.
        url: The store.
        json: JSON lines instead of tables.
    """
    logs(json=json)
    found = resolve(Where(url=url, app=app))
    options = None
    if workers:
        own_processes_can_share(found.settings.url)
        options = ChildOptions(
            target=named(app),
            url=found.settings.url,
            slots=found.settings.slots if slots is None else slots,
            grace=found.settings.grace if grace is None else grace,
            log_json=True if json else None,
        )
    check_bind(host, found.settings.keys or found.settings.keys_file)
    with listen(host, port) as bound:
        async with found:
            if new_sessions and found.settings.session_path is not None:
                renew(found.settings.session_path)
            web = Web(found, host, bound)
            supervisor = crew(found, options, processes=workers) if options is not None else None
            with on_signals(log.warning, "stopping") as stop:
                _tell(web, found, workers, json=json)
                await _serve(web, supervisor, stop)
                return exits.INTERRUPTED if stop.hard else exits.OK


def _tell(web: Web, app: Stanchion, workers: int, *, json: bool) -> None:
    facts: dict[str, Any] = {"event": "serving", "url": web.url, "workers": workers, "tasks": sorted(app.tasks)}
    if json:
        render.line(facts)
    else:
        render.say(f"dashboard  {web.url}")
        render.say(f"API        {web.url}/api/v1")
        render.say(f"workers    {workers or 'none here'}")


async def _serve(web: Web, supervisor: Supervisor | None, stop: Stop) -> None:
    """Run both until a stop; the server answers until the workers have drained."""
    serving = asyncio.create_task(web.run())
    working = None if supervisor is None else asyncio.create_task(supervisor.run(stop.asked))
    if supervisor is not None:
        stop.on_hard = lambda: end(supervisor)
    stopping = asyncio.create_task(stop.asked.wait())
    try:
        await asyncio.wait(
            [task for task in (serving, working, stopping) if task is not None], return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        stop.asked.set()
        stopping.cancel()
        try:
            if working is not None:
                await working
        finally:
            web.close()
            await serving
