"""Check what no other tool does: the lock files, and what must not stand in the tree.

Prints one line for each finding and exits 1; prints nothing where all is well.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).resolve().parent.parent

# Where packages come from is the business of whoever installs them.
INDEX_HOST: Final = re.compile(r"\b(?:py.i|files\.python\w+|registry\.npm\w+|deb\.\w+)\.org\b", re.IGNORECASE)
UNFINISHED: Final = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|NotImplementedError)\b")
LOCKED: Final = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)")
TEXT_LIMIT: Final = 4_000_000

LOCKS: Final = {
    "runtime": (("*",), ()),
    "demo": (("server",), ()),
    "dev": (("*",), ("dev",)),
    "docs": (("*",), ("docs",)),
}


def tracked() -> list[Path]:
    """The files that git holds or would take."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return sorted({ROOT / name for name in listed.split("\0") if name})


def text_of(path: Path) -> str | None:
    """What a file says, or None where it is gone, large or no text."""
    if not path.is_file() or path.stat().st_size > TEXT_LIMIT:
        return None
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def in_the_tree() -> Iterator[str]:
    """What must not stand in any file."""
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if path.name == "uv.lock":
            yield f"{name}: names package indexes; it stays out of git"
        text = text_of(path)
        if text is None:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if INDEX_HOST.search(line):
                yield f"{name}:{number}: names the host of a package index"
            if name.startswith("src/") and name.endswith((".py", ".sql", ".lua")) and UNFINISHED.search(line):
                yield f"{name}:{number}: is marked as unfinished"


def asked(project: dict[str, Any], extras: tuple[str, ...], groups: tuple[str, ...]) -> Iterator[Requirement]:
    """The direct requirements of some extras and dependency groups."""
    optional: dict[str, list[str]] = project["project"]["optional-dependencies"]
    lines: list[str] = list(project["project"]["dependencies"])
    for extra in optional if extras == ("*",) else extras:
        lines += optional[extra]
    waiting = list(groups)
    while waiting:
        for entry in project["dependency-groups"][waiting.pop()]:
            if isinstance(entry, str):
                lines.append(entry)
            else:
                waiting.append(entry["include-group"])
    return (Requirement(line) for line in lines if not line.startswith("stanchion"))


def locked(path: Path) -> dict[str, str]:
    """The version that a lock file gives each package."""
    found = (LOCKED.match(line) for line in path.read_text(encoding="utf-8").splitlines())
    return {canonicalize_name(match[1]): match[2] for match in found if match}


def in_the_locks() -> Iterator[str]:
    """Where requirements/ does not answer pyproject.toml, or a package stands without a hash."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for lock, (extras, groups) in LOCKS.items():
        path = ROOT / "requirements" / f"{lock}.txt"
        versions = locked(path)
        for requirement in asked(project, extras, groups):
            version = versions.get(canonicalize_name(requirement.name))
            if version is None or not requirement.specifier.contains(version, prereleases=True):
                yield f"requirements/{lock}.txt: has no version for {requirement}; run `make lock`"
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in text.splitlines():
            if LOCKED.match(line) and "--hash=sha256:" not in line:
                yield f"requirements/{path.name}: {line.split()[0]} has no hash; run `make lock`"


def main() -> int:
    """Print every finding; answer the exit status."""
    findings = [*in_the_tree(), *in_the_locks()]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
