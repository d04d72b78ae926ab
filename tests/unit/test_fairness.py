"""Turns that are corrected: nobody gains more than one charge, and nobody pays twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stanchion.domain.fairness import UNIT, Standing, step, timed

turns = st.integers(0, 10**12)
steps = st.integers(1, 10**10)


def test_a_second_counts_as_much_as_a_job() -> None:
    assert timed(1, 1_000) == step(1) == UNIT
    assert timed(4, 2_500) == step(4) * 2.5
    assert timed(1_000, 1) == 1


@given(turns, steps, turns, steps, steps)
def test_who_is_in_line_is_never_behind_the_clock_by_more_than_it_was_or_one_charge(
    turn: int, credit: int, clock: int, charged: int, due: int
) -> None:
    before = Standing(turn, credit).against(clock)
    after = Standing(turn, credit).corrected(clock, charged, due, in_line=True)
    assert after.against(clock) == after.turn
    assert after.turn >= min(before, clock - charged)
    assert after.credit == max(clock - after.turn, 0)
    assert after.turn - before <= max(due - charged, 0)


@given(turns, turns, steps, steps)
def test_a_correction_moves_a_turn_by_what_was_charged_wrongly(ahead: int, clock: int, charged: int, due: int) -> None:
    before = Standing(clock + charged + ahead)
    for in_line in (True, False):
        assert before.corrected(clock, charged, due, in_line=in_line).turn == before.turn + due - charged


@given(turns, steps, turns, steps)
def test_a_correction_of_nothing_changes_nothing_that_counts(turn: int, credit: int, clock: int, charged: int) -> None:
    standing = Standing(turn, credit)
    assert standing.corrected(clock, charged, charged, in_line=True).against(clock) == standing.against(clock)
