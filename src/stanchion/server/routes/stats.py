"""Numbers: counts and the recent past as JSON, and the same for Prometheus."""

# ruff: noqa: ARG001 - every endpoint has one signature

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from stanchion.domain.intake import Pressure
from stanchion.domain.job import State
from stanchion.security.scopes import JOBS_READ
from stanchion.server import present, queries, views, wire
from stanchion.server.context import Endpoint, reply
from stanchion.server.problems import ApiError
from stanchion.server.routes import scaling

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.requests import Request

    from stanchion.server.auth import Principal
    from stanchion.server.context import Server

_MAX_WINDOW: Final = 86_400
_MAX_POINTS: Final = 1_500
_MAX_LINE: Final = 20
_MINUTE: Final = 60_000
_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


async def read(server: Server, request: Request, who: Principal) -> Response:
    """Return counts now, and the last `window` seconds in intervals of `step` seconds."""
    window = queries.whole(request, "window", 300, 1, _MAX_WINDOW)
    step = queries.whole(request, "step", 5, 1, _MAX_WINDOW)
    if window / step > _MAX_POINTS:
        message = f"step: at most {_MAX_POINTS} intervals fit in one answer."
        raise ApiError(422, "validation", message, remedy="Ask for a larger step.", problems=(("step", message),))
    queues = await server.store.stats(who.scope)
    buckets = await server.store.series(window * 1000, step * 1000, who.scope)
    by_queue = {queue.policy.name: present.counts(queue) for queue in queues}
    return reply(wire.StatsOut(present.totals(queues), by_queue, [present.point(bucket) for bucket in buckets]))


async def line(server: Server, request: Request, who: Principal) -> Response:
    """Return the jobs that start next, each with its position in its queue, the first of all queues together."""
    limit = queries.whole(request, "limit", 8, 1, _MAX_LINE)
    found = await server.store.inspect(await server.store.upcoming(limit, who.scope), who.scope)
    jobs = [job for job in found if job is not None and job.state is State.QUEUED]
    shown = [job for job in await views.thin_all(server, jobs, who.scope) if job.position is not None]
    shown.sort(key=lambda job: (job.position or 0, job.priority, job.id))
    return reply(wire.JobPage(shown[:limit], None))


async def metrics(server: Server, request: Request, who: Principal) -> Response:
    """Return the numbers in Prometheus' text format: by queue and state, never by job."""
    queues = await server.store.stats(who.scope)
    workers = await server.store.workers()
    (last,) = (await server.store.series(_MINUTE, _MINUTE, who.scope))[-1:] or (None,)
    sizes = await server.scaler.queues(scaling.usual(server), who.scope)
    pressure = await server.store.pressure() if who.tenant is None else Pressure()
    now = server.now()
    oldest = [(q.policy.name, q.oldest_queued_at) for q in queues]
    states = Counter(worker.state for worker in workers)
    lines = [
        *_metric(
            "jobs", "Jobs by queue and state.",
            [({"queue": q.policy.name, "state": s}, n) for q in queues for s, n in present.counts(q).items()],
        ),
        *_metric(
            "queue_oldest_seconds", "Age of the oldest queued job.",
            [({"queue": name}, max(now - at, 0) / 1000) for name, at in oldest if at is not None],
        ),
        *_metric(
            "queue_paused", "Whether a queue is paused.",
            [({"queue": q.policy.name}, int(q.policy.paused)) for q in queues],
        ),
        *_metric(
            "queue_desired_workers", "How many workers a queue should have, of as many slots as the setting says.",
            [({"queue": name}, sizing.desired) for name, sizing in sizes.items()],
        ),
        *_metric(
            "overflow_jobs", "Jobs that wait and run, of a key that has a bound.",
            [({"key": k.key}, k.jobs) for k in pressure.keys],
        ),
        *_metric(
            "overflow_level", "How many jobs may wait and run until it is warned of, and refused.",
            [({"key": k.key, "level": name}, at) for k in pressure.keys
             for name, at in (("warn", k.warn_at), ("refuse", k.refuse_at)) if at is not None],
        ),
        *_metric(
            "overflow_warned", "Whether it is warned of.",
            [({"key": k.key}, int(k.since is not None)) for k in pressure.keys],
        ),
        *_metric("slowed_keys", "Callers that are slowed down: refused too often.", [({}, len(pressure.slowed))]),
        *_metric("workers", "Workers by state.", [({"state": state}, n) for state, n in sorted(states.items())]),
        *_metric("worker_slots", "Slots of living workers.", [({}, sum(w.info.slots for w in workers if w.alive))]),
        *_metric("worker_slots_used", "Attempts that run.", [({}, sum(w.running for w in workers if w.alive))]),
        *_metric(
            "recent_jobs", "Jobs in the interval of a minute that is now running, by what happened.",
            [({"what": w}, getattr(last, w)) for w in ("enqueued", "started", "completed", "failed")] if last else [],
        ),
        *_metric("watchers", "Watchers of the change feed.", [({}, server.watch.watching)]),
        *_metric("streams", "Open streams and sockets.", [({}, server.streams.open)]),
    ]  # fmt: skip
    return Response("\n".join([*lines, ""]), media_type=_TEXT, headers={"content-type": _TEXT})


def _metric(name: str, text: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> list[str]:
    full = f"stanchion_{name}"
    lines = [f"# HELP {full} {text}", f"# TYPE {full} gauge"]
    return lines + [f"{full}{_labels(labels)} {value:g}" for labels, value in samples]


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


ENDPOINTS: Final = (
    Endpoint(method="GET", path="/stats", name="read_stats", call=read, scope=JOBS_READ,
             summary="Counts, and the recent past", reply=wire.StatsOut, params=("window", "step")),
    Endpoint(method="GET", path="/line", name="read_line", call=line, scope=JOBS_READ,
             summary="The jobs that start next", reply=wire.JobPage, params=("limit",)),
    Endpoint(method="GET", path="/metrics", name="metrics", call=metrics, scope=JOBS_READ,
             summary="The same for Prometheus", media="text/plain"),
)  # fmt: skip
