"""What is measured, one function each: a fresh database, the act, and one record of numbers."""

import time
from collections.abc import Callable
from typing import Any

from benchmarks import machine
from benchmarks.arena import Arena, ContestError, Hit
from benchmarks.plan import MEASURED_DEPTH, Plan

Record = dict[str, Any]
_SECOND_WORKER_SHARE = 0.3


def enqueue(arena: Arena, plan: Plan, operation: str) -> Record | None:
    """Return the rate of durable enqueues of one producer process: `one`, `concurrent` or `bulk`."""
    if operation == "bulk" and not arena.peer.bulk:
        return None
    count = getattr(plan, operation)
    if operation != "bulk":
        count = min(count, arena.peer.enqueues)
    arena.fresh()
    machine.wait_for_calm(plan.calm)
    share = machine.Share()
    told = arena.produce(operation, count)
    foreign = share.foreign()
    return {
        "rate": told["count"] / told["seconds"],
        "count": count,
        "cpu_us": share.own / count * 1e6,
        "foreign": foreign,
    }


def drain(arena: Arena, plan: Plan, concurrency: str, *, workers: int = 1, count: int | None = None) -> Record | None:
    """Return the rate of no-op jobs that were waiting, between the first and the last start.

    With two workers the rate counts from when both have started.
    """
    if workers > arena.peer.workers:
        return None
    count = min(count or plan.drain, arena.peer.drains)
    arena.filled(count)
    machine.wait_for_calm(plan.calm)
    share = machine.Share()
    sessions = [arena.work(index=index + 1, concurrency=concurrency) for index in range(workers)]
    arena.await_hits(count, plan.patience)
    peaks = [machine.tree(session).peak for session in sessions]
    hits = arena.hits()
    arena.stop()
    foreign = share.foreign()
    return {
        "rate": _rate(hits, workers),
        "count": count,
        "concurrency": concurrency,
        "twice": max(0, len(hits) - count),
        "peak_mib": sum(peaks),
        "cpu_us": share.own / count * 1e6,
        "foreign": foreign,
    }


def _rate(hits: list[Hit], workers: int) -> float:
    starts = {
        worker: min(hit.started for hit in hits if hit.worker == worker) for worker in {hit.worker for hit in hits}
    }
    if len(starts) < workers:
        raise ContestError("the first worker did everything before the second one started")
    began = max(starts.values())
    counted = sorted(hit.started for hit in hits if hit.started >= began)
    if len(counted) < max(2, _SECOND_WORKER_SHARE * len(hits)):
        raise ContestError("the first worker did most of it before the second one started")
    return (len(counted) - 1) / ((counted[-1] - counted[0]) / 1e9)


def depth(arena: Arena, plan: Plan, concurrency: str) -> Record | None:
    """Return the rate of the first 10,000 jobs while many more wait behind them."""
    waiting = min(plan.depth, arena.peer.depth)
    if not waiting:
        return None
    counted = min(MEASURED_DEPTH, waiting // 4)
    arena.filled(waiting)
    machine.wait_for_calm(plan.calm)
    share = machine.Share()
    began = time.time_ns()
    session = arena.work(concurrency=concurrency)
    arena.await_hits(counted, plan.patience)
    peak = machine.tree(session).peak
    hits = sorted(arena.hits(), key=lambda hit: hit.started)[:counted]
    arena.stop()
    return {
        "rate": (counted - 1) / ((hits[-1].started - hits[0].started) / 1e9),
        "waiting": waiting,
        "count": counted,
        "first_after_s": (hits[0].started - began) / 1e9,
        "peak_mib": peak,
        "foreign": share.foreign(),
    }


def latency(arena: Arena, plan: Plan) -> Record:
    """Return how long after `enqueue` was called an idle worker, as a user starts it, began the job."""
    count = min(plan.pickups, arena.peer.pickups)
    arena.fresh()
    arena.work(concurrency=_default(arena), default=True)
    time.sleep(arena.peer.ready)
    machine.wait_for_calm(plan.calm)
    share = machine.Share()
    arena.produce("latency", count)
    arena.await_hits(count + 1, plan.patience)
    hits = arena.hits()
    arena.stop()
    waits = sorted((hit.started - hit.sent) / 1e6 for hit in hits if hit.sent)
    return {
        "p50_ms": _percentile(waits, 0.50),
        "p95_ms": _percentile(waits, 0.95),
        "p99_ms": _percentile(waits, 0.99),
        "max_ms": waits[-1],
        "count": len(waits),
        "foreign": share.foreign(),
    }


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def idle(arena: Arena, plan: Plan) -> Record:
    """Return what a worker, and the server if there is one, cost while nothing happens."""
    arena.fresh()
    arena.produce("probe", 1)
    arena.clear_hits()
    worker = arena.work(concurrency=_default(arena), default=True)
    server = arena.serve() if arena.peer.server else None
    time.sleep(arena.peer.ready)
    arena.await_hits(1, plan.patience)
    machine.wait_for_calm(min(plan.calm, 3.0))
    share = machine.Share()
    sessions = {"worker": worker} | ({"server": server} if server else {})
    before = {role: machine.tree(session) for role, session in sessions.items()}
    time.sleep(plan.idle)
    after = {role: machine.tree(session) for role, session in sessions.items()}
    record: Record = {"seconds": plan.idle}
    for role, usage in after.items():
        if not usage.processes:
            raise ContestError(f"the {role} did not stay up")
        record[f"{role}_cpu_s_per_min"] = (usage.cpu - before[role].cpu) * 60 / plan.idle
        record[f"{role}_rss_mib"] = usage.rss
        record[f"{role}_processes"] = usage.processes
    arena.stop()
    return {**record, "foreign": share.foreign()}


def _default(arena: Arena) -> str:
    default = arena.peer.default
    return arena.peer.concurrency[0] if default is None else default


def tune(arena: Arena, plan: Plan) -> str:
    """Return the `concurrency` with which a quarter of the drain goes fastest."""
    settings = arena.peer.concurrency
    if not plan.tune or len(settings) == 1:
        return settings[0]
    rates: dict[str, float] = {}
    for setting in settings:
        record = drain(arena, plan, setting, count=max(200, min(plan.drain, arena.peer.drains) // 4))
        rates[setting] = record["rate"] if record else 0.0
    return max(rates, key=lambda setting: rates[setting])


def measure(arena: Arena, plan: Plan, metric: str, concurrency: str) -> Record | None:
    """Return the record of one metric, or None where the contender has no such thing."""
    acts: dict[str, Callable[[], Record | None]] = {
        "one": lambda: enqueue(arena, plan, "one"),
        "concurrent": lambda: enqueue(arena, plan, "concurrent"),
        "bulk": lambda: enqueue(arena, plan, "bulk"),
        "drain": lambda: drain(arena, plan, concurrency),
        "drain2": lambda: drain(arena, plan, concurrency, workers=2),
        "depth": lambda: depth(arena, plan, concurrency),
        "latency": lambda: latency(arena, plan),
        "idle": lambda: idle(arena, plan),
    }
    return acts[metric]()
