"""Content keys: canonical arguments, and what makes two requests the same."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Share: TypeAlias = Literal["tenant", "all"]


def canonical(value: Json) -> bytes:
    """Return the one text of a JSON value: sorted keys, no spaces, floats without a fraction as integers.

    Raises:
        ValueError: It holds NaN or an infinity.

    Source:
        After RFC 8785 (JSON Canonicalization Scheme), numbers simplified.
    """
    plain = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return plain.encode("utf-8", "surrogatepass")


def _plain(value: Json) -> Json:
    if isinstance(value, float) and math.isfinite(value) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def content_key(task: str, version: int, arguments: Json, *, tenant: str, share: Share = "tenant") -> bytes:
    """Return the SHA-256 key of a request: task, task version and canonical arguments.

    The key starts with the tenant unless it is shared by all, so that tenants never meet in one key. Secret
    arguments are in it as the others are: what is kept is their hash alone.
    """
    digest = hashlib.sha256()
    for part in ("" if share == "all" else tenant, task, str(version)):
        digest.update(len(part.encode()).to_bytes(4, "big"))
        digest.update(part.encode())
    digest.update(canonical(arguments))
    return digest.digest()


def named_key(tenant: str, task: str, name: str) -> bytes:
    """Return the dedup key for a name that the caller chose, for one tenant and task."""
    return content_key(task, 0, {"dedup_key": name}, tenant=tenant)


def fingerprint(*parts: bytes) -> bytes:
    """Return the SHA-256 of length-prefixed parts: what an idempotency key was used for."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
