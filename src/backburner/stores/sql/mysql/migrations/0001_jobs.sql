-- The tables of the first version, for MySQL and MariaDB. A statement ends with a semicolon at the end of a line.
--
-- A statement that defines tables cannot be undone here. So each may be run again: what is there already is left alone.
--
-- Times and durations are integers: microseconds, times since 1970-01-01 UTC. Ids are UUIDs in 16 bytes, which compare
-- like the UUIDs themselves; `hex(id)` shows them.
-- A claim touches three narrow tables and leaves the wide one alone: it moves a job from backburner_ready to
-- backburner_running. Statistics are taken anew as soon as a table has changed by a sixteenth (STATS_PERSISTENT = 0):
-- the tables are empty and full in turn.

-- Jobs that are queued, running, blocked or failed. Who is done leaves the table. `state` is what the job is when it is
-- not running: a running one is still 'queued' here, and has a row in backburner_running.
CREATE TABLE IF NOT EXISTS backburner_jobs (
    id BINARY(16) NOT NULL,
    name TEXT NOT NULL,
    queue VARCHAR(200) NOT NULL,
    priority INT NOT NULL,
    run_at BIGINT NOT NULL,
    state VARCHAR(9) NOT NULL,
    attempts INT NOT NULL DEFAULT 0,
    crashes INT NOT NULL DEFAULT 0,
    cancel_requested BOOLEAN NOT NULL DEFAULT FALSE,
    max_attempts INT NOT NULL,
    max_run_time BIGINT,
    keep_failed BOOLEAN NOT NULL,
    discard_missing BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    failed_at BIGINT,
    tags LONGTEXT,                                  -- a JSON array; NULL when there are none
    progress LONGTEXT,
    last_error LONGTEXT,
    handler LONGTEXT NOT NULL,
    PRIMARY KEY (id),
    -- Failed and blocked jobs by id, for those who look. Never used by a claim, and not changed by one.
    KEY backburner_jobs_state (state, id, queue)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC STATS_PERSISTENT = 0 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The line: each queued job, where it stands among those of its queue and priority. Jobs of the future lie behind those
-- that are due and cost nothing. `crashes` is here so that the claim sees which jobs are to be claimed alone.
-- Names of queues are bytes, because text would compare without the spaces at its end.
CREATE TABLE IF NOT EXISTS backburner_ready (
    queue VARBINARY(800) NOT NULL,
    priority INT NOT NULL,
    run_at BIGINT NOT NULL,
    id BINARY(16) NOT NULL,
    crashes INT NOT NULL DEFAULT 0,
    PRIMARY KEY (queue, priority, run_at, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC STATS_PERSISTENT = 0 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The running jobs, and who holds them. The jobs of one worker are a range of leases.
CREATE TABLE IF NOT EXISTS backburner_running (
    job_id BINARY(16) NOT NULL,
    lease BIGINT NOT NULL,                          -- worker number * 2^32 + batch
    locked_by TEXT NOT NULL,
    locked_at BIGINT NOT NULL,
    PRIMARY KEY (job_id),
    KEY backburner_running_lease (lease)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC STATS_PERSISTENT = 0 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Jobs that succeeded or were cancelled: appended when they end, pruned from the other end.
CREATE TABLE IF NOT EXISTS backburner_finished (
    id BINARY(16) NOT NULL,
    name TEXT NOT NULL,
    queue VARCHAR(200) NOT NULL,
    priority INT NOT NULL,
    run_at BIGINT NOT NULL,
    state VARCHAR(9) NOT NULL,
    locked_by TEXT,
    locked_at BIGINT,
    finished_at BIGINT NOT NULL,
    attempts INT NOT NULL,
    crashes INT NOT NULL,
    cancel_requested BOOLEAN NOT NULL,
    max_attempts INT NOT NULL,
    max_run_time BIGINT,
    keep_failed BOOLEAN NOT NULL,
    discard_missing BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    tags LONGTEXT,
    progress LONGTEXT,
    last_error LONGTEXT,
    result LONGTEXT,
    handler LONGTEXT NOT NULL,
    PRIMARY KEY (id),
    KEY backburner_finished_finished_at (finished_at)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Processes that perform jobs. A number is never given twice, because a lease must not be.
CREATE TABLE IF NOT EXISTS backburner_workers (
    number INT NOT NULL AUTO_INCREMENT,
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    pid BIGINT NOT NULL,
    queues LONGTEXT,                                -- a JSON array; NULL for all
    concurrency INT NOT NULL,
    started_at BIGINT NOT NULL,
    beat_at BIGINT NOT NULL,
    PRIMARY KEY (number)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Only queues about which somebody decided something.
CREATE TABLE IF NOT EXISTS backburner_queues (
    name VARBINARY(800) NOT NULL,
    paused BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (name)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
