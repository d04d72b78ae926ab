"""The statements of what is asked of a request before it is stored: conflict keys, warnings, refusals."""

from __future__ import annotations

from typing import Final

# An open row is of a job that has not ended, as far as anybody has looked: who finds that it has closes the row.
ADD_CONFLICT: Final = "INSERT INTO conflicts (seq, tenant, key, open) VALUES (?, ?, ?, 1)"
CONTENDERS: Final = """
    SELECT j.seq, j.lane, j.state, j.version, j.attempt, j.last_event, j.cancel_at, c.tenant, j.id
      FROM conflicts c CROSS JOIN jobs j ON j.seq = c.seq
     WHERE c.tenant = ? AND c.key = ? AND c.open = 1 AND c.seq < ? ORDER BY c.seq DESC LIMIT ?
"""
CLOSE_CONFLICT: Final = "UPDATE conflicts SET open = 0 WHERE seq = ?"
OPEN_CONFLICT: Final = "UPDATE conflicts SET open = 1 WHERE seq = ?"
CONFLICT_OF: Final = "SELECT tenant, key FROM conflicts WHERE seq = ?"
# The job that a later one of its key waits for: an edge beside those to its parents, see `joins.BEHIND`.
STAND_BEHIND: Final = """
    INSERT INTO dependencies (child, place, parent, policy, done) VALUES (?1, ?2, ?3, 2, 0)
        ON CONFLICT (child, place) DO UPDATE SET parent = ?3, done = 0
"""

SHARE_STANDS: Final = "SELECT id, turn, credit, since, open FROM shares WHERE queue = ? AND priority = ? AND tenant = ?"
CLOCK: Final = "SELECT at FROM clocks WHERE queue = ? AND priority = ?"
TENANT_OF: Final = "SELECT tenant FROM shares WHERE id = ?"
OWN_LANE: Final = """
    SELECT n2 FROM lanes
     WHERE queue = ? AND priority = ? AND tenant = ? AND task = ? AND user = ? AND limits = ?
       AND model = ? AND batch = ? AND waits_on IS NOT NULL
"""

WARNING: Final = "INSERT OR IGNORE INTO warnings (key, at, level) VALUES (?, ?, ?) RETURNING key"
WARNINGS: Final = "SELECT key, at, level FROM warnings ORDER BY key"
DROP_WARNING: Final = "DELETE FROM warnings WHERE key = ?"
QUEUE_NAMES: Final = "SELECT name FROM queues ORDER BY name"

STRIKES: Final = "SELECT paid, level, until FROM strikes WHERE tenant = ? AND key = ?"
SET_STRIKES: Final = """
    INSERT OR REPLACE INTO strikes (tenant, key, paid, level, until, forget_at) VALUES (?, ?, ?, ?, ?, ?)
"""
DROP_STRIKES: Final = "DELETE FROM strikes WHERE tenant = ? AND key = ?"
OLD_STRIKES: Final = "DELETE FROM strikes WHERE forget_at <= ?"
SLOWED: Final = "SELECT tenant, key, until, level FROM strikes WHERE forget_at > ?1 AND until > ?1"
