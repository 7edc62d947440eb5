-- The tables of the first version. A statement ends with a semicolon at the end of a line.
--
-- Times and durations are integers: microseconds, times since 1970-01-01 UTC. Names are compared byte by byte
-- (COLLATE "C"): that is faster, and the order of an index does not change when the system's languages are updated.
-- No foreign key, trigger, enumeration or counter: nothing that two jobs would have to wait for each other for.

-- Jobs that are queued, running, blocked or failed. Who is done leaves the table.
CREATE TABLE backburner_jobs (
    run_at bigint NOT NULL,
    created_at bigint NOT NULL,
    lease bigint,                                   -- worker number * 2^32 + batch; NULL when not running
    locked_at bigint,
    failed_at bigint,
    max_run_time bigint,
    priority integer NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    max_attempts integer NOT NULL,
    crashes integer NOT NULL DEFAULT 0,
    id uuid NOT NULL PRIMARY KEY,
    cancel_requested boolean NOT NULL DEFAULT false,
    keep_failed boolean NOT NULL,
    discard_missing boolean NOT NULL,
    state text COLLATE "C" NOT NULL,
    queue text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    locked_by text,
    tags text,                                      -- a JSON array; NULL when there are none
    progress text,
    last_error text,
    handler text NOT NULL
)
WITH (
    fillfactor = 85,                                -- a claimed job finds room on its own page
    vacuum_truncate = false,                        -- to give pages back would stop everybody for a moment
    autovacuum_vacuum_scale_factor = 0.01,          -- every job dies once: vacuum early and at full speed
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0.05,
    autovacuum_analyze_threshold = 500,
    toast.autovacuum_vacuum_scale_factor = 0.01,
    toast.autovacuum_vacuum_threshold = 1000,
    toast.autovacuum_vacuum_cost_delay = 0
);

-- The claim: for each queue and priority a range that ends now; jobs of the future lie behind it and cost nothing.
CREATE INDEX backburner_jobs_queued ON backburner_jobs (queue, priority, run_at, id)
WHERE state = 'queued';

-- The jobs of one worker are a range of leases.
CREATE INDEX backburner_jobs_running ON backburner_jobs (lease)
WHERE state = 'running';

-- Failed jobs, oldest first, for those who look. The queue is there to be counted by. As a part of the key it would make
-- the index look out of step with the table: the planner would rather go through all jobs by their ids.
CREATE INDEX backburner_jobs_failed ON backburner_jobs (id) INCLUDE (queue)
WHERE state = 'failed';

-- Blocked jobs, likewise.
CREATE INDEX backburner_jobs_blocked ON backburner_jobs (id) INCLUDE (queue)
WHERE state = 'blocked';

-- Jobs that succeeded or were cancelled: appended when they end. Each day (UTC) has a partition of its own, made ahead
-- and dropped as a whole by the workers. An id is unique without the database's watching over it: jobs come from
-- backburner_jobs alone.
CREATE TABLE backburner_finished (
    finished_at bigint NOT NULL,
    run_at bigint NOT NULL,
    created_at bigint NOT NULL,
    locked_at bigint,
    max_run_time bigint,
    priority integer NOT NULL,
    attempts integer NOT NULL,
    max_attempts integer NOT NULL,
    crashes integer NOT NULL,
    id uuid NOT NULL,
    cancel_requested boolean NOT NULL,
    keep_failed boolean NOT NULL,
    discard_missing boolean NOT NULL,
    state text COLLATE "C" NOT NULL,
    queue text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    locked_by text,
    tags text,
    progress text,
    last_error text,
    result text,
    handler text NOT NULL
)
PARTITION BY RANGE (finished_at);

CREATE INDEX backburner_finished_id ON backburner_finished (id);

-- Takes the days that nobody made a partition for, where the workers' role may make none.
CREATE TABLE backburner_finished_rest PARTITION OF backburner_finished DEFAULT;

-- Only here: whole days are dropped, but what lies here is pruned row by row.
CREATE INDEX backburner_finished_rest_finished_at ON backburner_finished_rest (finished_at);

-- Processes that perform jobs. A number that was given twice would be a lease that was given twice. Half of a page is
-- left free, so that a beat finds room on it.
CREATE TABLE backburner_workers (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at bigint NOT NULL,
    beat_at bigint NOT NULL,
    pid integer NOT NULL,
    concurrency integer NOT NULL,
    name text NOT NULL,
    host text NOT NULL,
    queues text                                     -- a JSON array; NULL for all
)
WITH (fillfactor = 50);

-- Only queues about which somebody decided something.
CREATE TABLE backburner_queues (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    paused boolean NOT NULL DEFAULT false
);
