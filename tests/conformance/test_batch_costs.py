"""What the jobs of a group are charged: together the time that the group ran, not each the whole of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain.batches import Batching
from tests.conformance.helpers import WANT, add, ended, join, new, take

if TYPE_CHECKING:
    from stanchion.store import Store
    from tests.clock import FakeClock

ONE = WANT._replace(limit=1)


async def test_a_group_is_charged_the_time_that_it_ran_once(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await add(store, *[new(tenant="a", size=100.0, batch="k") for _ in range(5)])
    await add(store, *[new(tenant="b") for _ in range(20)])
    leases = await take(store, worker, ONE._replace(batches={"t": Batching(4)}))
    assert [lease.tenant for lease in leases] == ["a"] * 4
    clock.pass_(8_000)
    await store.settle([ended(lease) for lease in leases])
    order = "".join([lease.tenant for _ in range(15) for lease in await take(store, worker, ONE)])
    assert order == "bbbbbbbbabbbbbb", "8 s of a's group count as much as 8 jobs that count 1"
