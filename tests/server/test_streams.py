"""Event streams: complete, resumable without gap or repeat, bounded, and ended where the job ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from stanchion.domain.policy import Retention
from stanchion.security.scopes import EVERYTHING
from stanchion.server.limits import Limits
from stanchion.settings import Settings
from tests.clock import FakeClock
from tests.server.live import Reader, Sse, served, stream
from tests.server.world import (
    BASE,
    PNG,
    FakeSettings,
    LogNote,
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

ORC = {"task": "sprite", "args": {"prompt": "orc"}}
DURABLE = ("status", "output")


@pytest.fixture
async def live(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with served(world) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}{BASE}") as client:
        yield client


async def create(client: httpx.AsyncClient, **fields: Any) -> str:
    answer = await client.post("/jobs", json={**ORC, **fields})
    return answer.json()["id"]


def words(events: list[Sse]) -> list[str]:
    """Return the durable story: states and chunks."""
    return [e.data["state"] if e.event == "status" else e.data["chunk"] for e in events if e.event in DURABLE]


async def finished(world: World, *chunks: bytes) -> None:
    (lease,) = await world.claim()
    for chunk in chunks:
        await world.note(lease, OutputNote("text", chunk))
    await world.complete(lease, "done")


async def test_a_stream_tells_the_whole_story_and_ends(world: World, live: httpx.AsyncClient) -> None:
    job = await create(live)
    async with stream(live, f"/jobs/{job}/events") as reader:
        reading = reader.events()
        first = await anext(reading)
        assert (first.event, first.id, first.data["id"], first.data["args"]) == (
            "snapshot",
            "1-0",
            job,
            {"prompt": "orc"},
        )
        (lease,) = await world.claim()
        await world.note(lease, ProgressNote(1, 4, None, "hi", "mask"), PreviewNote(PNG, "image/png", 8, 8, 1))
        await world.note(lease, OutputNote("text", b"a"), OutputNote("text", b"b"))
        events = []
        async for event in reading:
            events.append(event)
            if {e.event for e in events} >= {"progress", "preview", "output"}:
                break
        await world.complete(lease, "done")
        events += [event async for event in reading]
    assert words(events) == ["running", "a", "b", "completed"]
    assert [e.id for e in events if e.event in (*DURABLE, "done")] == ["2-0", "2-1", "2-2", "3-2", "3-2"]
    assert events[-1].event == "done"
    by_name = {e.event: e for e in events}
    assert by_name["progress"].id is by_name["preview"].id is None
    assert by_name["progress"].data["fraction"] == 0.25
    assert (await live.get(by_name["preview"].data["url"].removeprefix(BASE))).status_code == 204
    assert by_name["preview"].data["content_type"] == "image/png"
    assert "result" not in by_name["done"].data
    assert reader.raw[0] == "retry: 2000"


async def test_the_headers_keep_proxies_from_holding_back(world: World, live: httpx.AsyncClient) -> None:
    job = await create(live)
    async with live.stream("GET", f"/jobs/{job}/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store, no-transform"
        assert answer.headers["x-accel-buffering"] == "no"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "content-encoding" not in answer.headers


async def test_a_reconnect_at_the_end_is_204_which_stops_a_browser(world: World, live: httpx.AsyncClient) -> None:
    job = await create(live)
    await finished(world, b"a")
    async with stream(live, f"/jobs/{job}/events") as reader:
        await reader.until("done")
    assert reader.last_id == "3-1"
    again = await live.get(f"/jobs/{job}/events", headers={"last-event-id": reader.last_id})
    assert (again.status_code, again.content) == (204, b"")
    assert (await live.get(f"/jobs/{job}/events?after=3-1")).status_code == 204
    async with stream(live, f"/jobs/{job}/events?after=3-1", **{"last-event-id": "3-0"}) as other:  # the header wins
        assert words(await other.until("done")) == ["a"]


@pytest.mark.parametrize("how", ["header", "query"])
async def test_every_resume_point_gives_the_rest_and_nothing_twice(
    world: World, live: httpx.AsyncClient, how: str
) -> None:
    job = await create(live)
    (lease,) = await world.claim()
    chunks = [f"c{n}".encode() for n in range(4)]
    for chunk in chunks:
        await world.note(lease, OutputNote("text", chunk))
    await live.post(f"/jobs/{job}/cancel")
    await world.cancelled(lease)
    async with stream(live, f"/jobs/{job}/events?after=0-0") as reader:
        story = await reader.until("done")
    whole = words(story)
    assert whole == ["queued", "running", "running", "c0", "c1", "c2", "c3", "cancelled"]
    ids = [event.id for event in story if event.event in DURABLE]
    for place, id_ in enumerate(ids[:-1]):
        path, headers = f"/jobs/{job}/events", {"last-event-id": str(id_)}
        if how == "query":
            path, headers = f"{path}?after={id_}", {}
        async with stream(live, path, **headers) as again:
            assert words(await again.until("done")) == whole[place + 1 :], id_


async def test_a_reader_that_is_cut_again_and_again_misses_and_repeats_nothing(
    world: World, live: httpx.AsyncClient
) -> None:
    job = await create(live)
    expected = [f"t{n}" for n in range(60)]

    async def work() -> None:
        (lease,) = await world.claim()
        for word in expected:
            await world.note(lease, OutputNote("text", word.encode()))
            await asyncio.sleep(0.005)
        await world.complete(lease)

    working = asyncio.create_task(work())
    told: list[Sse] = []
    last = ""
    while not told or told[-1].event != "done":
        headers = {"last-event-id": last} if last else {}
        async with stream(live, f"/jobs/{job}/events", **headers) as reader:
            count = 0
            async for event in reader.events():
                told.append(event)
                count += 1
                if count == 5:
                    break
            last = reader.last_id or last
    await working
    assert [word for word in words(told) if word.startswith("t")] == expected
    versions = [e.data["version"] for e in told if e.event == "status"]
    assert versions == sorted(set(versions))


async def test_outputs_of_a_new_attempt_start_anew(world: World, live: httpx.AsyncClient) -> None:
    from stanchion.domain.outcome import Released

    job = await create(live)
    async with stream(live, f"/jobs/{job}/events") as reader:
        reading = reader.events()
        await anext(reading)
        (lease,) = await world.claim()
        await world.note(lease, OutputNote("text", b"old"))
        await asyncio.sleep(0.1)
        await world.end(lease, Released())
        await finished(world, b"new")
        events = [event async for event in reading]
    assert words(events)[-3:] == ["running", "new", "completed"]
    assert [e.id for e in events if e.event == "output"][-1] == "4-1"
    async with stream(live, f"/jobs/{job}/events?after=2-1") as again:
        assert words(await again.until("done")) == ["queued", "running", "new", "completed"]


async def test_a_cursor_of_the_future_is_reset_with_a_snapshot(world: World, live: httpx.AsyncClient) -> None:
    job = await create(live)
    await finished(world)
    async with stream(live, f"/jobs/{job}/events?after=99-0") as reader:
        events = await reader.until("done")
    assert [event.event for event in events] == ["reset", "snapshot", "done"]
    assert events[0].data == {"reason": "history_gone", "from": "99-0"}
    assert (events[0].id, events[1].id) == (None, "3-0")


@pytest.mark.parametrize("cursor", ["x", "1", "1-", "-1", "1-2-3", "1e3-0", "9" * 30 + "-0", "\u0661-\u0662"])
async def test_what_is_no_cursor_is_400(world: World, live: httpx.AsyncClient, cursor: str) -> None:
    job = await create(live)
    for path in (f"/jobs/{job}/events", "/events?all=1"):
        answer = await live.get(path, params={"all": "1", "after": cursor})
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


async def test_a_job_can_be_streamed_from_its_post(world: World, live: httpx.AsyncClient) -> None:
    async with live.stream("POST", "/jobs", json=ORC, headers={"accept": "text/event-stream"}) as answer:
        assert answer.status_code == 201
        assert answer.headers["location"].startswith(f"{BASE}/jobs/")
        reader = Reader(answer)
        reading = reader.events()
        assert (await anext(reading)).event == "snapshot"
        await finished(world, b"x")
        assert words([event async for event in reading]) == ["running", "x", "completed"]


async def test_the_feed_resumes_by_its_two_cursors(world: World, live: httpx.AsyncClient) -> None:
    async with stream(live, "/events?all=1") as reader:
        reading = reader.events()
        first = await create(live)
        assert (await anext(reading)).data["job"] == first
        start = reader.last_id
    await finished(world, b"a", b"b")
    second = await create(live)
    await finished(world, b"c")
    async with stream(live, "/events?all=1", **{"last-event-id": start}) as again:
        events: list[Sse] = []
        async for event in again.events():
            if event.event in DURABLE:
                events.append(event)
            if len(events) == 7:
                break
    assert words(events) == ["running", "a", "b", "completed", "queued", "running", "c"]
    assert [event.data["job"] for event in events] == [first] * 4 + [second] * 3
    ids = [tuple(map(int, str(event.id).split("-"))) for event in events]
    assert ids == sorted(ids)
    for place, event in enumerate(events[:-1]):
        async with stream(live, f"/events?all=1&after={event.id}") as other:
            rest: list[Sse] = []
            async for later in other.events():
                if later.event in DURABLE:
                    rest.append(later)
                if len(rest) == len(events) - place - 1:
                    break
            assert words(rest) == words(events[place + 1 :])


async def test_thin_fields_ride_with_every_status_of_the_feed(world: World, live: httpx.AsyncClient) -> None:
    async with stream(live, "/events?all=1") as reader:
        reading = reader.events()
        job = await create(live, user="ada")
        event = await anext(reading)
        assert event.data.keys() >= {
            "job", "state", "version", "at", "attempt", "position", "queue", "task", "priority", "tenant", "user",
            "error", "created_at", "started_at", "ended_at",
        }  # fmt: skip
        assert (event.data["job"], event.data["user"], event.data["position"]) == (job, "ada", 1)
        (lease,) = await world.claim()
        sha = await asyncio.to_thread(world.app.artifacts.put, PNG)
        await world.note(lease, OutputNote("artifact", None, "result", "image/png", len(PNG), sha, 8, 8))
        await world.complete(lease)
        ended = [e async for e in _until_final(reading)]
        assert ended[-1].data["outputs"][0]["sha256"] == sha


async def _until_final(reading: AsyncIterator[Sse]) -> AsyncIterator[Sse]:
    async for event in reading:
        yield event
        if event.event == "status" and event.data["state"] == "completed":
            return


async def test_named_jobs_start_with_a_snapshot_each(world: World, live: httpx.AsyncClient) -> None:
    one, two, other = await create(live), await create(live), await create(live)
    async with stream(live, f"/events?jobs={one},{two}") as reader:
        reading = reader.events()
        snapshots = [await anext(reading), await anext(reading)]
        assert [(e.event, e.data["job"]) for e in snapshots] == [("snapshot", one), ("snapshot", two)]
        for _ in range(3):
            await finished(world)
        events: list[Sse] = []
        async for event in reading:
            events.append(event)
            if sum(e.event == "done" for e in events) == 2:
                break
        assert {event.data["job"] for event in events} == {one, two}
        assert other not in str(events)


async def test_positions_are_pushed_when_they_change(world: World, live: httpx.AsyncClient) -> None:
    for _ in range(2):
        await create(live)
    third = await create(live)
    async with stream(live, f"/jobs/{third}/events") as reader:
        seen: list[int | None] = []
        reading = reader.events()
        assert (await anext(reading)).data["position"] == 3
        for _ in range(2):
            await world.claim()
            async for event in reading:
                if event.event == "position" and event.data["position"] != 3:
                    seen.append(event.data["position"])
                    break
        assert seen == [2, 1]
        await live.post("/queues/images/pause")
        async for event in reading:
            if event.event == "position" and event.data["waiting_on"]:
                assert event.data["waiting_on"]["reason"] == "paused_queue"
                break


async def test_progress_is_coalesced_to_four_a_second(world: World, live: httpx.AsyncClient) -> None:
    job = await create(live)
    async with stream(live, f"/jobs/{job}/events") as reader:
        reading = reader.events()
        await anext(reading)
        (lease,) = await world.claim()
        for n in range(100):
            await world.note(lease, ProgressNote(n, 100))
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.5)
        await world.complete(lease)
        told = [event.data["index"] async for event in reading if event.event == "progress"]
    assert 2 <= len(told) <= 6
    assert told[-1] == 99
    assert told == sorted(told)


async def test_log_lines_are_told_once_and_before_the_end(world: World, live: httpx.AsyncClient) -> None:
    job = await create(live)
    async with stream(live, f"/jobs/{job}/events") as early:
        reading = early.events()
        await anext(reading)
        (lease,) = await world.claim()
        await world.note(lease, LogNote("info", "one"), LogNote("warning", "two"))
        told: list[Sse] = []
        async for event in reading:
            told.append(event)
            if event.event == "log" and event.data["message"] == "two":
                break
        async with stream(live, f"/events?jobs={job}") as late:
            later = late.events()
            first = [await anext(later) for _ in range(3)]
            assert [event.event for event in first] == ["snapshot", "log", "log"]
            await world.note(lease, LogNote("info", "three"))
            await world.complete(lease)
            rest = [event async for event in reading]
    told += rest
    assert [event.data["message"] for event in told if event.event == "log"] == ["one", "two", "three"]
    assert {event.id for event in told if event.event == "log"} == {None}
    assert told[-1].event == "done"
    lines = (await live.get(f"/jobs/{job}/logs?after={told[0].data.get('cursor', 0)}")).json()["items"]
    assert [(line["level"], line["message"]) for line in lines][-2:] == [("warning", "two"), ("info", "three")]


async def test_stats_come_at_once_and_at_most_once_a_second(world: World, live: httpx.AsyncClient) -> None:
    async with stream(live, "/events?stats=1") as reader:
        reading = reader.events()
        first = await asyncio.wait_for(anext(reading), 2)
        assert (first.event, first.id) == ("stats", None)
        assert first.data.keys() == {"counts", "queues", "series"}
        began = asyncio.get_running_loop().time()
        for _ in range(20):
            await create(live)
        second = await asyncio.wait_for(anext(reading), 3)
        assert asyncio.get_running_loop().time() - began > 0.5
        assert second.data["counts"]["queued"] == 20
        assert second.data["queues"]["images"]["queued"] == 20


async def test_an_empty_stream_is_refused(live: httpx.AsyncClient) -> None:
    assert (await live.get("/events")).status_code == 400
    assert (await live.get("/events?jobs=x")).status_code == 422


async def test_too_many_streams_are_429_and_polling_goes_on(tmp_path: Path) -> None:
    key = mint()
    keys = (key_of(key, scopes=EVERYTHING),)
    world = World(tmp_path, limits=Limits(streams_per_key=2), keys=keys)
    await world.open()
    headers = {"authorization": f"Bearer {key}"}
    async with (
        served(world) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}{BASE}", headers=headers) as client,
    ):
        job = await create(client)
        path = f"/jobs/{job}/events"
        async with stream(client, path) as one, stream(client, path) as two:
            await anext(one.events())
            await anext(two.events())
            refused = await client.get(path)
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
            assert "retry-after" in refused.headers
            assert (await client.get(f"/jobs/{job}")).status_code == 200
        async with asyncio.timeout(5):
            while world.server.streams.open:  # noqa: ASYNC110 - a count, looked at from outside
                await asyncio.sleep(0.01)
        async with stream(client, path) as again:
            assert (await anext(again.events())).event == "snapshot"
    await world.close()


async def test_a_stream_ends_when_its_key_is_revoked(tmp_path: Path) -> None:
    key = mint()
    world = World(tmp_path, keys=(key_of(key, scopes=EVERYTHING),))
    await world.open()
    headers = {"authorization": f"Bearer {key}"}
    async with (
        served(world) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}{BASE}", headers=headers) as client,
    ):
        job = await create(client)
        async with stream(client, f"/jobs/{job}/events") as reader:
            reading = reader.events()
            await anext(reading)
            world.server.door.keyring.replace([key_of(mint())])
            await finished(world)
            assert [event.event async for event in reading if event.event in DURABLE] == []
    await world.close()


async def test_a_draining_server_sends_its_watchers_away_with_a_time_to_come_back(world: World) -> None:
    async with served(world) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}{BASE}") as client:
        job = await create(client)
        async with stream(client, f"/jobs/{job}/events") as reader:
            reading = reader.events()
            await anext(reading)
            await world.server.close()
            rest = [event async for event in reading]
            assert all(event.event == "position" for event in rest)
            assert reader.retry is not None
            assert 1_000 <= reader.retry <= 5_000


async def test_history_that_was_pruned_resets_the_feed(tmp_path: Path) -> None:
    clock = FakeClock()
    world = World(tmp_path, clock=clock)
    await world.open()
    async with served(world) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}{BASE}") as client:
        await create(client)
        await finished(world)
        clock.pass_(10)
        await world.store.maintain(Retention(0, 0, 0), 100)
        kept = await create(client)
        async with stream(client, f"/events?jobs={kept}&all=1&after=1-0") as reader:
            reading = reader.events()
            assert (await anext(reading)).event == "reset"
            assert (await anext(reading)).event == "snapshot"
    await world.close()


async def test_a_key_has_fifty_streams_unless_the_settings_say_otherwise(tmp_path: Path) -> None:
    assert Limits().streams_per_key == Settings().streams_per_key == FakeSettings().streams_per_key == 50
    one, other = mint(), mint()
    keys = (key_of(one, scopes=EVERYTHING), key_of(other, scopes=EVERYTHING))
    world = World(tmp_path, FakeSettings(streams_per_key=1), keys=keys)
    await world.open()
    async with served(world) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}{BASE}") as client:
        mine, theirs = ({"authorization": f"Bearer {key}"} for key in (one, other))
        async with stream(client, "/events?all=1", **mine):
            refused = await client.get("/events?all=1", headers=mine)
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
            assert refused.headers["content-type"] == "application/problem+json"
            problem = refused.json()
            assert (problem["code"], problem["retryable"], problem["retry_after"]) == ("too_many_streams", True, 10)
            assert "1 streams" in problem["detail"]
            assert "streams_per_key" in problem["remedy"]
            waited = await client.post("/jobs", json=ORC, headers={**mine, "prefer": "wait=5"})
            assert waited.status_code == 429
            assert (await client.get("/jobs", headers=mine)).json()["items"] == [], "what is refused is not stored"
            async with stream(client, "/events?all=1", **theirs):
                assert world.server.streams.open == 2
    await world.close()
