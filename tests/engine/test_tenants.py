"""Tenants as an operator sets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.policy import TenantPolicy
from stanchion.errors import UsageError

if TYPE_CHECKING:
    from stanchion import Stanchion


@pytest.fixture(autouse=True)
async def opened(app: Stanchion) -> None:
    await app.open()


async def test_what_is_not_given_stays_as_it_is(app: Stanchion) -> None:
    await app.tenants.set("acme", weight=4)
    assert await app.tenants.set("acme", top_priority="normal") == TenantPolicy("acme", 4, 5)
    await app.tenants.set("ada", top_priority=2)
    assert await app.tenants.list() == [TenantPolicy("acme", 4, 5), TenantPolicy("ada", 1, 2)]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("", {"weight": 2}),
        ("a\n", {"weight": 2}),
        ("x" * 201, {"weight": 2}),
        ("a", {"weight": 0}),
        ("a", {"weight": 1_001}),
        ("a", {"top_priority": "urgentest"}),
        ("a", {"top_priority": 10}),
    ],
)
async def test_a_value_that_cannot_be_used_changes_nothing_and_says_what_can(
    app: Stanchion, name: str, given: dict[str, Any]
) -> None:
    with pytest.raises(UsageError) as error:
        await app.tenants.set(name, **given)
    assert error.value.remedy
    assert await app.tenants.list() == []


async def test_every_process_heeds_a_change_at_once(app: Stanchion) -> None:
    @app.task
    async def idle() -> None: ...

    await idle.options(tenant="ada").enqueue()
    await app.tenants.set("ada", top_priority=7)
    job = await idle.options(tenant="ada", priority="critical").enqueue()
    assert (await job.refresh()).facts.priority == 7
