"""The chaos itself: clients ask, trees of workers run, and a seeded hand kills and freezes them all the while."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, NamedTuple

from stanchion.domain.job import FINAL
from stanchion.stores.sqlite import SqliteStore
from tests.faults.checker import Told, told_by
from tests.faults.effects import since_boot
from tests.faults.trees import Tree, python, tell, until, workers

if TYPE_CHECKING:
    import random
    import subprocess
    from pathlib import Path


class Plan(NamedTuple):
    """How much of everything."""

    jobs: int
    kills: int
    freezes: int
    every: float
    """Seconds between kills, on average."""
    clients: int = 2
    trees: int = 2
    lease: int = 1_000


class Client:
    """A client process that repeats itself when it is killed."""

    def __init__(self, folder: Path, number: int, count: int, pause: float, seed: str) -> None:
        self.log = folder / f"client-{number}"
        self.log.touch()
        self._file, self._first, self._count = folder / "t.db", number * 1_000_000, count
        self._pause, self._seed = pause, seed
        self._folder = folder
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        done = len(self.told.acknowledged)
        words = (self._file, self.log, self._first + done, self._count - done, self._pause, self._seed)
        return python("-m", "tests.faults.client", *words, log=self._folder / "clients.log")

    @property
    def told(self) -> Told:
        return told_by(self.log.read_text().splitlines())

    def kill(self) -> int:
        """Kill it and start it again; return how many of its calls then had no answer."""
        self.process.kill()
        self.process.wait()
        unknown = self.told.unknown
        self.process = self._start()
        return unknown


class Chaos:
    """One run; what was done to it is counted."""

    def __init__(self, folder: Path, plan: Plan, rng: random.Random) -> None:
        self.folder, self.plan, self.rng = folder, plan, rng
        lease = f"{plan.lease},{plan.lease // 4}"
        self.store = SqliteStore(folder / "t.db")
        self.trees = [Tree(folder, lease=lease) for _ in range(plan.trees)]
        pause = plan.every * plan.kills * plan.clients / plan.jobs
        share = plan.jobs // plan.clients
        self.clients = [Client(folder, i, share, pause, str(rng.random())) for i in range(plan.clients)]
        self.kills: list[tuple[int, int]] = []
        self.tree_kills = self.client_kills = self.unknown = self.frozen_children = self.frozen_trees = 0
        self._frozen: set[int] = set()

    async def run(self) -> None:
        """Run until every job has ended and the trees have stopped."""
        await self.store.open()
        try:
            freezing = asyncio.create_task(self._freeze_all())
            while self.done < self.plan.kills:
                await asyncio.sleep(self.plan.every * self.rng.uniform(0.5, 1.5))
                await self._strike()
            await freezing
            await until("all clients done", self._clients_done, 60)
            await until("all jobs ended", self._all_ended, 60, 0.1)
            await until("all trees up", self._all_up, 30)
            codes = [tree.stop() for tree in self.trees]
            assert codes == [0] * len(codes), codes
        finally:
            for client in self.clients:
                client.process.kill()
            for tree in self.trees:
                tree.kill()
            await self.store.close()

    @property
    def done(self) -> int:
        """How many processes or trees were killed."""
        return len(self.kills) + self.tree_kills + self.client_kills

    async def _strike(self) -> None:
        chance = self.rng.random()
        free = [tree for tree in self.trees if not tree.frozen]
        if chance < 0.1:
            client = self.rng.choice(self.clients)
            if client.process.poll() is None:
                self.unknown += client.kill()
                self.client_kills += 1
        elif chance < 0.15 and len(free) > 1:
            tree = self.rng.choice(free)
            tree.kill()
            tree.start()
            self.tree_kills += 1
        else:
            found = await workers(self.store, busy=True)
            pids = [row.info.pid for row in found if row.info.pid not in self._frozen]
            if pids:
                pid = self.rng.choice(pids)
                tell([pid], signal.SIGKILL)
                self.kills.append((pid, since_boot()))

    async def _freeze_all(self) -> None:
        """Freeze what works, for longer than its lease: two whole trees for each single child."""
        await asyncio.sleep(1.0)
        for number in range(self.plan.freezes):
            tree = self.trees[number % len(self.trees)]
            await until("a busy tree to freeze", lambda tree=tree: self._busy(tree), 30)
            if number % 3 == 2:
                await self._freeze_child(tree)
            else:
                await self._freeze_tree(tree)

    async def _busy(self, tree: Tree) -> bool:
        return bool(await workers(self.store, busy=True, among=tree.below))

    async def _freeze_tree(self, tree: Tree) -> None:
        tree.freeze()
        self._frozen |= set(tree.below)
        self.frozen_trees += 1
        await asyncio.sleep(self.plan.lease / 1000 * 1.6)
        tell(tree.below, signal.SIGCONT)
        await asyncio.sleep(0.4)
        tree.thaw()
        self._frozen.clear()

    async def _freeze_child(self, tree: Tree) -> None:
        found = await workers(self.store, busy=True, among=tree.below)
        for row in found[:1]:
            self._frozen.add(row.info.pid)
            tell([row.info.pid], signal.SIGSTOP)
            self.frozen_children += 1
            await asyncio.sleep(self.plan.lease / 1000 * 1.6)
            tell([row.info.pid], signal.SIGCONT)
        self._frozen.clear()

    async def _clients_done(self) -> bool:
        return all(client.process.poll() == 0 for client in self.clients)

    async def _all_ended(self) -> bool:
        counts = [queue.counts for queue in await self.store.stats()]
        return sum(sum(count for state, count in one.items() if state in FINAL) for one in counts) >= self.expected

    async def _all_up(self) -> bool:
        return all([await workers(self.store, among=tree.below) for tree in self.trees])

    @property
    def expected(self) -> int:
        """How many jobs the clients asked for."""
        return self.plan.jobs // self.plan.clients * self.plan.clients

    @property
    def told(self) -> Told:
        """What all clients asked and were told."""
        told = [client.told for client in self.clients]
        return Told({key for one in told for key in one.invoked}, {key for one in told for key in one.acknowledged})
