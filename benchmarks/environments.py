"""The peers' own environments: locked with hashes, made by the command itself, kept under `.venvs/`."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from benchmarks.contenders import HERE, Peer

VENVS = HERE / ".venvs"
WANTED = ("3.13", "3.12", "3.11")


class UnavailableError(Exception):
    """This machine cannot run the peer; the reason is the message."""


@cache
def uv() -> str:
    """Return the uv to use: the checkout's own, else the one on the PATH."""
    own = HERE.parent / ".tools" / "bin" / "uv"
    found = str(own) if own.exists() else shutil.which("uv")
    if found is None:
        raise UnavailableError("uv was not found: run `make setup` first, or put uv on the PATH.")
    return found


def _candidates() -> Iterator[str]:
    for version in WANTED:
        yield f"python{version}"
        root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
        yield from (str(path) for path in sorted(root.glob(f"versions/{version}.*/bin/python3"), reverse=True))
    yield sys.executable


@cache
def interpreters() -> dict[str, str]:
    """Return the path of a working interpreter for each minor version found, newest first."""
    found: dict[str, str] = {}
    for candidate in _candidates():
        # A name may exist and not run (a pyenv shim), so each is tried.
        code = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
        try:
            answer = subprocess.run([candidate, "-c", code], capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            continue
        version, path = answer.strip().split(maxsplit=1)
        found.setdefault(version, path)
    return dict(sorted(found.items(), key=lambda item: _parts(item[0]), reverse=True))


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def ensure(peer: Peer) -> Path:
    """Return the interpreter of the peer's environment, made now unless it is there and current.

    Raises:
        UnavailableError: No interpreter is new enough, or the packages could not be installed.
    """
    if peer.ours:
        return Path(sys.executable)
    chosen = next((path for version, path in interpreters().items() if _parts(version) >= _parts(peer.python)), None)
    if chosen is None:
        raise UnavailableError(f"{peer.name} needs Python {peer.python} or newer, and this machine has none.")
    home = VENVS / peer.name
    python = home / "bin" / "python"
    wanted = hashlib.sha256(peer.requirements.read_bytes() + chosen.encode()).hexdigest()
    stamp = home / "stamp"
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    _uv("venv", "--quiet", "--clear", "--python", chosen, str(home))
    _uv(
        *("pip", "install", "--quiet", "--python", str(python), "--only-binary", ":all:"),
        *("--require-hashes", "--requirements", str(peer.requirements)),
    )
    stamp.write_text(wanted, encoding="utf-8")
    return python


def lock(peer: Peer) -> None:
    """Write the peer's locked requirements anew, from the newest releases."""
    if not peer.packages:
        return
    _uv(
        *(
            "pip",
            "compile",
            "--quiet",
            "--universal",
            "--generate-hashes",
            "--no-emit-index-url",
            "--no-header",
        ),
        *("--no-annotate", "--upgrade", "--python-version", peer.python, "-", "--output-file"),
        str(peer.requirements),
        stdin="\n".join(peer.packages),
    )


def _uv(*arguments: str, stdin: str | None = None) -> None:
    # Interpreters are the machine's, never downloaded.
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_CONFIG": "1"}
    done = subprocess.run([uv(), *arguments], input=stdin, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise UnavailableError(f"uv {arguments[0]} {arguments[1]} failed: {done.stderr.strip()[-600:]}")
