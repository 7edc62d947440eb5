-- name: insert_job
-- The SELECT keeps a repeated enqueue from bringing back a job that has ended since.
INSERT INTO backburner_jobs (
    id, name, queue, priority, run_at, created_at, state, attempts,
    max_attempts, max_run_time, keep_failed, discard_missing, tags, handler
)
SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
WHERE NOT EXISTS (SELECT 1 FROM backburner_finished WHERE id = ?)
ON CONFLICT (id) DO NOTHING
