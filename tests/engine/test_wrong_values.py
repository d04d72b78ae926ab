"""Values of a wrong kind, or beyond all bounds: refused with what to write instead, and nobody else with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from stanchion import Batch, Conflict, Job, Stanchion, UsageError

if TYPE_CHECKING:
    from stanchion import Task

WRONG: dict[str, dict[str, Any]] = {
    "a delay of ages": {"delay": 1e17},
    "a delay of a number too large to be one": {"delay": 10**400},
    "a timeout of ages": {"timeout": "99999999999999d"},
    "an expiry of ages": {"expires_in": 1e17},
    "a window of ages": {"dedup_window": 1e17, "dedup_key": "d"},
    "half an attempt": {"max_attempts": 1.5},
    "a yes for a number of attempts": {"max_attempts": True},
    "half a job ahead": {"max_ahead": 1.5},
    "a number of jobs ahead as text": {"max_ahead": "5"},
    "half a weight": {"limits": {"provider:x": 1.5}},
    "a limit that is a number": {"limits": {5: 1}},
    "limits as one text": {"limits": "provider:x"},
    "resources as one text": {"resources": "gpu"},
    "resources as a number": {"resources": 5},
    "tags as one text": {"tags": "abc"},
    "a tag that is a number": {"tags": [5]},
    "parents as one text": {"depends_on": "01a20525-a03b-784e-9748-c1d6e8eb3033"},
    "a tenant that is a number": {"tenant": 5},
    "a model that is a number": {"model": 5},
    "a conflict without a key": {"conflict": Conflict("queue", None)},  # type: ignore[arg-type]
}


@pytest.fixture
def draw(filed: Stanchion) -> Task[..., Any]:
    @filed.task
    async def draw(prompt: str) -> str:
        return prompt

    return draw


@pytest.mark.parametrize("options", WRONG.values(), ids=WRONG)
async def test_a_value_that_cannot_be_used_is_refused_alone(
    filed: Stanchion, draw: Task[..., Any], options: dict[str, Any]
) -> None:
    async def enqueue(**given: Any) -> Job[Any]:
        return await draw.options(**given).enqueue("an orc")

    await filed.open()
    first, wrong, last = await asyncio.gather(
        enqueue(), enqueue(**options), enqueue(user="ada"), return_exceptions=True
    )
    assert isinstance(first, Job)
    assert isinstance(last, Job), "it went down with the other, in one transaction"
    assert isinstance(wrong, UsageError)
    assert wrong.remedy
    assert "has no len()" not in str(wrong)
    assert "not supported between" not in str(wrong)
    assert {job.id for job in await filed.jobs()} == {first.id, last.id}


async def test_what_operators_set_is_a_whole_number(filed: Stanchion) -> None:
    await filed.open()
    for number in (1.5, "5", True, -1, 10**30):
        value: Any = number
        with pytest.raises(UsageError):
            await filed.tenants.set("acme", weight=value)
        with pytest.raises(UsageError):
            await filed.limits.overflow("queue:images", warn_at=None, refuse_at=value)
        with pytest.raises(UsageError):
            await filed.limits.set("queue:images", running=value)
        with pytest.raises(UsageError):
            await filed.queue("images").affinity(jobs=value)
        with pytest.raises(UsageError):
            await filed.queue("images").limit(value)
        with pytest.raises(UsageError):
            await filed.resources.set("slots", value)
    assert await filed.tenants.list() == []
    assert await filed.limits.list() == []
    assert await filed.resources.list() == []


async def test_a_secret_is_an_argument_and_told_by_nothing_that_is_shown(filed: Stanchion) -> None:
    async def login(user: str, password: str) -> str:
        return user + password

    wrong: list[dict[str, Any]] = [
        {"secret": ["secrets"]},
        {"secret": "pass"},
        {"secret": ["password"], "model": lambda password: password},
        {"secret": ["password"], "batch": Batch(max_size=2, key=lambda **given: given)},
    ]
    for options in wrong:
        with pytest.raises(UsageError, match="secret"):
            filed.task(**options)(login)
    found = filed.task(secret="password", model=lambda user: user)(login)  # the one name, not its letters
    assert found.secret == {"password"}
