"""Workflows: one at a glance; their jobs are listed with `/jobs?workflow=`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stanchion.domain.job import FINAL, State
from stanchion.errors import NotFoundError
from stanchion.security.scopes import JOBS_READ
from stanchion.server import queries, wire
from stanchion.server.context import Endpoint, reply

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from stanchion.server.auth import Principal
    from stanchion.server.context import Server

MOST: Final = 10_000
"""So many jobs of a workflow are counted."""
EDGES: Final = 2_000
"""So many edges are told."""


async def read_one(server: Server, request: Request, who: Principal) -> Response:
    """Return how far a workflow is, and which of its jobs wait for which."""
    name = str(request.path_params["id"])
    found = await server.store.outline(name, MOST, who.scope) if queries.is_text(name) else None
    if found is None or not found.counts:
        message = "There is no such workflow."
        raise NotFoundError(message, remedy="A job names those it belongs to under `workflows`.")
    total = sum(found.counts.values())
    return reply(
        wire.WorkflowOut(
            id=name,
            counts={state.value: found.counts.get(state, 0) for state in State},
            total=total,
            ended=sum(count for state, count in found.counts.items() if state in FINAL),
            more=total >= MOST,
            edges=[wire.EdgeOut(*edge) for edge in found.edges[:EDGES]],
        )
    )


ENDPOINTS: Final = (
    Endpoint(method="GET", path="/workflows/{id}", name="read_workflow", call=read_one, scope=JOBS_READ,
             summary="How far a workflow is", reply=wire.WorkflowOut),
)  # fmt: skip
