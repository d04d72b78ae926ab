"""Who stands before whom in a band: how many jobs start before each of some, without looking at each of them.

Jobs start in the order of their tags; where all jobs of a tenant move its turn alike, these are `turn + k·step`. Of two
equal tags the tenant goes first that joined the line first; `scaled` puts that into the numbers, so that none are.
For many jobs at once the tags are swept in order: between two of them only sums and the remainders of the turns by the
step are looked at.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from stanchion.domain.fairness import before

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stanchion.domain.units import Turn

FEW: Final = 8
"""So many tags are looked up one by one."""


class Line(Protocol):
    """A tenant in line, whatever its jobs cost."""

    @property
    def jobs(self) -> int:
        """How many jobs wait and may start."""
        ...

    def tags(self) -> Iterable[Turn]:
        """Return the tags of all its jobs, in order."""
        ...

    def ahead(self, tag: Turn) -> int:
        """Return how many of its jobs start before a tag."""
        ...


class Even(NamedTuple):
    """A tenant in line whose jobs all move its turn alike: the tag of its first job, that step, and how many wait."""

    turn: Turn
    step: Turn
    jobs: int

    def tags(self) -> range:
        """Return the tags of all its jobs, in order."""
        return range(self.turn, self.turn + self.step * self.jobs, self.step)

    def ahead(self, tag: Turn) -> int:
        """Return how many of its jobs start before a tag."""
        return min(self.jobs, before(tag - self.turn, self.step, equal=False))


def scaled(turns: Mapping[int, tuple[Turn, int]]) -> tuple[int, dict[int, Turn]]:
    """Return by how much steps are to be multiplied, and the tag of each tenant's first job in those units.

    Args:
        turns: The turn of each tenant of a band, and when it joined the line.
    """
    order = sorted(turns, key=lambda share: turns[share][1])
    return len(order), {share: turns[share][0] * len(order) + rank for rank, share in enumerate(order)}


def ahead(lines: Sequence[Line], tags: Sequence[Turn]) -> list[int]:
    """Return how many jobs of all these tenants start before each tag."""
    if len(tags) <= FEW:
        return [sum(line.ahead(tag) for line in lines) for tag in tags]
    order = sorted(range(len(tags)), key=tags.__getitem__)
    swept = [tags[at] for at in order]
    even: defaultdict[Turn, list[Even]] = defaultdict(list)
    other: list[Line] = []
    for line in lines:
        if isinstance(line, Even):
            even[line.step].append(line)
        else:
            other.append(line)
    other += [line for alike in even.values() if len(alike) == 1 for line in alike]
    sums = _looked_up(other, swept)
    for step, alike in even.items():
        if len(alike) > 1:
            sums = [so_far + more for so_far, more in zip(sums, _swept(alike, step, swept), strict=True)]
    answers = [0] * len(tags)
    for at, found in zip(order, sums, strict=True):
        answers[at] = found
    return answers


def _looked_up(lines: Sequence[Line], tags: Sequence[Turn]) -> list[int]:
    """Return the same for tenants that have nothing in common; where they have few jobs, by putting all in order."""
    if sum(line.jobs for line in lines) > len(lines) * len(tags):
        return [sum(line.ahead(tag) for line in lines) for tag in tags]
    ordered = sorted(chain.from_iterable(line.tags() for line in lines))
    return [bisect_left(ordered, tag) for tag in tags]


def _swept(lines: Sequence[Even], step: Turn, tags: Sequence[Turn]) -> list[int]:
    """Return the same for tenants of one step, of tags in order.

    A tenant that has begun and not ended has `q - own q` jobs before a tag of quotient q by the step, and one more
    where its own remainder is smaller.
    """
    begins = sorted((line.turn for line in lines), reverse=True)
    ends = sorted(((line.turn + (line.jobs - 1) * step, line.jobs) for line in lines), reverse=True)
    rests: list[Turn] = []
    quotients = done = 0
    begin = begins[-1]
    end, jobs = ends[-1]
    sums: list[int] = []
    for tag in tags:
        while begins and begin < tag:
            quotient, rest = divmod(begins.pop(), step)
            quotients += quotient
            insort(rests, rest)
            begin = begins[-1] if begins else begin
        while ends and end < tag:
            ends.pop()
            quotient, rest = divmod(end, step)
            quotients -= quotient - jobs + 1
            del rests[bisect_left(rests, rest)]
            done += jobs
            end, jobs = ends[-1] if ends else (end, jobs)
        quotient, rest = divmod(tag, step)
        sums.append(done + quotient * len(rests) - quotients + bisect_left(rests, rest))
    return sums
