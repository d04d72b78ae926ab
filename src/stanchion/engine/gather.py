"""The results of a job's parents: for `ctx.parents()`, and in the place of an argument that asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from stanchion.errors import PayloadError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stanchion.domain.dependency import Parent
    from stanchion.domain.job import Lease, State
    from stanchion.domain.kinds import ErrorInfo
    from stanchion.store import Store

GATHERED: Final[dict[str, bool]] = {"$parents": True}
"""As an argument: the list of the parents' results, in order, put there when the job runs."""
_MARK: Final = b'{"$parents":true}'
_encode: Final = msgspec.json.Encoder().encode


class ParentResult(NamedTuple):
    """A job that this one depends on, and how it ended.

    `result` is what it returned as plain JSON values; None where it did not complete.
    """

    id: str
    task: str
    state: State
    result: Any
    error: ErrorInfo | None


def shown(parent: Parent) -> ParentResult:
    """Return a parent as its child's handler sees it."""
    result = None if parent.result is None else msgspec.json.decode(parent.result)
    return ParentResult(parent.id, parent.task, parent.state, result, parent.error)


def holes(arguments: Mapping[str, object]) -> frozenset[str]:
    """Return the names of the arguments that ask for the parents' results."""
    return frozenset(name for name, value in arguments.items() if value == GATHERED)


def asks(arguments: bytes) -> bool:
    """Return whether stored arguments may ask for the parents' results."""
    return _MARK in arguments


async def filled(store: Store, lease: Lease) -> Lease:
    """Return a lease whose arguments hold the parents' results where they ask for them."""
    arguments = msgspec.json.decode(lease.args, type=dict[str, msgspec.Raw])
    asking = [name for name, value in arguments.items() if bytes(value) == _MARK]
    if not asking:
        return lease
    parents = await store.parents(lease.ref)
    if not parents:
        message = f"Argument {asking[0]!r} asks for the results of parents, and the job has none."
        raise PayloadError(message, remedy="Name them in depends_on, or give the argument a value.")
    results = _encode([msgspec.Raw(b"null" if parent.result is None else parent.result) for parent in parents])
    return lease._replace(args=_encode(arguments | dict.fromkeys(asking, msgspec.Raw(results))))
