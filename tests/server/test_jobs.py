"""Jobs over HTTP: enqueue, read, list, change, cancel, retry, erase, wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.world import BASE, ProgressNote, World

if TYPE_CHECKING:
    from httpx import AsyncClient

ORC = {"task": "sprite", "args": {"prompt": "orc"}}
JOBS = BASE + "/jobs"
THIN_ONLY = {"args", "result", "cost", "attempts", "events", "parents", "children", "workflows", "warnings"}


async def create(client: AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post(JOBS, json={**ORC, **fields})
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def test_a_new_job_is_201_with_its_location_and_all_its_fields(client: AsyncClient) -> None:
    answer = await client.post(JOBS, json={**ORC, "tags": ["a"], "metadata": {"x": 1}, "priority": "high"})
    job = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{JOBS}/{job['id']}" == job["urls"]["self"]
    assert (job["state"], job["version"], job["position"], job["ahead"]) == ("queued", 1, 1, 0)
    assert (job["priority"], job["tags"], job["metadata"], job["queue"]) == (2, ["a"], {"x": 1}, "images")
    assert job["events"] == [{"version": 1, "state": "queued", "at": job["created_at"], "attempt": 0, "error": None}]
    assert job["created_at"].endswith("Z")
    assert len(job["created_at"]) == len("2026-01-02T03:04:05.678Z")


async def test_the_alias_serves_the_same(client: AsyncClient) -> None:
    job = (await client.post("/api/jobs", json=ORC)).json()
    assert (await client.get(f"/api/jobs/{job['id']}")).json()["id"] == job["id"]


async def test_a_job_reads_in_full_and_a_list_is_the_same_without_the_bulky_fields(
    world: World, client: AsyncClient
) -> None:
    made = await create(client)
    (lease,) = await world.claim()
    await world.note(lease, ProgressNote(4, 8, None, "half", "shade"))
    full = (await client.get(f"{JOBS}/{made['id']}")).json()
    (listed,) = (await client.get(JOBS)).json()["items"]
    assert full.keys() - listed.keys() == THIN_ONLY
    assert {name: full[name] for name in listed if name != "progress"} == {
        name: value for name, value in listed.items() if name != "progress"
    }
    assert full["progress"]["fraction"] == 0.5
    assert full["attempts"][0]["worker"] == "w_one"
    assert full["attempts"][0]["outcome"] is None
    assert [event["state"] for event in full["events"]] == ["queued", "running"]


async def test_pages_are_newest_first_and_go_on_where_the_last_ended(client: AsyncClient) -> None:
    made = [(await create(client))["id"] for _ in range(5)]
    first = (await client.get(JOBS, params={"limit": 2})).json()
    second = (await client.get(JOBS, params={"limit": 2, "after": first["next"]})).json()
    third = (await client.get(JOBS, params={"limit": 2, "after": second["next"]})).json()
    seen = [job["id"] for page in (first, second, third) for job in page["items"]]
    assert seen == made[::-1]
    assert third["next"] is None


async def test_lists_are_filtered(world: World, client: AsyncClient) -> None:
    mine = await create(client, user="ada", tags=["red"], queue="other")
    await create(client, user="bob", tags=["blue"])
    for query in (
        "user=ada",
        "tag=red",
        "queue=other",
        "state=queued&queue=other",
        f"q={mine['id'][:13]}&user=ada",
    ):
        assert [job["id"] for job in (await client.get(f"{JOBS}?{query}")).json()["items"]] == [mine["id"]], query
    assert (await client.get(f"{JOBS}?state=failed,running")).json()["items"] == []


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=x", "limit=1e3", "after=x", "state=nope", "q=" + "x" * 201, "after=-1"],
)
async def test_query_values_are_bounded(client: AsyncClient, query: str) -> None:
    answer = await client.get(f"{JOBS}?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == query.partition("=")[0]


async def test_cancel_is_idempotent_and_delete_of_a_cancelled_job_leaves_it(client: AsyncClient) -> None:
    job = await create(client)
    own = f"{JOBS}/{job['id']}"
    first, second = await client.post(f"{own}/cancel"), await client.post(f"{own}/cancel")
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert first.json()["state"] == "cancelled"
    assert (await client.delete(own)).json()["state"] == "cancelled"
    assert (await client.get(own)).status_code == 200
    assert (await client.delete(own, params={"purge": "true"})).status_code == 204
    assert (await client.get(own)).status_code == 404


async def test_delete_cancels_what_is_open_and_erases_what_is_final(world: World, client: AsyncClient) -> None:
    job = await create(client)
    own = f"{JOBS}/{job['id']}"
    (lease,) = await world.claim()
    asked = await client.delete(own)
    assert (asked.status_code, asked.json()["state"]) == (200, "running")
    assert asked.json()["cancel_requested_at"] is not None
    await world.cancelled(lease)
    done = await create(client)
    (lease,) = await world.claim()
    await world.complete(lease)
    assert (await client.delete(f"{JOBS}/{done['id']}")).status_code == 204
    assert (await client.delete(f"{JOBS}/{done['id']}")).status_code == 404


async def test_only_a_failed_job_is_retried(world: World, client: AsyncClient) -> None:
    job = await create(client)
    own = f"{JOBS}/{job['id']}"
    refused = await client.post(f"{own}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")
    (lease,) = await world.claim()
    await world.fail(lease, "bad prompt")
    failed = (await client.get(own)).json()
    assert failed["error"] == {
        "kind": "validation", "message": "bad prompt", "retryable": None, "trace": None,
    }  # fmt: skip
    again = (await client.post(f"{own}/retry")).json()
    assert (again["state"], again["spent"], again["error"]) == ("queued", 0, None)


async def test_patch_merges_metadata_and_changes_priority_and_tags(client: AsyncClient) -> None:
    job = await create(client, metadata={"a": {"b": 1, "c": 2}, "d": 3})
    own = f"{JOBS}/{job['id']}"
    changed = await client.patch(
        own, json={"metadata": {"a": {"b": None, "x": 9}, "d": None}, "priority": 0, "tags": []}
    )
    assert changed.json()["metadata"] == {"a": {"c": 2, "x": 9}}
    assert (changed.json()["priority"], changed.json()["tags"]) == (0, [])
    assert (await client.patch(own, json={"metadata": None})).json()["metadata"] == {}
    assert (await client.patch(own, json={"metadata": {"x": "y" * 20_000}})).status_code == 422
    assert (await client.patch(own, json={"state": "completed"})).json()["errors"][0]["pointer"] == "/state"
    assert (await client.patch(own, json={"priority": None})).status_code == 422


async def test_two_patches_at_once_lose_nothing(client: AsyncClient) -> None:
    job = await create(client)
    own = f"{JOBS}/{job['id']}"
    await asyncio.gather(*(client.patch(own, json={"metadata": {f"k{n}": n}}) for n in range(20)))
    assert len((await client.get(own)).json()["metadata"]) == 20


async def test_priority_of_a_running_job_cannot_change(world: World, client: AsyncClient) -> None:
    job = await create(client)
    await world.claim()
    assert (await client.patch(f"{JOBS}/{job['id']}", json={"priority": 1})).status_code == 409


async def test_the_same_key_and_body_replay_and_another_body_is_refused(client: AsyncClient) -> None:
    headers = {"Idempotency-Key": '"k1"'}
    first = await client.post(JOBS, json=ORC, headers=headers)
    again = await client.post(JOBS, content=b'{"args": {"prompt":"orc"}, "task":"sprite"}',
                              headers={**headers, "content-type": "application/json"})  # fmt: skip
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    other = await client.post(JOBS, json={**ORC, "user": "eve"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert len((await client.get(JOBS)).json()["items"]) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "ü"])
async def test_an_odd_idempotency_key_is_refused(client: AsyncClient, key: str) -> None:
    answer = await client.post(JOBS, json=ORC, headers=[(b"idempotency-key", key.encode("latin-1"))])
    assert answer.status_code == 422


async def test_fifty_at_once_with_one_key_store_one_job(client: AsyncClient) -> None:
    answers = await asyncio.gather(
        *(client.post(JOBS, json=ORC, headers={"Idempotency-Key": "same"}) for _ in range(50))
    )
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]


async def test_a_dedup_window_joins(client: AsyncClient) -> None:
    first = await client.post(JOBS, json={**ORC, "dedup_window": 10})
    second = await client.post(JOBS, json={**ORC, "dedup_window": 10})
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]


async def test_prefer_wait_answers_201_when_it_ends_in_time_and_202_when_not(world: World, client: AsyncClient) -> None:
    async def work() -> None:
        while not (leases := await world.claim()):  # noqa: ASYNC110 - a worker that polls
            await asyncio.sleep(0.01)
        await world.complete(leases[0], "done")

    working = asyncio.create_task(work())
    answer = await client.post(JOBS, json=ORC, headers={"Prefer": "wait=10"})
    await working
    assert (answer.status_code, answer.json()["state"], answer.json()["result"]) == (201, "completed", "done")
    assert answer.headers["preference-applied"] == "wait=10"
    late = await client.post(JOBS, json=ORC, headers={"Prefer": "respond-async, wait=0.05"})
    assert (late.status_code, late.json()["state"]) == (202, "queued")


async def test_respond_async_answers_at_once(client: AsyncClient) -> None:
    answer = await client.post(JOBS, json=ORC, headers={"Prefer": "respond-async"})
    assert (answer.status_code, answer.headers["preference-applied"]) == (201, "respond-async")


async def test_cancel_after_sets_the_start_deadline(client: AsyncClient) -> None:
    answer = await client.post(JOBS, json=ORC, headers={"Cancel-After": "90s"})
    job = answer.json()
    assert job["expires_at"] is not None
    assert job["expires_at"] > job["created_at"]
    assert (await client.post(JOBS, json=ORC, headers={"Cancel-After": "soon"})).status_code == 422


async def test_a_long_poll_returns_when_the_version_grows_or_time_is_up(world: World, client: AsyncClient) -> None:
    job = await create(client)
    own = f"{JOBS}/{job['id']}"
    at_once = await client.get(own, params={"wait": 20, "version": 0})
    assert at_once.json()["version"] == 1
    waiting = asyncio.create_task(client.get(own, params={"wait": 20, "version": 1}))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await world.claim()
    assert (await asyncio.wait_for(waiting, 5)).json()["state"] == "running"
    timed = await client.get(own, params={"wait": 0.05, "version": 2})
    assert timed.json()["version"] == 2
    assert (await client.get(own, params={"wait": 61})).status_code == 422


async def test_scheduled_and_paused_jobs_say_what_they_wait_on(client: AsyncClient) -> None:
    later = await create(client, delay=60)
    assert (later["state"], later["position"], later["waiting_on"]["reason"]) == (
        "scheduled",
        None,
        "scheduled",
    )
    assert later["waiting_on"]["until"] == later["run_at"]
    await create(client)
    await client.post(BASE + "/queues/images/pause")
    paused = await create(client, args={"prompt": "elf"})
    assert (paused["position"], paused["waiting_on"]["reason"]) == (None, "paused_queue")


async def test_secret_arguments_are_never_shown(client: AsyncClient) -> None:
    made = await client.post(JOBS, json={"task": "login", "args": {"user": "ada", "api_key": "CANARY"}})
    own = f"{JOBS}/{made.json()['id']}"
    assert made.json()["args"] == {"user": "ada", "api_key": "[secret]"}
    for path in (own, JOBS):
        assert "CANARY" not in (await client.get(path)).text
