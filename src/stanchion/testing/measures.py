"""What a run was like: shares, fairness, waits."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stanchion.domain.units import Millis
    from stanchion.testing.simulator import Report, Served


class Waits(NamedTuple):
    """How long jobs waited for their first start, in ms."""

    p50: Millis
    p95: Millis
    p99: Millis


def shares(jobs: Iterable[Served]) -> dict[str, float]:
    """Return each tenant's share of the compute time of these jobs; they sum to 1."""
    used: Counter[str] = Counter()
    for job in jobs:
        used[job.request.tenant] += job.request.takes
    whole = sum(used.values()) or 1
    return {tenant: time / whole for tenant, time in sorted(used.items())}


def jain(values: Iterable[float]) -> float:
    """Return Jain's index of fairness: 1 where all have the same, 1/n where one of n has all; 1 for none.

    Source:
        Jain, Chiu and Hawe, A Quantitative Measure of Fairness, DEC TR-301, 1984.
    """
    listed = list(values)
    squares = sum(value * value for value in listed)
    return sum(listed) ** 2 / (len(listed) * squares) if squares else 1.0


def weighted_jain(jobs: Sequence[Served]) -> float:
    """Return Jain's index of what each tenant got for its weight."""
    weights = {job.request.tenant: job.request.weight for job in jobs}
    got = shares(jobs)
    return jain(got.get(tenant, 0.0) / weight for tenant, weight in weights.items())


def waits(report: Report) -> dict[str, Waits]:
    """Return how long each tenant's jobs waited that started."""
    by_tenant: dict[str, list[Millis]] = {}
    for job in report.jobs:
        if job.started >= 0:
            by_tenant.setdefault(job.request.tenant, []).append(job.started - job.request.at)
    return {tenant: Waits(*(quantile(found, q) for q in (0.5, 0.95, 0.99))) for tenant, found in by_tenant.items()}


def most_overtaken(report: Report) -> int:
    """Return by how many later jobs the unluckiest one was overtaken."""
    return max((job.overtaken for job in report.jobs if job.started >= 0), default=0)


def quantile(values: Iterable[Millis], q: float) -> Millis:
    """Return the value that a share `q` of them does not exceed; 0 for none."""
    ordered = sorted(values)
    return ordered[min(int(q * len(ordered)), len(ordered) - 1)] if ordered else 0
