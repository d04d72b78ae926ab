"""Scope: what is another tenant's is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanchion.domain.job import Job, State
from stanchion.domain.query import ALL, Cursor, Filter, Scope
from stanchion.errors import NotFoundError
from stanchion.store import CostNote, Flow, LogNote, Noted, PreviewNote, ProgressNote
from tests.conformance.helpers import (
    ACME,
    OTHER,
    add,
    artifact,
    chunk,
    complete,
    fail,
    finish,
    join,
    new,
    read,
    start,
)

if TYPE_CHECKING:
    from stanchion.store import Store

NOTES = (
    PreviewNote(b"p", "image/png"),
    ProgressNote(1, 2),
    chunk("x"),
    LogNote("info", "x"),
    CostNote("1", "USD"),
)


@pytest.mark.parametrize(("scope", "seen"), [(ACME, True), (ALL, True), (OTHER, False), (Scope(""), False)])
async def test_reads_of_a_job_stay_in_scope(store: Store, scope: Scope, *, seen: bool) -> None:
    lease = await start(store, new(tenant="acme"))
    await store.note([Noted(lease.ref, 1, note) for note in NOTES])
    answers = [
        (await store.inspect([lease.id], scope))[0],
        (await store.position([lease.id], scope))[0],
        await store.preview(lease.id, scope),
        (await store.history(lease.id, scope))[0],
        await store.outputs(lease.id, scope),
        await store.logs(lease.id, scope),
        await store.costs(lease.id, scope),
        (await store.list(Filter(), limit=9, scope=scope)).jobs,
        (await store.list(Filter(ids=(lease.id,)), limit=9, scope=scope)).jobs,
        await store.select(Filter(), 9, scope),
        (await store.changes(Cursor(), scope=scope)).events,
        (await store.changes(Cursor(), scope=scope)).outputs,
        (await store.changes(Cursor(), scope=scope)).live,
    ]
    assert [bool(answer) for answer in answers] == [seen] * len(answers)


async def test_changes_to_foreign_jobs_are_refused_as_absent(store: Store) -> None:
    lease = await start(store, new(tenant="acme"))
    done, failed = await complete(store, new(tenant="acme")), await fail(store, new(tenant="acme"))
    (queued,) = await add(store, new(tenant="acme"))
    before = await store.inspect([lease.id, queued, done, failed])
    for answers in (
        await store.cancel([lease.id, queued], OTHER),
        await store.retry([failed], OTHER),
        await store.amend([queued, done], priority=1, tags=("x",), scope=OTHER),
        await store.erase([done, failed], OTHER),
    ):
        assert {type(answer) for answer in answers} == {NotFoundError}
    assert await store.inspect([lease.id, queued, done, failed]) == before


async def test_changes_to_own_jobs_are_made(store: Store) -> None:
    failed = await fail(store, new(tenant="acme"))
    (queued,) = await add(store, new(tenant="acme"))
    for answers in (
        await store.amend([queued], priority=1, scope=ACME),
        await store.retry([failed], ACME),
        await store.cancel([queued, failed], ACME),
    ):
        assert {type(answer) for answer in answers} == {Job}
    assert await store.erase([queued, failed], ACME) == [True, True]


async def test_pages_of_a_tenant_have_no_holes(store: Store) -> None:
    ids = await add(store, *[new(tenant=("acme", "other")[n % 2]) for n in range(10)])
    seen: list[str] = []
    after: str | None = None
    while True:
        page = await store.list(Filter(), limit=2, after=after, scope=ACME)
        seen += [job.id for job in page.jobs]
        if page.next is None:
            break
        after = page.next
    assert seen == ids[::2][::-1]


async def test_a_tenant_stands_in_line_behind_others(store: Store) -> None:
    await join(store)
    _, own = await add(store, new(tenant="other"), new(tenant="acme"))
    (place,) = await store.position([own], ACME)
    assert place is not None
    assert place.position == 2


async def test_counts_are_a_tenants_own(store: Store) -> None:
    await add(store, new(tenant="acme"), new(tenant="other"), new(tenant="other", delay=5))
    (own,) = await store.stats(ACME)
    assert {state: count for state, count in own.counts.items() if count} == {State.QUEUED: 1}
    (foreign,) = await store.stats(Scope("nobody"))
    assert sum(foreign.counts.values()) == 0
    assert foreign.oldest_queued_at is None
    assert sum((await store.stats())[0].counts.values()) == 3


async def test_the_recent_past_is_a_tenants_own(store: Store) -> None:
    await complete(store, new(tenant="acme"))
    await fail(store, new(tenant="other"))
    (own,) = [bucket for bucket in await store.series(1_000, 1_000, ACME) if bucket.enqueued]
    assert own[1:5] == (1, 1, 1, 0)
    (whole,) = [bucket for bucket in await store.series(1_000, 1_000) if bucket.enqueued]
    assert whole[1:5] == (2, 2, 1, 1)


async def test_the_flow_is_a_tenants_own(store: Store) -> None:
    await complete(store, new(tenant="acme"))
    await fail(store, new(tenant="other"))
    assert list((await store.flow(1_000, ACME)).values()) == [Flow(1, 1, 0)]
    assert list((await store.flow(1_000)).values()) == [Flow(2, 1, 1)]
    assert await store.flow(1_000, Scope("nobody")) == {}


async def test_a_tenants_feed_passes_over_what_it_may_not_see(store: Store) -> None:
    await add(store, *[new(tenant="other") for _ in range(5)])
    (own,) = await add(store, new(tenant="acme"))
    seen: list[str] = []
    since, more = Cursor(), True
    while more:
        part = await store.changes(since, 2, ACME)
        seen += [event.id for event in part.events]
        since, more = part.cursor, part.more
    assert seen == [own]
    assert since == await store.tail()


async def test_artifacts_are_a_tenants_own_with_the_job(store: Store) -> None:
    lease = await start(store, new(tenant="acme"))
    await store.note([Noted(lease.ref, 1, artifact("hash"))])
    await finish(store, lease)
    assert [output.artifact for output in (await read(store, lease.id, ACME)).artifacts] == ["hash"]
    assert await store.inspect([lease.id], OTHER) == [None]
