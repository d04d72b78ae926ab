"""`chain`, `group` and `chord`: how requests are put together, typed by what their tasks give and take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, overload

from stanchion.errors import UsageError
from stanchion.flow import Chain, Chord, Flow, Group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.task import Task

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def chain(*parts: *tuple[*tuple[Flow[Any], ...], Flow[R]]) -> Chain[R]:
    """Return requests to run one after the other: `chain(a.request(1), group(...), b.request(2))`.

    Each starts when all jobs of the one before have ended. A handler reads what they gave with `await ctx.parents()`.
    """
    return Chain(parts)


def group(*members: Flow[T]) -> Group[T]:
    """Return requests to run side by side."""
    return Group(members)


@overload
def chord(
    members: Group[T], body: Task[Concatenate[list[T], P], R], /, *args: P.args, **kwargs: P.kwargs
) -> Chord[R]: ...
@overload
def chord(
    members: Group[T], body: Task[Concatenate[list[T | None], P], R], /, *args: P.args, **kwargs: P.kwargs
) -> Chord[R]: ...
@overload
def chord(
    members: Group[T], body: Task[Concatenate[Sequence[T], P], R], /, *args: P.args, **kwargs: P.kwargs
) -> Chord[R]: ...
def chord(members: Group[Any], body: Task[..., R], /, *args: Any, **kwargs: Any) -> Chord[R]:
    """Return a group, and a task to run when all of it has ended, with the list of its results as first argument.

    Args:
        members: What runs side by side. Where a member failed and the body runs all the same
            (`body.options(parent_policy="continue")`), its result is None.
        body: The task that gets the results; its options may be set with `body.options(...)`.
        args: The body's further arguments.
        kwargs: Likewise, by name.

    Raises:
        UsageError: The body takes no argument that could hold the results.
    """
    codec = body.spec.codec
    if not codec.positional:
        message = f"Task {body.name!r} takes no argument, so it cannot be given the results of a group."
        raise UsageError(message, remedy="Give it a first argument, such as `results: list[str]`.")
    first, *others = codec.positional
    if len(args) > len(others) or first in kwargs:
        message = f"Task {body.name!r} got more arguments than it takes beside {first!r}, which holds the results."
        raise UsageError(message)
    return Chord(members, body.named(dict(zip(others, args, strict=False)) | kwargs), first)
