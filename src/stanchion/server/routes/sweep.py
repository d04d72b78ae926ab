"""Cancel, retry and erase many jobs by id or filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stanchion.domain.job import FINAL, WAITING, State
from stanchion.domain.query import Filter
from stanchion.security.scopes import JOBS_WRITE
from stanchion.server import bodies, wire
from stanchion.server.context import Endpoint, reply
from stanchion.server.problems import invalid

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from stanchion.domain.query import Scope
    from stanchion.domain.units import JobId
    from stanchion.server.auth import Principal
    from stanchion.server.context import Server
    from stanchion.store import Store

PART: Final = 500
_RUNNING_MOST: Final = 10_000
_OPEN: Final = WAITING | {State.RUNNING}


async def cancel(server: Server, request: Request, who: Principal) -> Response:
    """Cancel many jobs; `count` is how many were cancelled or asked to end."""
    body = await _body(server, request)
    store = server.store
    if body.ids is not None:
        return reply(wire.Count(await _cancelled(store, body.ids, who.scope)))
    asked = body.filter or wire.JobFilter()
    if asked.older_than is not None:
        raise invalid("/filter/older_than", "is for jobs that have ended; those cannot be cancelled")
    states = _states(asked, _OPEN) & _OPEN
    count = 0
    if waiting := states & WAITING:
        count += await swept(store, _filter(asked, waiting), who.scope, _cancelled)
    if State.RUNNING in states:  # these stay in their state until their attempts end: ask each once
        ids = await store.select(_filter(asked, frozenset({State.RUNNING})), _RUNNING_MOST, who.scope)
        for start in range(0, len(ids), PART):
            count += await _cancelled(store, ids[start : start + PART], who.scope)
    return reply(wire.Count(count))


async def retry(server: Server, request: Request, who: Principal) -> Response:
    """Queue many failed jobs anew."""
    body = await _body(server, request)
    if body.ids is not None:
        return reply(wire.Count(await _retried(server.store, body.ids, who.scope)))
    asked = body.filter or wire.JobFilter()
    if _states(asked, {State.FAILED}) - {State.FAILED}:
        raise invalid("/filter/state", "only failed jobs can be retried")
    before = None if asked.older_than is None else server.now() - round(asked.older_than * 1000)
    filter_ = _filter(asked, frozenset({State.FAILED}), before)
    return reply(wire.Count(await swept(server.store, filter_, who.scope, _retried)))


async def _body(server: Server, request: Request) -> wire.Many:
    body = await bodies.decoded(request, wire.Many, server.max_body)
    if (body.ids is None) == (body.filter is None):
        raise invalid("", "give either ids or filter")
    if body.filter == wire.JobFilter():
        raise invalid("/filter", "name at least one field; an empty filter would mean every job")
    return body


def _states(asked: wire.JobFilter, default: frozenset[State] | set[State]) -> frozenset[State]:
    if asked.state is None:
        return frozenset(default)
    return frozenset([asked.state] if isinstance(asked.state, State) else asked.state)


def _filter(asked: wire.JobFilter, states: frozenset[State], before: int | None = None) -> Filter:
    return Filter(
        states=tuple(sorted(states)),
        queue=asked.queue,
        task=asked.task,
        user=asked.user,
        tag=asked.tag,
        ended_before=before,
    )


async def swept(
    store: Store,
    filter_: Filter,
    scope: Scope,
    change: Callable[[Store, Sequence[JobId], Scope], Awaitable[int]],
) -> int:
    """Apply a change to all that match, part by part, until none is left or none gives way; return how many."""
    count = 0
    while ids := await store.select(filter_, PART, scope):
        done = await change(store, ids, scope)
        count += done
        if not done or len(ids) < PART:
            break
    return count


async def _cancelled(store: Store, ids: Sequence[JobId], scope: Scope) -> int:
    before = await store.inspect(ids, scope)
    open_ids = [job.id for job in before if job is not None and not job.final and job.cancel_requested_at is None]
    if not open_ids:
        return 0
    answers = await store.cancel(open_ids, scope)
    return sum(
        1 for job in answers if not isinstance(job, Exception) and _gives_way(job.state, job.cancel_requested_at)
    )


def _gives_way(state: State, requested: int | None) -> bool:
    return state is State.CANCELLED or requested is not None


async def _retried(store: Store, ids: Sequence[JobId], scope: Scope) -> int:
    return sum(1 for job in await store.retry(ids, scope) if not isinstance(job, Exception))


async def erased(store: Store, ids: Sequence[JobId], scope: Scope) -> int:
    """Erase jobs; return how many were final and are gone."""
    return sum(1 for gone in await store.erase(ids, scope) if gone is True)


def final_states(states: Sequence[State] | None) -> tuple[State, ...]:
    """Return the ended states that a cleaning names; by default all."""
    wanted = frozenset(states) if states is not None else FINAL
    if wanted - FINAL:
        raise invalid("/states", "only completed, failed and cancelled jobs can be erased")
    return tuple(sorted(wanted))


ENDPOINTS: Final = (
    Endpoint(method="POST", path="/jobs/cancel", name="cancel_jobs", call=cancel, scope=JOBS_WRITE,
             summary="Cancel many jobs", body=wire.Many, reply=wire.Count),
    Endpoint(method="POST", path="/jobs/retry", name="retry_jobs", call=retry, scope=JOBS_WRITE,
             summary="Run many failed jobs again", body=wire.Many, reply=wire.Count),
)  # fmt: skip
