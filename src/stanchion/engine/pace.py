"""How often a watcher hears of progress, previews and places: the rates, and what was said last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.job import FINAL, State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from stanchion.domain.job import Job, Progress
    from stanchion.domain.outlook import Serving
    from stanchion.domain.units import JobId
    from stanchion.store import Place

PROGRESS_EVERY: Final = 0.25
PREVIEW_EVERY: Final = 0.5
PLACES_EVERY: Final = 0.5
_NEVER: Final = float("-inf")
_IDLE: Final = float("inf")
_MAX_KEPT: Final = 20_000
_SHARE: Final = 10
"""Asking for places takes at most a tenth of the time."""


@dataclass(slots=True)
class _Said:
    progress: Progress | None = None
    progress_at: float = _NEVER
    preview: int | None = None
    preview_at: float = _NEVER
    due_at: float = _NEVER


class Step(NamedTuple):
    """What to tell of a job now."""

    progress: bool
    preview: bool


class Pace:
    """Coalesces live notes: at most four progress reports and two previews a second for each job."""

    def __init__(self) -> None:
        self._said: dict[JobId, _Said] = {}
        self._changed: set[JobId] = set()

    def forget(self) -> None:
        """Start anew."""
        self._said.clear()
        self._changed.clear()

    def drop(self, job_id: JobId) -> None:
        """Forget a job that ended."""
        self._said.pop(job_id, None)
        self._changed.discard(job_id)

    def changed(self, ids: Iterable[JobId]) -> None:
        """Note jobs whose progress or preview changed."""
        self._changed.update(ids)

    def due(self, now: float) -> set[JobId]:
        """Return the changed jobs of which something may be told now."""
        return {job_id for job_id in self._changed if self._at(job_id) <= now}

    def due_in(self, now: float) -> float:
        """Return in how many seconds something may be told; infinity where nothing changed."""
        return min((self._at(job_id) - now for job_id in self._changed), default=_IDLE)

    def _at(self, job_id: JobId) -> float:
        said = self._said.get(job_id)
        return _NEVER if said is None else said.due_at

    def step(self, job: Job, now: float) -> Step:
        """Return what to tell of a job as it stands, and remember that it was told."""
        if job.state is not State.RUNNING:
            self.drop(job.id)
            return Step(progress=False, preview=False)
        if len(self._said) > _MAX_KEPT:
            self._said.clear()
        said = self._said.setdefault(job.id, _Said())
        new_progress = job.progress is not None and job.progress != said.progress
        new_preview = job.preview_revision is not None and job.preview_revision != said.preview
        progress = new_progress and now >= said.progress_at + PROGRESS_EVERY
        preview = new_preview and now >= said.preview_at + PREVIEW_EVERY
        if progress:
            said.progress, said.progress_at = job.progress, now
        if preview:
            said.preview, said.preview_at = job.preview_revision, now
        held = [said.progress_at + PROGRESS_EVERY] * (new_progress and not progress)
        held += [said.preview_at + PREVIEW_EVERY] * (new_preview and not preview)
        said.due_at = min(held, default=min(said.progress_at + PROGRESS_EVERY, said.preview_at + PREVIEW_EVERY))
        if not held:
            self._changed.discard(job.id)
        return Step(progress, preview)


class Places:
    """The places in line that watchers were told, when to ask anew, and which jobs run."""

    def __init__(self) -> None:
        self._told: dict[JobId, Place | None] = {}
        self._still: set[JobId] = set()
        self.running: set[JobId] = set()
        self._at = _NEVER
        self._every = PLACES_EVERY
        self._moved = True
        self._serving: tuple[Serving, ...] | None = None

    def forget(self) -> None:
        """Start anew."""
        self._told.clear()
        self._still.clear()
        self.running.clear()
        self._moved = True
        self._serving = None

    def ask(self) -> None:
        """Ask in the next round: somebody new watches."""
        self._moved = True

    def wanted(self, watched: Collection[JobId]) -> list[JobId]:
        """Return the watched jobs that are not known to run or to have ended."""
        gone = (self._told.keys() | self._still) - set(watched) if len(self._told) > 2 * len(watched) + 100 else ()
        for job_id in gone:
            self._told.pop(job_id, None)
            self._still.discard(job_id)
            self.running.discard(job_id)
        return [job_id for job_id in watched if job_id not in self._still]

    def seen(self, job: Job, state: State, place: Place | None) -> None:
        """Note an event of a job: a running or ended one has no place to ask for."""
        self._runs(job.id, runs=state is State.RUNNING)
        if state is State.RUNNING or state in FINAL:
            self._still.add(job.id)
            self._told.pop(job.id, None)
        else:
            self._still.discard(job.id)
            if place is not None:
                self._told[job.id] = place

    def _runs(self, job_id: JobId, *, runs: bool) -> None:
        (self.running.add if runs else self.running.discard)(job_id)

    def due_in(self, now: float) -> float:
        """Return in how many seconds places may be asked for; infinity where nothing moved."""
        return self._at + self._every - now if self._moved else _IDLE

    def due(self, now: float, *, moved: bool) -> bool:
        """Return whether to ask now: something moved, at most twice a second; or for long nothing was asked."""
        self._moved = self._moved or moved
        if now < self._at + (self._every if self._moved else 4 * self._every):
            return False
        self._at, self._moved = now, False
        return True

    def took(self, seconds: float) -> None:
        """Note how long asking took; a long line is asked for less often."""
        self._every = max(PLACES_EVERY, _SHARE * seconds)

    def news(self, job_id: JobId, place: Place | None) -> bool:
        """Return whether a place differs from what was told last, and remember it."""
        if place is None or (place.position is None and place.reason is None):
            self._still.add(job_id)
            return False
        if place.position == 0:
            self._still.add(job_id)
            self._runs(job_id, runs=True)
            return False
        changed = self._told.get(job_id) != place
        self._told[job_id] = place
        return changed

    def served(self, by: tuple[Serving, ...]) -> bool:
        """Return whether others serve the line than when places were told last, and remember who does."""
        changed = self._serving is not None and self._serving != by
        self._serving = by
        return changed

    def last(self, job_id: JobId) -> Place | None:
        """Return what was told last."""
        return self._told.get(job_id)
