"""The time left on the wire: in a job, in lists and in events; null where it cannot be said."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from stanchion.domain.estimates import Durations, Ended, Work
from stanchion.domain.job import NewJob
from tests.server.live import served, stream
from tests.server.world import BASE, World

NOTHING = {"p50": 0.0, "p90": 0.0}


def job_id(n: int) -> str:
    return f"01890000-0000-7000-8000-{n:012x}"


async def teach(world: World, took: int = 20_000) -> None:
    known = Durations().learned([Ended(Work("sprite"), took) for _ in range(30)], world.store.now())
    assert await world.store.learn(0, 1, known.seen)


async def enqueue(world: World, *numbers: int, **fields: Any) -> None:
    await world.store.enqueue([NewJob(job_id(n), "sprite", b"{}", **fields) for n in numbers])


async def get(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(f"{BASE}{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_job_tells_when_it_starts_and_ends_in_seconds(world: World, client: httpx.AsyncClient) -> None:
    await enqueue(world, *range(1, 23))
    await teach(world)
    first, last = await get(client, f"/jobs/{job_id(1)}"), await get(client, f"/jobs/{job_id(22)}")
    assert first["position"] == 1
    assert first["eta"]["starts_in"] == NOTHING
    assert first["eta"]["finishes_in"]["p50"] == pytest.approx(20, rel=0.05)
    assert not first["eta"]["late"]
    assert last["position"] == 22
    assert last["eta"]["starts_in"]["p50"] == pytest.approx(40, rel=0.05)
    assert last["eta"]["starts_in"]["p90"] >= last["eta"]["starts_in"]["p50"]


async def test_a_running_job_tells_its_rest_and_an_ended_one_nothing(world: World, client: httpx.AsyncClient) -> None:
    await enqueue(world, 1)
    await teach(world, 3_600_000)
    (lease,) = await world.claim()
    shown = await get(client, f"/jobs/{lease.id}")
    assert shown["position"] == 0
    assert shown["eta"]["starts_in"] == NOTHING
    assert 3_000 < shown["eta"]["finishes_in"]["p50"] < 3_700
    await world.complete(lease)
    assert (await get(client, f"/jobs/{lease.id}"))["eta"] is None


async def test_lists_tell_it_too(world: World, client: httpx.AsyncClient) -> None:
    await enqueue(world, 1, 2)
    await teach(world)
    jobs = (await get(client, "/jobs"))["items"]
    assert [job["eta"]["starts_in"] for job in jobs] == [NOTHING, NOTHING]


async def test_it_is_null_where_it_cannot_be_said(world: World, client: httpx.AsyncClient) -> None:
    await enqueue(world, 1)
    assert (await get(client, f"/jobs/{job_id(1)}"))["eta"] is None, "nothing was learned"
    await teach(world)
    await enqueue(world, 2, delay=60_000)
    await enqueue(world, 3, queue="paused")
    await world.store.configure("paused", paused=True)
    await world.store.enqueue([NewJob(job_id(4), "nobody", b"{}")])
    for number in (2, 3, 4):
        shown = await get(client, f"/jobs/{job_id(number)}")
        assert shown["waiting_on"] is not None
        assert shown["eta"] is None


async def test_position_events_tell_it_on_change_alone(world: World) -> None:
    await enqueue(world, *range(1, 22))
    await teach(world)
    async with (
        asyncio.timeout(15),
        served(world) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}{BASE}") as live,
        stream(live, f"/jobs/{job_id(21)}/events") as reader,
    ):
        reading = reader.events()
        first = await anext(reading)
        assert (first.event, first.data["position"]) == ("snapshot", 21)
        assert first.data["eta"]["starts_in"]["p50"] == pytest.approx(40, rel=0.05)
        told = await anext(reading)
        assert (told.event, told.id, told.data["position"]) == ("position", None, 21)
        await world.claim()
        told = await anext(reading)
        assert (told.event, told.id, told.data["position"], told.data["ahead"]) == ("position", None, 20, 19)
        assert told.data["eta"].keys() == {"starts_in", "finishes_in", "late"}
