-- What people do with jobs and queues. Jobs are locked before they are changed: the row in backburner_running first, as
-- settlements do it, then the one in backburner_jobs. Then a queued job is taken out of the line, and this waits for
-- a claim that has just found it there.

-- A list of ids that is read with FOR UPDATE is a table of its own, in parentheses: MySQL refuses to lock JSON_TABLE.

-- name: lock_running
SELECT count(*) FROM backburner_running WHERE job_id = %s FOR UPDATE

-- name: lock_job
SELECT count(*) FROM backburner_jobs WHERE id = %s FOR UPDATE

-- name: lock_jobs
SELECT count(*)
FROM (SELECT wanted_id FROM JSON_TABLE(%s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$')) AS list) AS wanted
STRAIGHT_JOIN backburner_jobs FORCE INDEX (PRIMARY)
WHERE id = UNHEX(wanted_id)
FOR UPDATE

-- name: leave_line
DELETE ready
FROM JSON_TABLE(%s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$')) AS wanted
STRAIGHT_JOIN backburner_jobs AS jobs FORCE INDEX (PRIMARY)
STRAIGHT_JOIN backburner_ready AS ready FORCE INDEX (PRIMARY)
WHERE
    jobs.id = UNHEX(wanted_id)
    AND ready.queue = CAST(jobs.queue AS BINARY) AND ready.priority = jobs.priority
    AND ready.run_at = jobs.run_at AND ready.id = jobs.id

-- name: get_job
SELECT {live} FROM backburner_jobs LEFT JOIN backburner_running ON job_id = id WHERE id = %s

-- name: get_finished
SELECT {history} FROM backburner_finished WHERE id = %s FOR UPDATE

-- name: not_running
-- Which of these jobs nobody holds.
SELECT id
FROM JSON_TABLE(%s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$')) AS wanted
STRAIGHT_JOIN backburner_jobs FORCE INDEX (PRIMARY)
LEFT JOIN backburner_running FORCE INDEX (PRIMARY) ON job_id = id
WHERE id = UNHEX(wanted_id) AND job_id IS NULL

-- name: lock_finished
-- Those of these ids that are still in history.
SELECT id
FROM (SELECT wanted_id FROM JSON_TABLE(%s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$')) AS list) AS wanted
STRAIGHT_JOIN backburner_finished FORCE INDEX (PRIMARY)
WHERE id = UNHEX(wanted_id)
FOR UPDATE

-- name: next_jobs
-- The ids that fit, from one on; a LIMIT follows.
SELECT id
FROM backburner_jobs
LEFT JOIN backburner_running ON job_id = id
WHERE id > %s AND {conditions}
ORDER BY id

-- name: next_finished
SELECT id FROM backburner_finished WHERE id > %s AND {conditions} ORDER BY id

-- name: ask_to_stop
UPDATE backburner_jobs SET cancel_requested = TRUE WHERE id = %s

-- name: requeue_jobs
-- Parameters: ids, the time.
UPDATE JSON_TABLE(%s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$')) AS wanted
STRAIGHT_JOIN backburner_jobs AS jobs FORCE INDEX (PRIMARY)
SET
    jobs.state = 'queued', jobs.run_at = {now}, jobs.attempts = 0, jobs.crashes = 0, jobs.cancel_requested = FALSE,
    jobs.failed_at = NULL, jobs.progress = NULL
WHERE jobs.id = UNHEX(wanted_id)

-- name: requeue_finished
-- From history; `delete_finished` follows. Parameters: the time, ids.
INSERT INTO backburner_jobs (
    id, name, queue, priority, run_at, created_at, state,
    max_attempts, max_run_time, keep_failed, discard_missing, tags, last_error, handler
)
SELECT
    id, name, queue, priority, {now}, created_at, 'queued',
    max_attempts, max_run_time, keep_failed, discard_missing, tags, last_error, handler
FROM JSON_TABLE(%s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$')) AS wanted
STRAIGHT_JOIN backburner_finished FORCE INDEX (PRIMARY)
WHERE id = UNHEX(wanted_id)

-- name: delete_jobs
DELETE jobs
FROM JSON_TABLE(%s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$')) AS wanted
STRAIGHT_JOIN backburner_jobs AS jobs FORCE INDEX (PRIMARY)
WHERE jobs.id = UNHEX(wanted_id)

-- name: delete_finished
DELETE finished
FROM JSON_TABLE(%s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$')) AS wanted
STRAIGHT_JOIN backburner_finished AS finished FORCE INDEX (PRIMARY)
WHERE finished.id = UNHEX(wanted_id)

-- name: pause
INSERT INTO backburner_queues (name, paused) VALUES (%s, TRUE) ON DUPLICATE KEY UPDATE paused = TRUE

-- name: resume
UPDATE backburner_queues SET paused = FALSE WHERE name = %s
