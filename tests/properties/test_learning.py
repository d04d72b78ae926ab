"""However rounds of learning interleave, each attempt is learned once, and both stores learn the same."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

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
    from stanchion.store import Lesson, Store

OUTCOMES: Final = {
    "completed": Completed(b"1"),
    "failed": Failed(BOOM),
    "cancelled": Cancelled(),
    "lost": Lost("x"),
    "released": Released("x"),
    "snoozed": Snoozed(5),
}
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.sampled_from(list(OUTCOMES)), st.integers(0, 900)),
        st.tuples(st.just("ask"), st.integers(0, 2)),
        st.tuples(st.just("read"), st.integers(0, 2), st.integers(1, 9)),
        st.tuples(st.just("write"), st.integers(0, 2)),
        st.tuples(st.just("pass"), st.integers(1, 90_000)),
    ),
    max_size=40,
)


async def play(store: Store, clock: FakeClock, steps: list[tuple[str, ...]]) -> tuple[Counter[Work], Durations]:
    """Play a history with three learners, then learn what is left; answer what ran, and what was learned."""
    await store.open()
    worker = await join(store)
    truth: Counter[Work] = Counter()
    lessons: dict[int, tuple[Lesson, Durations]] = {}
    size = 0

    for kind, *given_ in steps:
        match kind, given_:
            case "run", [str(outcome), int(took)]:
                size = size % 3 + 1
                await store.enqueue([new(size=float(size))])
                for lease in await take(store, worker):
                    clock.pass_(took)
                    (work,) = {one.work for one in (await store.outlook([lease.id])).jobs.values()}
                    truth[work] += outcome in {"completed", "failed"}
                    assert await store.settle([ended(lease, OUTCOMES[outcome])]) == [True]
            case "ask", [int(_)]:
                await store.enqueue([new()])
                for lease in await take(store, worker):
                    await store.cancel([lease.id])
                    assert await store.settle([ended(lease)]) == [True]
            case "read", [int(who), int(limit)]:
                lessons[who] = await store.lessons(limit), await store.durations()
            case "write", [int(who)] if who in lessons:
                await write(store, clock, *lessons.pop(who))
            case "pass", [int(time)]:
                clock.pass_(time)
                await store.maintain(KEEP._replace(completed=10**12, failed=10**12, cancelled=10**12), 100)
    return +truth, await learned(store, clock)


async def write(store: Store, clock: FakeClock, lesson: Lesson, known: Durations) -> bool:
    """End a round of learning that read these."""
    after = known.learned(lesson.ended, clock.at)
    return await store.learn(lesson.since, lesson.upto, {one.work: after.seen[one.work] for one in lesson.ended})


async def learned(store: Store, clock: FakeClock) -> Durations:
    """Learn what is left."""
    while (lesson := await store.lessons(7)).upto != lesson.since:
        assert await write(store, clock, lesson, await store.durations())
    return await store.durations()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_each_attempt_is_learned_once_in_both_stores(steps: list[tuple[str, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clocks = FakeClock(), FakeClock()
        file = SqliteStore(Path(folder) / "t.db", clock=clocks[1], synchronous="off", ballast=0)
        stores: tuple[tuple[Store, FakeClock], ...] = ((MemoryStore(clocks[0]), clocks[0]), (file, clocks[1]))
        for store, clock in stores:

            async def history(store: Store = store, clock: FakeClock = clock) -> tuple[Counter[Work], Durations]:
                try:
                    return await play(store, clock, steps)
                finally:
                    await store.close()

            truth, known = asyncio.run(history())
            assert known.seen.keys() == truth.keys()
            for work, count in truth.items():
                # Not exactly: what is old weighs a little less.
                assert known.seen[work].took.weight(known.now) == pytest.approx(count, rel=0.05)
