"""Dependencies: blocked jobs, the edges to their parents, and what the end of a parent does."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

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
from stanchion.domain.job import FINAL, Move, State, move
from stanchion.errors import DependencyCycleError, DependencyError, UnknownParentError
from stanchion.store import Enqueued, Refused, all_refused
from stanchion.stores.memory import conflicts
from stanchion.stores.memory.tables import advance, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stanchion.domain.job import Job, NewJob
    from stanchion.domain.query import Scope
    from stanchion.domain.units import Instant, JobId
    from stanchion.stores.memory.tables import Tables

    Answer = Enqueued | Refused

CHILDREN_SHOWN: Final = 1_000


@dataclass(slots=True)
class Edge:
    """One parent of a job; `ended` is how the parent ended, None while the job waits for it."""

    parent: int
    policy: Policy
    ended: State | None = None


def enqueue(
    tables: Tables, batch: Sequence[NewJob], now: Instant, store: Callable[[NewJob], Answer], *, atomic: bool
) -> list[Answer]:
    """Store a batch, parents first; with `atomic` all of it or nothing."""
    before = copy.deepcopy(vars(tables)) if atomic else None
    for new in batch:
        tables.policy(new.queue)  # a queue is there once a request names it, be it refused
    order, circular = parents_first(batch)
    answers: dict[int, Answer] = {place: Refused(DependencyCycleError(batch[place].id)) for place in circular}
    names: dict[JobId, Answer] = {}
    joined: list[int] = []
    for place in order:
        new = batch[place]
        missing = None if new.id in tables.refs else _missing(tables, new, names)
        answer = Refused(UnknownParentError(missing)) if missing is not None else store(new)
        answers[place] = names[new.id] = answer
        if isinstance(answer, Enqueued):
            ref = tables.refs[answer.id]
            if new.workflow is not None:
                tables.members.setdefault(new.workflow, {})[ref] = None
            if answer.new and new.depends_on:
                _tie(tables, ref, new, names)
                joined.append(ref)
    _join(tables, joined, now)
    if before is not None and any(isinstance(answer, Refused) for answer in answers.values()):
        vars(tables).update(before)
        return all_refused([answers[place] for place in range(len(batch))])
    return [_as_it_is(tables, answers[place]) for place in range(len(batch))]


def _missing(tables: Tables, new: NewJob, names: Mapping[JobId, Answer]) -> JobId | None:
    """Return the first parent that is not there, or not there for this job's tenant."""
    for edge in new.depends_on:
        answer = names.get(edge.parent)
        ref = tables.refs.get(edge.parent if answer is None else answer.id if isinstance(answer, Enqueued) else "")
        if ref is None or tables.jobs[ref].tenant != new.tenant:
            return edge.parent
    return None


def _tie(tables: Tables, ref: int, new: NewJob, names: Mapping[JobId, Answer]) -> None:
    edges = tables.edges[ref] = list[Edge]()
    for policy, parent in ((edge.policy, edge.parent) for edge in new.depends_on):
        answer = names.get(parent)
        found = tables.refs[answer.id if isinstance(answer, Enqueued) else parent]
        state = tables.jobs[found].state
        edges.append(Edge(found, Policy(policy), state if state in FINAL else None))
        tables.children.setdefault(found, []).append((ref, len(edges) - 1))


def _join(tables: Tables, refs: Sequence[int], now: Instant) -> None:
    """Let new jobs go whose parents had all ended before."""
    fates: dict[int, tuple[Move | None, Edge | None]] = {}
    for ref in refs:
        fate: Move | None = None
        culprit: Edge | None = None
        for edge in tables.edges[ref]:
            if edge.ended is not None:
                fate, culprit = _fate(fate, culprit, edge)
        fates[ref] = fate, culprit
    _apply(tables, fates, now)
    resolve(tables, now)


def _fate(fate: Move | None, culprit: Edge | None, edge: Edge) -> tuple[Move | None, Edge | None]:
    assert edge.ended is not None
    next_ = worse(fate, consequence(edge.policy, edge.ended))
    return next_, edge if next_ is not fate else culprit


def _as_it_is(tables: Tables, answer: Answer) -> Answer:
    if isinstance(answer, Refused) or not answer.new:
        return answer
    job = tables.jobs[tables.refs[answer.id]]
    return answer._replace(state=job.state, version=job.version)


def resolve(tables: Tables, now: Instant) -> None:
    """Tell the children of the jobs that just ended, and the children of those that end by it, level by level."""
    while tables.ended:
        ended, tables.ended = tables.ended, []
        closing = sorted(edge for ref in ended for edge in tables.children.get(ref, ()))
        fates: dict[int, tuple[Move | None, Edge | None]] = {
            child: (None, None) for ref in ended for child in conflicts.behind(tables, ref)
        }
        for child, place in closing:
            edge = tables.edges[child][place]
            if edge.ended is None:
                edge.ended = tables.jobs[edge.parent].state
                fates[child] = _fate(*fates.get(child, (None, None)), edge)
        _apply(tables, fates, now)


def _apply(tables: Tables, fates: Mapping[int, tuple[Move | None, Edge | None]], now: Instant) -> None:
    for ref, (fate, culprit) in sorted(fates.items(), key=lambda item: item[0]):
        job = tables.jobs[ref]
        if job.state is not State.BLOCKED:
            continue
        if fate is not None and culprit is not None:
            parent = tables.jobs[culprit.parent]
            error = blame(parent.id, parent.state, parent.error) if fate is Move.FAIL else None
            gone = replace(job, state=move(job.state, fate), due_at=None, ended_at=now, error=error)
            advance(tables, gone, now, error)
        elif all(edge.ended for edge in tables.edges.get(ref, ())) and conflicts.before(tables, ref) is None:
            state = unblocked(job.due_at, now)
            free = replace(job, state=state, due_at=job.due_at if state is State.SCHEDULED else None)
            advance(tables, free, now)


def again(tables: Tables, job: Job) -> State | DependencyError:
    """Return the state of a failed job that is retried; its edges and those to it are as its parents are now."""
    edges = tables.edges.get(job.ref, [])
    parents = [tables.jobs.get(edge.parent) for edge in edges]
    pairs = [(edge.policy, parent and parent.state) for edge, parent in zip(edges, parents, strict=True)]
    state = may_run_again(pairs)
    if not isinstance(state, State):
        return DependencyError(job.id, state)
    for edge, parent in zip(edges, parents, strict=True):
        if parent is not None:
            edge.ended = parent.state if parent.state in FINAL else None
    for child, place in tables.children.get(job.ref, ()):
        if tables.jobs[child].state is State.BLOCKED:
            tables.edges[child][place].ended = None
    return state


def needed(tables: Tables, ref: int) -> bool:
    """Return whether a job that has not ended depends on a job."""
    return any(not tables.jobs[child].final for child, _ in tables.children.get(ref, ()))


def first_open(tables: Tables, ref: int) -> tuple[str, JobId | None]:
    """Return why a blocked job waits, and the first job that it waits for: a parent, or one of its conflict key."""
    for edge in tables.edges.get(ref, ()):
        if edge.ended is None:
            return "dependency", tables.jobs[edge.parent].id
    standing = conflicts.before(tables, ref)
    return ("dependency", None) if standing is None else ("conflict", standing.id)


def parents(tables: Tables, ref: int, *, results: bool = True) -> tuple[Parent, ...]:
    """Return the parents of a job that are still there, in order."""
    found: list[Parent] = []
    for edge in tables.edges.get(ref, ()):
        job = tables.jobs.get(edge.parent)
        if job is not None:
            result = job.result if results else None
            found.append(Parent(job.id, job.task, job.state, edge.policy, result, job.error if job.final else None))
    return tuple(found)


def relations(tables: Tables, job: Job) -> Relations:
    """Return what a job depends on and what depends on it."""
    tied = sorted(tables.children.get(job.ref, ()))[:CHILDREN_SHOWN]
    children = [(tables.jobs[child], tables.edges[child][place].policy) for child, place in tied]
    return Relations(
        parents(tables, job.ref, results=False),
        tuple(Child(child.id, child.task, child.state, policy) for child, policy in children),
        tuple(sorted(name for name, refs in tables.members.items() if job.ref in refs)),
    )


def counts(tables: Tables, workflow: str, scope: Scope) -> dict[State, int]:
    """Return how many of a workflow's jobs are in each state."""
    jobs = (tables.jobs[ref] for ref in tables.members.get(workflow, ()))
    return dict(Counter(job.state for job in jobs if visible(job, scope)))


def outline(tables: Tables, workflow: str, most: int, scope: Scope) -> Outline:
    """Return the first jobs of a workflow at a glance."""
    jobs = [tables.jobs[ref] for ref in sorted(tables.members.get(workflow, ()))]
    newest = [job for job in reversed(jobs[-most:]) if visible(job, scope)]
    edges = [(parent.id, job.id) for job in newest for parent in parents(tables, job.ref, results=False)]
    return Outline(dict(Counter(job.state for job in jobs[:most] if visible(job, scope))), tuple(edges[:most]))


def forget(tables: Tables, gone: set[int]) -> None:
    """Drop the edges of deleted jobs; a child keeps its edges to parents that are gone."""
    for ref in gone:
        tables.children.pop(ref, None)
        for edge in tables.edges.pop(ref, ()):
            there = tables.children.get(edge.parent)
            if there is not None:
                there[:] = [tied for tied in there if tied[0] != ref]
    for name, refs in list(tables.members.items()):
        tables.members[name] = {ref: None for ref in refs if ref not in gone}
        if not tables.members[name]:
            del tables.members[name]
