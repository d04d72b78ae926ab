"""Random histories of the cache's levels against what they are to mean: a dict of entries, and a clock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stanchion.domain.cache import CacheSum, Entry, Selection, Use
from stanchion.engine.cache import Levels, MemoryCache
from stanchion.stores.memory import MemoryStore
from tests.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.cache import Cache

MOST = 4_000
keys = st.sampled_from([bytes([number]) for number in range(5)])
some_keys = st.lists(keys, min_size=1, max_size=4)


class Breakable:
    """A level that fails as long as it is told to."""

    def __init__(self, level: Cache) -> None:
        self.level, self.name, self.broken = level, level.name, False

    def _checked(self) -> Cache:
        if self.broken:
            raise OSError
        return self.level

    async def get(self, keys: Sequence[bytes]) -> list[Entry | None]:
        return await self._checked().get(keys)

    async def put(self, entries: Sequence[Entry]) -> None:
        await self._checked().put(entries)

    async def touch(self, uses: Sequence[Use]) -> None:
        await self._checked().touch(uses)

    async def purge(self, wanted: Selection) -> int:
        return await self._checked().purge(wanted)

    async def stats(self, tenant: str | None = None) -> list[CacheSum]:
        return await self._checked().stats(tenant)


class TwoLevels(RuleBasedStateMachine):
    """Memory above the store; the model is what was put into the store and not dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.runner, self.clock = asyncio.Runner(), FakeClock()
        self.near = MemoryCache(MOST, self.clock)
        self.far = MemoryStore(self.clock).cache
        self.tops, self.bottoms = Breakable(self.near), Breakable(self.far)
        self.levels = Levels([self.tops, self.bottoms], self.clock, pause=0.0)
        self.model: dict[bytes, Entry] = {}
        self.hits: dict[bytes, int] = {}
        self.purged = 0
        self.made = 0

    def teardown(self) -> None:
        self.runner.run(self.levels.close())
        self.runner.close()

    def living(self, key: bytes) -> Entry | None:
        entry = self.model.get(key)
        return entry if entry is not None and entry.until > self.clock.at else None

    @rule(key=keys, ttl=st.integers(1, 50), size=st.integers(0, 550), tenant=st.sampled_from("de"))
    def a_job_completes(self, key: bytes, ttl: int, size: int, tenant: str) -> None:
        """The settle writes the last level; a nearer one may still have the result before."""
        self.made += 1
        entry = Entry(key, tenant, "t", self.made, b"x" * size, (), self.clock.at, self.clock.at + ttl)
        self.runner.run(self.far.put([entry]))
        self.runner.run(self.levels.fill(key))
        self.model[key], self.hits[key] = entry, 0
        if self.tops.broken or self.bottoms.broken:
            self.runner.run(self.near.purge(Selection()))  # the store's last word, which look-ups alone do not have

    @rule(asked=some_keys)
    def look(self, asked: list[bytes]) -> None:
        found = self.runner.run(self.levels.look(asked))
        for key, entry in zip(asked, found, strict=True):
            if not self.bottoms.broken:
                assert entry == self.living(key)
            else:
                assert entry in (None, self.living(key))

    @rule(asked=some_keys)
    def use(self, asked: list[bytes]) -> None:
        async def told() -> None:
            for key in asked:
                self.levels.told(key, hit=True)
            await self.levels.flush()

        self.runner.run(told())
        for key in asked if not self.bottoms.broken else ():
            if key in self.model:
                self.hits[key] += 1

    @precondition(lambda self: not self.tops.broken and not self.bottoms.broken)
    @rule(tenant=st.sampled_from([None, "d"]), age=st.sampled_from([None, 0, 10]))
    def purge(self, tenant: str | None, age: int | None) -> None:
        wanted = Selection(tenant, None, None if age is None else self.clock.at - age)
        gone = [key for key, entry in self.model.items() if wanted.holds(entry)]
        assert self.runner.run(self.levels.purge(wanted)) == len(gone)
        for key in gone:
            del self.model[key], self.hits[key]
        assert self.runner.run(self.levels.look(gone)) == [None] * len(gone)

    @rule(time=st.integers(1, 30))
    def pass_time(self, time: int) -> None:
        self.clock.pass_(time)

    @rule(near=st.booleans(), far=st.sampled_from([False, False, True]))
    def levels_break_and_mend(self, *, near: bool, far: bool) -> None:
        self.tops.broken, self.bottoms.broken = near, far

    @invariant()
    def memory_stays_within_its_bound(self) -> None:
        assert self.near.bytes <= MOST
        assert len(self.near) <= 5

    def hits_of(self, keys: list[bytes]) -> int:
        return sum(self.hits[key] for key in keys)

    @invariant()
    def the_last_level_holds_the_model(self) -> None:
        sums = self.runner.run(self.far.stats())
        expected = [
            CacheSum(
                tenant, "t", len(own), sum(self.model[key].size for key in own), sum(self.hits[key] for key in own)
            )
            for tenant in "de"
            if (own := [key for key, entry in self.model.items() if entry.tenant == tenant])
        ]
        assert sums == expected


TestTwoLevels = TwoLevels.TestCase
TestTwoLevels.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
