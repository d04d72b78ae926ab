"""The statements of dependencies and workflows, whole and named."""

from __future__ import annotations

from typing import Final

# Policies: 0 fail, 1 skip, 2 continue. `done` is 0 while the child waits, then the state in which the parent ended.
# From place 1048576 on (`conflicts.BEHIND`) an edge is no dependency: the child waits behind a job of its conflict key.

NAMED: Final = """
    SELECT j.id, j.seq, j.state, l.tenant, j.version
      FROM json_each(?) n CROSS JOIN jobs j ON j.id = unhex(n.value) JOIN lanes l ON l.id = j.lane
"""
ADD_EDGE: Final = "INSERT INTO dependencies (child, place, parent, policy, done) VALUES "
EDGE_ROW: Final = "(?, ?, ?, ?, ?)"
OPEN_EDGES: Final = """
    SELECT d.child, d.place, d.parent, d.policy
      FROM json_each(?) n CROSS JOIN dependencies d ON d.parent = n.value AND d.done = 0 LIMIT ?
"""
CLOSE_EDGE: Final = "UPDATE dependencies SET done = ? WHERE child = ? AND place = ?"
# Compare and set: only what is still blocked moves.
BLOCKED: Final = """
    SELECT j.seq, j.lane, j.version, j.attempt, j.last_event, j.due_at,
           EXISTS (SELECT 1 FROM dependencies d WHERE d.child = j.seq AND d.done = 0),
           EXISTS (SELECT 1 FROM conflicts c WHERE c.seq = j.seq)
      FROM json_each(?) n CROSS JOIN jobs j ON j.seq = n.value
     WHERE j.state = 0
"""
MOVE_BLOCKED: Final = """
    UPDATE jobs SET state = ?, version = version + 1, due_at = ?, ended_at = ?, last_event = ? WHERE seq = ?
"""
BLAMED: Final = """
    SELECT j.seq, j.id, r.error FROM json_each(?) n CROSS JOIN jobs j ON j.seq = n.value
      LEFT JOIN results r ON r.seq = j.seq
"""
ADD_ENDING: Final = "INSERT OR IGNORE INTO endings (seq) VALUES (?)"
ENDINGS: Final = "SELECT seq FROM endings ORDER BY seq LIMIT ?"
DROP_ENDING: Final = "DELETE FROM endings WHERE seq = ?"
ENDED: Final = """
    SELECT j.seq, j.state FROM json_each(?) n CROSS JOIN jobs j ON j.seq = n.value WHERE j.state IN (5, 6, 7)
"""

PARENT_STATES: Final = """
    SELECT d.place, d.policy, j.state
      FROM dependencies d LEFT JOIN jobs j ON j.seq = d.parent WHERE d.child = ? AND d.place < 1048576 ORDER BY d.place
"""
REOPEN: Final = """
    UPDATE dependencies SET done = 0
     WHERE parent = ? AND place < 1048576
       AND EXISTS (SELECT 1 FROM jobs j WHERE j.seq = dependencies.child AND j.state = 0)
"""
NEEDED: Final = """
    SELECT 1 FROM dependencies d CROSS JOIN jobs c ON c.seq = d.child
     WHERE d.parent = ? AND d.place < 1048576 AND c.state < 5 LIMIT 1
"""
FIRST_OPEN: Final = """
    SELECT j.id, d.place FROM dependencies d JOIN jobs j ON j.seq = d.parent
     WHERE d.child = ? AND d.done = 0 ORDER BY d.place LIMIT 1
"""

PARENTS: Final = """
    SELECT j.id, l.task, j.state, d.policy, r.result, r.error
      FROM dependencies d JOIN jobs j ON j.seq = d.parent JOIN lanes l ON l.id = j.lane
      LEFT JOIN results r ON r.seq = j.seq
     WHERE d.child = ? AND d.place < 1048576 ORDER BY d.place
"""
CHILDREN: Final = """
    SELECT j.id, l.task, j.state, d.policy
      FROM dependencies d JOIN jobs j ON j.seq = d.child JOIN lanes l ON l.id = j.lane
     WHERE d.parent = ? AND d.place < 1048576 ORDER BY d.child, d.place LIMIT ?
"""

ADD_MEMBER: Final = "INSERT OR IGNORE INTO members (workflow, seq) SELECT ?, seq FROM jobs WHERE id = ?"
WORKFLOWS: Final = "SELECT workflow FROM members WHERE seq = ? ORDER BY workflow"
WORKFLOW_COUNTS: Final = """
    SELECT j.state, count(*)
      FROM members m CROSS JOIN jobs j ON j.seq = m.seq JOIN lanes l ON l.id = j.lane
     WHERE m.workflow = ?1 AND (?2 IS NULL OR l.tenant = ?2) GROUP BY j.state
"""
# The first so many jobs of a workflow; the edges of its newest, which are those that lists begin with.
OUTLINE: Final = """
    SELECT j.state, count(*)
      FROM (SELECT seq FROM members WHERE workflow = ?1 ORDER BY seq LIMIT ?3) x
           CROSS JOIN jobs j ON j.seq = x.seq JOIN lanes l ON l.id = j.lane
     WHERE ?2 IS NULL OR l.tenant = ?2 GROUP BY j.state
"""
OUTLINE_EDGES: Final = """
    SELECT p.id, j.id
      FROM (SELECT seq FROM members WHERE workflow = ?1 ORDER BY seq DESC LIMIT ?3) x
           CROSS JOIN dependencies d ON d.child = x.seq CROSS JOIN jobs p ON p.seq = d.parent
           CROSS JOIN jobs j ON j.seq = x.seq JOIN lanes l ON l.id = j.lane
     WHERE ?2 IS NULL OR l.tenant = ?2 LIMIT ?3
"""

SAVEPOINT: Final = "SAVEPOINT batch"
ROLL_BACK: Final = "ROLLBACK TO batch"
RELEASE: Final = "RELEASE batch"
