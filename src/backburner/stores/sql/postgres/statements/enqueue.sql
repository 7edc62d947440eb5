-- Where run_at is NULL the job is due at once, by the clock of the database.

-- name: insert_job
INSERT INTO backburner_jobs (
    id, name, queue, priority, run_at, created_at, state, attempts,
    max_attempts, max_run_time, keep_failed, discard_missing, tags, handler
)
VALUES (%s, %s, %s, %s, {now}, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO NOTHING

-- name: insert_usual_job
-- The same for a job that is due at once, kept when it fails and not cancelled when a record is missing, without tags.
INSERT INTO backburner_jobs (
    id, name, queue, priority, run_at, created_at, state, attempts,
    max_attempts, max_run_time, keep_failed, discard_missing, handler
)
VALUES (%s, %s, %s, %s, {clock}, %s, 'queued', 0, %s, %s, true, false, %s)
ON CONFLICT (id) DO NOTHING

-- name: insert_jobs
INSERT INTO backburner_jobs (
    id, name, queue, priority, run_at, created_at, state, attempts,
    max_attempts, max_run_time, keep_failed, discard_missing, tags, handler
)
SELECT
    new.id, new.name, new.queue, new.priority, coalesce(new.run_at, {clock}), new.created_at, new.state, new.attempts,
    new.max_attempts, new.max_run_time, new.keep_failed, new.discard_missing, new.tags, new.handler
FROM unnest(
    %b::uuid[], %b::text[], %b::text[], %b::integer[], %b::bigint[], %b::bigint[], %b::text[], %b::integer[],
    %b::integer[], %b::bigint[], %b::boolean[], %b::boolean[], %b::text[], %b::text[]
) AS new (
    id, name, queue, priority, run_at, created_at, state, attempts,
    max_attempts, max_run_time, keep_failed, discard_missing, tags, handler
)
ON CONFLICT (id) DO NOTHING

-- name: insert_unfinished_jobs
-- The same for jobs that may have been enqueued before: the SELECT keeps those from coming back that have ended since.
-- OFFSET keeps it one probe of the index for each id; it would be made a join else, over the whole of history. A job that
-- is there is left out as well, before it comes to a conflict: else this would wait for whoever is just ending it, and
-- store it anew when it is gone.
INSERT INTO backburner_jobs (
    id, name, queue, priority, run_at, created_at, state, attempts,
    max_attempts, max_run_time, keep_failed, discard_missing, tags, handler
)
SELECT
    new.id, new.name, new.queue, new.priority, coalesce(new.run_at, {clock}), new.created_at, new.state, new.attempts,
    new.max_attempts, new.max_run_time, new.keep_failed, new.discard_missing, new.tags, new.handler
FROM unnest(
    %b::uuid[], %b::text[], %b::text[], %b::integer[], %b::bigint[], %b::bigint[], %b::text[], %b::integer[],
    %b::integer[], %b::bigint[], %b::boolean[], %b::boolean[], %b::text[], %b::text[]
) AS new (
    id, name, queue, priority, run_at, created_at, state, attempts,
    max_attempts, max_run_time, keep_failed, discard_missing, tags, handler
)
WHERE
    NOT EXISTS (SELECT 1 FROM backburner_finished AS old WHERE old.id = new.id OFFSET 0)
    AND NOT EXISTS (SELECT 1 FROM backburner_jobs AS live WHERE live.id = new.id OFFSET 0)
ON CONFLICT (id) DO NOTHING

-- name: time
SELECT {now}

-- name: copy_jobs
COPY backburner_jobs (
    id, name, queue, priority, run_at, created_at, state, attempts,
    max_attempts, max_run_time, keep_failed, discard_missing, tags, handler
)
FROM STDIN (FORMAT BINARY)
