"""How many jobs of a lane stand before one: counted where few wait, kept in memory where many do.

An index tells which job is next, but not the how-manieth one is. For deep lanes, and for tenants
whose jobs cost differently, the reading thread keeps the numbers of the queued jobs, and brings them up to date from
the feed before each use.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import chain, count
from typing import TYPE_CHECKING, Final

from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.costs import Prices
from stanchion.stores.sqlite.fetch import every, only
from stanchion.stores.sqlite.rows import QUEUED
from stanchion.stores.sqlite.uneven import Uneven

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stanchion.stores.sqlite.fetch import Connection

DEEP: Final = 2_000
"""Lanes with more waiting jobs are kept in memory; with fewer, where many jobs are asked about at once."""
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

    def below_all(self, numbers: Sequence[int]) -> dict[int, int]:
        """Return the same for many, in one pass."""
        if 4 * len(numbers) >= len(self):
            places = dict(zip(chain.from_iterable(self._blocks), count()))
            if all(map(places.__contains__, numbers)):
                return {number: places[number] for number in numbers}
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
        self._shares: dict[int, Uneven] = {}
        self._share_of: dict[int, int] = {}
        self.prices = Prices()
        self._cursor = 0
        self._rules = -1

    def catch_up(self, db: Connection) -> None:
        """Follow the feed up to the snapshot that is being read."""
        top, floor, rules = only(db, sql.RANKS_AS_OF)
        if rules != self._rules or floor > self._cursor or top - self._cursor > BEHIND:
            self._lanes.clear()
            self._shares.clear()
            self._share_of.clear()
        elif self._lanes or self._shares:
            for seq, state, lane in every(db, sql.QUEUED_SINCE, (self._cursor,)):
                known = self._lanes.get(lane)
                if known is not None:
                    (known.add if state == QUEUED else known.discard)(seq)
                line = self._shares.get(self._share_of.get(lane, -1))
                if line is not None and state == QUEUED:
                    line.add(seq, lane)
                elif line is not None:
                    line.discard(seq)
        self._cursor, self._rules = top, rules

    def uneven(self, db: Connection, share: int, waiting: Mapping[int, int]) -> Uneven:
        """Return the line of a tenant whose jobs cost differently; it is followed from then on.

        Args:
            db: The connection whose snapshot `catch_up` has seen.
            share: The tenant in its band.
            waiting: How many wait in each of its lanes that may start.
        """
        line = self._shares.get(share)
        if line is None or any(line.lanes[lane] != count for lane, count in waiting.items()):
            lanes = {*waiting, *(row[0] for row in every(db, sql.HELD_OF_SHARE, (share,)))}
            line = Uneven((row[0], lane) for lane in lanes for row in every(db, sql.QUEUED_IN_LANE, (lane,)))
            self._shares[share] = line
            self._share_of.update(dict.fromkeys(lanes, share))
        return line

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
            if waiting > (DEEP if len(seqs) == 1 else DEEP // 32):
                self._lanes[lane] = known
        elif waiting <= DEEP // 64:
            del self._lanes[lane]
        return {seqs[0]: known.below(seqs[0])} if len(seqs) == 1 else known.below_all(seqs)
