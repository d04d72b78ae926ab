"""Who takes part: one folder of `peers/` each, described by its `peer.toml`."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"
OURS = "stanchion"


@dataclass(frozen=True)
class Peer:
    """What a `peer.toml` says.

    Attributes:
        packages: What is installed into its environment; empty for Stanchion, which runs in ours.
        package: The distribution whose version is shown.
        python: The oldest Python that its newest release runs on.
        producers: What the concurrent producers are.
        worker: The worker's command; `{concurrency}` stands for one entry of `concurrency`.
        default_worker: The worker as a user starts it, for pickup latency and idle cost.
        default: The `concurrency` entry that is the library's own default.
        server: The server's command, if there is one to pay for.
        workers: How many worker processes it allows on one database.
        setup: Whether `producer.py setup` must make the schema first.
        bulk: Whether it has a call that enqueues many.
        depth: How many jobs wait in the depth measurement; 0 leaves it out.
        enqueues: At most so many jobs one by one and concurrently (slow peers say less).
        drains: At most so many jobs in a drain.
        pickups: At most so many pickups.
        ready: Seconds after which an idle worker is surely waiting.
        gives_up: What it does not promise that Stanchion does, or costs that a number does not show.
    """

    name: str
    home: Path
    packages: list[str]
    package: str
    worker: list[str]
    producers: str
    python: str = "3.11"
    default_worker: list[str] = field(default_factory=list[str])
    concurrency: list[str] = field(default_factory=lambda: [""])
    default: str | None = None
    server: list[str] = field(default_factory=list[str])
    workers: int = 2
    setup: bool = False
    bulk: bool = True
    depth: int = 0
    enqueues: int = 1_000_000
    drains: int = 1_000_000
    pickups: int = 1_000_000
    ready: float = 3.0
    gives_up: str = ""

    @property
    def ours(self) -> bool:
        """Whether this is Stanchion itself."""
        return self.name == OURS

    @property
    def requirements(self) -> Path:
        """The locked requirements of its environment."""
        return HERE / f"requirements-{self.name}.txt"


@dataclass(frozen=True)
class Contender:
    """One peer at one durability, in one environment."""

    peer: Peer
    sync: str
    python: Path

    @property
    def label(self) -> str:
        """The peer's name, and its durability where it is not FULL."""
        return self.peer.name if self.sync == "full" else f"{self.peer.name} ({self.sync})"


def all_peers() -> list[Peer]:
    """Return every peer, Stanchion first."""
    peers = [_read(path.parent) for path in sorted(PEERS.glob("*/peer.toml"))]
    return sorted(peers, key=lambda peer: not peer.ours)


def _read(home: Path) -> Peer:
    told: dict[str, Any] = tomllib.loads((home / "peer.toml").read_text(encoding="utf-8"))
    return Peer(name=home.name, home=home, **told)
