"""`stanchion demo`: sprites from a list of prompts, drawn by worker processes, watched in a dashboard."""

from __future__ import annotations

import asyncio
import itertools
import time
import webbrowser
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Parameter, validators

from stanchion.cli import exits
from stanchion.cli.crew import crew, end
from stanchion.cli.demo.follow import Follower
from stanchion.cli.demo.place import place
from stanchion.cli.demo.view import summary, view
from stanchion.cli.reach import Json, logs
from stanchion.cli.stopping import on_signals
from stanchion.cli.web import Web, listen_near
from stanchion.cli.worker import AtLeastOne
from stanchion.demo.inputs import InputError, read_rows
from stanchion.demo.tasks import PROVIDER
from stanchion.engine.submit import JobOptions, Submission
from stanchion.entry import ChildOptions, load_app
from stanchion.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.app import Stanchion
    from stanchion.cli.demo.place import Place
    from stanchion.cli.demo.view import View
    from stanchion.cli.stopping import Stop
    from stanchion.demo.inputs import Row

TARGET: Final = "stanchion.demo.tasks:app"
HOST: Final = "127.0.0.1"
BATCH: Final = 500
TENANTS: Final = {"studio": 2, "hobby": 1}
"""Who asks for the pictures, each for every other row, and their weights: two turns for the one, one for the other."""
COMMISSIONED: Final = 8
"""Each row of this many goes to the slower task."""
AT_ONCE: Final = 2
"""So many of the slower task run at once."""
_GRACE: Final = 5.0

NotNegative = Annotated[int, Parameter(validator=validators.Number(gte=0))]


async def command(  # noqa: PLR0913 - each is an option of its own
    *,
    input: Path | None = None,  # noqa: A002 - the option's name
    out: Path | None = None,
    workers: AtLeastOne = 2,
    slots: AtLeastOne = 4,
    port: Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65_535))] = 8080,
    db: Path | None = None,
    limit: AtLeastOne | None = None,
    step_ms: NotNegative = 60,
    fast: Annotated[bool, Parameter(negative="")] = False,
    exit: Annotated[bool, Parameter(negative="")] = False,  # noqa: A002 - the option's name
    browser: bool = False,
    json: Json = False,
) -> int:
    """Draw sprites from a list of prompts, with worker processes and a dashboard.

    Every row is a job of its own: a bad row fails alone. The pictures are drawn by rules, not by a model, and
    each of a picture's seven steps is followed by a sleep (see --step-ms) so that a person can watch. Two tenants
    take turns by weight, and every eighth row goes to a slower task, of which two run at once.

    Args:
        input: A CSV file with a header (prompt,size,seed,palette), or JSON Lines; 300 prompts by default.
        out: The folder of the pictures; stanchion-demo/sprites by default.
        workers: Worker processes. Kill one with kill -9 and see its jobs taken over.
        slots: Jobs that each of them draws at once.
        port: The dashboard's port on 127.0.0.1; the next free one is taken where it is in use.
        db: The SQLite file, which must not exist yet; stanchion-demo/demo.db by default, made anew.
        limit: Only so many rows.
        step_ms: Sleep after each step, in ms.
        fast: No sleep: as fast as this machine draws.
        exit: End when all is drawn, instead of leaving the dashboard up until Ctrl-C.
        browser: Open the dashboard in a browser.
        json: JSON lines instead of a display.
    """
    logs(level="critical", json=json)  # what happens is told on standard output
    rows = _rows(input, limit)
    with place(db, out) as where:
        app = load_app(TARGET, url=where.url)
        demo = Demo(app, where, rows, json=json, step_ms=0 if fast else step_ms)
        options = ChildOptions(target=TARGET, url=where.url, slots=slots, grace=_GRACE, log_level="error")
        async with app:
            return await demo.run(port, options, workers, leave=exit, browser=browser)


def _rows(file: Path | None, limit: int | None) -> list[Row]:
    """Return the rows to draw.

    Raises:
        NotFoundError: There is no such file.
        UsageError: The file is no list of prompts, or an empty one.
    """
    if file is not None and not file.exists():
        message = f"There is no file {file}."
        raise NotFoundError(message, remedy="Check the name, or leave --input out for the demo's own prompts.")
    try:
        with resources.as_file(resources.files("stanchion.demo") / "prompts.csv") as own:
            rows = list(itertools.islice(read_rows(file or own), limit))
    except InputError as error:
        raise UsageError(error.message, remedy=error.remedy) from error
    if not rows:
        message = f"{file} has no row."
        raise UsageError(message, remedy="Write one prompt a line under the header.")
    return rows


class Demo:
    """One run."""

    def __init__(self, app: Stanchion, where: Place, rows: Sequence[Row], *, json: bool, step_ms: int) -> None:
        self._app, self._where, self._rows, self._step_ms = app, where, rows, step_ms
        self._json = json
        self._view: View = view(json=json)
        self._began = time.monotonic()
        self._died: dict[int, str] = {}

    async def run(self, port: int, options: ChildOptions, workers: int, *, leave: bool, browser: bool) -> int:
        """Draw all rows, then leave the dashboard up."""
        web = Web(self._app, HOST, listen_near(HOST, port))
        supervisor = crew(self._app, options, processes=workers, on_event=self._happened)
        follower = Follower(self._app, self._where.pictures, len(self._rows), await self._app.store.tail())
        with on_signals(self._view.tell, "stopping (once more to stop at once)") as stop:
            stop.on_hard = lambda: end(supervisor)
            self._greet(web, port, workers)
            serving = asyncio.create_task(web.run())
            working = asyncio.create_task(supervisor.run(stop.asked))
            if browser:
                await asyncio.to_thread(webbrowser.open, web.url)
            try:
                complete = await self._draw(follower, [serving, working], stop)
                self._sum_up(follower, web)
                if complete and not leave:
                    self._view.tell(f"The dashboard stays up at {web.url} until Ctrl-C.")
                    await _first([serving, working], stop)
            finally:
                stop.asked.set()
                try:
                    await working
                finally:
                    web.close()
                    await serving
        return exits.OK if complete and not stop.hard else exits.INTERRUPTED

    def _greet(self, web: Web, port: int, workers: int) -> None:
        if port and web.bound.getsockname()[1] != port:
            self._view.tell(f"Port {port} is in use; the dashboard takes the next free one.")
        self._view.tell(f"dashboard  {web.url}", dashboard=web.url)
        self._view.tell(f"pictures   {self._where.pictures}", out=str(self._where.pictures))
        self._view.tell(f"{len(self._rows)} rows, {workers} worker processes", rows=len(self._rows), workers=workers)
        shares = " and ".join(f"{name} (weight {weight})" for name, weight in TENANTS.items())
        self._view.tell(f"{shares} take turns; of the slower task, at most {AT_ONCE} run at once")
        if self._step_ms:
            self._view.tell(f"Each step sleeps {self._step_ms} ms so that you can watch; --fast draws without.")

    async def _draw(self, follower: Follower, others: list[asyncio.Task[None]], stop: Stop) -> bool:
        """Enqueue and follow to the end; False where it was stopped before."""
        drawing = asyncio.gather(self._enqueue(), follower.run())
        showing = asyncio.create_task(self._view.run(follower))
        try:
            await _first([asyncio.ensure_future(drawing), *others], stop)
            if drawing.done():
                drawing.result()
            return drawing.done()
        finally:
            drawing.cancel()
            showing.cancel()
            with suppress(asyncio.CancelledError):
                await drawing
            await asyncio.gather(showing, return_exceptions=True)
            while not follower.ended.empty():
                self._view.done(follower.ended.get_nowait())

    async def _enqueue(self) -> None:
        await self._share()
        numbered = list(enumerate(self._rows, start=1))
        for start in range(0, len(numbered), BATCH):
            await self._app.submit([self._submission(n, row) for n, row in numbered[start : start + BATCH]])

    async def _share(self) -> None:
        """Say how the tenants share the queue, and how many of the slower task may run."""
        for name, weight in TENANTS.items():
            await self._app.tenants.set(name, weight=weight)
        await self._app.limits.set(PROVIDER, running=AT_ONCE)

    def _submission(self, number: int, row: Row) -> Submission:
        task = "commissioned" if number % COMMISSIONED == 0 else "sprite"
        # The order turns with each slower row, so that each tenant has its part of them.
        tenant = tuple(TENANTS)[(number // COMMISSIONED + number) % len(TENANTS)]
        return Submission(task, self._args(number, row), JobOptions(tenant=tenant))

    def _args(self, number: int, row: Row) -> dict[str, Any]:
        return {
            "prompt": row.prompt,
            "size": row.size,
            "seed": row.seed,
            "palette": row.palette,
            "row": number,
            "problem": row.problem,
            "step_ms": self._step_ms,
        }

    def _happened(self, event: str, facts: dict[str, Any]) -> None:
        """Tell of a worker that died: first its jobs are given to others, then its death is reported."""
        if event == "rescued":
            self._died[facts["pid"]] = f"{facts['jobs']} of its jobs were taken over"
        elif event == "died":
            jobs = self._died.pop(facts["pid"], "it ran no job")
            self._view.tell(
                f"worker process {facts['pid']} died ({facts['how']}), {jobs}; another is started", worker=facts
            )

    def _sum_up(self, follower: Follower, web: Web) -> None:
        first = follower.tally.first_picture
        facts: dict[str, Any] = {
            "first_picture": None if first is None else first - self._began,
            "out": str(self._where.pictures),
            "database": str(self._where.database),
            "dashboard": web.url,
        }
        summary(follower.tally, facts, json=self._json)


async def _first(tasks: Sequence[asyncio.Future[Any]], stop: Stop) -> None:
    """Wait for the first of some tasks to end, or for a stop; an error among them is raised."""
    stopping = asyncio.ensure_future(stop.asked.wait())
    try:
        done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    for task in done:
        if (error := task.exception()) is not None:
            raise error
