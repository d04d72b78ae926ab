"""The statements of batches: jobs that may run together, and the lanes in which they wait."""

from __future__ import annotations

from typing import Final

LANE_BATCH: Final = "SELECT batch FROM lanes WHERE id = ?"
# The oldest jobs of a lane, with what decides whether they run with others.
OFFERS: Final = """
    SELECT j.seq, j.expires_at, j.crashes, p.size
      FROM jobs j CROSS JOIN payloads p ON p.seq = j.seq
     WHERE j.lane = ? AND j.state = 2 AND j.seq >= ? ORDER BY j.seq LIMIT ?
"""
_MATES: Final = """
    SELECT id, head, task, share, tenant, priority, limits FROM lanes
     WHERE queue = ? AND task = ? AND batch = ? AND batch <> '' AND waits_on IS ? AND head IS NOT NULL
"""
MATES: Final = _MATES + " ORDER BY priority, head LIMIT ?"
MATES_OF_TENANT: Final = _MATES + " AND tenant = ? ORDER BY priority, head LIMIT ?"
# Who starts before its turn is charged for it, and moves no clock: the others lose nothing by it.
CHARGE: Final = """
    UPDATE shares
       SET turn = max(turn, c.clock - credit) + ?1, credit = max(c.clock - max(turn, c.clock - credit) - ?1, 0)
      FROM (SELECT coalesce((SELECT k.at FROM clocks k WHERE k.queue = s.queue AND k.priority = s.priority), 0) AS clock
              FROM shares s WHERE s.id = ?2) c
     WHERE id = ?2
"""
# How many started together, of those that are charged by time.
SET_MATES: Final = "UPDATE jobs SET mates = ? WHERE seq = ?"
COMING: Final = """
    SELECT j.due_at FROM jobs j CROSS JOIN lanes l ON l.id = j.lane
     WHERE j.state IN (1, 4) AND j.due_at <= ?1 AND l.queue = ?2 AND l.task = ?3 AND l.batch = ?4
       AND (?5 IS NULL OR l.tenant = ?5)
     ORDER BY j.due_at LIMIT 1
"""
