"""What a reader asks: scope, filter, page, and the cursors that resume it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from stanchion.domain.job import State
    from stanchion.domain.units import Instant, JobId

MAX_PAGE = 500
MAX_CURSOR = 40


class Scope(NamedTuple):
    """Whose jobs may be seen: one tenant's, or (None) all."""

    tenant: str | None = None


ALL = Scope()


class Filter(NamedTuple):
    """Which jobs; an empty or None field does not restrict."""

    states: tuple[State, ...] = ()
    queue: str | None = None
    task: str | None = None
    user: str | None = None
    tag: str | None = None
    text: str | None = None
    ids: tuple[JobId, ...] = ()
    ended_before: Instant | None = None
    workflow: str | None = None


class Cursor(NamedTuple):
    """How far a watcher has read: events, outputs, and (not durable) live notes."""

    event: int = 0
    output: int = 0
    live: int = 0


def encode_cursor(cursor: Cursor) -> str:
    """Return the opaque text of the durable parts: event and output."""
    return f"{cursor.event}-{cursor.output}"


def decode_cursor(text: str) -> Cursor:
    """Return the cursor of a text; `ValueError` where it is not one."""
    event, dash, output = text.partition("-")
    if not dash or not event.isdecimal() or not output.isdecimal() or len(text) > MAX_CURSOR:
        message = f"{text!r} is not a cursor; send back the last event id unchanged"
        raise ValueError(message)
    return Cursor(int(event), int(output))
