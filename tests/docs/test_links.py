from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.pages import DOCS, ROOT, name_of, pages, prose

LINK = re.compile(r"(?<!\\)\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)(?: \"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6} (.+?)(?: \{#([\w-]+)\})?$", re.MULTILINE)
ANCHOR = re.compile(r'<a id="([\w-]+)"')
SOURCES = [*pages(), ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]


def anchors(page: Path) -> set[str]:
    text = page.read_text("utf-8")
    found: set[str] = set(ANCHOR.findall(text))
    for heading, given in HEADING.findall(text):
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        found.add(given or re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", plain)))
    return found


@pytest.mark.parametrize("page", [name_of(page) for page in SOURCES])
def test_links_lead_somewhere(page: str) -> None:
    source = ROOT / page
    for target in LINK.findall(prose(source)):
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            continue
        found = (source.parent / unquote(parts.path)).resolve() if parts.path else source
        assert found.exists(), f"{page}: {target} is not there"
        if parts.fragment and found.suffix == ".md" and ":::" not in found.read_text("utf-8"):
            assert parts.fragment in anchors(found), f"{page}: {target} names no heading"


def test_every_page_is_in_the_navigation() -> None:
    listed = set(re.findall(r'"([\w/.-]+\.md)"', (ROOT / "zensical.toml").read_text("utf-8")))
    written = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert written - listed == set()
    assert listed - written <= {"benchmarks.md"}
