"""Sessions outlive the server that opened them, and end when they are told to."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from stanchion.errors import ConfigError
from stanchion.security.tokens import mint
from stanchion.server.auth import Door
from stanchion.server.keyfile import Keys
from stanchion.server.seal import Seal, renew
from tests.clock import T0
from tests.server.live import served, stream
from tests.server.world import BASE, EVERYTHING, FakeSettings, World, key_of

if TYPE_CHECKING:
    from pathlib import Path

KEY = mint()


def server(folder: Path, name: str = "jobs.db-session") -> World:
    """Return one more server over the same database folder."""
    settings = FakeSettings(session_path=folder / name)
    return World(folder, settings, keys=(key_of(KEY, scopes=EVERYTHING),))


async def cookie_of(world: World) -> str:
    async with world.client() as client:
        opened = await client.post(f"{BASE}/session", json={"key": KEY})
        assert opened.status_code == 200
        return client.cookies["stanchion_session"]


async def admits(world: World, cookie: str) -> bool:
    async with world.client(cookie=f"stanchion_session={cookie}") as client:
        return (await client.get(f"{BASE}/session")).json()["authenticated"]


async def test_a_session_outlives_a_restart_and_holds_on_every_server_of_the_database(tmp_path: Path) -> None:
    first = server(tmp_path)
    cookie = await cookie_of(first)
    await first.close()
    for again in (server(tmp_path), server(tmp_path)):
        assert await admits(again, cookie)
        await again.close()


async def test_a_database_in_memory_has_sessions_of_its_process_alone(tmp_path: Path) -> None:
    keys = (key_of(KEY, scopes=EVERYTHING),)
    one, two = World(tmp_path, keys=keys), World(tmp_path, keys=keys)
    cookie = await cookie_of(one)
    assert (await admits(one, cookie), await admits(two, cookie)) == (True, False)
    await one.close()
    await two.close()


async def test_a_new_secret_ends_all_sessions_also_on_servers_that_run(tmp_path: Path) -> None:
    running = server(tmp_path)
    cookie = await cookie_of(running)
    renew(tmp_path / "jobs.db-session")
    seal = running.server.door.seal
    assert seal.of(b"x", T0 + 10_000) == Seal(tmp_path / "jobs.db-session").of(b"x", T0)
    started = server(tmp_path)
    assert not await admits(started, cookie)
    await running.close()
    await started.close()


async def test_a_new_secret_ends_the_open_streams_of_sessions_and_no_others(tmp_path: Path) -> None:
    world = server(tmp_path)
    await world.open()
    cookie = {"cookie": f"stanchion_session={await cookie_of(world)}"}
    bearer = {"authorization": f"Bearer {KEY}"}
    async with (
        served(world) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}{BASE}") as client,
        stream(client, "/events?all=1", **cookie) as ended,
        stream(client, "/events?all=1", **bearer) as kept,
    ):
        renew(tmp_path / "jobs.db-session")
        async with asyncio.timeout(10):
            assert [event async for event in ended.events()] == []
        await client.post("/jobs", json={"task": "sprite", "args": {"prompt": "orc"}}, headers=bearer)
        assert await kept.until("status")
    await world.close()


def test_a_secret_that_was_removed_is_made_anew(tmp_path: Path) -> None:
    seal = Seal(tmp_path / "s")
    before = seal.of(b"x", T0)
    (tmp_path / "s").unlink()
    after = seal.of(b"x", T0 + 1_000)
    assert after != before
    assert Seal(tmp_path / "s").of(b"x", T0) == after


def test_the_secret_is_long_and_for_its_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        Seal(tmp_path / "s").of(b"x", T0)
        renew(tmp_path / "s")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600
    assert len(bytes.fromhex((tmp_path / "s").read_text().strip())) == 32
    assert [entry.name for entry in tmp_path.iterdir()] == ["s"], "nothing is left beside it"


def test_servers_that_start_at_once_share_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        sealed = set(pool.map(lambda _: Seal(tmp_path / "s").of(b"x", T0), range(64)))
    assert len(sealed) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["s"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    Seal(tmp_path / "s").of(b"x", T0)
    (tmp_path / "s").chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        Seal(tmp_path / "s").of(b"x", T0)


@pytest.mark.parametrize("text", ["", "ab", "z" * 64, "ab" * 31, "\0" * 64, "ü" * 32])
def test_a_secret_that_is_none_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    (tmp_path / "s").write_text(text, "utf-8")
    (tmp_path / "s").chmod(0o600)
    with pytest.raises(ConfigError) as refused:
        Seal(tmp_path / "s").of(b"x", T0)
    assert "--new-sessions" in refused.value.remedy
    assert not text or text not in str(refused.value)


def test_a_folder_that_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written") as refused:
        Seal(tmp_path / "none" / "s").of(b"x", T0)
    assert "session_file" in refused.value.remedy


def test_a_secret_that_breaks_while_the_server_runs_ends_no_session(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seal = Seal(tmp_path / "s")
    before = seal.of(b"x", T0)
    (tmp_path / "s").chmod(0o644)
    assert seal.of(b"x", T0 + 1_000) == before
    assert seal.of(b"x", T0 + 2_000) == before
    assert len(caplog.records) == 1
    assert (tmp_path / "s").read_text().strip() not in caplog.text


async def test_the_secret_is_in_no_log_and_no_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world = server(tmp_path)
    async with world.client() as client:
        answer = await client.post(f"{BASE}/session", json={"key": KEY})
        secret = (tmp_path / "jobs.db-session").read_text().strip()
        for text in (caplog.text, answer.text, str(answer.headers), repr(world.server.door.seal)):
            assert secret not in text
    await world.close()


async def test_a_session_ends_with_its_key_also_after_a_restart(tmp_path: Path) -> None:
    first = server(tmp_path)
    cookie = await cookie_of(first)
    await first.close()
    other = World(tmp_path, first.settings, keys=(key_of(mint()),))
    assert not await admits(other, cookie)
    await other.close()


def test_a_server_without_keys_keeps_no_secret(tmp_path: Path) -> None:
    door = Door(Keys(), Seal(tmp_path / "s"))
    assert door.required is False
    assert list(tmp_path.iterdir()) == []
