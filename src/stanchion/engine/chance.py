"""Random bytes for ids, taken from the system a few thousand at a time: a call for each id costs more than the id."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from stanchion.domain.ids import uuid7

if TYPE_CHECKING:
    from stanchion.domain.units import JobId

_EACH: Final = 10
_AT_ONCE: Final = 400
_pieces: Final[list[bytes]] = []
os.register_at_fork(after_in_child=_pieces.clear)  # two processes must not deal out the same bytes


def new_id() -> JobId:
    """Return a fresh job id; safe from any thread."""
    try:
        piece = _pieces.pop()
    except IndexError:
        drawn = os.urandom(_EACH * _AT_ONCE)
        _pieces.extend(drawn[at : at + _EACH] for at in range(_EACH, len(drawn), _EACH))
        piece = drawn[:_EACH]
    return uuid7(time.time_ns() // 1_000_000, piece)
