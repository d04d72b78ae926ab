"""One run: every contender in turn, round after round, each number to the results file as it comes."""

import contextlib
import json
import random
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import ceiling, environments, machine, metrics, report
from benchmarks.arena import Arena, ContestError
from benchmarks.contenders import Contender, Peer
from benchmarks.plan import Plan

FULL = 2
LEVELS = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}


def say(text: str) -> None:
    """Tell the person who waits."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


class Results:
    """The JSON lines of one run, on disk and at hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: list[dict[str, Any]] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")

    def add(self, kind: str, **values: Any) -> None:  # noqa: ANN401 (a record holds what its kind holds)
        """Append one record."""
        record = {"kind": kind, **values}
        self.records.append(record)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


@dataclass
class Entrant:
    """A contender that takes part, with the setting its drains use and the metrics it failed."""

    arena: Arena
    concurrency: str
    failed: set[str] = field(default_factory=set[str])


@dataclass(frozen=True)
class Contest:
    """What to run.

    Attributes:
        peers: Who takes part.
        chosen: The metrics.
        plan: The counts.
        seed: Decides the order of the contenders in each round.
        shipped: Whether to run the peers at the durability they ship with, too.
        command: The command line, for the report.
    """

    peers: Sequence[Peer]
    chosen: Sequence[str]
    plan: Plan
    seed: int
    shipped: bool
    command: str

    def run(self, results: Results, work: Path) -> None:
        """Measure everything and leave the work directory as it was found: empty."""
        machine.adopt_orphans()
        results.add(
            "run",
            at=time.strftime("%Y-%m-%d %H:%M:%S %Z"),
            command=self.command,
            seed=self.seed,
            metrics=list(self.chosen),
            plan=asdict(self.plan),
            machine=machine.describe(work),
            python=sys.version.split()[0],
        )
        try:
            with contextlib.ExitStack() as stack:
                entrants = self._admit(results, work, stack)
                for number in range(1, self.plan.rounds + 1):
                    self._round(number, entrants, results, work)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _admit(self, results: Results, work: Path, stack: contextlib.ExitStack) -> list[Entrant]:
        """Return those that can run here, each probed for its settings and tuned."""
        entrants: list[Entrant] = []
        for peer in self.peers:
            try:
                python = environments.ensure(peer)
            except environments.UnavailableError as error:
                say(f"{peer.name}: left out: {error}")
                results.add("left_out", peer=peer.name, reason=str(error))
                continue
            shipped = stack.enter_context(Arena(Contender(peer, "shipped", python), work))
            full = stack.enter_context(Arena(Contender(peer, "full", python), work))
            as_shipped = self._probe(shipped, results)
            if as_shipped is None:
                continue
            # What ships at FULL runs once, with nothing set; the rest runs at FULL and, if asked, as shipped.
            if self._probe(full, results) is not None:
                entrants.append(self._tuned(full))
                if self.shipped and as_shipped != FULL and not peer.ours:
                    entrants.append(self._tuned(shipped))
        return entrants

    def _probe(self, arena: Arena, results: Results) -> int | None:
        name = arena.contender.label
        try:
            told = arena.probe()
            synchronous = told["synchronous"]
            _expect(arena.contender.sync, synchronous)
        except (ContestError, OSError) as error:
            say(f"{name}: left out: {error}")
            results.add("left_out", peer=arena.peer.name, sync=arena.contender.sync, reason=str(error)[:600])
            return None
        results.add(
            "settings",
            peer=arena.peer.name,
            sync=arena.contender.sync,
            version=arena.version(),
            python=arena.python_version(),
            producers=arena.peer.producers,
            gives_up=arena.peer.gives_up,
            **told,
        )
        say(f"{name}: synchronous={LEVELS.get(synchronous, '?')}, journal_mode={told.get('journal_mode')}")
        return synchronous

    def _tuned(self, arena: Arena) -> Entrant:
        entrant = Entrant(arena, arena.peer.concurrency[0])
        if {"drain", "drain2", "depth"} & set(self.chosen):
            try:
                entrant.concurrency = metrics.tune(arena, self.plan)
            except ContestError as error:
                say(f"{arena.contender.label}: tuning failed: {error}")
        return entrant

    def _round(self, number: int, entrants: list[Entrant], results: Results, work: Path) -> None:
        order = random.Random(self.seed * 1000 + number)
        for metric in self.chosen:
            if metric == "ceiling":
                for record in ceiling.measure(work, self.plan):
                    results.add("ceiling", round=number, **record)
                    say(f"round {number} ceiling: {record}")
                continue
            # All contenders of one metric run one after the other, so that they share the noise of the hour.
            for entrant in order.sample(entrants, len(entrants)):
                self._one(number, metric, entrant, results)

    def _one(self, number: int, metric: str, entrant: Entrant, results: Results) -> None:
        if metric in entrant.failed:
            return
        contender = entrant.arena.contender
        where = {"peer": contender.peer.name, "sync": contender.sync, "metric": metric, "round": number}
        try:
            record = metrics.measure(entrant.arena, self.plan, metric, entrant.concurrency)
        except (ContestError, OSError) as error:
            entrant.arena.stop()
            entrant.failed.add(metric)
            say(f"round {number} {metric} {contender.label}: failed: {error}")
            results.add("failed", **where, reason=str(error)[:600])
            return
        if record is None:
            entrant.failed.add(metric)
            return
        results.add("measure", **where, **record)
        say(f"round {number} {metric} {contender.label}: {_short(record)}")


def _expect(sync: str, synchronous: int | None) -> None:
    if sync == "full" and (synchronous or 0) < FULL:
        raise ContestError(f"its connections answer synchronous={synchronous}, not FULL")


def _short(record: dict[str, Any]) -> str:
    shown = {name: value for name, value in record.items() if value or name == "foreign"}
    return ", ".join(f"{name}={report.number(value)}" for name, value in shown.items())
