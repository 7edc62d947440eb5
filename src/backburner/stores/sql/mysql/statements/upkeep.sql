-- Workers, rescue and history.

-- name: register
INSERT INTO backburner_workers (name, host, pid, queues, concurrency, started_at, beat_at)
VALUES (%s, %s, %s, %s, %s, {now}, {now})

-- name: new_number
SELECT LAST_INSERT_ID()

-- name: beat
UPDATE backburner_workers SET beat_at = {now} WHERE number = %s

-- name: is_registered
SELECT count(*) FROM backburner_workers WHERE number = %s

-- name: strike_off
DELETE FROM backburner_workers WHERE number = %s

-- name: strike_off_silent
-- The second parameter is for how long.
DELETE FROM backburner_workers WHERE beat_at < {now} - %s

-- name: is_rescue_needed
SELECT
    EXISTS (SELECT 1 FROM backburner_workers WHERE beat_at < {now} - %s)
    OR EXISTS (
        SELECT 1
        FROM backburner_running
        WHERE NOT EXISTS (SELECT 1 FROM backburner_workers WHERE number = lease >> 32)
    )

-- name: held_by
SELECT job_id, lease FROM backburner_running WHERE lease BETWEEN %s AND %s

-- name: orphans
-- Running jobs whose worker is not there, a portion of them. Not only those just struck off: a worker may have claimed
-- after it was taken for dead.
SELECT job_id, lease
FROM backburner_running
WHERE NOT EXISTS (SELECT 1 FROM backburner_workers WHERE number = lease >> 32)
LIMIT 1000

-- name: count_crash
UPDATE JSON_TABLE(%s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$')) AS wanted
STRAIGHT_JOIN backburner_jobs AS jobs FORCE INDEX (PRIMARY)
SET jobs.crashes = jobs.crashes + 1
WHERE jobs.id = UNHEX(wanted_id)

-- name: held_jobs
SELECT {live}
FROM JSON_TABLE(%s, '$[*]' COLUMNS (wanted_id CHAR(32) PATH '$')) AS wanted
STRAIGHT_JOIN backburner_running FORCE INDEX (PRIMARY)
STRAIGHT_JOIN backburner_jobs FORCE INDEX (PRIMARY)
WHERE job_id = UNHEX(wanted_id) AND id = job_id

-- name: old
-- Two who prune at the same time take different rows.
SELECT id
FROM backburner_finished FORCE INDEX (backburner_finished_finished_at)
WHERE finished_at < %s
ORDER BY finished_at
LIMIT %s
FOR UPDATE SKIP LOCKED
