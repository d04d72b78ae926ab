"""Dependencies: who waits for whom, and what the end of a parent does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stanchion.domain.dependency import Dependency, Outline, Policy
from stanchion.domain.job import State
from stanchion.domain.kinds import ErrorInfo, Kind
from stanchion.domain.outcome import Cancelled, Completed, Failed
from stanchion.domain.query import Filter
from stanchion.errors import (
    DependencyCycleError,
    DependencyError,
    IdempotencyMismatchError,
    NotAloneError,
    QueueFullError,
    StillNeededError,
    UnknownParentError,
)
from stanchion.store import Enqueued, Refused, Want
from tests.conformance.helpers import ACME, KEEP, OTHER, add, ended, fail, finish, join, keyed, new, read, states, take

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.job import NewJob
    from stanchion.store import Store
    from tests.clock import FakeClock

NO = Failed(ErrorInfo(Kind.CONTENT_POLICY, "no"))
FAIL, SKIP, CONTINUE = Policy


def after(*parents: str, policy: Policy = FAIL, **given: Any) -> NewJob:
    return new(depends_on=tuple(Dependency(parent, policy) for parent in parents), **given)


def errors(answers: Sequence[Enqueued | Refused]) -> list[type[Exception] | None]:
    return [type(answer.error) if isinstance(answer, Refused) else None for answer in answers]


async def test_a_job_starts_only_after_the_last_of_its_parents_has_completed(store: Store) -> None:
    worker = await join(store)
    first, second = await add(store, new(), new())
    (child,) = await add(store, after(first, second))
    one, two = await take(store, worker)
    await finish(store, one)
    assert await states(store, child) == [State.BLOCKED]
    await finish(store, two)
    assert await states(store, child) == [State.QUEUED]
    assert [lease.id for lease in await take(store, worker)] == [child]


async def test_a_settlement_and_the_claim_that_it_rides_in_start_the_child(store: Store) -> None:
    worker = await join(store)
    first, child = await add(store, one := new(), after(one.id))
    (lease,) = await take(store, worker)
    assert lease.id == first
    _, claimed = await store.claim(worker, Want(4, frozenset({"t"})), [ended(lease)])
    assert [lease.id for lease in claimed.leases] == [child]


@pytest.mark.parametrize("outcome", [NO, Cancelled()])
@pytest.mark.parametrize(("policy", "state"), [(FAIL, State.FAILED), (SKIP, State.CANCELLED), (CONTINUE, State.QUEUED)])
async def test_the_policy_of_the_edge_decides_when_a_parent_does_not_complete(
    store: Store, policy: Policy, state: State, outcome: Failed | Cancelled
) -> None:
    worker = await join(store)
    parent, child = await add(store, one := new(), after(one.id, policy=policy))
    (lease,) = await take(store, worker)
    await finish(store, lease, outcome)
    assert await states(store, child) == [state]
    job = await read(store, child)
    if state is State.FAILED:
        assert job.error is not None
        assert job.error.kind is (Kind.CONTENT_POLICY if outcome is NO else Kind.INTERNAL)
        assert parent in job.error.message
        assert not job.error.retryable
    else:
        assert job.error is None


async def test_a_failed_parent_ends_its_child_at_once_whatever_else_it_waits_for(store: Store) -> None:
    worker = await join(store)
    await add(store, one := new(), two := new())
    (child,) = await add(store, after(two.id, one.id))
    first, second = await take(store, worker)
    await finish(store, first, NO)
    assert await states(store, child) == [State.FAILED]
    await finish(store, second)
    assert (await read(store, child)).version == 2


async def test_of_two_parents_that_end_together_the_one_that_fails_the_child_wins(store: Store) -> None:
    worker = await join(store)
    await add(store, one := new(), two := new(max_attempts=1))
    edges = (Dependency(one.id, SKIP), Dependency(two.id, FAIL))
    (child,) = await add(store, new(depends_on=edges))
    first, second = await take(store, worker)
    await store.settle([ended(first, Cancelled()), ended(second, NO)])
    assert await states(store, child) == [State.FAILED]


async def test_parents_that_ended_before_count_at_once(store: Store) -> None:
    worker = await join(store)
    (done,) = await add(store, new())
    (lease,) = await take(store, worker)
    await finish(store, lease)
    failed = await fail(store)
    answers = await store.enqueue(
        [after(done), after(done, failed), after(failed, policy=SKIP), after(failed, policy=CONTINUE)]
    )
    found = [answer.state for answer in answers if isinstance(answer, Enqueued)]
    assert found == [State.QUEUED, State.FAILED, State.CANCELLED, State.QUEUED]
    assert [answer.version for answer in answers if isinstance(answer, Enqueued)] == [2, 2, 2, 2]


async def test_a_batch_names_its_own_jobs_in_any_order(store: Store) -> None:
    worker = await join(store)
    one = new()
    two = after(one.id)
    three = after(one.id, two.id)
    answers = await store.enqueue([three, one, two])
    assert [answer.id for answer in answers if isinstance(answer, Enqueued)] == [three.id, one.id, two.id]
    started: list[str] = []
    for _ in range(3):
        (lease,) = await take(store, worker)
        started.append(lease.id)
        await finish(store, lease)
    assert started == [one.id, two.id, three.id]


async def test_a_batch_that_is_sent_again_ties_nothing_twice(store: Store) -> None:
    one = new()
    batch = [one, after(one.id)]
    await store.enqueue(batch)
    again = await store.enqueue(batch)
    assert [answer.new for answer in again if isinstance(answer, Enqueued)] == [False, False]
    assert len((await store.relations(batch[1].id)).parents) == 1


async def test_a_circle_is_refused_and_nothing_of_it_stored(store: Store) -> None:
    one, two = new(), new()
    one = one._replace(depends_on=(Dependency(two.id),))
    two = two._replace(depends_on=(Dependency(one.id),))
    itself = new()
    itself = itself._replace(depends_on=(Dependency(itself.id),))
    answers = await store.enqueue([one, two, itself, behind := after(one.id), free := new()])
    assert errors(answers) == [DependencyCycleError] * 4 + [None]
    assert await states(store, one.id, two.id, itself.id, behind.id, free.id) == [None] * 4 + [State.QUEUED]


async def test_an_unknown_or_foreign_or_refused_parent_is_refused(store: Store) -> None:
    (foreign,) = await add(store, new(tenant="acme"))
    nobody = new()
    broken = after(nobody.id)
    answers = await store.enqueue([broken, after(broken.id), after(foreign, tenant="other"), after("no id")])
    assert errors(answers) == [UnknownParentError] * 4
    assert errors(await store.enqueue([after(foreign, tenant="acme")])) == [None]


async def test_an_atomic_batch_is_stored_as_a_whole_or_not_at_all(store: Store) -> None:
    await store.configure("full", max_waiting=1)
    worker = await join(store)
    one = new(workflow="w")
    batch = [one, after(one.id, queue="full", workflow="w"), after(one.id, queue="full", workflow="w")]
    before = await store.tail()
    answers = await store.enqueue(batch, atomic=True)
    assert errors(answers) == [NotAloneError, NotAloneError, QueueFullError]
    assert await states(store, *(job.id for job in batch)) == [None] * 3
    assert await store.tail() == before
    assert await store.workflow("w") == {}
    assert not await take(store, worker)
    assert errors(await store.enqueue(batch[:2], atomic=True)) == [None] * 2
    assert [lease.id for lease in await take(store, worker)] == [one.id]


async def test_an_atomic_batch_leaves_no_key_behind_when_it_is_refused(store: Store) -> None:
    await store.enqueue([keyed("k", b"1")])
    first = new(dedup_key=b"d", dedup_window=60_000, queue="fresh", task="a")
    refused = errors(await store.enqueue([first, keyed("k", b"2")], atomic=True))
    assert refused == [NotAloneError, IdempotencyMismatchError]
    (answer,) = await store.enqueue([new(dedup_key=b"d", dedup_window=60_000, queue="fresh", task="a")])
    assert isinstance(answer, Enqueued)
    assert answer.new
    worker = await join(store)
    assert answer.id in {lease.id for lease in await take(store, worker)}


async def test_a_parent_that_joins_another_job_stands_for_that_one(store: Store) -> None:
    worker = await join(store)
    (there,) = await add(store, new(dedup_key=b"k", dedup_window=60_000))
    twin = new(dedup_key=b"k", dedup_window=60_000)
    answers = await store.enqueue([child := after(twin.id), twin])
    assert [answer.id for answer in answers if isinstance(answer, Enqueued)] == [child.id, there]
    assert [parent.id for parent in (await store.relations(child.id)).parents] == [there]
    (lease,) = await take(store, worker)
    await finish(store, lease)
    assert await states(store, child.id) == [State.QUEUED]


async def test_a_job_may_depend_on_one_parent_twice(store: Store) -> None:
    worker = await join(store)
    (parent,) = await add(store, new())
    (child,) = await add(store, after(parent, parent))
    (lease,) = await take(store, worker)
    await finish(store, lease, Completed(b"7"))
    (lease,) = await take(store, worker)
    assert lease.id == child
    assert [parent.result for parent in await store.parents(lease.ref)] == [b"7", b"7"]


async def test_the_results_of_parents_come_in_the_order_of_the_request(store: Store) -> None:
    worker = await join(store)
    one, two, three = await add(store, new(), new(), new())
    (child,) = await add(
        store, new(depends_on=(Dependency(three, CONTINUE), Dependency(one), Dependency(two, CONTINUE)))
    )
    leases = {lease.id: lease for lease in await take(store, worker)}
    await finish(store, leases[two], Completed(b'"two"'))
    await finish(store, leases[three], NO)
    await finish(store, leases[one], Completed(None))
    (lease,) = await take(store, worker)
    found = await store.parents(lease.ref)
    assert [(parent.id, parent.state.value, parent.result) for parent in found] == [
        (three, "failed", None),
        (one, "completed", None),
        (two, "completed", b'"two"'),
    ]
    assert found[0].error is not None
    relations = await store.relations(one)
    assert [(child_.id, child_.policy) for child_ in relations.children] == [(child, FAIL)]


async def test_a_blocked_job_with_a_later_start_waits_for_both(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await add(store, one := new())
    (child,) = await add(store, after(one.id, delay=5_000))
    (lease,) = await take(store, worker)
    await finish(store, lease)
    assert await states(store, child) == [State.SCHEDULED]
    assert not await take(store, worker)
    clock.pass_(5_000)
    assert [lease.id for lease in await take(store, worker)] == [child]


async def test_a_blocked_job_waits_on_its_first_open_parent(store: Store) -> None:
    worker = await join(store)
    one, two = await add(store, new(), new())
    (child,) = await add(store, after(one, two))
    (place,) = await store.position([child])
    assert place is not None
    assert (place.position, place.reason, place.key) == (None, "dependency", one)
    leases = {lease.id: lease for lease in await take(store, worker)}
    await finish(store, leases[one])
    (place,) = await store.position([child])
    assert place is not None
    assert place.key == two


async def test_cancelling_and_expiring_reach_the_children_too(store: Store, clock: FakeClock) -> None:
    await add(store, one := new(), two := new(expires_in=10))
    first, second, third = await add(
        store, a := after(one.id, policy=SKIP), after(two.id), after(a.id, policy=CONTINUE)
    )
    await store.cancel([one.id])
    assert await states(store, first, third) == [State.CANCELLED, State.QUEUED]
    clock.pass_(10)
    await store.maintain(KEEP, 100)
    assert await states(store, two.id, second) == [State.FAILED, State.FAILED]
    job = await read(store, second)
    assert job.error is not None
    assert job.error.kind is Kind.EXPIRED


async def test_a_job_that_expires_in_a_claim_takes_its_children_along(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    _, child = await add(store, one := new(expires_in=10), after(one.id))
    clock.pass_(10)
    assert not await take(store, worker)
    assert await states(store, child) == [State.FAILED]


async def test_cancelling_a_whole_tree_cancels_each_job_of_it(store: Store) -> None:
    one = new(workflow="w")
    two = after(one.id, workflow="w")
    ids = await add(store, one, two)
    await store.cancel(await store.select(Filter(workflow="w"), 100))
    assert await states(store, *ids) == [State.CANCELLED] * 2


async def test_a_retried_parent_leaves_children_that_ended_as_they_are(store: Store) -> None:
    worker = await join(store)
    await add(store, one := new(max_attempts=1))
    failed, other = await add(store, after(one.id), after(one.id, policy=CONTINUE))
    (lease,) = await take(store, worker)
    await finish(store, lease, NO)
    await store.retry([one.id])
    assert await states(store, one.id, failed, other) == [State.QUEUED, State.FAILED, State.QUEUED]


async def test_a_child_that_still_waits_waits_for_a_retried_parent_again(store: Store) -> None:
    worker = await join(store)
    await add(store, one := new(max_attempts=1), two := new())
    (child,) = await add(store, after(one.id, two.id, policy=CONTINUE))
    first, second = await take(store, worker)
    await finish(store, first, NO)
    await store.retry([one.id])
    await finish(store, second)
    assert await states(store, child) == [State.BLOCKED]
    (lease,) = await take(store, worker)
    await finish(store, lease)
    assert await states(store, child) == [State.QUEUED]


async def test_a_child_can_be_retried_once_its_parent_is(store: Store) -> None:
    worker = await join(store)
    _, child = await add(store, one := new(max_attempts=1), after(one.id))
    (lease,) = await take(store, worker)
    await finish(store, lease, NO)
    (answer,) = await store.retry([child])
    assert isinstance(answer, DependencyError)
    await store.retry([one.id])
    await store.retry([child])
    assert await states(store, one.id, child) == [State.QUEUED, State.BLOCKED]
    (lease,) = await take(store, worker)
    await finish(store, lease)
    assert [lease.id for lease in await take(store, worker)] == [child]


async def test_a_parent_is_kept_until_the_jobs_that_need_it_have_ended(store: Store, clock: FakeClock) -> None:
    worker = await join(store)
    await add(store, one := new(), two := new())
    (child,) = await add(store, after(one.id, two.id))
    leases = {lease.id: lease for lease in await take(store, worker)}
    await finish(store, leases[one.id])
    clock.pass_(KEEP.completed)
    assert (await store.maintain(KEEP, 100)).pruned == 0
    (answer,) = await store.erase([one.id])
    assert isinstance(answer, StillNeededError)
    await store.cancel([child])
    assert (await store.maintain(KEEP, 100)).pruned == 1
    (answer,) = await store.retry([child])
    assert isinstance(answer, Exception)


async def test_a_failed_child_whose_parent_is_gone_is_not_retried(store: Store) -> None:
    worker = await join(store)
    _, child = await add(store, one := new(max_attempts=1), after(one.id))
    (lease,) = await take(store, worker)
    await finish(store, lease, NO)
    assert await store.erase([one.id]) == [True]
    (answer,) = await store.retry([child])
    assert isinstance(answer, DependencyError)
    assert (await store.relations(child)).parents == ()
    assert await store.erase([child]) == [True]


async def test_a_workflow_is_counted_and_listed_within_its_tenant(store: Store) -> None:
    worker = await join(store)
    one = new(tenant="acme", workflow="w")
    ids = await add(store, one, after(one.id, tenant="acme", workflow="w"), new(tenant="other", workflow="v"))
    assert await store.workflow("w") == {State.QUEUED: 1, State.BLOCKED: 1}
    assert await store.workflow("w", OTHER) == {}
    page = await store.list(Filter(workflow="w"), limit=1, scope=ACME)
    assert [job.id for job in page.jobs] == [ids[1]]
    page = await store.list(Filter(workflow="w"), limit=1, after=page.next, scope=ACME)
    assert [job.id for job in page.jobs] == [ids[0]]
    assert page.next is None
    assert not (await store.list(Filter(workflow="w"), limit=9, scope=OTHER)).jobs
    assert await store.select(Filter(workflow="w", states=(State.BLOCKED,)), 9) == [ids[1]]
    assert await store.select(Filter(workflow="w", ids=(ids[0],)), 9) == [ids[0]]
    assert (await store.relations(ids[0], OTHER)).children == ()
    assert (await store.relations(ids[0], ACME)).workflows == ("w",)
    assert worker


async def test_a_workflow_at_a_glance_is_its_first_jobs_and_their_edges_within_the_scope(store: Store) -> None:
    worker = await join(store)
    one, two = new(tenant="acme", workflow="w"), new(tenant="acme", workflow="w")
    await add(store, one, two, last := after(one.id, two.id, tenant="acme", workflow="w"))
    found = await store.outline("w", 10)
    assert found.counts == {State.QUEUED: 2, State.BLOCKED: 1}
    assert set(found.edges) == {(one.id, last.id), (two.id, last.id)}
    assert await store.outline("w", 10, ACME) == found
    assert await store.outline("w", 10, OTHER) == Outline({})
    assert await store.outline("nothing", 10) == Outline({})
    assert (await store.outline("w", 2)).counts == {State.QUEUED: 2}
    await finish(store, (await take(store, worker))[0])
    assert (await store.outline("w", 10)).counts[State.COMPLETED] == 1


async def test_a_joined_job_belongs_to_both_workflows(store: Store) -> None:
    (one,) = await add(store, new(dedup_key=b"k", dedup_window=60_000, workflow="v"))
    await store.enqueue([new(dedup_key=b"k", dedup_window=60_000, workflow="w")])
    assert (await store.relations(one)).workflows == ("v", "w")


@pytest.mark.timeout(240)
async def test_a_chain_of_ten_thousand_fails_from_end_to_end(store: Store) -> None:
    worker = await join(store)
    chain = [new(max_attempts=1, workflow="w")]
    for _ in range(9_999):
        chain.append(after(chain[-1].id, workflow="w"))
    assert not any(errors(await store.enqueue(chain, atomic=True)))
    (lease,) = await take(store, worker)
    await finish(store, lease, NO)
    rounds = 0
    while (await store.maintain(KEEP, 1_000)).resolved:
        rounds += 1
    assert rounds <= 12
    assert await store.workflow("w") == {State.FAILED: 10_000}
    last = await read(store, chain[-1].id)
    assert last.version == 2
    assert last.error is not None
    assert last.error.kind is Kind.CONTENT_POLICY
