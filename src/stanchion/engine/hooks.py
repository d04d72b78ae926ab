"""What an application may hang in: before an enqueue, around an attempt, on every change of state."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from stanchion.domain.intake import Warned
    from stanchion.domain.job import Job, State
    from stanchion.engine.context import Context
    from stanchion.engine.submit import Submission

    BeforeEnqueue: TypeAlias = Callable[[Submission], Submission | Awaitable[Submission | None] | None]
    AroundAttempt: TypeAlias = Callable[[Context, Callable[[], Awaitable[Any]]], Awaitable[Any]]
    OnOverflow: TypeAlias = Callable[[Warned], Awaitable[None] | None]
    OnState: TypeAlias = "Callable[[StateChange], Awaitable[None] | None]"


class StateChange(NamedTuple):
    """One change of a job's state, as hooks see it: the job is as it stands when the hook runs."""

    job: Job
    state: State
    version: int
    attempt: int


class Hooks:
    """The functions that an application registered, in order."""

    def __init__(self) -> None:
        self.before_enqueue: list[BeforeEnqueue] = []
        self.around_attempt: list[AroundAttempt] = []
        self.on_state: list[OnState] = []
        self.on_overflow: list[OnOverflow] = []

    async def submitted(self, submission: Submission) -> Submission:
        """Return a request after all hooks saw it; a hook that raises refuses it."""
        for hook in self.before_enqueue:
            answer = hook(submission)
            if inspect.isawaitable(answer):
                answer = await answer
            if answer is not None:
                submission = answer
        return submission

    async def overflowed(self, warned: Warned) -> None:
        """Tell all hooks of a key that was just crossed."""
        for hook in self.on_overflow:
            answer = hook(warned)
            if inspect.isawaitable(answer):
                await answer

    async def attempted(self, context: Context, call: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - a handler's own result
        """Run a handler inside all hooks, the first registered outermost."""
        for hook in reversed(self.around_attempt):
            call = _within(hook, context, call)
        return await call()

    async def changed(self, change: StateChange) -> None:
        """Tell all hooks of a change."""
        for hook in self.on_state:
            answer = hook(change)
            if inspect.isawaitable(answer):
                await answer


def _within(hook: AroundAttempt, context: Context, call: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[Any]]:
    async def wrapped() -> Any:  # noqa: ANN401 - a handler's own result
        return await hook(context, call)

    return wrapped
