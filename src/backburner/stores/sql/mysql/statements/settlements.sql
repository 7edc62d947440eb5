-- How attempts end. Every statement compares the lease, or is about jobs that were found under it and locked: a worker
-- that has lost a job changes nothing. The row in backburner_running is locked first, then the one in backburner_jobs.

-- name: lock_finished_ones
-- How many of these jobs are held, locked until all of this is committed. {held} compares ids and leases: see
-- finishing.py.
SELECT count(*)
FROM backburner_running FORCE INDEX (PRIMARY)
WHERE {held}
FOR UPDATE

-- name: keep_succeeded
-- Into history, locked until `drop_finished_ones` has taken them out of the tables and all of this is committed.
INSERT INTO backburner_finished ({moved}, last_error, state, finished_at)
SELECT {moved}, last_error, 'succeeded', {now}
FROM backburner_running FORCE INDEX (PRIMARY)
STRAIGHT_JOIN backburner_jobs FORCE INDEX (PRIMARY)
WHERE {held} AND id = job_id
FOR UPDATE

-- name: which_are_held
-- Which jobs are held under these leases, where the statement before has not stored as many rows as were expected. Where
-- it has, this reads nothing.
SELECT JSON_ARRAYAGG(CONCAT(lease, ' ', LOWER(HEX(job_id))))
FROM backburner_running FORCE INDEX (backburner_running_lease)
WHERE ROW_COUNT() <> %s AND lease IN %s

-- name: keep_succeeded_with_results
-- The same, with results. Parameters: the time, ids with leases and results; in parentheses, because MySQL refuses to
-- lock JSON_TABLE.
INSERT INTO backburner_finished ({moved}, last_error, state, finished_at, result)
SELECT {moved}, last_error, 'succeeded', {now}, wanted_result
FROM (
    SELECT wanted_id, wanted_lease, wanted_result
    FROM JSON_TABLE(
        %s, '$[*]' COLUMNS (
            wanted_id CHAR(32) PATH '$[0]', wanted_lease BIGINT PATH '$[1]',
            wanted_result LONGTEXT CHARACTER SET utf8mb4 PATH '$[2]'
        )
    ) AS list
) AS wanted
STRAIGHT_JOIN backburner_running FORCE INDEX (PRIMARY)
STRAIGHT_JOIN backburner_jobs FORCE INDEX (PRIMARY)
WHERE job_id = UNHEX(wanted_id) AND lease = wanted_lease AND id = job_id
FOR UPDATE

-- name: drop_finished_ones
DELETE running, jobs
FROM backburner_running AS running FORCE INDEX (PRIMARY)
STRAIGHT_JOIN backburner_jobs AS jobs FORCE INDEX (PRIMARY)
WHERE {held} AND id = job_id

-- name: drop_held
-- Two rows for each job.
DELETE running, jobs
FROM JSON_TABLE(
    %s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$[0]', wanted_lease BIGINT PATH '$[1]')
) AS wanted
STRAIGHT_JOIN backburner_running AS running FORCE INDEX (PRIMARY)
STRAIGHT_JOIN backburner_jobs AS jobs FORCE INDEX (PRIMARY)
WHERE running.job_id = UNHEX(wanted_id) AND running.lease = wanted_lease AND jobs.id = running.job_id

-- name: lock_held
-- Which of these jobs are still held under these leases, and whether they were asked to stop. In parentheses as above.
SELECT job_id, cancel_requested
FROM (
    SELECT wanted_id, wanted_lease
    FROM JSON_TABLE(
        %s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$[0]', wanted_lease BIGINT PATH '$[1]')
    ) AS list
) AS wanted
STRAIGHT_JOIN backburner_running FORCE INDEX (PRIMARY)
STRAIGHT_JOIN backburner_jobs FORCE INDEX (PRIMARY)
WHERE job_id = UNHEX(wanted_id) AND lease = wanted_lease AND id = job_id
FOR UPDATE

-- name: let_go
DELETE running
FROM JSON_TABLE(%s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$')) AS wanted
STRAIGHT_JOIN backburner_running AS running FORCE INDEX (PRIMARY)
WHERE running.job_id = UNHEX(wanted_id)

-- name: put_back
-- What a retry or a snooze changes; `join_line` and `let_go` make the job queued.
UPDATE backburner_jobs
SET run_at = coalesce(%s, run_at), attempts = attempts + %s, last_error = coalesce(%s, last_error)
WHERE id = %s

-- name: fail
UPDATE backburner_jobs
SET state = 'failed', failed_at = {now}, attempts = attempts + %s, last_error = coalesce(%s, last_error)
WHERE id = %s

-- name: keep_cancelled
-- Into history, held or not.
INSERT INTO backburner_finished ({moved}, state, finished_at, last_error)
SELECT {moved}, 'cancelled', {now}, coalesce(%s, last_error)
FROM backburner_jobs
LEFT JOIN backburner_running ON job_id = id
WHERE id = %s

-- name: report_progress
UPDATE backburner_running
STRAIGHT_JOIN backburner_jobs ON id = job_id
SET progress = %s
WHERE job_id = %s AND lease = %s

-- name: count_one_crash
-- Of a job that is held and locked.
UPDATE backburner_jobs SET crashes = crashes + 1 WHERE id = %s

-- name: standing
SELECT job_id, lease, cancel_requested
FROM JSON_TABLE(%s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$')) AS wanted
STRAIGHT_JOIN backburner_running FORCE INDEX (PRIMARY)
STRAIGHT_JOIN backburner_jobs FORCE INDEX (PRIMARY)
WHERE job_id = UNHEX(wanted_id) AND id = job_id

-- name: is_held
SELECT count(*) FROM backburner_running WHERE job_id = %s AND lease = %s

-- name: is_cancel_requested
SELECT cancel_requested
FROM backburner_running
STRAIGHT_JOIN backburner_jobs ON id = job_id
WHERE job_id = %s AND lease = %s
