"""Late writes: whatever a worker writes after its lease was lost is refused, and changes nothing at all."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from stanchion.domain.outcome import Cancelled, Completed, Failed, Lost, Released, Snoozed
from stanchion.engine.maintain import rescue
from stanchion.store import CostNote, LogNote, Noted, PreviewNote, ProgressNote, StepNote
from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import BOOM, LEASE_FOR, WANT, add, artifact, chunk, ended, join, new, take
from tests.faults.checker import History, audit
from tests.faults.scale import sized

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from stanchion.domain.job import Lease
    from tests.clock import FakeClock

JOBS = sized(300, 1_000)
ENDINGS = (Completed(b"2"), Failed(BOOM), Released(), Snoozed(5), Lost(), Cancelled())
NOTES = (
    ProgressNote(9, 9),
    PreviewNote(b"late", "image/png"),
    chunk("late"),
    artifact("ff"),
    LogNote("info", "late"),
    StepNote("late", b"1"),
    CostNote("1", "USD"),
)


@pytest.fixture
async def store(tmp_path: Path, clock: FakeClock) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(tmp_path / "t.db", clock=clock, ballast=0)
    await made.open()
    yield made
    await made.close()


def dump(path: Path) -> dict[str, list[Any]]:
    """Return every row of every table."""
    with closing(apsw.Connection(str(path))) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: sorted(db.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}


async def attack(store: SqliteStore, worker: int, late: list[Lease]) -> int:
    """Write everything that a zombie may write; return how much was refused."""
    refused = 0
    for number in range(0, len(late), 50):
        group = late[number : number + 50]
        for ending in ENDINGS:
            answers = await store.settle([ended(lease, ending) for lease in group])
            refused += answers.count(False)
        for note in NOTES:
            answers = await store.note([Noted(lease.ref, lease.attempt, note) for lease in group])
            refused += answers.count(False)
        answers, claimed = await store.claim(worker, WANT, [ended(lease) for lease in group])
        assert claimed.leases == ()
        refused += answers.count(False)
    return refused


@pytest.mark.parametrize("since", ["queued", "running", "completed"])
async def test_every_late_write_is_refused_and_changes_nothing(
    store: SqliteStore, clock: FakeClock, since: str, tell: Callable[[str], Any]
) -> None:
    zombie = await join(store, "zombie")
    for _ in range(0, JOBS, 50):
        await add(store, *(new() for _ in range(50)))
    late: list[Lease] = []
    while leases := await take(store, zombie):
        late += leases
    await store.note([Noted(lease.ref, lease.attempt, chunk("mine")) for lease in late])
    clock.pass_(LEASE_FOR + 1)
    while found := await store.overdue(100):
        assert await rescue(store, found, "it fell silent") == len(found)
    if since != "queued":
        heir = await join(store, "heir")
        taken: list[Lease] = []
        while leases := await take(store, heir):
            taken += leases
        assert len(taken) == len(late)
        if since == "completed":
            assert all(await store.settle([ended(lease) for lease in taken]))

    before = dump(store.path)
    refused = await attack(store, zombie, late)
    (beat,) = await store.beat([zombie], LEASE_FOR)
    assert not beat.alive
    assert beat.held == ()
    assert await store.held(zombie) == ()
    assert dump(store.path) == before
    assert refused == len(late) * (len(ENDINGS) + len(NOTES) + 1)
    assert audit(History(store.path)) == []
    tell(f"{refused} late writes, {refused} refused, 0 rows changed")


async def test_a_beat_of_the_lost_revives_nothing(store: SqliteStore, clock: FakeClock) -> None:
    """M6: renewing must not give a lease back that another has, nor keep the old one from being taken."""
    await add(store)
    zombie = await join(store, "zombie")
    (old,) = await take(store, zombie)
    clock.pass_(LEASE_FOR + 1)
    await rescue(store, await store.overdue(10), "it fell silent")
    (late,) = await store.beat([zombie], LEASE_FOR)
    assert not late.alive
    heir = await join(store, "heir")
    (lease,) = await take(store, heir)
    (late, live) = await store.beat([zombie, heir], LEASE_FOR)
    assert (late.alive, live.alive) == (False, True)
    assert [(item.ref, item.attempt) for item in live.held] == [(lease.ref, old.attempt + 1)]


async def test_a_reaper_that_read_long_ago_takes_nothing_from_the_heir(store: SqliteStore, clock: FakeClock) -> None:
    """M3: between a reaper's look and its deed the job was lost, leased again and runs with another worker."""
    await add(store)
    await take(store, await join(store, "first"))
    clock.pass_(LEASE_FOR + 1)
    slow = await store.overdue(10)
    await rescue(store, await store.overdue(10), "it fell silent")
    heir = await join(store, "heir")
    (lease,) = await take(store, heir)
    assert await rescue(store, slow, "it fell silent") == 0
    assert await store.settle([ended(lease)]) == [True]
    assert audit(History(store.path)) == []


async def test_attempts_are_counted_before_the_handler_starts(store: SqliteStore, clock: FakeClock) -> None:
    """M4: a worker that dies before it says anything has used up an attempt all the same."""
    (job,) = await add(store)
    for number in (1, 2, 3):
        worker = await join(store, f"w{number}")
        (lease,) = await take(store, worker)
        assert lease.attempt == number
        (seen,) = await store.inspect([job])
        assert seen is not None
        assert (seen.attempt, seen.crashes) == (number, number - 1)
        await rescue(store, await store.leave([worker], lost=True), "it died")
    (seen,) = await store.inspect([job])
    assert seen is not None
    assert seen.state == "failed"
    assert seen.error is not None
    assert "quarantined" in seen.error.message
    assert audit(History(store.path)) == []
