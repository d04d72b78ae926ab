"""Workers as the file knows them: that they came, beat and left, what they hold, and whose attempts are overdue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from stanchion.domain.ids import unpacked
from stanchion.domain.job import Lease
from stanchion.store import Beat, Held, Overdue, WorkerInfo, WorkerRow
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.fetch import every, one, only
from stanchion.stores.sqlite.holds import held_by
from stanchion.stores.sqlite.signals import CHANGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.units import Instant, Millis
    from stanchion.stores.sqlite.fetch import Connection
    from stanchion.stores.sqlite.writer import Tx


def names_of(text: str | None) -> tuple[str, ...] | None:
    """Return the names that a text keeps; None for none kept, and no names where it cannot be read."""
    if text is None:
        return None
    found = _read(text)
    return tuple(map(str, cast("list[object]", found))) if isinstance(found, list) else ()


def _read(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def register(tx: Tx, worker: WorkerInfo, lease_for: Millis) -> int:
    """See `Store.register`."""
    queues = None if worker.queues is None else json.dumps(worker.queues)
    tx.db.execute(
        sql.REGISTER,
        (
            worker.incarnation,
            worker.host,
            worker.pid,
            worker.slots,
            queues,
            json.dumps(sorted(worker.tasks)),
            worker.supervisor,
            worker.version,
            json.dumps(dict(worker.capabilities)),
            tx.now,
            tx.now,
            tx.now + lease_for,
            json.dumps(dict(worker.resources)) if worker.resources else None,
        ),
    )
    tx.mask |= CHANGE
    return int(only(tx.db, sql.WORKER_ID, (worker.incarnation,))[0])


def beat(tx: Tx, workers: Sequence[int], lease_for: Millis) -> list[Beat]:
    """See `Store.beat`."""
    beats: list[Beat] = []
    for worker in workers:
        alive = one(tx.db, sql.BEAT, (tx.now, tx.now + lease_for, worker)) is not None
        beats.append(Beat(alive, held(tx.db, worker) if alive else ()))
    return beats


def held(db: Connection, worker: int) -> tuple[Held, ...]:
    """See `Store.held`."""
    return tuple(Held(row[0], row[1], row[2] is not None) for row in every(db, sql.HELD, (worker,)))


def leave(tx: Tx, workers: Sequence[int], *, lost: bool) -> list[Overdue]:
    """See `Store.leave`."""
    for worker in workers:
        tx.db.execute(sql.LEAVE, ("lost" if lost else "stopped", tx.now, worker))
    tx.mask |= CHANGE
    return _overdue(tx.db, json.dumps(list(workers)), -1)


def drain(tx: Tx, worker: int) -> None:
    """See `Store.drain_worker`."""
    tx.db.execute(sql.DRAIN_WORKER, (worker,))
    tx.mask |= CHANGE


def overdue(tx: Tx, limit: int) -> list[Overdue]:
    """See `Store.overdue`."""
    before = tx.db.total_changes()
    tx.db.execute(sql.MARK_SILENT, (tx.now,))
    if tx.db.total_changes() > before:
        tx.mask |= CHANGE
    return _overdue(tx.db, None, limit)


def _overdue(db: Connection, workers: str | None, limit: int) -> list[Overdue]:
    return [
        Overdue(
            Lease(
                row[1], unpacked(row[2]), row[3], row[11], b"", row[14], row[12], row[10], row[13], row[4], row[5],
                row[6], row[7], row[8], None, (), None, None, row[9] is not None, row[15],
            ),
            row[0],
        )
        for row in every(db, sql.OVERDUE, (workers, limit))
    ]  # fmt: skip


def listed(db: Connection, now: Instant, keep: Millis) -> list[WorkerRow]:
    """See `Store.workers`."""
    found: list[WorkerRow] = []
    for row in every(db, sql.WORKERS, (now - keep,)):
        number, incarnation, host, pid, slots, queues, tasks, supervisor, version, capabilities = row[:10]
        state, started_at, beat_at, lease_until, done, failed, busy_ms, has, warm, swaps = row[10:]
        jobs = tuple(unpacked(job[0]) for job in every(db, sql.WORKER_JOBS, (number,)))
        if state == "alive":
            state = "busy" if jobs else "idle"
        able, own = _read(capabilities), None if has is None else _read(has)
        info = WorkerInfo(
            incarnation,
            host,
            pid,
            slots,
            names_of(queues),
            names_of(tasks) or (),
            supervisor,
            version,
            able if isinstance(able, dict) else {},
            own if isinstance(own, dict) else {},
        )
        ended = done + failed
        alive = state in ("busy", "idle", "draining") and lease_until >= now
        mean = busy_ms / ended if ended else None
        holds = held_by(db, number) if jobs else {}
        loaded = names_of(warm or None) or ()
        found.append(
            WorkerRow(
                number, info, state, started_at, beat_at, alive, len(jobs), jobs, done, failed, mean,
                holds, loaded, swaps,
            )
        )  # fmt: skip
    return found
