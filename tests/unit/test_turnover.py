"""Workers that come and go: what was seen of them, and what a line may count on."""

from __future__ import annotations

import pytest

from stanchion.domain.dice import Dice
from stanchion.domain.estimates import Durations, Ended, Work
from stanchion.domain.eta import Eta, Line, eta
from stanchion.domain.sketch import Sketch
from stanchion.domain.turnover import WINDOW, Life, Rates, Turnover, turnover
from stanchion.domain.unended import completed

T = Work("t")
KNOWN = Durations().learned([Ended(T, took) for took in range(5_000, 15_000, 20)], 0)


def found(moves: Turnover | None, ahead: int = 60, slots: int = 4) -> Eta:
    when = eta(T, Line({T: ahead}, [(T, 2_000)] * slots, slots, turnover=moves), KNOWN)
    assert when is not None
    return when


def test_where_nobody_went_all_stay() -> None:
    assert turnover([Life(10_000), Life(500)]) is None
    assert turnover([Life(2 * WINDOW, WINDOW + 1), Life(5)]) is None


def test_times_ends_and_empty_places_are_counted() -> None:
    """Two come 10 s ago; one dies after 4 s; 3 s later another takes its place."""
    seen = turnover([Life(10_000), Life(10_000, 6_000, lost=True), Life(3_000)], 2.0)
    assert seen == Turnover(17_000.0, 1, 1, 3_000.0, 1, 0, 2.0)


def test_a_place_that_is_empty_now_is_vacant() -> None:
    assert turnover([Life(10_000), Life(10_000, 6_000)]) == Turnover(14_000.0, 1, 0, 6_000.0, 0, 1)


def test_workers_that_die_delay_the_line_and_widen_its_range() -> None:
    still, dying = found(None), found(Turnover(40 * 60_000, 20, 20, 10 * 60_000, 20, 0))
    assert dying.starts_in.p50 > still.starts_in.p50
    assert dying.starts_in.p90 - dying.starts_in.p50 > still.starts_in.p90 - still.starts_in.p50
    assert dying == found(Turnover(40 * 60_000, 20, 20, 10 * 60_000, 20, 0))


def test_workers_that_will_come_back_shorten_it() -> None:
    back = found(Turnover(400 * 60_000, 4, 0, 60_000, 20, 4))
    assert back.starts_in.p50 < found(None).starts_in.p50


@pytest.mark.parametrize("served", [0.0, 1.0, 1_000.0])
def test_workers_that_die_at_once_still_give_an_answer(served: float) -> None:
    assert found(Turnover(served, 256, 256, 0.0, 256, 3), ahead=5_000).starts_in.p90 > 0


def test_rates_are_those_that_were_seen() -> None:
    drawn = [Rates.drawn(Turnover(3_600_000.0, 60, 15, 600_000.0, 60, 0), Dice(seed)) for seed in range(200)]
    assert sum(rates.going for rates in drawn) / 200 == pytest.approx(1 / 60_000, rel=0.1)
    assert sum(rates.coming for rates in drawn) / 200 == pytest.approx(1 / 10_000, rel=0.1)
    assert sum(rates.dying for rates in drawn) / 200 == pytest.approx(0.25, rel=0.2)


def test_what_runs_for_long_makes_long_durations_likelier() -> None:
    spread = Sketch().added([100.0] * 10 + [1_000.0] * 10, 0)
    more = completed(spread, [500] * 10, 0)
    assert more.mass == pytest.approx(30)
    assert more.quantile(0.32) == pytest.approx(100, rel=0.05)
    assert more.quantile(0.35) == pytest.approx(1_000, rel=0.05)
    assert completed(spread, [5_000], 0).quantile(1.0) > 5_000
    assert completed(spread, [], 0) is spread
