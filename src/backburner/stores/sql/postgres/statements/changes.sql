-- What people do with jobs and queues. {conditions} is made of a filter, or is `id = %s`.

-- name: lock_job
-- Waits for whoever is just changing it, and gives it as it is then.
SELECT {live} FROM backburner_jobs WHERE id = %s FOR UPDATE

-- name: lock_finished
SELECT {history} FROM backburner_finished WHERE id = %s FOR UPDATE

-- name: ask_to_stop
UPDATE backburner_jobs SET cancel_requested = true WHERE id = %s

-- name: requeue_jobs
UPDATE backburner_jobs
SET
    state = 'queued', run_at = {now}, attempts = 0, crashes = 0, cancel_requested = false,
    failed_at = NULL, locked_by = NULL, locked_at = NULL, progress = NULL
WHERE {conditions}

-- name: requeue_finished
-- From history; `delete_finished` follows.
INSERT INTO backburner_jobs (
    id, name, queue, priority, run_at, created_at, state,
    max_attempts, max_run_time, keep_failed, discard_missing, tags, last_error, handler
)
SELECT
    id, name, queue, priority, {now}, created_at, 'queued',
    max_attempts, max_run_time, keep_failed, discard_missing, tags, last_error, handler
FROM backburner_finished
WHERE {conditions}

-- name: delete_jobs
DELETE FROM backburner_jobs WHERE {conditions}

-- name: delete_finished
DELETE FROM backburner_finished WHERE {conditions}

-- name: pause
INSERT INTO backburner_queues (name, paused) VALUES (%s, true) ON CONFLICT (name) DO UPDATE SET paused = true

-- name: resume
UPDATE backburner_queues SET paused = false WHERE name = %s
