"""How many workers a queue should have: one number at a stable place, for autoscalers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stanchion.domain.scaling import ScalePolicy
from stanchion.domain.units import HOUR, MINUTE, SECOND
from stanchion.errors import NotFoundError
from stanchion.security.scopes import JOBS_READ
from stanchion.server import queries, wire
from stanchion.server.context import Endpoint, reply

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from stanchion.engine.scaling import Sizing
    from stanchion.server.auth import Principal
    from stanchion.server.context import Server

MOST: Final = 100
"""The highest number where the request names none: an autoscaler has a bound of its own."""
_HIGHEST: Final = 10_000


def usual(server: Server) -> ScalePolicy:
    """Return what an operator wants who says nothing."""
    return ScalePolicy(least=0, most=MOST, slots=server.app.settings.slots)


def _policy(server: Server, request: Request) -> ScalePolicy:
    usually = usual(server)
    least = queries.whole(request, "min", usually.least, 0, _HIGHEST)
    most = queries.whole(request, "max", max(usually.most, least), 1, _HIGHEST)
    if least > most:
        raise queries.refused("min", f"at most max, which is {most}")
    return ScalePolicy(
        least=least,
        most=most,
        slots=queries.whole(request, "slots", usually.slots, 1, _HIGHEST),
        wait=round(queries.number(request, "wait", usually.wait / SECOND, 0.001, HOUR / SECOND) * SECOND),
        quiet=round(queries.number(request, "quiet", usually.quiet / SECOND, 0, 60 * MINUTE / SECOND) * SECOND),
    )


async def read(server: Server, request: Request, who: Principal) -> Response:
    """Return how many workers a queue should have.

    `slots` is what one worker runs at once, `wait` how long a job may wait and `quiet` how long the need must have been
    lower before a worker is taken away, in seconds; `min` and `max` bound the number. It grows at once and falls
    after the quiet time: the server remembers that for each set of these values, in its own process.
    """
    policy = _policy(server, request)
    name = str(request.path_params["name"])
    found = await server.scaler.known(who.scope)
    if name not in found:
        message = "There is no such queue."
        raise NotFoundError(message, remedy="Read /queues for those there are.")
    sizing = await server.scaler.size([name], policy, who.scope)
    return reply(_out(name, sizing, policy))


def _out(name: str, sizing: Sizing, policy: ScalePolicy) -> wire.ScalingOut:
    return wire.ScalingOut(
        queue=name,
        desired=sizing.desired,
        arrival_rate=sizing.rate * SECOND,
        mean_duration=None if sizing.mean is None else sizing.mean / SECOND,
        waiting=sizing.waiting,
        held=sizing.held,
        running=sizing.running,
        wait_target=policy.wait / SECOND,
    )


async def read_many(server: Server, request: Request, who: Principal) -> Response:
    """Return the same for all queues, by name."""
    policy = _policy(server, request)
    sizes = await server.scaler.queues(policy, who.scope)
    return reply(wire.ScalingList([_out(name, sizing, policy) for name, sizing in sizes.items()]))


_PARAMS: Final = ("slots", "wait", "quiet", "min", "max")

ENDPOINTS: Final = (
    Endpoint(method="GET", path="/queues/{name}/scaling", name="read_scaling", call=read, scope=JOBS_READ,
             summary="How many workers a queue should have", reply=wire.ScalingOut,
             params=_PARAMS),
    Endpoint(method="GET", path="/scaling", name="list_scaling", call=read_many, scope=JOBS_READ,
             summary="How many workers each queue should have", reply=wire.ScalingList, params=_PARAMS),
)  # fmt: skip
