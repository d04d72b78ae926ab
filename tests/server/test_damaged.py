"""What a store keeps and nobody can read is shown as absent; it breaks no answer and no list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.server.world import BASE

if TYPE_CHECKING:
    from httpx import AsyncClient

    from stanchion.domain.job import Job
    from tests.server.world import World

JOBS = f"{BASE}/jobs"


def cut_off(job: Job, field: str) -> Job:
    damaged = b'{"cut off'
    match field:
        case "args":
            return replace(job, args=damaged)
        case "metadata":
            return replace(job, metadata=damaged)
        case _:
            return replace(job, result=damaged)


@pytest.mark.parametrize("field", ["args", "metadata", "result"])
async def test_a_field_that_cannot_be_read_breaks_neither_its_job_nor_a_list(
    world: World, client: AsyncClient, field: str
) -> None:
    body = {"task": "sprite", "args": {"prompt": "orc"}}
    ids = [(await client.post(JOBS, json=body)).json()["id"] for _ in range(2)]
    for lease in await world.claim(2):
        await world.complete(lease, "done")
    tables = world.store._tables
    tables.put(cut_off(tables.jobs[tables.refs[ids[0]]], field))
    assert {item["id"] for item in (await client.get(JOBS)).json()["items"]} == set(ids)
    shown = await client.get(f"{JOBS}/{ids[0]}")
    assert shown.status_code == 200
    assert shown.json()[field] in (None, {})
    assert (await client.get(f"{JOBS}/{ids[1]}")).json()["result"] == "done"
