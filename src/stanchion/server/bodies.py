"""Request bodies: read while counted, checked for what JSON should not hold, and decoded into types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import msgspec

from stanchion.server.problems import ApiError, invalid, malformed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

T = TypeVar("T")

MAX_DEPTH: Final = 64
MAX_DIGITS: Final = 64
SLACK: Final = 64 * 1024
"""What a body may take beside the arguments."""

JSON_TYPES: Final = frozenset({"application/json", "application/merge-patch+json"})
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]|\d{65,}', re.DOTALL)
"""Possessive, and a string may lack its end: so that no text makes it scan twice."""
_LONG_NUMBER: Final = re.compile(rb"\d{65}")
_PATH: Final = re.compile(r" - at `(?:key in )?(\$[^`]*)`$")
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_UNKNOWN: Final = re.compile(r"unknown field `([^`]*)`")
_MISSING: Final = re.compile(r"missing required field `([^`]*)`")


async def read(request: Request, limit: int) -> bytes:
    """Return the body; refuses more than `limit` bytes while they arrive, whatever the headers say."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        message = "Compressed bodies are not taken."
        raise ApiError(415, "unsupported_encoding", message, remedy="Send the body as it is.")
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            message = f"The body is larger than {limit:,} bytes."
            raise ApiError(
                413,
                "body_too_large",
                message,
                remedy="Send less, or raise max_payload.",
                headers={"connection": "close"},
            )
        parts.append(part)
    return b"".join(parts)


def need_json(request: Request) -> None:
    """Refuse a body that does not say it is JSON: a form of another site cannot say so."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in JSON_TYPES:
        message = f"The media type {media or 'of the body'!r} is not taken."
        raise ApiError(415, "unsupported_media_type", message[:200], remedy="Send content-type: application/json.")


async def decoded(request: Request, kind: type[T], limit: int, *, default: bytes | None = None) -> T:
    """Return the JSON body as a type; an absent body counts as `default` where that is given."""
    body = await read(request, limit)
    if not body.strip() and default is not None:
        body = default
    else:
        need_json(request)
    return parsed(body, kind)


def parsed(body: bytes | msgspec.Raw, kind: type[T], pointer: str = "") -> T:
    """Return JSON as a type; what is wrong is named by JSON pointer, below `pointer`."""
    data = bytes(body)
    check(data, pointer)
    try:
        value = msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        where, message = located(str(error))
        raise invalid(pointer + where, message) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"The body is not JSON: {error}."
        raise malformed(message) from error
    except RecursionError as error:
        raise invalid(pointer, f"nested deeper than {MAX_DEPTH}") from error
    if b"\\u0000" in data and _holds_nul(msgspec.json.decode(data)):
        raise invalid(pointer, "a string holds the character NUL")
    return value


def check(data: bytes, pointer: str = "") -> None:
    """Refuse JSON that is nested too deeply or holds endless numbers, before it is decoded."""
    deep = data.count(b"[") + data.count(b"{") > MAX_DEPTH
    if not deep and _LONG_NUMBER.search(data) is None:
        return
    depth = 0
    for token in _TOKEN.finditer(data):
        first = data[token.start() : token.start() + 1]
        if first in (b"[", b"{"):
            depth += 1
            if depth > MAX_DEPTH:
                raise invalid(pointer, f"nested deeper than {MAX_DEPTH}")
        elif first in (b"]", b"}"):
            depth -= 1
        elif first != b'"':
            raise invalid(pointer, f"a number has more than {MAX_DIGITS} digits")


def _holds_nul(value: object) -> bool:
    waiting: list[object] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if "\0" in item:
                return True
        elif isinstance(item, dict):
            for name, inner in cast("dict[str, Any]", item).items():
                waiting += (name, inner)
        elif isinstance(item, list):
            waiting.extend(cast("Iterable[Any]", item))
    return False


def located(message: str) -> tuple[str, str]:
    """Return the JSON pointer and the words of a validation message of msgspec."""
    found = _PATH.search(message)
    path = found.group(1) if found else "$"
    words = message[: found.start()] if found else message
    steps = [name or place for name, place in _STEP.findall(path)]
    named = _UNKNOWN.search(words) or _MISSING.search(words)
    if named is not None:
        steps.append(named.group(1))
    pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
    return pointer, words.replace("`", "")
