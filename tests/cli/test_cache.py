from __future__ import annotations

from pathlib import Path

import pytest

from stanchion.cli import exits

URL = ("--url", "sqlite:///jobs.db")


@pytest.fixture
def sums(target):
    """An app with a task that caches."""
    module = target.partition(":")[0]
    with Path(f"{module}.py").open("a") as file:
        file.write("\n@app.task(cache=True)\nasync def total(a: int, b: int = 1) -> int:\n    return a + b\n")
    return target


def test_an_equal_request_is_answered_from_the_cache(run, sums):
    run("enqueue", "total", "--arg", "a=1", "--app", sums)
    run("worker", sums, "--burst")
    answer = run("enqueue", "total", "--arg", "a=1", "--app", sums, "--json").record
    assert (answer["state"], answer["new"], answer["cached"]) == ("completed", True, True)
    assert "answered from the cache" in run("enqueue", "total", "--arg", "a=1", "--app", sums).err
    assert "from the cache" in run("jobs", *URL).out
    (record,) = run("cache", "stats", *URL, "--json").records
    assert (record["tenant"], record["task"], record["entries"], record["hits"]) == ("default", "total", 1, 2)
    assert "1 results" in run("cache", "stats", *URL).out


def test_a_purge_says_what_it_means(run, sums):
    run("enqueue", "total", "--arg", "a=1", "--app", sums)
    run("worker", sums, "--burst")
    refused = run("cache", "purge", *URL)
    assert refused.code == exits.USAGE
    assert "--all" in refused.err
    assert run("cache", "purge", "--older-than", "long", *URL).code == exits.USAGE
    assert run("cache", "purge", "--task", "other", *URL).out == "0 dropped\n"
    assert run("cache", "purge", "--all", *URL, "--json").record == {"count": 1}
    assert not run("enqueue", "total", "--arg", "a=1", "--app", sums, "--json").record["cached"]
