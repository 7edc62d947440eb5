-- Workers, rescue and history.

-- name: register
INSERT INTO backburner_workers (name, host, pid, queues, concurrency, started_at, beat_at)
VALUES (%s, %s, %s, %s, %s, {now}, {now})
RETURNING number

-- name: beat
UPDATE backburner_workers SET beat_at = {now} WHERE number = %s

-- name: strike_off
DELETE FROM backburner_workers WHERE number = %s

-- name: strike_off_silent
-- The second parameter is for how long.
DELETE FROM backburner_workers WHERE beat_at < {now} - %s::bigint

-- name: is_rescue_needed
-- Jumps from one worker that holds jobs to the next, so that it costs a step for each, however many jobs they hold.
-- While the database was away nobody could beat. So, by its own clock, it gives everybody time to be heard of again.
-- Who asks is heard of by that, if it is a worker.
WITH RECURSIVE holders (number) AS (
    SELECT (SELECT lease >> 32 FROM backburner_jobs WHERE state = 'running' ORDER BY lease LIMIT 1)
    UNION ALL
    SELECT (
        SELECT j.lease >> 32
        FROM backburner_jobs AS j
        WHERE j.state = 'running' AND j.lease >= (h.number + 1) << 32
        ORDER BY j.lease
        LIMIT 1
    )
    FROM holders AS h
    WHERE h.number IS NOT NULL
)

SELECT
    (
        %(now)s::bigint IS NOT NULL
        OR date_part('epoch', statement_timestamp() - pg_postmaster_start_time()) * 1000000 > %(silence)s::bigint
    )
    AND (
        EXISTS (
            SELECT 1
            FROM backburner_workers
            WHERE
                beat_at < coalesce(%(now)s, {clock}) - %(silence)s::bigint
                AND number IS DISTINCT FROM %(worker)s::bigint
        )
        OR EXISTS (
            SELECT 1
            FROM holders
            WHERE number IS NOT NULL AND number <> ALL (ARRAY(SELECT w.number FROM backburner_workers AS w))
        )
    )

-- name: check_in
-- All that an idle worker asks. {rescue} is the statement above, {fronts} one of those that claims begin with. There is a
-- row for each front, or one of NULLs behind the first two columns.
WITH beaten AS (
    UPDATE backburner_workers SET beat_at = coalesce(%(now)s, {clock}) WHERE number = %(worker)s::bigint RETURNING number
)

SELECT EXISTS (SELECT 1 FROM beaten), ({rescue}), front.*
FROM (SELECT) AS always
LEFT JOIN ({fronts}) AS front ON true

-- name: no_fronts
-- For those who do not want to know.
SELECT 1 WHERE false

-- name: held_by
SELECT id, lease
FROM backburner_jobs
WHERE state = 'running' AND lease BETWEEN %s AND %s

-- name: count_crash
-- Of running jobs whose worker is not there, a portion of them. Not only of those just struck off: a worker may have
-- claimed after it was taken for dead. Somebody else's hand on a job is another rescue, or the worker, at the last moment.
UPDATE backburner_jobs
SET crashes = crashes + 1
WHERE id = ANY(ARRAY(
    SELECT id
    FROM backburner_jobs
    WHERE
        state = 'running' AND lease >= 0
        AND lease >> 32 <> ALL (ARRAY(SELECT number FROM backburner_workers))
    ORDER BY lease
    LIMIT 1000
    FOR UPDATE SKIP LOCKED
))
RETURNING {live}

-- name: prune
-- Only what lies in no partition of a day; see days.sql.
DELETE FROM backburner_finished_rest
WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM backburner_finished_rest WHERE finished_at < %s ORDER BY finished_at LIMIT %s FOR UPDATE SKIP LOCKED
))
