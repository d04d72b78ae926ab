"""What a credential may do, as words: an area, a colon, an action; `admin:*` covers every `admin:` word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

JOBS_READ: Final = "jobs:read"
JOBS_WRITE: Final = "jobs:write"
WORKER_CLAIM: Final = "worker:claim"
ADMIN_READ: Final = "admin:read"
ADMIN_QUEUES: Final = "admin:queues"
ADMIN_CACHE: Final = "admin:cache"
ADMIN_LIMITS: Final = "admin:limits"

SCOPES: Final = frozenset({JOBS_READ, JOBS_WRITE, WORKER_CLAIM, ADMIN_READ, ADMIN_QUEUES, ADMIN_CACHE, ADMIN_LIMITS})
EVERYTHING: Final = frozenset({"jobs:*", "worker:*", "admin:*"})
USUAL: Final = frozenset({JOBS_READ, JOBS_WRITE})


def allows(granted: Iterable[str], needed: str) -> bool:
    """Return whether the granted scopes cover the needed one."""
    area = needed.partition(":")[0]
    return any(scope in (needed, f"{area}:*") for scope in granted)


def checked(words: Iterable[str]) -> frozenset[str]:
    """Return scopes as a set; `ValueError` names the first that is not one."""
    scopes = frozenset(words)
    for scope in sorted(scopes - SCOPES - EVERYTHING):
        message = f"{scope!r} is not a scope; known: {', '.join(sorted(SCOPES | EVERYTHING))}"
        raise ValueError(message)
    return scopes
