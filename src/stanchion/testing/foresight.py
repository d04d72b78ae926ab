"""How good the time left is: what was said when a job joined the line, beside what came true."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.estimates import Durations, Ended
from stanchion.domain.eta import Line, eta
from stanchion.domain.turnover import turnover
from stanchion.testing.policies import fifo
from stanchion.testing.simulator import Simulation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stanchion.domain.eta import Eta
    from stanchion.domain.units import Millis
    from stanchion.testing.load import Request, Turn
    from stanchion.testing.simulator import Served

WARM: Final = 300
"""So many attempts are learned from before anything is said, where it is not a cold start that is tried."""


class Said(NamedTuple):
    """What was said of a job when it joined the line: the ranges, and what a plain average would have said."""

    job: Served
    eta: Eta
    plain: float


class Score(NamedTuple):
    """How what was said came true.

    Attributes:
        said: Of so many jobs something was said.
        start_p50: The share that started by the p50 of their start.
        start_p90: The share that started by the p90 of their start.
        end_p90: The share that had ended by the p90 of their end.
        error: The mean distance between the p50 of the start and the start, in ms.
        plain: The same for a plain average: jobs ahead times the mean duration of all jobs, by the number of slots.
        silent: Of so many jobs nothing could be said.
    """

    said: int
    start_p50: float
    start_p90: float
    end_p90: float
    error: float
    plain: float
    silent: int = 0


@dataclass(slots=True)
class Foresight:
    """Watches a first come, first served line: learns from each end, and says at arrivals what will be.

    Args:
        every: Of each so-manieth arrival that must wait something is said, once `warm` attempts have ended.
        warm: Before so many attempts have ended nothing is said.
        until: Nor is anything once so many have; None for no end.
    """

    every: int = 10
    warm: int = WARM
    until: int | None = None
    said: list[Said] = field(default_factory=list[Said])
    durations: Durations = field(default_factory=Durations)
    silent: int = 0
    _took: float = 0.0
    _ended: int = 0
    _seen: int = 0

    def play(self, requests: Iterable[Request], turns: Iterable[Turn]) -> None:
        """Play one load to its end, forgetting what was learned from another."""
        self.durations, self._took, self._ended = Durations(), 0.0, 0
        Simulation(requests, turns, fifo, arriving=self._arriving, ending=self._ending).run()

    def score(self) -> Score:
        """Return how what was said in all plays came true."""
        count = len(self.said) or 1
        waits = [(said, said.job.started - said.job.request.at) for said in self.said]
        ends = [(said, said.job.ended - said.job.request.at) for said in self.said]
        return Score(
            len(self.said),
            sum(wait <= said.eta.starts_in.p50 for said, wait in waits) / count,
            sum(wait <= said.eta.starts_in.p90 for said, wait in waits) / count,
            sum(end <= said.eta.finishes_in.p90 for said, end in ends) / count,
            sum(abs(wait - said.eta.starts_in.p50) for said, wait in waits) / count,
            sum(abs(wait - said.plain) for said, wait in waits) / count,
            self.silent,
        )

    def _arriving(self, simulation: Simulation, job: Served) -> None:
        running, slots = simulation.running, simulation.slots
        if self._ended < self.warm or (self.until is not None and self._ended >= self.until):
            return
        if slots == 0 or len(running) < slots:
            return
        self._seen += 1
        if self._seen % self.every:
            return
        line = Line(simulation.waiting, running, slots, turnover=turnover(simulation.lives))
        found = eta(job.request.work, line, self.durations)
        if found is None:
            self.silent += 1
        else:
            ahead = simulation.waiting.total() + 1
            self.said.append(Said(job, found, ahead * self._took / self._ended / slots))

    def _ending(self, simulation: Simulation, job: Served, took: Millis) -> None:
        self.durations = self.durations.learned([Ended(job.request.work, took)], simulation.now)
        self._took += took
        self._ended += 1
