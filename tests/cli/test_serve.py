from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest

from stanchion.cli import exits
from stanchion.cli.dev import stamps
from stanchion.security.tokens import mint
from tests.cli.conftest import until


@pytest.fixture
def served(spawn, target):
    """A server with a worker, and a client of it."""
    server = spawn("serve", target, "--port", "0", "--workers", "1", "--json")
    with httpx.Client(base_url=server.record("serving")["url"], timeout=10) as client:
        yield server, client


def test_the_api_the_dashboard_and_a_worker_serve_until_sigterm(served):
    server, client = served
    assert "<html" in client.get("/").text
    made = client.post("/api/v1/jobs", json={"task": "add", "args": {"a": 2}}, headers={"prefer": "wait=20"})
    assert made.json()["result"] == 3
    with client.stream("GET", "/api/v1/events?all=1") as stream:
        next(stream.iter_lines())
        server.stop()
        assert server.ended(15) == exits.OK


def test_a_port_in_use_is_exit_code_5(run, target):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = run("serve", target, "--port", str(taken.getsockname()[1]))
    assert found.code == exits.REFUSED
    assert "--port" in found.err


def test_strangers_are_not_served_without_a_key(run, target):
    found = run("serve", target, "--host", "0.0.0.0", "--port", "0")
    assert found.code == exits.USAGE
    assert "API key" in found.err


def test_a_session_outlives_a_restart_unless_new_ones_are_asked_for(spawn, target, folder, monkeypatch):
    key = mint()
    monkeypatch.setenv("STANCHION_KEYS", key)
    cookie = ""
    for options, known in (((), False), ((), True), (("--new-sessions",), False), ((), True)):
        server = spawn("serve", target, "--port", "0", "--json", *options)
        with httpx.Client(base_url=server.record("serving")["url"], timeout=10, headers={"cookie": cookie}) as client:
            assert client.get("/api/v1/session").json()["authenticated"] is known, options
            if not known:
                opened = client.post("/api/v1/session", json={"key": key})
                cookie = opened.headers["set-cookie"].partition(";")[0]
        server.stop()
        assert server.ended(15) == exits.OK
    secret = folder / "jobs.db-session"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert secret.read_text().strip() not in (folder / "stderr.txt").read_text()


def test_a_session_file_that_others_may_read_stops_the_start(run, target, folder, monkeypatch):
    monkeypatch.setenv("STANCHION_KEYS", mint())
    (folder / "jobs.db-session").write_text("ab" * 32)
    (folder / "jobs.db-session").chmod(0o644)
    found = run("serve", target, "--port", "0")
    assert found.code == exits.USAGE
    assert "chmod 600" in found.err
    assert "ab" * 32 not in found.err


def test_workers_need_an_app(run, folder):
    assert run("serve", "--workers", "1", "--port", "0").code == exits.USAGE


def test_dev_starts_anew_on_a_change_and_waits_out_an_error(spawn, folder, module):
    file = folder / f"{module}.py"
    text = file.read_text()
    dev = spawn("dev", f"{module}:app", "--port", "0", "--json")
    assert "added" not in dev.record("serving")["tasks"]
    file.write_text("1 / 0\n")
    until(lambda: "waiting for a change" in (folder / "stderr.txt").read_text())
    file.write_text(text + "\n@app.task\nasync def added() -> None: ...\n")
    assert "added" in dev.record("serving")["tasks"]
    dev.stop()
    assert dev.ended(15) == exits.OK


def test_only_python_files_outside_of_hidden_folders_are_watched(folder):
    for name in ("a.py", "b.txt", ".venv/c.py", "node_modules/d.py", "sub/e.py"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert set(stamps(folder)) == {"a.py", str(Path("sub") / "e.py")}
