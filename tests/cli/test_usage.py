from __future__ import annotations

import json
import subprocess
import sys

import pytest

from stanchion import __version__, errors
from stanchion.cli import COMMANDS, exits, render


def test_help_names_every_command_and_every_exit_code(run):
    found = run("--help")
    assert found.code == exits.OK
    assert all(name in found.out for name in COMMANDS)
    told = [line.split(maxsplit=1) for line in found.out.splitlines()]
    assert all([str(code), meaning] in told for code, meaning in exits.MEANINGS.items())
    assert run() == found


@pytest.mark.parametrize("command", [*COMMANDS, "jobs cancel", "jobs watch", "queues drain", "dead retry"])
def test_every_command_has_a_help_of_its_own(run, command):
    found = run(*command.split(), "--help")
    assert found.code == exits.OK
    assert f"stanchion {command}" in found.out


def test_version_is_printed(run):
    assert run("--version") == (exits.OK, f"{__version__}\n", "")


def test_help_imports_no_command_and_no_server():
    program = (
        "import sys\n"
        "from stanchion.cli import main\n"
        "main(['--help'])\n"
        "assert not {'cyclopts', 'rich', 'starlette', 'stanchion.cli.worker'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def without(missing, *arguments):
    program = (
        f"import sys; sys.modules[{missing!r}] = None\nfrom stanchion.cli import main\nsys.exit(main({arguments!r}))"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("missing", ["uvicorn", "starlette"])
@pytest.mark.parametrize("command", ["serve", "dev", "demo"])
def test_a_missing_extra_is_named(folder, command, missing):
    found = without(missing, command)
    assert found.returncode == exits.USAGE
    assert "pip install 'stanchion[server]'" in found.stderr
    assert "Traceback" not in found.stderr


def test_jobs_need_no_server(run, folder):
    run("migrate")
    for command in ("jobs", "queues", "workers", "doctor"):
        assert without("starlette", command, "--json").returncode == exits.OK


def test_completion_is_installed_where_asked(folder):
    program = "import sys; from stanchion.cli import main; sys.exit(main(sys.argv[1:]))"
    made = ["--install-completion", "--shell", "bash", "--output", "made.sh"]
    subprocess.run([sys.executable, "-c", program, *made], check=True, capture_output=True, env={"HOME": str(folder)})
    assert "enqueue" in (folder / "made.sh").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["jobs", "--colour", "red"],
        ["worker", "a:b", "--slots", "none"],
        ["worker", "a:b", "--slots", "0"],
        ["jobs", "show"],
        ["jobs", "--state", "asleep"],
    ],
)
def test_a_wrong_call_is_exit_code_2_with_a_remedy(run, folder, arguments):
    run("migrate")
    found = run(*arguments)
    assert found.code == exits.USAGE
    assert found.err.startswith("error: ")
    assert "what to do: " in found.err
    assert "Traceback" not in found.err


def test_errors_are_json_where_asked(run):
    found = run("jobs", "show", "none", "--json")
    assert found.code == exits.STORE
    assert json.loads(found.err) == {
        "error": "store_unavailable",
        "message": "There is no database stanchion.db here.",
        "remedy": "Name it with --url or STANCHION_URL, or make it: stanchion migrate.",
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("x"), exits.USAGE),
        (errors.UnknownTaskError("x"), exits.USAGE),
        (errors.StoreUnavailableError("x"), exits.STORE),
        (errors.SchemaTooNewError(2, 1), exits.STORE),
        (errors.NotFoundError("x"), exits.NOT_FOUND),
        (errors.WrongStateError("retry", "queued"), exits.REFUSED),
        (errors.QueueFullError("q", 1), exits.REFUSED),
        (errors.JobFailedError("x", "y"), exits.FAILED),
        (ValueError("x"), exits.FAILED),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error, code):
    assert exits.code_of(error) == code


def test_a_reading_command_makes_no_file(run, folder):
    for command in (["jobs"], ["queues"], ["workers"], ["doctor"], ["dead"]):
        assert run(*command).code == exits.STORE
    assert list(folder.iterdir()) == []


def test_an_unknown_store_is_a_wrong_setting(run):
    assert run("jobs", "--url", "oracle://x").code == exits.USAGE


def test_what_data_holds_cannot_move_the_cursor(run):
    render.table(("a",), [("\x1b[2J[red]x\r\u202ey",)])
    assert render.plain("\x1b[2Jx\n") == "�[2Jx�"
    assert "\x1b" not in run("--version").out


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.25, "250 ms"), (4.21, "4.2 s"), (190, "3 min 10 s"), (7500, "2 h 5 min"), (522_000, "6 d 1 h")],
)
def test_durations_have_at_most_two_parts(seconds, text):
    assert render.age(seconds) == text
