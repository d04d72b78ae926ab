"""Warm models first: what a claim prefers, and whom it passes over; see `domain.affinity`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from stanchion.domain import affinity
from stanchion.domain.affinity import DEEP, DEFAULT, LANES, SHARES, Line, Pass, Seen, Warm
from stanchion.stores.sqlite import affinity_statements as sql
from stanchion.stores.sqlite import statements
from stanchion.stores.sqlite.fetch import every
from stanchion.stores.sqlite.workers import names_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stanchion.domain.affinity import Choice, Passes
    from stanchion.domain.units import Turn
    from stanchion.store import Want
    from stanchion.stores.sqlite.lanes import Lanes
    from stanchion.stores.sqlite.line import Band, Lane, Share
    from stanchion.stores.sqlite.writer import Tx


class Pick(NamedTuple):
    """The lane that starts a job out of its turn, and what is kept of those it goes past, by lane.

    Both it and its tenant were taken out of line; `front` is the turn of the tenant that was first.
    """

    share: Share
    lane: Lane
    front: Turn
    passed: dict[int, Passes]


class Heat:
    """What is loaded where a claim's jobs will run, as it changes with each that starts."""

    __slots__ = ("_changed", "_lanes", "_others", "_passed", "_tx", "_warm", "_worker")

    def __init__(self, tx: Tx, lanes: Lanes, want: Want, worker: int) -> None:
        self._tx, self._lanes, self._worker = tx, lanes, worker
        self._others: frozenset[str] | None = None
        self._warm = Warm(sorted(want.warm))
        self._passed: dict[int, Passes] = {}
        self._changed: dict[int, Passes] = {}

    def pick(self, band: Band, elsewhere: int) -> Pick | None:
        """Take out the lane that starts a job in place of the one whose turn it is; None: that one does.

        Args:
            band: Whose turn it is among the queues.
            elsewhere: The job with which the turn of another queue begins.
        """
        if not self._warm:
            return None
        share = band.first()
        lane = None if share is None else share.lane(self._tx)
        if lane is None or not self._warm.cold(lane.model):
            return None
        bound = self._lanes.rules(self._tx).affinity.get(band.queue, DEFAULT)
        if bound.off:
            return None
        looked: list[tuple[Share, list[Lane]]] = []
        choice = affinity.choose(self._lines(band, looked), self._warm.models, bound, self._tx.now, elsewhere)
        if choice is not None:
            chosen = looked[choice.line][1][choice.lane].model
            choice = None if chosen and affinity.crowded(lane.model, chosen, self._elsewhere()) else choice
        for number, (other, _) in enumerate(looked):
            if choice is None or number != choice.line:
                band.give_back(other, 0)
        return None if choice is None else self._picked(choice, looked)

    def _lines(self, band: Band, looked: list[tuple[Share, list[Lane]]]) -> Iterator[Line]:
        while len(looked) < SHARES and (share := band.pop()) is not None:
            lanes, more = share.ahead(self._tx, LANES)
            looked.append((share, lanes))
            heads = [Seen(lane.head, lane.model, self._of(lane)) for lane in lanes]
            step = min(band.price(share, lane)[0] for lane in lanes)
            yield Line(share.turn, share.since, step, heads, more)

    def _elsewhere(self) -> frozenset[str]:
        """Return what the other workers have loaded."""
        if self._others is None:
            found = every(self._tx.db, sql.OTHERS_WARM, (self._worker,))
            self._others = frozenset(model for (text,) in found for model in names_of(text) or ())
        return self._others

    def _picked(self, choice: Choice, looked: list[tuple[Share, list[Lane]]]) -> Pick:
        share, lanes = looked[choice.line]
        chosen = lanes[choice.lane]
        passed: dict[int, Passes] = {}
        for line, place, count in choice.passed:
            lane = looked[line][1][place]
            upto = chosen.head if count is None else self._last(lane, count)
            passed[lane.id] = (*affinity.past(self._of(lane), lane.head), Pass(upto, self._tx.now))
        share.take_out(chosen)
        return Pick(share, chosen, looked[0][0].turn, passed)

    def _last(self, lane: Lane, count: int) -> int:
        """Return the last of a lane's first jobs; where it has fewer, or they are many, the last job there is."""
        rows = every(self._tx.db, statements.RUN, (lane.id, lane.head, count)) if count <= DEEP else []
        return int(rows[-1][0]) if len(rows) == count else self._tx.seq

    def _of(self, lane: Lane) -> Passes:
        found = self._passed.get(lane.id)
        if found is None:
            found = self._passed[lane.id] = affinity.of_text(lane.passed)
        return found

    def started(self, lane: Lane, picked: Pick | None) -> None:
        """Note that a job of a lane starts, and whom it went past."""
        self._warm.use(lane.model)
        if picked is not None:
            self._passed |= picked.passed
            self._changed |= picked.passed

    def write(self) -> None:
        """Keep who was passed over."""
        if self._changed:
            rows = [(affinity.text_of(passes), lane) for lane, passes in self._changed.items()]
            self._tx.db.executemany(sql.SET_PASSED, rows)
            self._changed.clear()

    def tell(self, known: str) -> None:
        """Keep what the worker has loaded, where that is not what is known of it."""
        text = json.dumps(sorted(self._warm.models), ensure_ascii=False) if self._warm.models else ""
        if text != known or self._warm.swaps:
            self._tx.db.execute(sql.SET_WARM, (text, self._warm.swaps, self._worker))
