"""F21: a reader that holds its snapshot makes the log grow; when it ends, the log is bounded again."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from stanchion.stores.sqlite import SqliteStore, connection, wal
from tests.conformance.helpers import add, new
from tests.faults.checker import History, audit
from tests.faults.scale import sized

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


async def test_the_log_is_bounded_once_a_held_reader_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tell: Callable[[str], Any]
) -> None:
    limit = 1 << 20
    monkeypatch.setattr(wal, "CHECKPOINT_PAGES", 64)
    monkeypatch.setattr(connection, "TRUNCATE_BYTES", limit)
    store = SqliteStore(tmp_path / "t.db", ballast=0)
    await store.open()
    log = tmp_path / "t.db-wal"

    async def churn(count: int) -> None:
        for _ in range(count):
            await add(store, new(args=b'{"text":"%s"}' % (b"x" * 4_000)))

    with closing(apsw.Connection(str(store.path))) as held:
        held.execute("BEGIN")
        held.execute("SELECT count(*) FROM jobs").fetchone()
        await churn(sized(150, 1_500))
        grown = log.stat().st_size
    await churn(100)
    bounded = log.stat().st_size
    tell(f"log {grown / 2**20:.1f} MB while a reader was held, {bounded / 2**20:.1f} MB after")
    assert grown > 2 * limit
    assert bounded <= limit
    await store.close()
    assert audit(History(store.path)) == []
