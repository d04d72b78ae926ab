"""Aging: a job that waits is lifted one priority for each interval, so that none starves behind more urgent ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stanchion.domain.units import Instant, Millis


def lifted(priority: int, top: int, since: Instant, now: Instant, aging: Millis) -> tuple[int, Instant] | None:
    """Return the priority that a waiting job gets, and from when its next interval counts; None where it stays.

    Args:
        priority: Its priority.
        top: The most urgent one that its tenant may have.
        since: When it was queued, or last lifted.
        now: The store's clock.
        aging: The interval, in ms.
    """
    steps = (now - since) // aging
    if steps <= 0 or priority <= top:
        return None
    return max(priority - steps, top), since + steps * aging
