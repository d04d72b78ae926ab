"""The statements of aging."""

from __future__ import annotations

from typing import Final

SET_AGING: Final = "UPDATE queues SET aging = nullif(?, 0) WHERE name = ?"
AGING: Final = "SELECT aging FROM queues WHERE name = ?"
AGING_QUEUES: Final = "SELECT id, aging FROM queues WHERE aging IS NOT NULL"
# The least urgent first, so that who moves in comes before who moves out.
LANES_THAT_AGE: Final = """
    SELECT id, priority, tenant, task, user, limits FROM lanes
     WHERE queue = ? AND priority > 0 AND head IS NOT NULL ORDER BY priority DESC
"""
# When each was queued, or last lifted: no event comes between its last one and its start.
AGES: Final = """
    SELECT j.seq, max(e.at, coalesce(j.aged_at, 0)) FROM jobs j CROSS JOIN events e ON e.cursor = j.last_event
     WHERE j.lane = ? AND j.state = 2 ORDER BY j.seq LIMIT ?
"""
LIFT: Final = "UPDATE jobs SET lane = ?, aged_at = ? WHERE seq = ?"
