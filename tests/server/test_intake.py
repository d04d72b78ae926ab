"""Refusals, warnings, conflict keys and slowed callers over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.limits import Limit
from tests.server.world import BASE, EVERYTHING, FakeSettings, World, key_of, mint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from httpx import AsyncClient, Response

ORC: dict[str, Any] = {"task": "sprite", "args": {"prompt": "orc"}}
OURS, THEIRS, ADMIN = mint(), mint(), mint()


@pytest.fixture
async def bounded(tmp_path: Path) -> AsyncIterator[World]:
    made = World(
        tmp_path / "artifacts",
        FakeSettings(tenant_warn=2, tenant_refuse=3, slow_after=2),
        keys=(
            key_of(OURS, tenant="ours"),
            key_of(THEIRS, tenant="theirs"),
            key_of(ADMIN, scopes=EVERYTHING),
        ),
    )
    await made.open()
    yield made
    await made.close()


async def post(client: AsyncClient, **given: Any) -> Response:
    return await client.post(f"{BASE}/jobs", json=ORC | given)


async def test_a_tenants_key_is_warned_and_then_refused_where_no_limit_says_otherwise(bounded: World) -> None:
    async with bounded.client(OURS) as ours, bounded.client(THEIRS) as theirs, bounded.client(ADMIN) as admin:
        answers = [await post(ours) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
        warnings = [answer.json()["warnings"] for answer in answers[:3]]
        told = {"key": "tenant:ours", "warn_at": 2, "refuse_at": 3}
        assert warnings == [[], [told | {"jobs": 2}], [told | {"jobs": 3}]]
        problem = answers[3].json()
        assert (problem["code"], problem["retryable"]) == ("over_limit", True)
        assert int(answers[3].headers["retry-after"]) >= 1
        assert (await post(theirs)).status_code == 201
        many = [await post(admin, tenant="ours") for _ in range(3)]
        assert [answer.status_code for answer in many] == [201] * 3
        text = (await admin.get("/metrics")).text
        assert 'stanchion_overflow_warned{key="tenant:ours"} 1' in text
        assert "overflow_jobs{" not in (await ours.get("/metrics")).text


async def test_a_key_that_keeps_being_refused_is_slowed_down_and_no_other(bounded: World) -> None:
    async with bounded.client(OURS) as ours, bounded.client(THEIRS) as theirs, bounded.client(ADMIN) as admin:
        for _ in range(3):
            await post(ours)
        codes = [(await post(ours)).json()["code"] for _ in range(4)]
        assert codes == ["over_limit", "over_limit", "slow_down", "slow_down"]
        slowed = await post(ours)
        assert (slowed.status_code, slowed.headers["retry-after"]) == (429, "2")
        assert (await post(theirs)).status_code == 201
        assert (await post(admin, tenant="ours")).status_code == 201
        assert "stanchion_slowed_keys 1" in (await admin.get("/metrics")).text


async def test_a_refusal_tells_how_long_a_job_would_wait(world: World, client: AsyncClient) -> None:
    await world.store.configure_limit(Limit("queue:images", refuse=10))
    await world.store.configure_limit(Limit("queue:new", refuse=0))
    unknown = await post(client, queue="new")
    assert unknown.status_code == 429
    assert "estimated_wait" not in unknown.json()
    for _ in range(10):
        assert (await post(client)).status_code == 201
    for lease in await world.claim(5):
        await world.complete(lease)
    for _ in range(5):
        assert (await post(client)).status_code == 201
    refused = await post(client)
    assert refused.status_code == 429
    problem = refused.json()
    assert problem["estimated_wait"] == pytest.approx(600)  # ten jobs, where five ended in five minutes
    assert problem["retry_after"] == pytest.approx(120)  # until two of ten have ended
    assert refused.headers["retry-after"] == "120"


async def test_a_request_may_say_how_far_back_it_would_stand(client: AsyncClient) -> None:
    assert (await post(client, max_ahead=0)).status_code == 201
    refused = await post(client, max_ahead=0)
    assert (refused.status_code, refused.json()["code"]) == (429, "queue_full")
    assert (await post(client, max_ahead=1)).status_code == 201
    assert (await post(client, max_ahead=-1)).status_code == 422


async def test_conflict_keys_over_http(world: World, client: AsyncClient) -> None:
    first = (await post(client, conflict={"key": "door"})).json()
    second = await post(client, conflict={"key": "door", "policy": "cancel_newest"})
    assert (second.status_code, second.json()["code"], second.json()["job"]) == (409, "conflicting_job", first["id"])
    third = (await post(client, conflict={"key": "door"})).json()
    assert third["waiting_on"] == {"reason": "conflict", "key": first["id"], "until": None}
    last = (await post(client, conflict={"key": "door", "policy": "replace"})).json()
    assert last["state"] == "queued"
    assert [lease.id for lease in await world.claim(9)] == [last["id"]]
    assert (await post(client, conflict={"key": "door", "policy": "fight"})).status_code == 422


async def test_a_bulk_request_has_a_bound_for_each_item(bounded: World) -> None:
    async with bounded.client(OURS) as ours:
        found = (await ours.post(f"{BASE}/jobs/bulk", json={"jobs": [ORC] * 4})).json()
    assert [item.get("status", 201) for item in found["items"]] == [201, 201, 201, 429]


async def test_a_queue_tells_operators_how_full_it_is_and_tenants_nothing(bounded: World) -> None:
    await bounded.store.configure_limit(Limit("queue:*", warn=1, refuse=5))
    async with bounded.client(OURS) as ours, bounded.client(THEIRS) as theirs, bounded.client(ADMIN) as admin:
        await post(theirs)
        told = (await post(ours)).json()["warnings"]
        assert told[0] == {"key": "queue:images", "jobs": None, "warn_at": 1, "refuse_at": 5}
        (mine,) = (await ours.get(f"{BASE}/queues")).json()["items"]
        assert mine["overflow"] is None
        (all_,) = (await admin.get(f"{BASE}/queues")).json()["items"]
    since = all_["overflow"].pop("since")
    assert since
    assert all_["overflow"] == {"jobs": 2, "warn_at": 1, "refuse_at": 5}
