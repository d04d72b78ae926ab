"""The result cache over HTTP: cached answers, and what operators may see and drop."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.units import DAY
from stanchion.security.scopes import EVERYTHING, USUAL
from tests.server.world import BASE, OutputNote, World, key_of, mint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from httpx import AsyncClient

JOBS = BASE + "/jobs"
ORC: dict[str, Any] = {"task": "sprite", "args": {"prompt": "orc"}, "cache": True}


def sharing(world: World) -> None:
    """Let the task's cached results be for all tenants."""
    task = world.app.tasks["sprite"]
    task.spec = replace(task.spec, cache_ttl=DAY, share="all")
    world.app.registry.add(task.spec)


async def made(world: World, client: AsyncClient) -> str:
    """Complete a job whose result is kept; return its id."""
    answer = await client.post(JOBS, json=ORC)
    assert answer.status_code == 201
    (lease,) = await world.claim()
    await world.note(lease, OutputNote("text", b"hi", content_type="text/plain", size=2))
    await world.complete(lease, "drawn")
    return answer.json()["id"]


async def test_a_cached_answer_is_200_and_a_whole_job(world: World, client: AsyncClient) -> None:
    maker = await made(world, client)
    answer = await client.post(JOBS, json={**ORC, "user": "ann"})
    job = answer.json()
    assert answer.status_code == 200
    assert answer.headers["location"] == f"{BASE}/jobs/{job['id']}"
    assert (job["id"] != maker, job["cached"], job["state"], job["version"]) == (True, True, "completed", 1)
    assert (job["result"], job["user"], job["attempts"], job["attempt"]) == ("drawn", "ann", [], 0)
    assert [event["state"] for event in job["events"]] == ["completed"]
    assert job["started_at"] is None
    output = await client.get(f"{JOBS}/{job['id']}/outputs/0")
    assert (output.status_code, output.content) == (200, b"hi")
    listed = (await client.get(JOBS)).json()["items"]
    assert [item["cached"] for item in listed] == [True, False]


async def test_a_stream_of_a_cached_answer_ends_at_once(world: World, client: AsyncClient) -> None:
    await made(world, client)
    answer = await client.post(JOBS, json=ORC, headers={"Accept": "text/event-stream"})
    assert answer.status_code == 200
    assert "event: done" in answer.text


async def test_waiting_for_a_cached_answer_takes_no_time(world: World, client: AsyncClient) -> None:
    await made(world, client)
    answer = await client.post(JOBS, json=ORC, headers={"Prefer": "wait=20"})
    assert (answer.status_code, answer.json()["result"]) == (200, "drawn")


async def test_a_request_may_refuse_the_cache(world: World, client: AsyncClient) -> None:
    await made(world, client)
    assert (await client.post(JOBS, json={**ORC, "cache": False})).status_code == 201


async def test_bulk_tells_created_jobs_from_answered_ones(world: World, client: AsyncClient) -> None:
    await made(world, client)
    body = {"jobs": [ORC, {**ORC, "args": {"prompt": "elf"}}]}
    answer = (await client.post(f"{JOBS}/bulk", json=body)).json()
    assert [item.get("status", 201) for item in answer["items"]] == [200, 201]
    assert [item["job"]["cached"] for item in answer["items"]] == [True, False]


async def test_the_cache_is_shown_and_purged(world: World, client: AsyncClient) -> None:
    await made(world, client)
    await client.post(JOBS, json=ORC)
    shown = (await client.get(f"{BASE}/cache")).json()
    assert (shown["entries"], shown["hits"], shown["bytes"]) == (1, 1, len('"drawn"') + 2)
    assert [one["task"] for one in shown["tasks"]] == ["sprite"]
    assert [level["name"] for level in shown["levels"]] == ["memory", "store"]
    assert shown["lookups"] == {"hits": 1, "misses": 1, "failures": 0}
    assert (await client.post(f"{BASE}/cache/purge", json={"task": "other"})).json() == {"count": 0}
    assert (await client.post(f"{BASE}/cache/purge", json={"older_than": 3600})).json() == {"count": 0}
    assert (await client.post(f"{BASE}/cache/purge")).json() == {"count": 1}
    assert (await client.post(JOBS, json=ORC)).status_code == 201
    assert (await client.post(f"{BASE}/cache/purge", json={"tsk": 1})).status_code == 422


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[World, AsyncClient, AsyncClient, AsyncClient]]:
    ours, theirs, usual = mint(), mint(), mint()
    keys = (
        key_of(ours, tenant="ours", scopes=EVERYTHING),
        key_of(theirs, tenant="theirs", scopes=EVERYTHING),
        key_of(usual, tenant="ours", scopes=USUAL),
    )
    world = World(tmp_path, keys=keys)
    await world.open()
    async with world.client(ours) as us, world.client(theirs) as them, world.client(usual) as user:
        yield world, us, them, user
    await world.close()


async def test_a_tenant_gets_no_answer_of_another(two: tuple[World, AsyncClient, AsyncClient, AsyncClient]) -> None:
    world, us, them, _ = two
    theirs = await made(world, them)
    answer = await us.post(JOBS, json=ORC)
    assert (answer.status_code, answer.json()["cached"]) == (201, False)
    shown = await us.get(f"{BASE}/cache")
    assert (shown.json()["entries"], shown.json()["levels"], shown.json()["lookups"]) == (0, None, None)
    assert "theirs" not in shown.text
    assert (await us.get(f"{BASE}/cache?tenant=theirs")).status_code == 403
    assert (await us.post(f"{BASE}/cache/purge", json={"tenant": "theirs"})).status_code == 403
    assert (await us.post(f"{BASE}/cache/purge")).json() == {"count": 0}
    again = (await them.post(JOBS, json=ORC)).json()
    assert (again["cached"], again["id"] != theirs) == (True, True)


async def test_what_is_shared_by_all_carries_no_id_of_another_tenant(
    two: tuple[World, AsyncClient, AsyncClient, AsyncClient],
) -> None:
    world, us, them, _ = two
    sharing(world)
    theirs = await made(world, them)
    answer = await us.post(JOBS, json=ORC)
    assert (answer.status_code, answer.json()["cached"], answer.json()["result"]) == (200, True, "drawn")
    assert answer.json()["tenant"] == "ours"
    for text in (answer.text, (await us.get(JOBS)).text, (await us.get(f"{BASE}/cache")).text):
        assert theirs not in text
        assert "theirs" not in text


async def test_users_without_the_scope_are_refused(two: tuple[World, AsyncClient, AsyncClient, AsyncClient]) -> None:
    *_, user = two
    assert (await user.get(f"{BASE}/cache")).status_code == 403
    assert (await user.post(f"{BASE}/cache/purge")).status_code == 403
