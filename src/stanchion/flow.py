"""Workflows: requests put together as chains, groups and chords; stored at once, followed as one."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar, cast

from stanchion.domain.job import FINAL, State
from stanchion.domain.query import MAX_PAGE, Filter
from stanchion.engine.chance import new_id
from stanchion.engine.gather import GATHERED
from stanchion.engine.submit import JobOptions, Submission
from stanchion.engine.watchers import Interest
from stanchion.errors import NotFoundError, UsageError
from stanchion.handle import Job

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from stanchion.domain.units import JobId
    from stanchion.handle import JobEvent, Ports
    from stanchion.store import Enqueued

R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")

_MANY = 1 << 30


class Starter(Protocol):
    """What a workflow needs of its app."""

    @property
    def ports(self) -> Ports:
        """What handles are made with; the app must be open."""
        ...

    async def submit_together(self, batch: Sequence[Submission], /) -> list[Enqueued]:
        """Store requests, all or none."""
        ...


class _Plan:
    """The requests of a workflow, each under an id that others name."""

    def __init__(self, workflow: str) -> None:
        self.workflow = workflow
        self.submissions: list[Submission] = []

    def add(self, submission: Submission, parents: tuple[JobId, ...]) -> tuple[JobId, ...]:
        """Add a request that waits for others, and return its id."""
        job_id = new_id()
        named = (*(submission.options.depends_on or ()), *parents)
        own = JobOptions(id=job_id, workflow=self.workflow, depends_on=named or None)
        self.submissions.append(submission._replace(options=submission.options.merged(own)))
        return (job_id,)


class Flow(ABC, Generic[R_co]):
    """Requests and their order; nothing is stored before `enqueue`. `R` is what the whole gives."""

    def __init__(self, starter: Starter) -> None:
        self._starter = starter

    @property
    def starter(self) -> Starter:
        """The app that its requests are for."""
        return self._starter

    @property
    def single(self) -> bool:
        """Whether it ends in one job."""
        return True

    @abstractmethod
    def plan(self, plan: _Plan, parents: tuple[JobId, ...]) -> tuple[JobId, ...]:
        """Add its requests to a plan, to start after the parents; return the ids that it ends in, in order."""

    async def enqueue(self) -> Workflow[R_co]:
        """Store all of it in one transaction, durable on return.

        Raises:
            StanchionError: One of its jobs was refused; nothing was stored.
        """
        plan = _Plan(new_id())
        ends = self.plan(plan, ())
        answers = await self._starter.submit_together(plan.submissions)
        names = {cast("str", s.options.id): answer.id for s, answer in zip(plan.submissions, answers, strict=True)}
        ports = self._starter.ports
        jobs = {answer.id: Job[Any](ports, answer.id, answer.state, new=answer.new) for answer in answers}
        return Workflow(ports, plan.workflow, tuple(jobs.values()), [names[end] for end in ends], single=self.single)


class Request(Flow[R_co]):
    """A request to run a task: made by `Task.request`, stored as part of a workflow."""

    def __init__(self, starter: Starter, submission: Submission) -> None:
        super().__init__(starter)
        self.submission = submission

    def plan(self, plan: _Plan, parents: tuple[JobId, ...]) -> tuple[JobId, ...]:
        """See `Flow.plan`."""
        return plan.add(self.submission, parents)


class Chain(Flow[R_co]):
    """Flows one after the other; what it gives is what the last one gives."""

    def __init__(self, parts: Sequence[Flow[Any]]) -> None:
        super().__init__(_starter_of(parts, "chain"))
        self.parts = tuple(parts)

    @property
    def single(self) -> bool:
        """See `Flow.single`."""
        return self.parts[-1].single

    def plan(self, plan: _Plan, parents: tuple[JobId, ...]) -> tuple[JobId, ...]:
        """See `Flow.plan`."""
        for part in self.parts:
            parents = part.plan(plan, parents)
        return parents


class Group(Flow[list[T]]):
    """Flows side by side; what it gives is the list of what they give, in order."""

    def __init__(self, members: Sequence[Flow[T]]) -> None:
        super().__init__(_starter_of(members, "group"))
        self.members = tuple(members)
        if not all(member.single for member in members):
            message = "A member of a group ends in several jobs, so it has no one result."
            raise UsageError(message, remedy="Put its requests into the outer group, or end it with a chord.")

    @property
    def single(self) -> bool:
        """See `Flow.single`."""
        return False

    def plan(self, plan: _Plan, parents: tuple[JobId, ...]) -> tuple[JobId, ...]:
        """See `Flow.plan`."""
        return tuple(end for member in self.members for end in member.plan(plan, parents))


class Chord(Flow[R_co]):
    """A group, and a request whose first argument is the list of the group's results."""

    def __init__(self, group: Group[Any], body: Request[R_co], argument: str) -> None:
        super().__init__(group.starter)
        if body.submission.options.depends_on:
            message = "The body of a chord has parents of its own beside the group."
            raise UsageError(message, remedy="Leave depends_on out, or put these requests into the group.")
        arguments = {**body.submission.args, argument: GATHERED}
        self.group, self.body = group, body.submission._replace(args=arguments)

    def plan(self, plan: _Plan, parents: tuple[JobId, ...]) -> tuple[JobId, ...]:
        """See `Flow.plan`."""
        return plan.add(self.body, self.group.plan(plan, parents))


def _starter_of(parts: Sequence[Flow[Any]], what: str) -> Starter:
    if not parts:
        message = f"A {what} has nothing in it."
        raise UsageError(message, remedy="Give it at least one request.")
    return parts[0].starter


class WorkflowProgress(NamedTuple):
    """How far a workflow is: jobs that have ended, all jobs, and how many are in each state."""

    done: int
    total: int
    states: Mapping[State, int]


class WorkflowEvent(NamedTuple):
    """Something that happened to a job of a workflow."""

    job: str
    event: JobEvent


class Workflow(Generic[R_co]):
    """A workflow that was enqueued: durable, whatever happens to this object."""

    def __init__(
        self, ports: Ports, workflow_id: str, jobs: tuple[Job[Any], ...], ends: Sequence[JobId] | None, *, single: bool
    ) -> None:
        self._ports, self._ends, self._single = ports, ends, single
        self.id = workflow_id
        self.jobs = jobs
        """Its jobs, parents first; their states are as last known."""

    def __repr__(self) -> str:
        return f"Workflow({self.id}, {len(self.jobs)} jobs)"

    async def progress(self) -> WorkflowProgress:
        """Return how far it is, now."""
        states = Counter(await self._ports.store.workflow(self.id))
        done = sum(count for state, count in states.items() if state in FINAL)
        return WorkflowProgress(done, states.total(), dict(states))

    async def result(self, timeout: float | None = None) -> R_co:  # noqa: ASYNC109 - the public name
        """Wait for the end and return what the whole gives: a chain its last result, a group the list of results.

        Raises:
            JobFailedError: A job that it ends in failed; its kind is that of the first cause.
            JobCancelledError: A job that it ends in was cancelled.
            TimeoutError: `timeout` seconds passed; the workflow goes on.
        """
        handles = {job.id: job for job in self.jobs}
        async with asyncio.timeout(timeout):
            ends = [handles[job_id] for job_id in await self._ended_in()]
            results = [await job.result() for job in ends]
        return cast("R_co", results[0] if self._single and len(results) == 1 else results)

    async def _ended_in(self) -> Sequence[JobId]:
        """Return the jobs that it ends in; of a workflow that was looked up, those on which none of it depends."""
        if self._ends is None:
            own = {job.id for job in self.jobs}
            found = [(job.id, await self._ports.store.relations(job.id)) for job in self.jobs]
            self._ends = [job_id for job_id, near in found if own.isdisjoint(child.id for child in near.children)]
        return self._ends

    async def events(self) -> AsyncIterator[WorkflowEvent]:
        """Yield what happens to its jobs, from their present states until all have ended."""
        handles = {job.id: job for job in self.jobs}
        versions = dict.fromkeys(handles, 0)
        while True:
            async with self._ports.watch.open(Interest(), jobs=list(handles)) as watcher:
                for job in handles.values():
                    await job.refresh()
                    if job.facts.version > versions[job.id]:
                        versions[job.id] = job.facts.version
                        yield WorkflowEvent(job.id, job.present())
                while watcher.ended is None:
                    if all(job.state in FINAL for job in handles.values()):
                        return
                    for notice in await watcher.take():
                        job = None if notice.job is None else handles.get(notice.job.id)
                        shown = None if job is None else job.shown(notice, versions[job.id])
                        if job is not None and shown is not None:
                            versions[job.id] = max(versions[job.id], shown.version)
                            yield WorkflowEvent(job.id, shown)

    async def cancel(self) -> Workflow[R_co]:
        """Cancel every job of it that has not ended; running attempts are asked to stop."""
        store = self._ports.store
        await store.cancel(await store.select(Filter(workflow=self.id), _MANY))
        return self

    async def retry(self) -> Workflow[R_co]:
        """Queue its failed jobs anew; those that failed with a parent wait for it again.

        Raises:
            StanchionError: A job cannot be retried, because a parent was cancelled or is gone; the others are.
        """
        store = self._ports.store
        answers = await store.retry(await store.select(Filter(workflow=self.id, states=(State.FAILED,)), _MANY))
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return self


async def find(ports: Ports, workflow_id: str) -> Workflow[Any]:
    """Return a workflow by id.

    Raises:
        NotFoundError: No job belongs to it.
    """
    jobs: list[Job[Any]] = []
    after: str | None = None
    while True:
        page = await ports.store.list(Filter(workflow=workflow_id), limit=MAX_PAGE, after=after)
        jobs += [Job(ports, facts.id, facts.state, facts=facts) for facts in page.jobs]
        after = page.next
        if after is None:
            break
    if not jobs:
        message = f"No job belongs to a workflow {workflow_id}."
        raise NotFoundError(message)
    return Workflow(ports, workflow_id, tuple(reversed(jobs)), None, single=True)
