-- Claiming. A claim reads the beginning of the line and looks up by primary key, and nothing else: two claims at the same
-- time pass over each other's rows and wait for nobody. tests/stores/test_mysql_plans.py holds every plan. Index hints
-- and STRAIGHT_JOIN say what the optimizer would not choose by itself while a table is small, and then it would lock
-- rows that it passes by.

-- name: time
SELECT {now}

-- name: first_front
-- The first queue and priority that have queued jobs, and when the first of these is due.
SELECT queue, priority, run_at
FROM backburner_ready FORCE INDEX (PRIMARY)
ORDER BY queue, priority, run_at, id
LIMIT 1

-- name: front_after
-- The next queue and priority after these: queue twice, priority. An index that is read from a constant on is the only
-- way to jump here; a recursive query would read all that it jumps over.
SELECT queue, priority, run_at
FROM backburner_ready FORCE INDEX (PRIMARY)
WHERE queue > %s OR (queue = %s AND priority > %s)
ORDER BY queue, priority, run_at, id
LIMIT 1

-- name: first_front_of
-- The same within one queue. It is not ordered by the queue as well: MariaDB would read all of it and sort.
SELECT queue, priority, run_at
FROM backburner_ready FORCE INDEX (PRIMARY)
WHERE queue = %s
ORDER BY priority, run_at, id
LIMIT 1

-- name: front_of_after
SELECT queue, priority, run_at
FROM backburner_ready FORCE INDEX (PRIMARY)
WHERE queue = %s AND priority > %s
ORDER BY priority, run_at, id
LIMIT 1

-- name: hold_next
-- Hold the jobs that are next in the line of a queue and priority that is not paused, from a place on: what stands before
-- it was claimed before, and has perhaps left rows that are not cleared away yet. Parameters: lease, worker, the time,
-- queue, priority, run_at and id of the place, run_at again, the time again, the queue again, how many.
INSERT INTO backburner_running (job_id, lease, locked_by, locked_at)
SELECT id, %s, %s, {now}
FROM backburner_ready FORCE INDEX (PRIMARY)
WHERE
    queue = %s AND priority = %s AND ((run_at = %s AND id > %s) OR (run_at > %s AND run_at <= {now}))
    AND NOT EXISTS (SELECT 1 FROM backburner_queues WHERE name = %s AND paused)
ORDER BY run_at, id
LIMIT %s
FOR UPDATE SKIP LOCKED

-- name: due_keys
-- Lock the same, and say which they are. Parameters: the time, queue, priority, run_at and id of the place, run_at again,
-- the time again, until when, the queue again, how many.
SELECT run_at, id, crashes, {now}
FROM backburner_ready FORCE INDEX (PRIMARY)
WHERE
    queue = %s AND priority = %s
    AND ((run_at = %s AND id > %s) OR (run_at > %s AND run_at <= {now} AND run_at <= %s))
    AND NOT EXISTS (SELECT 1 FROM backburner_queues WHERE name = %s AND paused)
ORDER BY run_at, id
LIMIT %s
FOR UPDATE SKIP LOCKED

-- name: hold
-- Parameters: lease, worker, the time, ids.
INSERT INTO backburner_running (job_id, lease, locked_by, locked_at)
SELECT UNHEX(wanted_id), %s, %s, {now}
FROM JSON_TABLE(%s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$')) AS wanted

-- name: just_held
-- What was claimed under a lease. Columns cost the driver more time to read than the server to make, so the numbers are
-- one, max_run_time left out where it is NULL; and most jobs are new, for which `rest` is NULL.
SELECT
    id, name, handler, queue,
    CONCAT_WS(' ', priority, run_at, created_at, max_attempts, locked_at, max_run_time) AS numbers,
    IF(
        attempts = 0 AND crashes = 0 AND keep_failed AND NOT discard_missing AND NOT cancel_requested
        AND tags IS NULL AND progress IS NULL AND last_error IS NULL,
        NULL,
        JSON_ARRAY(attempts, keep_failed, discard_missing, tags, progress, crashes, cancel_requested, last_error)
    ) AS rest
FROM backburner_running FORCE INDEX (backburner_running_lease)
STRAIGHT_JOIN backburner_jobs FORCE INDEX (PRIMARY)
WHERE lease = %s AND id = job_id

-- name: held_leave_line
DELETE ready
FROM backburner_running AS running FORCE INDEX (backburner_running_lease)
STRAIGHT_JOIN backburner_jobs AS jobs FORCE INDEX (PRIMARY)
STRAIGHT_JOIN backburner_ready AS ready FORCE INDEX (PRIMARY)
WHERE
    running.lease = %s AND jobs.id = running.job_id
    AND ready.queue = CAST(jobs.queue AS BINARY) AND ready.priority = jobs.priority
    AND ready.run_at = jobs.run_at AND ready.id = jobs.id

-- name: held_under
-- What a claim took whose answer was lost.
SELECT {live}
FROM backburner_running FORCE INDEX (backburner_running_lease)
STRAIGHT_JOIN backburner_jobs FORCE INDEX (PRIMARY)
WHERE lease = %s AND id = job_id
ORDER BY priority, run_at, id
