"""Schedules over HTTP: put, read, pause, run, delete; each within its tenant."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from stanchion.security.scopes import EVERYTHING
from stanchion.server.app import build
from tests.engine.helpers import until
from tests.server.world import BASE, World, key_of, mint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from httpx import AsyncClient

SCHEDULES = BASE + "/schedules"
DAILY: dict[str, Any] = {
    "cron": "0 7 * * *",
    "tz": "Europe/Berlin",
    "job": {"task": "sprite", "args": {"prompt": "an orc"}, "user": "ada", "tags": ["x"]},
}


async def test_a_schedule_is_stored_once_and_read(world: World, client: AsyncClient) -> None:
    made = await client.put(f"{SCHEDULES}/daily", json=DAILY)
    assert made.status_code == 201
    body = made.json()
    assert body.pop("created_at").endswith("Z")
    assert body.pop("next_at")[14:] == "00:00.000Z"
    assert body == {
        "name": "daily", "tenant": "default", "cron": "0 7 * * *", "tz": "Europe/Berlin", "every": None, "start": None,
        "overlap": "allow", "catch_up": None, "paused": False, "last_at": None, "last_job": None,
        "job": {
            "task": "sprite", "args": {"prompt": "an orc"}, "queue": "images", "priority": 5, "user": "ada",
            "tags": ["x"],
        },
    }  # fmt: skip
    again = await client.put(f"{SCHEDULES}/daily", json=DAILY)
    assert (again.status_code, again.json()) == (200, made.json())
    assert (await client.get(f"{SCHEDULES}/daily")).json() == made.json()
    assert (await client.get(SCHEDULES)).json() == {"items": [made.json()]}
    assert await world.claim() == []


async def test_a_put_changes_what_is_there(client: AsyncClient) -> None:
    await client.put(f"{SCHEDULES}/x", json=DAILY)
    other = {
        "every": 90.5,
        "start": "2026-01-01T00:00:00+01:00",
        "overlap": "skip",
        "catch_up": 60,
        "job": DAILY["job"],
    }
    answer = await client.put(f"{SCHEDULES}/x", json=other)
    body = answer.json()
    assert answer.status_code == 200
    assert (body["cron"], body["tz"], body["every"], body["start"]) == (None, None, 90.5, "2025-12-31T23:00:00.000Z")
    assert (body["overlap"], body["catch_up"]) == ("skip", 60)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"cron": "61 * * * *"}, ""), ({"tz": "Mars/Olympus"}, ""), ({"every": 5}, ""), ({"cron": None}, ""),
        ({"start": "2026-01-01T00:00:00Z"}, "/start"), ({"cron": None, "every": 5}, "/tz"),
        ({"cron": None, "tz": None, "every": 0.5}, "/every"), ({"catch_up": 0}, "/catch_up"),
        ({"overlap": "sometimes"}, "/overlap"), ({"surprise": 1}, "/surprise"), ({"job": None}, "/job"),
        ({"job": {"task": "sprite", "args": {"prompt": 5}}}, "/job/args/prompt"),
        ({"job": {"task": "sprite", "args": {"prompt": "x"}, "run_at": "2026-01-01T00:00:00Z"}}, None),
        ({"job": {"task": "nothing", "args": {}}}, None),
    ],
)  # fmt: skip
async def test_what_cannot_be_scheduled_is_a_problem_and_stores_nothing(
    client: AsyncClient, change: dict[str, Any], pointer: str | None
) -> None:
    answer = await client.put(f"{SCHEDULES}/x", json=DAILY | change)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if pointer is not None:
        assert [problem["pointer"] for problem in answer.json()["errors"]] == [pointer]
    assert (await client.get(SCHEDULES)).json() == {"items": []}


async def test_a_schedule_is_paused_resumed_run_and_deleted(world: World, client: AsyncClient) -> None:
    await client.put(f"{SCHEDULES}/x", json=DAILY)
    paused = (await client.post(f"{SCHEDULES}/x/pause")).json()
    assert (paused["paused"], paused["next_at"]) == (True, None)
    ran = await client.post(f"{SCHEDULES}/x/run")
    assert (ran.status_code, ran.json()["task"], ran.json()["state"]) == (201, "sprite", "queued")
    assert ran.headers["location"] == f"{BASE}/jobs/{ran.json()['id']}"
    assert [lease.id for lease in await world.claim()] == [ran.json()["id"]]
    resumed = (await client.post(f"{SCHEDULES}/x/resume")).json()
    assert resumed["paused"] is False
    gone = await client.delete(f"{SCHEDULES}/x")
    assert (gone.status_code, gone.json()) == (200, resumed)
    for method, tail in (("GET", ""), ("DELETE", ""), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/run")):
        absent = await client.request(method, f"{SCHEDULES}/x{tail}")
        assert (absent.status_code, absent.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("name", ["a%0Ab", "x" * 151, "%E2%80%AE"])
async def test_a_name_that_cannot_be_is_nowhere(client: AsyncClient, name: str) -> None:
    assert (await client.put(f"{SCHEDULES}/{name}", json=DAILY)).status_code == 404


async def test_secret_arguments_are_not_shown(client: AsyncClient) -> None:
    job = {"task": "login", "args": {"user": "ada", "api_key": "CANARY"}}
    made = await client.put(f"{SCHEDULES}/x", json=DAILY | {"job": job})
    assert made.json()["job"]["args"] == {"user": "ada", "api_key": "[secret]"}
    listed = await client.get(SCHEDULES)
    assert "CANARY" not in made.text + listed.text


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[tuple[AsyncClient, AsyncClient, AsyncClient]]:
    ours, theirs, root = mint(), mint(), mint()
    keys = (
        key_of(ours, tenant="ours", scopes=EVERYTHING),
        key_of(theirs, tenant="theirs", scopes=EVERYTHING),
        key_of(root, scopes=EVERYTHING),
    )
    world = World(tmp_path, keys=keys)
    await world.open()
    async with world.client(ours) as us, world.client(theirs) as them, world.client(root) as all_:
        yield us, them, all_
    await world.close()


async def test_a_foreign_schedule_is_as_absent_as_one_that_never_was(
    shared: tuple[AsyncClient, AsyncClient, AsyncClient],
) -> None:
    us, them, root = shared
    assert (await them.put(f"{SCHEDULES}/x", json=DAILY)).json()["tenant"] == "theirs"
    assert (await us.get(SCHEDULES)).json() == {"items": []}
    for method, tail in (("GET", ""), ("DELETE", ""), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/run")):
        foreign = await us.request(method, f"{SCHEDULES}/x{tail}")
        absent = await us.request(method, f"{SCHEDULES}/never{tail}")
        assert foreign.status_code == absent.status_code == 404
        assert foreign.json()["detail"] == absent.json()["detail"]
        assert (await us.request(method, f"{SCHEDULES}/x{tail}?tenant=theirs")).status_code == 403
    assert (await us.put(f"{SCHEDULES}/x", json=DAILY)).status_code == 201
    assert (await us.put(f"{SCHEDULES}/x?tenant=theirs", json=DAILY)).status_code == 403
    forged = DAILY | {"job": DAILY["job"] | {"tenant": "theirs"}}
    assert (await us.put(f"{SCHEDULES}/x", json=forged)).status_code == 422
    assert [item["tenant"] for item in (await root.get(SCHEDULES)).json()["items"]] == ["ours", "theirs"]
    assert (await root.get(f"{SCHEDULES}/x?tenant=theirs")).json()["tenant"] == "theirs"
    assert (await root.put(f"{SCHEDULES}/x?tenant=new", json=DAILY)).json()["tenant"] == "new"
    assert (await root.get(f"{SCHEDULES}/x")).status_code == 404


async def test_a_server_without_a_worker_fires_what_is_due(world: World) -> None:
    asgi = build(world.app, manage=False)
    async with asgi.router.lifespan_context(asgi), world.client() as client:
        await asyncio.sleep(0)
        body = {"every": 1, "job": DAILY["job"]}
        assert (await client.put(f"{SCHEDULES}/x", json=body)).status_code == 201

        async def fired() -> bool:
            return (await client.get(f"{SCHEDULES}/x")).json()["last_job"] is not None

        await until(fired)
