"""However rounds of learning interleave, each attempt is learned once, and both stores learn the same."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stanchion.domain.outcome import Cancelled, Completed, Failed, Lost, Released, Snoozed
from stanchion.stores.memory import MemoryStore
from stanchion.stores.sqlite import SqliteStore
from tests.clock import FakeClock
from tests.conformance.helpers import BOOM, KEEP, ended, join, new, take

if TYPE_CHECKING:
    from stanchion.domain.estimates import Durations, Work
    from stanchion.domain.outcome import Outcome
    from stanchion.store import Lesson, Store

FOREVER: Final = KEEP._replace(completed=10**12, failed=10**12, cancelled=10**12)
OUTCOMES: Final[dict[str, Outcome]] = {
    "completed": Completed(b"1"),
    "failed": Failed(BOOM),
    "cancelled": Cancelled(),
    "lost": Lost("x"),
    "released": Released("x"),
    "snoozed": Snoozed(5),
}


class Step(NamedTuple):
    """One step of a history: which, by whom of three learners, and a number."""

    what: str
    who: int
    number: int
    outcome: str


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["run", "run", "run cancelled", "read", "read", "write", "write", "pass"]),
        st.integers(0, 2),
        st.integers(1, 900),
        st.sampled_from(list(OUTCOMES)),
    ),
    min_size=15,
    max_size=40,
)


class History:
    """A store, a worker, and three who learn in rounds that interleave."""

    def __init__(self, store: Store, clock: FakeClock) -> None:
        self.store, self.clock = store, clock
        self.truth: Counter[Work] = Counter()
        self.lessons: dict[int, Lesson] = {}
        self.worker = 0

    async def play(self, steps: list[Step]) -> Durations:
        """Play the steps, then learn what is left."""
        await self.store.open()
        try:
            self.worker = await join(self.store)
            for step in steps:
                await self.step(step)
            return await learned(self.store, self.clock)
        finally:
            await self.store.close()

    async def step(self, step: Step) -> None:
        if step.what.startswith("run"):
            await self.run(step, cancel=step.what == "run cancelled")
        elif step.what == "read":
            self.lessons[step.who] = await self.store.lessons(step.number % 30 + 1)
        elif step.what == "write" and self.lessons:
            who = sorted(self.lessons)[step.who % len(self.lessons)]
            await write(self.store, self.clock, self.lessons.pop(who))
        elif step.what == "pass":
            self.clock.pass_(step.number * 100)
            await self.store.maintain(FOREVER, 100)

    async def run(self, step: Step, *, cancel: bool) -> None:
        """Run all that waits, and one job more."""
        await self.store.enqueue([new(size=float(step.number % 3 + 1))])
        for lease in await take(self.store, self.worker):
            asked = (await self.store.outlook([lease.id])).jobs[lease.id]
            self.clock.pass_(step.number)
            if cancel:
                await self.store.cancel([lease.id])
            elif step.outcome in {"completed", "failed"}:
                self.truth[asked.work] += 1
            assert await self.store.settle([ended(lease, OUTCOMES[step.outcome])]) == [True]


async def write(store: Store, clock: FakeClock, lesson: Lesson) -> bool:
    """End a round of learning, as `engine.learning.learn` does."""
    after = (await store.durations()).learned(lesson.ended, clock.at)
    return await store.learn(lesson.since, lesson.upto, {one.work: after.seen[one.work] for one in lesson.ended})


async def learned(store: Store, clock: FakeClock) -> Durations:
    """Learn what is left."""
    while (lesson := await store.lessons(7)).upto != lesson.since:
        assert await write(store, clock, lesson)
    return await store.durations()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_each_attempt_is_learned_once_in_both_stores(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clocks = FakeClock(), FakeClock()
        file = SqliteStore(Path(folder) / "t.db", clock=clocks[1], synchronous="off", ballast=0)
        for history in (History(MemoryStore(clocks[0]), clocks[0]), History(file, clocks[1])):
            known = asyncio.run(history.play(steps))
            assert known.seen.keys() == history.truth.keys()
            for work, count in history.truth.items():
                # Not exactly: what is old weighs a little less.
                assert known.seen[work].took.weight(known.now) == pytest.approx(count, rel=0.05)
