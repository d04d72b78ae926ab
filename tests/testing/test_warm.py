"""Warm models first on the stores' own lines, in virtual time: far fewer swaps, and nobody beyond the bound."""

from __future__ import annotations

import pytest

from stanchion.domain.affinity import DEFAULT
from stanchion.testing.warm import JOBS, MIXES, Mix, affinity, played


@pytest.mark.parametrize("name", ["two models, 2 workers", "two models that take turns, 2 workers"])
def test_two_workers_swap_at_most_a_fifth_as_often_on_the_real_store(name: str) -> None:
    off = played(MIXES[name], 501, store="sqlite", affinity_jobs=0)
    on = played(MIXES[name], 501, store="sqlite")
    assert (len(off.starts), len(on.starts)) == (JOBS, JOBS)
    assert on.swaps > 0
    assert off.swaps >= 5 * on.swaps
    assert off.most_overtaken() == 0
    assert 0 < on.most_overtaken() <= DEFAULT.jobs
    assert on.clock < off.clock


def test_tenants_of_weights_keep_their_shares_and_the_bound() -> None:
    mix = MIXES["two models, tenants of weights 1 and 3, 2 workers"]
    on, off = (played(mix, 501, store="sqlite", affinity_jobs=jobs, jobs=400) for jobs in (None, 0))
    first = [on.requests[start.number].tenant for start in on.starts[:200]]
    assert first.count("bob") == pytest.approx(150, abs=10)
    assert on.most_overtaken() <= DEFAULT.jobs
    assert off.swaps >= 4 * on.swaps


def test_both_stores_start_the_same_jobs() -> None:
    mix = Mix(models=("flux", "sdxl", ""), workers=3, tenants=(("ada", 1, 1.0), ("bob", 3, 1.0)))
    assert played(mix, 7, store="memory", jobs=80).starts == played(mix, 7, store="sqlite", jobs=80).starts


def test_the_table_is_markdown() -> None:
    lines = affinity([501], store="memory", jobs=20)
    assert {line.count("|") for line in lines} == {lines[0].count("|")}


def test_a_store_that_cannot_be_played_is_refused() -> None:
    with pytest.raises(ValueError, match="memory and sqlite"):
        played(Mix(), 1, store="postgres", jobs=1)
