"""The command line: `python -m benchmarks --help`."""

import argparse
import dataclasses
import itertools
import os
import shlex
import sys
import tempfile
from pathlib import Path

from benchmarks import environments, report
from benchmarks.arena import default_work
from benchmarks.contenders import HERE, OURS, Peer, all_peers
from benchmarks.plan import METRICS, QUICK, QUICK_METRICS, QUICK_PEERS, Plan
from benchmarks.run import Contest, Results, say

_PATHS = {"--out", "--work"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny counts, one round, under a minute: does it run?")
    parser.add_argument("--only", metavar="PEERS", help="comma-separated names; see --list")
    parser.add_argument("--metric", metavar="METRICS", help=f"comma-separated, of {', '.join(METRICS)}")
    parser.add_argument("--rounds", type=int, help="how often everything is repeated (default 3)")
    parser.add_argument("--seed", type=int, default=1, help="decides the order within each round (default 1)")
    parser.add_argument("--out", type=Path, default=HERE / "results", help="where results.jsonl and benchmarks.md go")
    parser.add_argument("--work", type=Path, help="where databases go: a real disk (default: beside this program)")
    parser.add_argument("--full-only", action="store_true", help="leave out the peers as they ship")
    parser.add_argument("--depth", type=int, help="at most so many jobs wait in the depth measurement")
    parser.add_argument("--calm", type=float, help="seconds to wait at most for a quiet machine (default 10)")
    parser.add_argument("--list", action="store_true", help="print the peers and stop")
    parser.add_argument("--install", action="store_true", help="make the peers' environments and stop")
    parser.add_argument("--lock", action="store_true", help="lock the newest releases and stop")
    parser.add_argument("--report", type=Path, metavar="FILE", help="print the report of a results file and stop")
    return parser


def main() -> int:
    """Run what the command line asks for and return the exit code."""
    options = _parser().parse_args()
    peers = _chosen(options)
    if options.list:
        print("\n".join(peer.name for peer in peers))
    elif options.report:
        print(report.render(report.load(options.report)))
    elif options.lock or options.install:
        return _prepare(peers, lock=options.lock)
    else:
        return _measure(options, peers)
    return 0


def _chosen(options: argparse.Namespace) -> list[Peer]:
    peers = all_peers()
    names: list[str] = options.only.split(",") if options.only else list(QUICK_PEERS) if options.quick else []
    unknown = set(names) - {peer.name for peer in peers}
    if unknown:
        raise SystemExit(f"no such peer: {', '.join(sorted(unknown))}; --list shows them")
    return [peer for peer in peers if not names or peer.name in names]


def _prepare(peers: list[Peer], *, lock: bool) -> int:
    code = 0
    for peer in peers:
        try:
            environments.lock(peer) if lock else environments.ensure(peer)
            say(f"{peer.name}: {'locked' if lock else 'installed'}")
        except environments.UnavailableError as error:
            say(f"{peer.name}: {error}")
            code = 1
    return code


def _measure(options: argparse.Namespace, peers: list[Peer]) -> int:
    plan = QUICK if options.quick else Plan()
    changed = {name: getattr(options, name) for name in ("rounds", "depth", "calm")}
    plan = dataclasses.replace(plan, **{name: value for name, value in changed.items() if value is not None})
    chosen = options.metric.split(",") if options.metric else QUICK_METRICS if options.quick else METRICS
    if set(chosen) - set(METRICS):
        raise SystemExit(f"no such metric: {', '.join(sorted(set(chosen) - set(METRICS)))}; of {', '.join(METRICS)}")
    if options.work:
        options.work.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="run-", dir=options.work)) if options.work else default_work()
    contest = Contest(
        peers=peers,
        chosen=chosen,
        plan=plan,
        seed=options.seed,
        shipped=not (options.full_only or options.quick),
        command=_command(),
    )
    results = Results(options.out / "results.jsonl")
    contest.run(results, work)
    text = report.render(results.records)
    page = options.out / "benchmarks.md"
    page.write_text(text, encoding="utf-8")
    print(f"\n{text}")
    say(f"wrote {os.path.relpath(results.path)} and {os.path.relpath(page)}")
    ours = [record for record in results.records if record.get("peer") == OURS]
    return int(any(record["kind"] in {"failed", "left_out"} for record in ours))


def _command() -> str:
    """Return the command line for the report, without where files go: that is this machine's own."""
    kept: list[str] = []
    for before, argument in itertools.pairwise(["", *sys.argv[1:]]):
        if before not in _PATHS and argument.partition("=")[0] not in _PATHS:
            kept.append(argument)
    return shlex.join(["python", "-m", "benchmarks", *kept])


if __name__ == "__main__":
    raise SystemExit(main())
