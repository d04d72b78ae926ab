"""What processes and transactions share, and what one of them remembers while another changes the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain.dependency import Dependency
from stanchion.domain.job import State
from stanchion.domain.limits import Limit
from stanchion.stores.sqlite import SqliteStore
from stanchion.stores.sqlite.claim import claim
from stanchion.stores.sqlite.enqueue import enqueue
from tests.conformance.helpers import WANT, add, join, new, new_id, states, take

if TYPE_CHECKING:
    from pathlib import Path

    from stanchion.stores.sqlite.writer import Tx
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


async def test_a_refused_batch_takes_no_child_of_another_operation_with_it(tmp_path: Path, clock: FakeClock) -> None:
    store = await opened(tmp_path, clock)
    worker = await join(store)
    (parent,) = await add(store, new(expires_in=500))
    (child,) = await add(store, new(depends_on=(Dependency(parent),)))
    clock.pass_(501)
    refused = [new(), new(depends_on=(Dependency(new_id()),))]

    def together(tx: Tx) -> None:  # as when both wait for the same transaction
        claim(tx, store._lanes, worker, WANT)
        enqueue(tx, store._lanes, refused, atomic=True)

    await store._write(together)
    assert await states(store, parent, child) == [State.FAILED, State.FAILED]
    await store.close()


async def test_claims_that_share_a_transaction_share_no_job(tmp_path: Path, clock: FakeClock) -> None:
    store = await opened(tmp_path, clock)
    workers = [await join(store, name) for name in ("a", "b", "c")]
    ids = await add(store, *[new() for _ in range(4)])
    many = (1, 1, 5)

    def together(tx: Tx) -> list[str]:
        wants = [WANT._replace(limit=limit) for limit in many]
        claims = [claim(tx, store._lanes, *pair) for pair in zip(workers, wants, strict=True)]
        return [lease.id for claimed in claims for lease in claimed.leases]

    assert await store._write(together) == ids
    await store.close()


async def test_a_job_that_cannot_be_read_holds_nothing_of_a_limit(tmp_path: Path, clock: FakeClock) -> None:
    store = await opened(tmp_path, clock)
    worker = await join(store)
    await store.configure_limit(Limit(P, running=1))
    ids = await add(store, *[new(limits=((P, 1),), tags=("red",)) for _ in range(2)])
    await store._write(lambda tx: tx.db.execute("UPDATE payloads SET tags = '{' WHERE seq = 1"))
    leases = await take(store, worker)
    assert [lease.id for lease in leases or await take(store, worker)] == ids[1:]
    (state,) = await store.limits()
    assert state.used == 1
    await store.close()
