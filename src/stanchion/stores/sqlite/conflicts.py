"""Conflict keys: of one key of a tenant one job runs at a time, in the order in which they were stored.

Who waits has an edge to the latest job before it that has not ended, beside the edges to its parents. Every edge leads
to a job that was stored earlier, so that no circle can come of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stanchion.domain.ids import unpacked
from stanchion.domain.intake import OnConflict
from stanchion.errors import ConflictingJobError
from stanchion.stores.sqlite import intake_statements as sql
from stanchion.stores.sqlite.fetch import Row, every, one
from stanchion.stores.sqlite.rows import COMPLETED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stanchion.domain.intake import Conflict
    from stanchion.stores.sqlite.writer import Tx

BEHIND: Final = 1_048_576
"""The place of the edge to the job of the same key; parents stand below it."""
LAST: Final = (1 << 63) - 1
_AT_ONCE: Final = 16


def contenders(tx: Tx, tenant: str, key: str, below: int = LAST) -> Iterator[Row]:
    """Give the jobs of a key that have not ended, the latest first; each is a row of `CONTENDERS`.

    Those that have ended are passed once, and never looked at again.
    """
    while rows := every(tx.db, sql.CONTENDERS, (tenant, key, below, _AT_ONCE)):
        over = [(row[0],) for row in rows if row[2] >= COMPLETED]
        if over:
            tx.db.executemany(sql.CLOSE_CONFLICT, over)
        yield from (row for row in rows if row[2] < COMPLETED)
        if len(rows) < _AT_ONCE:
            return
        below = rows[-1][0]


def refusal(tx: Tx, tenant: str, wanted: Conflict) -> ConflictingJobError | None:
    """Return why a job must be refused: another of its key has not ended, and it is the newest that goes."""
    if wanted.policy is not OnConflict.CANCEL_NEWEST:
        return None
    standing = next(contenders(tx, tenant, wanted.key), None)
    return None if standing is None else ConflictingJobError(wanted.key, unpacked(standing[8]))


def victims(tx: Tx, tenant: str, wanted: Conflict) -> list[Row]:
    """Return the jobs that a new one cancels."""
    if wanted.policy is OnConflict.REPLACE:
        return list(contenders(tx, tenant, wanted.key))
    if wanted.policy is OnConflict.CANCEL_RUNNING:
        return [row for row in contenders(tx, tenant, wanted.key) if row[4] > 0]
    return []


def waits(tx: Tx, tenant: str, key: str) -> bool:
    """Return whether a new job of a key must wait behind another."""
    return next(contenders(tx, tenant, key), None) is not None


def enter(tx: Tx, seq: int, tenant: str, key: str) -> None:
    """Note a new job's key; where another of it has not ended, the new one waits behind that."""
    standing = next(contenders(tx, tenant, key), None)
    tx.db.execute(sql.ADD_CONFLICT, (seq, tenant, key))
    if standing is not None:
        tx.db.execute(sql.STAND_BEHIND, (seq, BEHIND, standing[0]))


def stands_behind(tx: Tx, seq: int) -> bool:
    """Return whether a blocked job must wait behind another of its key, and see to it that it does."""
    row = one(tx.db, sql.CONFLICT_OF, (seq,))
    standing = None if row is None else next(contenders(tx, row[0], row[1], seq), None)
    if standing is None:
        return False
    tx.db.execute(sql.STAND_BEHIND, (seq, BEHIND, standing[0]))
    return True


def taken(tx: Tx, seq: int) -> ConflictingJobError | None:
    """Return why an ended job cannot come back: another of its key has not ended. Otherwise it holds its key again."""
    row = one(tx.db, sql.CONFLICT_OF, (seq,))
    if row is None:
        return None
    standing = next(contenders(tx, *row), None)
    if standing is not None:
        return ConflictingJobError(row[1], unpacked(standing[8]))
    tx.db.execute(sql.OPEN_CONFLICT, (seq,))
    return None
