"""Features that meet: limits with retries, parks, restarts and pauses; caches and refusals with dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.domain.cache import Caching
from stanchion.domain.dependency import Dependency
from stanchion.domain.job import State
from tests.conformance.helpers import add, complete, new, new_id, states

if TYPE_CHECKING:
    from stanchion.store import Store

P = "provider:p"


async def test_a_cached_answer_to_a_request_with_parents_waits_for_nothing(store: Store) -> None:
    await complete(store, new(cache=Caching(b"c", 60_000)))
    (parent,) = await add(store, new())
    child = new(cache=Caching(b"c", 60_000), depends_on=(Dependency(parent),))
    (answer,) = await store.enqueue([child])
    (state,) = await states(store, child.id)
    assert (getattr(answer, "state", None), state) == (State.COMPLETED, State.COMPLETED)


async def test_the_children_of_cached_answers_of_their_batch_are_told(store: Store) -> None:
    await complete(store, new(cache=Caching(b"c", 60_000)))
    parent = new(id=new_id(), cache=Caching(b"c", 60_000))
    child = new(depends_on=(Dependency(parent.id),))
    await store.enqueue([child, parent])
    assert await states(store, parent.id, child.id) == [State.COMPLETED, State.QUEUED]
