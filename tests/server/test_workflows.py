"""A workflow over HTTP: how far it is, and which jobs wait for which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.server.world import BASE, World

if TYPE_CHECKING:
    from httpx import AsyncClient


async def enqueue(client: AsyncClient, **fields: Any) -> str:
    body = {"task": "sprite", "args": {"prompt": "orc"}, "workflow": "trio", **fields}
    answer = await client.post(f"{BASE}/jobs", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_a_workflow_tells_how_far_it_is_and_which_job_waits_for_which(world: World, client: AsyncClient) -> None:
    first, second = await enqueue(client), await enqueue(client)
    last = await enqueue(client, depends_on=[first, second])
    found = (await client.get(f"{BASE}/workflows/trio")).json()
    assert (found["id"], found["total"], found["ended"], found["more"]) == ("trio", 3, 0, False)
    assert (found["counts"]["queued"], found["counts"]["blocked"]) == (2, 1)
    assert sorted((edge["parent"], edge["child"]) for edge in found["edges"]) == [(first, last), (second, last)]
    for lease in await world.claim(2):
        await world.complete(lease)
    found = (await client.get(f"{BASE}/workflows/trio")).json()
    assert (found["ended"], found["counts"]["completed"], found["counts"]["queued"]) == (2, 2, 1)


async def test_a_workflow_that_is_not_there_is_not_found(client: AsyncClient) -> None:
    for name in ("nothing", "x" * 300):
        assert (await client.get(f"{BASE}/workflows/{name}")).status_code == 404
