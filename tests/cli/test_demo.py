from __future__ import annotations

import os
import signal
import socket

import httpx
import pytest

from stanchion.cli import exits
from stanchion.demo.tasks import file_name
from tests.cli.conftest import until

PNG = b"\x89PNG\r\n\x1a\n"


def test_rows_become_pictures_and_a_bad_row_fails_alone(spawn, folder):
    (folder / "mine.csv").write_text("prompt,size\na red slime,32\na knight,9999\na tower,16\n")
    demo = spawn("demo", "--input", "mine.csv", "--exit", "--fast", "--port", "0", "--out", "made", "--json")
    summary = demo.record("summary")
    assert demo.ended() == exits.OK
    assert (summary["counts"]["completed"], summary["counts"]["failed"], summary["saved"]) == (2, 1, 2)
    assert summary["first_picture"] > 0
    assert sorted(path.name for path in (folder / "made").iterdir()) == ["0001-a-red-slime.png", "0003-a-tower.png"]
    assert (folder / "made" / "0001-a-red-slime.png").read_bytes().startswith(PNG)


def test_the_demo_tells_people_what_it_does(spawn, folder):
    demo = spawn("demo", "--limit", "5", "--exit", "--port", "0", "--step-ms", "1")
    told, _ = demo.process.communicate(timeout=40)
    assert demo.ended() == exits.OK
    for words in ("dashboard  http://127.0.0.1:", "5 rows, 2 worker processes", "--fast", "5 completed, 0 failed"):
        assert words in told
    assert len(list((folder / "stanchion-demo" / "sprites").glob("*.png"))) == 5


def test_a_bad_row_is_told_with_its_line(spawn, folder):
    (folder / "mine.jsonl").write_text('{"prompt": "a slime"}\n{"prompt": 7}\n')
    demo = spawn("demo", "--input", "mine.jsonl", "--exit", "--fast", "--port", "0")
    told, _ = demo.process.communicate(timeout=40)
    assert "row 2 failed: line 2: the prompt is missing" in told


def test_a_killed_worker_is_told_and_the_dashboard_stays_up(spawn, folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        demo = spawn("demo", "--limit", "6", "--step-ms", "150", "--workers", "1", "--port", str(port), "--json")
        assert "in use" in demo.record("note")["message"]
    url = demo.record("note")["dashboard"]
    with httpx.Client(base_url=url, timeout=10) as client:
        until(lambda: any(w["running"] for w in client.get("/api/v1/workers").json()["items"]))
        (worker,) = client.get("/api/v1/workers").json()["items"]
        os.kill(worker["pid"], signal.SIGKILL)
        message = ""
        while "were taken over" not in message:
            message = demo.record("note")["message"]
        assert str(worker["pid"]) in message
        assert demo.record("summary")["counts"]["completed"] == 6
        assert "stays up" in demo.record("note")["message"]
        assert client.get("/api/v1/stats").json()["counts"]["completed"] == 6
    demo.stop(signal.SIGINT)
    assert demo.ended(15) == exits.OK


def test_a_stopped_demo_says_what_was_done(spawn, folder):
    demo = spawn("demo", "--limit", "40", "--step-ms", "400", "--port", "0", "--json")
    demo.record("note")
    demo.stop()
    assert demo.record("summary")["jobs"] == 40
    assert demo.ended(20) == exits.INTERRUPTED


def test_a_second_demo_in_the_same_place_is_refused(spawn, run, folder):
    demo = spawn("demo", "--limit", "1", "--port", "0", "--json")
    demo.record("summary")
    found = run("demo", "--exit", "--port", "0")
    assert found.code == exits.REFUSED
    assert "--db" in found.err
    demo.stop()
    assert demo.ended(15) == exits.OK


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [("absent.csv", None, exits.NOT_FOUND), ("empty.csv", "", exits.USAGE), ("other.csv", "a,b\n1,2\n", exits.USAGE)],
)
def test_an_input_that_is_no_list_of_prompts_is_told(run, folder, name, content, code):
    if content is not None:
        (folder / name).write_text(content)
    found = run("demo", "--input", name, "--exit")
    assert found.code == code
    assert "what to do: " in found.err
    assert not (folder / "stanchion-demo").exists()


def test_a_named_database_must_be_new(run, folder):
    (folder / "mine.db").write_text("precious")
    assert run("demo", "--db", "mine.db", "--exit").code == exits.REFUSED
    assert (folder / "mine.db").read_text() == "precious"


def test_pictures_are_named_by_row_and_words():
    assert file_name(7, "A Knight, (red)!") == "0007-a-knight-red.png"
    assert file_name(1, "龍") == "0001-sprite.png"
    assert len(file_name(1, "x" * 400)) < 64


def test_tenants_take_turns_and_a_limit_holds_the_slower_task(spawn, folder):
    demo = spawn("demo", "--limit", "48", "--step-ms", "120", "--port", "0", "--json")
    url = demo.record("note")["dashboard"]
    with httpx.Client(base_url=url, timeout=10) as client:

        def held():
            jobs = client.get("/api/v1/jobs", params={"task": "commissioned", "state": "queued"}).json()["items"]
            return any((job["waiting_on"] or {}).get("key") == "provider:atelier" for job in jobs)

        until(held)
        (limit,) = client.get("/api/v1/limits").json()["items"]
        assert (limit["key"], limit["running"]) == ("provider:atelier", 2)
        assert limit["used"] <= 2
        assert demo.record("summary")["counts"]["completed"] == 48
        jobs = client.get("/api/v1/jobs", params={"limit": 100}).json()["items"]
        slow = [job["tenant"] for job in jobs if job["task"] == "commissioned"]
        assert sorted(slow) == ["hobby"] * 3 + ["studio"] * 3
        assert [sum(job["tenant"] == name for job in jobs) for name in ("studio", "hobby")] == [24, 24]
    demo.stop(signal.SIGINT)
    assert demo.ended(15) == exits.OK
