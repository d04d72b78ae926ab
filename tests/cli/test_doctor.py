from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

from stanchion.cli import exits

URL = ("--url", "sqlite:///jobs.db")


@pytest.fixture
def verdicts(run):
    def examine(*arguments):
        found = run("doctor", *(arguments or URL), "--json")
        return found.code, {record["what"]: record for record in found.records}

    return examine


def test_a_new_store_is_well(run, verdicts):
    run("migrate", *URL)
    code, found = verdicts()
    assert code == exits.OK
    assert {name for name, item in found.items() if item["verdict"] == "fail"} == set()
    wanted = {"store", "SQLite", "durability", "integrity", "write-ahead log", "clock", "filesystem", "disk space"}
    assert wanted | {"ballast", "second library", "open in", "workers"} <= set(found)
    assert found["durability"]["verdict"] == "ok"


def test_a_full_disk_fails(run, verdicts, monkeypatch):
    run("migrate", *URL)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    code, found = verdicts()
    assert code == exits.FAILED
    assert found["disk space"]["verdict"] == "fail"
    assert found["disk space"]["remedy"]


def test_weaker_durability_is_told(run, verdicts):
    run("migrate", *URL)
    _, found = verdicts("--url", "sqlite:///jobs.db?synchronous=normal")
    assert found["durability"]["verdict"] == "warn"


def test_jobs_that_nobody_takes_are_told(run, verdicts, target):
    run("enqueue", "add", "--arg", "a=1", "--app", target)
    run("queues", "pause", "sums", *URL)
    _, found = verdicts()
    assert found["workers"]["verdict"] == "warn"
    assert found["paused queue"]["remedy"] == "stanchion queues resume sums"


def test_people_get_a_table(run):
    run("migrate", *URL)
    found = run("doctor", *URL)
    assert "durability" in found.out
    assert "what to do" in found.out


def test_migrate_prints_the_schema(run, folder):
    assert run("migrate", *URL, "--json").record == {"store": "sqlite", "schema": 1, "file": "jobs.db"}
    assert (folder / "jobs.db").exists()


def test_bench_measures_and_leaves_nothing(run, folder):
    found = run("bench", "--seconds", "0.05", "--synchronous", "off", "--folder", ".", "--json")
    assert [record["what"].split(",")[0] for record in found.records] == ["enqueue"] * 3 + ["run and settle"]
    assert all(record["rate"] > 0 for record in found.records)
    assert list(folder.iterdir()) == []
