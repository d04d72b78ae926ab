"""The line of a tenant whose jobs move its turn by different steps, kept in blocks of some hundred jobs.

What each job costs follows from its lane, and changes with what is learned; so it is not kept, and reckoned for whole
blocks at a time: how many jobs of each lane a block has says how far it moves the turn. Only the blocks that are asked
about are looked at job by job. Lanes that wait for a limit are kept too, and move nothing while they do.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from itertools import accumulate, compress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from stanchion.domain.units import Turn

BLOCK: Final = 500


class Uneven:
    """The queued jobs (number and lane) of a tenant in a band; to add one or to take one away costs a block."""

    def __init__(self, jobs: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(jobs)
        self._blocks = [_Block(ordered[at : at + BLOCK]) for at in range(0, len(ordered), BLOCK)]
        self._firsts = [block.seqs[0] for block in self._blocks]
        self.lanes = Counter(lane for _, lane in ordered)

    def add(self, seq: int, lane: int) -> None:
        """Add a job; it may be there."""
        if not self._blocks:
            self._blocks, self._firsts = [_Block([(seq, lane)])], [seq]
            self.lanes[lane] += 1
            return
        place = max(bisect_right(self._firsts, seq) - 1, 0)
        block = self._blocks[place]
        at = bisect_left(block.seqs, seq)
        if at == len(block.seqs) or block.seqs[at] != seq:
            block.seqs.insert(at, seq)
            block.of.insert(at, lane)
            block.lanes[lane] += 1
            self.lanes[lane] += 1
            self._firsts[place] = block.seqs[0]
            if len(block.seqs) > 2 * BLOCK:
                jobs = list(zip(block.seqs, block.of, strict=True))
                self._blocks[place : place + 1] = _Block(jobs[:BLOCK]), _Block(jobs[BLOCK:])
                self._firsts[place : place + 1] = jobs[0][0], jobs[BLOCK][0]

    def discard(self, seq: int) -> None:
        """Take a job away; it may be absent."""
        place = bisect_right(self._firsts, seq) - 1
        if place < 0:
            return
        block = self._blocks[place]
        at = bisect_left(block.seqs, seq)
        if at < len(block.seqs) and block.seqs[at] == seq:
            lane = block.of[at]
            del block.seqs[at], block.of[at]
            block.lanes[lane] -= 1
            self.lanes[lane] -= 1
            if block.seqs:
                self._firsts[place] = block.seqs[0]
            else:
                del self._blocks[place], self._firsts[place]

    def view(self, turn: Turn, steps: Mapping[int, Turn]) -> View:
        """Return the line as it stands.

        Args:
            turn: The tag of the first job.
            steps: How far a job of each lane moves the turn; lanes that are not named wait for a limit.
        """
        return View(self._blocks, self._firsts, turn, steps)


class _Block:
    """Some jobs that follow each other: their numbers, their lanes, and how many are of each lane."""

    __slots__ = ("lanes", "of", "seqs")

    def __init__(self, jobs: list[tuple[int, int]]) -> None:
        self.seqs = [seq for seq, _ in jobs]
        self.of = [lane for _, lane in jobs]
        self.lanes = Counter(self.of)


class View:
    """A line as it stands: the tags of its jobs, and how many come before one; it lasts for one look."""

    def __init__(self, blocks: list[_Block], firsts: list[int], turn: Turn, steps: Mapping[int, Turn]) -> None:
        self._blocks, self._firsts, self._turn, self._steps = blocks, firsts, turn, steps
        moved, jobs = [0], [0]
        for block in blocks:
            moved.append(moved[-1] + sum(steps.get(lane, 0) * count for lane, count in block.lanes.items()))
            jobs.append(jobs[-1] + sum(count for lane, count in block.lanes.items() if lane in steps))
        self._moved, self._jobs = moved, jobs
        self._within: dict[int, tuple[list[Turn], list[int]]] = {}

    @property
    def jobs(self) -> int:
        """How many jobs wait and may start."""
        return self._jobs[-1]

    def tags(self) -> Iterator[Turn]:
        """Give the tags of all its jobs, in order."""
        for block, moved in zip(self._blocks, self._moved, strict=False):
            steps = [self._steps.get(lane, 0) for lane in block.of]
            yield from compress(accumulate(steps, initial=self._turn + moved), steps)

    def tag(self, seq: int) -> Turn:
        """Return the tag of a job that waits and may start."""
        place = bisect_right(self._firsts, seq) - 1
        return self._turn + self._moved[place] + self._block(place)[0][bisect_left(self._blocks[place].seqs, seq)]

    def ahead(self, tag: Turn) -> int:
        """Return how many jobs start before a tag."""
        lead = tag - self._turn
        place = bisect_left(self._moved, lead) - 1
        if place < 0:
            return 0
        if place == len(self._blocks):
            return self._jobs[-1]
        moved, jobs = self._block(place)
        return self._jobs[place] + jobs[bisect_left(moved, lead - self._moved[place])]

    def _block(self, place: int) -> tuple[list[Turn], list[int]]:
        """Return of each place in a block, and of its end, how far the turn was moved before it, and by how many."""
        found = self._within.get(place)
        if found is None:
            steps = [self._steps.get(lane, 0) for lane in self._blocks[place].of]
            found = list(accumulate(steps, initial=0)), list(accumulate(map(bool, steps), initial=0))
            self._within[place] = found
        return found
