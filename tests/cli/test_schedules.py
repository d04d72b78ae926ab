from __future__ import annotations

from stanchion.cli import exits

URL = ("--url", "sqlite:///jobs.db")
SCHEDULED = """
from stanchion import every

app.schedule("0 7 * * *", tz="Europe/Berlin", name="daily", args={"a": 2})(add)
app.schedule(every("1h"), name="hourly", args={"text": "x", "token": "CANARY"}, overlap="skip")(echo)
"""


def declare(target: str, folder) -> None:
    file = folder / f"{target.partition(':')[0]}.py"
    file.write_text(file.read_text() + SCHEDULED)


def test_schedules_are_listed_paused_run_and_deleted(run, target, folder):
    declare(target, folder)
    run("worker", target, "--burst")
    daily, hourly = run("schedules", *URL, "--json").records
    assert (daily["name"], daily["cron"], daily["tz"], daily["job"]["args"]) == (
        "daily",
        "0 7 * * *",
        "Europe/Berlin",
        {"a": 2},
    )
    assert (hourly["every"], hourly["overlap"], hourly["paused"]) == (3600, "skip", False)
    assert "CANARY" not in run("schedules", "list", *URL, "--json").out
    table = run("schedules", "list", *URL).out
    assert "0 7 * * * Europe/Berlin" in table
    assert "every 1 h 0 min" in table
    assert run("schedules", "pause", "daily", *URL).out == "daily: paused\n"
    assert "paused" in run("schedules", *URL).out
    assert run("schedules", "resume", "daily", *URL).out.startswith("daily: next tick 20")
    assert run("schedules", "pause", "daily", *URL, "--json").record["next_at"] is None
    made = run("schedules", "run", "daily", *URL, "--json").record
    assert made["state"] == "queued"
    assert run("jobs", "show", made["id"], *URL, "--json").record["args"] == {"a": 2}
    assert len(run("schedules", "run", "hourly", *URL).out.strip()) == 36
    assert run("schedules", "delete", "daily", *URL).out == "daily is deleted\n"
    assert run("schedules", "delete", "hourly", *URL, "--json").record == {"name": "hourly", "deleted": True}
    assert run("schedules", *URL, "--json").records == []


def test_a_schedule_that_is_not_there_is_a_slip(run):
    run("migrate", *URL)
    for command in ("pause", "resume", "run", "delete"):
        found = run("schedules", command, "dayly", *URL)
        assert found.code == exits.NOT_FOUND
        assert "dayly" in found.err
