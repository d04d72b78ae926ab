"""The statements of what is asked of a queue's workers."""

from __future__ import annotations

from typing import Final

# States by number: 2 queued, 3 running, 4 retrying, 5 completed, 6 failed. An attempt ends by the event after its
# start; what never ran (a job that expired, an answer from the cache) has another state, or none, before it.
_LOADS: Final = """
    SELECT q.name, sum(e.state = 2), sum(e.state = 3), sum(b.state IS 3), total(iif(b.state IS 3, e.at - b.at, 0))
      FROM events e CROSS JOIN jobs j ON j.seq = e.seq JOIN lanes l ON l.id = j.lane JOIN queues q ON q.id = l.queue
           LEFT JOIN events b ON b.cursor = e.prev AND e.state IN (4, 5, 6)
"""
_LOADS_OF: Final = """
       AND (e.state IN (2, 4, 5, 6) OR e.state = 3 AND e.outcome IS NULL) AND (?1 IS NULL OR l.tenant = ?1)
     GROUP BY q.name
"""
LOADS: Final = _LOADS + " WHERE e.cursor > ?2 AND e.cursor <= ?3 AND e.at >= ?4" + _LOADS_OF
LOADS_SAMPLE: Final = _LOADS + " WHERE e.cursor IN (SELECT value FROM json_each(?2)) AND e.at >= ?3" + _LOADS_OF
# Who waits for a resource of which there is none waits for a worker.
HELD_JOBS: Final = """
    SELECT q.name, total(l.n2) FROM lanes l JOIN queues q ON q.id = l.queue
     WHERE l.waits_on IS NOT NULL AND (?1 IS NULL OR l.tenant = ?1)
       AND (l.waits_on < 'resource:' OR l.waits_on >= 'resource;'
            OR EXISTS (SELECT 1 FROM resources r
                        WHERE l.waits_on = 'resource:' || r.name
                           OR substr(l.waits_on, 1, length(r.name) + 10) = 'resource:' || r.name || ':'))
     GROUP BY q.name
"""
