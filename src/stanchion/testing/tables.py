"""The four tables of the documentation, as Markdown: fairness, warm models, the time left, and that of cold starts."""

from __future__ import annotations

import asyncio
from random import Random
from statistics import mean
from typing import TYPE_CHECKING, Final

from stanchion.domain.units import MINUTE, SECOND
from stanchion.testing.foresight import Foresight
from stanchion.testing.load import Sort, Tenant, bursts, requests, restless, steady
from stanchion.testing.measures import most_overtaken, quantile, shares, weighted_jain
from stanchion.testing.policies import affine, fair, fifo, round_robin
from stanchion.testing.real import Clock, Play, opened
from stanchion.testing.simulator import Choose, Policy, Report, simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from stanchion.testing.foresight import Score
    from stanchion.testing.load import Request, Turn

ENDS: Final = 1_000
"""So many jobs end in a run of the first table."""
_SLOTS: Final = 4
_SMALL: Final = Sort("sprite", 800, spread=0.4, tail=0.02, cost=64 * 64)
_MIDDLE: Final = Sort("sprite", 2_000, spread=0.4, tail=0.02, cost=128 * 128)
_LARGE: Final = Sort("sprite", 6_000, spread=0.4, tail=0.02, cost=256 * 256)
_WORDS: Final = Sort("translate", 4_000, spread=0.9, tail=0.05, cost=10_000)
_HEAVY: Final = Sort("book", 3_000, spread=0.8, tail=0.1, weight=2.2)
WEIGHTS: Final = {"ada": 1, "bob": 2, "cyd": 4}

POLICIES: Final[Mapping[str, Callable[[], Policy | Choose]]] = {
    "first come, first served": lambda: fifo,
    "round robin": round_robin,
    "fair, each job counts the same": fair,
    "fair, by learned compute time": lambda: fair(by_time=True),
}


def backlog(seed: int, *, tail: float = 0.0) -> list[Request]:
    """Return jobs of three tenants of weights 1, 2 and 4 that all wait from the start and never run out.

    The tenants ask for different sizes: the lighter the tenant, the larger its jobs. A share of them may come from a
    heavy tail; a single job of it can take a percent or two of all that the run computes.
    """
    return requests(Random(seed), [0] * (6 * ENDS), _three(tail))


def _three(tail: float = 0.0) -> list[Tenant]:
    """Return the three tenants of the first table."""
    asked = {"ada": _LARGE, "bob": _MIDDLE, "cyd": _SMALL}
    return [Tenant(name, {asked[name]._replace(tail=tail): 1.0}, weight=weight) for name, weight in WEIGHTS.items()]


def played(seed: int, kind: str, ends: int = ENDS) -> Report:
    """Return what happens when these tenants, whose lines never run out, meet a store's own line.

    Args:
        seed: Of what is asked for.
        kind: The store, `memory` or `sqlite`.
        ends: So many jobs end.
    """

    async def play() -> Report:
        clock = Clock()
        async with opened(kind, clock) as store:
            return await Play(store, clock, _three(), Random(seed)).run(_SLOTS, ends)

    return asyncio.run(play())


def two_models(seed: int) -> list[Request]:
    """Return jobs of two models in equal parts, in bursts that form a line and ebbs that clear it."""
    chance = Random(seed)
    sorts = {Sort(model, 2_000, spread=0.4, model=model): 1.0 for model in ("flux", "sdxl")}
    instants = bursts(chance, 60 * MINUTE, calm=0.05, burst=0.7, stay=(4 * MINUTE, 2 * MINUTE))
    return requests(chance, instants, [Tenant("ada", sorts)])


def fairness(seeds: Sequence[int], store: str | None = None) -> list[str]:
    """Return the table of shares: how far each policy is from 1 : 2 : 4, and the line of a store if one is named."""
    whole = sum(WEIGHTS.values())
    rows = {
        name: [simulate(backlog(seed), steady(_SLOTS), policy(), ends=ENDS) for seed in seeds]
        for name, policy in POLICIES.items()
    }
    if store is not None:
        rows[f"the {store} store's own line"] = [played(seed, store) for seed in seeds]
    lines = [
        "| policy | share of weight 1 (14.3 %) | weight 2 (28.6 %) | weight 4 (57.1 %) | furthest off | Jain's index |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, reports in rows.items():
        got = [shares(report.ended) for report in reports]
        means = [f"{mean(found[tenant] for found in got):.1%}" for tenant in WEIGHTS]
        off = max(abs(found[tenant] - weight / whole) for found in got for tenant, weight in WEIGHTS.items())
        fairest = mean(weighted_jain(report.ended) for report in reports)
        lines.append(f"| {name} | {' | '.join(means)} | {off:.1%} | {fairest:.4f} |".replace("%", " %"))
    return lines


def affinity(seeds: Sequence[int]) -> list[str]:
    """Return the table of model swaps."""
    lines = [
        "| policy | swaps per 100 jobs | fewer than first come | overtaken at most | wait p50 | p95 | p99 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    policies: Mapping[str, Callable[[], Policy | Choose]] = {
        "first come, first served": lambda: fifo,
        "warm models first, at most 8 jobs or 30 s": lambda: affine(fifo),
        "warm models first, no bound": lambda: affine(fifo, most=10**9, longest=10**12),
    }
    base = 0.0
    for name, policy in policies.items():
        reports = [simulate(two_models(seed), steady(1), policy(), swap=8 * SECOND) for seed in seeds]
        swaps = 100 * sum(report.swaps for report in reports) / sum(len(report.jobs) for report in reports)
        base = base or swaps
        found = [f"{quantile(_waits(reports), q) / 1000:,.0f} s" for q in (0.5, 0.95, 0.99)]
        overtaken = max(most_overtaken(report) for report in reports)
        lines.append(f"| {name} | {swaps:.1f} | {base / swaps:.1f}x | {overtaken} | {' | '.join(found)} |")
    return lines


def _waits(reports: Sequence[Report]) -> Iterator[int]:
    for report in reports:
        yield from (job.started - job.request.at for job in report.jobs)


def _mixed(
    chance: Random, slots: int, sorts: Mapping[Sort, float], *, calm: float = 0.4, burst: float = 1.6
) -> list[Request]:
    """Return a load whose bursts bring more than the slots can serve, and whose calm times less."""
    typical = sum(sort.median * part for sort, part in sorts.items()) / sum(sorts.values()) / 1000
    rate = slots / typical
    until = round(1_500 / rate * 1000)
    stay = (round(60 / rate * 1000), round(40 / rate * 1000))
    instants = bursts(chance, until, calm=calm * rate, burst=burst * rate, stay=stay)
    return requests(chance, instants, [Tenant("ada", sorts)])


def loads() -> dict[str, Callable[[int], tuple[list[Request], list[Turn]]]]:
    """Return what the time left is tried on: by name, a function from a seed to jobs and workers."""
    one = {_MIDDLE: 1.0}
    both = {_SMALL: 5.0, _LARGE: 2.0, _WORDS: 1.0}
    heavy = {_HEAVY: 1.0}

    def restless_mix(seed: int) -> tuple[list[Request], list[Turn]]:
        chance = Random(seed)
        jobs = _mixed(chance, 6, both)
        return jobs, restless(chance, 8, jobs[-1].at, life=5 * MINUTE, away=MINUTE)

    def losing(seed: int) -> tuple[list[Request], list[Turn]]:
        chance = Random(seed)
        jobs = _mixed(chance, 3, both)
        return jobs, restless(chance, 4, jobs[-1].at, life=2 * MINUTE, away=20 * SECOND, crashing=1.0)

    def uneven(seed: int) -> tuple[list[Request], list[Turn]]:
        chance = Random(seed)
        words = {_SMALL: 6.0, _WORDS._replace(median=12_000): 1.0}
        return _mixed(chance, 4, words, calm=0.1, burst=3.0), steady(4)

    def drifting(seed: int) -> tuple[list[Request], list[Turn]]:
        jobs = _mixed(Random(seed), 4, one)
        last = jobs[-1].at
        return [job._replace(takes=round(job.takes * (1 + job.at / last))) for job in jobs], steady(4)

    return {
        "one task, 1 slot": lambda seed: (_mixed(Random(seed), 1, one), steady(1)),
        "two tasks of three sizes, 1 slot": lambda seed: (_mixed(Random(seed), 1, both), steady(1)),
        "two tasks of three sizes, 4 slots": lambda seed: (_mixed(Random(seed), 4, both), steady(4)),
        "two tasks of three sizes, 16 slots": lambda seed: (_mixed(Random(seed), 16, both), steady(16)),
        "one task, a tenth from a heavy tail, 4 slots": lambda seed: (_mixed(Random(seed), 4, heavy), steady(4)),
        "sharp bursts of two tasks, 4 slots": uneven,
        "8 workers that come, go and crash": restless_mix,
        "4 workers, each of which dies after 2 minutes": losing,
        "one task whose durations double slowly, 4 slots": drifting,
    }


COLD: Final = (20, 50, 100)
"""After so many attempts a cold start is asked about, until half as many more have ended."""
_STARTS: Final = 12
"""A cold start is short: so many of them are played for each seed."""


def cold() -> dict[str, tuple[int, Mapping[Sort, float]]]:
    """Return what cold starts are tried on: by name, the slots and what is asked for."""
    return {
        "one task, 4 slots": (4, {_MIDDLE: 1.0}),
        "two tasks of three sizes, 4 slots": (4, {_SMALL: 5.0, _LARGE: 2.0, _WORDS: 1.0}),
        "two tasks of three sizes, 16 slots": (16, {_SMALL: 5.0, _LARGE: 2.0, _WORDS: 1.0}),
        "one task, a tenth from a heavy tail, 4 slots": (4, {_HEAVY: 1.0}),
    }


def started(slots: int, sorts: Mapping[Sort, float], after: int, seeds: Sequence[int]) -> Score:
    """Return how what was said after so many attempts came true, over cold starts of several seeds."""
    watcher = Foresight(every=5, warm=after, until=after * 3 // 2)
    for seed in seeds:
        for play in range(_STARTS):
            jobs = _mixed(Random(seed * 1_000 + play), slots, sorts)
            watcher.play(jobs[: 4 * after + 40], steady(slots))
    return watcher.score()


def foresight(seeds: Sequence[int]) -> list[str]:
    """Return the table of the time left."""
    return [
        "| load | asked about | started by p50 | started by p90 | ended by p90 | p50 off by | plain average off by |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_row(name, scored(load, seeds)) for name, load in loads().items()),
    ]


def first_words(seeds: Sequence[int]) -> list[str]:
    """Return the table of cold starts."""
    return [
        "| load: after | asked | started by p50 | started by p90 | ended by p90 | p50 off by | plain off by | none |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"{_row(f'{name}: {after}', score)} {score.silent:,} |"
            for name, (slots, sorts) in cold().items()
            for after in COLD
            for score in (started(slots, sorts, after, seeds),)
        ),
    ]


def _row(name: str, score: Score) -> str:
    return (
        f"| {name} | {score.said:,} | {score.start_p50:.1%} | {score.start_p90:.1%} | {score.end_p90:.1%} "
        f"| {score.error / 1000:.2f} s | {score.plain / 1000:.2f} s |".replace("%", " %")
    )


def scored(load: Callable[[int], tuple[list[Request], list[Turn]]], seeds: Sequence[int]) -> Score:
    """Return how what was said came true over loads of several seeds."""
    watcher = Foresight()
    for seed in seeds:
        watcher.play(*load(seed))
    return watcher.score()
