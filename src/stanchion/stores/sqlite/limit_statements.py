"""The statements of limits: policies, what is used of each key, and the lanes that wait."""

from __future__ import annotations

from typing import Final

LIMITS: Final = "SELECT key, running, starts, period, burst, refuse, warn FROM limits ORDER BY key"
SET_LIMIT: Final = """
    INSERT OR REPLACE INTO limits (key, running, starts, period, burst, refuse, warn) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
DROP_LIMIT: Final = "DELETE FROM limits WHERE key = ? RETURNING key"
BY_USER: Final = "SELECT by_user, resources FROM counters"
SET_BY_USER: Final = "UPDATE counters SET by_user = 1"

USAGE: Final = "SELECT used, paid, parked, turn FROM usage WHERE key = ?"
ALL_USAGE: Final = "SELECT key, used, paid, parked, turn FROM usage ORDER BY key"
# Whoever waits for a key has yet to be woken, though its park is over.
PARKED: Final = """
    SELECT key FROM usage WHERE parked > ? OR EXISTS (SELECT 1 FROM lanes l WHERE l.waits_on = usage.key)
"""
SET_USAGE: Final = """
    INSERT INTO usage (key, used, paid, parked, turn, wakes_at, open) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (key) DO UPDATE SET used = ?2, paid = ?3, parked = ?4, turn = ?5, wakes_at = ?6, open = ?7
"""
# What nobody uses, waits for or owes says nothing.
DROP_USAGE: Final = """
    DELETE FROM usage
     WHERE used = 0 AND parked <= ?1 AND paid <= ?1 * 1000
       AND NOT EXISTS (SELECT 1 FROM lanes l WHERE l.waits_on = usage.key)
"""
DUE_KEYS: Final = "SELECT key FROM usage WHERE wakes_at IS NOT NULL AND wakes_at <= ? ORDER BY key"
OPEN_KEYS: Final = "SELECT key FROM usage WHERE open = 1 ORDER BY key"
NEXT_WAKE: Final = """
    SELECT u.wakes_at FROM usage u
     WHERE u.wakes_at IS NOT NULL AND EXISTS (SELECT 1 FROM lanes l WHERE l.waits_on = u.key)
     ORDER BY u.wakes_at LIMIT 1
"""

LANE_FACTS: Final = """
    SELECT q.name, l.tenant, l.user, l.task, l.limits FROM lanes l JOIN queues q ON q.id = l.queue WHERE l.id = ?
"""
WAITERS: Final = """
    SELECT id, wait_turn FROM lanes WHERE waits_on = ? ORDER BY priority, wait_turn, head LIMIT ? OFFSET ?
"""
HOLD_LANE: Final = "UPDATE lanes SET waits_on = ?, wait_turn = ? WHERE id = ?"
WAKE_LANE: Final = "UPDATE lanes SET waits_on = NULL, wait_turn = 0 WHERE id = ?"
# A tenant whose lanes all waited is in line still: it keeps its turn.
RETURN_SHARE: Final = "UPDATE shares SET open = 1 WHERE id = (SELECT share FROM lanes WHERE id = ?) AND open = 2"
# Who waits behind a lane that is empty now may have room sooner.
LOOK_AGAIN: Final = "UPDATE usage SET wakes_at = 0 WHERE key = (SELECT waits_on FROM lanes WHERE id = ?)"
WAKE_ALL: Final = "UPDATE lanes SET waits_on = NULL, wait_turn = 0 WHERE waits_on IS NOT NULL"
RETURN_ALL: Final = """
    UPDATE shares SET open = 1 WHERE open = 2 AND id IN (SELECT share FROM lanes WHERE waits_on IS NOT NULL)
"""
WAITING: Final = "SELECT waits_on, total(n2) FROM lanes WHERE waits_on IS NOT NULL GROUP BY waits_on"

RUNNING_BY_LANE: Final = """
    SELECT j.lane, count(*) FROM jobs j INDEXED BY jobs_running WHERE j.state = 3 GROUP BY j.lane
"""
# Every job of a user that has not ended, by the lane that it shares with others.
OF_USERS: Final = tuple(
    "SELECT j.seq, j.lane, j.state, j.user, l.queue, l.priority, l.tenant, l.task, l.limits, l.model, l.batch"
    f" FROM jobs j INDEXED BY {index} CROSS JOIN lanes l ON l.id = j.lane"
    f" WHERE {test} AND j.user IS NOT NULL AND l.user = ''"
    for index, test in (
        ("jobs_blocked", "j.state = 0"),
        ("jobs_due", "j.state IN (1, 4)"),
        ("jobs_queued", "j.state = 2"),
        ("jobs_running", "j.state = 3"),
    )
)
_UNFINISHED: Final = "SELECT total(l.n0 + l.n1 + l.n2 + l.n3 + l.n4) FROM lanes l"
UNFINISHED_OF_QUEUE: Final = _UNFINISHED + " WHERE l.queue = (SELECT q.id FROM queues q WHERE q.name = ?)"
UNFINISHED_OF_TENANT: Final = _UNFINISHED + " WHERE l.tenant = ?"
UNFINISHED_OF_USER: Final = _UNFINISHED + " WHERE l.tenant = ? AND l.user = ?"

# A job of a user that ended before the lanes of users were set apart.
OF_USER: Final = """
    SELECT j.user, l.queue, l.priority, l.tenant, l.task, l.limits, l.model, l.batch
      FROM jobs j JOIN lanes l ON l.id = j.lane
     WHERE j.seq = ? AND j.user IS NOT NULL AND l.user = ''
"""
MOVE_JOB: Final = "UPDATE jobs SET lane = ? WHERE seq = ?"
