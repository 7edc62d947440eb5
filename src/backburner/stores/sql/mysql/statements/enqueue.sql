-- Into the table, and into the line. INSERT, and nothing that passes over duplicates by itself: that would lock the gaps
-- between the rows, and hide other errors.

-- name: insert_jobs
-- As many rows as stand behind it. Where run_at is NULL the job is due at once, by the clock of the database.
-- Whether a job has ended since it was enqueued before is not looked up here, but by `existing`: in a transaction of the
-- caller's that is REPEATABLE READ, an INSERT locks the gap where it finds nothing, and no worker could finish a job.
INSERT INTO backburner_jobs (
    id, name, queue, priority, run_at, created_at, state, attempts,
    max_attempts, max_run_time, keep_failed, discard_missing, tags, handler
)
VALUES

-- name: job_values
(%s, %s, %s, %s, {now}, %s, %s, %s, %s, %s, %s, %s, %s, %s)

-- name: existing
-- Which of these ids jobs have, whether they have ended or not. The parameter comes twice.
SELECT id
FROM JSON_TABLE(%s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$')) AS wanted
STRAIGHT_JOIN backburner_jobs FORCE INDEX (PRIMARY)
WHERE id = UNHEX(wanted_id)
UNION ALL
SELECT id
FROM JSON_TABLE(%s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$')) AS wanted
STRAIGHT_JOIN backburner_finished FORCE INDEX (PRIMARY)
WHERE id = UNHEX(wanted_id)

-- name: join_line
-- Those of these jobs that are queued.
INSERT INTO backburner_ready (queue, priority, run_at, id, crashes)
SELECT queue, priority, run_at, id, crashes
FROM JSON_TABLE(%s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$')) AS wanted
STRAIGHT_JOIN backburner_jobs FORCE INDEX (PRIMARY)
WHERE id = UNHEX(wanted_id) AND state = 'queued'

-- name: join_line_alone
INSERT INTO backburner_ready (queue, priority, run_at, id, crashes)
SELECT queue, priority, run_at, id, crashes
FROM backburner_jobs
WHERE id = %s AND state = 'queued'
