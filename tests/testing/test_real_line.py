"""The stores' own lines share compute time by weight, whatever jobs take; in virtual time, the same on every run."""

from __future__ import annotations

from random import Random

import pytest

from stanchion.testing import Sort, Tenant, shares, weighted_jain
from stanchion.testing.real import Clock, Play, opened
from stanchion.testing.tables import played

SHORT = Sort("sprite", 800, spread=0.4, cost=64 * 64)
LONG = Sort("sprite", 8_000, spread=0.4, cost=256 * 256)
WEIGHTS = {"ada": 1, "bob": 2, "cyd": 4}


@pytest.mark.parametrize("slots", [1, 4])
@pytest.mark.parametrize("slow", WEIGHTS)
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_compute_time_is_shared_by_weight_though_the_jobs_of_one_tenant_take_ten_times_as_long(
    kind: str, slow: str, slots: int, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    tenants = [Tenant(name, {LONG if name == slow else SHORT: 1.0}, weight=weight) for name, weight in WEIGHTS.items()]
    async with opened(kind, clock) as store:
        report = await Play(store, clock, tenants, Random(7)).run(slots, 1_000)
    got, index = shares(report.ended), weighted_jain(report.ended)
    with capsys.disabled():
        print(f"\n{kind}, {slow} slow, {slots} slots:", {name: round(share, 4) for name, share in got.items()}, index)
    for name, weight in WEIGHTS.items():
        assert got[name] == pytest.approx(weight / sum(WEIGHTS.values()), abs=0.02)
    assert index > 0.995


def test_both_stores_start_the_same_jobs() -> None:
    model, store = (played(3, kind, 200) for kind in ("memory", "sqlite"))
    assert [(job.number, job.started, job.ended) for job in model.jobs] == [
        (job.number, job.started, job.ended) for job in store.jobs
    ]
