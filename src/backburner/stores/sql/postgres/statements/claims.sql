-- Claiming. Nothing here may read more of backburner_jobs than it gives: tests/stores/test_postgres_plans.py holds every
-- plan. State names are written out, never bound: else no partial index is used. A LIMIT of 1000 inside of the one that
-- is asked for tells the planner, who does not know what is asked for, that it is little.

-- name: fronts
-- Which queues and priorities have queued jobs, and the first of each, which may be due or not. Jumps from one pair to
-- the next along the index, so that it costs a step for each pair, however many jobs there are.
WITH RECURSIVE fronts (queue, priority, run_at, id) AS (
    (
        SELECT j.queue, j.priority, j.run_at, j.id
        FROM backburner_jobs AS j
        WHERE j.state = 'queued'
        ORDER BY j.queue, j.priority, j.run_at, j.id
        LIMIT 1
    )
    UNION ALL
    SELECT after.queue, after.priority, after.run_at, after.id
    FROM fronts AS f
    CROSS JOIN LATERAL (
        SELECT j.queue, j.priority, j.run_at, j.id
        FROM backburner_jobs AS j
        WHERE j.state = 'queued' AND (j.queue, j.priority) > (f.queue, f.priority)
        ORDER BY j.queue, j.priority, j.run_at, j.id
        LIMIT 1
    ) AS after
)

SELECT queue, priority, run_at, id, coalesce(%(now)s, {clock}) AS now
FROM fronts
WHERE queue <> ALL (ARRAY(SELECT name FROM backburner_queues WHERE paused))

-- name: fronts_of
-- The same for the queues of an array.
WITH RECURSIVE fronts (queue, priority, run_at, id) AS (
    SELECT first.queue, first.priority, first.run_at, first.id
    FROM unnest(%(queues)s::text[]) AS wanted (queue)
    CROSS JOIN LATERAL (
        SELECT j.queue, j.priority, j.run_at, j.id
        FROM backburner_jobs AS j
        WHERE j.state = 'queued' AND j.queue = wanted.queue
        ORDER BY j.queue, j.priority, j.run_at, j.id
        LIMIT 1
    ) AS first
    UNION ALL
    SELECT after.queue, after.priority, after.run_at, after.id
    FROM fronts AS f
    CROSS JOIN LATERAL (
        SELECT j.queue, j.priority, j.run_at, j.id
        FROM backburner_jobs AS j
        WHERE j.state = 'queued' AND j.queue = f.queue AND j.priority > f.priority
        ORDER BY j.queue, j.priority, j.run_at, j.id
        LIMIT 1
    ) AS after
)

SELECT queue, priority, run_at, id, coalesce(%(now)s, {clock}) AS now
FROM fronts
WHERE queue <> ALL (ARRAY(SELECT name FROM backburner_queues WHERE paused))

-- name: claim
-- Settle what succeeded and claim what is due, in one statement: one round trip and one commit for a batch. {succeeded}
-- and {line} are parts from below. Nothing is claimed when a job in the line crashed a worker before; then
-- `claim_carefully` follows. There is a row for each claimed job, or one of NULLs when there is none. Behind it come the
-- ids of what was settled, or NULL when that is all that was asked for.
WITH {succeeded},

line AS MATERIALIZED (
    {line}
),

claimed AS (
    UPDATE backburner_jobs
    SET state = 'running', lease = %(lease)s, locked_by = %(worker)s, locked_at = coalesce(%(now)s, {clock})
    WHERE id = ANY(ARRAY(SELECT id FROM line)) AND (SELECT max(crashes) FROM line) = 0
    RETURNING {live}
)

SELECT
    claimed.*,
    CASE WHEN (SELECT count(*) FROM ended) < %(number)s::bigint THEN ARRAY(SELECT id FROM ended) END
FROM (SELECT) AS always
LEFT JOIN claimed ON true

-- name: claim_carefully
-- The same when some of the next jobs may have crashed a worker. Such a job comes alone, if it is the first at all, and
-- nobody overtakes it. The last column says why there are not more jobs: see `Stop`.
WITH {succeeded},

line AS MATERIALIZED (
    {line}
),

chosen AS MATERIALIZED (
    SELECT id
    FROM (
        SELECT id, max(crashes) OVER (ROWS UNBOUNDED PRECEDING) AS worst, row_number() OVER () AS place FROM line
    ) AS standing
    WHERE worst = 0 OR (place = 1 AND %(is_first)s::boolean)
),

claimed AS (
    UPDATE backburner_jobs
    SET state = 'running', lease = %(lease)s, locked_by = %(worker)s, locked_at = coalesce(%(now)s, {clock})
    WHERE id = ANY(ARRAY(SELECT id FROM chosen))
    RETURNING {live}
)

SELECT
    claimed.*,
    CASE WHEN (SELECT count(*) FROM ended) < %(number)s::bigint THEN ARRAY(SELECT id FROM ended) END,
    (SELECT CASE WHEN max(crashes) > 0 THEN 2 ELSE coalesce(max(is_part), 0) END FROM line)
FROM (SELECT) AS always
LEFT JOIN claimed ON true

-- name: succeeded
-- A part of a claim: what `finish` does.
ended AS (
    DELETE FROM backburner_jobs
    WHERE id = ANY(%(ids)s::uuid[]) AND lease = (%(leases)s::bigint[])[width_bucket(id, %(ids)s::uuid[])]
    RETURNING {moved}, last_error
),

kept AS (
    INSERT INTO backburner_finished ({moved}, last_error, state, finished_at, result)
    SELECT
        {moved}, last_error, 'succeeded', coalesce(%(now)s, {clock}),
        (%(results)s::text[])[width_bucket(id, %(ids)s::uuid[])]
    FROM ended
)

-- name: due
-- A part of some that follow: the jobs of a front that are due, locked, in order.
SELECT j.id, j.crashes
FROM backburner_jobs AS j
WHERE
    j.state = 'queued' AND j.queue = front.queue AND j.priority = front.priority
    AND (j.run_at, j.id) >= (front.run_at, front.id) AND j.run_at <= coalesce(%(now)s, {clock})
ORDER BY j.run_at, j.id
LIMIT 1000
FOR UPDATE SKIP LOCKED

-- name: line_of_unknown_front
-- A part of a claim: the jobs that are next, in order, where nobody knows which fronts there are. {fronts} is one of the
-- statements above, {due} the part above. Gives nothing when several have jobs that are due.
WITH front AS MATERIALIZED (
    SELECT queue, priority, run_at, id
    FROM ({fronts}) AS front
    WHERE
        run_at <= now AND queue <> ALL (%(exclude)s::text[])
        AND priority >= coalesce(%(min_priority)s::integer, priority)
        AND priority <= coalesce(%(max_priority)s::integer, priority)
    LIMIT 2
)

SELECT due.id, due.crashes, 0 AS is_part
FROM front
CROSS JOIN LATERAL (
    {due}
) AS due
WHERE (SELECT count(*) FROM front) = 1
LIMIT %(wanted)s::bigint

-- name: line_of_one_queue
-- A part of a claim: the jobs that are next, in order, where there is but one front. A front begins where the last claim
-- from it ended, so that the dead entries of jobs that are done are not passed over again.
SELECT j.id, j.crashes, 0 AS is_part
FROM backburner_jobs AS j
WHERE
    j.state = 'queued' AND j.queue = %(queue)s AND j.priority = %(priority)s::integer
    AND (j.run_at, j.id) >= (%(time)s::bigint, %(begin)s::uuid) AND j.run_at <= coalesce(%(now)s, {clock})
ORDER BY j.run_at, j.id
LIMIT %(wanted)s::bigint
FOR UPDATE SKIP LOCKED

-- name: line_of_single_queues
-- The same where there are several priorities, but one queue for each. The fronts come by priority.
SELECT due.id, due.crashes, 0 AS is_part
FROM unnest(%(queues)s::text[], %(priorities)s::integer[], %(times)s::bigint[], %(begins)s::uuid[])
    AS front (queue, priority, run_at, id)
CROSS JOIN LATERAL (
    {due}
) AS due
LIMIT %(wanted)s::bigint

-- name: line_of_many_queues
-- The same where queues share a priority. First, without locks, how many of the next jobs come from each; then so many are locked
-- there, or others behind them when somebody else has them. The front whose first job comes first is read for all that
-- is wanted, the second for half of it, the third for a third. Behind the end of a piece that was cut off nobody knows
-- the order, so the line ends where the first of them ends, and is but a part.
WITH front AS MATERIALIZED (
    SELECT
        given.queue, given.priority, head.run_at, head.id,
        ceil(%(wanted)s::real / row_number() OVER (ORDER BY given.priority, head.run_at, head.id))::bigint AS piece
    FROM unnest(%(queues)s::text[], %(priorities)s::integer[], %(times)s::bigint[], %(begins)s::uuid[])
        AS given (queue, priority, run_at, id)
    CROSS JOIN LATERAL (
        SELECT j.run_at, j.id
        FROM backburner_jobs AS j
        WHERE
            j.state = 'queued' AND j.queue = given.queue AND j.priority = given.priority
            AND (j.run_at, j.id) >= (given.run_at, given.id) AND j.run_at <= coalesce(%(now)s, {clock})
        ORDER BY j.run_at, j.id
        LIMIT 1
    ) AS head
),

seen AS MATERIALIZED (
    SELECT
        front.queue, front.priority, front.run_at AS from_run_at, front.id AS from_id,
        key.run_at, key.id, key.place = front.piece AS is_cut
    FROM front
    CROSS JOIN LATERAL (
        SELECT next.run_at, next.id, row_number() OVER () AS place
        FROM (
            SELECT j.run_at, j.id
            FROM backburner_jobs AS j
            WHERE
                j.state = 'queued' AND j.queue = front.queue AND j.priority = front.priority
                AND (j.run_at, j.id) >= (front.run_at, front.id) AND j.run_at <= coalesce(%(now)s, {clock})
            ORDER BY j.run_at, j.id
            LIMIT 1000
        ) AS next
        LIMIT front.piece
    ) AS key
),

horizon AS MATERIALIZED (
    SELECT priority, run_at, id FROM seen WHERE is_cut ORDER BY priority, run_at, id LIMIT 1
),

best AS (
    SELECT seen.*
    FROM seen
    LEFT JOIN horizon ON true
    WHERE
        horizon.id IS NULL
        OR (seen.priority, seen.run_at, seen.id) <= (horizon.priority, horizon.run_at, horizon.id)
    ORDER BY seen.priority, seen.run_at, seen.id
    LIMIT %(wanted)s::bigint
),

quota AS (
    SELECT queue, priority, from_run_at, from_id, count(*) AS jobs
    FROM best
    GROUP BY queue, priority, from_run_at, from_id
)

SELECT due.id, due.crashes, (SELECT count(*)::integer FROM horizon) AS is_part
FROM quota
CROSS JOIN LATERAL (
    SELECT next.run_at, next.id, next.crashes
    FROM (
        SELECT j.run_at, j.id, j.crashes
        FROM backburner_jobs AS j
        WHERE
            j.state = 'queued' AND j.queue = quota.queue AND j.priority = quota.priority
            AND (j.run_at, j.id) >= (quota.from_run_at, quota.from_id) AND j.run_at <= coalesce(%(now)s, {clock})
        ORDER BY j.run_at, j.id
        LIMIT 1000
        FOR UPDATE SKIP LOCKED
    ) AS next
    LIMIT quota.jobs
) AS due
ORDER BY quota.priority, due.run_at, due.id

-- name: claim_one
UPDATE backburner_jobs
SET state = 'running', lease = %s, locked_by = %s, locked_at = {now}
WHERE id = %s AND state = 'queued'
RETURNING {live}

-- name: held_under
-- What a claim took whose answer was lost.
SELECT {live}
FROM backburner_jobs
WHERE state = 'running' AND lease = %s
ORDER BY priority, run_at, id
