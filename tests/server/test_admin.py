"""Queues, workers, numbers, health and the API's own description."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from stanchion import __version__
from stanchion.errors import StoreUnavailableError
from stanchion.server.app import ENDPOINTS
from tests.clock import FakeClock
from tests.server.world import BASE, World

if TYPE_CHECKING:
    from pathlib import Path

    from httpx import AsyncClient

ORC = {"task": "sprite", "args": {"prompt": "orc"}}


async def test_queues_are_counted_paused_and_resumed(world: World, client: AsyncClient) -> None:
    await client.post(f"{BASE}/jobs", json=ORC)
    (queue,) = (await client.get(f"{BASE}/queues")).json()["items"]
    assert (queue["name"], queue["paused"], queue["counts"]["queued"], queue["counts"]["failed"]) == (
        "images",
        False,
        1,
        0,
    )
    assert queue["oldest_queued_at"] is not None
    assert queue["throughput"].keys() == {"started", "completed", "failed"}
    assert (await client.post(f"{BASE}/queues/images/pause")).json()["paused"] is True
    assert await world.claim() == []
    assert (await client.post(f"{BASE}/queues/images/resume")).json()["paused"] is False
    assert len(await world.claim()) == 1
    assert (await client.get(f"{BASE}/queues/nope")).status_code == 404
    assert (await client.patch(f"{BASE}/queues/images", json={"max_waiting": 5})).json()["max_waiting"] == 5
    assert (await client.patch(f"{BASE}/queues/images", json={"max_waiting": 0})).json()["max_waiting"] is None
    assert (await client.patch(f"{BASE}/queues/images", json={"max_waiting": -1})).status_code == 422
    assert (await client.patch(f"{BASE}/queues/images", json={"aging": 600})).json()["aging"] == 600
    assert (await client.patch(f"{BASE}/queues/images", json={"aging": 0})).json()["aging"] is None


async def test_a_queue_tells_what_happened_in_the_last_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, reads = FakeClock(), 0
    world = World(tmp_path, clock=clock)
    await world.open()
    flow = world.store.flow

    async def counted(*args: Any) -> Any:
        nonlocal reads
        reads += 1
        return await flow(*args)

    monkeypatch.setattr(world.store, "flow", counted)
    async with world.client() as client:
        for queue in ("images", "images", "images", "idle"):
            await client.post(f"{BASE}/jobs", json={**ORC, "queue": queue})
        first, second, *_ = await world.claim(3)
        await world.complete(first)
        await world.fail(second)

        async def rates() -> dict[str, Any]:
            answers = await asyncio.gather(*(client.get(f"{BASE}/queues") for _ in range(5)))
            (told,) = {answer.text for answer in answers}
            return {queue["name"]: queue["throughput"] for queue in msgspec.json.decode(told)["items"]}

        assert await rates() == {
            "images": {"started": 3, "completed": 1, "failed": 1},
            "idle": {"started": 0, "completed": 0, "failed": 0},
        }
        own = (await client.get(f"{BASE}/queues/images")).json()
        assert own["throughput"] == {"started": 3, "completed": 1, "failed": 1}
        assert reads == 1, "one read serves all who ask within a second"
        clock.pass_(61_000)
        assert (await rates())["images"] == {"started": 0, "completed": 0, "failed": 0}
        assert reads == 2
    await world.close()


async def test_how_far_warm_models_may_go_is_set_per_queue(client: AsyncClient) -> None:
    job = (await client.post(f"{BASE}/jobs", json=ORC)).json()
    assert (await client.get(f"{BASE}/jobs/{job['id']}")).json()["model"] is None
    (queue,) = (await client.get(f"{BASE}/queues")).json()["items"]
    assert (queue["affinity_jobs"], queue["affinity_seconds"]) == (8, 30)
    body = {"affinity_jobs": 3, "affinity_seconds": 1.5}
    answer = (await client.patch(f"{BASE}/queues/images", json=body)).json()
    assert (answer["affinity_jobs"], answer["affinity_seconds"]) == (3, 1.5)
    answer = (await client.patch(f"{BASE}/queues/images", json={"affinity_jobs": 0})).json()
    assert (answer["affinity_jobs"], answer["affinity_seconds"]) == (0, 1.5)
    for wrong in ({"affinity_jobs": 101}, {"affinity_seconds": -1}):
        assert (await client.patch(f"{BASE}/queues/images", json=wrong)).status_code == 422


async def test_workers_show_what_is_warm(world: World, client: AsyncClient) -> None:
    await client.post(f"{BASE}/jobs", json=ORC)
    await world.claim()
    (shown,) = (await client.get(f"{BASE}/workers")).json()["items"]
    assert (shown["warm"], shown["swaps"]) == ([], 0)


async def test_workers_show_what_they_hold(world: World, client: AsyncClient) -> None:
    job = (await client.post(f"{BASE}/jobs", json=ORC)).json()["id"]
    (idle,) = (await client.get(f"{BASE}/workers")).json()["items"]
    assert (idle["incarnation"], idle["state"], idle["slots"], idle["current_jobs"]) == (
        "w_one",
        "idle",
        10,
        [],
    )
    (lease,) = await world.claim()
    (busy,) = (await client.get(f"{BASE}/workers")).json()["items"]
    assert (busy["state"], busy["running"], busy["current_jobs"], busy["alive"]) == ("busy", 1, [job], True)
    await world.complete(lease)
    assert (await client.get(f"{BASE}/workers")).json()["items"][0]["jobs_done"] == 1


async def test_stats_cover_the_window_in_steps(world: World, client: AsyncClient) -> None:
    for _ in range(3):
        await client.post(f"{BASE}/jobs", json=ORC)
    for lease in await world.claim(2):
        await world.complete(lease)
    stats = (await client.get(f"{BASE}/stats?window=60&step=5")).json()
    assert (stats["counts"]["completed"], stats["counts"]["queued"]) == (2, 1)
    assert stats["queues"]["images"] == stats["counts"]
    assert sum(point["enqueued"] for point in stats["series"]) == 3
    assert sum(point["completed"] for point in stats["series"]) == 2
    assert 12 <= len(stats["series"]) <= 14
    assert any(point["wait_p50"] is not None for point in stats["series"])
    for query in ("window=0", "step=0", "window=100000", "window=86400&step=1", "window=x"):
        assert (await client.get(f"{BASE}/stats?{query}")).status_code == 422, query


async def test_metrics_are_prometheus_text_without_job_labels(client: AsyncClient) -> None:
    job = (await client.post(f"{BASE}/jobs", json={**ORC, "queue": 'a"b\\c'})).json()["id"]
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'stanchion_jobs{queue="a\\"b\\\\c",state="queued"} 1' in answer.text
    assert "stanchion_watchers 0" in answer.text
    assert job not in answer.text
    sample = re.compile(r'[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\.)*"(,[a-z]+="(?:[^"\\\n]|\\.)*")*\})? -?[0-9.e+-]+')
    for line in answer.text.splitlines():
        assert line.startswith("# ") or sample.fullmatch(line), line


async def test_health_names_store_and_version(client: AsyncClient) -> None:
    for path in (f"{BASE}/health", "/health", "/api/health"):
        body = (await client.get(path)).json()
        assert (body["status"], body["store"], body["version"]) == ("ok", "memory", __version__)


async def test_a_store_that_is_away_is_503_and_the_process_lives(
    world: World, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailableError("away")

    for name in ("tail", "list"):
        monkeypatch.setattr(world.store, name, away)
    for answer in (
        await client.get(f"{BASE}/health/ready"),
        await client.get(f"{BASE}/jobs"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
        assert "retry-after" in answer.headers
    assert (await client.get(f"{BASE}/health/live")).status_code == 200


async def test_tasks_carry_the_schema_of_their_arguments(client: AsyncClient) -> None:
    tasks = {task["name"]: task for task in (await client.get(f"{BASE}/tasks")).json()["items"]}
    assert tasks["sprite"]["queue"] == "images"
    assert "prompt" in msgspec.json.encode(tasks["sprite"]["schema"]).decode()


async def test_the_document_describes_every_endpoint(client: AsyncClient) -> None:
    spec = (await client.get(f"{BASE}/openapi.json")).json()
    assert spec["openapi"] == "3.1.0"
    described = {(method.upper(), path) for path, item in spec["paths"].items() for method in item}
    assert described == {(endpoint.method, BASE + endpoint.path) for endpoint in ENDPOINTS}
    ids = [operation["operationId"] for item in spec["paths"].values() for operation in item.values()]
    assert len(ids) == len(set(ids))
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', msgspec.json.encode(spec).decode()))
    assert references <= spec["components"]["schemas"].keys()
    assert {"JobOut", "NewJob", "ProblemOut"} <= references
    for item in spec["paths"].values():
        for operation in item.values():
            assert operation["summary"]
            assert "default" in operation["responses"]
            assert operation.get("security") == [] or operation["x-scope"]


async def test_a_job_answers_as_its_schema_says(client: AsyncClient) -> None:
    from stanchion.server import wire

    body = (await client.post(f"{BASE}/jobs", json=ORC)).json()
    spec = (await client.get(f"{BASE}/openapi.json")).json()
    assert set(spec["components"]["schemas"]["JobOut"]["required"]) == body.keys() == set(wire.JobOut.__struct_fields__)


async def test_the_line_is_the_jobs_that_start_next_with_their_positions(world: World, client: AsyncClient) -> None:
    names = [f"t{n % 2}" for n in range(6)]
    body = {"task": "sprite", "args": {"prompt": "orc"}}
    ids = [(await client.post(f"{BASE}/jobs", json=body | {"tenant": name})).json()["id"] for name in names]
    found = (await client.get(f"{BASE}/line", params={"limit": 4})).json()["items"]
    assert [job["position"] for job in found] == [1, 2, 3, 4]
    assert [job["id"] for job in found] == ids[:4]
    leases = await world.claim(2)
    assert sorted(lease.id for lease in leases) == sorted(ids[:2])
    found = (await client.get(f"{BASE}/line", params={"limit": 4})).json()["items"]
    assert [(job["id"], job["position"]) for job in found] == list(zip(ids[2:], [1, 2, 3, 4], strict=True))
    assert (await client.get(f"{BASE}/line", params={"limit": 99})).status_code == 422
