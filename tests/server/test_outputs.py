"""What jobs produced, over HTTP: bytes, ranges, validators, and headers that keep them inert."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from stanchion.server.routes.outputs import SANDBOX, disposition
from tests.server.world import BASE, PNG, OutputNote, PreviewNote, World

if TYPE_CHECKING:
    from httpx import AsyncClient

ORC = {"task": "sprite", "args": {"prompt": "orc"}}
DATA = bytes(range(256)) * 4


async def made(world: World, client: AsyncClient, *notes: Any) -> str:
    job = (await client.post(f"{BASE}/jobs", json=ORC)).json()["id"]
    (lease,) = await world.claim()
    await world.note(lease, *notes)
    return f"{BASE}/jobs/{job}"


async def artifact(world: World, data: bytes, media: str | None, name: str | None = "result") -> OutputNote:
    sha = await asyncio.to_thread(world.app.artifacts.put, data)
    return OutputNote("artifact", None, name, media, len(data), sha, 8, 8)


async def test_a_picture_is_shown_in_place_and_anything_else_is_a_download(world: World, client: AsyncClient) -> None:
    others = ("text/html", "image/svg+xml", "application/pdf", "x\r\nset-cookie: a=b", None)
    notes = [await artifact(world, PNG, "image/png")]
    notes += [await artifact(world, b"<script>" + str(media).encode(), media) for media in others]
    own = await made(world, client, *notes)
    shown = await client.get(f"{own}/outputs/0")
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
    assert shown.headers["content-disposition"].startswith("inline")
    for n in range(1, 6):
        answer = await client.get(f"{own}/outputs/{n}")
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-security-policy"] == SANDBOX
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
    assert (await client.get(f"{own}/outputs/4")).headers["content-type"] == "application/octet-stream"


async def test_the_job_lists_its_artifacts_with_their_urls(world: World, client: AsyncClient) -> None:
    own = await made(
        world, client, await artifact(world, PNG, "image/png"), OutputNote("text", b"tok", None, "text/plain")
    )
    (output,) = (await client.get(own)).json()["outputs"]
    assert (output["index"], output["url"], output["width"]) == (0, f"{own}/outputs/0", 8)
    assert (await client.get(output["url"])).headers["etag"] == f'"{output["sha256"]}"'
    everything = (await client.get(f"{own}/outputs")).json()
    assert [item["kind"] for item in everything["items"]] == ["artifact", "text"]
    assert everything["items"][1]["chunk"] == "tok"
    assert (await client.get(f"{own}/outputs?after=0")).json()["items"] == everything["items"][1:]
    page = (await client.get(f"{own}/outputs?limit=1")).json()
    assert (len(page["items"]), page["next"]) == (1, 0)


@pytest.mark.parametrize("where", ["artifact", "chunk"])
@pytest.mark.parametrize(
    ("ranges", "status", "part"),
    [
        ("bytes=0-9", 206, DATA[:10]),
        ("bytes=1000-", 206, DATA[1000:]),
        ("bytes=-24", 206, DATA[-24:]),
        ("bytes=5-99999", 206, DATA[5:]),
        ("bytes=5000-", 416, None),
        ("bytes=x", 200, DATA),
        ("pages=1-2", 200, DATA),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(0, 500, 2)), 200, DATA),
    ],
)
async def test_ranges(  # noqa: PLR0913, PLR0917 - two parameters and their expectation
    world: World, client: AsyncClient, where: str, ranges: str, status: int, part: bytes | None
) -> None:
    note = await artifact(world, DATA, None) if where == "artifact" else OutputNote("bytes", DATA)
    own = await made(world, client, note)
    answer = await client.get(f"{own}/outputs/0", headers={"range": ranges})
    assert answer.status_code == status
    if part is not None:
        assert answer.content == part
    if status == 206:
        assert answer.headers["content-range"].endswith("/1024")


@pytest.mark.parametrize("where", ["artifact", "chunk"])
async def test_what_the_client_has_is_not_sent_again(world: World, client: AsyncClient, where: str) -> None:
    note = await artifact(world, DATA, None) if where == "artifact" else OutputNote("bytes", DATA)
    own = await made(world, client, note)
    etag = (await client.get(f"{own}/outputs/0")).headers["etag"]
    for given in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        again = await client.get(f"{own}/outputs/0", headers={"if-none-match": given})
        assert (again.status_code, again.content) == (304, b"")
    changed = await client.get(f"{own}/outputs/0", headers={"range": "bytes=0-1", "if-range": '"other"'})
    assert (changed.status_code, changed.content) == (200, DATA)
    head = await client.head(f"{own}/outputs/0")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "1024", b"")


@pytest.mark.parametrize("n", ["1", "-1", "x", "99999999999999999999", "0x0", "\u0661"])
async def test_an_output_that_is_not_there_is_404(world: World, client: AsyncClient, n: str) -> None:
    own = await made(world, client, OutputNote("text", b"a"))
    assert (await client.get(f"{own}/outputs/{n}")).status_code == 404


async def test_bytes_that_are_gone_are_410(world: World, client: AsyncClient) -> None:
    note = await artifact(world, PNG, "image/png")
    own = await made(world, client, note)
    world.app.artifacts.path(str(note.artifact)).unlink()
    answer = await client.get(f"{own}/outputs/0")
    assert (answer.status_code, answer.json()["code"]) == (410, "expired_result")


@pytest.mark.parametrize("hash_", ["../../etc/passwd", "/etc/passwd", "x", "0" * 64, ""])
async def test_a_hash_that_names_no_artifact_reads_no_file(world: World, client: AsyncClient, hash_: str) -> None:
    own = await made(world, client, OutputNote("artifact", None, "x", "image/png", 1, hash_))
    assert (await client.get(f"{own}/outputs/0")).status_code in (404, 410)


async def test_the_preview_is_there_while_the_job_runs(world: World, client: AsyncClient) -> None:
    job = (await client.post(f"{BASE}/jobs", json=ORC)).json()["id"]
    own = f"{BASE}/jobs/{job}"
    assert (await client.get(f"{own}/preview")).status_code == 204
    (lease,) = await world.claim()
    await world.note(lease, PreviewNote(PNG, "image/png", 8, 9, 3))
    shown = (await client.get(own)).json()["preview"]
    assert (shown["content_type"], shown["width"], shown["height"], shown["step"]) == ("image/png", 8, 9, 3)
    picture = await client.get(shown["url"])
    assert (picture.content, picture.headers["content-type"]) == (PNG, "image/png")
    assert picture.headers["content-security-policy"] == SANDBOX
    await world.note(lease, PreviewNote(b"<script>", "text/html"))
    assert (await client.get(f"{own}/preview")).status_code == 204
    await world.complete(lease)
    assert (await client.get(own)).json()["preview"] is None


def test_a_download_name_stays_a_name() -> None:
    assert disposition("a.png", inline=True) == 'inline; filename="a.png"'
    assert disposition('x"; y="z', inline=False) == 'attachment; filename="x__ y__z"'
    for name in ("../../etc/passwd", "C:\\x\\passwd", "/etc/passwd"):
        assert disposition(name, inline=False) == 'attachment; filename="passwd"'
    for name in (None, "", "..", "\r\n", "///"):
        assert "\r" not in disposition(name, inline=False)
        assert ".." not in disposition(name, inline=False)
