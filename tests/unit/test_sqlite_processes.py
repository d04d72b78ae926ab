"""What one process remembers of the file while another one changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import add, join, new, take

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clock import FakeClock

P = "provider:p"


async def opened(path: Path, clock: FakeClock) -> SqliteStore:
    store = SqliteStore(path / "t.db", clock=clock, ballast=0, synchronous="off")
    await store.open()
    return store


async def test_a_key_that_is_parked_again_is_parked_for_a_process_that_came_between(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = await opened(tmp_path, clock)
    await first.park(P, 500)
    assert not await take(first, await join(first))  # it knows of the park
    clock.pass_(501)
    second = await opened(tmp_path, clock)
    worker = await join(second, "second")
    assert not await take(second, worker)  # it has read the rules: nothing is parked
    await first.park(P, 500)
    await add(first, new(limits=((P, 1),)))
    assert not await take(second, worker)
    await first.close()
    await second.close()


async def test_what_waited_for_a_park_starts_in_a_process_that_came_after_it(tmp_path: Path, clock: FakeClock) -> None:
    first = await opened(tmp_path, clock)
    await first.park(P, 500)
    await add(first, new(limits=((P, 1),)))
    assert not await take(first, await join(first))
    await first.close()
    clock.pass_(501)
    second = await opened(tmp_path, clock)
    assert len(await take(second, await join(second, "second"))) == 1
    await second.close()
