"""The result cache: what it holds, and dropping it; a credential of a tenant sees and drops only that tenant's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stanchion.errors import PermissionDeniedError
from stanchion.security.scopes import ADMIN_CACHE, ADMIN_READ
from stanchion.server import bodies, queries, wire
from stanchion.server.context import Endpoint, reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from stanchion.domain.cache import CacheSum
    from stanchion.server.auth import Principal
    from stanchion.server.context import Server


def _tenant(who: Principal, asked: str | None) -> str | None:
    """Return whose entries are meant; None means everybody's."""
    if who.tenant is not None and asked not in (None, who.tenant):
        message = "This credential cannot reach another tenant's results."
        raise PermissionDeniedError(message, remedy="Leave `tenant` out.")
    return who.tenant or asked


def _sums(found: Sequence[CacheSum]) -> list[wire.CacheSumOut]:
    return [wire.CacheSumOut(*one) for one in found]


async def read(server: Server, request: Request, who: Principal) -> Response:
    """Return what the cache holds; a server-wide credential also sees this process's memory and its look-ups."""
    report = await server.app.cache.stats(tenant=_tenant(who, queries.text(request, "tenant")))
    own = who.tenant is not None
    return reply(
        wire.CacheOut(
            report.entries,
            report.bytes,
            report.hits,
            _sums(report.tasks),
            None if own else [wire.CacheLevelOut(level.name, _sums(level.sums)) for level in report.levels],
            None if own else wire.CacheLookupsOut(*report.lookups),
        )
    )


async def purge(server: Server, request: Request, who: Principal) -> Response:
    """Drop results, so that the next request runs."""
    body = await bodies.decoded(request, wire.CachePurge, server.max_body, default=b"{}")
    tenant = _tenant(who, body.tenant)
    return reply(wire.Count(await server.app.cache.purge(task=body.task, tenant=tenant, older_than=body.older_than)))


ENDPOINTS: Final = (
    Endpoint(method="GET", path="/cache", name="read_cache", call=read, scope=ADMIN_READ,
             summary="What the result cache holds", reply=wire.CacheOut, params=("tenant",)),
    Endpoint(method="POST", path="/cache/purge", name="purge_cache", call=purge, scope=ADMIN_CACHE,
             summary="Drop cached results", body=wire.CachePurge, reply=wire.Count),
)  # fmt: skip
