"""Following the demo's jobs: counts, times, and a picture in the folder for every job that completes."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from stanchion.domain.job import FINAL, State
from stanchion.domain.progress import quantile
from stanchion.errors import StanchionError

if TYPE_CHECKING:
    from pathlib import Path

    from stanchion.app import Stanchion
    from stanchion.domain.job import Event, Job
    from stanchion.domain.query import Cursor
    from stanchion.domain.units import Instant, JobId

PACE: Final = 0.1
"""Seconds between looks at the feed."""
WINDOW: Final = 5.0
"""Seconds over which the rate is taken."""


class Ended(NamedTuple):
    """A job that ended."""

    row: int
    prompt: str
    state: State
    seconds: float
    problem: str | None


@dataclass(slots=True)
class Tally:
    """What is known of all jobs of the demo."""

    total: int
    states: dict[JobId, State] = field(default_factory=dict[str, State])
    counts: Counter[State] = field(default_factory=Counter[State])
    waits: list[float] = field(default_factory=list[float])
    runs: list[float] = field(default_factory=list[float])
    last: deque[Ended] = field(default_factory=lambda: deque[Ended](maxlen=6))
    stamps: deque[float] = field(default_factory=deque[float])
    saved: int = 0
    first_picture: float | None = None
    began: float = field(default_factory=time.monotonic)
    over: float | None = None

    @property
    def finished(self) -> int:
        """How many ended."""
        return sum(self.counts[state] for state in FINAL)

    @property
    def waiting(self) -> int:
        """How many have not started."""
        return self.total - self.finished - self.counts[State.RUNNING]

    @property
    def elapsed(self) -> float:
        """Seconds from the start to now, or to the last end."""
        return (self.over or time.monotonic()) - self.began

    @property
    def rate(self) -> float:
        """Jobs that ended in a second, lately."""
        now = time.monotonic()
        while self.stamps and self.stamps[0] < now - WINDOW:
            self.stamps.popleft()
        return len(self.stamps) / min(max(self.elapsed, 0.1), WINDOW)

    def times(self) -> dict[str, float | None]:
        """Return wait and run at p50 and p95, in seconds."""
        waits, runs = sorted(self.waits), sorted(self.runs)
        return {
            f"{name}_{label}": quantile(values, q)
            for name, values in (("wait", waits), ("run", runs))
            for label, q in (("p50", 0.5), ("p95", 0.95))
        }


class Follower:
    """Reads the feed of changes, so that nothing is missed, and fetches what completed."""

    def __init__(self, app: Stanchion, folder: Path, total: int, since: Cursor) -> None:
        self._app, self._folder, self._since = app, folder, since
        self.tally = Tally(total)
        self.ended: asyncio.Queue[Ended] = asyncio.Queue()
        self._born: dict[JobId, Instant] = {}
        self._started: dict[JobId, Instant] = {}

    async def run(self) -> None:
        """Follow until every job has ended."""
        while self.tally.finished < self.tally.total:
            changes = await self._app.store.changes(self._since)
            self._since = changes.cursor
            ended = [event for event in changes.events if self._take(event)]
            if ended:
                await self._fetch([event.id for event in ended])
            if not changes.more:
                await asyncio.sleep(PACE)
        self.tally.over = time.monotonic()

    def _take(self, event: Event) -> bool:
        """Count a change; return whether the job ended for the first time."""
        tally, before = self.tally, self.tally.states.get(event.id)
        if before is not None:
            tally.counts[before] -= 1
        tally.states[event.id] = event.state
        tally.counts[event.state] += 1
        if event.state is State.RUNNING:
            self._started[event.id] = event.at
            if (born := self._born.pop(event.id, None)) is not None:
                tally.waits.append((event.at - born) / 1000)
        elif event.state not in FINAL:
            self._born.setdefault(event.id, event.at)
        return event.state in FINAL and before not in FINAL

    async def _fetch(self, ids: list[JobId]) -> None:
        for job in await self._app.store.inspect(ids):
            if job is None:
                continue
            ran = self._started.pop(job.id, None)
            seconds = (job.ended_at - ran) / 1000 if job.ended_at is not None and ran is not None else 0.0
            if job.state is State.COMPLETED:
                self.tally.runs.append(seconds)
            given: dict[str, Any] = msgspec.json.decode(job.args)
            problem = job.error.message if job.error is not None and job.state is State.FAILED else None
            if job.state is State.COMPLETED:
                problem = await asyncio.to_thread(self._save, job)
            ended = Ended(given["row"], given["prompt"], job.state, seconds, problem)
            self.tally.stamps.append(time.monotonic())
            self.tally.last.append(ended)
            self.ended.put_nowait(ended)

    def _save(self, job: Job) -> str | None:
        """Copy a job's picture into the folder; return why not."""
        try:
            facts: dict[str, Any] = msgspec.json.decode(job.result or b"{}")["$artifact"]
            shutil.copyfile(self._app.artifacts.path(facts["sha256"]), self._folder / facts["name"])
        except (OSError, KeyError, StanchionError) as error:
            return f"its picture could not be written: {error}"
        self.tally.saved += 1
        if self.tally.first_picture is None:
            self.tally.first_picture = time.monotonic()
        return None
