from __future__ import annotations

from stanchion.cli import exits

URL = ("--url", "sqlite:///jobs.db")


def test_a_paused_queue_starts_nothing_until_it_is_resumed(run, target):
    run("enqueue", "add", "--arg", "a=1", "--app", target)
    assert run("queues", "pause", "sums", *URL).out == "sums: paused\n"
    run("worker", target, "--burst")
    (queue,) = run("queues", *URL, "--json").records
    assert (queue["name"], queue["paused"], queue["counts"]["queued"]) == ("sums", True, 1)
    assert run("queues", "drain", "sums", "--timeout", "0.05", *URL).code == exits.FAILED
    assert run("queues", "resume", "sums", *URL, "--json").record["paused"] is False
    run("worker", target, "--burst")
    assert run("queues", "drain", "sums", *URL).out == "sums is drained\n"


def test_ended_jobs_of_a_queue_are_cleaned(run, target):
    run("enqueue", "add", "--arg", "a=1", "--app", target)
    run("worker", target, "--burst")
    assert run("queues", "clean", "sums", *URL).out == "0 erased\n"
    assert run("queues", "clean", "sums", "--older-than", "0", *URL, "--json").record["count"] == 1
    assert run("queues", "clean", "sums", "--states", "queued", *URL).code == exits.USAGE
    assert run("queues", "clean", "sums", "--older-than", "long", *URL).code == exits.USAGE


def test_a_full_queue_refuses(run, target):
    run("migrate", *URL)
    assert run("queues", "limit", "sums", "1", *URL).out == "sums: open, at most 1 waiting\n"
    assert run("enqueue", "add", "--arg", "a=1", "--app", target).code == exits.OK
    assert run("enqueue", "add", "--arg", "a=1", "--app", target).code == exits.REFUSED


def test_how_far_warm_models_may_go_is_set_per_queue(run):
    run("migrate", *URL)
    told = run("queues", "affinity", "sums", "--jobs", "4", "--seconds", "10", *URL)
    assert told.out == "sums: open, warm models past 4 jobs or 10 s\n"
    assert run("queues", "affinity", "sums", "--jobs", "0", *URL).out == "sums: open, affinity off\n"
    record = run("queues", "affinity", "sums", "--jobs", "8", "--seconds", "2m", *URL, "--json").record
    assert (record["affinity_jobs"], record["affinity_seconds"]) == (8, 120)
    (queue,) = run("queues", *URL, "--json").records
    assert (queue["affinity_jobs"], queue["affinity_seconds"]) == (8, 120)
    for wrong in (["--jobs", "101"], ["--seconds", "long"], ["--seconds", "2d"]):
        assert run("queues", "affinity", "sums", *wrong, *URL).code == exits.USAGE


def test_a_queue_that_is_not_there_is_a_slip(run):
    run("migrate", *URL)
    for command in (["resume"], ["drain"], ["clean"]):
        found = run("queues", *command, "smus", *URL)
        assert found.code == exits.NOT_FOUND
        assert "smus" in found.err


def test_a_queue_lifts_those_that_wait(run, target):
    run("migrate", *URL)
    assert run("queues", "aging", "sums", "10m", *URL).out == "sums: open, lifted every 600 s\n"
    (queue,) = run("queues", *URL, "--json").records
    assert queue["aging"] == 600
    assert run("queues", "aging", "sums", "0", *URL, "--json").record["aging"] is None
    assert run("queues", "aging", "sums", "soon", *URL).code == exits.USAGE
