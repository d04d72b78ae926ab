"""What is asked of each queue's workers, from the recent past."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from stanchion.store import Load
from stanchion.stores.sqlite import load_statements as sql
from stanchion.stores.sqlite import statements
from stanchion.stores.sqlite.fetch import every, only
from stanchion.stores.sqlite.watching import SAMPLE, after

if TYPE_CHECKING:
    from stanchion.domain.query import Scope
    from stanchion.domain.units import Instant
    from stanchion.stores.sqlite.fetch import Connection


def loads(db: Connection, since: Instant, scope: Scope) -> dict[str, Load]:
    """See `Store.loads`; beyond `SAMPLE` events, counts are scaled up from an even sample."""
    first, last = after(db, since), only(db, statements.TOP_EVENT)[0] or 0
    stride = 1
    if last - first <= SAMPLE:
        rows = every(db, sql.LOADS, (scope.tenant, first, last, since))
    else:
        stride = -(-(last - first) // (SAMPLE // 4))
        picked = json.dumps(list(range(first + 1, last + 1, stride)))
        rows = every(db, sql.LOADS_SAMPLE, (scope.tenant, picked, since))
    found = {name: Load(*(stride * int(count) for count in counts)) for name, *counts in rows if any(counts)}
    for name, held in every(db, sql.HELD_JOBS, (scope.tenant,)):
        if held:
            found[name] = found.get(name, Load())._replace(held=int(held))
    return found
