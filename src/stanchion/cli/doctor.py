"""`stanchion doctor`: examine the store, the workers and this machine; each finding says what to do."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from stanchion.cli import exits, render
from stanchion.cli.reach import HERE, Where, database, opened
from stanchion.domain.job import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stanchion.app import Stanchion

Verdict = Literal["ok", "warn", "fail"]

ROOM_FAIL: Final = 100 << 20
ROOM_WARN: Final = 1 << 30
WAL_WARN: Final = 128 << 20
CLOCK_WARN: Final = 2.0
OLDEST_OTHER: Final = (3, 51, 3)
"""The first SQLite without the WAL-reset corruption; see the store's own refusal."""


class Finding(NamedTuple):
    """One thing that was examined."""

    verdict: Verdict
    what: str
    found: str
    remedy: str = ""


async def command(*, where: Where = HERE) -> int:
    """Examine the store, the workers and this machine. Exit code 1 where something is broken."""
    async with opened(where) as app:
        findings = [*_store(app, await app.store.check()), *_machine(app), *await _work(app)]
    if where.json:
        for finding in findings:
            render.line(finding._asdict())
    else:
        rows = [(render.word(f.verdict), f.what, f.found, f.remedy) for f in findings]
        render.table(("", "checked", "found", "what to do"), rows)
    return exits.FAILED if any(finding.verdict == "fail" for finding in findings) else exits.OK


def _store(app: Stanchion, facts: Mapping[str, object]) -> Iterator[Finding]:
    yield Finding("ok", "store", f"{app.store.name}, schema {facts.get('schema', 'none')}")
    if "sqlite" not in facts:
        return
    yield Finding("ok", "SQLite", f"{facts['sqlite']}, journal mode {facts.get('journal_mode')}")
    yield _durability(str(facts.get("synchronous")))
    checked = str(facts.get("quick_check"))
    if checked == "ok":
        yield Finding("ok", "integrity", "quick_check is ok")
    elif checked == "skipped":
        remedy = "Run sqlite3 FILE 'pragma quick_check' on a copy."
        yield Finding("ok", "integrity", "not checked: the file is large", remedy)
    elif checked == "None":
        yield Finding("warn", "integrity", "not checked", "Run sqlite3 FILE 'pragma quick_check' on a copy.")
    else:
        yield Finding("fail", "integrity", checked, "Stop all processes, copy the file, and restore the last backup.")
    yield _wal(_number(facts.get("wal_bytes")), _number(facts.get("bytes")))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _durability(level: str) -> Finding:
    if level in {"full", "extra"}:
        return Finding("ok", "durability", f"synchronous={level}: what is acknowledged survives a power cut")
    lost = "may be lost in a power cut" if level == "normal" else "may be lost, and the file damaged, in a power cut"
    return Finding(
        "warn", "durability", f"synchronous={level}: what is acknowledged {lost}", "Use ?synchronous=full in the URL."
    )


def _wal(wal: int, whole: int) -> Finding:
    found = f"{render.size(wal)} beside {render.size(whole)}"
    if wal <= WAL_WARN:
        return Finding("ok", "write-ahead log", found)
    remedy = "Find the process that holds a read transaction open; the log shrinks when it ends."
    return Finding("warn", "write-ahead log", found, remedy)


def _machine(app: Stanchion) -> Iterator[Finding]:
    yield _clock(app)
    file = database(app.settings.url)
    if file is None:
        return
    file = file.resolve()
    yield _filesystem(file)
    yield _room(file)
    ballast = file.with_name(file.name + "-ballast")
    if ballast.exists():
        yield Finding("ok", "ballast", f"{render.size(ballast.stat().st_size)} are held for a full disk")
    else:
        remedy = "Free space: it is made again when there is room, so that running jobs can end on a full disk."
        yield Finding("warn", "ballast", "there is none", remedy)
    yield _second_library()
    yield _holders(file)


def _clock(app: Stanchion) -> Finding:
    apart = app.store.now() / 1000 - time.time()
    if abs(apart) <= CLOCK_WARN:
        return Finding("ok", "clock", f"the store's clock is {render.age(abs(apart))} from this machine's")
    remedy = "This machine's clock was set while processes ran; due times follow the store's. Restart all to agree."
    return Finding("warn", "clock", f"the store's clock is {render.age(abs(apart))} from this machine's", remedy)


def _filesystem(file: Path) -> Finding:
    mounts = Path("/proc/self/mountinfo")
    if not mounts.exists():
        return Finding("ok", "filesystem", "not a network filesystem that is known here")
    best, kind = "", "unknown"
    for line in mounts.read_text("utf-8").splitlines():
        head, _, tail = line.partition(" - ")
        mount = head.split(" ")[4].replace("\\040", " ")
        if file.is_relative_to(mount) and len(mount) >= len(best):
            best, kind = mount, tail.split(" ")[0]
    if kind == "tmpfs":
        return Finding("warn", "filesystem", "tmpfs: all is lost when this machine stops", "Put the file on a disk.")
    return Finding("ok", "filesystem", kind)


def _room(file: Path) -> Finding:
    free = shutil.disk_usage(file.parent).free
    found = f"{render.size(free)} free"
    if free < ROOM_FAIL:
        return Finding("fail", "disk space", found, "Free space now: enqueues are refused on a full disk.")
    if free < ROOM_WARN:
        return Finding("warn", "disk space", found, "Free space, or shorten the retention (keep_completed_days).")
    return Finding("ok", "disk space", found)


def _second_library() -> Finding:
    found = f"Python's sqlite3 brings SQLite {sqlite3.sqlite_version}"
    if sqlite3.sqlite_version_info >= OLDEST_OTHER:
        return Finding("ok", "second library", found)
    remedy = (
        "Do not write the file with it: versions before 3.51.3 can corrupt a database that several processes write."
    )
    return Finding("ok", "second library", found, remedy)


def _holders(file: Path) -> Finding:
    """Tell which other processes have the file open, as far as this user may see."""
    holders: list[str] = []
    for folder in Path("/proc").glob("[0-9]*/fd"):
        pid = folder.parent.name
        try:
            if pid != str(os.getpid()) and any(entry.readlink() == file for entry in folder.iterdir()):
                name = (folder.parent / "comm").read_text("utf-8").strip()
                holders.append(f"{pid} ({name})")
        except OSError:  # ended meanwhile, or another user's
            continue
    strange = [holder for holder in holders if "python" not in holder and "stanchion" not in holder]
    if strange:
        remedy = "End them, or let them read a copy: another SQLite library may hold up or harm writers."
        return Finding("warn", "open in", ", ".join(holders), remedy)
    return Finding("ok", "open in", ", ".join(holders) or "no other process")


async def _work(app: Stanchion) -> list[Finding]:
    now = app.store.now()
    rows = await app.workers()
    alive, lost = [row for row in rows if row.alive], [row for row in rows if row.state == "lost"]
    queues = await app.stats()
    waiting = sum(item.counts.get(State.QUEUED, 0) for item in queues)
    findings = [_alive(len(alive), waiting)]
    if lost:
        latest = max(row.beat_at for row in lost)
        found = f"{len(lost)} in the last hour, the latest {render.age((now - latest) / 1000)} ago"
        remedy = "Look at their logs for a crash or a kill; their jobs were given to others."
        findings.append(Finding("warn", "workers that fell silent", found, remedy))
    else:
        findings.append(Finding("ok", "workers that fell silent", "none in the last hour"))
    for item in queues:
        held = item.counts.get(State.QUEUED, 0)
        if item.policy.paused and held:
            found = f"{item.policy.name} is paused with {held} jobs waiting"
            findings.append(Finding("warn", "paused queue", found, f"stanchion queues resume {item.policy.name}"))
        named = [row.info.queues for row in alive]
        if held and alive and all(names is not None and item.policy.name not in names for names in named):
            found = f"{held} jobs wait in {item.policy.name}, and no worker takes from it"
            findings.append(Finding("warn", "queue without worker", found, "Start a worker with --queues for it."))
    return findings


def _alive(count: int, waiting: int) -> Finding:
    if count or not waiting:
        return Finding("ok", "workers", f"{count} alive, {waiting} jobs wait")
    return Finding("warn", "workers", f"none alive, {waiting} jobs wait", "Start one: stanchion worker module:app")
