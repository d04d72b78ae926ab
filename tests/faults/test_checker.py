"""The judge is judged: each kind of damage, put into a healthy file by hand, is named."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import apsw
import pytest

from stanchion.domain.outcome import Completed, Failed, Released
from stanchion.store import Noted, ProgressNote
from stanchion.stores.sqlite import SqliteStore
from tests.conformance.helpers import BOOM, WANT, add, ended, join, new, take
from tests.faults.checker import History, Told, audit, judge
from tests.faults.effects import Effect

if TYPE_CHECKING:
    from pathlib import Path

DAMAGES = {
    "I1: completed more than once": "UPDATE events SET state = 5 WHERE seq = 2 AND version = 3",
    "I2: attempt 2 was leased while 1": "DELETE FROM events WHERE seq = 2 AND version = 3; UPDATE events SET version ="
    " version - 1 WHERE seq = 2 AND version > 3; UPDATE jobs SET version = version - 1 WHERE seq = 2",
    "I2: attempt 3 follows 1": "UPDATE events SET attempt = 3 WHERE seq = 2 AND attempt = 2; UPDATE jobs SET"
    " attempt = 3 WHERE seq = 2",
    "I3: a write of attempt 1": "UPDATE events SET attempt = 1 WHERE seq = 2 AND state = 5",
    "I7: a result without": "INSERT OR REPLACE INTO results (seq, result) VALUES (3, x'31')",
    "I8: spent": "UPDATE jobs SET crashes = 4 WHERE seq = 2",
    "I11: versions": "DELETE FROM events WHERE seq = 2 AND version = 2",
    "I11: the last event": "UPDATE jobs SET state = 6 WHERE seq = 2",
    "I11: events are not in commit order": "UPDATE events SET at = at + 9 WHERE seq = 2 AND version = 1",
    "I12: something happened after": "UPDATE events SET state = 7 WHERE seq = 2 AND version = 3",
    "I21: lane": "UPDATE lanes SET n5 = n5 + 1",
    "I21: 1 orphan rows in payloads": "INSERT INTO payloads (seq, args) VALUES (99, x'')",
    "I21: 1 live rows": "UPDATE live SET seq = 3",
    "I21: state 3": "UPDATE jobs SET worker = NULL WHERE state = 3",
}


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    """Job 1 runs with progress; job 2 was released and then completed; job 3 waits."""
    store = SqliteStore(tmp_path / "t.db", ballast=0)
    await store.open()
    worker = await join(store)
    await add(store, new(), new())
    first, second = await take(store, worker)
    await store.settle([ended(second, Released())])
    (second,) = await take(store, worker, WANT._replace(limit=1))
    await store.note([Noted(first.ref, first.attempt, ProgressNote(1, 2))])
    await store.settle([ended(second, Completed(b"2"))])
    (failing,) = await add(store)
    (lease,) = await take(store, worker)
    assert lease.id == failing
    await store.settle([ended(lease, Failed(BOOM))])
    await store.close()
    return store.path


def edit(file: Path, text: str) -> None:
    with closing(apsw.Connection(str(file))) as db:
        db.execute(text)


def test_a_healthy_file_has_no_faults(file: Path) -> None:
    assert audit(History(file)) == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_is_named(file: Path, damage: str) -> None:
    edit(file, DAMAGES[damage])
    wrong = audit(History(file))
    assert any(damage in text for text in wrong), wrong


def test_a_run_is_judged_by_what_clients_and_handlers_saw(file: Path) -> None:
    history = History(file)
    ids = {job.seq: job.id for job in history.jobs.values()}
    at = history.events[2][-1].at - history.offset
    done = [Effect("S", ids[2], 2, 7, 1, at), Effect("E", ids[2], 2, 7, 1, at)]
    told = Told(set(ids.values()), set(ids.values()))
    only = ["I1: job 1 has not ended (3)", f"I1: job 3 has not ended ({history.jobs[3].state})"]
    assert judge(history, told, done) == only
    lost = judge(history, Told({"x", *ids.values()}, {"x", *ids.values()}), done)
    assert "I1: acknowledged job x is lost" in lost
    assert any("never asked for" in text for text in judge(history, Told((), ()), done))
    assert any("started twice" in text for text in judge(history, told, [*done, done[0]]))
    assert any("without a lease" in text for text in judge(history, told, [*done, Effect("S", ids[2], 9, 7, 1, at)]))
    assert any("not leased" in text for text in judge(history, told, [done[0]._replace(pid=8, parent=9), done[1]]))
    assert any("before its lease" in text for text in judge(history, told, [done[0]._replace(at=at - 500), done[1]]))
    assert any("never ended" in text for text in judge(history, told, done[:1]))
