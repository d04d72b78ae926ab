"""Dependencies: blocked jobs, the edges to their parents, and what the end of a parent does, in its transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.dependency import (
    Child,
    Outline,
    Parent,
    Policy,
    Relations,
    blame,
    consequence,
    may_run_again,
    parents_first,
    unblocked,
    worse,
)
from stanchion.domain.ids import packed, unpacked
from stanchion.domain.job import Move, State, move
from stanchion.errors import DependencyCycleError, DependencyError, UnknownParentError
from stanchion.store import Enqueued, Refused, all_refused
from stanchion.stores.sqlite import conflicts
from stanchion.stores.sqlite import join_statements as joining
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.batch import insert
from stanchion.stores.sqlite.fetch import Row, every, one
from stanchion.stores.sqlite.rows import BLOCKED, CODES, COMPLETED, STATES, error_of, error_text
from stanchion.stores.sqlite.signals import CHANGE, WORK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stanchion.domain.job import NewJob
    from stanchion.domain.query import Scope
    from stanchion.domain.units import JobId
    from stanchion.stores.sqlite.fetch import Connection
    from stanchion.stores.sqlite.writer import Tx

    Answer = Enqueued | Refused

EDGES_AT_ONCE: Final = 10_000
"""A transaction tells so many children of the end of a parent; upkeep tells the rest."""
LEVELS_AT_ONCE: Final = 1_000
"""And follows a chain of jobs that end by one another for so many jobs."""
CHILDREN_SHOWN: Final = 1_000
POLICIES: Final = (Policy.FAIL, Policy.SKIP, Policy.CONTINUE)
_POLICY_CODES: Final = {policy: code for code, policy in enumerate(POLICIES)}


class _Known(NamedTuple):
    """A job that may be a parent."""

    seq: int
    state: int
    tenant: str
    version: int


class _Fate(NamedTuple):
    """What the parents that have ended do to a blocked job, and which of them did it (its number and state)."""

    what: Move | None = None
    parent: int = 0
    state: int = 0

    def after(self, policy: int, parent: int, state: int) -> _Fate:
        """Return the fate when one more parent has ended."""
        what = worse(self.what, consequence(POLICIES[policy], STATES[state]))
        return self if what is self.what else _Fate(what, parent, state)


# --- enqueue ----------------------------------------------------------------------------------------------------


def enqueue(
    tx: Tx, batch: Sequence[NewJob], store: Callable[[Sequence[NewJob]], list[Answer]], *, one_by_one: bool
) -> list[Answer]:
    """Store a batch whose jobs depend on others, parents first.

    Args:
        tx: The transaction.
        batch: The jobs, in any order.
        store: Stores jobs that nothing stands against.
        one_by_one: A job of the batch may be joined or refused, so its children are looked at after it.
    """
    order, circular = parents_first(batch)
    intake = _Intake(tx, store)
    intake.answers.update((place, Refused(DependencyCycleError(batch[place].id))) for place in circular)
    for part in [[place] for place in order] if one_by_one else [order]:
        intake.take([(place, batch[place]) for place in part])
    tx.ended += _apply(tx, intake.born)
    resolve(tx)
    return as_they_are(tx, [intake.answers[place] for place in range(len(batch))])


class _Intake:
    """A batch on its way in: its answers by place, what its ids became, and what ended parents do to its jobs."""

    def __init__(self, tx: Tx, store: Callable[[Sequence[NewJob]], list[Answer]]) -> None:
        self._tx, self._store = tx, store
        self.answers: dict[int, Answer] = {}
        self.names: dict[JobId, JobId | None] = {}
        self.born: dict[int, _Fate] = {}

    def take(self, part: Sequence[tuple[int, NewJob]]) -> None:
        """Store one part of the batch, and tie its jobs to their parents."""
        names = self.names
        named = {name for _, new in part for edge in new.depends_on if (name := names.get(edge.parent, edge.parent))}
        known = _named(self._tx.db, named | {new.id for _, new in part if new.depends_on})
        ready: list[tuple[int, NewJob]] = []
        tenants: dict[JobId, str] = {}
        for place, new in part:
            missing = None if new.id in known else _missing(new, known, names, tenants)
            if missing is None:
                ready.append((place, new))
                tenants[new.id] = new.tenant
            else:
                self.answers[place] = Refused(UnknownParentError(missing))
                names[new.id] = None
        edges: list[object] = []
        seq = self._tx.seq
        stored = self._store([new for _, new in ready])
        if any(new.intake is not None for _, new in ready):  # it may have cancelled its own parents
            known |= _named(self._tx.db, named)
        for (place, new), answer in zip(ready, stored, strict=True):
            self.answers[place] = answer
            names[new.id] = answer.id if isinstance(answer, Enqueued) else None
            if isinstance(answer, Enqueued) and answer.new:
                seq += 1
                known[new.id] = _Known(seq, BLOCKED, new.tenant, 1)
                if new.depends_on:
                    fate, rows = _edges(seq, new, known, names)
                    edges += rows
                    self.born[seq] = fate
        insert(self._tx.db, joining.ADD_EDGE, joining.EDGE_ROW, edges, len(edges) // 5)


def _named(db: Connection, ids: set[JobId]) -> dict[JobId, _Known]:
    keys: list[str] = []
    for job_id in ids:
        try:
            keys.append(packed(job_id).hex())
        except ValueError:  # what is no id names no job
            continue
    rows = every(db, joining.NAMED, (json.dumps(keys),)) if keys else []
    return {unpacked(row[0]): _Known(*row[1:]) for row in rows}


def _missing(
    new: NewJob, known: Mapping[JobId, _Known], names: Mapping[JobId, JobId | None], tenants: Mapping[JobId, str]
) -> JobId | None:
    """Return the first parent that is not there, or not there for this job's tenant."""
    for edge in new.depends_on:
        name = names.get(edge.parent, edge.parent)
        there = None if name is None else known.get(name)
        if (tenants.get(edge.parent) if there is None else there.tenant) != new.tenant:
            return edge.parent
    return None


def _edges(
    seq: int, new: NewJob, known: Mapping[JobId, _Known], names: Mapping[JobId, JobId | None]
) -> tuple[_Fate, list[object]]:
    fate, rows = _Fate(), list[object]()
    for place, edge in enumerate(new.depends_on):
        parent = known[names.get(edge.parent) or edge.parent]
        code = _POLICY_CODES[edge.policy]
        done = parent.state if parent.state >= COMPLETED else 0
        rows += (seq, place, parent.seq, code, done)
        if done:
            fate = fate.after(code, parent.seq, done)
    return fate, rows


def as_they_are(tx: Tx, answers: list[Answer]) -> list[Answer]:
    """Return the answers with what has become of new jobs since: some had no parent left to wait for."""
    now = _named(tx.db, {answer.id for answer in answers if isinstance(answer, Enqueued) and answer.new})
    return [
        answer._replace(state=STATES[now[answer.id].state], version=now[answer.id].version)
        if isinstance(answer, Enqueued) and answer.new
        else answer
        for answer in answers
    ]


def remember(tx: Tx, batch: Sequence[NewJob], answers: Sequence[Answer]) -> None:
    """Note the workflows that jobs belong to; a job that was joined belongs to both."""
    tx.db.executemany(
        joining.ADD_MEMBER,
        [
            (new.workflow, packed(answer.id))
            for new, answer in zip(batch, answers, strict=True)
            if new.workflow is not None and isinstance(answer, Enqueued)
        ],
    )


def all_or_none(tx: Tx, store: Callable[[], list[Answer]], forget: Callable[[], None]) -> list[Answer]:
    """Store a batch; where one of it is refused, leave everything as it was, and refuse all."""
    mark = tx.mark()
    answers = store()
    if not any(isinstance(answer, Refused) for answer in answers):
        tx.keep()
        return answers
    tx.undo(mark)
    forget()  # what a process remembers of lanes and queues may have been made here
    return all_refused(answers)


# --- the end of a parent ----------------------------------------------------------------------------------------


def resolve(tx: Tx) -> None:
    """Tell the children of the jobs that ended in this transaction, and the children of those that end by it.

    The work is bounded; who is not told yet is noted in the same transaction, and told by `go_on`.
    """
    ended, tx.ended = tx.ended, []
    room, levels = EDGES_AT_ONCE, LEVELS_AT_ONCE
    while ended:
        if not room or not levels:
            tx.db.executemany(joining.ADD_ENDING, [(seq,) for seq, _ in ended])
            return
        states = dict(ended)
        edges = every(tx.db, joining.OPEN_EDGES, (json.dumps(list(states)), room))
        room -= len(edges)
        levels -= 1
        if not room:
            tx.db.executemany(joining.ADD_ENDING, [(seq,) for seq in states])
        fates: dict[int, _Fate] = {}
        for child, _, parent, policy in sorted(edges):
            fates[child] = fates.get(child, _Fate()).after(policy, parent, states[parent])
        tx.db.executemany(joining.CLOSE_EDGE, [(states[edge[2]], edge[0], edge[1]) for edge in edges])
        ended = _apply(tx, fates)


def _apply(tx: Tx, fates: Mapping[int, _Fate]) -> list[tuple[int, int]]:
    """Move blocked jobs on; return those that ended (number and state)."""
    rows = sorted(every(tx.db, joining.BLOCKED, (json.dumps(list(fates)),))) if fates else []
    blamed = _blamed(tx.db, {fates[row[0]].parent for row in rows if fates[row[0]].what is Move.FAIL})
    moves: list[Row] = []
    events: list[Row] = []
    results: list[Row] = []
    ended: list[tuple[int, int]] = []
    for seq, lane, version, attempt, last, due_at, waits, contends in rows:
        fate, text = fates[seq], None
        if fate.what is not None:
            state = move(State.BLOCKED, fate.what)
            ended.append((seq, CODES[state]))
        elif not waits and not (contends and conflicts.stands_behind(tx, seq)):
            state = unblocked(due_at, tx.now)
        else:
            continue
        if fate.what is Move.FAIL:
            parent, cause = blamed[fate.parent]
            text = error_text(blame(parent, STATES[fate.state], error_of(cause)))
            results.append((seq, None, text))
        code = CODES[state]
        tx.event += 1
        moves.append(
            (code, due_at if state is State.SCHEDULED else None, None if fate.what is None else tx.now, tx.event, seq)
        )
        events.append((tx.event, seq, version + 1, code, attempt, tx.now, None, None, text, last))
        tx.moved(lane, BLOCKED, code)
    if moves:
        tx.db.executemany(joining.MOVE_BLOCKED, moves)
        tx.db.executemany(sql.ADD_EVENT, events)
        tx.db.executemany(sql.SET_RESULT, results)
        tx.mask |= WORK | CHANGE
    return ended


def _blamed(db: Connection, parents: set[int]) -> dict[int, tuple[JobId, str | None]]:
    rows = every(db, joining.BLAMED, (json.dumps(list(parents)),)) if parents else []
    return {row[0]: (unpacked(row[1]), row[2]) for row in rows}


def go_on(tx: Tx, limit: int) -> int:
    """Tell children that an earlier transaction had no room for; return how many parents were looked at."""
    left: list[int] = [row[0] for row in every(tx.db, joining.ENDINGS, (limit,))]
    if left:
        tx.db.executemany(joining.DROP_ENDING, [(seq,) for seq in left])
        tx.ended += [(row[0], row[1]) for row in every(tx.db, joining.ENDED, (json.dumps(left),))]
        resolve(tx)
    return len(left)


# --- what operators do ------------------------------------------------------------------------------------------


def again(tx: Tx, seq: int, job_id: JobId) -> State | DependencyError:
    """Return the state of a failed job that is retried; its edges and those to it are as its parents are now."""
    rows = every(tx.db, joining.PARENT_STATES, (seq,))
    now: list[tuple[int, int | None]] = [(row[1], row[2]) for row in rows]
    state = may_run_again((POLICIES[policy], None if code is None else STATES[code]) for policy, code in now)
    if not isinstance(state, State):
        return DependencyError(job_id, state)
    tx.db.executemany(
        joining.CLOSE_EDGE, [(row[2] if row[2] >= COMPLETED else 0, seq, row[0]) for row in rows if row[2] is not None]
    )
    tx.db.execute(joining.REOPEN, (seq,))
    tx.db.execute(joining.DROP_ENDING, (seq,))
    return state


def needed(tx: Tx, seq: int) -> bool:
    """Return whether a job that has not ended depends on a job."""
    return one(tx.db, joining.NEEDED, (seq,)) is not None


# --- reads ------------------------------------------------------------------------------------------------------


def first_open(db: Connection, seq: int) -> tuple[str, JobId | None]:
    """Return why a blocked job waits, and the first job that it waits for: a parent, or one of its conflict key."""
    row = one(db, joining.FIRST_OPEN, (seq,))
    if row is None:
        return "dependency", None
    return "dependency" if row[1] < conflicts.BEHIND else "conflict", unpacked(row[0])


def parents(db: Connection, seq: int, *, results: bool = True) -> tuple[Parent, ...]:
    """Return the parents of a job that are still there, in order."""
    return tuple(
        Parent(
            unpacked(job_id),
            task,
            STATES[state],
            POLICIES[policy],
            result if results else None,
            error_of(error) if state >= COMPLETED else None,
        )
        for job_id, task, state, policy, result, error in every(db, joining.PARENTS, (seq,))
    )


def relations(db: Connection, seq: int) -> Relations:
    """Return what a job depends on and what depends on it."""
    return Relations(
        parents(db, seq, results=False),
        tuple(
            Child(unpacked(job_id), task, STATES[state], POLICIES[policy])
            for job_id, task, state, policy in every(db, joining.CHILDREN, (seq, CHILDREN_SHOWN))
        ),
        tuple(row[0] for row in every(db, joining.WORKFLOWS, (seq,))),
    )


def counts(db: Connection, workflow: str, scope: Scope) -> dict[State, int]:
    """Return how many of a workflow's jobs are in each state."""
    rows = every(db, joining.WORKFLOW_COUNTS, (workflow, scope.tenant))
    return {STATES[row[0]]: int(row[1]) for row in rows}


def outline(db: Connection, workflow: str, most: int, scope: Scope) -> Outline:
    """See `Store.outline`."""
    asked = (workflow, scope.tenant, most)
    return Outline(
        {STATES[row[0]]: int(row[1]) for row in every(db, joining.OUTLINE, asked)},
        tuple((unpacked(parent), unpacked(child)) for parent, child in every(db, joining.OUTLINE_EDGES, asked)),
    )
