"""What the server refuses: with a problem body that says where and what to do, and never with a 5xx."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.world import BASE, FakeSettings, World

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from httpx import AsyncClient, Response

JOBS = BASE + "/jobs"
ORC = {"task": "sprite", "args": {"prompt": "orc"}}


async def post(client: AsyncClient, body: bytes | str, path: str = JOBS, **headers: str) -> Response:
    return await client.post(path, content=body, headers={"content-type": "application/json", **headers})


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"nope": 1}, "/nope"),
        ({"args": {"prompt": "x", "nope": 1}}, "/args/nope"),
        ({"args": {}}, "/args/prompt"),
        ({"args": {"prompt": 5}}, "/args/prompt"),
        ({"args": []}, "/args"),
        ({"task": ""}, "/task"),
        ({"priority": 10}, "/priority"),
        ({"priority": "urgent"}, "/priority"),
        ({"delay": -1}, "/delay"),
        ({"run_at": "tomorrow"}, "/run_at"),
        ({"run_at": "2026-01-02T03:04:05"}, "/run_at"),
        ({"tags": ["x"] * 10_000}, "/tags"),
        ({"tags": ["ok", 5]}, "/tags/1"),
        ({"max_attempts": 0}, "/max_attempts"),
        ({"queue": "a\nb"}, "/queue"),
        ({"queue": "a/b"}, "/queue"),
        ({"queue": "a\n"}, "/queue"),
        ({"metadata": {"x": "y" * 20_000}}, ""),
    ],
)
async def test_a_field_that_does_not_fit_is_named(client: AsyncClient, change: dict[str, Any], pointer: str) -> None:
    answer = await client.post(JOBS, json={**ORC, **change})
    assert answer.status_code == 422, answer.text
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["status"] == 422
    assert body["code"] == "validation"
    if "nope" not in pointer and pointer != "/args/prompt":
        assert [error["pointer"] for error in body["errors"]] == [pointer]
    assert body["errors"][0]["message"]
    assert body["remedy"]
    assert body["request_id"] == answer.headers["x-request-id"]


async def test_an_unknown_task_is_422_and_says_which_are_known(client: AsyncClient) -> None:
    answer = await client.post(JOBS, json={"task": "nope"})
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_task")
    assert "sprite" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b'{"task":"sprite","args":{"prompt":"x","size":NaN}}', 400),
        (b'{"task":"sprite","args":{"prompt":"x","size":1e999}}', 422),
        (b'{"task":"echo","args":{"value":' + b"9" * 65 + b"}}", 422),
        (b'{"task":"echo","args":{"value":' + b"[" * 70 + b"]" * 70 + b"}}", 422),
        (b"[" * 200_000, 422),
        (b'{"task":"echo","args":{"value":"\\u0000"}}', 422),
        (b'{"task":"echo","args":{"\\u0000":1}}', 422),
        (b'{"task":"echo","args":{"value":"\\ud800"}}', 400),
        (b"[]", 422),
        (b"null", 422),
        (b'"x"', 422),
        (b'{"task":"echo","args":{"value":"\\\\u0000"}}', 201),
        (b'{"task":"echo","args":{"value":"' + b"9" * 200 + b'"}}', 201),
        (b'{"task":"echo","args":{"value":' + b"[" * 50 + b"]" * 50 + b"}}", 201),
        (b'{"task":"echo","task":"sprite","args":{"prompt":"dup"}}', 201),
    ],
)
async def test_json_that_should_not_be_is_refused(client: AsyncClient, body: bytes, status: int) -> None:
    answer = await post(client, body)
    assert answer.status_code == status, answer.text


async def test_a_scan_for_depth_takes_linear_time(client: AsyncClient) -> None:
    evil = b'{"task":"' + b"[" * 100 + b'\\"' * 400_000
    answer = await post(client, evil)
    assert answer.status_code == 400
    assert answer.elapsed.total_seconds() < 2


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_only_json_is_taken(client: AsyncClient, media: str) -> None:
    answer = await client.post(JOBS, content=json.dumps(ORC), headers={"content-type": media})
    assert answer.status_code == 415


async def test_compressed_bodies_are_refused(client: AsyncClient) -> None:
    assert (await post(client, b"x", **{"content-encoding": "gzip"})).status_code == 415


async def test_a_body_is_counted_while_it_arrives(tmp_path: Path) -> None:
    world = World(tmp_path, FakeSettings(max_payload=1_000))
    await world.open()
    sent = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b" " * 65_536

    async with world.client() as client:
        answer = await client.post(JOBS, content=endless(), headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        assert sent < 500_000
        large = await client.post(JOBS, json={"task": "echo", "args": {"value": "x" * 5_000}})
        assert (large.status_code, large.json()["code"]) == (413, "payload_too_large")
    await world.close()


async def test_a_full_queue_is_429_with_a_time_to_come_back(world: World, client: AsyncClient) -> None:
    await client.patch(BASE + "/queues/images", json={"max_waiting": 1})
    await client.post(JOBS, json=ORC)
    answer = await client.post(JOBS, json=ORC)
    assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (
        429,
        "queue_full",
        True,
    )
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["type"].endswith("#quota-exceeded")


@pytest.mark.parametrize("path", ["/jobs/nope", "/jobs/" + "0" * 36, "/jobs/..%2f..%2fetc", "/nope", "/jobs/%00"])
async def test_what_is_not_there_is_404(client: AsyncClient, path: str) -> None:
    answer = await client.get(BASE + path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_wrong_method_is_405_and_names_the_right_ones(client: AsyncClient) -> None:
    answer = await client.put(JOBS, json={})
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert {"GET", "POST"} <= set(answer.headers["allow"].replace(" ", "").split(","))


async def test_an_unforeseen_error_tells_only_its_id(
    world: World, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("CANARY")

    monkeypatch.setattr(world.store, "stats", broken)
    answer = await client.get(BASE + "/queues")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "CANARY" not in answer.text
    assert (await client.get(BASE + "/health/live")).status_code == 200


NASTY = [
    "'",
    "%",
    "_",
    "\r\nx: y",
    "{}",
    "*",
    "return redis.call('x')",
    "\u2028",
    "../..",
    "<script>",
    "\x1b[31m",
    "\u202e",
]


@pytest.mark.parametrize("text", NASTY)
async def test_odd_names_are_kept_as_they_are_or_refused(client: AsyncClient, text: str) -> None:
    answer = await client.post(JOBS, json={**ORC, "user": text, "queue": text, "tags": [text]})
    assert answer.status_code in (201, 422)
    if answer.status_code == 201:
        assert (answer.json()["user"], answer.json()["queue"]) == (text, text)
    for name in ("q", "user", "queue", "tag", "task", "tenant"):
        found = await client.get(JOBS, params={name: text})
        assert found.status_code in (200, 422)
    assert (await client.get(BASE + "/metrics")).status_code == 200


def fuzzed(random_: random.Random) -> bytes:
    """A request body that is almost right."""
    values: list[Any] = [
        None,
        True,
        -1,
        0,
        1e308,
        2**63,
        2**200,
        "",
        "x",
        "\0",
        "ü\u2028",
        [],
        {},
        [[]],
        {"": {"": []}},
        "9" * 70,
    ]
    names = [
        "task",
        "args",
        "queue",
        "priority",
        "delay",
        "run_at",
        "tags",
        "metadata",
        "ids",
        "filter",
        "jobs",
        "key",
        "atomic",
        "states",
        "older_than",
        "max_waiting",
        "paused",
        "timeout",
        "dedup_key",
        "expires_at",
        "user",
        "x",
    ]
    body: dict[str, Any] = dict(ORC) if random_.random() < 0.7 else {}
    for _ in range(random_.randrange(5)):
        body[random_.choice(names)] = random_.choice(values)
    data = bytearray(json.dumps(body).encode())
    for _ in range(random_.choice([0, 0, 1, 3])):
        place = random_.randrange(len(data) + 1)
        data[place:place] = random_.choice([b"\xff", b"{", b"]", b'"', b"\\u0000", b"\\ud800", b"1e999", b"\0", b"-"])
    return bytes(data)


@pytest.mark.parametrize("seed", range(6))
async def test_no_body_makes_a_5xx(client: AsyncClient, seed: int) -> None:
    random_ = random.Random(seed)
    made = (await client.post(JOBS, json=ORC)).json()["id"]
    paths = [
        ("POST", "/jobs"), ("POST", "/jobs/bulk"), ("POST", "/jobs/cancel"), ("POST", "/jobs/retry"),
        ("PATCH", f"/jobs/{made}"), ("PATCH", "/queues/images"), ("POST", "/queues/images/clean"), ("POST", "/session"),
    ]  # fmt: skip
    for _ in range(60):
        method, path = random_.choice(paths)
        body = fuzzed(random_)
        answer = await client.request(method, BASE + path, content=body, headers={"content-type": "application/json"})
        assert answer.status_code < 500, (method, path, body, answer.text)
