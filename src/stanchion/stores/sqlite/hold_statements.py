"""The statements of resources: what there is, and what attempts hold of it."""

from __future__ import annotations

from typing import Final

IN_USE: Final = "UPDATE counters SET resources = 1"

# An owner is a worker tree: its supervisor, or a worker by itself; '' is all workers together.
SPOTS: Final = "SELECT owner, device, capacity FROM resources WHERE name = ? ORDER BY owner, device"
ALL_SPOTS: Final = "SELECT name, owner, device, capacity FROM resources ORDER BY name, owner, device"
HELD_OF: Final = "SELECT owner, device, weight FROM holds WHERE name = ?"
ALL_HELD: Final = "SELECT name, owner, device, weight FROM holds"
SET_SPOT: Final = "INSERT OR REPLACE INTO resources (name, owner, device, capacity) VALUES (?, ?, ?, ?)"
DROP_SHARED: Final = "DELETE FROM resources WHERE name = ? AND owner = '' RETURNING name"
# A tree of which no worker may claim has nothing to offer.
DROP_GONE: Final = """
    DELETE FROM resources
     WHERE owner <> ''
       AND owner NOT IN (SELECT coalesce(w.supervisor, w.incarnation) FROM workers w WHERE w.state = 'alive')
 RETURNING name
"""
OWNER: Final = "SELECT coalesce(supervisor, incarnation) FROM workers WHERE id = ? AND state = 'alive'"
WAITED: Final = """
    SELECT waits_on, total(n2) FROM lanes WHERE waits_on >= 'resource:' AND waits_on < 'resource;' GROUP BY waits_on
"""

ADD_HOLD: Final = "INSERT INTO holds (seq, name, device, weight, owner) VALUES (?, ?, ?, ?, ?)"
DROP_HOLDS: Final = """
    DELETE FROM holds WHERE seq IN (SELECT value FROM json_each(?)) RETURNING name, device, weight
"""
RELEASE: Final = """
    DELETE FROM holds WHERE seq = ?1 AND name = ?2 AND (?3 = '' OR device = ?3) RETURNING name, device, weight
"""
# Holds of what does not run: there are none.
DROP_STRAY: Final = """
    DELETE FROM holds WHERE NOT EXISTS (SELECT 1 FROM jobs j WHERE j.seq = holds.seq AND j.state = 3) RETURNING name
"""
WORKER_HOLDS: Final = """
    SELECT d.name, d.device, d.weight FROM jobs j CROSS JOIN holds d ON d.seq = j.seq WHERE j.worker = ? AND j.state = 3
"""
