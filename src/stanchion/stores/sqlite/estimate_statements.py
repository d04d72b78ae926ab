"""The statements about durations and the time left."""

from __future__ import annotations

from typing import Final

LEARNED_UPTO: Final = "SELECT cursor FROM lessons"
LESSON_END: Final = """
    SELECT max(cursor), count(*) FROM (SELECT cursor FROM events WHERE cursor > ? ORDER BY cursor LIMIT ?) x
"""
# An end that follows on the start of the same attempt; what was asked to cancel ended otherwise.
LESSONS: Final = """
    SELECT l.task, p.size, e.at - b.at, e.outcome
      FROM events e CROSS JOIN events b ON b.cursor = e.prev CROSS JOIN jobs j ON j.seq = e.seq
           CROSS JOIN lanes l ON l.id = j.lane CROSS JOIN payloads p ON p.seq = e.seq
     WHERE e.cursor > ? AND e.cursor <= ? AND e.outcome IN ('completed', 'failed', 'retry')
       AND b.state = 3 AND b.attempt = e.attempt ORDER BY e.cursor
"""
LEARN: Final = "UPDATE lessons SET cursor = ?2 WHERE cursor = ?1 RETURNING 1"
SET_DURATIONS: Final = "INSERT OR REPLACE INTO durations (task, size, took, failed) VALUES (?, ?, ?, ?)"
DURATIONS: Final = "SELECT task, size, took, failed FROM durations"
DURATIONS_OF_TASK: Final = "SELECT task, size, took, failed FROM durations WHERE task = ?"
# Whoever remembers what jobs are charged reads it again.
LEARNED: Final = "UPDATE counters SET learned = learned + 1"
LEARNED_AS_OF: Final = "SELECT learned FROM counters"
LEASE_UNTIL: Final = "SELECT lease_until FROM workers WHERE id = ?"
SHARE_OF_LANE: Final = """
    SELECT s.id, s.tenant, s.turn, s.credit, s.open,
           coalesce((SELECT c.at FROM clocks c WHERE c.queue = s.queue AND c.priority = s.priority), 0)
      FROM lanes l JOIN shares s ON s.id = l.share WHERE l.id = ?
"""
SHARE_BY_TIME: Final = "UPDATE shares SET by_time = 1 WHERE id = ?"

ASKED: Final = """
    SELECT x.value, j.state, l.task, p.size, q.name, l.queue, l.priority, j.max_attempts - j.spent, j.started_at
      FROM json_each(?1) x CROSS JOIN jobs j ON j.id = unhex(x.value) CROSS JOIN lanes l ON l.id = j.lane
           CROSS JOIN queues q ON q.id = l.queue CROSS JOIN payloads p ON p.seq = j.seq
     WHERE j.state IN (2, 3) AND (?2 IS NULL OR l.tenant = ?2)
"""
# How many wait of each task, size class and priority, and the lane with most of them, whose sizes stand for all.
KINDS: Final = """
    SELECT priority, task, total(n2), id, max(n2) FROM lanes
     WHERE queue = ? AND head IS NOT NULL AND waits_on IS NULL GROUP BY priority, task, limits LIMIT ?
"""
SIZES: Final = """
    SELECT p.size FROM jobs j CROSS JOIN payloads p ON p.seq = j.seq
     WHERE j.lane = ? AND j.state = 2 ORDER BY j.seq LIMIT ?
"""
ALIVE: Final = "SELECT id, slots, queues, tasks, started_at FROM workers WHERE state = 'alive' AND lease_until >= ?"
GONE: Final = """
    SELECT queues, tasks, started_at, ended_at, state FROM workers
     WHERE ended_at > ? ORDER BY ended_at DESC, id DESC LIMIT ?
"""
RUNS: Final = """
    SELECT l.task, p.size, j.started_at
      FROM jobs j CROSS JOIN lanes l ON l.id = j.lane CROSS JOIN payloads p ON p.seq = j.seq
     WHERE j.worker = ? AND j.state = 3 ORDER BY j.seq LIMIT ?
"""
