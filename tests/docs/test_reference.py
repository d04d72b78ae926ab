from __future__ import annotations

import re
import subprocess
import sys

import msgspec

from stanchion.settings import Settings
from tests.docs.pages import DOCS, ROOT


def test_the_pages_made_from_the_code_are_current() -> None:
    """In a process of its own: other tests may have used the command line in this one."""
    done = subprocess.run(
        [sys.executable, "scripts/reference.py", "check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_setting_is_described_with_its_default() -> None:
    page = (DOCS / "reference" / "settings.md").read_text("utf-8")
    for field in msgspec.structs.fields(Settings):
        row = re.search(rf"^\| `{field.name}` \|.*$", page, re.MULTILINE)
        assert row is not None, f"{field.name} is not described"
        shown = "none" if field.default in (None, ()) else f"`{field.default}`"
        assert f"| {shown} |" in row[0], f"{field.name}: the default is {shown}"
    named = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert named <= set(Settings.__struct_fields__) | {"synchronous", "network"}


def test_every_code_that_only_http_has_is_listed() -> None:
    page = (DOCS / "reference" / "errors.md").read_text("utf-8")
    for source in (ROOT / "src" / "stanchion" / "server").rglob("*.py"):
        for code in re.findall(r'ApiError\(\s*(?:\d{3}|error\.status_code),\s*"(\w+)"', source.read_text("utf-8")):
            assert f"`{code}`" in page, f"{code} of {source.name} is not listed"


def test_every_proof_of_an_invariant_is_there() -> None:
    page = (DOCS / "explanation" / "invariants.md").read_text("utf-8")
    assert [int(n) for n in re.findall(r"^\| I(\d+) \|", page, re.MULTILINE)] == list(range(1, 26))
    for name in re.findall(r"`([\w/]+\.py)`", page):
        assert (ROOT / "tests" / name).is_file(), f"{name} proves nothing: it is not there"
