"""The judge: reads a store's file after the fact and names every broken promise.

It trusts no code of the store: only the rows, what clients were told, and what handlers did.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import apsw

from stanchion.domain.ids import unpacked
from tests.faults.effects import Effect

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

RUNNING, COMPLETED, FINAL = 3, 5, frozenset({5, 6, 7})
CRASH_BUDGET: Final = 3
_OWNED: Final = ("payloads", "results", "events", "live", "outputs", "logs", "steps", "costs", "idempotency", "dedup")
_EVENTS: Final = "SELECT seq, version, state, attempt, at, worker, outcome, cursor FROM events ORDER BY seq, version"
_ORPHANS: Final = "SELECT count(*) FROM {table} WHERE seq NOT IN (SELECT seq FROM jobs)"
_STALE_LIVE: Final = "SELECT count(*) FROM live WHERE seq NOT IN (SELECT seq FROM jobs WHERE state = 3)"


class Step(NamedTuple):
    """One event as the file has it."""

    seq: int
    version: int
    state: int
    attempt: int
    at: int
    worker: int | None
    outcome: str | None
    cursor: int


class Row(NamedTuple):
    """One job as the file has it."""

    seq: int
    id: str
    state: int
    version: int
    attempt: int
    spent: int
    crashes: int
    max_attempts: int
    worker: int | None
    result: bytes | None


class History:
    """Everything that a file says of its jobs."""

    def __init__(self, path: Path) -> None:
        with closing(apsw.Connection(str(path))) as db:
            db.set_busy_timeout(5_000)
            db.execute("BEGIN")
            self.integrity: str = _one(db, "PRAGMA integrity_check")
            self.jobs = {row.seq: row for row in self._jobs(db)}
            self.events: dict[int, list[Step]] = defaultdict(list)
            for row in db.execute(_EVENTS):
                self.events[row[0]].append(Step(*row))
            self.lanes = list(db.execute("SELECT id, head, n0, n1, n2, n3, n4, n5, n6, n7 FROM lanes"))
            self.recount = {
                (lane, state): (count, first)
                for lane, state, count, first in db.execute(
                    "SELECT lane, state, count(*), min(seq) FROM jobs GROUP BY lane, state"
                )
            }
            self.orphans = {table: _one(db, _ORPHANS.format(table=table)) for table in _OWNED}
            self.stale_live: int = _one(db, _STALE_LIVE)
            self.pids: dict[int, int] = dict(db.execute("SELECT id, pid FROM workers"))
            self.offset: int = _one(db, "SELECT ahead FROM counters")
        self.by_id = {job.id: job for job in self.jobs.values()}

    @staticmethod
    def _jobs(db: apsw.Connection) -> Iterator[Row]:
        for seq, key, *rest in db.execute(
            "SELECT j.seq, j.id, j.state, j.version, j.attempt, j.spent, j.crashes, j.max_attempts, j.worker, r.result"
            "  FROM jobs j LEFT JOIN results r ON r.seq = j.seq"
        ):
            yield Row(seq, unpacked(key), *rest)

    def outcomes(self) -> Counter[str]:
        """Count how attempts ended."""
        return Counter(step.outcome for steps in self.events.values() for step in steps if step.outcome)

    def starts(self) -> dict[tuple[int, int], Step]:
        """Return the start of each attempt."""
        return {(step.seq, step.attempt): step for steps in self.events.values() for step in steps if _started(step)}


def _one(db: apsw.Connection, query: str) -> Any:
    row = db.execute(query).fetchone()
    return None if row is None else row[0]


def _started(step: Step) -> bool:
    return step.state == RUNNING and step.outcome != "cancel_requested"


def audit(history: History) -> list[str]:
    """Return what is wrong with a file by itself: I2, I7, I8, I11, I12, I21."""
    wrong: list[str] = [] if history.integrity == "ok" else [f"integrity: {history.integrity}"]
    for job in history.jobs.values():
        wrong += (f"job {job.seq}: {text}" for text in _of_job(job, history.events.get(job.seq, [])))
    wrong += _of_counts(history)
    return wrong


def _of_job(job: Row, steps: Sequence[Step]) -> Iterator[str]:
    if [step.version for step in steps] != list(range(1, job.version + 1)):
        yield f"I11: versions {[step.version for step in steps]} are not 1…{job.version}"
        return
    if steps[-1].state != job.state:
        yield f"I11: the last event says {steps[-1].state}, the job {job.state}"
    if any(a.cursor >= b.cursor or a.at > b.at for a, b in pairwise(steps)):
        yield "I11: events are not in commit order"
    yield from _leases(job, steps)
    if sum(step.state == COMPLETED for step in steps) > 1:
        yield "I1: completed more than once"
    if any(step.state in FINAL for step in steps[:-1]):
        yield "I12: something happened after its end"
    if job.result is not None and job.state != COMPLETED:
        yield "I7: a result without a completion"
    if job.spent > job.max_attempts or job.crashes > CRASH_BUDGET:
        yield f"I8: spent {job.spent} of {job.max_attempts}, crashes {job.crashes}"
    if (job.worker is None) is (job.state == RUNNING):
        yield f"I21: state {job.state} with worker {job.worker}"


def _leases(job: Row, steps: Iterable[Step]) -> Iterator[str]:
    attempt, open_ = 0, False
    for step in steps:
        if _started(step):
            if open_:
                yield f"I2: attempt {step.attempt} was leased while {attempt} still ran"
            if step.attempt != attempt + 1:
                yield f"I2: attempt {step.attempt} follows {attempt}"
            attempt, open_ = step.attempt, True
        elif step.attempt != attempt:
            yield f"I3: a write of attempt {step.attempt} was taken when {attempt} was the last"
        if step.state != RUNNING:
            open_ = False
    if attempt != job.attempt:
        yield f"I2: the job says attempt {job.attempt}, its events {attempt}"


def _of_counts(history: History) -> Iterator[str]:
    for lane, head, *counts in history.lanes:
        found = [history.recount.get((lane, state), (0, None)) for state in range(8)]
        if counts != [count for count, _ in found]:
            yield f"I21: lane {lane} counts {counts}, there are {[count for count, _ in found]}"
        if head != found[2][1]:
            yield f"I21: lane {lane} has head {head}, the oldest queued is {found[2][1]}"
    if {lane for lane, _ in history.recount} - {row[0] for row in history.lanes}:
        yield "I21: jobs without a lane"
    yield from (f"I21: {count} orphan rows in {table}" for table, count in history.orphans.items() if count)
    if history.stale_live:
        yield f"I21: {history.stale_live} live rows of jobs that do not run"


class Told(NamedTuple):
    """What clients asked for, and what of it was acknowledged."""

    invoked: Collection[str]
    acknowledged: Collection[str]

    @property
    def unknown(self) -> int:
        """How many calls had no answer."""
        return len(set(self.invoked) - set(self.acknowledged))


def judge(history: History, told: Told, effects: Iterable[Effect]) -> list[str]:
    """Return what is wrong with a whole run that was left to end: the file, against its clients and handlers."""
    wrong = audit(history)
    found = set(history.by_id)
    wrong += (f"I1: acknowledged job {key} is lost" for key in set(told.acknowledged) - found)
    wrong += (f"I21: job {key} was never asked for" for key in found - set(told.invoked))
    wrong += (
        f"I1: job {job.seq} has not ended ({job.state})" for job in history.jobs.values() if job.state not in FINAL
    )
    wrong += _of_effects(history, effects)
    return wrong


def _of_effects(history: History, effects: Iterable[Effect]) -> Iterator[str]:
    leased = history.starts()
    began: dict[tuple[int, int], Effect] = {}
    ended: set[tuple[int, int]] = set()
    for effect in effects:
        job = history.by_id.get(effect.id)
        if job is None:
            yield f"I1: an effect of job {effect.id}, which is not there"
        elif effect.kind == "E":
            ended.add((job.seq, effect.attempt))
        else:
            key = (job.seq, effect.attempt)
            if key in began:
                yield f"I2: attempt {key} was started twice, by {began[key].pid} and {effect.pid}"
            began[key] = effect
            yield from _of_start(history, effect, leased.get(key))
    yield from _of_results(history, ended)


def _of_start(history: History, effect: Effect, lease: Step | None) -> Iterator[str]:
    if lease is None:
        yield f"I3: attempt {effect.attempt} of {effect.id} was started without a lease"
        return
    if effect.at + history.offset < lease.at - 1:
        yield f"I13: attempt {effect.attempt} of {effect.id} was started before its lease"
    if history.pids.get(lease.worker or 0, effect.pid) not in (effect.pid, effect.parent):
        yield f"I3: attempt {effect.attempt} of {effect.id} was started by {effect.pid}, to whom it was not leased"


def _of_results(history: History, ended: Collection[tuple[int, int]]) -> Iterator[str]:
    for seq, steps in history.events.items():
        job, last = history.jobs.get(seq), steps[-1]
        if job is not None and last.state == COMPLETED:
            if (seq, last.attempt) not in ended:
                yield f"I7: attempt {(seq, last.attempt)} completed, but its handler never ended"
            if job.result != str(last.attempt).encode():
                yield f"I7: job {seq} has result {job.result!r} of another attempt than {last.attempt}"


def percentiles(times: Sequence[float]) -> str:
    """Return the median and the largest of some times in ms."""
    ordered = sorted(times)
    if not ordered:
        return "none"
    return f"p50 {ordered[len(ordered) // 2] / 1000:.2f} s, max {ordered[-1] / 1000:.2f} s ({len(ordered)})"


def recoveries(history: History, kills: Sequence[tuple[int, int]]) -> list[int]:
    """Return, for each kill (pid, store time) that hit running jobs, how long until they all could be claimed again."""
    killed = dict(kills)
    slowest: dict[int, int] = {}
    for steps in history.events.values():
        for step in steps:
            pid = history.pids.get(step.worker or 0)
            if step.outcome in ("lost", "released") and pid in killed and step.at >= killed[pid]:
                slowest[pid] = max(slowest.get(pid, 0), step.at - killed[pid])
    return list(slowest.values())


def told_by(lines: Iterable[str]) -> Told:
    """Return what a client's log says: `I id` before a call, `A id` after its answer."""
    pairs = [line.split() for line in lines if line.strip()]
    return Told({key for kind, key in pairs if kind == "I"}, {key for kind, key in pairs if kind == "A"})
