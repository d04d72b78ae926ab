"""What the demo shows while it runs: a live display on a terminal, plain lines elsewhere, JSON lines where asked."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, Final, Protocol

from stanchion.cli import render
from stanchion.domain.job import State

if TYPE_CHECKING:
    from rich.console import Group

    from stanchion.cli.demo.follow import Ended, Follower, Tally

FRAME: Final = 0.125
PLAIN_EVERY: Final = 2.0


class View(Protocol):
    """How a demo is shown."""

    def tell(self, message: str, **facts: object) -> None:
        """Show something that happened."""
        ...

    async def run(self, follower: Follower) -> None:
        """Show the progress until cancelled."""
        ...

    def done(self, ended: Ended) -> None:
        """Show the end of a job, after `run` too."""
        ...


def view(*, json: bool) -> View:
    """Return the view that fits where standard output goes."""
    if json:
        return JsonView()
    return LiveView() if sys.stdout.isatty() else PlainView()


def _drain(follower: Follower) -> list[Ended]:
    found: list[Ended] = []
    while not follower.ended.empty():
        found.append(follower.ended.get_nowait())
    return found


def _failure(ended: Ended) -> str:
    return f"row {ended.row} {ended.state.value}: {ended.problem or 'no reason was kept'}"


class JsonView:
    """One line of JSON for all that happens."""

    def tell(self, message: str, **facts: object) -> None:
        """See `View.tell`."""
        render.line({"event": "note", "message": message, **facts})

    def done(self, ended: Ended) -> None:
        """See `View.done`."""
        render.line({"event": "ended", **ended._asdict()})

    async def run(self, follower: Follower) -> None:
        """See `View.run`."""
        while True:
            self.done(await follower.ended.get())


class PlainView:
    """A line now and then."""

    def tell(self, message: str, **facts: object) -> None:  # noqa: ARG002 - the facts are in the message
        """See `View.tell`."""
        render.say(message)

    def done(self, ended: Ended) -> None:
        """See `View.done`."""
        if ended.problem is not None:
            render.say(_failure(ended))

    async def run(self, follower: Follower) -> None:
        """See `View.run`."""
        tally, shown, passed = follower.tally, -1, PLAIN_EVERY
        while True:
            for ended in _drain(follower):
                self.done(ended)
            passed += PACE_PLAIN
            if passed >= PLAIN_EVERY and tally.finished != shown:
                shown, passed = tally.finished, 0.0
                render.say(
                    f"{shown}/{tally.total} ended, {tally.counts[State.RUNNING]} running, "
                    f"{tally.waiting} waiting, {tally.rate:.1f} jobs/s"
                )
            await asyncio.sleep(PACE_PLAIN)


PACE_PLAIN: Final = 0.25


class LiveView:
    """A display that is drawn anew, with what happened above it."""

    def tell(self, message: str, **facts: object) -> None:  # noqa: ARG002 - the facts are in the message
        """See `View.tell`."""
        render.say(message)

    def done(self, ended: Ended) -> None:
        """See `View.done`."""
        if ended.problem is not None:
            render.say(_failure(ended))

    async def run(self, follower: Follower) -> None:
        """See `View.run`."""
        from rich.live import Live  # noqa: PLC0415 - only on a terminal

        with Live(_frame(follower.tally), console=render.out(), auto_refresh=False, transient=True) as live:
            while True:
                for ended in _drain(follower):
                    self.done(ended)
                live.update(_frame(follower.tally), refresh=True)
                await asyncio.sleep(FRAME)


def _frame(tally: Tally) -> Group:
    from rich.console import Group  # noqa: PLC0415 - only on a terminal
    from rich.progress_bar import ProgressBar  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    bar = Table.grid(padding=(0, 1), expand=False)
    bar.add_row(
        ProgressBar(total=max(tally.total, 1), completed=tally.finished, width=40),
        Text(f"{tally.finished}/{tally.total}", style="bold"),
        Text(f"{tally.rate:.1f} jobs/s  {render.age(tally.elapsed)}", style="dim"),
    )
    counts = Table.grid(padding=(0, 3))
    shown: list[tuple[str, int]] = [("queued", tally.waiting)]
    shown += [(s.value, tally.counts[s]) for s in (State.RUNNING, State.COMPLETED, State.FAILED)]
    shown += [(s.value, tally.counts[s]) for s in (State.RETRYING, State.CANCELLED) if tally.counts[s]]
    counts.add_row(*(Text.assemble(render.word(name), f" {count}") for name, count in shown))
    last = Table.grid(padding=(0, 2))
    for ended in reversed(tally.last):
        last.add_row(
            render.word(ended.state.value),
            f"{ended.row}",
            Text(render.plain(ended.prompt), overflow="ellipsis", no_wrap=True),
            Text(render.age(ended.seconds), style="dim"),
        )
    return Group("", bar, "", counts, "", last)


def summary(tally: Tally, facts: dict[str, Any], *, json: bool) -> None:
    """Print what came of it."""
    times = tally.times()
    rate = tally.finished / tally.elapsed if tally.elapsed else 0.0
    if json:
        counts = {state.value: tally.counts[state] for state in State}
        record = {"event": "summary", "jobs": tally.total, "counts": counts, "saved": tally.saved, **facts}
        render.line({**record, **times, "jobs_per_second": rate, "seconds": tally.elapsed})
        return
    ended = f"{tally.counts[State.COMPLETED]} completed, {tally.counts[State.FAILED]} failed"
    cancelled = tally.counts[State.CANCELLED]
    rows = [
        ("jobs", f"{tally.total}: {ended}" + (f", {cancelled} cancelled" if cancelled else "")),
        ("wait", f"p50 {render.age(times['wait_p50']) or 'none'}, p95 {render.age(times['wait_p95']) or 'none'}"),
        ("run", f"p50 {render.age(times['run_p50']) or 'none'}, p95 {render.age(times['run_p95']) or 'none'}"),
        ("rate", f"{rate:.1f} jobs/s over {render.age(tally.elapsed)}"),
        ("first picture", f"after {render.age(facts['first_picture'])}" if facts["first_picture"] else "none"),
        ("pictures", f"{tally.saved} in {facts['out']}"),
        ("database", facts["database"]),
        ("dashboard", facts["dashboard"]),
    ]
    render.table(("", ""), rows, title="The demo")
