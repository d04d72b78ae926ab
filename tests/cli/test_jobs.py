from __future__ import annotations

import asyncio
import json

import pytest

from stanchion import Stanchion
from stanchion.cli import exits


@pytest.fixture
def worked(run, target):
    """One job that completed, one that failed, one that waits: by their ids."""
    ids = {}
    ids["completed"] = run("enqueue", "add", "--arg", "a=2", "--arg", "b=3", "--app", target).out.strip()
    ids["failed"] = run("enqueue", "fail", "--app", target, "--tags", "x,y", "--user", "ada").out.strip()
    assert run("worker", target, "--burst").code == exits.OK
    ids["queued"] = run("enqueue", "echo", "--arg", "text=7", "--arg", "token=t0p", "--app", target).out.strip()
    return ids


URL = ("--url", "sqlite:///jobs.db")


def test_jobs_are_listed_and_filtered(run, worked):
    states = {job["id"]: job["state"] for job in run("jobs", *URL, "--json").records}
    assert states == {job_id: state for state, job_id in worked.items()}
    for arguments in (["--state", "failed"], ["--task", "fail"], ["--user", "ada"], ["--tag", "x"]):
        assert [job["id"] for job in run("jobs", *URL, "--json", *arguments).records] == [worked["failed"]]
    assert worked["completed"] in run("jobs", *URL, "--queue", "sums").out


def test_pages_follow_each_other(run, worked):
    first = run("jobs", *URL, "--json", "--limit", "2")
    cursor = first.err.split("--after ")[1].strip()
    second = run("jobs", *URL, "--json", "--limit", "2", "--after", cursor)
    assert {job["id"] for job in first.records + second.records} == set(worked.values())
    assert second.err == ""


def test_a_job_is_shown_in_full(run, worked):
    shown = run("jobs", "show", worked["completed"], *URL, "--json").record
    assert (shown["args"], shown["result"]) == ({"a": 2, "b": 3}, 5)
    assert [event["state"] for event in shown["events"]] == ["queued", "running", "completed"]
    for_people = run("jobs", "show", worked["failed"], *URL).out
    assert "validation: no" in for_people


def test_secret_arguments_are_struck_out_where_the_task_is_known(run, worked, target):
    shown = run("jobs", "show", worked["queued"], "--app", target, "--json").record
    assert shown["args"] == {"text": "7", "token": "[secret]"}
    assert "t0p" not in run("jobs", "show", worked["queued"], "--app", target).out


def test_a_failed_job_is_queued_anew_once(run, worked):
    assert run("jobs", "retry", worked["failed"], *URL, "--json").record == {"count": 1, "errors": []}
    again = run("jobs", "retry", worked["failed"], *URL)
    assert again.code == exits.REFUSED
    assert "cannot be changed" in again.err


def test_cancel_needs_to_know_which(run, worked):
    assert run("jobs", "cancel", *URL).code == exits.USAGE
    assert run("jobs", "cancel", worked["queued"], "--all", *URL).code == exits.USAGE
    assert run("jobs", "cancel", "--task", "echo", *URL).out == "1 cancelled or asked to stop\n"
    assert run("jobs", "cancel", worked["queued"], *URL).code == exits.OK


def test_an_unknown_job_is_exit_code_4(run, worked):
    absent = worked["failed"][:-4] + "0000"
    for command in (["show"], ["watch"], ["cancel"], ["retry"], ["erase"]):
        assert run("jobs", *command, absent, *URL).code == exits.NOT_FOUND


def test_watching_an_ended_job_tells_how_it_ended(run, worked):
    done = run("jobs", "watch", worked["completed"], *URL, "--json")
    assert done.code == exits.OK
    assert done.records[-1]["state"] == "completed"
    lost = run("jobs", "watch", worked["failed"], *URL)
    assert lost.code == exits.FAILED
    assert "validation: no" in lost.err


def test_ended_jobs_are_erased_and_others_are_not(run, worked):
    assert run("jobs", "erase", worked["queued"], *URL).code == exits.REFUSED
    assert run("jobs", "erase", "--older-than", "1h", *URL).out == "0 erased\n"
    assert run("jobs", "erase", "--older-than", "soon", *URL).code == exits.USAGE
    assert run("jobs", "erase", "--all", *URL).out == "2 erased\n"
    assert [job["id"] for job in run("jobs", *URL, "--json").records] == [worked["queued"]]


def test_the_dead_are_listed_retried_and_erased(run, worked):
    found = run("dead", *URL)
    assert worked["failed"] in found.out
    assert worked["queued"] not in found.out
    assert "1 validation" in found.err
    assert run("dead", "--state", "queued", *URL).code == exits.USAGE
    assert run("dead", "retry", "--all", *URL).out == "1 queued anew\n"
    assert run("dead", "erase", "--all", *URL).out == "0 erased\n"


def test_nothing_is_printed_but_json_lines(run, worked):
    for command in (["jobs"], ["queues"], ["workers", "--gone"], ["doctor"], ["migrate"]):
        found = run(*command, *URL, "--json")
        assert found.out
        assert all(isinstance(json.loads(line), dict) for line in found.out.splitlines())


def test_a_job_is_shown_with_its_parents_and_children(run, worked, target):
    async def tie():
        app = Stanchion("sqlite:///jobs.db")

        @app.task
        async def after() -> None: ...

        async with app:
            return (await after.options(depends_on=[worked["queued"]], workflow="w").enqueue()).id

    child = asyncio.run(tie())
    shown = run("jobs", "show", child, *URL, "--json").record
    assert [parent["id"] for parent in shown["parents"]] == [worked["queued"]]
    assert shown["workflows"] == ["w"]
    assert [job["id"] for job in run("jobs", "--workflow", "w", *URL, "--json").records] == [shown["id"]]
    text = run("jobs", "show", child, *URL).out
    assert f"job {worked['queued']}" in text
    assert child in run("jobs", "show", worked["queued"], *URL).out
