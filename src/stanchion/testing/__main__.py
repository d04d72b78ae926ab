"""`python -m stanchion.testing`: print the tables of the documentation as Markdown."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING

from stanchion.testing import tables, warm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def main() -> None:
    """Print all tables, or the one that is named."""
    parts: dict[str, Callable[[Sequence[int]], list[str]]] = {
        "fairness": tables.fairness,
        "affinity": tables.affinity,
        "eta": tables.foresight,
        "cold": tables.first_words,
    }
    parser = argparse.ArgumentParser(prog="python -m stanchion.testing", description=main.__doc__)
    parser.add_argument("table", nargs="?", choices=parts, help="only this one")
    parser.add_argument("--seed", type=int, default=1, help="the first seed (1)")
    parser.add_argument("--runs", type=int, default=20, help="how many seeds, one after the other (20)")
    parser.add_argument("--store", choices=["memory", "sqlite"], help="play it on this store's own line, too")
    given = parser.parse_args()
    if given.store is not None and given.table not in ("affinity", "fairness"):
        parser.error("--store goes with fairness and affinity: python -m stanchion.testing affinity --store sqlite")
    parts["fairness"] = partial(tables.fairness, store=given.store)
    seeds = range(given.seed, given.seed + given.runs)
    if given.store is not None and given.table == "affinity":
        lines = warm.affinity(seeds, store=given.store)
        sys.stdout.write(
            f"**affinity on {given.store}**, seeds {seeds[0]} to {seeds[-1]}\n\n" + "\n".join(lines) + "\n"
        )
        return
    for name in [given.table] if given.table else parts:
        sys.stdout.write(f"**{name}**, seeds {seeds[0]} to {seeds[-1]}\n\n" + "\n".join(parts[name](seeds)) + "\n\n")


if __name__ == "__main__":
    main()
