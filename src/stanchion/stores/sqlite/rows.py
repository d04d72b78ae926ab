"""Rows to domain values and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from stanchion.domain.ids import unpacked
from stanchion.domain.job import Event, Job, Output, Progress, State
from stanchion.domain.kinds import ErrorInfo, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

UNREADABLE: Final = (ValueError, TypeError, AttributeError, IndexError, RecursionError)
"""What reading a damaged value raises."""
STATES: Final = (
    State.BLOCKED,
    State.SCHEDULED,
    State.QUEUED,
    State.RUNNING,
    State.RETRYING,
    State.COMPLETED,
    State.FAILED,
    State.CANCELLED,
)
CODES: Final = {state: code for code, state in enumerate(STATES)}
BLOCKED, SCHEDULED, QUEUED, RUNNING, RETRYING, COMPLETED, FAILED, CANCELLED = range(8)


def error_text(error: ErrorInfo | None) -> str | None:
    """Return an error as the store keeps it."""
    return None if error is None else json.dumps(error._asdict(), ensure_ascii=False)


def error_of(text: str | None) -> ErrorInfo | None:
    """Return the error that a text keeps; an unknown kind reads as `internal`."""
    if text is None:
        return None
    fields: dict[str, Any] = json.loads(text)
    kind = fields.pop("kind", "internal")
    return ErrorInfo(Kind(kind) if kind in set(Kind) else Kind.INTERNAL, **fields)


def tags_text(tags: tuple[str, ...]) -> str | None:
    """Return tags as the store keeps them."""
    return json.dumps(tags, ensure_ascii=False) if tags else None


def tags_of(text: str | None) -> tuple[str, ...]:
    """Return the tags that a text keeps."""
    return tuple(json.loads(text)) if text else ()


def job_of(row: Sequence[Any], artifacts: tuple[Output, ...] = ()) -> Job:
    """Return the job of a row of `statements.JOB` or of a page."""
    code: int = row[7]
    progress = None if row[25] is None else Progress(*row[26:31], at=row[25])
    return Job(
        ref=row[0],
        id=unpacked(row[1]),
        task=row[2],
        queue=row[3],
        tenant=row[4],
        user=row[5],
        priority=row[6],
        state=STATES[code],
        version=row[8],
        attempt=row[9],
        spent=row[10],
        crashes=row[11],
        max_attempts=row[12],
        created_at=row[13],
        due_at=row[14],
        started_at=row[15],
        ended_at=row[16],
        expires_at=row[17],
        cancel_requested_at=row[18],
        tags=tags_of(row[19]),
        metadata=row[20],
        timeout=row[21],
        correlation_id=row[22],
        error=error_of(row[23]),
        worker=row[24],
        progress=progress,
        preview_revision=row[31],
        args=row[33] if row[33] is not None else b"",
        result=row[34],
        secret=tags_of(row[35]),
        cached=code == COMPLETED and not row[9],  # without an attempt there is no other way to complete
        artifacts=artifacts,
        model=row[32],
    )


def event_of(row: Sequence[Any]) -> Event:
    """Return the event of a row that starts with the columns of `statements.EVENTS_SINCE`."""
    code: int = row[3]
    return Event(row[0], unpacked(row[1]), row[2], STATES[code], row[4], row[5], error_of(row[6]))


def output_of(row: Sequence[Any]) -> Output:
    """Return the output of a row that starts with the columns of `statements.OUTPUTS`."""
    return Output(*row[:11])
