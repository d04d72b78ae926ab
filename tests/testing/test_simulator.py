"""The simulator: what it plays is what its rules say."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanchion.domain.estimates import Work
from stanchion.testing import (
    Head,
    Request,
    Sort,
    Tenant,
    Turn,
    Worker,
    affine,
    bursts,
    fair,
    fifo,
    jain,
    most_overtaken,
    requests,
    restless,
    round_robin,
    shares,
    simulate,
    steady,
    waits,
    weighted_jain,
)
from stanchion.testing.simulator import RESCUE

POLICIES = [lambda: fifo, round_robin, fair, lambda: fair(by_time=True), lambda: affine(fifo), lambda: affine(fair())]


def job(  # noqa: PLR0913 - what a request is made of
    *, at: int = 0, takes: int = 100, tenant: str = "ada", weight: int = 1, model: str = "", priority: int = 5
):
    return Request(at, tenant, weight, priority, Work("t"), model, takes)


jobs = st.lists(
    st.builds(
        job,
        at=st.integers(0, 5_000),
        takes=st.integers(1, 3_000),
        tenant=st.sampled_from("abc"),
        weight=st.just(1),
        model=st.sampled_from(["", "m", "n"]),
        priority=st.integers(4, 5),
    ),
    min_size=1,
    max_size=40,
)


def test_one_worker_does_one_job_after_the_other() -> None:
    report = simulate([job(), job(takes=50), job(at=500)], steady(1), fifo)
    assert [(done.started, done.ended) for done in report.ended] == [(0, 100), (100, 150), (500, 600)]
    assert report.clock == 600


def test_a_plain_function_is_a_policy() -> None:
    def newest(heads: Sequence[Head], worker: Worker, now: int) -> Head:
        return max(heads, key=lambda head: head.number)

    report = simulate([job(tenant="a"), job(tenant="b")], steady(1), newest)
    assert [done.number for done in report.ended] == [1, 0]
    assert report.jobs[0].overtaken == 1
    assert most_overtaken(report) == 1


def test_loading_another_model_takes_time_and_counts() -> None:
    report = simulate([job(model="m"), job(model="n"), job(model="n")], steady(1), fifo, swap=1_000)
    assert report.swaps == 1
    assert report.clock == 100 + 1_100 + 100


def test_the_job_of_a_worker_that_dies_starts_again_in_its_old_place() -> None:
    turns = [Turn(0, 0, "up"), Turn(50, 0, "crash"), Turn(60, 1, "up")]
    report = simulate([job(takes=100), job(takes=5_000), job(), job()], turns, fifo)
    assert [done.number for done in report.ended] == [1, 0, 2, 3]
    assert report.jobs[0].attempts == 2
    assert report.jobs[0].started == 0
    assert report.jobs[0].ended == 60 + 5_000 + 100


def test_a_dead_workers_job_waits_for_its_rescue() -> None:
    turns = [Turn(0, 0, "up"), Turn(50, 0, "crash"), Turn(60, 1, "up")]
    assert simulate([job()], turns, fifo).clock == 50 + RESCUE + 100


def test_a_worker_that_goes_ends_its_job_and_takes_no_other() -> None:
    turns = [Turn(0, 0, "up"), Turn(50, 0, "down"), Turn(900, 0, "up")]
    report = simulate([job(), job()], turns, fifo)
    assert [(done.started, done.ended) for done in report.ended] == [(0, 100), (900, 1_000)]


@settings(deadline=None)
@given(jobs, st.integers(1, 4), st.sampled_from(POLICIES), st.integers(0, 2**32))
def test_every_job_ends_once_and_no_slot_idles_while_work_waits(asked, workers: int, policy, seed: int) -> None:
    turns = restless(Random(seed), workers, 4_000, life=1_500, away=500)
    report = simulate(asked, turns, policy(), swap=10)
    assert sorted(done.number for done in report.ended) == list(range(len(asked)))
    for done in report.jobs:
        assert done.request.at <= done.started
        assert done.ended - done.started >= done.request.takes
    calm = simulate(asked, steady(workers), policy())
    assert calm.clock <= max(one.at for one in asked) + sum(one.takes for one in asked)


@settings(deadline=None)
@given(jobs, st.integers(1, 4), st.integers(0, 5))
def test_a_warm_model_never_overtakes_beyond_the_bound(asked, workers: int, most: int) -> None:
    level = [one._replace(priority=5) for one in asked]
    report = simulate(level, steady(workers), affine(fifo, most=most), swap=500)
    assert most_overtaken(report) <= most


def test_a_warm_model_stops_overtaking_when_the_time_is_over() -> None:
    asked = [job(model="m", takes=1_000), job(model="n"), *[job(model="m", takes=1_000) for _ in range(20)]]
    report = simulate(asked, steady(1), affine(fifo, most=100, longest=3_000))
    assert report.jobs[1].overtaken == 3
    assert simulate(asked, steady(1), affine(fifo, most=100, longest=10**9)).jobs[1].overtaken == 20


def test_a_tenant_that_comes_back_gets_no_turns_for_the_time_it_was_away() -> None:
    asked = [job(tenant="a") for _ in range(100)]
    asked += [job(tenant="b", at=0), *[job(tenant="b", at=5_000) for _ in range(100)]]
    report = simulate(asked, steady(1), fair())
    after = [done for done in report.ended if done.started >= 5_000][:20]
    assert 9 <= sum(done.request.tenant == "b" for done in after) <= 11


def test_the_more_urgent_goes_first_whoever_asks() -> None:
    asked = [job(tenant="a"), job(tenant="b", priority=2), job(tenant="a", priority=8)]
    for policy in (fifo, round_robin(), fair()):
        assert [done.number for done in simulate(asked, steady(1), policy).ended] == [1, 0, 2]


def test_jobs_count_alike_or_by_their_time() -> None:
    def asked():
        return [job(tenant="a", takes=400), job(tenant="b", takes=100)] * 400

    by_jobs = shares(simulate(asked(), steady(1), fair(), ends=200).ended)
    by_time = shares(simulate(asked(), steady(1), fair(by_time=True), ends=200).ended)
    assert by_jobs["a"] == pytest.approx(0.8, abs=0.02)
    assert by_time["a"] == pytest.approx(0.5, abs=0.02)


def test_measures_say_what_they_say() -> None:
    report = simulate([job(takes=300), job(tenant="bob", takes=100, weight=3)], steady(1), fifo)
    assert shares(report.ended) == {"ada": 0.75, "bob": 0.25}
    assert waits(report) == {"ada": (0, 0, 0), "bob": (300, 300, 300)}
    assert weighted_jain(report.ended) == pytest.approx(jain([0.75, 0.25 / 3]))
    assert (jain([1, 1, 1]), jain([1, 0, 0, 0]), jain([])) == (1, 0.25, 1)


def test_bursts_come_at_the_mean_rate_of_both() -> None:
    found = list(bursts(Random(5), 10**8, calm=0.1, burst=1.9, stay=(10_000, 10_000)))
    assert found == sorted(found)
    assert len(found) / 10**5 == pytest.approx(1.0, rel=0.05)
    gaps = [later - sooner for sooner, later in itertools.pairwise(found)]
    mean = sum(gaps) / len(gaps)
    assert sum((gap - mean) ** 2 for gap in gaps) / len(gaps) > 2 * mean**2  # a Poisson process has 1


def test_the_same_seed_gives_the_same_load() -> None:
    tenants = [Tenant("ada", {Sort("t", 100, tail=0.2): 1}), Tenant("bob", {Sort("u", 50): 1}, share=3)]
    one, two = (requests(Random(9), range(400), tenants) for _ in range(2))
    assert one == two
    assert sum(request.tenant == "bob" for request in one) == pytest.approx(300, abs=40)
    assert min(request.takes for request in one) >= 1
