-- name: insert_job
INSERT INTO backburner_jobs (
    id, name, queue, priority, run_at, created_at, state, attempts,
    max_attempts, max_run_time, keep_failed, discard_missing, tags, handler
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING

-- name: insert_unfinished_job
-- The same for a job that may have been enqueued before: the SELECT keeps it from coming back when it has ended since.
-- The last parameter is the id again.
INSERT INTO backburner_jobs (
    id, name, queue, priority, run_at, created_at, state, attempts,
    max_attempts, max_run_time, keep_failed, discard_missing, tags, handler
)
SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
WHERE NOT EXISTS (SELECT 1 FROM backburner_finished WHERE id = ?)
ON CONFLICT (id) DO NOTHING

-- name: has_finished_since
-- Ids grow with time: when no job with a later id has ended, none of these has.
SELECT EXISTS (SELECT 1 FROM backburner_finished WHERE id >= ?)
