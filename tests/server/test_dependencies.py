"""Dependencies over HTTP: submitted by id, shown with the job, and kept within a tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from httpx import AsyncClient

JOBS = "/api/v1/jobs"


async def create(client: AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post(JOBS, json={"task": "sprite", "args": {"prompt": "an orc"}, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_job_shows_its_parents_and_its_children(client: AsyncClient) -> None:
    one, two = await create(client), await create(client, workflow="w")
    child = await create(client, depends_on=[one["id"], {"id": two["id"], "policy": "continue"}], workflow="w")
    assert child["state"] == "blocked"
    assert child["position"] is None
    assert child["waiting_on"] == {"reason": "dependency", "key": one["id"], "until": None}
    assert [(parent["id"], parent["policy"]) for parent in child["parents"]] == [
        (one["id"], "fail"),
        (two["id"], "continue"),
    ]
    assert child["workflows"] == ["w"]
    parent = (await client.get(f"{JOBS}/{one['id']}")).json()
    assert parent["children"] == [{"id": child["id"], "task": "sprite", "state": "blocked", "policy": "fail"}]
    listed = (await client.get(JOBS, params={"workflow": "w"})).json()["items"]
    assert [job["id"] for job in listed] == [child["id"], two["id"]]
    await client.delete(f"{JOBS}/{one['id']}")
    ended = (await client.get(f"{JOBS}/{child['id']}")).json()
    assert ended["state"] == "failed"
    assert one["id"] in ended["error"]["message"]
    refused = await client.post(f"{JOBS}/{child['id']}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "dependency")


async def test_a_parent_that_is_still_needed_is_not_erased(client: AsyncClient) -> None:
    one, two = await create(client), await create(client)
    await create(client, depends_on=[{"id": one["id"], "policy": "continue"}, two["id"]])
    await client.post(f"{JOBS}/{one['id']}/cancel")
    answer = await client.delete(f"{JOBS}/{one['id']}", params={"purge": "true"})
    assert (answer.status_code, answer.json()["code"]) == (409, "still_needed")


@pytest.mark.parametrize(
    ("depends_on", "code"),
    [
        (["01890000-0000-7000-8000-00000000abcd"], "unknown_parent"),
        (["too short"], "validation"),
        ([{"id": "01890000-0000-7000-8000-00000000abcd", "policy": "maybe"}], "validation"),
        ("01890000-0000-7000-8000-00000000abcd", "validation"),
    ],
)
async def test_what_names_no_job_is_refused(client: AsyncClient, depends_on: Any, code: str) -> None:
    answer = await client.post(JOBS, json={"task": "sprite", "args": {"prompt": "an orc"}, "depends_on": depends_on})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
