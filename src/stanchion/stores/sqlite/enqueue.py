"""Storing new jobs, or joining those that keys name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain.charges import classed
from stanchion.domain.ids import packed, unpacked
from stanchion.domain.limits import text_of
from stanchion.domain.resources import with_resources
from stanchion.domain.units import DAY
from stanchion.errors import IdempotencyMismatchError, QueueFullError
from stanchion.store import Enqueued, Refused
from stanchion.stores.sqlite import amend, cache, conflicts, intake, joins
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.batch import insert
from stanchion.stores.sqlite.bounds import Bounds
from stanchion.stores.sqlite.fetch import one, only
from stanchion.stores.sqlite.intake import Gate
from stanchion.stores.sqlite.rows import BLOCKED, CANCELLED, COMPLETED, FAILED, QUEUED, SCHEDULED, STATES, tags_text
from stanchion.stores.sqlite.signals import CHANGE, WORK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.job import NewJob
    from stanchion.domain.units import Instant
    from stanchion.errors import RefusedError
    from stanchion.stores.sqlite.lanes import Lanes
    from stanchion.stores.sqlite.writer import Tx

Answer = Enqueued | Refused


def enqueue(tx: Tx, lanes: Lanes, batch: Sequence[NewJob], *, atomic: bool = False) -> list[Answer]:
    """See `Store.enqueue`."""
    if atomic:
        return joins.all_or_none(tx, lambda: enqueue(tx, lanes, batch), lanes.forget)
    rules = lanes.rules(tx)
    room = _room(tx, lanes, batch) if rules.bounded else {}
    keyed = any(new.dedup_key is not None or new.idempotency is not None or new.cache is not None for new in batch)
    keyed = keyed or any(new.intake is not None for new in batch)
    one_by_one = keyed or rules.refusing or any(left is not None for left in room.values())
    bounds = Bounds(tx, rules)

    def store(part: Sequence[NewJob]) -> list[Answer]:
        if one_by_one:
            return [answer for new in part for answer in _one(tx, lanes, new, room, bounds)]
        return _insert(tx, lanes, part)

    if any(new.depends_on for new in batch):
        for name in {new.queue for new in batch}:
            lanes.queue(tx, name)  # a queue is there once a request names it, be it refused
        answers = joins.enqueue(tx, batch, store, one_by_one=one_by_one)
    else:
        answers = store(batch)
        if len(batch) > 1 and any(new.intake is not None for new in batch):  # one may have cancelled another
            answers = joins.as_they_are(tx, answers)
    if any(new.workflow is not None for new in batch):
        joins.remember(tx, batch, answers)
    tx.mask |= WORK | CHANGE
    return answers


def _room(tx: Tx, lanes: Lanes, batch: Sequence[NewJob]) -> dict[str, int | None]:
    """How many more jobs each queue may hold; None where it has no bound."""
    tx.flush_lanes()
    room: dict[str, int | None] = {}
    for name in {new.queue for new in batch}:
        number = lanes.queue(tx, name)
        bound: int | None = only(tx.db, sql.QUEUE, (name,))[3]
        room[name] = None if bound is None else bound - int(only(tx.db, sql.QUEUE_WAITING, (number,))[0])
    return room


def _one(tx: Tx, lanes: Lanes, new: NewJob, room: dict[str, int | None], bounds: Bounds) -> list[Answer]:
    """Store one job whose keys or whose queue's bound must be looked at first."""
    lanes.queue(tx, new.queue)  # a queue is there once a request names it
    row = one(tx.db, sql.BY_ID, (packed(new.id),))
    if row is not None:
        return [Enqueued(new.id, STATES[row[1]], new=False, version=row[2])]
    try:
        joined = _by_idempotency(tx, new) or _by_dedup(tx, new)
    except IdempotencyMismatchError as error:
        return [Refused(error)]
    if joined is not None:
        _remember(tx, new, joined[0])
        return [joined[1]]
    entry = cache.answer(tx, new)
    if entry is None:
        stored = _admitted(tx, lanes, new, room, bounds)
        if isinstance(stored, Refused):
            return [stored]
        answers: list[Answer] = [stored]
        cache.expect(tx, new, tx.seq)
    else:
        answers = _insert(tx, lanes, [new], born=COMPLETED)
        cache.born(tx, tx.seq, entry)
    if new.dedup_key is not None:
        tx.db.execute(sql.SET_DEDUP, (new.dedup_key, tx.seq))
    _remember(tx, new, tx.seq)
    return answers


def _admitted(tx: Tx, lanes: Lanes, new: NewJob, room: dict[str, int | None], bounds: Bounds) -> Answer:
    """Store a job that joins no other, if there is room for it; what it replaces is cancelled only then."""
    if new.intake is None:
        refused = _full(tx, lanes, new, room, bounds)
        return Refused(refused) if refused is not None else _told(tx, lanes, new, bounds)
    gate = Gate(tx, new)
    wanted = new.intake.conflict
    refusal = gate.closed() or (None if wanted is None else conflicts.refusal(tx, new.tenant, wanted))
    if refusal is not None:
        return Refused(refusal)
    doomed = [] if wanted is None else conflicts.victims(tx, new.tenant, wanted)
    mark = tx.mark() if doomed else None
    for row in doomed:
        amend.cancel(tx, row)
    if mark is not None:
        joins.resolve(tx)
        _count_anew(tx, lanes, new, room, bounds)
    held = wanted is not None and conflicts.waits(tx, new.tenant, wanted.key)
    refused = _full(tx, lanes, new, room, bounds, held=held)
    if mark is not None and refused is None:
        tx.keep()
    elif mark is not None:
        tx.undo(mark)
        lanes.forget()
        _count_anew(tx, lanes, new, room, bounds)
    if refused is not None:
        gate.refused(refused)
        return Refused(refused)
    gate.passed()
    answer = _told(tx, lanes, new, bounds, held=held)
    if wanted is not None:
        conflicts.enter(tx, tx.seq, new.tenant, wanted.key)
    return answer


def _told(tx: Tx, lanes: Lanes, new: NewJob, bounds: Bounds, *, held: bool = False) -> Answer:
    """Store a job for which there is room, and answer it with what is to be warned of."""
    (answer,) = _insert(tx, lanes, [new], held=held)
    warnings = bounds.warnings(new)
    return answer._replace(warnings=warnings) if warnings and isinstance(answer, Enqueued) else answer


def _count_anew(tx: Tx, lanes: Lanes, new: NewJob, room: dict[str, int | None], bounds: Bounds) -> None:
    """Look again at what there is room for."""
    bounds.forget()
    if new.queue in room:
        room |= _room(tx, lanes, [new])


def _full(  # noqa: PLR0913 - where there may be no room
    tx: Tx, lanes: Lanes, new: NewJob, room: dict[str, int | None], bounds: Bounds, *, held: bool = False
) -> RefusedError | None:
    """Return why there is no room for a job; where there is, it is counted."""
    left = room.get(new.queue)
    if left is not None and left <= 0:
        return QueueFullError(new.queue, only(tx.db, sql.QUEUE, (new.queue,))[3])
    if new.intake is not None and not (held or new.depends_on or due(new, tx.now)):
        far = intake.too_far_back(tx, lanes, new)
        if far is not None:
            return far
    over = bounds.refusal(new)
    if over is None and left is not None:
        room[new.queue] = left - 1
    return over


def _remember(tx: Tx, new: NewJob, seq: int) -> None:
    """Keep which job the caller's key stands for; the first one stays."""
    if new.idempotency is not None:
        key, fingerprint = new.idempotency
        if one(tx.db, sql.IDEMPOTENCY, (new.tenant, key, tx.now - DAY)) is None:
            tx.db.execute(sql.SET_IDEMPOTENCY, (new.tenant, key, fingerprint, seq, tx.now))


def _by_idempotency(tx: Tx, new: NewJob) -> tuple[int, Enqueued] | None:
    if new.idempotency is None:
        return None
    row = one(tx.db, sql.IDEMPOTENCY, (new.tenant, new.idempotency.key, tx.now - DAY))
    if row is None:
        return None
    if bytes(row[0]) != new.idempotency.fingerprint:
        raise IdempotencyMismatchError(new.idempotency.key)
    return _join(tx, row[1])


def _by_dedup(tx: Tx, new: NewJob) -> tuple[int, Enqueued] | None:
    if new.dedup_key is None:
        return None
    row = one(tx.db, sql.DEDUP, (new.dedup_key,))
    if row is None:
        return None
    _, state, _, created_at = only(tx.db, sql.BY_SEQ, (row[0],))
    if state in (FAILED, CANCELLED) or (state == COMPLETED and created_at + new.dedup_window <= tx.now):
        return None
    return _join(tx, row[0])


def _join(tx: Tx, seq: int) -> tuple[int, Enqueued]:
    found, state, version, _ = only(tx.db, sql.BY_SEQ, (seq,))
    return seq, Enqueued(unpacked(found), STATES[state], new=False, version=version)


def due(new: NewJob, now: Instant) -> Instant | None:
    """Return when a new job may start, where that is later than now."""
    at = now + new.delay if new.run_at is None else new.run_at
    return at if at > now else None


def _insert(
    tx: Tx, lanes: Lanes, batch: Sequence[NewJob], born: int | None = None, *, held: bool = False
) -> list[Answer]:
    """Store jobs that nothing stands against, or that are `born` in a state; an id that is there already is joined.

    Those that are `held` wait behind another job.
    """
    db, now = tx.db, tx.now
    first, seq, event = tx.seq + 1, tx.seq, tx.event
    rules = lanes.rules(tx)
    jobs: list[object] = []
    payloads: list[object] = []
    events: list[object] = []
    answers: list[Answer] = []
    counts: dict[tuple[int, int], int] = {}
    keys: dict[tuple[object, ...], int] = {}
    by_user = rules.by_user
    for new in batch:
        (job_id, task, args, queue, tenant, user, priority, max_attempts, delay, run_at, expires_in, expires_at,
         _, _, _, tags, metadata, timeout, correlation_id, crash_budget, secret,
         depends_on, _, _, extra, size, resources, model, batch_key, _) = new  # fmt: skip
        seq += 1
        event += 1
        if resources:
            lanes.hold_resources(tx)
        extra = classed(with_resources(extra, resources), size)
        key = (queue, priority, tenant, task, extra, model, batch_key, user if by_user else None)
        lane = keys.get(key)
        if lane is None:
            allowed = rules.priority(tenant, priority)
            number, own = lanes.queue(tx, queue), (user or "") if by_user else ""
            lane = keys[key] = lanes.lane(tx, number, allowed, tenant, task, own, text_of(extra), model, batch_key)
        state, due_at = QUEUED, None
        if born is not None:
            state = born
        elif delay or run_at is not None:
            due_at = due(new, now)
            state = QUEUED if due_at is None else SCHEDULED
        if (depends_on or held) and born is None:
            state = BLOCKED
        if expires_at is None and expires_in is not None:
            expires_at = now + expires_in
        jobs += (seq, packed(job_id), lane, state, max_attempts, now, due_at, expires_at, user, event)
        labels, hidden = tags_text(tags) if tags else None, tags_text(secret) if secret else None
        payloads += (seq, args, timeout, labels, metadata, correlation_id, crash_budget, hidden, size)
        events += (event, seq, state, now)
        answers.append(Enqueued(job_id, STATES[state], new=True, cached=born is not None))
        counts[lane, state] = counts.get((lane, state), 0) + 1
    before = db.total_changes()
    insert(db, sql.ADD_JOB, sql.JOB_ROW, jobs, len(batch))
    if db.total_changes() - before != len(batch):
        return _insert_missing(tx, lanes, batch, first, seq)
    insert(db, sql.ADD_PAYLOAD, sql.PAYLOAD_ROW, payloads, len(batch))
    insert(db, sql.ADD_FIRST_EVENT, sql.FIRST_EVENT_ROW, events, len(batch))
    for (lane, state), count in counts.items():
        tx.added(lane, state, count)
    tx.seq, tx.event = seq, event
    return answers


def _insert_missing(tx: Tx, lanes: Lanes, batch: Sequence[NewJob], first: int, last: int) -> list[Answer]:
    """Some ids were there already: undo the rest of this try, then take them one by one."""
    tx.db.execute(sql.UNDO_JOBS, (first, last))
    answers: list[Answer] = []
    for new in batch:
        row = one(tx.db, sql.BY_ID, (packed(new.id),))
        if row is None:
            answers.extend(_insert(tx, lanes, [new]))
        else:
            answers.append(Enqueued(new.id, STATES[row[1]], new=False, version=row[2]))
    return answers
