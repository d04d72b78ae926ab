"""How many jobs of a lane stand before one: counted where few wait, kept in memory where many do.

An index tells which job is next, but not the how-manieth one is. For deep lanes the reading thread keeps the
numbers of the queued jobs, and brings them up to date from the feed before each use.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Final

from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.fetch import every, only
from stanchion.stores.sqlite.rows import QUEUED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stanchion.stores.sqlite.fetch import Connection

DEEP: Final = 2_000
"""Lanes with more waiting jobs are kept in memory."""
BEHIND: Final = 50_000
"""After so many events it is cheaper to read a lane anew than to follow them."""
_BLOCK: Final = 1_000


class Numbers:
    """Sorted numbers in blocks: to add, to take away and to count those below takes some microseconds."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._blocks = [list(numbers[at : at + _BLOCK]) for at in range(0, len(numbers), _BLOCK)]
        self._firsts = [block[0] for block in self._blocks]

    def __len__(self) -> int:
        return sum(map(len, self._blocks))

    def below(self, number: int) -> int:
        """Return how many numbers are smaller."""
        place = self._place(number)
        if place < 0:
            return 0
        return sum(map(len, self._blocks[:place])) + bisect_left(self._blocks[place], number)

    def below_all(self, numbers: Iterable[int]) -> dict[int, int]:
        """Return the same for many, in one pass."""
        sums = [0]
        for block in self._blocks:
            sums.append(sums[-1] + len(block))
        found: dict[int, int] = {}
        for number in numbers:
            place = self._place(number)
            found[number] = 0 if place < 0 else sums[place] + bisect_left(self._blocks[place], number)
        return found

    def add(self, number: int) -> None:
        """Add a number; it may be there."""
        place = max(self._place(number), 0)
        if not self._blocks:
            self._blocks, self._firsts = [[number]], [number]
            return
        block = self._blocks[place]
        at = bisect_left(block, number)
        if at == len(block) or block[at] != number:
            insort(block, number)
            self._firsts[place] = block[0]
            if len(block) > 2 * _BLOCK:
                self._blocks[place : place + 1] = block[:_BLOCK], block[_BLOCK:]
                self._firsts[place : place + 1] = block[0], block[_BLOCK]

    def discard(self, number: int) -> None:
        """Take a number away; it may be absent."""
        place = self._place(number)
        if place < 0:
            return
        block = self._blocks[place]
        at = bisect_left(block, number)
        if at < len(block) and block[at] == number:
            del block[at]
            if block:
                self._firsts[place] = block[0]
            else:
                del self._blocks[place], self._firsts[place]

    def _place(self, number: int) -> int:
        """Return the block that holds a number, or would; -1 where it is before all."""
        at = bisect_left(self._firsts, number)
        return at if at < len(self._firsts) and self._firsts[at] == number else at - 1


class Ranks:
    """The queued jobs of deep lanes, as of the last snapshot; belongs to the thread that reads."""

    def __init__(self) -> None:
        self._lanes: dict[int, Numbers] = {}
        self._cursor = 0
        self._rules = -1

    def catch_up(self, db: Connection) -> None:
        """Follow the feed up to the snapshot that is being read."""
        top, floor, rules = only(db, sql.RANKS_AS_OF)
        if rules != self._rules or floor > self._cursor or top - self._cursor > BEHIND:
            self._lanes.clear()
        elif self._lanes:
            for seq, state, lane in every(db, sql.QUEUED_SINCE, (self._cursor,)):
                known = self._lanes.get(lane)
                if known is not None:
                    (known.add if state == QUEUED else known.discard)(seq)
        self._cursor, self._rules = top, rules

    def before(self, db: Connection, lane: int, waiting: int, seqs: Sequence[int]) -> dict[int, int]:
        """Return how many queued jobs of a lane have smaller numbers than each of these.

        Args:
            db: The connection whose snapshot `catch_up` has seen.
            lane: The lane.
            waiting: How many wait in it.
            seqs: Numbers of jobs; they need not be of this lane.
        """
        known = self._lanes.get(lane)
        if known is None:
            if waiting <= DEEP and len(seqs) == 1:
                return {seqs[0]: int(only(db, sql.BEFORE_IN_LANE, (lane, seqs[0]))[0])}
            known = Numbers([row[0] for row in every(db, sql.QUEUED_IN_LANE, (lane,))])
            if waiting > DEEP:
                self._lanes[lane] = known
        elif waiting <= DEEP // 2:
            del self._lanes[lane]
        return {seqs[0]: known.below(seqs[0])} if len(seqs) == 1 else known.below_all(seqs)
