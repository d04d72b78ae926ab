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


async def test_an_item_may_depend_on_others_by_their_custom_ids(world: World, client: AsyncClient) -> None:
    first, second = {"custom_id": "first"}, {"custom_id": "second", "policy": "continue"}
    items = [
        orc(custom_id="last", depends_on=[first, second]),
        orc(custom_id="second", depends_on=[first], idempotency_key="k"),
        orc(custom_id="first", idempotency_key="l"),
    ]
    body = (await client.post(f"{JOBS}/bulk", json={"jobs": items, "atomic": True})).json()
    ids = {item["custom_id"]: item["job"]["id"] for item in body["items"]}
    last = (await client.get(f"{JOBS}/{ids['last']}")).json()
    assert [(one["id"], one["policy"]) for one in last["parents"]] == [
        (ids["first"], "fail"),
        (ids["second"], "continue"),
    ]
    assert [item["job"]["state"] for item in body["items"]] == ["blocked", "blocked", "queued"]
    again = (await client.post(f"{JOBS}/bulk", json={"jobs": items})).json()
    assert (again["created"], again["joined"], again["refused"]) == (1, 2, 0)
    newest = (await client.get(f"{JOBS}/{again['items'][0]['job']['id']}")).json()
    assert [one["id"] for one in newest["parents"]] == [ids["first"], ids["second"]]
    (lease,) = await world.claim()
    assert lease.id == ids["first"]


async def test_a_custom_id_that_names_no_one_job_is_refused_with_its_place(client: AsyncClient) -> None:
    items = [
        orc(custom_id="twice"),
        orc(custom_id="twice"),
        orc(depends_on=[{"custom_id": "twice"}]),
        orc(depends_on=[{"custom_id": "nobody"}]),
        orc(depends_on=[{"policy": "skip"}]),
        orc(custom_id="self", depends_on=[{"custom_id": "self"}]),
        orc(custom_id="bad", args={"prompt": 5}),
        orc(custom_id="child", depends_on=[{"custom_id": "bad"}]),
        orc(depends_on=[{"custom_id": "child"}]),
    ]
    body = (await client.post(f"{JOBS}/bulk", json={"jobs": items})).json()
    assert (body["created"], body["refused"]) == (2, 7)
    problems = [item.get("problem") for item in body["items"]]
    assert problems[2]["errors"][0]["pointer"] == "/jobs/2/depends_on/0/custom_id"
    assert problems[3]["errors"][0]["pointer"] == "/jobs/3/depends_on/0/custom_id"
    assert problems[4]["errors"][0]["pointer"] == "/jobs/4/depends_on/0"
    assert problems[5]["code"] == "dependency_cycle"
    assert "'bad'" in problems[7]["detail"]
    assert "'child'" in problems[8]["detail"]
    alone = await client.post(JOBS, json=orc(depends_on=[{"custom_id": "twice"}]))
    assert (alone.status_code, alone.json()["errors"][0]["pointer"]) == (422, "/depends_on/0/custom_id")
