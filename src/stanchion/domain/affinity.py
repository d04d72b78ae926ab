"""Warm models first, within a bound that is kept: which lane starts instead of the one whose turn it is.

Loading a model costs more than any place in line, so a worker prefers jobs whose model it has loaded (*warm*). A job
that needs another model is *passed over*; each pass is kept with the lane until the jobs that it concerned have
started, so that all workers together keep to one bound for each job: at most so many jobs go past it, and none once
so much time has gone by since the first did. Jobs without a model are neutral: they start in their turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.fairness import run
from stanchion.domain.units import DAY, SECOND

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from stanchion.domain.units import Instant, Millis, Turn

SHARES: Final = 8
"""So many tenants are looked at, from the one whose turn it is."""
LANES: Final = 8
"""So many lanes of each."""
DEEP: Final = 64
"""Where a tenant is further ahead of another than so many jobs, all its jobs count as passed over."""
MAX_JOBS: Final = 100
MAX_TIME: Final[Millis] = DAY


class Bound(NamedTuple):
    """How far affinity may go in a queue.

    Attributes:
        jobs: No job is passed over by more jobs than this; 0 switches affinity off.
        time: Nor once it was first passed over so long ago, in ms; 0 switches affinity off.
    """

    jobs: int = 8
    time: Millis = 30 * SECOND

    @property
    def off(self) -> bool:
        """Whether the line keeps its order."""
        return self.jobs == 0 or self.time == 0


DEFAULT: Final = Bound()


class Pass(NamedTuple):
    """One job that went past a lane: the last job of the lane that it went past, by its number, and when."""

    upto: int
    at: Instant


Passes = tuple[Pass, ...]


def past(passes: Passes, head: int) -> Passes:
    """Return the passes that concern a lane's oldest job."""
    return tuple(one for one in passes if one.upto >= head)


def spent(passes: Passes, head: int, bound: Bound, now: Instant) -> bool:
    """Return whether a lane's oldest job must not be passed over again."""
    found = past(passes, head)
    return len(found) >= bound.jobs or any(now - one.at >= bound.time for one in found)


def text_of(passes: Passes) -> str:
    """Return passes as a store may keep them."""
    return ",".join(f"{upto}@{at}" for upto, at in passes)


def of_text(text: str) -> Passes:
    """Return the passes that a text keeps."""
    return tuple(Pass(*map(int, one.split("@"))) for one in text.split(",")) if text else ()


class Seen(NamedTuple):
    """A lane that may start, as a choice sees it: its oldest job, its model ('': none), who went past it."""

    head: int
    model: str
    passes: Passes = ()


class Line(NamedTuple):
    """A tenant in line: its turn, what orders equal turns, its step, its first lanes by head, and whether it has more.

    The lanes are the first `LANES` at most. Where they differ in how far a job moves the turn, the step is the
    shortest, so that no fewer jobs are taken for passed over than are.
    """

    turn: Turn
    since: int
    step: Turn
    lanes: Sequence[Seen]
    more: bool


class Passed(NamedTuple):
    """A lane that is passed over: the place of its tenant among those looked at, and its own among the lanes.

    Of the lane's jobs that wait, the first `most` are passed over; where it is None, those that are older than the
    job that starts.
    """

    line: int
    lane: int
    most: int | None


class Choice(NamedTuple):
    """The lane that starts a job: the place of its tenant, its own among the lanes, and whom it passes over."""

    line: int
    lane: int
    passed: tuple[Passed, ...]


def choose(lines: Iterable[Line], warm: Collection[str], bound: Bound, now: Instant, before: int) -> Choice | None:
    """Return which lane starts a job in place of the first, whose model is not warm; None: the first does.

    Args:
        lines: The tenants in the order of their turns, `SHARES` at most; no more are drawn than are looked at.
        warm: What the worker has loaded.
        bound: How far affinity may go.
        now: The store's clock.
        before: No job with this number or a later one starts instead: there the turn of another queue begins.
    """
    seen: list[Line] = []
    found = _found(lines, seen, warm, before)
    if found is None:
        return None
    place, own = found
    chosen = seen[place]
    passed = [Passed(place, lane, None) for lane in range(own)]
    for number, line in enumerate(seen[:place]):
        count = run((line.turn, line.since), line.step, (chosen.turn, chosen.since), DEEP + 1)
        if line.more and count > len(line.lanes):
            return None  # it would pass over lanes that were not looked at
        passed += [Passed(number, lane, count) for lane in range(min(count, len(line.lanes)))]
    for one in passed:
        lane = seen[one.line].lanes[one.lane]
        if spent(lane.passes, lane.head, bound, now):
            return None
    return Choice(place, own, tuple(passed))


def crowded(first: str, chosen: str, others: Collection[str]) -> bool:
    """Return whether a worker should load the model that is due: nobody else has it, and another has its own.

    Without this, workers that came to have the same model keep it together until the bound drives one of them away,
    and then stay at the edge of the bound, where every second job needs another model.

    Args:
        first: The model of the lane whose turn it is.
        chosen: That of the lane that would start in its place.
        others: What other living workers have loaded.
    """
    return bool(chosen) and chosen in others and first not in others


def _found(lines: Iterable[Line], seen: list[Line], warm: Collection[str], before: int) -> tuple[int, int] | None:
    """Return the first lane that needs nothing loaded, provided that there is one whose model is warm."""
    first: tuple[int, int] | None = None
    for place, line in enumerate(lines):
        seen.append(line)
        for number, lane in enumerate(line.lanes):
            if lane.head >= before:
                break
            if lane.model in warm:
                return first or (place, number)
            if not lane.model and first is None:
                first = place, number
    return None


class Warm:
    """The models that are loaded, the one that was used longest ago first.

    Args:
        models: What is loaded, in that order.
        most: So many stay loaded; where left out, as many as there are now, and at least one.
    """

    __slots__ = ("_models", "_most", "swaps")

    def __init__(self, models: Iterable[str] = (), most: int | None = None) -> None:
        self._models = list(models)
        self._most = max(1, len(self._models)) if most is None else most
        self.swaps = 0
        """How often a model was used that was not loaded."""

    @property
    def models(self) -> frozenset[str]:
        """What is loaded."""
        return frozenset(self._models)

    def __bool__(self) -> bool:
        return bool(self._models)

    def cold(self, model: str) -> bool:
        """Return whether a job of this model would be dear here, while others would not."""
        return bool(model and self._models) and model not in self._models

    def use(self, model: str) -> None:
        """Note that a job of this model starts, or that the model was loaded; '' is none."""
        if not model:
            return
        if model in self._models:
            self._models.remove(model)
        else:
            self.swaps += 1
        self._models.append(model)
        del self._models[: -self._most]
