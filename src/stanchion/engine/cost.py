"""What a request costs by its arguments, as its task tells: what estimates are learned by."""

from __future__ import annotations

import inspect
from math import isfinite
from typing import TYPE_CHECKING, Any

from stanchion.errors import PayloadError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from stanchion.payload import Codec

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def costing(codec: Codec, cost: Callable[..., Any] | None) -> Callable[[bytes], float] | None:
    """Return what tells the cost of encoded arguments; it calls `cost` with those arguments that it takes.

    Raises:
        UsageError: `cost` is no function, or takes an argument that the task does not have.
    """
    if cost is None:
        return None
    names = names_taken(codec, cost, "cost")

    def told(data: bytes) -> float:
        arguments = codec.named(data)
        try:
            value = cost(**{name: arguments[name] for name in names})
        except Exception as error:
            raise _untold(codec.name, f"its cost function raised {type(error).__name__}: {error}") from error
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _untold(codec.name, f"its cost function returned a {type(value).__name__}, not a number")
        try:
            number = float(value)
        except OverflowError as error:
            raise _untold(codec.name, "its cost is too large for a number with a fraction") from error
        if not isfinite(number) or number <= 0:
            raise _untold(codec.name, f"its cost is {number:g}, and must be finite and above 0")
        return number

    return told


def names_taken(codec: Codec, function: Callable[..., Any], what: str) -> tuple[str, ...]:
    """Return the arguments of a task that a function of them takes; `what` is what it tells.

    Raises:
        UsageError: It is no function, or takes an argument that the task does not have.
    """
    known = [parameter.name for parameter in codec.parameters]
    if not callable(function):
        message = f"The {what} of task {codec.name!r} is {function!r}, which is no function."
        raise UsageError(message, remedy="Write lambda size: size * size, with names of the task's arguments.")
    asked = inspect.signature(function).parameters.values()
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in asked):
        return tuple(known)
    for parameter in asked:
        if parameter.kind not in _NAMED or parameter.name not in known:
            message = f"The {what} of task {codec.name!r} takes {parameter.name!r}, which is no argument of the task."
            raise UsageError(message, remedy=f"The task's arguments are: {', '.join(known) or 'none'}.")
    return tuple(parameter.name for parameter in asked)


def _untold(task: str, why: str) -> PayloadError:
    message = f"The cost of this request for task {task!r} cannot be told: {why}."
    remedy = "Correct the arguments, or the task's cost= so that it takes them."
    return PayloadError(message, remedy=remedy, problems=(("", why),))
