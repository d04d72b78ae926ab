"""Rules: when they tick, over both changes of the clock, and which missed ticks are made up for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.domain.ids import packed
from stanchion.domain.job import NewJob
from stanchion.domain.schedule import (
    AT_ONCE,
    LATEST_WITHIN,
    Cron,
    Every,
    NewSchedule,
    Overlap,
    Rule,
    Schedule,
    checked,
    cron,
    job_of,
    latest,
    next_after,
    plan,
    tick_id,
)
from stanchion.domain.units import DAY, HOUR, MINUTE, SECOND

BERLIN = "Europe/Berlin"
SPRING = datetime(2026, 3, 29, tzinfo=ZoneInfo(BERLIN))  # 02:00 becomes 03:00
AUTUMN = datetime(2026, 10, 25, tzinfo=ZoneInfo(BERLIN))  # 03:00 becomes 02:00


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def ticks(rule: Rule, since: datetime, hours: int = 24) -> list[str]:
    """The ticks of a day, in UTC."""
    found: list[str] = []
    now = round(since.timestamp() * 1000)
    end = now + hours * HOUR
    now -= 1
    while (after := next_after(rule, now)) is not None and after < end:
        assert after > now
        found.append(f"{datetime.fromtimestamp(after / 1000, UTC):%d %H:%M}")
        now = after
    return found


def schedule(rule: Rule, next_at: int, **given: Any) -> Schedule:
    fields: dict[str, Any] = {"name": "s", "request": NewJob("", "t", b"{}"), "ref": 1, "revision": 1, "created_at": 0}
    return Schedule(rule=rule, next_at=next_at, **fields | given)


def test_a_cron_rule_ticks_at_local_times() -> None:
    rule = cron("0 7 * * MON-FRI", tz=BERLIN)
    assert next_after(rule, at("2026-01-02T07:00:00+01:00")) == at("2026-01-05T07:00:00+01:00")
    assert next_after(rule, at("2026-07-03T06:59:59+02:00")) == at("2026-07-03T07:00:00+02:00")


def test_a_time_that_spring_skips_ticks_once_at_the_jump() -> None:
    assert ticks(cron("30 2 * * *", tz=BERLIN), SPRING) == ["29 01:00"]
    assert ticks(cron("0,30 2,3 * * *", tz=BERLIN), SPRING) == ["29 01:00", "29 01:30"]


def test_a_time_that_comes_twice_in_autumn_ticks_the_first_time() -> None:
    assert ticks(cron("30 2 * * *", tz=BERLIN), AUTUMN) == ["25 00:30"]
    assert ticks(cron("0,30 2 * * *", tz=BERLIN), AUTUMN) == ["25 00:00", "25 00:30"]
    between = at("2026-10-25T01:10:00+00:00")  # 02:10 for the second time
    assert next_after(cron("30 2 * * *", tz=BERLIN), between) == at("2026-10-26T02:30:00+01:00")


def test_rules_by_the_hour_go_by_the_time_that_passes() -> None:
    hourly = cron("15 * * * *", tz=BERLIN)
    assert len(ticks(hourly, SPRING, 23)) == 23
    assert len(ticks(hourly, AUTUMN, 25)) == 25
    assert ticks(cron("*/30 2 * * *", tz=BERLIN), SPRING) == []
    assert ticks(cron("*/30 2 * * *", tz=BERLIN), AUTUMN) == ["25 00:00", "25 00:30", "25 01:00", "25 01:30"]


def test_zones_that_move_by_half_an_hour_or_at_midnight_tick_once() -> None:
    howe = ZoneInfo("Australia/Lord_Howe")
    assert len(ticks(cron("10 2 * * *", tz="Australia/Lord_Howe"), datetime(2026, 10, 4, tzinfo=howe))) == 1
    assert len(ticks(cron("45 1 * * *", tz="Australia/Lord_Howe"), datetime(2026, 4, 5, tzinfo=howe))) == 1
    beirut = datetime(2026, 3, 29, tzinfo=ZoneInfo("Asia/Beirut")) - timedelta(minutes=30)
    assert ticks(cron("0 0 * * *", tz="Asia/Beirut"), beirut, 20) == ["28 22:00"]


def test_an_interval_ticks_from_its_start_on() -> None:
    rule = Every(15 * MINUTE, 1_000)
    assert [next_after(rule, when) for when in (0, 999, 1_000, 1_001)] == [1_000, 1_000, 901_000, 901_000]
    assert next_after(Every(HOUR), at("2026-01-01T10:20:00+00:00")) == at("2026-01-01T11:00:00+00:00")


def test_seconds_may_stand_in_front() -> None:
    assert next_after(cron("*/20 * * * * *"), 1_000) == 20_000


@pytest.mark.parametrize(
    ("text", "zone", "why"),
    [
        ("", "UTC", "cron"), ("every day", "UTC", "cron"), ("61 * * * *", "UTC", "minute"),
        ("* * * * * * *", "UTC", "fields"), ("0 0 30 2 *", "UTC", "day-of-month"), ("* * */20 * 1L", "UTC", "never"),
        ("0 0 * * *", "Mars/Olympus", "time zone"), ("0 0 * * *", "../etc/passwd", "time zone"),
        ("0 0 * * *", "Europe", "time zone"), ("0 0 * * *", "", "time zone"),
        ("1," * 200 + "1 * * * *", "UTC", "200"),
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused_with_the_reason(text: str, zone: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        cron(text, tz=zone)


@given(st.text(max_size=40) | st.text("0123456789*/,-#L ?MONJAN", max_size=30))
def test_any_text_is_a_rule_or_refused(text: str) -> None:
    try:
        rule = cron(text)
    except ValueError:
        return
    assert (next_after(rule, 0) or 1) > 0


@pytest.mark.parametrize(
    "given",
    [{"name": ""}, {"name": "a/b"}, {"name": "x" * 151}, {"name": "a\n"}, {"rule": Every(999)}, {"catch_up": 0},
     {"rule": Cron("no")}],
)  # fmt: skip
def test_a_schedule_that_cannot_be_used_is_refused(given: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"name": "s", "rule": Every(SECOND), "request": NewJob("", "t", b"{}")}
    assert checked(NewSchedule(**fields)).tenant == "default"
    with pytest.raises(ValueError, match=r"name|interval|cron|catch_up"):
        checked(NewSchedule(**fields | given))


RULES = st.builds(Every, st.integers(SECOND, DAY), st.integers(0, DAY)) | st.sampled_from(
    [
        cron("*/5 * * * *"),
        cron("30 2 * * *", tz=BERLIN),
        cron("0,30 1-3 * * *", tz=BERLIN),
        cron("15 * * * *", tz=BERLIN),
    ]
)
INSTANTS = st.integers(-3 * DAY, 3 * DAY).map(lambda ms: ms + at("2026-10-25T00:00:00+00:00")) | st.integers(
    -3 * DAY, 3 * DAY
).map(lambda ms: ms + at("2026-03-29T00:00:00+00:00"))


@given(RULES, INSTANTS, st.integers(0, 3 * HOUR))
def test_what_comes_next_does_not_depend_on_where_one_looks_from(rule: Rule, since: int, later: int) -> None:
    first = next_after(rule, since)
    assert first is not None
    assert first > since
    assert next_after(rule, min(since + later, first - 1)) == first


@given(RULES, INSTANTS, st.integers(0, 2 * DAY))
def test_the_latest_tick_is_the_last_of_those_that_come_one_after_the_other(rule: Rule, since: int, span: int) -> None:
    span = min(span, 500 * rule.every) if isinstance(rule, Every) else span
    found, now = None, since
    while (now := next_after(rule, now) or 0) <= since + span:
        found = now
    assert latest(rule, since, since + span) == found


def test_a_tick_in_time_is_fired_and_the_next_one_follows() -> None:
    firing = plan(schedule(Every(HOUR), 5 * HOUR), 5 * HOUR + 3)
    assert (firing.ticks, firing.next_at) == ((5 * HOUR,), 6 * HOUR)
    (job,) = firing.jobs
    assert (job.id, job.task, job.correlation_id) == (tick_id("default", "s", 5 * HOUR), "t", "s@1970-01-01T05:00:00Z")
    assert len(packed(job.id)) == 16


def test_of_missed_ticks_only_the_latest_is_fired_and_only_within_a_minute() -> None:
    behind = schedule(Every(10 * SECOND), 0)
    assert plan(behind, HOUR + 1).ticks == (HOUR,)
    old = schedule(Every(HOUR), 0)
    assert plan(old, HOUR + LATEST_WITHIN).ticks == (HOUR,)
    assert plan(old, HOUR + LATEST_WITHIN + 1)[1:] == ((), (), 2 * HOUR)


def test_with_a_window_every_missed_tick_in_it_is_fired() -> None:
    firing = plan(schedule(Every(MINUTE), 0, catch_up=5 * MINUTE), HOUR)
    assert firing.ticks == tuple(HOUR - n * MINUTE for n in (5, 4, 3, 2, 1, 0))
    assert firing.next_at == HOUR + MINUTE


def test_many_missed_ticks_are_fired_a_part_at_a_time() -> None:
    firing = plan(schedule(Every(SECOND), SECOND, catch_up=DAY), HOUR)
    assert (len(firing.ticks), firing.ticks[0], firing.next_at) == (AT_ONCE, SECOND, (AT_ONCE + 1) * SECOND)


@pytest.mark.parametrize("overlap", [Overlap.SKIP, Overlap.CANCEL_RUNNING])
def test_where_jobs_must_not_overlap_only_the_latest_missed_tick_is_fired(overlap: Overlap) -> None:
    firing = plan(schedule(Every(MINUTE), 0, catch_up=DAY, overlap=overlap), HOUR + 1)
    assert (firing.ticks, firing.next_at) == ((HOUR,), HOUR + MINUTE)


def test_the_id_of_a_tick_is_its_own() -> None:
    ids = {tick_id(tenant, name, tick) for tenant in ("a", "ab") for name in ("b", "") for tick in (1, 2)}
    assert len(ids) == 8
    one = NewSchedule(name="s", rule=Every(SECOND), request=NewJob("x", "t", b"{}", correlation_id="mine"))
    assert job_of(one, 7) == job_of(one, 7)
    assert job_of(one, 7).correlation_id == "mine"
