"""How much is done, and from which seed: `STANCHION_FAULTS=ci|full`, `STANCHION_SEED=…`."""

from __future__ import annotations

import os
import random
import secrets
from typing import Final, TypeVar

T = TypeVar("T")

FULL: Final = os.environ.get("STANCHION_FAULTS", "ci") == "full"
SEED: Final = int(os.environ.get("STANCHION_SEED") or secrets.randbelow(1 << 31))
IN_CI: Final = bool(os.environ.get("CI"))


def sized(ci: T, full: T) -> T:
    """Return the size for this run."""
    return full if FULL else ci


def chance(name: str) -> random.Random:
    """Return a source of chance of its own for each test, from the seed of the run."""
    return random.Random(f"{SEED}/{name}")


def cannot(reason: str) -> str:
    """Return a reason to skip; on CI, where everything must run, it is a failure."""
    if IN_CI:
        raise AssertionError(f"must run on CI, but: {reason}")
    return f"SKIPPED, NOT PROVED: {reason}"
