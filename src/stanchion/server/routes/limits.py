"""Limits and tenants: what an operator allows whom."""

# ruff: noqa: ARG001 - every endpoint has one signature

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stanchion.domain import limits
from stanchion.domain.job import FINAL, State
from stanchion.domain.limits import Limit
from stanchion.domain.policy import TenantPolicy
from stanchion.errors import NotFoundError
from stanchion.security.scopes import ADMIN_LIMITS
from stanchion.server import bodies, present, wire
from stanchion.server.context import Endpoint, reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from stanchion.domain.limits import LimitState
    from stanchion.server.auth import Principal
    from stanchion.server.context import Server

BUSIEST: Final = 500
"""So many tenants without a policy are shown."""


def _out(state: LimitState) -> wire.LimitOut:
    limit = state.limit
    return wire.LimitOut(
        key=state.key,
        running=None if limit is None else limit.running,
        starts=None if limit is None else limit.starts,
        period=None if limit is None or limit.starts is None else limit.period / 1000,
        burst=None if limit is None or limit.starts is None else limit.burst,
        refuse=None if limit is None else limit.refuse,
        warn=None if limit is None else limit.warn,
        used=state.used,
        waiting=state.waiting,
        parked_until=present.maybe_at(state.parked),
    )


async def _all(server: Server) -> Response:
    return reply(wire.LimitList([_out(state) for state in await server.store.limits()]))


async def read_many(server: Server, request: Request, who: Principal) -> Response:
    """Return the keys that have a limit, are in use, waited for or parked."""
    return await _all(server)


async def put(server: Server, request: Request, who: Principal) -> Response:
    """Set the limit of a key."""
    body = await bodies.decoded(request, wire.LimitIn, server.max_body)
    limit = Limit(body.key, body.running, body.starts, round(body.period * 1000), body.burst, body.refuse, body.warn)
    await server.store.configure_limit(limits.checked(limit))
    return await _all(server)


async def drop(server: Server, request: Request, who: Principal) -> Response:
    """Remove the limit of a key."""
    body = await bodies.decoded(request, wire.LimitKey, server.max_body)
    if not await server.store.drop_limit(body.key):
        message = "This key has no limit."
        raise NotFoundError(message, remedy="Read /limits for those there are.")
    return await _all(server)


async def park(server: Server, request: Request, who: Principal) -> Response:
    """Let nothing of a key start for some seconds; 0 ends a park."""
    body = await bodies.decoded(request, wire.Park, server.max_body)
    await server.store.park(limits.named(body.key), limits.pause(round(body.seconds * 1000)))
    return await _all(server)


async def read_tenants(server: Server, request: Request, who: Principal) -> Response:
    """Return the tenants that have a policy or unfinished jobs."""
    return await _tenants(server)


async def put_tenant(server: Server, request: Request, who: Principal) -> Response:
    """Set a tenant's weight and the most urgent priority that it may ask for."""
    body = await bodies.decoded(request, wire.Tenant, server.max_body)
    await server.store.configure_tenant(TenantPolicy(body.name, body.weight, body.top_priority))
    return await _tenants(server)


async def _tenants(server: Server) -> Response:
    policies = {policy.name: policy for policy in await server.store.tenants()}
    census = await server.store.census()
    busiest = sorted(census.keys() - policies.keys(), key=lambda name: (-_open(census[name]), name))
    names = sorted([*policies, *busiest[:BUSIEST]])
    items = [_tenant(policies.get(name), name, census.get(name, {})) for name in names]
    return reply(wire.Tenants(items, len(busiest[BUSIEST:])))


def _open(counts: Mapping[State, int]) -> int:
    return sum(count for state, count in counts.items() if state not in FINAL)


def _tenant(policy: TenantPolicy | None, name: str, counts: Mapping[State, int]) -> wire.TenantOut:
    weight, top = (1, 0) if policy is None else (policy.weight, policy.top_priority)
    shown = {state.value: counts.get(state, 0) for state in State if state not in FINAL}
    return wire.TenantOut(name=name, weight=weight, top_priority=top, set=policy is not None, counts=shown)


ENDPOINTS: Final = (
    Endpoint(method="GET", path="/limits", name="list_limits", call=read_many, scope=ADMIN_LIMITS,
             summary="List limits and what is used of them", reply=wire.LimitList),
    Endpoint(method="PUT", path="/limits", name="put_limit", call=put, scope=ADMIN_LIMITS,
             summary="Set the limit of a key", body=wire.LimitIn, reply=wire.LimitList),
    Endpoint(method="POST", path="/limits/drop", name="drop_limit", call=drop, scope=ADMIN_LIMITS,
             summary="Remove the limit of a key", body=wire.LimitKey, reply=wire.LimitList),
    Endpoint(method="POST", path="/limits/park", name="park_key", call=park, scope=ADMIN_LIMITS,
             summary="Let nothing of a key start for a while", body=wire.Park, reply=wire.LimitList),
    Endpoint(method="GET", path="/tenants", name="list_tenants", call=read_tenants, scope=ADMIN_LIMITS,
             summary="List tenants, and how many jobs each has", reply=wire.Tenants),
    Endpoint(method="PUT", path="/tenants", name="put_tenant", call=put_tenant, scope=ADMIN_LIMITS,
             summary="Set a tenant's policy", body=wire.Tenant, reply=wire.Tenants),
)  # fmt: skip
