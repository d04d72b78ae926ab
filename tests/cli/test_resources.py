from __future__ import annotations

import pytest

from stanchion.cli import exits
from stanchion.cli.resources import given
from stanchion.domain.resources import advertised
from stanchion.errors import UsageError

URL = ("--url", "sqlite:///jobs.db")


def test_a_resource_is_shared_listed_and_dropped(run):
    run("migrate", *URL)
    assert run("resources", "set", "slots", "10", *URL).code == exits.OK
    assert run("resources", *URL, "--json").record == {
        "name": "slots", "capacity": 10, "used": 0, "waiting": 0, "shared": True,
    }  # fmt: skip
    assert "all workers together" in run("resources", *URL).out
    assert run("resources", "drop", "slots", *URL).out == "slots: not shared\n"
    assert run("resources", "drop", "slots", *URL).code == exits.NOT_FOUND
    for words in (["gpu:0", "1"], ["a b", "1"], ["slots", "-1"]):
        found = run("resources", "set", *words, *URL)
        assert found.code == exits.USAGE
        assert found.err


def test_a_worker_tells_what_its_machine_has(run, target):
    run("enqueue", "add", "--arg", "a=1", "--app", target)
    assert run("worker", target, "--burst", "--resource", "gpu=2", "--resource", "vram_gb=24").code == exits.OK
    (row,) = run("workers", "--gone", *URL, "--json").records
    assert row["resources"] == {"gpu:0": 1, "gpu:1": 1, "vram_gb": 24}
    assert "gpu:0 0/1, gpu:1 0/1, vram_gb 0/24" in run("workers", "--gone", *URL).out


@pytest.mark.parametrize("words", [["gpu"], ["=1"], ["gpu="], ["gpu=1", "gpu=2"], ["gpu=0"], ["vram=0"], ["gpu=a,,b"]])
def test_what_is_no_resource_is_refused(run, target, words):
    found = run("worker", target, "--burst", *[part for word in words for part in ("--resource", word)])
    assert found.code == exits.USAGE
    assert found.err


def test_devices_are_counted_named_or_shared():
    assert advertised(given(["gpu=2"])) == {"gpu:0": 1, "gpu:1": 1}
    assert advertised(given(["gpu=0,1"])) == {"gpu:0": 1, "gpu:1": 1}
    assert advertised(given(["gpu:0=4"])) == {"gpu:0": 4}
    with pytest.raises(UsageError):
        given(["gpu"])
