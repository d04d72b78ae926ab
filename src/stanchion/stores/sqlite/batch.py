"""Many rows in few statements.

Each step of a statement gives up the interpreter lock and takes it again; while the event loop is busy that costs
up to a switch interval. So rows go down in statements of 64 or 8 where there are enough.
"""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.stores.sqlite.fetch import Connection

SIZES: Final = (64, 8, 1)


@cache
def _text(head: str, row: str, count: int) -> str:
    return head + ", ".join([row] * count)


def insert(db: Connection, head: str, row: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows.

    Args:
        db: The connection; a transaction is open.
        head: The statement up to and including `VALUES`.
        row: The placeholders of one row.
        rows: The values.
    """
    start, left = 0, len(rows)
    for size in SIZES:
        while left >= size:
            db.execute(_text(head, row, size), tuple(chain.from_iterable(rows[start : start + size])))
            start, left = start + size, left - size
