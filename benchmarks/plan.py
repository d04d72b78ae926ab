"""How much is measured: counts, rounds and patience, in full and for a smoke run."""

from dataclasses import dataclass

METRICS = ("one", "concurrent", "bulk", "drain", "drain2", "depth", "latency", "idle", "ceiling")
QUICK_METRICS = ("one", "concurrent", "bulk", "drain", "latency")
QUICK_PEERS = ("stanchion", "huey", "litequeue")
MEASURED_DEPTH = 10_000


@dataclass(frozen=True)
class Plan:
    """The counts of one run.

    Attributes:
        one: Jobs enqueued one by one.
        concurrent: Jobs enqueued by the concurrent producers.
        bulk: Jobs of one bulk enqueue.
        drain: Jobs waiting for the drains.
        depth: At most so many jobs waiting for the depth measurement.
        pickups: Jobs sent to an idle worker, one gap apart.
        idle: Seconds for which an idle worker is watched.
        calm: Seconds to wait at most for a quiet machine before a measurement.
        patience: Seconds after which a drain is given up.
        rounds: How often everything is repeated.
        tune: Whether each setting of `concurrency` is tried first.
    """

    one: int = 3_000
    concurrent: int = 10_000
    bulk: int = 10_000
    drain: int = 10_000
    depth: int = 1_000_000
    pickups: int = 300
    idle: float = 15.0
    calm: float = 10.0
    patience: float = 180.0
    rounds: int = 3
    tune: bool = True


QUICK = Plan(
    one=200, concurrent=400, bulk=1_000, drain=400, depth=2_000, pickups=20,
    idle=2.0, calm=0.0, patience=20.0, rounds=1, tune=False,
)  # fmt: skip
