"""The page that a results file becomes: medians, spreads, ratios, and what each peer gives up."""

import json
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.contenders import OURS
from benchmarks.machine import FOREIGN_LIMIT

Record = dict[str, Any]
Key = tuple[str, str]

LEVELS = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}
RATES = {
    "one": "enqueue one by one",
    "concurrent": "enqueue concurrently",
    "bulk": "bulk enqueue",
    "drain": "drain, 1 worker",
    "drain2": "drain, 2 workers",
    "depth": "first jobs of a deep queue",
}
_DIGITS = ((100, 0), (10, 1))
ACTS = {"one": "one", "concurrent": "concurrent", "bulk": "bulk", "drain": "drain"}


def load(path: Path) -> list[Record]:
    """Return the records of a results file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class Board:
    """The records by contender, metric and number."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.run = next(record for record in records if record["kind"] == "run")
        self.settings = [record for record in records if record["kind"] == "settings"]
        self.left_out = [record for record in records if record["kind"] in {"left_out", "failed"}]
        self.ceilings = [record for record in records if record["kind"] == "ceiling"]
        self._measured: dict[tuple[Key, str], list[Record]] = defaultdict(list)
        for record in records:
            if record["kind"] == "measure":
                self._measured[(record["peer"], record["sync"]), record["metric"]].append(record)

    def contenders(self, sync: str) -> list[Key]:
        """Return who ran at a durability, Stanchion first."""
        keys = {key for key, _ in self._measured if key[1] == sync}
        return sorted(keys, key=lambda key: (key[0] != OURS, key[0]))

    def rounds(self, key: Key, metric: str) -> list[Record]:
        """Return the rounds to trust: the undisturbed ones, or all if there is none."""
        return trusted(self._measured.get((key, metric), []))

    def median(self, key: Key, metric: str, name: str = "rate") -> float | None:
        """Return the median of one number, or None if it was not measured."""
        values = [record[name] for record in self.rounds(key, metric) if name in record]
        return statistics.median(values) if values else None

    def fastest_peer(self, metric: str) -> tuple[Key, float] | None:
        """Return the peer with the highest median rate at FULL."""
        rates = {key: self.median(key, metric) for key in self.contenders("full") if key[0] != OURS}
        known = {key: rate for key, rate in rates.items() if rate}
        best = max(known, key=lambda key: known[key], default=None)
        return (best, known[best]) if best else None


def trusted(records: Sequence[Record]) -> list[Record]:
    """Return the undisturbed records, or all of them if every one was disturbed."""
    return [record for record in records if record.get("foreign", 0) <= FOREIGN_LIMIT] or list(records)


def render(records: Sequence[Record]) -> str:
    """Return the page."""
    board = Board(records)
    parts: list[Callable[[Board], Iterable[str]]] = [
        _head, _ratios, _rates_at_full, _rates_as_shipped,
        _latency, _idle, _ceilings, _settings, _gives_up, _left_out,
    ]  # fmt: skip
    return "\n".join(line for part in parts for line in part(board)).strip() + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    body = [f"| {' | '.join(row)} |" for row in rows]
    if not body:
        return
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join([' --- '] + [' ---: '] * (len(head) - 1))}|"
    yield from body
    yield ""


def number(value: float | str | None) -> str:
    """Return a value with as many digits as it deserves."""
    if value is None:
        return "-"
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    digits = next((digits for least, digits in _DIGITS if abs(value) >= least), 2)
    return f"{value:,.{digits}f}"


def _with_spread(records: Sequence[Record], name: str = "rate") -> str:
    values = [record[name] for record in records if name in record]
    if not values:
        return "-"
    middle = statistics.median(values)
    spread = f" ±{(max(values) - min(values)) / 2 / middle:.0%}" if len(values) > 1 and middle else ""
    disturbed = "*" if any(record.get("foreign", 0) > FOREIGN_LIMIT for record in records) else ""
    return f"{number(middle)}{spread}{disturbed}"


def _head(board: Board) -> Iterable[str]:
    run, plan = board.run, board.run["plan"]
    yield "# Benchmarks"
    yield ""
    yield (
        "Stanchion and the other job queues on SQLite that are alive, measured in one run on one machine, at "
        "the same durability. Rates are jobs a second: the median of the rounds, then half the distance "
        "between the extremes."
    )
    yield ""
    yield from _table(
        ["what", "value"],
        [
            ["when", run["at"]],
            ["command", f"`{run['command']}` (order of the rounds from seed {run['seed']})"],
            *[[name, value] for name, value in run["machine"].items()],
            ["Python of Stanchion", run["python"]],
            [
                "rounds",
                f"{plan['rounds']}, interleaved: each metric of every contender once, then all of it again",
            ],
            [
                "counts",
                (
                    f"{plan['one']:,} one by one, {plan['concurrent']:,} concurrent, "
                    f"{plan['bulk']:,} in bulk, {plan['drain']:,} drained, {plan['pickups']:,} pickups "
                    "(slow peers fewer)"
                ),
            ],
        ],
    )
    yield (
        f"`*`: in every round, others' processes used more than {FOREIGN_LIMIT:.0%} of the CPU; else only "
        "undisturbed rounds count. Handlers append 24 bytes to a file in memory. A drain is timed from "
        "the first job's start to the last one's."
    )
    yield ""


def _measured_rates(board: Board) -> list[str]:
    return [metric for metric in RATES if metric in board.run["metrics"]]


def _ratios(board: Board) -> Iterable[str]:
    ours: Key = (OURS, "full")
    rows: list[list[str]] = []
    for metric in _measured_rates(board):
        best, rate = board.fastest_peer(metric), board.median(ours, metric)
        if best and rate:
            rows.append(
                [
                    RATES[metric],
                    number(rate),
                    f"{best[0][0]}: {number(best[1])}",
                    f"**{rate / best[1]:.2f}x**",
                ]
            )
    depth, shallow = board.median(ours, "depth"), board.median(ours, "drain")
    if depth and shallow:
        waiting = board.rounds(ours, "depth")[0]["waiting"]
        rows.append(
            [
                f"{waiting:,} waiting against an almost empty queue",
                number(depth),
                number(shallow),
                f"{depth / shallow:.2f}x",
            ]
        )
    if rows:
        yield "## Stanchion against the fastest peer, both at FULL"
        yield ""
        yield from _table(["metric", "Stanchion", "fastest peer", "ratio"], rows)


def _rate_rows(board: Board, sync: str) -> Iterable[list[str]]:
    for key in board.contenders(sync):
        cells = [_with_spread(board.rounds(key, metric)) for metric in _measured_rates(board)]
        settings = [f"`{record['concurrency']}`" for record in board.rounds(key, "drain") if record.get("concurrency")]
        peaks = [record["peak_mib"] for record in board.rounds(key, "drain")]
        ratio = _ratio_of(board, key, "depth", "drain")
        memory = number(statistics.median(peaks)) if peaks else "-"
        yield [key[0], *cells, ratio, settings[0] if settings else "-", memory]


def _ratio_of(board: Board, key: Key, above: str, below: str) -> str:
    upper, lower = board.median(key, above), board.median(key, below)
    if not (upper and lower):
        return "-"
    return f"{upper / lower:.2f} at {board.rounds(key, above)[0]['waiting']:,}"


def _rate_table(board: Board, sync: str) -> Iterable[str]:
    head = ["contender", *(RATES[metric] for metric in _measured_rates(board))]
    head += ["deep / shallow", "drained with", "peak MiB in the drain"]
    return _table(head, _rate_rows(board, sync))


def _rates_at_full(board: Board) -> Iterable[str]:
    yield "## Jobs a second, every contender at synchronous=FULL"
    yield ""
    yield from _rate_table(board, "full")


def _rates_as_shipped(board: Board) -> Iterable[str]:
    if not board.contenders("shipped"):
        return
    yield "## Jobs a second, as shipped, where that is less than FULL"
    yield ""
    yield (
        "After a power cut these may have lost jobs that they had acknowledged. They are here because their "
        "users run them so; they are not compared with."
    )
    yield ""
    yield from _rate_table(board, "shipped")


def _every(board: Board) -> list[Key]:
    return board.contenders("full") + board.contenders("shipped")


def _name(key: Key) -> str:
    return key[0] if key[1] == "full" else f"{key[0]} (as shipped)"


def _latency(board: Board) -> Iterable[str]:
    names = ("p50_ms", "p95_ms", "p99_ms", "max_ms")
    rows = [
        [_name(key), *(_with_spread(rounds, name) for name in names)]
        for key in _every(board)
        if (rounds := board.rounds(key, "latency"))
    ]
    if rows:
        yield "## Pickup by an idle worker in another process, default settings, ms"
        yield ""
        yield from _table(["contender", "p50", "p95", "p99", "max"], rows)


def _idle(board: Board) -> Iterable[str]:
    columns = {
        "worker_cpu_s_per_min": "worker CPU s/min",
        "worker_rss_mib": "worker MiB",
        "worker_processes": "worker processes",
        "server_cpu_s_per_min": "server CPU s/min",
        "server_rss_mib": "server MiB",
    }
    rows = [
        [_name(key), *(_with_spread(rounds, name) for name in columns)]
        for key in _every(board)
        if (rounds := board.rounds(key, "idle"))
    ]
    if rows:
        yield "## What waiting costs"
        yield ""
        yield from _table(["contender", *columns.values()], rows)


def _ceilings(board: Board) -> Iterable[str]:
    if not board.ceilings:
        return
    yield "## What the engine itself allows"
    yield ""
    yield (
        "Bare statements in one loop (apsw, WAL, FULL), in the same run. *Engine* is one plain table; "
        "*statements* are those of Stanchion's own store for the same work, recorded and replayed with "
        "nothing around them."
    )
    yield ""
    groups: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in board.ceilings:
        groups[record["of"], record["act"]].append(record)
    rows: list[list[str]] = []
    for (of, act), records in groups.items():
        if "rate" not in records[0]:
            rows.append([f"{of}: {act}", "-", f"not measured: {records[0]['reason']}"])
            continue
        rate = statistics.median(record["rate"] for record in trusted(records))
        own = [record["own"] for record in trusted(records) if record.get("own")]
        ours = statistics.median(own) if own else None
        if of == "statements" and act in ACTS:
            ours = board.median((OURS, "full"), ACTS[act])
        share = f"{ours / rate:.0%} ({number(ours)})" if ours else "-"
        rows.append([f"{of}: {act}", _with_spread(trusted(records)), share])
    yield from _table(["ceiling", "jobs a second", "Stanchion's share"], rows)


def _settings(board: Board) -> Iterable[str]:
    yield "## Versions, and durability as each one's own connections answer"
    yield ""
    by_peer: dict[str, dict[str, Record]] = defaultdict(dict)
    for record in board.settings:
        by_peer[record["peer"]][record["sync"]] = record
    rows: list[list[str]] = []
    for peer, told in by_peer.items():
        shipped, full = told.get("shipped"), told.get("full")
        either = full or shipped
        assert either is not None
        rows.append(
            [
                peer,
                either["version"],
                either["python"],
                str(either.get("sqlite", "-")),
                str(either.get("journal_mode", "-")),
                LEVELS.get(shipped["synchronous"], "?") if shipped else "-",
                LEVELS.get(full["synchronous"], "?") if full else "-",
                either["producers"],
            ]
        )
    head = [
        "contender",
        "version",
        "Python",
        "SQLite",
        "journal",
        "synchronous as shipped",
        "as measured",
        "producers",
    ]
    yield from _table(head, rows)


def _gives_up(board: Board) -> Iterable[str]:
    told = {record["peer"]: record["gives_up"] for record in board.settings if record["gives_up"]}
    if told:
        yield "## What each peer gives up"
        yield ""
        yield from (f"- **{peer}**: {text}." for peer, text in sorted(told.items()))
        yield ""


def _left_out(board: Board) -> Iterable[str]:
    if board.left_out:
        yield "## Not measured"
        yield ""
        for record in board.left_out:
            what = record.get("metric", "everything")
            yield f"- **{record['peer']}** ({what}): {record['reason'].strip().splitlines()[0]}"
        yield ""
