"""The pages of the documentation, and the code that stands on them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"
_FENCE: Final = re.compile(r"^(?P<indent> *)(?P<ticks>```+) *(?P<language>[\w-]*)(?P<rest>.*)$")
_TITLE: Final = re.compile(r'title="([^"]+)"')
_NOTE: Final = re.compile(r"^<!-- (.+?) -->$")


class Block(NamedTuple):
    """A fenced block: where it starts, what it holds, and the notes in HTML comments right above it."""

    line: int
    language: str
    title: str | None
    text: str
    notes: tuple[str, ...]

    @property
    def excuse(self) -> str | None:
        """Why it is not run."""
        return next((note.removeprefix("not run: ") for note in self.notes if note.startswith("not run: ")), None)

    @property
    def exit_code(self) -> int:
        """What its command ends with."""
        return next((int(note.removeprefix("exit: ")) for note in self.notes if note.startswith("exit: ")), 0)


def pages() -> list[Path]:
    """All pages that people read, but the benchmarks, which a program writes."""
    return [ROOT / "README.md", *sorted(path for path in DOCS.rglob("*.md") if path.name != "benchmarks.md")]


def name_of(page: Path) -> str:
    """What a test calls a page."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found: list[Block] = []
    lines = page.read_text("utf-8").splitlines()
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        if fence is None:
            at += 1
            continue
        end = next(n for n in range(at + 1, len(lines)) if lines[n].strip() == fence["ticks"])
        indent = len(fence["indent"])
        text = "\n".join(line[indent:] for line in lines[at + 1 : end]) + "\n"
        title = _TITLE.search(fence["rest"])
        found.append(Block(at + 1, fence["language"], title and title[1], text, _notes(lines, at)))
        at = end + 1
    return found


def _notes(lines: list[str], at: int) -> tuple[str, ...]:
    notes: list[str] = []
    while at > 0 and (note := _NOTE.match(lines[at - 1].strip())) is not None:
        notes.append(note[1])
        at -= 1
    return tuple(notes)


def prose(page: Path) -> str:
    """A page without its fenced blocks and inline code."""
    lines = page.read_text("utf-8").splitlines()
    kept: list[str] = []
    ticks = ""
    for line in lines:
        fence = _FENCE.match(line)
        if not ticks and fence is not None:
            ticks = fence["ticks"]
        elif ticks:
            ticks = "" if line.strip() == ticks else ticks
        else:
            kept.append(re.sub(r"`[^`]*`", "", line))
    return "\n".join(kept)
