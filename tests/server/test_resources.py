"""Resources over HTTP: for operators only; workers show what they have and hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.helpers import LEASE_FOR, WANT, info, new
from tests.server.world import BASE, World

if TYPE_CHECKING:
    from httpx import AsyncClient


async def test_a_resource_is_shared_shown_and_dropped(client: AsyncClient) -> None:
    found = await client.put(f"{BASE}/resources", json={"name": "slots", "capacity": 2})
    assert found.status_code == 200
    assert found.json() == {
        "items": [{"name": "slots", "capacity": 2, "used": 0, "waiting": 0, "shared": True}],
    }  # fmt: skip
    assert (await client.get(f"{BASE}/resources")).json() == found.json()
    assert (await client.post(f"{BASE}/resources/drop", json={"name": "slots"})).json() == {"items": []}
    assert (await client.post(f"{BASE}/resources/drop", json={"name": "slots"})).status_code == 404


async def test_what_cannot_be_a_shared_resource_is_refused(client: AsyncClient) -> None:
    for body in ({"name": "gpu:0", "capacity": 1}, {"name": "a b", "capacity": 1}, {"name": "a", "capacity": -1}):
        assert (await client.put(f"{BASE}/resources", json=body)).status_code in {400, 422}


async def test_a_worker_shows_what_it_has_and_holds_and_a_job_what_it_waits_for(
    world: World, client: AsyncClient
) -> None:
    store = world.app.store
    worker = await store.register(info("rich", resources={"gpu:0": 1, "vram_gb": 9}), LEASE_FOR)
    jobs = [new(resources=(("gpu", 1), ("vram_gb", 4))) for _ in range(2)]
    await store.enqueue(jobs)
    await store.claim(worker, WANT)
    rows = (await client.get(f"{BASE}/workers")).json()["items"]
    (row,) = [row for row in rows if row["incarnation"] == "rich"]
    assert row["resources"] == {"gpu:0": 1, "vram_gb": 9}
    assert row["holds"] == {"gpu:0": 1, "vram_gb": 4}
    job = (await client.get(f"{BASE}/jobs/{jobs[1].id}")).json()
    assert job["waiting_on"] == {"reason": "resource", "key": "resource:gpu", "until": None}
