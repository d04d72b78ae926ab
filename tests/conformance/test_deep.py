"""Positions in a line too deep to be counted each time: they follow every change, whoever made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanchion.domain.outcome import Released
from stanchion.domain.policy import Retention
from stanchion.stores.sqlite import ranks
from tests.conformance.helpers import WANT, add, fail, finish, join, new, take

if TYPE_CHECKING:
    from stanchion.store import Store
    from tests.clock import FakeClock


@pytest.fixture(autouse=True)
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "DEEP", 4)


async def positions(store: Store, ids: list[str]) -> list[int | None]:
    """Ask for all at once and for each alone; both must be the same."""
    together = [place.position if place else None for place in await store.position(ids)]
    alone = [place.position for job_id in ids for place in await store.position([job_id]) if place]
    assert together == alone
    return together


async def test_positions_follow_what_comes_and_goes(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    failed = await fail(store, new())
    ids = await add(store, *[new() for _ in range(12)])
    assert await positions(store, ids) == list(range(1, 13))
    await store.cancel([ids[3], ids[7]])
    (lease,) = await take(store, worker, WANT._replace(limit=1))
    assert await positions(store, ids) == [0, 1, 2, None, 3, 4, 5, None, 6, 7, 8, 9]
    await finish(store, lease, Released())
    assert await positions(store, ids[:3]) == [1, 2, 3]
    await store.retry([failed])
    assert await positions(store, [failed, *ids[:3]]) == [1, 2, 3, 4]
    ids += await add(store, new(delay=500))
    clock.at += 600
    await store.maintain(Retention(), 100)
    assert await positions(store, ids[-2:]) == [11, 12]


async def test_positions_follow_a_change_of_priority(store: Store) -> None:
    await join(store)
    ids = await add(store, *[new() for _ in range(8)])
    assert await positions(store, ids) == list(range(1, 9))
    await store.amend(ids[4:6], priority=1)
    assert await positions(store, ids) == [3, 4, 5, 6, 1, 2, 7, 8]
    await store.amend([ids[5]], priority=5)
    assert await positions(store, ids) == [2, 3, 4, 5, 1, 6, 7, 8]


async def test_positions_are_right_after_history_is_gone(store: Store) -> None:
    worker = await join(store)
    ids = await add(store, *[new() for _ in range(9)])
    assert await positions(store, ids[6:]) == [7, 8, 9]
    for lease in await take(store, worker, WANT._replace(limit=2)):
        await finish(store, lease)
    await store.erase(ids[:2])
    assert await positions(store, ids[2:]) == list(range(1, 8))


async def test_positions_are_right_when_the_line_has_become_short_and_deep_again(store: Store) -> None:
    worker = await join(store)
    ids = await add(store, *[new() for _ in range(6)])
    assert await positions(store, ids) == [1, 2, 3, 4, 5, 6]
    await take(store, worker, WANT._replace(limit=5))
    assert await positions(store, ids[5:]) == [1]
    ids += await add(store, *[new() for _ in range(6)])
    assert await positions(store, ids[5:]) == [1, 2, 3, 4, 5, 6, 7]
