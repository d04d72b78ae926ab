"""Whose turn it is: start-time fair queueing between the tenants of a queue and priority.

Each tenant that waits in a band (a queue and a priority) has a *turn*, its virtual time. The lowest turn goes
next (of equal turns the one that has waited longest in line), and serving a job moves it on by cost/weight. The
band's *clock* is the highest turn that was served; a tenant that comes back joins at the clock, so that nobody
saves up turns by staying away (Goyal, Vin and Cheng, "Start-time Fair Queueing", 1996).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from stanchion.domain.units import Turn

UNIT: Final = 1_000_000
"""How far a job of cost 1 moves the turn of a tenant of weight 1."""
MAX_WEIGHT: Final = 1_000


def step(weight: int, cost: int = 1) -> Turn:
    """Return how far a job moves its tenant's turn."""
    return max(1, UNIT * cost // weight)


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
