"""Who may do what: every route, with every kind of credential, from the route table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from stanchion.errors import ConfigError
from stanchion.security.keys import load_keys
from stanchion.security.scopes import EVERYTHING, JOBS_READ, JOBS_WRITE
from stanchion.security.tokens import digest, mint, parse
from stanchion.server.app import ENDPOINTS, PUBLIC
from stanchion.server.auth import check_bind
from tests.server.world import BASE, FakeSettings, World, key_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from stanchion.server.context import Endpoint

KEYS = {name: mint("test") for name in ("all", "reader", "writer", "none", "expired")}
UNKNOWN = mint("test")
ROUTES = [pytest.param(endpoint, id=f"{endpoint.method} {endpoint.path}") for endpoint in ENDPOINTS]
MISSING = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[World]:
    keys = (
        key_of(KEYS["all"], scopes=EVERYTHING),
        key_of(KEYS["reader"], scopes=frozenset({JOBS_READ})),
        key_of(KEYS["writer"], scopes=frozenset({JOBS_WRITE})),
        key_of(KEYS["none"], scopes=frozenset()),
        key_of(KEYS["expired"], scopes=EVERYTHING, expires_at=1),
    )
    world = World(tmp_path, keys=keys)
    await world.open()
    yield world
    await world.close()


def path_of(endpoint: Endpoint) -> str:
    path = endpoint.path.replace("{id}", MISSING).replace("{n}", "0").replace("{name}", "images")
    return re.sub(r"\?.*", "", path)


async def status(world: World, endpoint: Endpoint, key: str | None, prefix: str = BASE) -> int:
    async with world.client(key) as client:
        return (await client.request(endpoint.method, prefix + path_of(endpoint))).status_code


def test_three_lines_are_public_and_no_other_route() -> None:
    assert len(PUBLIC) == 3
    public = {endpoint.name for endpoint in ENDPOINTS if endpoint.scope is None}
    assert public == {name for names in PUBLIC for name in names} - {"dashboard"}


@pytest.mark.parametrize("endpoint", ROUTES)
async def test_a_stranger_is_refused_by_every_route(locked: World, endpoint: Endpoint) -> None:
    tampered = KEYS["all"][:-1] + ("a" if KEYS["all"][-1] != "a" else "b")
    for key in (None, "garbage", tampered, UNKNOWN, KEYS["expired"], "", "stn_"):
        for prefix in (BASE, "/api"):
            answer = await status(locked, endpoint, key, prefix)
            assert (answer == 401) == (endpoint.scope is not None), (key, answer)


@pytest.mark.parametrize("endpoint", ROUTES)
async def test_each_route_needs_its_scope_and_no_other(locked: World, endpoint: Endpoint) -> None:
    if endpoint.scope is None:
        return
    assert await status(locked, endpoint, KEYS["all"]) not in (401, 403)
    assert await status(locked, endpoint, KEYS["none"]) == 403
    assert (await status(locked, endpoint, KEYS["reader"]) == 403) == (endpoint.scope != JOBS_READ)
    assert (await status(locked, endpoint, KEYS["writer"]) == 403) == (endpoint.scope != JOBS_WRITE)


@pytest.mark.parametrize("path", ["/metrics", "/health"])
async def test_bare_paths_are_guarded_too(locked: World, path: str) -> None:
    async with locked.client() as stranger, locked.client(KEYS["all"]) as known:
        assert (await stranger.get(path)).status_code == 401
        assert (await known.get(path)).status_code == 200


async def test_the_dashboard_and_probes_are_public(locked: World) -> None:
    async with locked.client() as client:
        for path in ("/", "/jobs", "/health/live", f"{BASE}/health/ready", f"{BASE}/session"):
            assert (await client.get(path)).status_code == 200, path


async def test_a_wrong_key_is_not_made_good_by_a_session(locked: World) -> None:
    async with locked.client() as client:
        await client.post(f"{BASE}/session", json={"key": KEYS["all"]})
        assert (await client.get(f"{BASE}/jobs")).status_code == 200
        answer = await client.get(f"{BASE}/jobs", headers={"authorization": f"Bearer {UNKNOWN}"})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        basic = await client.get(f"{BASE}/jobs", headers={"authorization": "Basic eDp5"})
        assert basic.status_code == 401


async def test_a_session_is_a_strict_cookie_that_ends(locked: World) -> None:
    async with locked.client() as client:
        assert (await client.get(f"{BASE}/session")).json()["required"] is True
        refused = await client.post(f"{BASE}/session", json={"key": UNKNOWN})
        assert (refused.status_code, "set-cookie" in refused.headers) == (401, False)
        opened = await client.post(f"{BASE}/session", json={"key": KEYS["reader"]})
        cookie = opened.headers["set-cookie"].lower()
        for word in ("httponly", "samesite=strict", "path=/", "max-age="):
            assert word in cookie
        assert KEYS["reader"] not in opened.text + cookie
        assert (await client.get(f"{BASE}/session")).json()["authenticated"] is True
        assert (await client.delete(f"{BASE}/session", headers={"x-stanchion-csrf": "1"})).status_code == 204
        assert (await client.get(f"{BASE}/jobs")).status_code == 401


async def test_a_forged_or_stale_cookie_is_nobody(locked: World) -> None:
    door = locked.server.door
    token = parse(KEYS["all"])
    assert token is not None
    now = locked.store.now()
    good = door.open_session(token.id, now)
    assert door.by_cookie(good, now) is not None
    assert door.by_cookie(good, now + 13 * 3_600_000) is None
    body, _, seal = good.rpartition(".")
    for forged in (
        good[:-1],
        body,
        f"{body}.",
        f"x{good}",
        f"{token.id}.99999999999999.{seal}",
        "",
        "..",
        "ü.1.2",
    ):
        assert door.by_cookie(forged, now) is None, forged
    door.keyring.replace([])
    assert door.by_cookie(good, now) is None


async def test_a_revoked_key_is_refused_at_once_and_two_keys_overlap(locked: World) -> None:
    fresh = mint("test")
    async with locked.client(KEYS["all"]) as old, locked.client(fresh) as new:
        assert (await new.get(f"{BASE}/jobs")).status_code == 401
        locked.server.door.keyring.replace([key_of(KEYS["all"]), key_of(fresh)])
        assert (await old.get(f"{BASE}/jobs")).status_code == (await new.get(f"{BASE}/jobs")).status_code == 200
        locked.server.door.keyring.replace([key_of(fresh)])
        assert (await old.get(f"{BASE}/jobs")).status_code == 401


def test_only_a_loopback_is_served_without_keys() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"):
        check_bind(host, ())
    for host in ("0.0.0.0", "::", "10.0.0.1", "example.org", "", "localhost.example.org", "2130706433"):
        with pytest.raises(ConfigError, match="STANCHION_KEYS"):
            check_bind(host, ())
        check_bind(host, (key_of(UNKNOWN),))


def test_a_key_is_typed_long_and_checked() -> None:
    key = mint("live")
    assert re.fullmatch(r"stn_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}", key)
    token = parse(key)
    assert token is not None
    assert (token.env, len(digest(token.secret))) == ("live", 32)
    assert digest(token.secret, b"pepper") != digest(token.secret)
    for place in range(len(key)):
        typo = key[:place] + ("x" if key[place] != "x" else "y") + key[place + 1 :]
        assert parse(typo) is None, place
    assert len({mint() for _ in range(100)}) == 100
    with pytest.raises(ValueError, match="environment"):
        mint("no_underscores")


def test_keys_are_loaded_from_environment_and_file(tmp_path: Path) -> None:
    one, two = mint(), mint()
    token = parse(two)
    assert token is not None
    file = tmp_path / "keys.toml"
    file.write_text(
        f'[[key]]\nid = "{token.id}"\ndigest = "{digest(token.secret).hex()}"\n'
        'tenant = "acme"\nscopes = ["jobs:read"]\n'
        "expires = 2030-01-01T00:00:00Z\n"
    )
    file.chmod(0o600)
    first, second = load_keys([f" {one} ", ""], file)
    assert (first.tenant, first.scopes) == (None, EVERYTHING)
    assert (second.tenant, second.scopes) == ("acme", frozenset({JOBS_READ}))
    assert second.expires_at == 1_893_456_000_000
    for key in (first, second):
        assert one not in repr(key)
        assert key.digest.hex() not in repr(key)


@pytest.mark.parametrize(
    "text",
    ["[[key]]", '[[key]]\nkey = "stn_x"', '[[key]]\nid = "a"\ndigest = "zz"', "key = 5", "[[key]]\nnope = 1", "{",
     '[[key]]\nid = "a"\ndigest = "00"\nscopes = ["everything"]'],
)  # fmt: skip
def test_a_key_file_that_cannot_be_used_stops_the_start(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(ConfigError):
        load_keys((), file)


def test_a_key_file_that_all_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(f'[[key]]\nkey = "{mint()}"\n')
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_keys((), file)


def test_a_mistyped_key_is_not_repeated_in_the_error() -> None:
    with pytest.raises(ConfigError) as caught:
        load_keys(["stn_live_CANARY"])
    assert "CANARY" not in str(caught.value)


async def test_keys_of_the_settings_are_asked_for(tmp_path: Path) -> None:
    key, other = mint(), mint()
    file = tmp_path / "keys.toml"
    file.write_text(f'[[key]]\nkey = "{other}"\ntenant = "acme"\n')
    file.chmod(0o600)
    world = World(tmp_path, FakeSettings(keys=(key,), keys_file=str(file)))
    await world.open()
    async with world.client() as stranger, world.client(key) as all_of_it, world.client(other) as acme:
        assert (await stranger.get(f"{BASE}/jobs")).status_code == 401
        assert (await all_of_it.get(f"{BASE}/jobs")).status_code == 200
        assert (await acme.get(f"{BASE}/session")).json()["tenant"] == "acme"
        assert (await acme.post(f"{BASE}/queues/x/pause")).status_code == 403
    await world.close()
