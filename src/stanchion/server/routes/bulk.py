"""Many jobs in one request, with an answer for each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from stanchion.domain.query import Scope
from stanchion.engine.chance import new_id
from stanchion.errors import NotAloneError, StanchionError, UnknownParentError
from stanchion.security.scopes import JOBS_WRITE
from stanchion.server import bodies, views, wire
from stanchion.server.context import Endpoint, reply
from stanchion.server.problems import ApiError, problem
from stanchion.server.submit import below_args, submission
from stanchion.store import Enqueued, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgspec import Raw
    from starlette.requests import Request
    from starlette.responses import Response

    from stanchion.domain.units import JobId
    from stanchion.engine.submit import Submission
    from stanchion.server.auth import Principal
    from stanchion.server.context import Server

Answer: TypeAlias = Enqueued | StanchionError

BULK_FACTOR: Final = 16
"""A bulk body may be so many times larger than one job's."""
_READ: Final = 500


async def create(server: Server, request: Request, who: Principal) -> Response:
    """Enqueue many jobs: 200 with an answer for each; with `atomic` 422 and none stored if one is refused."""
    body = await bodies.decoded(request, wire.Bulk, server.max_body * BULK_FACTOR)
    items = [_item(place, raw) for place, raw in enumerate(body.jobs)]
    asked = server.asks(who)
    named = _named(items)
    wanted = [_wanted(item, who, place, asked, named) for place, item in enumerate(items)]
    if body.atomic:
        _all_or_none([item for item in wanted if isinstance(item, StanchionError)])
    places = [place for place, item in enumerate(wanted) if not isinstance(item, StanchionError)]
    ready = [item for item in wanted if not isinstance(item, StanchionError)]
    stored = await _submitted(server, ready, places, named, atomic=body.atomic)
    answers = [item if isinstance(item, StanchionError) else stored[place] for place, item in enumerate(wanted)]
    refused = [answer for answer in answers if isinstance(answer, StanchionError)]
    if body.atomic:
        _all_or_none([error for error in refused if not isinstance(error, NotAloneError)])
    names = [item.custom_id if isinstance(item, wire.BulkItem) else None for item in items]
    return reply(await _out(server, who, names, answers))


def _item(place: int, raw: Raw) -> wire.BulkItem | StanchionError:
    try:
        return bodies.parsed(raw, wire.BulkItem, f"/jobs/{place}")
    except ApiError as error:
        return error


def _named(items: Sequence[wire.BulkItem | StanchionError]) -> dict[str, JobId]:
    """Return an id for each job that others of the request name by its `custom_id`; none for a name of several."""
    bodies = [item for item in items if isinstance(item, wire.BulkItem)]
    wanted = {
        one.custom_id
        for item in bodies
        for one in item.depends_on or ()
        if isinstance(one, wire.ParentIn) and one.custom_id is not None
    }
    if not wanted:
        return {}
    times = Counter(item.custom_id for item in bodies)
    return {name: new_id() for name in wanted if times[name] == 1}


def _wanted(
    item: wire.BulkItem | StanchionError,
    who: Principal,
    place: int,
    asked: Mapping[str, Any],
    named: Mapping[str, JobId],
) -> Submission | StanchionError:
    if isinstance(item, StanchionError):
        return item
    try:
        return submission(item, who, key=item.idempotency_key, asked=asked, named=named, pointer=f"/jobs/{place}")
    except ApiError as error:
        return error
    except StanchionError as error:
        return ApiError(
            422, error.code, error.message, remedy=error.remedy, problems=((f"/jobs/{place}", error.message),)
        )


async def _submitted(
    server: Server, ready: Sequence[Submission], places: Sequence[int], named: Mapping[str, JobId], *, atomic: bool
) -> dict[int, Answer]:
    if not ready:
        return {}
    answers: dict[int, Answer] = {}
    for place, answer in zip(places, await server.app.submit(ready, atomic=atomic), strict=True):
        if not isinstance(answer, Refused):
            answers[place] = answer
            continue
        error = below_args(_told(answer.error, place, named), f"/jobs/{place}")
        if not isinstance(error, StanchionError):
            raise error
        answers[place] = error
    return answers


def _told(error: Exception, place: int, named: Mapping[str, JobId]) -> Exception:
    """Return an error of a parent by the name that the request has for it, not by an id that nobody knows."""
    if not isinstance(error, UnknownParentError):
        return error
    name = next((name for name, job_id in named.items() if job_id == error.job_id), None)
    if name is None:
        return error
    message = f"The job of custom_id {name!r}, on which it depends, was refused."
    return ApiError(
        422, error.code, message, remedy="Correct that one.", problems=((f"/jobs/{place}/depends_on", message),)
    )


def _all_or_none(refused: Sequence[StanchionError]) -> None:
    """Refuse the whole where an item was refused, with what was wrong with each."""
    if not refused:
        return
    pairs = [pair for error in refused for pair in getattr(error, "problems", ()) or (("/jobs", error.message),)]
    message = f"{len(refused)} jobs were refused, so none was stored."
    raise ApiError(422, "validation", message, remedy="Correct them, or leave `atomic` out.", problems=pairs[:100])


async def _out(server: Server, who: Principal, names: Sequence[str | None], answers: Sequence[Answer]) -> wire.BulkOut:
    ids = [answer.id for answer in answers if isinstance(answer, Enqueued)]
    shown: dict[str, wire.JobThin] = {}
    for start in range(0, len(ids), _READ):
        found = await server.store.inspect(ids[start : start + _READ], Scope(who.tenant))
        jobs = [job for job in found if job is not None]
        shown.update((job.id, job) for job in await views.thin_all(server, jobs, who.scope))
    items = [_answer(name, answer, shown) for name, answer in zip(names, answers, strict=True)]
    created = sum(1 for answer in answers if isinstance(answer, Enqueued) and answer.created)
    return wire.BulkOut(items, created, len(ids) - created, len(answers) - len(ids))


def _answer(name: str | None, answer: Answer, shown: dict[str, wire.JobThin]) -> wire.BulkAnswer:
    if isinstance(answer, StanchionError):
        body = problem(answer)
        return wire.BulkAnswer(name, body.status, problem=body)
    return wire.BulkAnswer(name, 201 if answer.created else 200, shown.get(answer.id))


ENDPOINTS: Final = (
    Endpoint(method="POST", path="/jobs/bulk", name="create_jobs", call=create, scope=JOBS_WRITE,
             summary="Enqueue many jobs", body=wire.Bulk, reply=wire.BulkOut),
)  # fmt: skip
