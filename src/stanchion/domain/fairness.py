"""Whose turn it is: start-time fair queueing between the tenants of a queue and priority.

Each tenant that waits in a band (a queue and a priority) has a *turn*, its virtual time. The lowest turn goes
next (of equal turns the one that has waited longest in line), and serving a job moves it on by cost/weight. The
band's *clock* is the highest turn that was served; a tenant that comes back joins at the clock, so that nobody
saves up turns by staying away (Goyal, Vin and Cheng, "Start-time Fair Queueing", 1996).

Where the cost is a time, it is charged as an estimate when a job starts, and corrected when its attempt has ended. A
tenant in line that was charged too much may come to stand behind the clock. How far it may is its *credit*: never more
than the charge of one job, and nothing once it has left the line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.units import SECOND

if TYPE_CHECKING:
    from stanchion.domain.units import Millis, Turn

UNIT: Final = 1_000_000
"""How far a job of cost 1 moves the turn of a tenant of weight 1."""
MAX_WEIGHT: Final = 1_000


def step(weight: int, cost: int = 1) -> Turn:
    """Return how far a job moves its tenant's turn."""
    return max(1, UNIT * cost // weight)


def timed(weight: int, took: Millis) -> Turn:
    """Return how far a job moves its tenant's turn that is charged by time; a second counts 1."""
    return max(1, UNIT * took // (SECOND * weight))


class Standing(NamedTuple):
    """A tenant's turn, and how far behind the clock of its band it may be."""

    turn: Turn
    credit: Turn = 0

    def against(self, clock: Turn) -> Turn:
        """Return the turn that counts."""
        return max(self.turn, clock - self.credit)

    def corrected(self, clock: Turn, charged: Turn, due: Turn, *, in_line: bool) -> Standing:
        """Return where a tenant stands when an attempt has ended.

        Args:
            clock: The clock of its band.
            charged: How far the job moved the turn when it started.
            due: How far it should have moved it.
            in_line: Whether the tenant has jobs waiting; otherwise its turn counts when it comes back.
        """
        if not in_line:
            return Standing(self.turn + due - charged)
        turn = self.against(clock)
        return Standing(max(turn + due - charged, min(turn, clock - charged))).owed(clock)

    def owed(self, clock: Turn) -> Standing:
        """Return the same with the credit that follows: as far as it is behind the clock."""
        return Standing(self.turn, max(clock - self.turn, 0))


def joined(turn: Turn, clock: Turn) -> Turn:
    """Return the turn of a tenant that begins to wait again."""
    return max(turn, clock)


def run(own: tuple[Turn, int], size: Turn, rival: tuple[Turn, int] | None, most: int) -> int:
    """Return how many jobs in a row a tenant may start before another's turn has come.

    Args:
        own: The tenant's turn, and the number of the job with which it joined the line.
        size: How far each of its jobs moves its turn.
        rival: The same of who comes next; None where nobody else waits.
        most: So many are wanted.
    """
    if rival is None:
        return most
    return min(most, before(rival[0] - own[0], size, equal=own[1] < rival[1]))


def before(lead: Turn, size: Turn, *, equal: bool) -> int:
    """Return how many of the start tags 0, size, 2·size, … lie before `lead`; with `equal` also one that meets it."""
    if lead < 0:
        return 0
    return lead // size + 1 if equal else -(-lead // size)
