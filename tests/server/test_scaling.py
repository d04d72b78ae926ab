"""How many workers a queue should have, over HTTP: one number at a stable place, and a gauge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.limits import Limit
from stanchion.domain.units import MINUTE, SECOND
from tests.clock import FakeClock
from tests.server.world import BASE, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from httpx import AsyncClient

ORC = {"task": "sprite", "args": {"prompt": "orc"}}
PATH = f"{BASE}/queues/images/scaling"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def world(tmp_path: Path, clock: FakeClock) -> AsyncIterator[World]:
    made = World(tmp_path / "artifacts", clock=clock)
    await made.open()
    yield made
    await made.close()


async def enqueue(client: AsyncClient, count: int) -> None:
    for _ in range(count):
        assert (await client.post(f"{BASE}/jobs", json=ORC)).status_code == 201


async def read(client: AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await client.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_number_and_its_parts_are_told(world: World, client: AsyncClient, clock: FakeClock) -> None:
    await enqueue(client, 6)
    first = await read(client, slots=1)
    assert first == {
        "queue": "images",
        "desired": 6,
        "arrival_rate": pytest.approx(6 / 300),
        "mean_duration": None,
        "waiting": 6,
        "held": 0,
        "running": 0,
        "wait_target": 30.0,
    }
    leases = await world.claim(6)
    clock.pass_(4 * SECOND)
    for lease in leases:
        await world.complete(lease)
    found = await read(client, slots=1, quiet=0)
    assert (found["mean_duration"], found["waiting"], found["running"], found["desired"]) == (4.0, 0, 0, 0)
    assert (await read(client, slots=1))["desired"] == 6  # it has not been quiet for long enough


async def test_it_grows_at_once_and_falls_after_the_quiet_time(
    world: World, client: AsyncClient, clock: FakeClock
) -> None:
    await enqueue(client, 5)
    assert (await read(client, slots=1, quiet=60))["desired"] == 5
    for lease in await world.claim(5):
        await world.complete(lease)
    for _ in range(6):
        clock.pass_(9 * SECOND)
        assert (await read(client, slots=1, quiet=60))["desired"] == 5
    clock.pass_(20 * SECOND)
    assert (await read(client, slots=1, quiet=60))["desired"] <= 1
    clock.pass_(60 * MINUTE)
    assert (await read(client, slots=1, quiet=0))["desired"] == 0


async def test_jobs_at_a_limit_or_in_a_paused_queue_ask_for_no_worker(
    world: World, client: AsyncClient, clock: FakeClock
) -> None:
    await world.store.configure_limit(Limit("queue:images", running=1))
    await enqueue(client, 9)
    await world.claim(9)
    found = await read(client, slots=1)
    assert (found["waiting"], found["held"], found["running"], found["desired"]) == (0, 8, 1, 1)
    await world.store.drop_limit("queue:images")
    clock.pass_(2 * SECOND)
    assert (await read(client, slots=1))["desired"] >= 9
    await client.post(f"{BASE}/queues/images/pause")
    clock.pass_(2 * SECOND)
    assert (await read(client, slots=1))["held"] == 8


async def test_bounds_and_slots_are_the_askers(client: AsyncClient) -> None:
    await enqueue(client, 30)
    assert (await read(client))["desired"] == 3
    assert (await read(client, slots=2))["desired"] == 15
    assert (await read(client, slots=2, max=4))["desired"] == 4
    assert (await read(client, slots=100, min=2))["desired"] == 2
    for wrong in ({"min": 5, "max": 4}, {"slots": 0}, {"wait": 0}, {"max": "many"}, {"quiet": -1}):
        assert (await client.get(PATH, params=wrong)).status_code == 422
    assert (await client.get(f"{BASE}/queues/nowhere/scaling")).status_code == 404


async def test_the_metrics_have_the_same_number(client: AsyncClient) -> None:
    await enqueue(client, 30)
    assert 'stanchion_queue_desired_workers{queue="images"} 3' in (await client.get("/metrics")).text


async def test_all_queues_are_told_at_once(client: AsyncClient) -> None:
    await enqueue(client, 3)
    answer = await client.get(f"{BASE}/scaling", params={"slots": 1})
    assert answer.status_code == 200
    (found,) = answer.json()["items"]
    assert (found["queue"], found["desired"], found["waiting"]) == ("images", 3, 3)
