"""Which jobs an operation is for: ids, or a filter; and applying it in batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

from cyclopts import Group, Parameter

from stanchion.cli import exits, render
from stanchion.domain.query import Filter
from stanchion.engine.submit import span
from stanchion.errors import NotFoundError, StanchionError, UsageError
from stanchion.queues import CHUNK, states_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from stanchion.app import Stanchion
    from stanchion.domain.job import State
    from stanchion.domain.units import JobId

    Change = Callable[[Sequence[JobId]], Awaitable[Sequence[Any]]]

FILTERS: Final = Group("Filters", sort_key=50)
EVERYTHING: Final = 1_000_000
"""Jobs that one command changes at most."""


@Parameter(name="*", group=FILTERS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """The filters of a command.

    Attributes:
        state: States, separated by commas.
        queue: A queue's name.
        task: A task's name.
        user: A user's name.
        tag: A tag.
        workflow: A workflow's id.
    """

    state: str | None = None
    queue: str | None = None
    task: str | None = None
    user: str | None = None
    tag: str | None = None
    workflow: str | None = None

    @property
    def given(self) -> bool:
        """Whether anything is filtered."""
        given = (self.state, self.queue, self.task, self.user, self.tag, self.workflow)
        return any(value is not None for value in given)

    def filter(self, *, text: str | None = None, states: tuple[State, ...] = ()) -> Filter:
        """Return the filter; `states` where none is named."""
        named = states_of(part.strip() for part in self.state.split(",")) if self.state is not None else states
        return Filter(
            states=named,
            queue=self.queue,
            task=self.task,
            user=self.user,
            tag=self.tag,
            text=text,
            workflow=self.workflow,
        )


ANY: Final = Which()
All = Annotated[bool, Parameter(name="--all", negative="", group=FILTERS)]


class Done(NamedTuple):
    """What became of an operation on many jobs."""

    changed: int
    errors: dict[JobId, StanchionError]


async def chosen(
    app: Stanchion, ids: Sequence[JobId], which: Which, *, states: tuple[State, ...], everything: bool
) -> list[JobId]:
    """Return the jobs that ids or filters name.

    Raises:
        UsageError: Neither or both were given: a slip must not change every job.
    """
    if ids and (which.given or everything):
        message = "Both ids and filters were given."
        raise UsageError(message, remedy="Give one or the other.")
    if ids:
        return list(ids)
    if not which.given and not everything:
        message = "Nothing says which jobs."
        raise UsageError(message, remedy="Give ids, a filter such as --queue images, or --all.")
    return await app.store.select(which.filter(states=states), EVERYTHING)


async def apply(ids: Sequence[JobId], change: Change) -> Done:
    """Apply a change in batches; each job has its own answer."""
    count, errors = 0, dict[str, StanchionError]()
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        for job_id, answer in zip(part, await change(part), strict=True):
            if isinstance(answer, StanchionError):
                errors[job_id] = answer
            elif answer is None or answer is False:
                errors[job_id] = NotFoundError(f"No job {job_id}.")
            else:
                count += 1
    return Done(count, errors)


def report(done: Done, verb: str, *, named: bool, json: bool) -> int:
    """Print what became of it; jobs that a filter chose may have moved on since, which is no failure."""
    if json:
        errors = [{"id": job_id, "error": e.code, "message": e.message} for job_id, e in done.errors.items()]
        render.line({"count": done.changed, "errors": errors})
    else:
        render.say(f"{done.changed} {verb}")
        for job_id, error in done.errors.items():
            render.note(f"{job_id}: {error.message}")
    if named and done.errors:
        codes = {exits.code_of(error) for error in done.errors.values()}
        return codes.pop() if len(codes) == 1 else exits.FAILED
    return exits.OK


def seconds_ago(app: Stanchion, duration: str) -> int:
    """Return the instant so long ago.

    Raises:
        UsageError: It is no duration.
    """
    try:
        return app.store.now() - span(duration) + 1
    except ValueError as error:
        message = f"{error}."
        raise UsageError(message, remedy="Write it as 30 (seconds), 5m, 12h or 7d.") from error
