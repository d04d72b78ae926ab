"""The time left of many jobs at once: what stands before each, and how little of it is reckoned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.domain import outlook as module
from stanchion.domain.estimates import Durations, Ended, Range, Work
from stanchion.domain.eta import Eta, Line, eta
from stanchion.domain.outlook import Asked, Kind, Outlook, Serving, forecast

A, B, NEW = Work("a"), Work("b"), Work("new")
KNOWN = Durations().learned([*[Ended(A, 1_000) for _ in range(50)], *[Ended(B, 9_000) for _ in range(50)]], 1)
ONE = Serving(1, None, frozenset({"a", "b", "new"}))


def asked(work: Work = A, priority: int = 5, elapsed: int | None = None) -> Asked:
    return Asked(work, "q", priority, 1, elapsed)


def seen(
    jobs: dict[str, Asked], kinds: tuple[Kind, ...] = (), workers: tuple[Serving, ...] = (ONE,), **positions: int
) -> dict[str, Eta]:
    return forecast(Outlook(jobs, {"q": kinds}, workers), positions, KNOWN)


def test_the_first_in_line_of_a_free_worker_starts_now() -> None:
    found = seen({"x": asked()}, x=1)["x"]
    assert found.starts_in == Range(0, 0)
    assert found.finishes_in.p50 == pytest.approx(1_000, rel=0.05)
    assert not found.late


def test_what_stands_before_is_told_by_position_and_kinds() -> None:
    kinds = (Kind(5, A, 3.0),)
    assert seen({"x": asked()}, kinds, x=4)["x"] == eta(A, Line({A: 3}, [], 1), KNOWN)


def test_more_urgent_kinds_stand_before_as_a_whole_and_less_urgent_ones_not_at_all() -> None:
    kinds = (Kind(2, B, 2.0), Kind(5, A, 10.0), Kind(9, NEW, 50.0))
    assert seen({"x": asked()}, kinds, x=5)["x"] == eta(A, Line({B: 2, A: 2}, [], 1), KNOWN)


def test_equals_stand_before_in_proportion() -> None:
    kinds = (Kind(5, A, 60.0), Kind(5, B, 20.0))
    assert seen({"x": asked()}, kinds, x=9)["x"] == eta(A, Line({A: 6, B: 2}, [], 1), KNOWN)


def test_what_runs_on_the_workers_that_serve_counts() -> None:
    busy = Serving(1, ("q",), frozenset({"a"}), ((B, 4_000),))
    found = seen({"x": asked()}, workers=(busy,), x=1)["x"]
    assert found == eta(A, Line({}, [(B, 4_000)], 1), KNOWN)
    assert found.starts_in.p50 == pytest.approx(5_000, rel=0.1)


@pytest.mark.parametrize(
    "other", [Serving(9, ("else",), frozenset({"a"})), Serving(9, None, frozenset({"b"}))], ids=["queue", "task"]
)
def test_workers_of_other_queues_and_tasks_do_not_serve(other: Serving) -> None:
    assert seen({"x": asked()}, workers=(other,), x=1) == {}
    kinds = (Kind(5, A, 8.0),)
    assert seen({"x": asked()}, kinds, (ONE, other), x=9) == seen({"x": asked()}, kinds, x=9)


def test_nothing_is_said_of_what_was_never_seen() -> None:
    assert seen({"x": asked(NEW)}, x=1) == {}
    assert seen({"x": asked()}, (Kind(5, NEW, 1.0),), x=2) == {}
    assert seen({}, x=1) == {}


def test_a_running_job_has_its_rest_and_is_late_past_its_p90() -> None:
    early, late = seen({"x": asked(elapsed=300), "y": asked(elapsed=5_000)}, x=0, y=0).values()
    assert early.starts_in == late.starts_in == Range(0, 0)
    assert early.finishes_in.p50 == pytest.approx(700, rel=0.1)
    assert (early.late, late.late) == (False, True)
    assert late.finishes_in.p50 > 0


def test_a_line_that_stands_without_known_kinds_is_taken_as_none_ahead() -> None:
    """Places and kinds are two reads: what was ahead may have started in between."""
    assert seen({"x": asked()}, (), x=7)["x"].starts_in == Range(0, 0)


def test_hundreds_of_workers_are_told_as_fewer() -> None:
    many = tuple(Serving(4, None, frozenset({"a"}), ((A, 100),) * 4) for _ in range(100))
    few = tuple(Serving(4, None, frozenset({"a"}), ((A, 100),) * 4) for _ in range(16))
    far = seen({"x": asked()}, (Kind(5, A, 4_000.0),), many, x=4_001)["x"]
    near = seen({"x": asked()}, (Kind(5, A, 640.0),), few, x=641)["x"]
    assert far.starts_in.p50 == pytest.approx(near.starts_in.p50, rel=0.05)


def test_a_thousand_jobs_of_many_kinds_cost_a_few_reckonings(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Line] = []

    def counted(work: Work, line: Line, durations: Durations, *, attempts: int) -> Eta | None:
        calls.append(line)
        return eta(work, line, durations, attempts=attempts)

    monkeypatch.setattr(module, "eta", counted)
    jobs = {f"j{number}": asked(priority=number % 3) for number in range(1_000)}
    found = seen(jobs, (Kind(0, A, 1_000.0),), (ONE,), **{job: number + 1 for number, job in enumerate(jobs)})
    assert len(found) == 1_000
    assert len(calls) <= module.MOST
    calls.clear()
    jobs = {f"j{number}": asked(priority=number) for number in range(100)}
    found = seen(jobs, (Kind(0, A, 1_000.0),), (ONE,), **{job: number + 1 for number, job in enumerate(jobs)})
    assert len(found) == len(calls) == module.MOST


@given(st.sets(st.integers(1, 500), min_size=2, max_size=30))
def test_who_stands_further_back_starts_no_sooner(positions: set[int]) -> None:
    jobs = {f"j{position}": asked() for position in positions}
    found = seen(jobs, (Kind(5, A, 500.0),), (ONE,), **{f"j{position}": position for position in positions})
    starts = [found[f"j{position}"].starts_in.p50 for position in sorted(positions)]
    assert starts == sorted(starts)
    exact = eta(A, Line({A: min(positions) - 1}, [], 1), KNOWN)
    assert found[f"j{min(positions)}"] == exact
