"""Many rows in few statements.

Each step of a statement gives up the interpreter lock and takes it again; while the event loop is busy that costs
up to a switch interval. So rows go down in statements of 64 or 8 where there are enough.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from stanchion.stores.sqlite.fetch import Connection

SIZES: Final = (64, 8, 1)


@cache
def _text(head: str, row: str, count: int) -> str:
    return head + ", ".join([row] * count)


def insert(db: Connection, head: str, row: str, values: list[Any], count: int) -> None:
    """Insert rows.

    Args:
        db: The connection; a transaction is open.
        head: The statement up to and including `VALUES`.
        row: The placeholders of one row.
        values: The values of all rows, one row after the other.
        count: How many rows they are.
    """
    if not count:
        return
    width = len(values) // count
    start = 0
    for size in SIZES:
        step = size * width
        while len(values) - start >= step:
            db.execute(_text(head, row, size), values[start : start + step])
            start += step
