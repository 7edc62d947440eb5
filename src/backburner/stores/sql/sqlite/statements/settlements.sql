-- How attempts end. Every statement compares the lease: a worker that has lost a job changes nothing.
-- They begin with INSERT, UPDATE or DELETE, never WITH, because that is how sqlite3 knows that a transaction must begin.

-- name: keep_held
-- Into history, before `drop_held` takes them out of the table. A job that nobody holds has the lease NULL, hence IS.
INSERT INTO backburner_finished ({moved}, state, finished_at, last_error, result)
SELECT {moved}, ?, {now}, coalesce(?, last_error), ?
FROM backburner_jobs
WHERE id IN (SELECT value FROM json_each(?)) AND lease IS ?

-- name: drop_held
DELETE FROM backburner_jobs
WHERE id IN (SELECT value FROM json_each(?)) AND lease IS ?
RETURNING id

-- name: put_back
-- Retry, snooze, release; not for a job that was asked to stop.
UPDATE backburner_jobs
SET
    state = 'queued', lease = NULL, locked_by = NULL, locked_at = NULL,
    run_at = coalesce(?, run_at), attempts = attempts + ?, last_error = coalesce(?, last_error)
WHERE id = ? AND lease = ? AND NOT cancel_requested

-- name: fail
UPDATE backburner_jobs
SET
    state = 'failed', lease = NULL, locked_by = NULL, locked_at = NULL, failed_at = {now},
    attempts = attempts + ?, last_error = coalesce(?, last_error)
WHERE id = ? AND lease = ?

-- name: report_progress
UPDATE backburner_jobs SET progress = ? WHERE id = ? AND lease = ?

-- name: count_one_crash
UPDATE backburner_jobs SET crashes = crashes + 1 WHERE id = ? AND lease = ?

-- name: standing
SELECT id, lease, cancel_requested FROM backburner_jobs WHERE id IN (SELECT value FROM json_each(?))

-- name: is_cancel_requested
SELECT cancel_requested FROM backburner_jobs WHERE id = ? AND lease = ?
