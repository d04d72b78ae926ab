from __future__ import annotations

import os
import signal

import pytest

from stanchion.cli import exits
from tests.cli.conftest import until

URL = ("--url", "sqlite:///jobs.db")


def test_a_burst_works_until_nothing_is_left(run, target):
    ids = [run("enqueue", "add", "--arg", f"a={n}", "--app", target).out.strip() for n in range(3)]
    assert run("worker", target, "--burst", "--queues", "others").code == exits.OK
    assert {job["state"] for job in run("jobs", *URL, "--json").records} == {"queued"}
    assert run("worker", target, "--burst", "--queues", "sums, others").code == exits.OK
    assert {job["id"]: job["state"] for job in run("jobs", *URL, "--json").records} == dict.fromkeys(ids, "completed")


@pytest.mark.parametrize(
    ("app", "told"),
    [
        ("nowhere:app", "no module 'nowhere'"),
        ("{module}:nothing", "is not there"),
        ("{module}:TASKS", "is not there"),
        ("{module}:asyncio", "is a module"),
        ("{module}", "does not name an app"),
        ("{module}:empty", "has no task"),
        ("broken:app", "ZeroDivisionError"),
        ("{module}:here", "memory://"),
    ],
)
def test_an_app_that_cannot_be_used_is_exit_code_2(run, folder, module, app, told):
    (folder / "broken.py").write_text("1 / 0\n")
    found = run("worker", app.format(module=module))
    assert found.code == exits.USAGE
    assert told in found.err
    assert "Traceback" not in found.err


def test_no_app_at_all_is_a_wrong_setting(run, folder):
    found = run("worker")
    assert found.code == exits.USAGE
    assert "STANCHION_APP" in found.err


def test_the_app_may_come_from_the_environment(run, target, monkeypatch):
    monkeypatch.setenv("STANCHION_APP", target)
    run("enqueue", "add", "--arg", "a=1")
    assert run("worker", "--burst").code == exits.OK
    assert run("jobs", "--json").record["state"] == "completed"


def test_sigterm_lets_running_jobs_finish(run, folder, target, spawn):
    job = run("enqueue", "slow", "--arg", "seconds=0.5", "--app", target).out.strip()
    worker = spawn("worker", target)
    until((folder / "started").exists)
    worker.stop()
    assert worker.ended() == exits.OK
    shown = run("jobs", "show", job, *URL, "--json").record
    assert (shown["state"], shown["attempt"], shown["spent"]) == ("completed", 1, 1)
    assert run("workers", *URL, "--json").records == []


def test_a_second_signal_gives_back_what_runs(run, folder, target, spawn):
    job = run("enqueue", "slow", "--arg", "seconds=60", "--app", target).out.strip()
    worker = spawn("worker", target)
    until((folder / "started").exists)
    worker.stop(signal.SIGINT)
    worker.stop(signal.SIGTERM)
    assert worker.ended(10) == exits.INTERRUPTED
    shown = run("jobs", "show", job, *URL, "--json").record
    assert (shown["state"], shown["spent"], shown["crashes"]) == ("queued", 0, 0)


def test_a_killed_child_is_replaced_and_its_job_runs_again(run, folder, target, spawn):
    job = run("enqueue", "slow", "--arg", "seconds=1", "--app", target).out.strip()
    worker = spawn("worker", target, "--profile", "default")
    until((folder / "started").exists)
    (folder / "started").unlink()
    (row,) = run("workers", *URL, "--json").records
    os.kill(row["pid"], signal.SIGKILL)
    until((folder / "started").exists, 10)
    worker.stop()
    assert worker.ended() == exits.OK
    shown = run("jobs", "show", job, *URL, "--json").record
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["lost", "completed"]
    assert (shown["spent"], shown["crashes"]) == (1, 1)


def test_worker_processes_come_when_jobs_wait_and_go_when_none_do(run, folder, target, spawn):
    worker = spawn("worker", target, "--scale", "0..2", "--slots", "1", "--scale-quiet", "1s")
    ids = [run("enqueue", "slow", "--arg", "seconds=1", "--app", target).out.strip() for _ in range(3)]
    until(lambda: len(run("workers", *URL, "--json").records) == 2)
    until(lambda: {job["state"] for job in run("jobs", *URL, "--json").records} == {"completed"})
    until(lambda: run("workers", *URL, "--json").records == [])
    assert worker.process.poll() is None
    assert [run("jobs", "show", job, *URL, "--json").record["attempt"] for job in ids] == [1, 1, 1]
    worker.stop()
    assert worker.ended() == exits.OK


@pytest.mark.parametrize(
    "options",
    [
        ("--scale", "3"),
        ("--scale", "4..2"),
        ("--scale", "0..0"),
        ("--scale", "-1..2"),
        ("--scale", "1..2", "--scale-wait", "soon"),
        ("--scale", "1..2", "--scale-wait", "0s"),
        ("--scale", "1..2", "--processes", "2"),
        ("--scale", "1..2", "--burst"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(run, target, options):
    found = run("worker", target, *options)
    assert found.code == exits.USAGE
    assert "what to do: " in found.err
