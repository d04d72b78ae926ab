"""Workers and tasks: who can run what."""

# ruff: noqa: ARG001 - every endpoint has one signature

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stanchion.security.scopes import JOBS_READ
from stanchion.server import present, wire
from stanchion.server.context import Endpoint, reply

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from stanchion.domain.units import JobId
    from stanchion.server.auth import Principal
    from stanchion.server.context import Server
    from stanchion.store import WorkerRow


async def read_many(server: Server, request: Request, who: Principal) -> Response:
    """Return the workers; of their jobs only those that the caller may see."""
    rows = await server.store.workers()
    held = [job_id for row in rows for job_id in row.jobs]
    seen: set[JobId] = set(held)
    if who.tenant is not None and held:
        seen = {job.id for job in await server.store.inspect(held, who.scope) if job is not None}
    models = who.tenant is None  # jobs name them, so they are their tenant's own words
    return reply(
        wire.Workers([_out(row, [job_id for job_id in row.jobs if job_id in seen], models=models) for row in rows])
    )


def _out(row: WorkerRow, jobs: list[JobId], *, models: bool) -> wire.WorkerOut:
    info = row.info
    return wire.WorkerOut(
        id=f"w_{row.id}",
        incarnation=info.incarnation,
        host=info.host,
        pid=info.pid,
        started_at=present.at(row.started_at),
        last_beat_at=present.at(row.beat_at),
        alive=row.alive,
        state=row.state,
        slots=info.slots,
        running=row.running,
        queues=info.queues,
        tasks=info.tasks,
        capabilities=dict(info.capabilities),
        current_jobs=jobs,
        jobs_done=row.done,
        jobs_failed=row.failed,
        mean_ms=row.mean_ms,
        version=info.version,
        warm=row.warm if models else (),
        swaps=row.swaps,
        resources=dict(info.resources),
        holds=dict(row.holds),
    )


async def tasks(server: Server, request: Request, who: Principal) -> Response:
    """Return the tasks that are registered here, with the JSON schema of their arguments."""
    known = server.app.tasks
    return reply(
        wire.Tasks([wire.TaskOut(name, known[name].queue, dict(known[name].schema())) for name in sorted(known)])
    )


ENDPOINTS: Final = (
    Endpoint(method="GET", path="/workers", name="list_workers", call=read_many, scope=JOBS_READ,
             summary="List workers", reply=wire.Workers),
    Endpoint(method="GET", path="/tasks", name="list_tasks", call=tasks, scope=JOBS_READ,
             summary="List tasks", reply=wire.Tasks),
)  # fmt: skip
