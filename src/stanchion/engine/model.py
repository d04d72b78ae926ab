"""The model that a request needs, as its task tells; and what a worker process has loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from stanchion.engine.cost import names_taken
from stanchion.errors import PayloadError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from stanchion.payload import Codec

ModelOption: TypeAlias = "str | Callable[..., str | None] | None"
"""A name, or a function of arguments of the task that returns one."""
MAX_MODEL: Final = 200


def checked(model: str) -> str:
    """Return the name of a model; '' is none.

    Raises:
        ValueError: It cannot be one.
    """
    text = isinstance(model, str)  # pyright: ignore[reportUnnecessaryIsInstance] - what untyped callers give
    if not text or len(model) > MAX_MODEL or not model.isprintable() or model != model.strip():
        message = f"model must be up to {MAX_MODEL} printable characters without spaces around them, not {model!r:.80}"
        raise ValueError(message)
    return model


def modelling(codec: Codec, model: ModelOption) -> tuple[str, Callable[[bytes], str] | None]:
    """Return the model of all requests, or what tells the model of encoded arguments.

    Raises:
        UsageError: It is neither a name nor a function, or the function takes an argument that the task lacks.
        ValueError: The name cannot be used.
    """
    if model is None:
        return "", None
    if isinstance(model, str):
        return checked(model), None
    if not callable(model):
        message = f"The model of task {codec.name!r} is {model!r}, which is neither a name nor a function."
        raise UsageError(message, remedy='Write model="flux-dev", or model=lambda quality: ... .')
    names = names_taken(codec, model, "model")

    def told(data: bytes) -> str:
        arguments = codec.named(data)
        try:
            name: Any = model(**{name: arguments[name] for name in names})
        except Exception as error:
            raise _untold(codec.name, f"its model function raised {type(error).__name__}: {error}") from error
        if name is None:
            return ""
        if not isinstance(name, str):
            raise _untold(codec.name, f"its model function returned a {type(name).__name__}, not a name")
        try:
            return checked(name)
        except ValueError as error:
            raise _untold(codec.name, str(error)) from error

    return "", told


def _untold(task: str, why: str) -> PayloadError:
    message = f"The model of this request for task {task!r} cannot be told: {why}."
    remedy = "Correct the arguments, or the task's model= so that it takes them."
    return PayloadError(message, remedy=remedy, problems=(("", why),))
