"""Which jobs run together, how long a group waits, and how many fit into memory."""

from __future__ import annotations

from stanchion.domain.batches import GROW_AFTER, Batching, Fit, Group, Offer, Pace, joining, led, pause

HERE = Offer(late=False, alone=False, cost=1.0)
LATE = HERE._replace(late=True)
ALONE = HERE._replace(alone=True)
UNKNOWN = HERE._replace(cost=None)


def costing(*costs: float | None) -> list[Offer]:
    return [HERE._replace(cost=cost) for cost in costs]


def test_the_first_in_time_leads_and_as_many_join_as_there_is_room_for() -> None:
    assert led([LATE, HERE, LATE, HERE, HERE], 2, None, 9) == Group((1, 3), 0, None)
    assert led([HERE] * 5, 4, None, 3) == Group((0, 1, 2), 1, None)
    assert led([HERE], 4, None, 9) == Group((0,), 3, None)


def test_nobody_leads_where_all_are_late() -> None:
    assert led([LATE, LATE], 4, None, 9).places == ()
    assert led([], 4, None, 9).places == ()


def test_who_must_run_alone_leads_nobody_and_joins_nobody() -> None:
    assert led([ALONE, HERE], 4, None, 9) == Group((0,), 0, None, alone=True)
    assert led([HERE, ALONE, HERE], 4, None, 9).places == (0, 2)
    assert joining([ALONE], 4, None, 9) == Group((), 4, None)


def test_the_cost_is_bounded_but_for_who_leads() -> None:
    assert led(costing(12, 1), 4, 10, 9) == Group((0,), 3, -2)
    assert led(costing(4, 7, 6, 1), 4, 10, 9) == Group((0, 2), 2, 0)
    assert led(costing(None, 1), 4, 10, 9) == Group((0,), 0, 10, alone=True)
    assert joining(costing(None, 3, 3), 4, 5, 9) == Group((1,), 3, 2)
    assert led(costing(None, None), 4, None, 9).places == (0, 1)


def test_a_key_may_have_a_size_of_its_own() -> None:
    assert [Batching(4, sizes={"k": 2, "l": 9}).fit(key) for key in "klm"] == [2, 4, 4]


def test_a_pace_is_learned_of_jobs_that_come_at_different_times() -> None:
    pace = Pace(1_000)
    assert pace.arrived(1_000) == pace.arrived(900) == pace
    assert pace.arrived(1_100) == Pace(1_100, 100)
    assert pace.arrived(1_100).arrived(1_100) == Pace(1_100, 100)
    assert pace.arrived(1_100).arrived(1_300) == Pace(1_300, 130)


def test_a_group_waits_for_what_is_known_to_come_and_for_nothing_else() -> None:
    assert pause(1_000, 1_200, None, None) == 0
    assert pause(1_000, 1_200, None, Pace(1_000)) == 0
    assert pause(1_000, 1_200, 1_150, None) == 150
    assert pause(1_000, 1_200, 1_201, None) == 0


def test_a_group_waits_while_jobs_keep_coming_but_never_beyond_its_end() -> None:
    assert pause(1_000, 1_200, None, Pace(1_000, 50)) == 100, "two intervals: one late job is no sign of the end"
    assert pause(1_000, 1_200, None, Pace(1_000, 150)) == 200
    assert pause(1_000, 1_200, None, Pace(1_000, 201)) == 0
    assert pause(1_000, 1_200, None, Pace(900, 50)) == 0, "it has dried up"
    assert pause(1_200, 1_200, 1_200, Pace(1_190, 10)) == 0
    assert pause(1_000, 1_200, 1_150, Pace(1_000, 50)) == 150


def test_after_some_calls_that_fit_one_job_more_is_tried() -> None:
    fit = Fit(3)
    for _ in range(GROW_AFTER - 1):
        fit = fit.ended(3)
        assert fit.ended(2) == fit, "a smaller call says nothing"
    assert fit == Fit(3, GROW_AFTER - 1)
    assert fit.ended(3) == Fit(4)
