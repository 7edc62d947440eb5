-- Workers, rescue and history.

-- name: register
INSERT INTO backburner_workers (name, host, pid, queues, concurrency, started_at, beat_at)
VALUES (?, ?, ?, ?, ?, {now}, {now})
RETURNING number

-- name: beat
UPDATE backburner_workers SET beat_at = {now} WHERE number = ?

-- name: strike_off
DELETE FROM backburner_workers WHERE number = ?

-- name: strike_off_silent
-- The second parameter is for how long.
DELETE FROM backburner_workers WHERE beat_at < {now} - ?

-- name: is_rescue_needed
SELECT
    EXISTS (SELECT 1 FROM backburner_workers WHERE beat_at < {now} - ?)
    OR EXISTS (
        SELECT 1
        FROM backburner_jobs
        WHERE
            state = 'running' AND lease >= 0
            AND NOT EXISTS (SELECT 1 FROM backburner_workers WHERE number = lease >> 32)
    )

-- name: held_by
SELECT id, lease
FROM backburner_jobs
WHERE state = 'running' AND lease BETWEEN ? AND ?

-- name: count_crash
-- Of running jobs whose worker is not there, a portion of them. Not only of those just struck off: a worker may have
-- claimed after it was taken for dead.
UPDATE backburner_jobs
SET crashes = crashes + 1
WHERE rowid IN (
    SELECT rowid
    FROM backburner_jobs
    WHERE
        state = 'running' AND lease >= 0
        AND NOT EXISTS (SELECT 1 FROM backburner_workers WHERE number = lease >> 32)
    ORDER BY lease
    LIMIT 1000
)
RETURNING {live}

-- name: prune
DELETE FROM backburner_finished
WHERE rowid IN (
    SELECT rowid FROM backburner_finished WHERE finished_at < ? ORDER BY finished_at LIMIT ?
)
