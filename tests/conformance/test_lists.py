"""Lists, filters and selections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stanchion.domain.job import State
from stanchion.domain.query import Filter
from tests.conformance.helpers import add, complete, ended, fail, new, new_id, read, start

if TYPE_CHECKING:
    from stanchion.store import Store
    from tests.clock import FakeClock

EVERY = Filter()


async def listed(store: Store, wanted: Filter) -> list[str]:
    page = await store.list(wanted, limit=100)
    assert page.next is None
    return [job.id for job in page.jobs]


async def test_the_newest_comes_first(store: Store) -> None:
    ids = await add(store, new(), new(queue="x"), new(priority=0))
    assert await listed(store, EVERY) == ids[::-1]


async def test_pages_join_without_overlap_or_hole(store: Store) -> None:
    ids = await add(store, *[new() for _ in range(7)])
    seen: list[str] = []
    after: str | None = None
    sizes: list[int] = []
    while True:
        page = await store.list(EVERY, limit=3, after=after)
        seen += [job.id for job in page.jobs]
        sizes.append(len(page.jobs))
        await add(store)
        if page.next is None:
            break
        after = page.next
    assert seen == ids[::-1]
    assert sizes == [3, 3, 1]


async def test_a_page_that_ends_exactly_has_no_next(store: Store) -> None:
    await add(store, new(), new())
    assert (await store.list(EVERY, limit=2)).next is None


async def test_a_page_of_nothing_is_empty(store: Store) -> None:
    assert await store.list(EVERY, limit=10) == ((), None)
    await add(store)
    assert await store.list(EVERY, limit=10, after="1") == ((), None)


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1.5", " 1", "٣", "1e3", "1" * 400])
async def test_a_malformed_cursor_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        await store.list(EVERY, limit=10, after=cursor)


async def test_listed_jobs_carry_all_but_args_and_result(store: Store) -> None:
    job_id = await complete(store, new(tags=("x",), metadata=b"{}"))
    job = await read(store, job_id)
    (shown,) = (await store.list(EVERY, limit=1)).jobs
    assert (shown.args, shown.result) == (b"", None)
    assert (shown.tags, shown.metadata, shown.state, shown.ended_at) == (
        job.tags, job.metadata, job.state, job.ended_at,
    )  # fmt: skip


async def test_states_filter(store: Store) -> None:
    done, failed, running = await complete(store), await fail(store), (await start(store)).id
    queued, scheduled = await add(store, new(), new(delay=5))
    await store.settle([])
    for state, job_id in (
        (State.COMPLETED, done), (State.FAILED, failed), (State.RUNNING, running),
        (State.QUEUED, queued), (State.SCHEDULED, scheduled),
    ):  # fmt: skip
        assert await listed(store, Filter(states=(state,))) == [job_id]
    assert await listed(store, Filter(states=(State.FAILED, State.QUEUED, State.COMPLETED))) == [
        queued,
        failed,
        done,
    ]
    assert await listed(store, Filter(states=(State.BLOCKED, State.CANCELLED, State.RETRYING))) == []


async def test_pages_of_several_states_are_in_one_order(store: Store) -> None:
    ids = [await (complete if n % 2 else fail)(store) for n in range(5)]
    wanted = Filter(states=(State.FAILED, State.COMPLETED))
    first = await store.list(wanted, limit=2)
    second = await store.list(wanted, limit=2, after=first.next)
    assert [job.id for job in first.jobs + second.jobs] == ids[:0:-1]


async def test_fields_filter_exactly(store: Store) -> None:
    ids = await add(store, new("a", queue="x", user="ann"), new("b", queue="y", user="bob"), new("b", queue="xy"))
    assert await listed(store, Filter(queue="x")) == ids[:1]
    assert await listed(store, Filter(task="b")) == ids[:0:-1]
    assert await listed(store, Filter(user="bob")) == [ids[1]]
    assert await listed(store, Filter(queue="none")) == []


async def test_a_tag_filters_exactly(store: Store) -> None:
    ids = await add(store, new(tags=("red", "big")), new(tags=("reddish",)), new(tags=('q"u,o',)), new())
    assert await listed(store, Filter(tag="red")) == [ids[0]]
    assert await listed(store, Filter(tag='q"u,o')) == [ids[2]]
    assert await listed(store, Filter(tag="re")) == []


async def test_text_finds_by_part_of_task_or_user_in_any_case(store: Store) -> None:
    ids = await add(store, new("make_Sprite"), new(user="Sprinter"), new("other", user="ann"))
    assert await listed(store, Filter(text="sPRi")) == [ids[1], ids[0]]
    assert await listed(store, Filter(text="ANN")) == [ids[2]]


async def test_text_finds_by_the_start_of_an_id(store: Store) -> None:
    ids = await add(store, new(), new())
    assert await listed(store, Filter(text=ids[0])) == [ids[0]]
    assert await listed(store, Filter(text=ids[0].upper())) == [ids[0]]
    assert await listed(store, Filter(text=ids[0][:10])) == ids[::-1]
    assert await listed(store, Filter(text=ids[0][3:])) == []


@pytest.mark.parametrize("text", ["%", "_", "0%", "!", "a_b", "\\", "'"])
async def test_text_has_no_wildcards(store: Store, text: str) -> None:
    await add(store, new("axb"))
    assert await listed(store, Filter(text=text)) == []
    (job_id,) = await add(store, new(f"<{text}>"))
    assert await listed(store, Filter(text=text)) == [job_id]


async def test_ids_filter(store: Store) -> None:
    ids = await add(store, new(), new(), new())
    assert await listed(store, Filter(ids=(ids[0], new_id(), ids[2], ids[0], "nonsense"))) == [ids[2], ids[0]]


async def test_all_fields_of_a_filter_must_fit(store: Store, clock: FakeClock) -> None:
    ids = await add(store, new("a", user="ann", tags=("x",)), new("a", user="bob", tags=("x",)), new("b", user="ann"))
    assert await listed(store, Filter(task="a", user="ann", tag="x", text="a")) == [ids[0]]
    assert await listed(store, Filter(ids=tuple(ids), task="a", user="bob")) == [ids[1]]
    assert await listed(store, Filter(ids=tuple(ids), tag="x")) == [ids[1], ids[0]]
    assert await listed(store, Filter(ids=tuple(ids), text="bob")) == [ids[1]]
    assert await listed(store, Filter(ids=tuple(ids), ended_before=clock.at + 9)) == []


async def test_ids_are_paged_too(store: Store) -> None:
    ids = await add(store, new(), new(), new())
    first = await store.list(Filter(ids=tuple(ids)), limit=2)
    assert first.next is not None
    second = await store.list(Filter(ids=tuple(ids)), limit=2, after=first.next)
    assert [job.id for job in first.jobs + second.jobs] == ids[::-1]
    assert second.next is None


async def test_ended_before_finds_only_what_ended(store: Store, clock: FakeClock) -> None:
    old = await complete(store)
    clock.pass_(10)
    await complete(store)
    await start(store)
    assert await listed(store, Filter(ended_before=clock.at)) == [old]


async def test_a_selection_is_oldest_first_and_bounded(store: Store) -> None:
    ids = await add(store, new("a"), new("b"), new("a"), new("a"))
    assert await store.select(Filter(task="a"), 2) == [ids[0], ids[2]]
    assert await store.select(Filter(task="a"), 9) == [ids[0], ids[2], ids[3]]
    assert await store.select(Filter(task="none"), 9) == []


async def test_a_job_that_moves_is_listed_where_it_is(store: Store) -> None:
    lease = await start(store)
    assert await listed(store, Filter(states=(State.QUEUED,))) == []
    await store.settle([ended(lease)])
    assert await listed(store, Filter(states=(State.RUNNING,))) == []
    assert await listed(store, Filter(states=(State.COMPLETED,))) == [lease.id]
