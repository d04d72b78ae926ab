"""A key that is taken away ends what it opened, also where nothing happens."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from stanchion.errors import ConfigError
from stanchion.security.tokens import mint
from tests.server.live import served, stream
from tests.server.world import BASE, EVERYTHING, FakeSettings, World, key_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.clock import FakeClock

ORC = {"task": "sprite", "args": {"prompt": "orc"}}
KEY, OTHER = mint(), mint()


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path, keys=(key_of(KEY, scopes=EVERYTHING), key_of(OTHER, scopes=EVERYTHING)))
    await world.open()
    yield world
    await world.close()


@pytest.mark.parametrize("path", ["/jobs/{job}/events", "/events?all=1"])
async def test_an_idle_stream_ends_when_its_key_is_revoked(locked: World, path: str) -> None:
    async with served(locked) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}{BASE}") as client:
        job = (await client.post("/jobs", json=ORC, headers=bearer(OTHER))).json()["id"]
        async with (
            stream(client, path.format(job=job), **bearer(KEY)) as revoked,
            stream(client, path.format(job=job), **bearer(OTHER)) as kept,
        ):
            await opened(locked, 2)
            locked.server.door.keyring.replace([key_of(OTHER, scopes=EVERYTHING)])
            async with asyncio.timeout(5):
                assert [event async for event in revoked.events() if event.event == "status"] == []
            (lease,) = await locked.claim()
            assert (await kept.until("status"))[-1].data["job"] == job
            await locked.complete(lease)


async def test_an_idle_socket_is_closed_when_its_key_is_revoked(locked: World) -> None:
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed

    async with (
        served(locked) as port,
        connect(f"ws://127.0.0.1:{port}/ws", additional_headers=bearer(KEY), proxy=None) as socket,
    ):
        await opened(locked, 1)
        locked.server.door.keyring.replace([key_of(OTHER)])
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


async def test_a_request_that_waits_is_refused_when_its_key_is_revoked(locked: World) -> None:
    async with locked.client(KEY) as client:
        job = (await client.post(f"{BASE}/jobs", json=ORC)).json()["id"]
        waiting = asyncio.create_task(client.get(f"{BASE}/jobs/{job}?wait=30&version=1"))
        await opened(locked, 1)
        locked.server.door.keyring.replace([key_of(OTHER)])
        answer = await asyncio.wait_for(waiting, 5)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def opened(world: World, count: int) -> None:
    """Wait until so many watch."""
    async with asyncio.timeout(5):
        while world.app.watch.watching < count:  # noqa: ASYNC110 - a count, looked at from outside
            await asyncio.sleep(0.01)


def key_file(folder: Path, *keys: str) -> Path:
    """Write a key file as an editor does: the new one takes the place of the old."""
    fresh = folder / "keys.toml.new"
    fresh.write_text("".join(f'[[key]]\nkey = "{key}"\n' for key in keys))
    fresh.chmod(0o600)
    return fresh.replace(folder / "keys.toml")


@pytest.fixture
async def filed(tmp_path: Path, clock: FakeClock) -> AsyncIterator[World]:
    """Return a world whose keys are in a file."""
    file = key_file(tmp_path, KEY, OTHER)
    world = World(tmp_path, FakeSettings(keys_file=str(file)), clock=clock)
    await world.open()
    yield world
    await world.close()


@pytest.fixture
def clock() -> FakeClock:
    from tests.clock import FakeClock as Clock

    return Clock()


async def test_a_key_that_is_taken_from_the_file_is_refused_within_a_second(
    filed: World, tmp_path: Path, clock: FakeClock
) -> None:
    fresh = mint()
    async with filed.client(KEY) as old, filed.client(OTHER) as kept, filed.client(fresh) as new:
        assert [(await one.get(f"{BASE}/jobs")).status_code for one in (old, kept, new)] == [200, 200, 401]
        key_file(tmp_path, OTHER, fresh)
        clock.pass_(1_000)
        assert [(await one.get(f"{BASE}/jobs")).status_code for one in (old, kept, new)] == [401, 200, 200]


async def test_a_file_without_keys_locks_all_out_and_lets_nobody_in(
    filed: World, tmp_path: Path, clock: FakeClock
) -> None:
    key_file(tmp_path)
    clock.pass_(1_000)
    async with filed.client(KEY) as known, filed.client() as stranger:
        assert (await known.get(f"{BASE}/jobs")).status_code == 401
        assert (await stranger.get(f"{BASE}/jobs")).status_code == 401
        assert (await stranger.get(f"{BASE}/session")).json() == {
            "authenticated": False, "required": True, "tenant": None, "scopes": [],
        }  # fmt: skip


async def test_a_server_that_starts_with_an_empty_key_file_is_not_open(tmp_path: Path) -> None:
    world = World(tmp_path, FakeSettings(keys_file=str(key_file(tmp_path))))
    await world.open()
    async with world.client() as stranger:
        assert (await stranger.get(f"{BASE}/jobs")).status_code == 401
    await world.close()


@pytest.mark.parametrize("damage", ["text", "mode", "gone"])
async def test_a_key_file_that_cannot_be_read_changes_no_key_and_is_told_once(
    filed: World, tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    file = tmp_path / "keys.toml"
    async with filed.client(KEY) as client:
        assert (await client.get(f"{BASE}/jobs")).status_code == 200
        match damage:
            case "text":
                file.write_text(f'[[key]\nkey = "{OTHER}"\n')
            case "mode":
                file.chmod(0o644)
            case _:
                file.unlink()
        for _ in range(3):
            clock.pass_(1_000)
            assert (await client.get(f"{BASE}/jobs")).status_code == 200
        told = [record for record in caplog.records if "keys.toml" in record.getMessage()]
        assert len(told) == 1
        assert "keys that were known" in told[0].getMessage()
        assert KEY not in caplog.text
        assert OTHER not in caplog.text
        key_file(tmp_path, OTHER)
        clock.pass_(1_000)
        assert (await client.get(f"{BASE}/jobs")).status_code == 401


async def test_an_idle_stream_ends_when_its_key_is_taken_from_the_file(tmp_path: Path) -> None:
    world = World(tmp_path, FakeSettings(keys_file=str(key_file(tmp_path, KEY, OTHER))))
    await world.open()
    async with (
        served(world) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}{BASE}") as client,
        stream(client, "/events?all=1", **bearer(KEY)) as revoked,
    ):
        await opened(world, 1)
        key_file(tmp_path, OTHER)
        async with asyncio.timeout(10):
            assert [event async for event in revoked.events()] == []
    await world.close()


async def test_a_key_file_that_did_not_change_is_not_read_again(
    filed: World, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object, **__: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("stanchion.server.keyfile.load_keys", read)
    async with filed.client(KEY) as client:
        for _ in range(3):
            clock.pass_(1_000)
            assert (await client.get(f"{BASE}/jobs")).status_code == 200


def test_a_key_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"keys\.toml"):
        World(tmp_path, FakeSettings(keys_file=str(tmp_path / "keys.toml")))
