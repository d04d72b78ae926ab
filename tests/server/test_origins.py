"""Browsers led astray: foreign sites, rebinding names, missing headers; and the safe headers on every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanchion.server.dashboard import CSP
from stanchion.server.shell import HEADERS
from tests.server.world import BASE, World, key_of, mint

if TYPE_CHECKING:
    from pathlib import Path

    from httpx import AsyncClient

JOBS = BASE + "/jobs"
ORC = {"task": "sprite", "args": {"prompt": "orc"}}
OWN = "http://127.0.0.1:8000"
CSRF = {"x-stanchion-csrf": "1"}

FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:9000"},
    {"origin": "http://127.0.0.1:8000.evil.example"},
    {"origin": "http://evil.example@127.0.0.1:8000"},
    {"origin": "http://localhost:8000"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": OWN, "sec-fetch-site": "cross-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_foreign_page_can_neither_change_nor_read(client: AsyncClient, headers: dict[str, str]) -> None:
    for csrf in ({}, CSRF):
        answer = await client.post(JOBS, json=ORC, headers={**headers, **csrf})
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        assert (await client.get(JOBS, headers={**headers, **csrf})).status_code == 403
    assert (await client.get(JOBS)).json()["items"] == []


async def test_our_own_page_needs_our_header_to_change(client: AsyncClient) -> None:
    page = {"origin": OWN, "sec-fetch-site": "same-origin"}
    assert (await client.get(JOBS, headers=page)).status_code == 200
    assert (await client.post(JOBS, json=ORC, headers=page)).status_code == 403
    assert (await client.post(JOBS, json=ORC, headers={**page, **CSRF})).status_code == 201


async def test_a_program_needs_no_browser_headers(client: AsyncClient) -> None:
    assert (await client.post(JOBS, json=ORC)).status_code == 201


async def test_a_session_needs_our_header_even_without_other_headers(tmp_path: Path) -> None:
    key = mint()
    world = World(tmp_path, keys=(key_of(key),))
    await world.open()
    async with world.client() as client:
        await client.post(f"{BASE}/session", json={"key": key})
        assert (await client.post(JOBS, json=ORC)).status_code == 403
        assert (await client.post(JOBS, json=ORC, headers=CSRF)).status_code == 201
        evil = {**CSRF, "origin": "https://evil.example"}
        assert (await client.post(f"{BASE}/session", json={"key": key}, headers=evil)).status_code == 403
    async with world.client(key) as program:
        foreign = {"origin": "https://app.example", "sec-fetch-site": "cross-site"}
        assert (await program.post(JOBS, json=ORC, headers=foreign)).status_code == 201
    await world.close()


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "", "a@127.0.0.1", "127.0.0.1/x", "[::1"],
)
async def test_a_name_that_was_rebound_to_us_is_refused(client: AsyncClient, host: str) -> None:
    for path in (JOBS, "/", "/health/live"):
        answer = await client.get(path, headers={"host": host})
        assert (answer.status_code, answer.json()["code"]) == (421, "wrong_host")


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000"])
async def test_the_loopback_has_three_names(client: AsyncClient, host: str) -> None:
    assert (await client.get(JOBS, headers={"host": host})).status_code == 200


@pytest.mark.parametrize("path", ["/", "/jobs/x", JOBS, f"{JOBS}/nope", "/nope", f"{BASE}/health/live", "/metrics"])
async def test_every_answer_has_the_safe_headers(client: AsyncClient, path: str) -> None:
    answer = await client.get(path)
    for name, value in HEADERS.items():
        assert name in answer.headers
        if name not in ("content-security-policy", "cache-control"):
            assert answer.headers[name] == value
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers
    if path.startswith(("/api", "/metrics")):
        assert answer.headers["cache-control"] == "no-store"


async def test_the_dashboard_is_one_page_for_its_routes(client: AsyncClient) -> None:
    page = await client.get("/")
    assert page.headers["content-security-policy"] == CSP
    for path in ("/jobs", "/jobs/0190", "/queues", "/workers"):
        other = await client.get(path)
        assert (other.status_code, other.text) == (200, page.text)
    for path in ("/nope", "/assets/nope.js", "/assets/../../app.py", "/%2e%2e/app.py", "/api", "/api/nope"):
        missing = await client.get(path)
        assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json"), path
