"""Two tenants on one server: neither learns that the other's jobs exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from stanchion.security.scopes import EVERYTHING
from stanchion.store import Want
from tests.server.live import served, stream
from tests.server.world import (
    BASE,
    PNG,
    OutputNote,
    PreviewNote,
    ProgressNote,
    World,
    key_of,
    mint,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from httpx import AsyncClient

import httpx

JOBS = BASE + "/jobs"
CANARY = "CANARY7c1f"


@dataclass
class Two:
    world: World
    ours: AsyncClient
    theirs: AsyncClient
    theirs_id: str
    key: str


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    ours, theirs = mint(), mint()
    keys = (
        key_of(ours, tenant="ours", scopes=EVERYTHING),
        key_of(theirs, tenant="theirs", scopes=EVERYTHING),
    )
    world = World(tmp_path, keys=keys)
    await world.open()
    async with world.client(ours) as us, world.client(theirs) as them:
        body: dict[str, Any] = {
            "task": "sprite", "args": {"prompt": CANARY}, "user": CANARY, "tags": [CANARY], "metadata": {"x": CANARY},
        }  # fmt: skip
        made = await them.post(JOBS, json=body, headers={"Idempotency-Key": "k"})
        assert made.json()["tenant"] == "theirs"
        yield Two(world, us, them, made.json()["id"], ours)
    await world.close()


async def test_a_foreign_job_is_as_absent_as_one_that_never_was(two: Two) -> None:
    never = "01890000-0000-7000-8000-000000000000"
    (lease,) = await two.world.claim()
    await two.world.note(lease, OutputNote("text", CANARY.encode()), PreviewNote(PNG, "image/png"))
    for method, tail in [
        ("GET", ""), ("GET", "/events"), ("GET", "/outputs"), ("GET", "/outputs/0"), ("GET", "/preview"),
        ("DELETE", ""), ("POST", "/cancel"), ("POST", "/retry"), ("PATCH", ""),
    ]:  # fmt: skip
        kwargs: dict[str, Any] = {"json": {"tags": []}} if method == "PATCH" else {}
        foreign = await two.ours.request(method, f"{JOBS}/{two.theirs_id}{tail}", **kwargs)
        absent = await two.ours.request(method, f"{JOBS}/{never}{tail}", **kwargs)
        assert foreign.status_code == absent.status_code == 404, (method, tail)
        told = [{**a.json(), "request_id": None} for a in (foreign, absent)]
        assert str(told[0]).replace(two.theirs_id, never) == str(told[1])
    job = (await two.theirs.get(f"{JOBS}/{two.theirs_id}")).json()
    assert (job["state"], job["cancel_requested_at"]) == ("running", None)


async def test_nothing_of_a_foreign_tenant_is_in_any_answer(two: Two) -> None:
    (lease,) = await two.world.claim()
    await two.world.note(lease, ProgressNote(1, 2, None, CANARY, CANARY))
    for path in [
        "/jobs", f"/jobs?q={CANARY[:3]}", "/jobs?tenant=theirs", f"/jobs?user={CANARY}", "/queues", "/workers",
        "/stats", "/metrics", "/tasks", "/health", "/openapi.json", "/session",
    ]:  # fmt: skip
        answer = await two.ours.get(BASE + path)
        assert answer.status_code == 200, path
        text = answer.text + str(answer.headers)
        assert two.theirs_id not in text, path
        assert "theirs" not in text, path
        assert CANARY not in text.replace(f"user={CANARY}", ""), path
    counts = (await two.ours.get(f"{BASE}/stats")).json()["counts"]
    assert set(counts.values()) == {0}


async def test_a_foreign_tenants_models_are_not_shown_with_the_workers(two: Two) -> None:
    world = two.world
    await world.store.claim(world.worker, Want(1, frozenset({"sprite"}), warm=frozenset({CANARY})))
    await world.store.beat([world.worker], 60_000)
    (row,) = await world.store.workers()
    assert row.warm == (CANARY,)
    assert CANARY not in (await two.ours.get(f"{BASE}/workers")).text


async def test_bulk_operations_stay_within_the_tenant(two: Two) -> None:
    for op in ("cancel", "retry"):
        assert (await two.ours.post(f"{JOBS}/{op}", json={"ids": [two.theirs_id]})).json() == {"count": 0}
        answer = await two.ours.post(f"{JOBS}/{op}", json={"filter": {"queue": "images"}})
        assert answer.json() == {"count": 0}
    (lease,) = await two.world.claim()
    await two.world.complete(lease)
    assert (await two.ours.post(f"{BASE}/queues/images/clean", json={})).json() == {"count": 0}
    assert (await two.theirs.get(f"{JOBS}/{two.theirs_id}")).status_code == 200


async def test_keys_of_idempotency_and_dedup_do_not_meet(two: Two) -> None:
    body = {"task": "sprite", "args": {"prompt": CANARY}, "dedup_window": 60}
    theirs = await two.theirs.post(JOBS, json=body)
    ours = await two.ours.post(JOBS, json=body, headers={"Idempotency-Key": "k"})
    assert (theirs.status_code, ours.status_code) == (201, 201)
    assert ours.json()["tenant"] == "ours"
    assert ours.json()["id"] != theirs.json()["id"]


async def test_a_credential_cannot_enqueue_for_another_tenant(two: Two) -> None:
    answer = await two.ours.post(JOBS, json={"task": "sprite", "args": {"prompt": "x"}, "tenant": "theirs"})
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    bulk = await two.ours.post(
        f"{JOBS}/bulk", json={"jobs": [{"task": "sprite", "args": {"prompt": "x"}, "tenant": "theirs"}]}
    )
    assert bulk.json()["refused"] == 1


async def test_the_feed_carries_only_the_own_tenant(two: Two) -> None:
    async with served(two.world) as port:
        headers = {"authorization": f"Bearer {two.key}"}
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}{BASE}", headers=headers) as client,
            stream(client, f"/events?all=1&stats=1&queue=images&jobs={two.theirs_id}&tenant=theirs") as reader,
        ):
            reading = reader.events()
            first = await anext(reading)
            assert (first.event, set(first.data["counts"].values())) == ("stats", {0})
            (lease,) = await two.world.claim()
            await two.world.note(lease, ProgressNote(1, 2), OutputNote("text", CANARY.encode()))
            await two.world.complete(lease)
            mine = (await client.post("/jobs", json={"task": "sprite", "args": {"prompt": "x"}})).json()["id"]
            async for event in reading:
                if event.event == "status":
                    assert event.data["job"] == mine
                    break
            assert two.theirs_id not in "".join(reader.raw)
            assert CANARY not in "".join(reader.raw)


async def test_without_keys_the_named_tenant_is_honoured(client: AsyncClient) -> None:
    made = await client.post(JOBS, json={"task": "sprite", "args": {"prompt": "x"}, "tenant": "acme"})
    assert made.json()["tenant"] == "acme"
    other = await client.post(JOBS, json={"task": "sprite", "args": {"prompt": "x"}})
    assert other.json()["tenant"] == "default"
    assert len((await client.get(JOBS)).json()["items"]) == 2
    assert len((await client.get(f"{JOBS}?tenant=acme")).json()["items"]) == 1


async def test_nothing_can_depend_on_a_job_of_another_tenant(two: Two) -> None:
    body: dict[str, Any] = {"task": "sprite", "args": {"prompt": "an orc"}, "depends_on": [two.theirs_id]}
    foreign = await two.ours.post(JOBS, json=body)
    nobody = await two.ours.post(JOBS, json=body | {"depends_on": ["01890000-0000-7000-8000-00000000abcd"]})
    assert (foreign.status_code, foreign.json()["code"]) == (422, "unknown_parent")
    assert (nobody.status_code, nobody.json()["code"]) == (422, "unknown_parent")
    seen = (await two.theirs.get(f"{JOBS}/{two.theirs_id}")).json()
    assert seen["children"] == []
