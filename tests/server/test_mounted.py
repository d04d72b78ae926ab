"""The app below a path: every link that it gives out leads back to it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.server.live import Reader
from tests.server.world import BASE, EVERYTHING, PNG, OutputNote, PreviewNote, World, key_of, mint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from stanchion.domain.job import Lease

ORC = {"task": "sprite", "args": {"prompt": "orc"}}


def below(world: World, path: str, **headers: str) -> httpx.AsyncClient:
    """Return a client of the world's app, mounted at a path."""
    site = Starlette(routes=[Mount(path, world.asgi)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://127.0.0.1:8000", headers=headers)


@pytest.fixture
async def mounted(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with below(world, "/queue") as client:
        yield client


def links(value: Any) -> Iterator[str]:
    """Yield every text of an answer that is a path."""
    if isinstance(value, dict):
        for item in value.values():
            yield from links(item)
    elif isinstance(value, list):
        for item in value:
            yield from links(item)
    elif isinstance(value, str) and value.startswith("/"):
        yield value


async def drawn(world: World, client: httpx.AsyncClient, base: str = "/queue" + BASE) -> tuple[dict[str, Any], Lease]:
    """Return a running job that has a preview, a chunk and an artifact."""
    job = (await client.post(f"{base}/jobs", json=ORC)).json()
    (lease,) = await world.claim()
    await world.note(
        lease,
        PreviewNote(PNG, "image/png"),
        OutputNote("text", b"an orc", "out", "text/plain", 6),
        OutputNote("image", None, "orc.png", "image/png", 40, "0" * 64),
    )
    return (await client.get(f"{base}/jobs/{job['id']}")).json(), lease


async def test_the_links_of_a_job_lead_back_below_the_mount(world: World, mounted: httpx.AsyncClient) -> None:
    made = await mounted.post(f"/queue{BASE}/jobs", json=ORC)
    assert made.headers["location"] == made.json()["urls"]["self"] == f"/queue{BASE}/jobs/{made.json()['id']}"
    assert (await mounted.get(made.headers["location"])).status_code == 200
    for link in made.json()["urls"].values():
        assert link.startswith(f"/queue{BASE}/jobs/"), link
    await world.cancelled((await world.claim())[0])


async def test_every_path_in_an_answer_stands_below_the_mount(world: World, mounted: httpx.AsyncClient) -> None:
    job, _ = await drawn(world, mounted)
    assert job["preview"]["url"].startswith(f"/queue{BASE}/")
    listed = (await mounted.get(f"/queue{BASE}/jobs/{job['id']}/outputs")).json()
    page = (await mounted.get(f"/queue{BASE}/jobs")).json()
    bulk = (await mounted.post(f"/queue{BASE}/jobs/bulk", json={"jobs": [ORC]})).json()
    for answer in (job, listed, page, bulk):
        found = list(links(answer))
        assert found
        assert [link for link in found if not link.startswith(f"/queue{BASE}/")] == []
    assert (await mounted.get(job["preview"]["url"])).content == PNG
    assert (await mounted.get(f"/queue{BASE}/openapi.json")).json()["servers"] == [{"url": "/queue"}]


async def test_an_app_at_the_root_adds_nothing(world: World, client: httpx.AsyncClient) -> None:
    job, _ = await drawn(world, client, BASE)
    assert job["urls"]["self"] == f"{BASE}/jobs/{job['id']}"
    assert (await client.get(f"{BASE}/openapi.json")).json()["servers"] == [{"url": "/"}]


async def events_of(client: httpx.AsyncClient, path: str) -> list[tuple[str, Any]]:
    async with client.stream("GET", path) as response:
        assert response.status_code == 200, await response.aread()
        return [(event.event, event.data) async for event in Reader(response).events()]


async def test_streams_name_paths_below_their_own_mount(world: World, mounted: httpx.AsyncClient) -> None:
    """Two mounts of one app share its feed; a frame that was encoded for one is not sent to the other."""
    job, lease = await drawn(world, mounted)
    path = f"{BASE}/jobs/{job['id']}/events"
    async with below(world, "/other") as other:
        watching = [
            asyncio.create_task(events_of(mounted, f"/queue{path}")),
            asyncio.create_task(events_of(other, f"/other{path}")),
        ]
        async with asyncio.timeout(5):
            while world.app.watch.watching < 2:  # noqa: ASYNC110 - a count, looked at from outside
                await asyncio.sleep(0.01)
        await world.note(lease, OutputNote("text", b"more", "out", "text/plain", 4))
        await world.complete(lease, "done")
        for name, told in zip(("/queue", "/other"), await asyncio.gather(*watching), strict=True):
            assert {"snapshot", "output", "done"} <= {event for event, _ in told}
            foreign = [link for _, data in told for link in links(data) if not link.startswith(f"{name}{BASE}/")]
            assert foreign == []


@pytest.mark.parametrize(
    ("root", "shown"),
    [("/a b", "/a%20b"), ("//evil.example", "/evil.example"), ("/é", "/%C3%A9"), ("/", "")],
)
async def test_a_mount_is_a_path_and_never_another_host(world: World, root: str, shown: str) -> None:
    sent: list[Any] = []
    body = json.dumps(ORC).encode()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": f"{root}{BASE}/jobs".replace("//api", "/api"), "root_path": root,
        "query_string": b"", "scheme": "http", "http_version": "1.1", "server": ("127.0.0.1", 8000),
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")],
    }  # fmt: skip
    await world.asgi(scope, receive, send)
    assert sent[0]["status"] == 201, sent
    location = dict(sent[0]["headers"])[b"location"].decode()
    assert location.startswith(f"{shown}{BASE}/jobs/")


async def test_an_unknown_path_below_the_mount_is_a_problem_of_the_api(mounted: httpx.AsyncClient) -> None:
    answer = await mounted.get("/queue/api/v1/nothing")
    assert (answer.status_code, answer.json()["instance"]) == (404, "/queue/api/v1/nothing")
    assert "openapi.json" in answer.json()["remedy"]


async def test_a_session_below_a_mount_is_no_credential_beside_it(tmp_path: Path) -> None:
    key = mint()
    world = World(tmp_path, keys=(key_of(key, scopes=EVERYTHING),))
    await world.open()
    async with below(world, "/queue") as client:
        opened = await client.post(f"/queue{BASE}/session", json={"key": key})
        assert "path=/queue;" in opened.headers["set-cookie"].lower() + ";"
        assert (await client.get(f"/queue{BASE}/jobs")).status_code == 200
        closed = await client.delete(f"/queue{BASE}/session", headers={"x-stanchion-csrf": "1"})
        assert closed.status_code == 204
        assert (await client.get(f"/queue{BASE}/jobs")).status_code == 401
    await world.close()
