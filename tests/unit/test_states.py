"""The state table, whole."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.domain.job import FINAL, MOVES, WAITING, Job, Move, State, move
from stanchion.errors import ConflictError, WrongStateError

TABLE = """
          unblock promote claim   complete  fail   back_off snooze    release lose   end_cancelled
blocked   queued  -       -       -         failed -        -         -       -      -
scheduled -       queued  -       -         -      -        -         -       -      -
queued    -       -       running -         -      -        -         -       -      -
running   -       -       -       completed failed retrying scheduled queued  queued cancelled
retrying  -       queued  -       -         -      -        -         -       -      -
completed -       -       -       -         -      -        -         -       -      -
failed    -       -       -       -         -      -        -         -       -      -
cancelled -       -       -       -         -      -        -         -       -      -

          cancel    expire retry  hold      rejoin
blocked   cancelled failed -      scheduled -
scheduled cancelled failed -      -         -
queued    cancelled failed -      -         -
running   -         -      -      -         -
retrying  cancelled failed -      -         -
completed -         -      -      -         -
failed    -         -      queued -         blocked
cancelled -         -      -      -         -
"""


def cells(table: str) -> list[tuple[State, Move, str]]:
    head, *rows = (line.split() for line in table.strip().splitlines())
    return [(State(row[0]), Move(name), cell) for row in rows for name, cell in zip(head, row[1:], strict=True)]


CELLS = [cell for half in TABLE.split("\n\n") for cell in cells(half)]


def test_the_table_above_has_every_state_and_move() -> None:
    assert {(state, what) for state, what, _ in CELLS} == set(itertools.product(State, Move))


@pytest.mark.parametrize(("state", "what", "cell"), CELLS)
def test_every_move_leads_where_the_table_says_or_is_refused(state: State, what: Move, cell: str) -> None:
    if cell == "-":
        with pytest.raises(WrongStateError) as caught:
            move(state, what)
        assert (caught.value.action, caught.value.state) == (what.value, state.value)
        assert isinstance(caught.value, ConflictError)
    else:
        assert move(state, what) is State(cell)


def test_a_state_is_waiting_running_or_final() -> None:
    assert WAITING | FINAL | {State.RUNNING} == set(State)
    assert not WAITING & FINAL


def test_only_a_manual_retry_leaves_a_final_state() -> None:
    assert {(state, what) for state, what in MOVES if state in FINAL} == {
        (State.FAILED, Move.RETRY),
        (State.FAILED, Move.REJOIN),
    }


def test_every_state_but_blocked_can_be_reached() -> None:
    assert set(MOVES.values()) | {State.BLOCKED} == set(State)


@given(st.lists(st.sampled_from(Move), max_size=40))
def test_whatever_is_tried_completed_and_cancelled_stay(moves: list[Move]) -> None:
    state = State.QUEUED
    for what in moves:
        before = state
        try:
            state = move(state, what)
        except WrongStateError:
            state = before
        if before in {State.COMPLETED, State.CANCELLED}:
            assert state is before


@pytest.mark.parametrize("state", State)
def test_a_job_is_final_in_final_states(state: State) -> None:
    job = Job(
        ref=1, id="x", task="t", queue="q", tenant="d", user=None, priority=5, state=state, version=1,
        attempt=0, spent=0, crashes=0, max_attempts=3, created_at=0,
    )  # fmt: skip
    assert job.final is (state in FINAL)
