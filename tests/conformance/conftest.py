"""The `store` fixture: every test here is a promise that each store keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from stanchion.store import Store
    from tests.clock import FakeClock


def make_store(kind: str, path: Path, clock: FakeClock) -> Store:
    if kind == "sqlite":
        from stanchion.stores.sqlite import SqliteStore

        return SqliteStore(path / "t.db", clock=clock)
    from stanchion.stores.memory import MemoryStore

    return MemoryStore(clock)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Store]:
    made = make_store(request.param, tmp_path, clock)
    await made.open()
    yield made
    await made.close()
