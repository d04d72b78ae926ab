"""The statements of schedules, whole and named."""

from __future__ import annotations

from typing import Final

_COLUMNS: Final = """
    SELECT id, tenant, name, revision, cron, zone, every, start, request, overlap, catch_up, created_at, paused,
           next_at, last_at, last_job
      FROM schedules
"""
SCHEDULE: Final = _COLUMNS + " WHERE tenant = ? AND name = ?"
SCHEDULES: Final = _COLUMNS + " ORDER BY tenant, name"
SCHEDULES_OF: Final = _COLUMNS + " WHERE tenant = ? ORDER BY name"
ADD_SCHEDULE: Final = """
    INSERT INTO schedules (cron, zone, every, start, request, overlap, catch_up, next_at, revision, created_at, tenant,
                           name)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)
"""
CHANGE_SCHEDULE: Final = """
    UPDATE schedules
       SET cron = ?, zone = ?, every = ?, start = ?, request = ?, overlap = ?, catch_up = ?, next_at = ?,
           revision = revision + 1
     WHERE tenant = ? AND name = ?
"""
PAUSE_SCHEDULE: Final = """
    UPDATE schedules SET paused = ?, next_at = ?, revision = revision + 1 WHERE tenant = ? AND name = ?
"""
DROP_SCHEDULE: Final = "DELETE FROM schedules WHERE tenant = ? AND name = ?"
DUE_SCHEDULES: Final = _COLUMNS + " WHERE next_at IS NOT NULL AND next_at <= ? ORDER BY next_at, id LIMIT ?"
NEXT_TICK: Final = "SELECT min(next_at) FROM schedules WHERE next_at > ?"
# The fence: a scheduler that was frozen, or whose reply was lost, matches no row.
_AS_FOUND: Final = " WHERE id = ?1 AND revision = ?2 AND next_at = ?3"
FIRING: Final = "SELECT overlap, last_at, last_job FROM schedules" + _AS_FOUND
MOVE_SCHEDULE: Final = "UPDATE schedules SET next_at = ?4, last_at = ?5, last_job = ?6" + _AS_FOUND
