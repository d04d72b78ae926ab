"""Every statement of the store, whole and named; nothing assembles SQL elsewhere."""

from __future__ import annotations

from typing import Final

# --- the transaction's own ------------------------------------------------------------------------------------

COUNTERS: Final = """
    SELECT max(seq, coalesce((SELECT max(j.seq) FROM jobs j), 0)),
           max(event, coalesce((SELECT max(e.cursor) FROM events e), 0)),
           max(output, coalesce((SELECT max(o.cursor) FROM outputs o), 0)),
           live, rules, learned
      FROM counters
"""
COUNTERS_MOVED: Final = "UPDATE counters SET seq = ?, event = ?, output = ?, live = ?"
RULES_CHANGED: Final = "UPDATE counters SET rules = rules + 1"
FLOOR: Final = "SELECT floor FROM counters"
RAISE_FLOOR: Final = "UPDATE counters SET floor = max(floor, ?)"
BOOT: Final = "SELECT boot, ahead FROM counters"
SET_BOOT: Final = "UPDATE counters SET boot = ?, ahead = ?"
LAST_INSTANT: Final = "SELECT max(at) FROM events WHERE cursor = (SELECT max(cursor) FROM events)"

# --- queues and lanes -----------------------------------------------------------------------------------------

ADD_QUEUE: Final = "INSERT OR IGNORE INTO queues (name) VALUES (?)"
QUEUE: Final = "SELECT id, name, paused, max_waiting, affinity_jobs, affinity_time FROM queues WHERE name = ?"
SET_PAUSED: Final = "UPDATE queues SET paused = ? WHERE name = ?"
SET_MAX_WAITING: Final = "UPDATE queues SET max_waiting = nullif(?, 0) WHERE name = ?"
QUEUE_NAME: Final = "SELECT name FROM queues WHERE id = ?"
ALL_QUEUES: Final = "SELECT id, paused, max_waiting, affinity_jobs, affinity_time FROM queues"
ALL_TENANTS: Final = "SELECT name, weight, top_priority FROM tenants ORDER BY name"
SET_TENANT: Final = "INSERT OR REPLACE INTO tenants (name, weight, top_priority) VALUES (?, ?, ?)"
ADD_SHARE: Final = "INSERT OR IGNORE INTO shares (queue, priority, tenant) VALUES (?, ?, ?)"
SHARE: Final = "SELECT id FROM shares WHERE queue = ? AND priority = ? AND tenant = ?"
# A tenant that begins to wait joins at its band's clock; one that is in line already keeps its turn.
OPEN_SHARE: Final = """
    UPDATE shares
       SET open = 1, since = iif(open = 2, since, h.head),
           turn = iif(open = 2, turn,
                      max(turn, coalesce((SELECT c.at FROM clocks c
                                           WHERE c.queue = shares.queue AND c.priority = shares.priority), 0))),
           credit = iif(open = 2, credit, 0)
      FROM (SELECT a.share, min(a.head) AS head FROM lanes a
             WHERE a.share = (SELECT b.share FROM lanes b WHERE b.id = ?)
               AND a.head IS NOT NULL AND a.waits_on IS NULL) h
     WHERE shares.id = h.share AND shares.open <> 1
"""
CLOSE_SHARE: Final = """
    UPDATE shares
       SET open = iif(EXISTS (SELECT 1 FROM lanes l WHERE l.share = shares.id AND l.waits_on IS NOT NULL), 2, 0)
     WHERE id = (SELECT share FROM lanes WHERE id = ?) AND open > 0
       AND NOT EXISTS (SELECT 1 FROM lanes l WHERE l.share = shares.id AND l.head IS NOT NULL AND l.waits_on IS NULL)
"""
SET_TURN: Final = "UPDATE shares SET turn = ?, credit = ? WHERE id = ?"
SET_CLOCK: Final = """
    INSERT INTO clocks (queue, priority, at) VALUES (?, ?, ?)
        ON CONFLICT (queue, priority) DO UPDATE SET at = max(at, excluded.at)
"""
ADD_LANE: Final = """
    INSERT OR IGNORE INTO lanes (share, queue, priority, tenant, task, user, limits, model, batch)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
LANE: Final = """
    SELECT id FROM lanes
     WHERE queue = ? AND priority = ? AND tenant = ? AND task = ? AND user = ? AND limits = ? AND model = ?
       AND batch = ?
"""
# The head is looked up anew: one seek in the index of queued jobs, and right whatever left the lane.
_COUNTED: Final = """
    UPDATE lanes
       SET n0 = n0 + ?, n1 = n1 + ?, n2 = n2 + ?, n3 = n3 + ?, n4 = n4 + ?, n5 = n5 + ?, n6 = n6 + ?, n7 = n7 + ?
"""
_HEAD: Final = "head = (SELECT min(seq) FROM jobs WHERE lane = ? AND state = 2)"
LANE_MOVED: Final = _COUNTED + ", " + _HEAD + " WHERE id = ? RETURNING head IS NULL, waits_on IS NOT NULL"
# The claim knows who leads a lane now.
LANE_LED: Final = _COUNTED + ", head = ? WHERE id = ?"
LANE_ENDED: Final = _COUNTED + " WHERE id = ?"
# Where no head can have changed, its index is left alone; the answer says that it is missing.
LANE_COUNTED: Final = _COUNTED + " WHERE id = ? RETURNING head IS NULL AND n2 > 0"
# A lane without jobs waits for nothing.
LANE_EMPTY: Final = "UPDATE lanes SET waits_on = NULL, wait_turn = 0 WHERE id = ?"
LANE_HEAD: Final = "UPDATE lanes SET " + _HEAD + " WHERE id = ?"
QUEUE_WAITING: Final = "SELECT total(n0 + n1 + n2 + n4) FROM lanes WHERE queue = ?"
COUNTS: Final = """
    SELECT q.name, q.paused, q.max_waiting, q.affinity_jobs, q.affinity_time,
           total(n0), total(n1), total(n2), total(n3), total(n4), total(n5), total(n6), total(n7), min(l.head), q.aging
      FROM queues q LEFT JOIN lanes l ON l.queue = q.id AND (?1 IS NULL OR l.tenant = ?1)
     GROUP BY q.id ORDER BY q.name
"""
CENSUS: Final = """
    SELECT tenant, total(n0), total(n1), total(n2), total(n3), total(n4), total(n5), total(n6), total(n7)
      FROM lanes GROUP BY tenant HAVING total(n0 + n1 + n2 + n3 + n4) > 0
"""
CREATED_AT: Final = "SELECT created_at FROM jobs WHERE seq = ?"

# --- enqueue --------------------------------------------------------------------------------------------------

# OR IGNORE: an id that is there already is the same request again, after a lost reply.
ADD_JOB: Final = """
    INSERT OR IGNORE INTO jobs
        (seq, id, lane, state, version, attempt, spent, crashes, max_attempts, created_at, due_at, expires_at, user,
         last_event)
    VALUES """
JOB_ROW: Final = "(?, ?, ?, ?, 1, 0, 0, 0, ?, ?, ?, ?, ?, ?)"
ADD_PAYLOAD: Final = """
    INSERT INTO payloads (seq, args, timeout, tags, metadata, correlation, crashes, secret, size)
    VALUES """
PAYLOAD_ROW: Final = "(?, ?, ?, ?, ?, ?, ?, ?, ?)"
ADD_FIRST_EVENT: Final = "INSERT INTO events (cursor, seq, version, state, attempt, at) VALUES "
FIRST_EVENT_ROW: Final = "(?, ?, 1, ?, 0, ?)"
ADD_EVENT: Final = """
    INSERT INTO events (cursor, seq, version, state, attempt, at, worker, outcome, error, prev)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
UNDO_JOBS: Final = "DELETE FROM jobs WHERE seq BETWEEN ? AND ?"
BY_ID: Final = "SELECT seq, state, version, created_at FROM jobs WHERE id = ?"
BY_SEQ: Final = "SELECT id, state, version, created_at FROM jobs WHERE seq = ?"
DEDUP: Final = "SELECT seq FROM dedup WHERE key = ?"
SET_DEDUP: Final = "INSERT INTO dedup (key, seq) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET seq = excluded.seq"
IDEMPOTENCY: Final = "SELECT fingerprint, seq FROM idempotency WHERE tenant = ? AND key = ? AND at > ?"
SET_IDEMPOTENCY: Final = """
    INSERT OR REPLACE INTO idempotency (tenant, key, fingerprint, seq, at) VALUES (?, ?, ?, ?, ?)
"""

# --- claim ----------------------------------------------------------------------------------------------------

# Who may claim: whose tree it belongs to, and what it has loaded.
WORKER_MAY_CLAIM: Final = """
    SELECT coalesce(supervisor, incarnation), warm FROM workers WHERE id = ? AND state = 'alive'
"""
# With the clock of the band: whose turn is behind it stands at it.
NEXT_QUEUE: Final = """
    SELECT s.queue, coalesce((SELECT c.at FROM clocks c WHERE c.queue = s.queue AND c.priority = s.priority), 0)
      FROM shares s WHERE s.open = 1 AND s.priority = ? AND s.queue > ? ORDER BY s.queue LIMIT 1
"""
NEXT_PRIORITY: Final = "SELECT priority FROM shares WHERE open = 1 AND priority > ? ORDER BY priority LIMIT 1"
# Of each tenant its first lane, whether that lane's oldest job may be late, and where its second lane begins.
BAND_SHARES: Final = """
    SELECT s.id, s.turn, s.since, s.tenant, l.head, l.id, l.task, j.expires_at,
           (SELECT min(o.head) FROM lanes o
             WHERE o.share = s.id AND o.head > l.head AND o.head IS NOT NULL AND o.waits_on IS NULL),
           s.credit, l.limits, l.model, l.passed
      FROM shares s
           CROSS JOIN lanes l ON l.share = s.id AND l.head IS NOT NULL AND l.waits_on IS NULL
                             AND l.head = (SELECT min(f.head) FROM lanes f
                                            WHERE f.share = s.id AND f.head IS NOT NULL AND f.waits_on IS NULL)
           CROSS JOIN jobs j ON j.seq = l.head
     WHERE s.open = 1 AND s.priority = ? AND s.queue = ? ORDER BY s.turn, s.since
"""
SHARE_LANES: Final = """
    SELECT head, id, task, limits, model, passed FROM lanes
     WHERE share = ? AND head IS NOT NULL AND waits_on IS NULL AND head > ? ORDER BY head LIMIT ?
"""
RUN: Final = "SELECT seq, expires_at FROM jobs WHERE lane = ? AND state = 2 AND seq >= ? ORDER BY seq LIMIT ?"
NEXT_HEAD: Final = "SELECT min(seq) FROM jobs WHERE lane = ? AND state = 2 AND seq > ?"
NEXT_HEADS: Final = """
    SELECT x.key, (SELECT min(j.seq) FROM jobs j WHERE j.lane = x.key AND j.state = 2 AND j.seq > x.value)
      FROM json_each(?) x
"""
LEASES: Final = """
    SELECT j.seq, j.id, j.version, j.attempt, j.spent, j.crashes, j.max_attempts, j.created_at, j.expires_at, j.user,
           p.args, p.timeout, p.tags, p.metadata, p.correlation, j.last_event,
           p.crashes
      FROM json_each(?) x CROSS JOIN jobs j ON j.seq = x.value CROSS JOIN payloads p ON p.seq = j.seq
"""
# Both of all jobs of a claim that are charged the same, whose events follow ?1 in order; the events first, while the
# jobs are as they were.
ADD_START_EVENTS: Final = """
    INSERT INTO events (cursor, seq, version, state, attempt, at, worker, prev)
    SELECT ?1 + n.key, j.seq, j.version + 1, 3, j.attempt + 1, ?2, ?3, j.last_event
      FROM json_each(?4) n CROSS JOIN jobs j ON j.seq = n.value
"""
START: Final = """
    UPDATE jobs
       SET state = 3, attempt = attempt + 1, version = version + 1, worker = ?3, started_at = ?2, due_at = NULL,
           last_event = ?1 + n.key, charge = ?5, mates = NULL
      FROM json_each(?4) n
     WHERE jobs.seq = n.value
"""
NEXT_DUE: Final = "SELECT min(due_at) FROM jobs WHERE state IN (1, 4)"

# --- settle and note ------------------------------------------------------------------------------------------

# The attempt is the fence: what a settlement or a note names must be the running one.
RUNNING: Final = """
    SELECT j.seq, j.attempt, j.version, j.lane, j.spent, j.crashes, j.cancel_at, j.started_at, j.worker,
           (SELECT 1 FROM live v WHERE v.seq = j.seq), j.last_event,
           (SELECT 1 FROM dependencies d WHERE d.parent = j.seq AND d.done = 0),
           (SELECT 1 FROM keeping k WHERE k.seq = j.seq), j.charge, coalesce(j.mates, 1)
      FROM jobs j WHERE j.state = 3 AND j.seq IN (SELECT value FROM json_each(?))
"""
END: Final = """
    UPDATE jobs
       SET state = ?, version = version + 1, spent = ?, crashes = ?, due_at = ?, started_at = ?, ended_at = ?,
           cancel_at = ?, worker = NULL, last_event = ?
     WHERE seq = ?
"""
SET_RESULT: Final = """
    INSERT INTO results (seq, result, error) VALUES (?, ?, ?)
        ON CONFLICT (seq) DO UPDATE SET result = excluded.result, error = excluded.error
"""
DROP_LIVE: Final = "DELETE FROM live WHERE seq = ?"
CREDIT_WORKER: Final = "UPDATE workers SET done = done + ?, failed = failed + ?, busy_ms = busy_ms + ? WHERE id = ?"

SET_PROGRESS: Final = """
    INSERT INTO live (seq, rev, at, idx, length, unit, message, stage) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (seq) DO UPDATE SET rev = excluded.rev, at = excluded.at, idx = excluded.idx,
           length = excluded.length, unit = excluded.unit, message = excluded.message, stage = excluded.stage
"""
SET_PREVIEW: Final = """
    INSERT INTO live (seq, rev, preview, content_type, width, height, step, preview_rev) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (seq) DO UPDATE SET rev = excluded.rev, preview = excluded.preview,
           content_type = excluded.content_type, width = excluded.width, height = excluded.height,
           step = excluded.step, preview_rev = excluded.preview_rev
"""
NEXT_OUTPUT: Final = "SELECT coalesce(max(idx) + 1, 0) FROM outputs WHERE seq = ? AND attempt = ?"
ADD_OUTPUT: Final = """
    INSERT INTO outputs (cursor, seq, attempt, idx, kind, data, name, content_type, size, artifact, width, height)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
LOG_COUNT: Final = "SELECT count(*) FROM logs WHERE seq = ? AND attempt = ?"
ADD_LOG: Final = "INSERT INTO logs (seq, attempt, level, message, at) VALUES (?, ?, ?, ?, ?)"
ADD_STEP: Final = "INSERT OR IGNORE INTO steps (seq, name, result) VALUES (?, ?, ?)"
STEPS: Final = "SELECT name, result FROM steps WHERE seq = ?"
ADD_COST: Final = "INSERT INTO costs (seq, attempt, amount, unit) VALUES (?, ?, ?, ?)"

# --- workers --------------------------------------------------------------------------------------------------

REGISTER: Final = """
    INSERT INTO workers (incarnation, host, pid, slots, queues, tasks, supervisor, version, capabilities, state,
                         started_at, beat_at, lease_until, resources)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'alive', ?, ?, ?, ?) ON CONFLICT (incarnation) DO NOTHING
"""
WORKER_ID: Final = "SELECT id FROM workers WHERE incarnation = ?"
BEAT: Final = """
    UPDATE workers SET beat_at = ?, lease_until = ? WHERE id = ? AND state IN ('alive', 'draining') RETURNING id
"""
HELD: Final = "SELECT seq, attempt, cancel_at FROM jobs WHERE worker = ? AND state = 3 ORDER BY seq"
DRAIN_WORKER: Final = "UPDATE workers SET state = 'draining' WHERE id = ? AND state = 'alive'"
LEAVE: Final = """
    UPDATE workers SET state = ?, ended_at = ? WHERE id = ? AND state IN ('alive', 'draining')
"""
MARK_SILENT: Final = """
    UPDATE workers SET state = 'lost', ended_at = ?1 WHERE state IN ('alive', 'draining') AND lease_until < ?1
"""
OVERDUE: Final = """
    SELECT w.incarnation, j.seq, j.id, j.attempt, j.spent, j.crashes, j.max_attempts, j.created_at, j.started_at,
           j.cancel_at, j.user, l.task, l.tenant, l.priority, q.name, p.crashes
      FROM jobs j INDEXED BY jobs_running CROSS JOIN workers w ON w.id = j.worker
      JOIN lanes l ON l.id = j.lane JOIN queues q ON q.id = l.queue JOIN payloads p ON p.seq = j.seq
     WHERE j.state = 3 AND w.state IN ('lost', 'stopped') AND (?1 IS NULL OR w.id IN (SELECT value FROM json_each(?1)))
     ORDER BY j.seq LIMIT ?2
"""
WORKERS: Final = """
    SELECT w.id, w.incarnation, w.host, w.pid, w.slots, w.queues, w.tasks, w.supervisor, w.version, w.capabilities,
           w.state, w.started_at, w.beat_at, w.lease_until, w.done, w.failed, w.busy_ms, w.resources, w.warm,
           w.swaps
      FROM workers w WHERE w.ended_at IS NULL OR w.ended_at > ? ORDER BY w.id
"""
WORKER_JOBS: Final = "SELECT id FROM jobs WHERE worker = ? AND state = 3 ORDER BY seq LIMIT 200"

# --- maintain -------------------------------------------------------------------------------------------------

DUE: Final = """
    SELECT seq, lane, state, version, attempt, last_event FROM jobs
     WHERE state IN (1, 4) AND due_at <= ? ORDER BY due_at, seq LIMIT ?
"""
PROMOTE: Final = "UPDATE jobs SET state = 2, version = version + 1, due_at = NULL, last_event = ? WHERE seq = ?"
EXPIRED: Final = """
    SELECT seq, lane, state, version, attempt, last_event FROM jobs
     WHERE expires_at IS NOT NULL AND state IN (0, 1, 2, 4) AND expires_at <= ? ORDER BY expires_at LIMIT ?
"""
EXPIRE: Final = """
    UPDATE jobs SET state = 6, version = version + 1, due_at = NULL, ended_at = ?, last_event = ? WHERE seq = ?
"""
# A worker's row outlives it by months: history names it.
OLD_WORKERS: Final = """
    DELETE FROM workers WHERE ended_at <= ? AND NOT EXISTS (SELECT 1 FROM jobs WHERE worker = workers.id AND state = 3)
"""
OLD_KEYS: Final = "DELETE FROM idempotency WHERE at <= ?"
# Ended jobs are pruned in the order of their number, which is near the order of their end.
PRUNE_WINDOW: Final = "SELECT seq FROM jobs WHERE seq > ? ORDER BY seq LIMIT 1 OFFSET ?"
PRUNABLE: Final = """
    SELECT seq, lane, state FROM jobs
     WHERE seq > ?1 AND seq <= ?2
       AND (state = 5 AND ended_at <= ?3 OR state = 6 AND ended_at <= ?4 OR state = 7 AND ended_at <= ?5)
       AND NOT EXISTS (SELECT 1 FROM dependencies d CROSS JOIN jobs c ON c.seq = d.child
                        WHERE d.parent = jobs.seq AND d.place < 1048576 AND c.state < 5)
     ORDER BY seq LIMIT ?6
"""
JOB_ARTIFACTS: Final = """
    SELECT DISTINCT artifact FROM outputs
     WHERE artifact IS NOT NULL AND seq IN (SELECT value FROM json_each(?))
"""
ADD_GARBAGE: Final = "INSERT OR IGNORE INTO garbage (artifact) VALUES (?)"
GARBAGE: Final = "SELECT artifact FROM garbage ORDER BY artifact LIMIT ?"
DROP_GARBAGE: Final = "DELETE FROM garbage WHERE artifact = ?"
ARTIFACT_USED: Final = """
    SELECT 1 FROM outputs WHERE artifact = ?1 UNION ALL SELECT 1 FROM cache_outputs WHERE artifact = ?1 LIMIT 1
"""
LAST_EVENT_OF: Final = "SELECT max(last_event) FROM jobs WHERE seq IN (SELECT value FROM json_each(?))"
# Before the jobs themselves: their `last_event` is where the chains begin.
DELETE_EVENTS: Final = """
    WITH RECURSIVE chain (cursor) AS (
        SELECT last_event FROM jobs WHERE seq IN (SELECT value FROM json_each(?))
        UNION ALL
        SELECT e.prev FROM chain c JOIN events e ON e.cursor = c.cursor WHERE e.prev IS NOT NULL
    )
    DELETE FROM events WHERE cursor IN (SELECT cursor FROM chain)
"""
DELETE_JOBS: Final = tuple(
    f"DELETE FROM {table} WHERE {'child' if table == 'dependencies' else 'seq'} IN (SELECT value FROM json_each(?))"
    for table in (
        "jobs", "payloads", "results", "live", "outputs", "logs", "steps", "costs", "dedup", "idempotency",
        "dependencies", "members", "keeping", "conflicts",
    )
)  # fmt: skip

# --- amend ----------------------------------------------------------------------------------------------------

TARGET: Final = """
    SELECT j.seq, j.lane, j.state, j.version, j.attempt, j.last_event, j.cancel_at, l.tenant, j.id
      FROM jobs j JOIN lanes l ON l.id = j.lane WHERE j.id = ?
"""
CANCEL_WAITING: Final = """
    UPDATE jobs SET state = 7, version = version + 1, ended_at = ?, due_at = NULL, last_event = ? WHERE seq = ?
"""
ASK_CANCEL: Final = "UPDATE jobs SET cancel_at = ?, version = version + 1, last_event = ? WHERE seq = ?"
RETRY: Final = """
    UPDATE jobs SET state = ?, version = version + 1, spent = 0, crashes = 0, ended_at = NULL, due_at = NULL,
           started_at = NULL, cancel_at = NULL, last_event = ? WHERE seq = ?
"""
DROP_RESULT: Final = "DELETE FROM results WHERE seq = ?"
LANE_KEY: Final = "SELECT queue, tenant, task, user, limits, model, batch FROM lanes WHERE id = ?"
SET_LANE: Final = "UPDATE jobs SET lane = ? WHERE seq = ?"
SET_METADATA: Final = "UPDATE payloads SET metadata = ? WHERE seq = ?"
SET_TAGS: Final = "UPDATE payloads SET tags = ? WHERE seq = ?"

# --- reads ----------------------------------------------------------------------------------------------------

_JOB: Final = """
    SELECT j.seq, j.id, l.task, q.name, l.tenant, j.user, l.priority, j.state, j.version, j.attempt, j.spent, j.crashes,
           j.max_attempts, j.created_at, j.due_at, j.started_at, j.ended_at, j.expires_at, j.cancel_at,
           p.tags, p.metadata, p.timeout, p.correlation, r.error, w.incarnation,
           v.at, v.idx, v.length, v.unit, v.message, v.stage, v.preview_rev, l.model
"""
_FROM: Final = """
      FROM jobs j
      JOIN lanes l ON l.id = j.lane
      JOIN queues q ON q.id = l.queue
      JOIN payloads p ON p.seq = j.seq
      LEFT JOIN results r ON r.seq = j.seq
      LEFT JOIN workers w ON w.id = j.worker
      LEFT JOIN live v ON v.seq = j.seq
"""
JOB: Final = _JOB + ", p.args, r.result, p.secret" + _FROM + " WHERE j.id = ?1 AND (?2 IS NULL OR l.tenant = ?2)"
_WANTED: Final = """
     WHERE j.seq < ?1 AND (?2 IS NULL OR l.tenant = ?2) AND (?3 IS NULL OR q.name = ?3) AND (?4 IS NULL OR l.task = ?4)
       AND (?5 IS NULL OR j.user = ?5) AND (?6 IS NULL OR EXISTS (SELECT 1 FROM json_each(p.tags) t WHERE t.value = ?6))
       AND (?8 IS NULL OR instr(lower(hex(j.id)), ?7) = 1 OR instr(lower(l.task), ?8) OR instr(lower(j.user), ?8))
       AND (?9 IS NULL OR j.ended_at < ?9)
"""
_SMALL: Final = {
    0: ("jobs_blocked", "j.state = 0"),
    1: ("jobs_due", "j.state = 1 AND j.state IN (1, 4)"),
    2: ("jobs_queued", "j.state = 2"),
    3: ("jobs_running", "j.state = 3"),
    4: ("jobs_due", "j.state = 4 AND j.state IN (1, 4)"),
    6: ("jobs_failed", "j.state = 6"),
    7: ("jobs_cancelled", "j.state = 7"),
}
PAGE_BY_INDEX: Final = {
    state: f"{_JOB}, NULL, NULL, NULL{_FROM.replace('jobs j', f'jobs j INDEXED BY {index}', 1)}{_WANTED}"
    f" AND {test} ORDER BY j.seq DESC LIMIT ?10"
    for state, (index, test) in _SMALL.items()
}
"""Pages of a state that few jobs are in: all of them are looked at and sorted."""
PAGE_BY_AGE: Final = {
    state: f"{_JOB}, NULL, NULL, NULL{_FROM.replace('jobs j', 'jobs j NOT INDEXED', 1)}{_WANTED}"
    f" AND {'1' if state is None else f'j.state = {state}'} ORDER BY j.seq DESC LIMIT ?10"
    for state in (None, 0, 1, 2, 3, 4, 5, 6, 7)
}
"""Pages of any state (None) or of one that many jobs are in: from the newest down until the page is full."""
PAGE_OF_IDS: Final = (
    f"{_JOB}, NULL, NULL, NULL{_FROM}{_WANTED}"
    " AND j.id IN (SELECT unhex(value) FROM json_each(?10)) ORDER BY j.seq DESC"
)
PAGE_OF_WORKFLOW: Final = (
    f"{_JOB}, NULL, NULL, NULL"
    f"{_FROM.replace('FROM jobs j', 'FROM members m CROSS JOIN jobs j ON j.seq = m.seq', 1)}{_WANTED}"
    " AND m.workflow = ?10 AND m.seq < ?1 AND (?11 IS NULL OR j.state IN (SELECT value FROM json_each(?11)))"
    " ORDER BY m.seq DESC LIMIT ?12"
)
ARTIFACTS_OF: Final = """
    SELECT o.seq, o.idx, o.attempt, o.kind, NULL, o.name, o.content_type, o.size, o.artifact, o.width, o.height,
           o.cursor
      FROM jobs j CROSS JOIN outputs o ON o.seq = j.seq AND o.attempt = j.attempt
     WHERE j.seq IN (SELECT value FROM json_each(?)) AND o.artifact IS NOT NULL ORDER BY o.seq, o.idx
"""
OUTPUTS: Final = """
    SELECT o.idx, o.attempt, o.kind, o.data, o.name, o.content_type, o.size, o.artifact, o.width, o.height, o.cursor
      FROM outputs o JOIN jobs j ON j.seq = o.seq AND j.attempt = o.attempt
     WHERE o.seq = ? AND o.idx > ? ORDER BY o.idx
"""
REF: Final = """
    SELECT j.seq, j.state FROM jobs j JOIN lanes l ON l.id = j.lane WHERE j.id = ?1 AND (?2 IS NULL OR l.tenant = ?2)
"""
HISTORY: Final = """
    WITH RECURSIVE chain (cursor) AS (
        SELECT last_event FROM jobs WHERE seq = ?
        UNION ALL
        SELECT e.prev FROM chain c JOIN events e ON e.cursor = c.cursor WHERE e.prev IS NOT NULL
    )
    SELECT e.cursor, e.version, e.state, e.attempt, e.at, e.error, e.outcome, w.incarnation, e.worker
      FROM chain c JOIN events e ON e.cursor = c.cursor LEFT JOIN workers w ON w.id = e.worker ORDER BY e.version
"""
PREVIEW: Final = """
    SELECT preview, content_type, width, height, step, preview_rev FROM live WHERE seq = ? AND preview IS NOT NULL
"""
LOGS: Final = "SELECT cursor, attempt, level, message, at FROM logs WHERE seq = ? AND cursor > ? ORDER BY cursor"
COSTS: Final = "SELECT attempt, amount, unit FROM costs WHERE seq = ? ORDER BY id"

PLACES: Final = """
    SELECT x.key, j.seq, j.state, j.due_at, j.lane
      FROM json_each(?1) x CROSS JOIN jobs j ON j.id = unhex(x.value)
"""
KIN: Final = """
    SELECT l.id, l.tenant, l.share, l.queue, l.priority, q.paused, q.name, l.task, l.waits_on
      FROM json_each(?) x CROSS JOIN lanes l ON l.id = x.value CROSS JOIN queues q ON q.id = l.queue
"""
UPCOMING: Final = """
    SELECT j.id
      FROM (SELECT l.id FROM lanes l CROSS JOIN shares s ON s.id = l.share CROSS JOIN queues q ON q.id = l.queue
             WHERE l.head IS NOT NULL AND l.waits_on IS NULL AND NOT q.paused AND (?1 IS NULL OR l.tenant = ?1)
             ORDER BY l.priority, s.turn, l.head LIMIT ?2) x
           CROSS JOIN jobs j ON j.seq IN
               (SELECT o.seq FROM jobs o WHERE o.lane = x.id AND o.state = 2 ORDER BY o.seq LIMIT ?2)
"""
AHEAD_BANDS: Final = "SELECT total(n2) FROM lanes WHERE queue = ? AND priority < ? AND waits_on IS NULL"
LANES_OF_SHARE: Final = """
    SELECT id, n2, task, limits FROM lanes WHERE share = ? AND head IS NOT NULL AND waits_on IS NULL
"""
HELD_OF_SHARE: Final = "SELECT id FROM lanes WHERE share = ? AND waits_on IS NOT NULL"
BEFORE_IN_LANE: Final = "SELECT count(*) FROM jobs WHERE lane = ? AND state = 2 AND seq < ?"
QUEUED_IN_LANE: Final = "SELECT seq FROM jobs WHERE lane = ? AND state = 2 ORDER BY seq"
RANKS_AS_OF: Final = "SELECT (SELECT coalesce(max(cursor), 0) FROM events), floor, rules FROM counters"
QUEUED_SINCE: Final = """
    SELECT e.seq, e.state, j.lane FROM events e JOIN jobs j ON j.seq = e.seq WHERE e.cursor > ? ORDER BY e.cursor
"""
BAND: Final = """
    SELECT s.id, max(s.turn, coalesce((SELECT c.at FROM clocks c
                                        WHERE c.queue = s.queue AND c.priority = s.priority), 0) - s.credit),
           s.since, coalesce((SELECT t.weight FROM tenants t WHERE t.name = s.tenant), 1),
           (SELECT total(l.n2) FROM lanes l WHERE l.share = s.id AND l.head IS NOT NULL AND l.waits_on IS NULL),
           s.by_time
      FROM shares s WHERE s.open = 1 AND s.priority = ? AND s.queue = ?
"""
SERVING: Final = "SELECT queues, tasks FROM workers WHERE state = 'alive' AND lease_until >= ?"

EVENTS_SINCE: Final = """
    SELECT e.cursor, j.id, e.version, e.state, e.attempt, e.at, e.error, l.tenant
      FROM events e JOIN jobs j ON j.seq = e.seq JOIN lanes l ON l.id = j.lane
     WHERE e.cursor > ? ORDER BY e.cursor LIMIT ?
"""
OUTPUTS_SINCE: Final = """
    SELECT o.idx, o.attempt, o.kind, o.data, o.name, o.content_type, o.size, o.artifact, o.width, o.height, o.cursor,
           j.id, l.tenant
      FROM outputs o JOIN jobs j ON j.seq = o.seq JOIN lanes l ON l.id = j.lane
     WHERE o.cursor > ? ORDER BY o.cursor LIMIT ?
"""
LIVE_SINCE: Final = """
    SELECT v.rev, j.id, l.tenant FROM live v JOIN jobs j ON j.seq = v.seq JOIN lanes l ON l.id = j.lane
     WHERE v.rev > ? AND j.state = 3 ORDER BY v.rev LIMIT ?
"""
_RECENT: Final = """
    SELECT e.at, e.version, e.state, e.outcome,
           (SELECT b.at FROM events b WHERE b.cursor = e.prev),
           l.tenant
      FROM events e CROSS JOIN jobs j ON j.seq = e.seq JOIN lanes l ON l.id = j.lane
"""
RECENT: Final = _RECENT + " WHERE e.cursor > ? AND e.cursor <= ? ORDER BY e.cursor"
RECENT_SAMPLE: Final = _RECENT + " WHERE e.cursor IN (SELECT value FROM json_each(?))"
_FLOW: Final = """
    SELECT q.name, sum(e.state = 3), sum(e.state = 5), sum(e.state = 6)
      FROM events e CROSS JOIN jobs j ON j.seq = e.seq JOIN lanes l ON l.id = j.lane JOIN queues q ON q.id = l.queue
"""
_FLOW_OF: Final = """
       AND (e.state IN (5, 6) OR e.state = 3 AND e.outcome IS NULL) AND (?1 IS NULL OR l.tenant = ?1)
     GROUP BY q.name
"""
FLOW: Final = _FLOW + " WHERE e.cursor > ?2 AND e.cursor <= ?3 AND e.at >= ?4" + _FLOW_OF
FLOW_SAMPLE: Final = _FLOW + " WHERE e.cursor IN (SELECT value FROM json_each(?2)) AND e.at >= ?3" + _FLOW_OF
EVENT_AT: Final = "SELECT at FROM events WHERE cursor >= ? ORDER BY cursor LIMIT 1"
TOP_EVENT: Final = "SELECT max(cursor) FROM events"
BOTTOM_EVENT: Final = "SELECT min(cursor) FROM events"
TOTALS: Final = """
    SELECT total(n0), total(n1), total(n2), total(n3), total(n4), total(n5), total(n6), total(n7) FROM lanes
"""
SELECT_IDS: Final = "SELECT id FROM jobs WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq"
