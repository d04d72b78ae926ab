-- The narrow hot table `jobs` stands apart from payloads (wide, read once) and events (history and feed).
-- States: 0 blocked, 1 scheduled, 2 queued, 3 running, 4 retrying, 5 completed, 6 failed, 7 cancelled.

-- The floor under numbers that must never be used again; what is stored may be above it.
CREATE TABLE counters (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    seq     INTEGER NOT NULL,
    event   INTEGER NOT NULL,
    output  INTEGER NOT NULL,
    live    INTEGER NOT NULL,
    floor   INTEGER NOT NULL,
    boot    TEXT NOT NULL,
    ahead   INTEGER NOT NULL,
    rules   INTEGER NOT NULL,
    by_user INTEGER NOT NULL DEFAULT 0,
    resources INTEGER NOT NULL DEFAULT 0,
    learned INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO counters VALUES (1, 0, 0, 0, 0, 0, '', 0, 0, 0, 0, 0);

CREATE TABLE queues (
    id           INTEGER PRIMARY KEY,
    name         TEXT NOT NULL UNIQUE,
    paused       INTEGER NOT NULL DEFAULT 0,
    max_waiting  INTEGER,
    affinity_jobs INTEGER NOT NULL DEFAULT 8,
    affinity_time INTEGER NOT NULL DEFAULT 30000,
    aging         INTEGER
) STRICT;

-- A tenant among those of its queue and priority: its turn (see domain.fairness), the job with which it joined,
-- and whether it is in line: 1, a lane of it may start; 2, all that have jobs wait for a limit; 0, none has jobs.
-- credit: how far its turn may be behind the clock; by_time: some of its lanes are charged by time.
CREATE TABLE shares (
    id        INTEGER PRIMARY KEY,
    queue     INTEGER NOT NULL,
    priority  INTEGER NOT NULL,
    tenant    TEXT NOT NULL,
    turn      INTEGER NOT NULL DEFAULT 0,
    since     INTEGER NOT NULL DEFAULT 0,
    open      INTEGER NOT NULL DEFAULT 0,
    credit    INTEGER NOT NULL DEFAULT 0,
    by_time   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX shares_key ON shares (queue, priority, tenant);
CREATE INDEX shares_open ON shares (priority, queue, turn, since) WHERE open = 1;

-- The highest turn that was served in a queue and priority: where those who come back join.
CREATE TABLE clocks (
    queue     INTEGER NOT NULL,
    priority  INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (queue, priority)
) STRICT, WITHOUT ROWID;

-- All jobs of a lane have the same constraints. n0..n7 count its jobs by state; head is its oldest queued job. Where
-- a limit has no room, `waits_on` is its key and `wait_turn` the lane's place among those that wait for it. `passed`
-- says which jobs of other models went past it (see domain.affinity).
CREATE TABLE lanes (
    id        INTEGER PRIMARY KEY,
    share     INTEGER NOT NULL,
    queue     INTEGER NOT NULL,
    priority  INTEGER NOT NULL,
    tenant    TEXT NOT NULL,
    user      TEXT NOT NULL DEFAULT '',
    task      TEXT NOT NULL,
    limits    TEXT NOT NULL DEFAULT '',
    model     TEXT NOT NULL DEFAULT '',
    batch     TEXT NOT NULL DEFAULT '',
    waits_on  TEXT,
    wait_turn INTEGER NOT NULL DEFAULT 0,
    head      INTEGER,
    n0 INTEGER NOT NULL DEFAULT 0, n1 INTEGER NOT NULL DEFAULT 0, n2 INTEGER NOT NULL DEFAULT 0,
    n3 INTEGER NOT NULL DEFAULT 0, n4 INTEGER NOT NULL DEFAULT 0, n5 INTEGER NOT NULL DEFAULT 0,
    n6 INTEGER NOT NULL DEFAULT 0, n7 INTEGER NOT NULL DEFAULT 0,
    passed    TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX lanes_key ON lanes (queue, priority, tenant, user, task, limits, model, batch);
CREATE INDEX lanes_tenant ON lanes (tenant, user);
CREATE INDEX lanes_ready ON lanes (share, head) WHERE head IS NOT NULL AND waits_on IS NULL;
CREATE INDEX lanes_waiting ON lanes (waits_on, priority, wait_turn, head) WHERE waits_on IS NOT NULL;
CREATE INDEX lanes_held ON lanes (share) WHERE waits_on IS NOT NULL;
CREATE INDEX lanes_batch ON lanes (queue, task, batch, waits_on, priority, head)
 WHERE batch <> '' AND head IS NOT NULL;
CREATE INDEX lanes_batch_own ON lanes (queue, task, batch, waits_on, tenant, priority, head)
 WHERE batch <> '' AND head IS NOT NULL;

-- aged_at: up to when its wait was turned into a more urgent priority (see domain.aging).
-- charge: what the last start was charged, in ms; only of jobs whose task names its cost drivers.
-- mates: so many jobs started with it as one group, itself counted; only of those that are charged.
CREATE TABLE jobs (
    seq           INTEGER PRIMARY KEY,
    id            BLOB NOT NULL,
    lane          INTEGER NOT NULL,
    state         INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    spent         INTEGER NOT NULL,
    crashes       INTEGER NOT NULL,
    max_attempts  INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    due_at        INTEGER,
    started_at    INTEGER,
    ended_at      INTEGER,
    expires_at    INTEGER,
    cancel_at     INTEGER,
    worker        INTEGER,
    user          TEXT,
    last_event    INTEGER NOT NULL,
    charge        INTEGER,
    mates         INTEGER,
    aged_at       INTEGER
) STRICT;
CREATE UNIQUE INDEX jobs_id ON jobs (id);
CREATE INDEX jobs_queued ON jobs (lane, seq) WHERE state = 2;
CREATE INDEX jobs_running ON jobs (worker, seq) WHERE state = 3;
CREATE INDEX jobs_due ON jobs (due_at) WHERE state IN (1, 4);
CREATE INDEX jobs_expiring ON jobs (expires_at) WHERE expires_at IS NOT NULL AND state IN (0, 1, 2, 4);
CREATE INDEX jobs_failed ON jobs (seq) WHERE state = 6;
CREATE INDEX jobs_cancelled ON jobs (seq) WHERE state = 7;
CREATE INDEX jobs_blocked ON jobs (seq) WHERE state = 0;

CREATE TABLE payloads (
    seq          INTEGER PRIMARY KEY,
    args         BLOB NOT NULL,
    timeout      INTEGER,
    tags         TEXT,
    metadata     BLOB,
    correlation  TEXT,
    crashes      INTEGER,
    secret       TEXT,
    size         REAL
) STRICT;

CREATE TABLE results (
    seq     INTEGER PRIMARY KEY,
    result  BLOB,
    error   TEXT
) STRICT;

-- History and feed in one: by cursor it is the feed; a job's events hang together by `prev`, from `jobs.last_event`
-- back, so that no second index is written with each event.
CREATE TABLE events (
    cursor   INTEGER PRIMARY KEY,
    seq      INTEGER NOT NULL,
    version  INTEGER NOT NULL,
    state    INTEGER NOT NULL,
    attempt  INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    worker   INTEGER,
    outcome  TEXT,
    error    TEXT,
    prev     INTEGER
) STRICT;

-- What is live about a running job: replaced often, gone at the end.
CREATE TABLE live (
    seq           INTEGER PRIMARY KEY,
    rev           INTEGER NOT NULL,
    at            INTEGER,
    idx           REAL,
    length        REAL,
    unit          TEXT,
    message       TEXT,
    stage         TEXT,
    preview       BLOB,
    content_type  TEXT,
    width         INTEGER,
    height        INTEGER,
    step          INTEGER,
    preview_rev   INTEGER
) STRICT;
CREATE INDEX live_rev ON live (rev);

CREATE TABLE outputs (
    cursor        INTEGER PRIMARY KEY,
    seq           INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    idx           INTEGER NOT NULL,
    kind          TEXT NOT NULL,
    data          BLOB,
    name          TEXT,
    content_type  TEXT,
    size          INTEGER NOT NULL,
    artifact      TEXT,
    width         INTEGER,
    height        INTEGER
) STRICT;
CREATE UNIQUE INDEX outputs_job ON outputs (seq, attempt, idx);
CREATE INDEX outputs_artifact ON outputs (artifact) WHERE artifact IS NOT NULL;

-- Artifacts whose last job was deleted; the next upkeep tells them and forgets them.
CREATE TABLE garbage (
    artifact  TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE logs (
    cursor   INTEGER PRIMARY KEY,
    seq      INTEGER NOT NULL,
    attempt  INTEGER NOT NULL,
    level    TEXT NOT NULL,
    message  TEXT NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX logs_job ON logs (seq, attempt);

CREATE TABLE steps (
    seq     INTEGER NOT NULL,
    name    TEXT NOT NULL,
    result  BLOB NOT NULL,
    PRIMARY KEY (seq, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE costs (
    id       INTEGER PRIMARY KEY,
    seq      INTEGER NOT NULL,
    attempt  INTEGER NOT NULL,
    amount   TEXT NOT NULL,
    unit     TEXT NOT NULL
) STRICT;
CREATE INDEX costs_job ON costs (seq);

CREATE TABLE workers (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    incarnation   TEXT NOT NULL UNIQUE,
    host          TEXT NOT NULL,
    pid           INTEGER NOT NULL,
    slots         INTEGER NOT NULL,
    queues        TEXT,
    tasks         TEXT NOT NULL,
    supervisor    TEXT,
    version       TEXT NOT NULL,
    capabilities  TEXT NOT NULL,
    state         TEXT NOT NULL,
    started_at    INTEGER NOT NULL,
    beat_at       INTEGER NOT NULL,
    lease_until   INTEGER NOT NULL,
    ended_at      INTEGER,
    done          INTEGER NOT NULL DEFAULT 0,
    failed        INTEGER NOT NULL DEFAULT 0,
    busy_ms       INTEGER NOT NULL DEFAULT 0,
    resources     TEXT,
    warm          TEXT NOT NULL DEFAULT '',
    swaps         INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX workers_warm ON workers (warm) WHERE state = 'alive' AND warm <> '';
CREATE INDEX workers_ended ON workers (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE dedup (
    key  BLOB PRIMARY KEY,
    seq  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX dedup_job ON dedup (seq);

CREATE TABLE idempotency (
    tenant       TEXT NOT NULL,
    key          TEXT NOT NULL,
    fingerprint  BLOB NOT NULL,
    seq          INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_job ON idempotency (seq);
CREATE INDEX idempotency_at ON idempotency (at);

-- What a blocked job (the child) waits for. policy: 0 fail, 1 skip, 2 continue; done: 0 while it waits, then the
-- state in which the parent ended. An edge lives as long as its child.
CREATE TABLE dependencies (
    child   INTEGER NOT NULL,
    place   INTEGER NOT NULL,
    parent  INTEGER NOT NULL,
    policy  INTEGER NOT NULL,
    done    INTEGER NOT NULL,
    PRIMARY KEY (child, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX dependencies_parent ON dependencies (parent);
CREATE INDEX dependencies_open ON dependencies (parent) WHERE done = 0;

-- Parents that ended with more children than their transaction could tell; the next upkeep goes on.
CREATE TABLE endings (
    seq  INTEGER PRIMARY KEY
) STRICT;

-- The jobs of a workflow; one that was joined belongs to several.
CREATE TABLE members (
    workflow  TEXT NOT NULL,
    seq       INTEGER NOT NULL,
    PRIMARY KEY (workflow, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_job ON members (seq);

-- Under which key a job's result is to be kept, and for how long; only for jobs that ask for it.
CREATE TABLE keeping (
    seq  INTEGER PRIMARY KEY,
    key  BLOB NOT NULL,
    ttl  INTEGER NOT NULL
) STRICT;

-- Completed results by content key; `ref` is the job that made one. They outlive their job.
CREATE TABLE cache (
    id       INTEGER PRIMARY KEY,
    key      BLOB NOT NULL UNIQUE,
    tenant   TEXT NOT NULL,
    task     TEXT NOT NULL,
    ref      INTEGER NOT NULL,
    size     INTEGER NOT NULL,
    hits     INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    used_at  INTEGER NOT NULL,
    result   BLOB
) STRICT;
CREATE INDEX cache_ref ON cache (ref);
CREATE INDEX cache_until ON cache (until);
CREATE INDEX cache_used ON cache (used_at);

-- What the jobs behind the entries produced; artifacts named here are kept.
CREATE TABLE cache_outputs (
    entry         INTEGER NOT NULL,
    idx           INTEGER NOT NULL,
    kind          TEXT NOT NULL,
    data          BLOB,
    name          TEXT,
    content_type  TEXT,
    size          INTEGER NOT NULL,
    artifact      TEXT,
    width         INTEGER,
    height        INTEGER,
    PRIMARY KEY (entry, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX cache_artifact ON cache_outputs (artifact) WHERE artifact IS NOT NULL;

-- The entries in sum, so that nobody has to count them.
CREATE TABLE cache_sums (
    tenant   TEXT NOT NULL,
    task     TEXT NOT NULL,
    entries  INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    hits     INTEGER NOT NULL,
    PRIMARY KEY (tenant, task)
) STRICT, WITHOUT ROWID;

CREATE TABLE tenants (
    name          TEXT PRIMARY KEY,
    weight        INTEGER NOT NULL,
    top_priority  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE limits (
    key      TEXT PRIMARY KEY,
    running  INTEGER,
    starts   INTEGER,
    period   INTEGER NOT NULL,
    burst    INTEGER NOT NULL,
    refuse   INTEGER,
    warn     INTEGER
) STRICT, WITHOUT ROWID;

-- Jobs with a conflict key. `open` is 0 once somebody has seen that the job has ended.
CREATE TABLE conflicts (
    seq     INTEGER PRIMARY KEY,
    tenant  TEXT NOT NULL,
    key     TEXT NOT NULL,
    open    INTEGER NOT NULL
) STRICT;
CREATE INDEX conflicts_open ON conflicts (tenant, key, seq) WHERE open = 1;

-- Keys of which so many jobs wait and run that it is warned of, since when, and from how many on.
CREATE TABLE warnings (
    key    TEXT PRIMARY KEY,
    at     INTEGER NOT NULL,
    level  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The refusals of those who are guarded (see domain.intake.Strikes), and when nothing is left of them.
CREATE TABLE strikes (
    tenant     TEXT NOT NULL,
    key        TEXT NOT NULL,
    paid       INTEGER NOT NULL,
    level      INTEGER NOT NULL,
    until      INTEGER NOT NULL,
    forget_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX strikes_forget ON strikes (forget_at);

-- What is used of a key (see domain.limits.Usage), when time alone gives room to who waits, and whether there is
-- room now for somebody who waits.
CREATE TABLE usage (
    key       TEXT PRIMARY KEY,
    used      INTEGER NOT NULL,
    paid      INTEGER NOT NULL,
    parked    INTEGER NOT NULL,
    turn      INTEGER NOT NULL,
    wakes_at  INTEGER,
    open      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_wakes ON usage (wakes_at) WHERE wakes_at IS NOT NULL;
CREATE INDEX usage_open ON usage (key) WHERE open = 1;

-- How much there is of a resource: of a worker tree (owner), by device where it has devices ('' otherwise); what all
-- workers share has the owner ''.
CREATE TABLE resources (
    name      TEXT NOT NULL,
    owner     TEXT NOT NULL,
    device    TEXT NOT NULL,
    capacity  INTEGER NOT NULL,
    PRIMARY KEY (name, owner, device)
) STRICT, WITHOUT ROWID;

-- What running attempts hold of resources, from their claim until they end or give it back.
CREATE TABLE holds (
    seq     INTEGER NOT NULL,
    name    TEXT NOT NULL,
    device  TEXT NOT NULL,
    weight  INTEGER NOT NULL,
    owner   TEXT NOT NULL,
    PRIMARY KEY (seq, name, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX holds_name ON holds (name);

-- A rule is cron and zone, or every and start (ms). A number is never used for another schedule: with revision and
-- next_at it is the fence of a firing. next_at is null while paused.
CREATE TABLE schedules (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant      TEXT NOT NULL,
    name        TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    cron        TEXT,
    zone        TEXT,
    every       INTEGER,
    start       INTEGER,
    request     TEXT NOT NULL,
    overlap     TEXT NOT NULL,
    catch_up    INTEGER,
    created_at  INTEGER NOT NULL,
    paused      INTEGER NOT NULL DEFAULT 0,
    next_at     INTEGER,
    last_at     INTEGER,
    last_job    TEXT
) STRICT;
CREATE UNIQUE INDEX schedules_name ON schedules (tenant, name);
CREATE INDEX schedules_next ON schedules (next_at) WHERE next_at IS NOT NULL;

-- What was learned of how long attempts take, by task and size class (see domain.estimates), and up to which event.
CREATE TABLE durations (
    task    TEXT NOT NULL,
    size    INTEGER NOT NULL,
    took    BLOB NOT NULL,
    failed  BLOB NOT NULL,
    PRIMARY KEY (task, size)
) STRICT, WITHOUT ROWID;
CREATE TABLE lessons (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    cursor  INTEGER NOT NULL
) STRICT;
INSERT INTO lessons VALUES (1, 0);
