from __future__ import annotations

from stanchion.cli import exits

URL = ("--url", "sqlite:///jobs.db")


def test_a_limit_is_set_listed_and_dropped(run):
    run("migrate", *URL)
    assert run("limits", "set", "tenant:acme", "--running", "5", *URL).code == exits.OK
    run("limits", "set", "provider:x", "--starts", "60", "--per", "1m", "--burst", "10", *URL)
    first, second = run("limits", *URL, "--json").records
    assert (first["key"], first["starts"], first["period"], first["burst"]) == ("provider:x", 60, 60_000, 10)
    assert (second["key"], second["running"], second["used"]) == ("tenant:acme", 5, 0)
    assert "60 in 60 s, 10 at once" in run("limits", *URL).out
    assert run("limits", "drop", "tenant:acme", *URL).out == "tenant:acme: no limit\n"
    assert run("limits", "drop", "tenant:acme", *URL).code == exits.NOT_FOUND


def test_a_key_is_parked_and_its_jobs_wait(run, target):
    run("enqueue", "add", "--arg", "a=1", "--app", target)
    assert run("limits", "park", "task:add", "1h", *URL, "--json").record["parked_until"]
    (parked,) = run("limits", *URL, "--json").records
    assert (parked["key"], parked["running"], parked["starts"]) == ("task:add", None, None)
    run("limits", "park", "task:add", "0", *URL)
    run("worker", target, "--burst")
    (queue,) = run("queues", *URL, "--json").records
    assert queue["counts"]["completed"] == 1


def test_what_cannot_be_a_limit_is_refused(run):
    run("migrate", *URL)
    for words in (["acme", "--running", "1"], ["tenant:acme"], ["tenant:a", "--starts", "1", "--per", "soon"]):
        found = run("limits", "set", *words, *URL)
        assert found.code == exits.USAGE
        assert found.err


def test_tenants_have_a_weight_and_a_top_priority(run):
    run("migrate", *URL)
    assert run("tenants", "set", "acme", "--weight", "3", "--top-priority", "normal", *URL).code == exits.OK
    assert run("tenants", *URL, "--json").records == [{"name": "acme", "weight": 3, "top_priority": 5}]
    assert run("tenants", "set", "acme", "--weight", "0", *URL).code == exits.USAGE
    assert run("tenants", "set", "acme", "--top-priority", "soon", *URL).code == exits.USAGE


def test_a_queue_gets_a_bound_and_shows_how_full_it_is(run, target):
    run("migrate", *URL)
    assert run("limits", "overflow", "queue:sums", "--warn-at", "2", "--refuse-at", "3", *URL).code == exits.OK
    (limit,) = run("limits", *URL, "--json").records
    assert (limit["warn"], limit["refuse"]) == (2, 3)
    for _ in range(2):
        assert run("enqueue", "add", "--arg", "a=1", "--app", target).code == exits.OK
    (queue,) = run("queues", *URL, "--json").records
    assert queue["overflow"]["since"]
    assert (queue["overflow"]["jobs"], queue["overflow"]["refuse_at"]) == (2, 3)
    assert "filling" in run("queues", *URL).out
    run("enqueue", "add", "--arg", "a=1", "--app", target)
    refused = run("enqueue", "add", "--arg", "a=1", "--app", target)
    assert refused.code != exits.OK
    assert "already has 3 jobs" in refused.err
