"""Group commit: what is asked together is stored together; what is asked alone goes at once."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from stanchion.engine.commit import Batcher
from stanchion.stores.sqlite import SqliteStore
from stanchion.stores.sqlite.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion import Stanchion


class Sender:
    """Takes batches; each waits until it is let through."""

    def __init__(self, *, open_: bool = True) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        if open_:
            self.gate.set()

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        await self.gate.wait()
        return [10 * item for item in items]


async def test_calls_made_together_are_one_batch_and_each_gets_its_own_answer() -> None:
    send = Sender()
    batcher = Batcher(send)
    assert await asyncio.gather(*(batcher.put(n) for n in range(50))) == [10 * n for n in range(50)]
    assert send.batches == [list(range(50))]


async def test_while_one_batch_is_in_flight_the_next_gathers() -> None:
    send = Sender(open_=False)
    batcher = Batcher(send)
    first = batcher.put(0)
    await asyncio.sleep(0)
    later = [batcher.put(n) for n in range(1, 11)]
    await asyncio.sleep(0)
    assert send.batches == [[0]]
    send.gate.set()
    await asyncio.gather(first, *later)
    assert send.batches == [[0], list(range(1, 11))]


async def test_calls_one_after_the_other_are_all_sent() -> None:
    send = Sender()
    batcher = Batcher(send)
    async with asyncio.timeout(5):
        assert [await batcher.put(n) for n in range(20)] == [10 * n for n in range(20)]
    assert len(send.batches) == 20


async def test_a_batch_has_a_largest_size_and_keeps_the_order() -> None:
    send = Sender()
    batcher = Batcher(send, max_batch=8)
    await asyncio.gather(*(batcher.put(n) for n in range(20)))
    assert [n for batch in send.batches for n in batch] == list(range(20))
    assert max(map(len, send.batches)) == 8


async def test_a_failure_reaches_all_callers_of_its_batch_and_no_other() -> None:
    async def send(items: Sequence[str]) -> list[str]:
        if "bad" in items:
            message = "refused"
            raise ValueError(message)
        return list(items)

    batcher = Batcher(send)
    answers = await asyncio.gather(batcher.put("bad"), batcher.put("with it"), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["refused", "refused"]
    assert await batcher.put("later") == "later"


async def test_a_caller_that_gave_up_holds_nobody_up() -> None:
    send = Sender(open_=False)
    batcher = Batcher(send)
    left, stays = batcher.put(1), batcher.put(2)
    await asyncio.sleep(0)
    left.cancel()
    send.gate.set()
    assert await stays == 20
    await batcher.flush()


async def ask(batcher: Batcher[int, int], item: int) -> int:
    return await (batcher.alone(item) if batcher.lone() else batcher.put(item))


async def test_a_task_that_asks_by_itself_sends_without_waiting_for_others() -> None:
    send = Sender()
    batcher = Batcher(send)
    assert await ask(batcher, 1) == 10
    turns = 0

    def turned() -> None:
        nonlocal turns
        turns += 1

    for item in (2, 3):
        asyncio.get_running_loop().call_soon(turned)
        assert await ask(batcher, item) == 10 * item
    assert turns == 0
    assert send.batches == [[1], [2], [3]]


async def test_what_is_asked_while_one_is_sent_alone_goes_down_together_after_it() -> None:
    send = Sender()
    batcher = Batcher(send)
    await ask(batcher, 0)
    assert batcher.lone()
    send.gate.clear()
    alone = asyncio.ensure_future(batcher.alone(1))
    await asyncio.sleep(0)
    others = [asyncio.ensure_future(ask(batcher, n)) for n in range(2, 5)]
    await asyncio.sleep(0)
    assert send.batches == [[0], [1]]
    send.gate.set()
    assert await asyncio.gather(alone, *others) == [10, 20, 30, 40]
    assert send.batches == [[0], [1], [2, 3, 4]]


@pytest.mark.parametrize("how", ["cancelled", "failed"])
async def test_one_that_was_sent_alone_and_ends_badly_holds_nobody_up(how: str) -> None:
    gate, batches = asyncio.Event(), list[list[int]]()

    async def send(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        if items[0] == 1:
            await gate.wait()
            raise ValueError(how)
        return [10 * item for item in items]

    batcher = Batcher(send)
    await ask(batcher, 0)
    assert batcher.lone()
    alone = asyncio.ensure_future(batcher.alone(1))
    await asyncio.sleep(0)
    other = asyncio.ensure_future(ask(batcher, 2))
    await asyncio.sleep(0)
    if how == "cancelled":
        alone.cancel()
    gate.set()
    assert await other == 20
    with pytest.raises(asyncio.CancelledError if how == "cancelled" else ValueError):
        await alone
    await batcher.flush()
    assert batches == [[0], [1], [2]]


@pytest.fixture
async def store(filed: Stanchion) -> SqliteStore:
    store = (await filed.open()).store
    assert isinstance(store, SqliteStore)
    return store


async def test_a_hundred_concurrent_enqueues_take_few_commits(filed: Stanchion, store: SqliteStore) -> None:
    @filed.task
    async def idle(n: int) -> None: ...

    before = store.commits
    jobs = await asyncio.gather(*(idle.enqueue(n) for n in range(100)))
    assert len({job.id for job in jobs}) == 100
    assert store.commits - before <= 5


async def test_a_bulk_enqueue_is_one_commit(filed: Stanchion, store: SqliteStore) -> None:
    @filed.task
    async def idle(n: int) -> None: ...

    before = store.commits
    await idle.enqueue_many({"n": n} for n in range(5_000))
    assert store.commits == before + 1


async def test_enqueues_one_after_the_other_are_durable_each(filed: Stanchion, store: SqliteStore) -> None:
    @filed.task
    async def idle() -> None: ...

    before = store.commits
    for count in range(1, 6):
        await idle.enqueue()
        assert store.commits == before + count


@pytest.mark.parametrize("fast", [True, False])
async def test_a_lone_commit_runs_here_on_a_fast_disk_and_beside_the_loop_on_a_slow_one(
    filed: Stanchion, store: SqliteStore, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    @filed.task
    async def idle() -> None: ...

    threads: list[str] = []
    transaction = Writer._transaction

    def seen(self: Writer, operations: Any) -> Any:
        threads.append(threading.current_thread().name)
        return transaction(self, operations)

    await idle.enqueue()  # the lane is there
    monkeypatch.setattr(Writer, "_transaction", seen)
    monkeypatch.setattr(store._writing, "_speed", 0.0 if fast else 1.0)
    await idle.enqueue()
    assert threads == [threading.current_thread().name if fast else "stanchion-writer"]


async def test_settlements_ride_in_claims(filed: Stanchion, store: SqliteStore) -> None:
    @filed.task
    async def idle(n: int) -> None: ...

    await idle.enqueue_many({"n": n} for n in range(200))
    before = store.commits
    await filed.run_worker(slots=10, burst=True)
    stats = await filed.queue("default").stats()
    assert stats.counts["completed"] == 200  # type: ignore[index]
    assert store.commits - before < 80
