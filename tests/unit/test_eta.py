"""Time left, against a line that is played out."""

from __future__ import annotations

from heapq import heapify, heapreplace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanchion.domain.estimates import Durations, Ended, Range, Work
from stanchion.domain.eta import Eta, Left, Line, eta, left, pace

SHORT, LONG = Work("short"), Work("long")


def drawn(work: Work, chance: Random) -> float:
    return chance.lognormvariate(6.0, 0.5) if work == SHORT else chance.lognormvariate(8.0, 1.0)


def durations(samples: int = 4_000, seed: int = 7) -> Durations:
    chance = Random(seed)
    batch = [Ended(work, round(drawn(work, chance))) for work in (SHORT, LONG) for _ in range(samples)]
    return Durations().learned(batch, 0)


KNOWN = durations()
LEARNED = [durations(1_000, seed) for seed in range(8)]


def played(line: Line, chance: Random) -> float:
    """When the next job starts, with durations drawn anew."""
    free = [0.0] * (line.slots - len(line.running))
    for work, elapsed in line.running:
        took = drawn(work, chance)
        while took <= elapsed:
            took = drawn(work, chance)
        free.append(took - elapsed)
    heapify(free)
    jobs = [work for work, count in line.ahead.items() for _ in range(count)]
    chance.shuffle(jobs)
    for work in jobs:
        heapreplace(free, free[0] + drawn(work, chance))
    return free[0]


@pytest.mark.parametrize("slots", [1, 2, 4, 16])
@pytest.mark.parametrize("ahead", [0, 1, 5, 40, 400])
def test_nine_of_ten_starts_come_by_the_p90(slots: int, ahead: int) -> None:
    chance = Random(slots * 1_000 + ahead)
    by_p50 = by_p90 = 0
    for known in LEARNED:
        running = [(chance.choice((SHORT, LONG)), chance.randint(0, 500)) for _ in range(slots)]
        line = Line({SHORT: ahead // 2, LONG: ahead - ahead // 2}, running, slots)
        found = eta(SHORT, line, known)
        assert found is not None
        starts = [played(line, chance) for _ in range(75)]
        by_p50 += sum(start <= found.starts_in.p50 for start in starts)
        by_p90 += sum(start <= found.starts_in.p90 for start in starts)
    assert 0.83 <= by_p90 / 600 <= 0.96
    assert 0.40 <= by_p50 / 600 <= 0.60


@pytest.mark.parametrize("ahead", [0, 5, 40, 400])
def test_with_very_many_slots_the_p90_errs_towards_later(ahead: int) -> None:
    chance = Random(ahead)
    line = Line({SHORT: ahead // 2, LONG: ahead - ahead // 2}, [(SHORT, 100), (LONG, 100)] * 50, 100)
    found = eta(SHORT, line, KNOWN)
    assert found is not None
    starts = [played(line, chance) for _ in range(200)]
    assert sum(start <= found.starts_in.p90 for start in starts) / 200 >= 0.84
    assert found.starts_in.p90 < 2 * max(starts) + 50


def test_a_free_slot_starts_the_job_at_once() -> None:
    found = eta(SHORT, Line({}, [(LONG, 10)], 2), KNOWN)
    assert found is not None
    assert found.starts_in == (0, 0)
    assert found.finishes_in.p50 == pytest.approx(403, rel=0.1)


def test_where_it_cannot_be_said_nothing_is_said() -> None:
    unknown = Work("unknown")
    assert eta(SHORT, Line({}, [], 0), KNOWN) is None
    assert eta(unknown, Line({}, [], 1), KNOWN) is None
    assert eta(SHORT, Line({unknown: 1}, [], 1), KNOWN) is None
    assert eta(SHORT, Line({}, [(unknown, 5)], 1), KNOWN) is None


def test_the_same_line_gives_the_same_answer() -> None:
    line = Line({SHORT: 1_000, LONG: 300}, [(LONG, 50)], 3)
    assert eta(SHORT, line, KNOWN) == eta(SHORT, line, KNOWN)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 300),
    st.integers(0, 300),
    st.lists(st.tuples(st.sampled_from([SHORT, LONG]), st.integers(0, 10**6)), max_size=6),
    st.integers(1, 8),
    st.floats(0, 1),
)
def test_a_range_is_in_order_and_the_end_lies_after_the_start(
    short: int, long: int, running: list[tuple[Work, int]], slots: int, share: float
) -> None:
    found = eta(LONG, Line({SHORT: short, LONG: long}, running, slots, share), KNOWN, attempts=3)
    assert found is not None
    assert 0 <= found.starts_in.p50 <= found.starts_in.p90
    assert found.starts_in.p50 < found.finishes_in.p50 <= found.finishes_in.p90
    assert found.starts_in.p90 < found.finishes_in.p90


def test_a_longer_line_waits_longer_and_more_slots_less() -> None:
    def p50(ahead: int, slots: int, share: float = 1.0) -> int:
        found = eta(SHORT, Line({SHORT: ahead}, [], slots, share), KNOWN)
        assert found is not None
        return found.starts_in.p50

    waits = [p50(ahead, 4) for ahead in (4, 8, 30, 100, 1_000, 1_000_000)]
    assert waits == sorted(set(waits))
    fewer = [p50(1_000, slots) for slots in (200, 64, 8, 2, 1)]
    assert fewer == sorted(set(fewer))
    assert p50(1_000, 4, 0.5) == pytest.approx(2 * p50(1_000, 4), rel=0.01)


def test_what_is_hardly_known_gives_a_wider_range() -> None:
    line = Line({LONG: 500}, [], 1)
    sure, unsure = eta(LONG, line, KNOWN), eta(LONG, line, durations(8))
    assert sure is not None
    assert unsure is not None
    assert unsure.starts_in.p90 / unsure.starts_in.p50 > 1.2 * sure.starts_in.p90 / sure.starts_in.p50


def test_a_job_that_often_fails_ends_later() -> None:
    flaky = KNOWN.learned([Ended(SHORT, 400, failed=True)] * 8_000, 0)
    line = Line({}, [], 1)
    once, thrice = eta(SHORT, line, flaky), eta(SHORT, line, flaky, attempts=3, pause=1_000)
    assert once is not None
    assert thrice is not None
    assert thrice.finishes_in.p90 > once.finishes_in.p90 + 1_000
    assert thrice.starts_in == once.starts_in


def test_what_is_left_never_falls_below_zero_and_is_late_past_the_p90() -> None:
    span = Range(100, 300)
    assert left(span, 50) == Left(50, 250, late=False)
    assert left(span, 200) == Left(0, 100, late=False)
    assert left(span, 301) == Left(0, 0, late=True)


def test_slots_that_serve_others_too_have_a_lower_pace() -> None:
    assert pace(0, 4, 0, typical=100) == 1
    assert pace(4 * 60_000, 4, 60_000, typical=100) == 1
    assert pace(2 * 60_000, 4, 60_000, typical=100) == pytest.approx(0.5, abs=0.01)
    assert pace(0, 4, 200, typical=1_000) > 0.9
    assert 0 < pace(0, 4, 10**12, typical=1) <= 0.05


def test_a_range_says_both_ends() -> None:
    assert Eta(Range(0, 1), Range(2, 3)).finishes_in.p90 == 3
