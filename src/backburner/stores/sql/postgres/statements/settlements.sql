-- How attempts end. Every statement compares the lease: a worker that has lost a job changes nothing.
--
-- Many jobs at once come as arrays. Those of ids are ascending, the others stand in the same order, and `width_bucket`
-- says at which place an id stands. To join with the arrays would say the same, but with a plan that was made while the
-- table was small it would read the whole table.

-- name: finish
-- Jobs that succeeded: into history. `results` may be empty.
WITH ended AS (
    DELETE FROM backburner_jobs
    WHERE id = ANY(%(ids)s::uuid[]) AND lease = (%(leases)s::bigint[])[width_bucket(id, %(ids)s::uuid[])]
    RETURNING {moved}, last_error
)

INSERT INTO backburner_finished ({moved}, last_error, state, finished_at, result)
SELECT
    {moved}, last_error, 'succeeded', coalesce(%(now)s, {clock}),
    (%(results)s::text[])[width_bucket(id, %(ids)s::uuid[])]
FROM ended
RETURNING id

-- name: call_off
-- Jobs that were cancelled: into history.
WITH ended AS (
    DELETE FROM backburner_jobs
    WHERE id = ANY(%(ids)s::uuid[]) AND lease = (%(leases)s::bigint[])[width_bucket(id, %(ids)s::uuid[])]
    RETURNING {moved}, last_error
)

INSERT INTO backburner_finished ({moved}, last_error, state, finished_at)
SELECT
    {moved}, coalesce((%(errors)s::text[])[width_bucket(id, %(ids)s::uuid[])], last_error), 'cancelled',
    coalesce(%(now)s, {clock})
FROM ended
RETURNING id

-- name: drop
-- Jobs that ended and are not kept.
DELETE FROM backburner_jobs
WHERE id = ANY(%(ids)s::uuid[]) AND lease = (%(leases)s::bigint[])[width_bucket(id, %(ids)s::uuid[])]
RETURNING id

-- name: put_back
-- Retry, snooze, release; not jobs that were asked to stop.
UPDATE backburner_jobs
SET
    state = 'queued', lease = NULL, locked_by = NULL, locked_at = NULL,
    run_at = coalesce((%(times)s::bigint[])[width_bucket(id, %(ids)s::uuid[])], run_at),
    attempts = attempts + (%(spent)s::integer[])[width_bucket(id, %(ids)s::uuid[])],
    last_error = coalesce((%(errors)s::text[])[width_bucket(id, %(ids)s::uuid[])], last_error)
WHERE
    id = ANY(%(ids)s::uuid[]) AND lease = (%(leases)s::bigint[])[width_bucket(id, %(ids)s::uuid[])]
    AND NOT cancel_requested
RETURNING id, queue, priority, run_at

-- name: fail
UPDATE backburner_jobs
SET
    state = 'failed', lease = NULL, locked_by = NULL, locked_at = NULL, failed_at = coalesce(%(now)s, {clock}),
    attempts = attempts + (%(spent)s::integer[])[width_bucket(id, %(ids)s::uuid[])],
    last_error = coalesce((%(errors)s::text[])[width_bucket(id, %(ids)s::uuid[])], last_error)
WHERE id = ANY(%(ids)s::uuid[]) AND lease = (%(leases)s::bigint[])[width_bucket(id, %(ids)s::uuid[])]
RETURNING id

-- name: keep_held
-- One kind of end for jobs under one lease, or under none: into history, before `drop_held` takes them from the table.
INSERT INTO backburner_finished ({moved}, state, finished_at, last_error, result)
SELECT {moved}, %s, {now}, coalesce(%s, last_error), %s
FROM backburner_jobs
WHERE id = ANY(%s::uuid[]) AND lease IS NOT DISTINCT FROM %s::bigint

-- name: drop_held
DELETE FROM backburner_jobs
WHERE id = ANY(%s::uuid[]) AND lease IS NOT DISTINCT FROM %s::bigint
RETURNING id

-- name: report_progress
UPDATE backburner_jobs SET progress = %s WHERE id = %s AND lease = %s

-- name: count_crashes
-- Of jobs that crashed processes of their own.
UPDATE backburner_jobs
SET crashes = crashes + 1
WHERE id = ANY(%(ids)s::uuid[]) AND lease = (%(leases)s::bigint[])[width_bucket(id, %(ids)s::uuid[])]

-- name: standing
SELECT id, lease, cancel_requested FROM backburner_jobs WHERE id = ANY(%s::uuid[])

-- name: is_cancel_requested
SELECT cancel_requested FROM backburner_jobs WHERE id = %s AND lease = %s
