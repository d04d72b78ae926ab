"""A server over the model, in this process and on a loopback port."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.server.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path / "artifacts")
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as made:
        yield made
