-- The tables of the first version. A statement ends with a semicolon at the end of a line.
--
-- Times and durations are integers: microseconds, times since 1970-01-01 UTC. Ids are UUIDs as people write them, so
-- that a row can be found by pasting one; as text they compare like the UUIDs themselves.
-- Tables have a rowid although ids are unique, because handlers are long: in a table without one they would lie inside
-- the tree of ids, and every look at an id would pass over them.

-- Jobs that are queued, running, blocked or failed. Who is done leaves the table.
CREATE TABLE backburner_jobs (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    lease INTEGER,                                  -- worker number * 2^32 + batch; NULL when not running
    locked_by TEXT,
    locked_at INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    max_run_time INTEGER,
    keep_failed INTEGER NOT NULL,
    discard_missing INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    failed_at INTEGER,
    tags TEXT,                                      -- a JSON array; NULL when there are none
    progress TEXT,
    last_error TEXT,
    handler TEXT NOT NULL
);

-- The claim: for each queue and priority a range that ends now; jobs of the future lie behind it and cost nothing.
-- `crashes` is last so that the claim sees from the index alone which jobs are to be claimed alone.
CREATE INDEX backburner_jobs_queued ON backburner_jobs (queue, priority, run_at, id, crashes)
WHERE state = 'queued';

-- The jobs of one worker are a range of leases.
CREATE INDEX backburner_jobs_running ON backburner_jobs (lease)
WHERE state = 'running';

-- Failed jobs, oldest first, for those who look.
CREATE INDEX backburner_jobs_failed ON backburner_jobs (id, queue)
WHERE state = 'failed';

-- Blocked jobs, likewise.
CREATE INDEX backburner_jobs_blocked ON backburner_jobs (id, queue)
WHERE state = 'blocked';

-- Jobs that succeeded or were cancelled: appended when they end, pruned from the other end.
CREATE TABLE backburner_finished (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    locked_by TEXT,
    locked_at INTEGER,
    finished_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    cancel_requested INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    max_run_time INTEGER,
    keep_failed INTEGER NOT NULL,
    discard_missing INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    tags TEXT,
    progress TEXT,
    last_error TEXT,
    result TEXT,
    handler TEXT NOT NULL
);

CREATE INDEX backburner_finished_finished_at ON backburner_finished (finished_at);

-- Processes that perform jobs. AUTOINCREMENT, because a number that was given twice would be a lease that was given twice.
CREATE TABLE backburner_workers (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    queues TEXT,                                    -- a JSON array; NULL for all
    concurrency INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    beat_at INTEGER NOT NULL
);

-- Only queues about which somebody decided something.
CREATE TABLE backburner_queues (
    name TEXT NOT NULL PRIMARY KEY,
    paused INTEGER NOT NULL DEFAULT 0
);
