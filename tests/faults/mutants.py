"""Faults put into the code by hand, and the one test that must notice each (reliability plan, 4.7)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final, NamedTuple

SOURCE: Final = Path(__file__).parent.parent.parent / "src"
SQLITE: Final = "stanchion/stores/sqlite/"


class Patch(NamedTuple):
    """A piece of a file, and what stands there instead."""

    file: str
    old: str
    new: str


class Mutant(NamedTuple):
    """A fault, and its killer: a file of this folder and a test in it."""

    name: str
    fault: str
    killer: str
    patches: tuple[Patch, ...]


_LATE: Final = "test_zombies.py::test_every_late_write_is_refused_and_changes_nothing"
_AS_FOUND, _BY_ID = "id = ?1 AND revision = ?2 AND next_at = ?3", "id = ?1 AND ?2 > 0 AND ?3 > 0"
_TICK_ID: Final = "id=tick_id(schedule.tenant, schedule.name, tick)"
_ANY_ID: Final = 'id=uuid7(tick, __import__("os").urandom(10))'
MUTANTS: Final = (
    Mutant(
        "M1",
        "complete without attempt check",
        f"{_LATE}[running]",
        (Patch(SQLITE + "settle.py", "fenced(rows, ended.ref, ended.attempt)", "rows.get(ended.ref)"),),
    ),
    Mutant(
        "M2",
        "progress, output, log without attempt check",
        f"{_LATE}[running]",
        (Patch(SQLITE + "settle.py", "fenced(rows, noted.ref, noted.attempt)", "rows.get(noted.ref)"),),
    ),
    Mutant(
        "M3",
        "reaper by id from an old read",
        "test_zombies.py::test_a_reaper_that_read_long_ago_takes_nothing_from_the_heir",
        (
            Patch(
                SQLITE + "settle.py",
                "fenced(rows, ended.ref, ended.attempt)",
                'rows.get(ended.ref) if ended.outcome == "lost" else fenced(rows, ended.ref, ended.attempt)',
            ),
        ),
    ),
    Mutant(
        "M4",
        "attempt counted at completion",
        "test_zombies.py::test_attempts_are_counted_before_the_handler_starts",
        (
            Patch(SQLITE + "statements.py", "SET state = 3, attempt = attempt + 1,", "SET state = 3,"),
            Patch(
                SQLITE + "statements.py",
                "cancel_at = ?, worker = NULL,",
                "cancel_at = ?, worker = NULL, attempt = attempt + 1,",
            ),
            Patch(SQLITE + "statements.py", "3, j.attempt + 1, ?2", "3, j.attempt, ?2"),
            Patch(
                SQLITE + "claim.py", "        row[3] + 1,\n        lane.task,", "        row[3],\n        lane.task,"
            ),
        ),
    ),
    Mutant(
        "M5",
        "lease by the wall clock",
        "test_clock_steps.py::test_a_step_of_the_wall_clock_changes_nothing",
        (
            Patch(
                SQLITE + "clock.py",
                "return time.clock_gettime_ns(_SINCE_BOOT) // 1_000_000 + self.offset",
                "return wall()",
            ),
        ),
    ),
    Mutant(
        "M6",
        "heartbeat renews a lost worker",
        "test_zombies.py::test_a_beat_of_the_lost_revives_nothing",
        (
            Patch(
                SQLITE + "statements.py",
                "WHERE id = ? AND state IN ('alive', 'draining') RETURNING",
                "WHERE id = ? RETURNING",
            ),
        ),
    ),
    Mutant(
        "M7",
        "dedup as check-then-insert",
        "test_dedup_race.py::test_a_key_is_one_job_for_all_processes",
        (
            Patch(
                SQLITE + "store.py",
                '        """See `Store.enqueue`."""\n',
                '        """See `Store.enqueue`."""\n'
                "        await self._read(lambda db: enqueueing.check(db, batch))\n",
            ),
            Patch(
                SQLITE + "enqueue.py",
                "def _by_idempotency(",
                "SEEN = {}\n\n\ndef check(db, batch):\n"
                "    SEEN.update({new.id: one(db, sql.DEDUP, (new.dedup_key,)) for new in batch})\n\n\n"
                "def _by_idempotency(",
            ),
            Patch(SQLITE + "enqueue.py", "row = one(tx.db, sql.DEDUP, (new.dedup_key,))", "row = SEEN.get(new.id)"),
        ),
    ),
    Mutant(
        "M8",
        "a zombie gives back a place in the counts as well",
        f"{_LATE}[running]",
        (
            Patch(
                SQLITE + "settle.py",
                "        if row is None:\n            continue\n",
                "        if row is None:\n"
                '            tx.db.execute("UPDATE lanes SET n3 = n3 - 1 WHERE n3 > 0")\n'
                "            continue\n",
            ),
        ),
    ),
    Mutant(
        "M8b",
        "a zombie gives back what its attempt held of a limit",
        "test_limit_race.py::test_a_zombie_gives_back_nothing_of_a_limit",
        (
            Patch(
                SQLITE + "settle.py",
                "        if row is None:\n            continue\n",
                "        if row is None:\n"
                "            lanes_ended += [found[3] for found in [rows.get(ended.ref)] if found is not None]\n"
                "            continue\n",
            ),
        ),
    ),
    Mutant(
        "M9",
        "synchronous=normal called strict",
        "test_power_cut.py::test_nothing_acknowledged_is_lost[60]",
        (Patch(SQLITE + "connection.py", 'pragma("synchronous", synchronous)', 'pragma("synchronous", "normal")'),),
    ),
    Mutant(
        "M11",
        "event told before the commit",
        "test_hints.py::test_nothing_is_told_of_what_was_not_committed",
        (
            Patch(
                SQLITE + "writer.py",
                '        db.execute("COMMIT")\n',
                '        self._sender.send(tx.mask)\n        db.execute("COMMIT")\n',
            ),
        ),
    ),
    Mutant(
        "M12",
        "cron without a key for schedule and tick",
        "test_schedules.py::test_each_tick_is_one_job_in_a_file",
        (
            Patch(SQLITE + "schedule_statements.py", _AS_FOUND, _BY_ID),
            Patch("stanchion/domain/schedule.py", _TICK_ID, _ANY_ID),
        ),
    ),
    Mutant(
        "M12b",
        "a firing moves a schedule that is not as it was found",
        "test_schedules.py::test_a_frozen_scheduler_moves_nothing_back",
        (Patch(SQLITE + "schedule_statements.py", _AS_FOUND, _BY_ID),),
    ),
    Mutant(
        "M12c",
        "the job of a tick has another id at each firing",
        "test_schedules.py::test_a_tick_that_comes_twice_is_the_same_job",
        (Patch("stanchion/domain/schedule.py", _TICK_ID, _ANY_ID),),
    ),
    Mutant(
        "M15",
        "cancel as a blind update",
        "test_interleavings.py::test_a_cancel_and_a_completion_are_one_after_the_other",
        (
            Patch(
                SQLITE + "amend.py", "    if state in WAITING:\n        move(state, Move.CANCEL)\n", "    if state:\n"
            ),
        ),
    ),
    Mutant(
        "M16",
        "BEGIN DEFERRED",
        "test_contention.py::test_every_write_takes_the_lock_at_its_beginning",
        (Patch(SQLITE + "writer.py", '"BEGIN IMMEDIATE"', '"BEGIN DEFERRED"'),),
    ),
    Mutant(
        "X1",
        "a lease that nobody heard of is kept for ever",
        "test_nth_call.py::test_any_one_call_may_fail[after]",
        (Patch("stanchion/engine/work.py", "if self._doubt:", "if False:"),),
    ),
    Mutant(
        "X2",
        "a failed checkpoint told as the commit's failure",
        "test_nth_io.py::test_any_one_write_or_sync_may_fail[full-once]",
        (
            Patch(
                SQLITE + "wal.py",
                "with suppress(apsw.Error):\n            connection.wal",
                "if True:\n            connection.wal",
            ),
        ),
    ),
    Mutant(
        "X3",
        "bystanders of a killed process pay as if they had killed it",
        "test_poison.py::test_poison_is_quarantined_after_three_starts[exit-loop]",
        (Patch("stanchion/engine/work.py", "or _last_life(lease, spec)", "or False"),),
    ),
)


def breed(mutant: Mutant | None, folder: Path) -> Path:
    """Copy the package, with the mutant's fault in it if there is one; return what PYTHONPATH must name."""
    copy = folder / "src"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__", "static", "sprites"))
    for patch in () if mutant is None else mutant.patches:
        file = copy / patch.file
        text = file.read_text()
        assert patch.old in text, (
            f"{mutant and mutant.name} no longer applies to {patch.file}: {patch.old!r} is not there"
        )
        file.write_text(text.replace(patch.old, patch.new, 1))
    return copy
