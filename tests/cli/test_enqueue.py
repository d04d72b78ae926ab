from __future__ import annotations

import json

import pytest

from stanchion.cli import exits

URL = ("--url", "sqlite:///jobs.db")


def test_a_job_is_stored_and_its_id_printed(run, target):
    found = run("enqueue", "add", "--args", '{"a": 1}', "--app", target, "--json")
    assert found.code == exits.OK
    assert found.record["state"] == "queued"
    assert run("jobs", "show", found.record["id"], *URL, "--json").record["args"] == {"a": 1}


def test_text_stays_text_where_the_task_asks_for_text(run, target):
    run("enqueue", "echo", "--arg", "text=7", "--arg", "token=true", "--app", target)
    run("enqueue", "echo", "--arg", "text=null", "--arg", "token=null", "--app", target)
    ids = [job["id"] for job in run("jobs", *URL, "--json").records]
    shown = [run("jobs", "show", job_id, *URL, "--json").record["args"] for job_id in ids]
    assert shown == [{"text": "null", "token": "[secret]"}, {"text": "7", "token": "[secret]"}]


def test_options_reach_the_job(run, target):
    place = ["--queue", "q", "--priority", "high", "--delay", "1h", "--max-attempts", "7"]
    given = [*place, "--tags", "a,b", "--user", "ada", "--tenant", "t"]
    job_id = run("enqueue", "add", "--arg", "a=1", "--app", target, *given).out.strip()
    job = run("jobs", "show", job_id, *URL, "--json").record
    assert (job["queue"], job["priority"], job["state"]) == ("q", 2, "scheduled")
    assert (job["tags"], job["user"], job["tenant"], job["max_attempts"]) == (["a", "b"], "ada", "t", 7)


@pytest.mark.parametrize(
    "given",
    [
        ["--arg", "a=x"],
        ["--arg", "a"],
        ["--args", "[1]"],
        ["--args", "{"],
        ["--arg", "a=1", "--priority", "loud"],
        ["--arg", "a=1", "--run-at", "tomorrow"],
        ["--arg", "a=1", "--delay", "soon"],
        ["rest"],
        ["--arg", "a=1", "--resource", "gpu"],
        ["--arg", "a=1", "--resource", "gpu=-1"],
        ["--arg", "a=1", "--resource", "gpu=1", "--resource", "gpu=1"],
        ["--arg", "a=1", "--resource", "gpu=1", "--resource", "gpu:0=1"],
        ["--arg", "a=1", "--conflict", "printer"],
        ["--arg", "a=1", "--conflict", "never:printer"],
        ["--arg", "a=1", "--conflict", "queue:"],
        ["--arg", "a=1", "--max-ahead", "-1"],
        ["--arg", "a=1", "--model", " flux"],
        ["--arg", "a=1", "--delay", "99999999999d"],
    ],
)
def test_a_wrong_request_stores_nothing(run, target, given):
    found = run("enqueue", "add", *given, "--app", target)
    assert found.code == exits.USAGE
    assert "what to do: " in found.err
    run("migrate", *URL)
    assert run("jobs", *URL, "--json").records == []


def test_a_job_may_ask_for_a_model_resources_its_turn_and_a_place(run, target):
    asked = [
        "--model",
        "flux-dev",
        "--resource",
        "gpu=1",
        "--resource",
        "vram_gb=12",
        "--conflict",
        "queue:the printer",
    ]
    call = ("enqueue", "add", "--arg", "a=1", "--app", target, *asked)
    first, second = run(*call, "--max-ahead", "0").out.strip(), run(*call).out.strip()
    shown = run("jobs", "show", first, *URL, "--json").record
    assert (shown["model"], shown["state"]) == ("flux-dev", "queued")
    waits = run("jobs", "show", second, *URL, "--json").record["waiting_on"]
    assert (waits["reason"], waits["key"]) == ("conflict", first)
    full = run("enqueue", "add", "--arg", "a=1", "--app", target, "--max-ahead", "0")
    assert full.code == exits.REFUSED
    assert "what to do: " in full.err


def test_a_line_may_have_a_conflict_key_and_parents(run, target):
    first = run("enqueue", "add", "--arg", "a=1", "--app", target).out.strip()
    line = json.dumps({"task": "add", "args": {"a": 2}, "depends_on": [first]})
    keyed = json.dumps({"task": "add", "args": {"a": 3}, "conflict": {"key": "k", "policy": "cancel_newest"}})
    found = run("enqueue", "-", "--app", target, stdin=f"{line}\n{keyed}\n{keyed}\n")
    assert found.out == "2 stored, 0 joined, 1 refused\n"
    states = [job["state"] for job in run("jobs", *URL, "--json").records]
    assert sorted(states) == ["blocked", "queued", "queued"]


def test_the_same_key_gives_the_same_job(run, target):
    call = ("enqueue", "add", "--arg", "a=1", "--idempotency-key", "k", "--app", target)
    first, second = run(*call), run(*call)
    assert first.out == second.out
    assert "joined" in second.err
    other = run("enqueue", "add", "--arg", "a=2", "--idempotency-key", "k", "--app", target)
    assert other.code == exits.REFUSED


def test_many_are_read_from_standard_input_and_a_bad_line_is_named(run, target):
    lines = '{"a": 1}\n\n{"a": "x"}\nnope\n{"a": 2, "b": 3}\n'
    found = run("enqueue", "add", "-", "--app", target, stdin=lines)
    assert found.code == exits.FAILED
    assert found.out == "2 stored, 0 joined, 2 refused\n"
    assert "line 3: The arguments do not fit" in found.err
    assert "line 4: it is not a request" in found.err


def test_whole_requests_are_read_from_standard_input(run, target):
    lines = (
        '{"task": "add", "args": {"a": 1}, "priority": "low", "queue": "q"}\n{"task": "zzz"}\n{"task": "add", "x": 1}\n'
    )
    found = run("enqueue", "-", "--app", target, "--json", stdin=lines)
    assert [record.get("error") for record in found.records] == ["validation", None, "unknown_task"]
    (job,) = run("jobs", *URL, "--json").records
    assert (job["priority"], job["queue"]) == (8, "q")


def test_without_the_app_only_a_running_workers_tasks_are_known(run, target, spawn):
    run("migrate", *URL)
    assert run("enqueue", "add", "--arg", "a=1", *URL).code == exits.USAGE
    worker = spawn("worker", target, "--json")
    while not run("workers", *URL, "--json").records:
        pass
    found = run("enqueue", "add", "--arg", "a=41", *URL, "--wait", "20")
    assert (found.code, found.out) == (exits.OK, "42\n")
    failed = run("enqueue", "fail", *URL, "--wait", "20")
    assert failed.code == exits.FAILED
    assert "(validation): no" in failed.err
    late = run("enqueue", "slow", "--arg", "seconds=20", *URL, "--wait", "0.05")
    assert late.code == exits.FAILED
    assert "it goes on" in late.err
    worker.stop()
    worker.stop()
    assert worker.ended() in {exits.INTERRUPTED, exits.OK}
