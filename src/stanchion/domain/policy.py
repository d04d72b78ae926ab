"""Policies as data: how long a lease lasts, how long history is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.affinity import DEFAULT, Bound
from stanchion.domain.units import DAY, SECOND

if TYPE_CHECKING:
    from stanchion.domain.units import Millis


class LeaseProfile(NamedTuple):
    """How long a silent worker keeps its leases, and how often it beats."""

    lease: Millis
    beat: Millis


PROFILES: Final = {
    "default": LeaseProfile(15 * SECOND, 3 * SECOND),
    "fast": LeaseProfile(4 * SECOND, 1 * SECOND),
}


class Retention(NamedTuple):
    """How long final jobs are kept, by their end; and how many bytes the result cache may keep."""

    completed: Millis = 7 * DAY
    failed: Millis = 30 * DAY
    cancelled: Millis = 7 * DAY
    cache_bytes: int = 10_000_000_000


class TenantPolicy(NamedTuple):
    """What an operator sets for a tenant.

    Attributes:
        name: The tenant.
        weight: Its share of what a queue can do, against other tenants; 1 to 1,000.
        top_priority: The most urgent priority its jobs may have; those that ask for more get this one.
    """

    name: str
    weight: int = 1
    top_priority: int = 0


class QueuePolicy(NamedTuple):
    """What an operator sets for a queue; a waiting job is lifted one priority for each `aging` ms."""

    name: str
    paused: bool = False
    max_waiting: int | None = None
    affinity: Bound = DEFAULT
    aging: Millis | None = None
