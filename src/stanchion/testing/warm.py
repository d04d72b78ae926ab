"""The table of model swaps on a real store: its own line, with affinity switched off and on."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.testing.load import Request, Sort, Tenant, requests
from stanchion.testing.measures import quantile
from stanchion.testing.played import Clock, play, stores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.units import Millis
    from stanchion.testing.played import Run

JOBS: Final = 1_000
SWAP: Final[Millis] = 8_000


class Mix(NamedTuple):
    """A load of which all jobs wait from the start.

    Attributes:
        models: Its models, in equal parts.
        workers: How many workers of one slot serve it, each with room for one model.
        tenants: Names, weights, and shares of the jobs.
        alternating: Whether the models take turns, instead of being drawn.
    """

    models: Sequence[str] = ("flux", "sdxl")
    workers: int = 2
    tenants: Sequence[tuple[str, int, float]] = (("ada", 1, 1.0),)
    alternating: bool = False

    def requests(self, seed: int, jobs: int = JOBS) -> list[Request]:
        """Return the jobs, the same for the same seed."""
        sorts = {Sort("generate", 2_000, spread=0.4, model=model): 1.0 for model in self.models}
        tenants = [Tenant(name, sorts, weight=weight, share=share) for name, weight, share in self.tenants]
        found = requests(Random(seed), [0] * jobs, tenants)
        if not self.alternating:
            return found
        return [one._replace(model=self.models[place % len(self.models)]) for place, one in enumerate(found)]


MIXES: Final = {
    "two models, 1 worker": Mix(workers=1),
    "two models, 2 workers": Mix(),
    "two models that take turns, 2 workers": Mix(alternating=True),
    "two models, tenants of weights 1 and 3, 2 workers": Mix(tenants=(("ada", 1, 1.0), ("bob", 3, 3.0))),
    "two models, 4 workers": Mix(workers=4),
    "three models, 2 workers": Mix(models=("flux", "sdxl", "wan")),
}


def played(mix: Mix, seed: int, *, store: str, affinity_jobs: int | None = None, jobs: int = JOBS) -> Run:
    """Return what happened to a load on a fresh store; `affinity_jobs` 0 switches affinity off."""
    clock = Clock()
    with stores(store, clock) as fresh:
        return asyncio.run(
            play(
                fresh,
                clock,
                mix.requests(seed, jobs),
                workers=mix.workers,
                swap=SWAP,
                affinity_jobs=affinity_jobs,
            )
        )


def affinity(seeds: Sequence[int], *, store: str, jobs: int = JOBS) -> list[str]:
    """Return the table of model swaps on a real store."""
    lines = [
        "| load | swaps per 100, off | on | fewer | overtaken at most | wait p50, off | on | done after, off | on |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, mix in MIXES.items():
        off = [played(mix, seed, store=store, affinity_jobs=0, jobs=jobs) for seed in seeds]
        on = [played(mix, seed, store=store, jobs=jobs) for seed in seeds]
        swaps = [100 * sum(run.swaps for run in runs) / (jobs * len(seeds)) for runs in (off, on)]
        waits = [quantile([wait for run in runs for wait in run.waits()], 0.5) / 1000 for runs in (off, on)]
        ends = [sum(run.clock for run in runs) / len(runs) / 1000 for runs in (off, on)]
        overtaken = max(run.most_overtaken() for run in on)
        lines.append(
            f"| {name} | {swaps[0]:.1f} | {swaps[1]:.1f} | {swaps[0] / (swaps[1] or 1):.1f}x | {overtaken} "
            f"| {waits[0]:,.0f} s | {waits[1]:,.0f} s | {ends[0]:,.0f} s | {ends[1]:,.0f} s |"
        )
    return lines
