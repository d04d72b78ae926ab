"""F5: a handler that blocks the event loop, or holds the interpreter, for longer than the lease runs once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.faults import effects
from tests.faults.checker import History, audit
from tests.faults.running import ended, put, starts
from tests.faults.scale import sized
from tests.faults.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stanchion.stores.sqlite import SqliteStore

LEASE = 1_000
MS = sized(7_500, 30_000)


@pytest.mark.timeout(120)
async def test_a_blocked_process_keeps_its_lease_and_is_said_to_be_unresponsive(
    store: SqliteStore, tmp_path: Path, tell: Callable[[str], Any]
) -> None:
    ids = [
        *await put(store, "block", f'{{"how":"loop","ms":{MS}}}'),
        *await put(store, "block", f'{{"how":"gil","ms":{MS}}}'),
    ]
    with Tree(tmp_path, processes=2, slots=1, lease=f"{LEASE},250") as tree:
        await ended(store, ids, MS / 1000 + 30)
        unresponsive = tree.logged("unresponsive")
        assert tree.stop() == 0
    times = {(one.id, one.kind): one.at for one in effects.read(tmp_path / "effects")}
    gaps = [times[key, "E"] - times[key, "S"] for key in ids]
    tell(f"blocked for {gaps} ms with a lease of {LEASE} ms, {unresponsive} said to be unresponsive, 0 second runs")
    assert min(gaps) > 5 * LEASE
    assert [starts(tmp_path, key) for key in ids] == [[1], [1]]
    assert {(job.state, job.attempt) for job in await store.inspect(ids) if job is not None} == {("completed", 1)}
    assert unresponsive == 2
    assert audit(History(store.path)) == []
