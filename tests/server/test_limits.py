"""Limits and tenants over HTTP: for operators only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.server.world import BASE, World

if TYPE_CHECKING:
    from httpx import AsyncClient

ORC = {"task": "sprite", "args": {"prompt": "orc"}}


async def test_a_limit_is_set_shown_in_force_and_removed(world: World, client: AsyncClient) -> None:
    found = await client.put(f"{BASE}/limits", json={"key": "queue:images", "running": 1})
    assert found.status_code == 200
    assert found.json()["items"] == [
        {
            "key": "queue:images",
            "running": 1,
            "starts": None,
            "period": None,
            "burst": None,
            "refuse": None,
            "warn": None,
            "used": 0,
            "waiting": 0,
            "parked_until": None,
        }
    ]
    ids = [(await client.post(f"{BASE}/jobs", json=ORC)).json()["id"] for _ in range(3)]
    assert len(await world.claim()) == 1
    assert not await world.claim()
    (limit,) = (await client.get(f"{BASE}/limits")).json()["items"]
    assert (limit["used"], limit["waiting"]) == (1, 2)
    job = (await client.get(f"{BASE}/jobs/{ids[2]}")).json()
    assert (job["position"], job["waiting_on"]) == (None, {"reason": "limit", "key": "queue:images", "until": None})
    assert (await client.post(f"{BASE}/limits/drop", json={"key": "queue:images"})).json()["items"] == []
    assert (await client.post(f"{BASE}/limits/drop", json={"key": "queue:images"})).status_code == 404
    assert len(await world.claim()) + len(await world.claim()) == 2


async def test_a_key_is_parked_until_a_time(world: World, client: AsyncClient) -> None:
    job_id = (await client.post(f"{BASE}/jobs", json=ORC)).json()["id"]
    (limit,) = (await client.post(f"{BASE}/limits/park", json={"key": "task:sprite", "seconds": 60})).json()["items"]
    assert await world.claim() == []
    waits: dict[str, Any] = (await client.get(f"{BASE}/jobs/{job_id}")).json()["waiting_on"]
    assert waits == {"reason": "provider_parked", "key": "task:sprite", "until": limit["parked_until"]}


async def test_what_cannot_be_a_limit_is_refused(client: AsyncClient) -> None:
    for body in ({"key": "acme", "running": 1}, {"key": "tenant:a"}, {"key": "tenant:a", "running": -1}):
        assert (await client.put(f"{BASE}/limits", json=body)).status_code in {400, 422}


async def test_tenants_are_listed_and_set(client: AsyncClient) -> None:
    found = await client.put(f"{BASE}/tenants", json={"name": "acme", "weight": 4})
    none = {"blocked": 0, "scheduled": 0, "queued": 0, "running": 0, "retrying": 0}
    acme = {"name": "acme", "weight": 4, "top_priority": 0, "set": True, "counts": none}
    assert found.json() == {"items": [acme], "more": 0}
    assert (await client.get(f"{BASE}/tenants")).json() == found.json()
    assert (await client.put(f"{BASE}/tenants", json={"name": "acme", "weight": 0})).status_code == 422


async def test_tenants_are_listed_with_their_unfinished_jobs_whether_they_have_a_policy_or_not(
    world: World, client: AsyncClient
) -> None:
    await client.put(f"{BASE}/tenants", json={"name": "idle", "weight": 2})
    for tenant in ("studio", "studio", "hobby"):
        await client.post(f"{BASE}/jobs", json=ORC | {"tenant": tenant})
    (lease,) = await world.claim()
    found = {one["name"]: one for one in (await client.get(f"{BASE}/tenants")).json()["items"]}
    assert sorted(found) == ["hobby", "idle", "studio"]
    assert [found[name]["set"] for name in sorted(found)] == [False, True, False]
    assert sum(one["counts"]["running"] for one in found.values()) == 1
    assert sum(one["counts"]["queued"] for one in found.values()) == 2
    await world.complete(lease)
    found = {one["name"]: one for one in (await client.get(f"{BASE}/tenants")).json()["items"]}
    assert sum(one["counts"]["running"] for one in found.values()) == 0
