"""An app in a folder of its own; warnings of the library reach the tests."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest

from stanchion import Stanchion

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the machine's own settings takes part."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("STANCHION_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(logging.getLogger("stanchion"), "propagate", True)
    return tmp_path


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Stanchion]:
    """An app on the model store; opened on first use, as users do."""
    made = Stanchion("memory://", artifacts=str(tmp_path / "artifacts"))
    yield made
    await made.close()


@pytest.fixture
async def filed(tmp_path: Path) -> AsyncIterator[Stanchion]:
    """An app on a file."""
    made = Stanchion(f"sqlite:///{tmp_path}/jobs.db")
    yield made
    await made.close()
