"""Many jobs at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.server.world import BASE, World

if TYPE_CHECKING:
    from httpx import AsyncClient

JOBS = BASE + "/jobs"


def orc(**fields: Any) -> dict[str, Any]:
    return {"task": "sprite", "args": {"prompt": "orc"}, **fields}


async def test_each_item_has_its_own_answer_in_order(client: AsyncClient) -> None:
    items = [
        orc(custom_id="a"),
        orc(custom_id="b", nope=1),
        {"task": "nope", "custom_id": "c"},
        orc(priority=99),
        orc(),
        5,
    ]
    answer = await client.post(f"{JOBS}/bulk", json={"jobs": items})
    body = answer.json()
    assert answer.status_code == 200
    assert (body["created"], body["joined"], body["refused"]) == (2, 0, 4)
    assert ["job" in item for item in body["items"]] == [True, False, False, False, True, False]
    assert [item.get("custom_id") for item in body["items"]] == ["a", None, "c", None, None, None]
    assert body["items"][1]["problem"]["errors"][0]["pointer"] == "/jobs/1/nope"
    assert body["items"][2]["problem"]["code"] == "unknown_task"
    assert body["items"][3]["problem"]["errors"][0]["pointer"] == "/jobs/3/priority"
    assert len((await client.get(JOBS)).json()["items"]) == 2


async def test_arguments_that_do_not_fit_are_named_by_item(client: AsyncClient) -> None:
    answer = await client.post(f"{JOBS}/bulk", json={"jobs": [orc(), orc(args={"prompt": 5})]})
    assert answer.json()["items"][1]["problem"]["errors"][0]["pointer"].startswith("/jobs/1/args")


async def test_atomic_stores_all_or_none(client: AsyncClient) -> None:
    for bad in ({"task": "nope"}, orc(nope=1), orc(args={})):
        refused = await client.post(f"{JOBS}/bulk", json={"jobs": [orc(), bad, orc()], "atomic": True})
        assert refused.status_code == 422, bad
        assert refused.json()["errors"]
        assert (await client.get(JOBS)).json()["items"] == []
    stored = await client.post(f"{JOBS}/bulk", json={"jobs": [orc(), orc()], "atomic": True})
    assert (stored.status_code, stored.json()["created"]) == (200, 2)


async def test_items_may_have_idempotency_keys(client: AsyncClient) -> None:
    body = {"jobs": [orc(idempotency_key="k"), orc(idempotency_key="k"), orc(idempotency_key="k", user="eve")]}
    first = (await client.post(f"{JOBS}/bulk", json=body)).json()
    assert (first["created"], first["joined"], first["refused"]) == (1, 1, 1)
    assert [item.get("status", 201) for item in first["items"]] == [201, 200, 422]


async def test_bulk_is_bounded(client: AsyncClient) -> None:
    assert (await client.post(f"{JOBS}/bulk", json={"jobs": []})).status_code == 422
    assert (await client.post(f"{JOBS}/bulk", json={"jobs": [orc()] * 10_001})).status_code == 422


async def test_many_are_cancelled_by_id_or_filter(world: World, client: AsyncClient) -> None:
    ids = [(await client.post(JOBS, json=orc(tags=["x"] if n < 2 else []))).json()["id"] for n in range(5)]
    assert (await client.post(f"{JOBS}/cancel", json={"ids": ids[:1]})).json() == {"count": 1}
    assert (await client.post(f"{JOBS}/cancel", json={"ids": ids[:1]})).json() == {"count": 0}
    assert (await client.post(f"{JOBS}/cancel", json={"filter": {"tag": "x"}})).json() == {"count": 1}
    await world.claim()
    assert (await client.post(f"{JOBS}/cancel", json={"filter": {"queue": "images"}})).json() == {"count": 3}
    states = [job["state"] for job in (await client.get(JOBS)).json()["items"]]
    assert sorted(states) == ["cancelled"] * 4 + ["running"]


async def test_many_are_retried_by_filter(world: World, client: AsyncClient) -> None:
    for _ in range(3):
        await client.post(JOBS, json=orc())
    for lease in await world.claim(3):
        await world.fail(lease)
    assert (await client.post(f"{JOBS}/retry", json={"filter": {"state": ["completed"]}})).status_code == 422
    assert (await client.post(f"{JOBS}/retry", json={"filter": {"queue": "images"}})).json() == {"count": 3}
    assert {job["state"] for job in (await client.get(JOBS)).json()["items"]} == {"queued"}


async def test_an_empty_or_double_choice_is_refused(client: AsyncClient) -> None:
    for body in ({}, {"filter": {}}, {"ids": ["0" * 36], "filter": {"queue": "x"}}, {"ids": []}):
        assert (await client.post(f"{JOBS}/cancel", json=body)).status_code == 422, body
    assert (await client.post(f"{JOBS}/cancel", json={"filter": {"older_than": 5}})).status_code == 422


async def test_a_queue_is_cleaned_of_ended_jobs(world: World, client: AsyncClient) -> None:
    for _ in range(4):
        await client.post(JOBS, json=orc())
    leases = await world.claim(3)
    await world.complete(leases[0])
    await world.fail(leases[1])
    clean = f"{BASE}/queues/images/clean"
    assert (await client.post(clean, json={"older_than": 3600})).json() == {"count": 0}
    assert (await client.post(clean, json={"states": ["running"]})).status_code == 422
    assert (await client.post(clean, json={"states": ["failed"]})).json() == {"count": 1}
    assert (await client.post(clean, json={"older_than": 0})).json() == {"count": 1}
    assert len((await client.get(JOBS)).json()["items"]) == 2
