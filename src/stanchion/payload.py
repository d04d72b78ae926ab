"""Arguments and results to bytes and back, once at each end, checked by the function's own type hints."""

from __future__ import annotations

import inspect
import math
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast, get_args, get_type_hints

import msgspec

from stanchion.errors import PayloadError, PayloadTooLargeError, UsageError
from stanchion.files import File

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MAX_DEPTH: Final = 64
_PATH: Final = re.compile(r" - at `\$(.*)`$")
_KINDS: Final = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.KEYWORD_ONLY,
)
_SIMPLE: Final[tuple[object, ...]] = (str, int, float, bool)
UNREADABLE: Final = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What decoding stored bytes that are no JSON raises."""
_NUL: Final = b"\\u0000"
_PLAIN: Final = (str, int, bool, type(None))


def unreadable(what: str, error: Exception) -> PayloadError:
    """Return the error for stored bytes that are no JSON; `what` names them."""
    message = f"{what} cannot be read from the store: {error}."
    return PayloadError(message, remedy="Check the store with `stanchion doctor`, and enqueue the job again.")


def checked(value: object, depth: int = 0, pointer: str = "") -> None:
    """Refuse what JSON cannot carry faithfully.

    Raises:
        PayloadError: NaN or an infinity, a NUL in a text, or more than `MAX_DEPTH` levels.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            message = f"{pointer or '/'} is {value}, which JSON cannot carry."
            raise PayloadError(message, problems=((pointer, "must be a finite number"),))
    elif isinstance(value, str):
        if "\0" in value:
            message = f"{pointer or '/'} holds a NUL character."
            raise PayloadError(message, problems=((pointer, "must not hold NUL"),))
    elif not isinstance(value, (int, bytes, File, type(None))):
        _checked_parts(value, depth, pointer)


def _checked_parts(value: object, depth: int, pointer: str) -> None:
    if depth >= MAX_DEPTH:
        message = f"The arguments are nested deeper than {MAX_DEPTH} levels."
        raise PayloadError(message, problems=((pointer, "is nested too deep"),), remedy="Flatten them.")
    if isinstance(value, dict):
        for name, item in cast("dict[object, object]", value).items():
            checked(item, depth + 1, f"{pointer}/{name}")
    elif isinstance(value, (list, tuple, set, frozenset)):
        for place, item in enumerate(cast("Sequence[object]", value)):
            checked(item, depth + 1, f"{pointer}/{place}")
    else:
        try:
            plain = msgspec.to_builtins(value, builtin_types=(bytes,), enc_hook=_as_is)
        except (TypeError, RecursionError) as error:
            message = f"{pointer or '/'} cannot be stored: {error}."
            raise PayloadError(message, problems=((pointer, str(error)),)) from error
        if type(plain) is not type(value):
            checked(plain, depth + 1, pointer)


def _as_is(value: object) -> object:
    if isinstance(value, File):
        return {"$artifact": {}}
    message = f"objects of type {type(value).__name__} are not supported"
    raise TypeError(message)


def _mentions_files(hint: object) -> bool:
    if isinstance(hint, type) and issubclass(hint, File):
        return True
    return any(_mentions_files(part) for part in get_args(hint))


class Codec:
    """How one function's arguments and result travel."""

    def __init__(self, function: Callable[..., object], *, name: str, takes_context: bool) -> None:
        self.name = name
        hints = _hints(function)
        parameters = list(inspect.signature(function).parameters.values())[1 if takes_context else 0 :]
        for parameter in parameters:
            if parameter.kind not in _KINDS:
                message = f"Task {name!r} takes *{parameter.name}: its arguments would have no names."
                raise UsageError(message, remedy="Name each argument, or take one list or dict.")
        self.parameters = tuple(parameters)
        self.positional = tuple(p.name for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY)
        self._only = tuple(p.name for p in parameters if p.kind is inspect.Parameter.POSITIONAL_ONLY)
        self._hints = {p.name: hints.get(p.name, Any) for p in parameters}
        # JSON itself refuses NaN for a plain number and depth for a plain value; the rest is walked through.
        self._walks = not all(hint in _SIMPLE for hint in self._hints.values())
        self.result_hint: Any = hints.get("return", Any)
        self.takes_files = any(_mentions_files(hint) for hint in self._hints.values())
        self.gives_files = self.result_hint is Any or _mentions_files(self.result_hint)
        self._encode = msgspec.json.Encoder().encode

    @cached_property
    def struct(self) -> type[msgspec.Struct]:
        """The arguments as a type."""
        fields = [
            (p.name, self._hints[p.name])
            if p.default is inspect.Parameter.empty
            else (
                p.name,
                self._hints[p.name],
                msgspec.field(default_factory=lambda default=p.default: default),
            )
            for p in self.parameters
        ]
        required = [field for field in fields if len(field) == 2]  # noqa: PLR2004 - a name and a type
        optional = [field for field in fields if len(field) != 2]  # noqa: PLR2004
        try:
            return msgspec.defstruct(
                "Arguments", [*required, *optional], forbid_unknown_fields=True, kw_only=True, gc=False
            )
        except TypeError as error:
            message = f"The arguments of task {self.name!r} cannot be stored: {error}."
            raise UsageError(message, remedy="Annotate them with types that msgspec knows.") from error

    @cached_property
    def _check(self) -> Callable[[bytes], msgspec.Struct]:
        return msgspec.json.Decoder(self.struct, dec_hook=_refer_nothing).decode

    def bind(self, args: Sequence[object], kwargs: Mapping[str, object]) -> dict[str, object]:
        """Return arguments by name.

        Raises:
            PayloadError: Too many, or one twice.
        """
        if not args:
            return dict(kwargs)
        if not kwargs and len(args) <= len(self.positional):
            return dict(zip(self.positional, args, strict=False))
        if len(args) > len(self.positional):
            message = f"Task {self.name!r} takes {len(self.positional)} positional arguments, not {len(args)}."
            raise PayloadError(message)
        named = dict(zip(self.positional, args, strict=False))
        twice = named.keys() & kwargs.keys()
        if twice:
            message = f"Task {self.name!r} got {', '.join(sorted(twice))} twice."
            raise PayloadError(message)
        return {**named, **kwargs}

    def _check_around(self, holes: frozenset[str]) -> Callable[[bytes], object]:
        """Return a check of arguments some of which are put in when the job runs."""
        fields = [(name, Any if name in holes else hint) for name, hint in self._hints.items()]
        optional = {p.name: p.default for p in self.parameters if p.default is not inspect.Parameter.empty}
        around = msgspec.defstruct(
            "Arguments",
            [
                (name, hint, msgspec.field(default_factory=lambda: None)) if name in optional else (name, hint)
                for name, hint in fields
            ],
            forbid_unknown_fields=True,
            kw_only=True,
        )
        return msgspec.json.Decoder(around, dec_hook=_refer_nothing).decode

    def encode(
        self,
        arguments: Mapping[str, object],
        limit: int,
        put: Callable[[bytes], str] | None = None,
        holes: frozenset[str] = frozenset(),
    ) -> bytes:
        """Return arguments as JSON, checked as the worker will read them; those in `holes` are checked there only.

        Raises:
            PayloadError: They do not fit the function; `problems` says where.
            PayloadTooLargeError: They take more than `limit` bytes.
        """
        if self._walks:
            checked(arguments)
        try:
            data = (
                self._encode(arguments)
                if put is None
                else msgspec.json.encode(arguments, enc_hook=lambda value: _keep(value, put))
            )
            if len(data) > limit:
                raise PayloadTooLargeError(len(data), limit)
            (self._check_around(holes) if holes else self._check)(data)
            if _NUL in data:
                checked(arguments)
        except (
            msgspec.ValidationError,
            msgspec.EncodeError,
            TypeError,
            UnicodeError,
            RecursionError,
            OverflowError,
        ) as error:
            checked(arguments)  # NaN and the like have clearer words of their own
            raise self._misfit(error) from error
        return data

    def _misfit(self, error: Exception) -> PayloadError:
        text = str(error)
        found = _PATH.search(text)
        pointer = re.sub(r"[.\[]", "/", found[1]).replace("]", "") if found else ""
        plain = _PATH.sub("", text)
        message = f"The arguments do not fit task {self.name!r}: {text}."
        return PayloadError(message, problems=((pointer, plain),))

    def decode(self, data: bytes, load: Callable[[str], bytes]) -> tuple[list[object], dict[str, object]]:
        """Return positional-only and other arguments for a call.

        Raises:
            PayloadError: What is stored does not fit the function any more, or cannot be read.
        """
        try:
            if self.takes_files:
                struct = msgspec.json.decode(data, type=self.struct, dec_hook=_referring(load))
            else:
                struct = self._check(data)
        except msgspec.ValidationError as error:
            raise self._misfit(error) from error
        except UNREADABLE as error:
            raise unreadable(f"The arguments of task {self.name!r}", error) from error
        named = {name: getattr(struct, name) for name in struct.__struct_fields__}
        return [named.pop(name) for name in self._only], named

    def named(self, data: bytes) -> dict[str, Any]:
        """Return arguments by name as the function will get them, with the defaults; of a file, without its bytes."""
        struct = self._whole(data)
        return {name: getattr(struct, name) for name in struct.__struct_fields__}

    def _whole(self, data: bytes) -> msgspec.Struct:
        if self.takes_files:
            return msgspec.json.decode(data, type=self.struct, dec_hook=_referring(_nothing))
        return self._check(data)

    def filled(self, data: bytes) -> object:
        """Return arguments as plain JSON values with the defaults filled in: what a content key is made of."""
        struct = self._whole(data)
        return msgspec.to_builtins(struct, order="deterministic", enc_hook=lambda value: _keep(value, lambda _: ""))

    def encode_result(
        self, result: object, limit: int, put: Callable[[bytes], str], files: list[File] | None = None
    ) -> bytes | None:
        """Return a result as JSON, None for None; files in it are kept and added to `files`.

        Raises:
            PayloadError: It cannot be stored, or is too large.
        """
        if result is None:
            return None
        try:
            checked(result)
            data = msgspec.json.encode(result, enc_hook=lambda value: _keep(value, put, files))
        except (TypeError, ValueError, RecursionError, OverflowError) as error:
            message = f"The result of task {self.name!r} cannot be stored: {error}."
            raise PayloadError(message, remedy="Return what msgspec can encode, or a File.") from error
        if len(data) > limit:
            raise PayloadTooLargeError(len(data), limit, what="result")
        return data

    def decode_result(self, data: bytes | None, load: Callable[[str], bytes]) -> object:
        """Return a stored result as the function's return type.

        Raises:
            PayloadError: What is stored does not fit the type any more, or cannot be read.
        """
        if data is None:
            return None
        try:
            return msgspec.json.decode(data, type=self.result_hint, dec_hook=_referring(load))
        except msgspec.ValidationError as error:
            message = f"The stored result of task {self.name!r} does not fit its return type: {error}."
            raise PayloadError(message, remedy="Read it with the version of the code that made it.") from error
        except UNREADABLE as error:
            raise unreadable(f"The result of task {self.name!r}", error) from error

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the arguments."""
        return msgspec.json.schema(self.struct, schema_hook=lambda _: {"type": "object"})


def _hints(function: Callable[..., object]) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except NameError as error:
        message = f"The type hints of {function.__qualname__} cannot be read: {error}."
        raise UsageError(message, remedy="Import the names at run time, not only under TYPE_CHECKING.") from error


def _keep(value: object, put: Callable[[bytes], str], files: list[File] | None = None) -> object:
    if isinstance(value, File):
        if files is not None:
            files.append(value)
        return value.kept(put)
    message = f"objects of type {type(value).__name__} are not supported"
    raise TypeError(message)


def _referring(load: Callable[[str], bytes]) -> Callable[[type, object], object]:
    def hook(kind: type, value: object) -> object:
        if issubclass(kind, File):
            return kind.referred(value, load)
        message = f"cannot read a {kind.__name__}"
        raise ValueError(message)

    return hook


def _nothing(_: str) -> bytes:
    return b""


_refer_nothing = _referring(_nothing)
