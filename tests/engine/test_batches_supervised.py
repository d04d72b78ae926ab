"""A job that kills its worker, in one call with others: it alone is set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from stanchion import JobFailedError, Stanchion
from stanchion.entry import load_app
from tests.engine.helpers import outcomes
from tests.engine.test_supervisor import supervised

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TASKS = """
import os
from stanchion import Batch, Items, Stanchion

app = Stanchion("sqlite:///jobs.db")

@app.task(batch=Batch(max_size=4))
async def paint(n: int) -> int:
    if n == 2:
        os._exit(9)
    return n

@paint.together
async def several(items: Items) -> list[int]:
    if any(item.args["n"] == 2 for item in items):
        os._exit(9)
    return [item.args["n"] for item in items]
"""


pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
async def app(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stanchion]:
    name = f"children_{uuid4().hex}"
    (folder / f"{name}.py").write_text(TASKS)
    monkeypatch.syspath_prepend(str(folder))
    async with load_app(f"{name}:app") as made:
        yield made


async def test_a_poisonous_job_costs_its_mates_one_attempt_and_is_set_aside_alone(app: Stanchion) -> None:
    jobs = await app.tasks["paint"].enqueue_many([{"n": n} for n in range(4)])
    async with supervised(app):
        for n in (0, 1, 3):
            assert await jobs[n].result(40) == n
        with pytest.raises(JobFailedError, match="quarantined"):
            await jobs[2].result(40)
    assert await outcomes(app, jobs[2]) == ["lost", "lost", "lost"]
    for n in (0, 1, 3):
        found = await outcomes(app, jobs[n])
        assert (found[0], found[-1]) == ("lost", "completed")
        assert found.count("lost") <= 2
