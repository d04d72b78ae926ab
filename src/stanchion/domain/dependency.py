"""Dependencies: which jobs a job waits for, and what follows when one of them ends."""

from __future__ import annotations

from enum import StrEnum
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

from stanchion.domain.job import Move, State, move
from stanchion.domain.kinds import ErrorInfo, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stanchion.domain.job import NewJob
    from stanchion.domain.units import Instant, JobId


class Policy(StrEnum):
    """What happens to a job when one that it depends on fails or is cancelled.

    `fail` fails it, `skip` cancels it, `continue` runs it all the same.
    """

    FAIL = "fail"
    SKIP = "skip"
    CONTINUE = "continue"


class Dependency(NamedTuple):
    """A job that must end before another starts: the parent of that one."""

    parent: JobId
    policy: Policy = Policy.FAIL


class Parent(NamedTuple):
    """A parent as it stands: `result` is its encoded result, None where it did not complete or returned None."""

    id: JobId
    task: str
    state: State
    policy: Policy
    result: bytes | None = None
    error: ErrorInfo | None = None


class Child(NamedTuple):
    """A job that depends on another, as it stands."""

    id: JobId
    task: str
    state: State
    policy: Policy


class Relations(NamedTuple):
    """What a job depends on (in the order of its request), what depends on it, and its workflows."""

    parents: tuple[Parent, ...] = ()
    children: tuple[Child, ...] = ()
    workflows: tuple[str, ...] = ()


class Outline(NamedTuple):
    """A workflow at a glance: how many of its jobs are in each state, and its edges (parent, child)."""

    counts: Mapping[State, int]
    edges: tuple[tuple[JobId, JobId], ...] = ()


def consequence(policy: Policy, ended: State) -> Move | None:
    """Return what the end of a parent does to a blocked job; None where it allows the job to run."""
    if ended is State.COMPLETED or policy is Policy.CONTINUE:
        return None
    return Move.FAIL if policy is Policy.FAIL else Move.CANCEL


def worse(one: Move | None, other: Move | None) -> Move | None:
    """Return the consequence that counts of two that come at once: to fail, before to cancel, before none."""
    if Move.FAIL in (one, other):
        return Move.FAIL
    return one or other


def unblocked(due_at: Instant | None, now: Instant) -> State:
    """Return the state of a job when the last of its parents has ended."""
    return move(State.BLOCKED, Move.HOLD if due_at is not None and due_at > now else Move.UNBLOCK)


def blame(parent: JobId, ended: State, error: ErrorInfo | None) -> ErrorInfo:
    """Return the error of a job that fails with its parent.

    Its kind is the parent's, so that the cause can be read at the end of a chain; `internal` after a cancel.
    """
    kind = Kind.INTERNAL if error is None else error.kind
    how = "was cancelled" if ended is State.CANCELLED else "failed"
    return ErrorInfo(kind, f"job {parent}, on which it depends, {how}", retryable=False, type="ParentEnded")


def parents_first(batch: Sequence[NewJob]) -> tuple[list[int], list[int]]:
    """Return the places of a batch so that parents come before their children, else in the order given.

    The second list holds the places that cannot be so ordered: jobs that depend on themselves, in a circle, or
    on such jobs.
    """
    at = {new.id: place for place, new in enumerate(batch)}
    within = [{at[edge.parent] for edge in new.depends_on if edge.parent in at} for new in batch]
    children: list[list[int]] = [[] for _ in batch]
    for place, parents in enumerate(within):
        for parent in parents:
            children[parent].append(place)
    left = [len(parents) for parents in within]
    ready = [place for place, count in enumerate(left) if not count]
    heapify(ready)
    order: list[int] = []
    while ready:
        place = heappop(ready)
        order.append(place)
        for child in children[place]:
            left[child] -= 1
            if not left[child]:
                heappush(ready, child)
    return order, [place for place, count in enumerate(left) if count]


def may_run_again(parents: Iterable[tuple[Policy, State | None]]) -> State | str:
    """Return the state of a failed job that is retried, by its parents as they stand now (None: gone).

    It waits for those that have not ended. A text says why it cannot be retried.
    """
    waits = False
    for policy, state in parents:
        if state is None:
            return "a job on which it depends is gone"
        if state in (State.COMPLETED, State.FAILED, State.CANCELLED):
            if consequence(policy, state) is not None:
                return f"a job on which it depends is {state.value}"
        else:
            waits = True
    return move(State.FAILED, Move.REJOIN if waits else Move.RETRY)
