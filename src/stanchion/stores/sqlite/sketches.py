"""Sketches of durations as the file keeps them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from stanchion.domain.estimates import Seen, Work
from stanchion.domain.sketch import Sketch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stanchion.stores.sqlite.fetch import Row

log = logging.getLogger(__name__)


def read(rows: Iterable[Row]) -> Iterator[tuple[Work, Seen]]:
    """Give what was seen of each kind of work: rows of task, size and two sketches. What cannot be read is left out."""
    for task, size, took, failed in rows:
        try:
            yield Work(task, size), Seen(Sketch.decode(took), Sketch.decode(failed))
        except ValueError as error:
            log.warning("durations of task %r, size %d, cannot be read and are learned anew: %s", task, size, error)
