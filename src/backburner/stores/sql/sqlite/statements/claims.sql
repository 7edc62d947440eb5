-- Claiming. Nothing here may read more of backburner_jobs than it gives: tests/stores/test_plans.py holds every plan.
-- State names are written out, never bound: else SQLite cannot see that a partial index may be used.

-- name: fronts
-- Which queues and priorities have queued jobs, and when the first of each is due. Jumps from one pair to the next
-- along the index, so that it costs a few steps for each pair, however many jobs there are.
WITH RECURSIVE queue_names (queue) AS (
    SELECT min(queue) FROM backburner_jobs WHERE state = 'queued' AND queue >= ''
    UNION ALL
    SELECT (SELECT min(j.queue) FROM backburner_jobs AS j WHERE j.state = 'queued' AND j.queue > q.queue)
    FROM queue_names AS q
    WHERE q.queue IS NOT NULL
),

pairs (queue, priority) AS (
    SELECT
        q.queue,
        (SELECT min(j.priority) FROM backburner_jobs AS j WHERE j.state = 'queued' AND j.queue = q.queue)
    FROM queue_names AS q
    WHERE q.queue IS NOT NULL AND q.queue NOT IN (SELECT name FROM backburner_queues WHERE paused)
    UNION ALL
    SELECT
        p.queue,
        (
            SELECT min(j.priority)
            FROM backburner_jobs AS j
            WHERE j.state = 'queued' AND j.queue = p.queue AND j.priority > p.priority
        )
    FROM pairs AS p
    WHERE p.priority IS NOT NULL
)

SELECT
    p.queue,
    p.priority,
    (
        SELECT min(j.run_at)
        FROM backburner_jobs AS j
        WHERE j.state = 'queued' AND j.queue = p.queue AND j.priority = p.priority
    ),
    {now}
FROM pairs AS p
WHERE p.priority IS NOT NULL

-- name: fronts_of
-- The same for the queues named in a JSON array.
WITH RECURSIVE pairs (queue, priority) AS (
    SELECT
        q.value,
        (SELECT min(j.priority) FROM backburner_jobs AS j WHERE j.state = 'queued' AND j.queue = q.value)
    FROM json_each(?) AS q
    WHERE q.value NOT IN (SELECT name FROM backburner_queues WHERE paused)
    UNION ALL
    SELECT
        p.queue,
        (
            SELECT min(j.priority)
            FROM backburner_jobs AS j
            WHERE j.state = 'queued' AND j.queue = p.queue AND j.priority > p.priority
        )
    FROM pairs AS p
    WHERE p.priority IS NOT NULL
)

SELECT
    p.queue,
    p.priority,
    (
        SELECT min(j.run_at)
        FROM backburner_jobs AS j
        WHERE j.state = 'queued' AND j.queue = p.queue AND j.priority = p.priority
    ),
    {now}
FROM pairs AS p
WHERE p.priority IS NOT NULL

-- name: due_keys
-- From the index alone.
SELECT run_at, id, crashes
FROM backburner_jobs
WHERE state = 'queued' AND queue = ? AND priority = ? AND run_at <= ?
ORDER BY run_at, id
LIMIT ?

-- name: claim_jobs
-- RETURNING has no order.
UPDATE backburner_jobs
SET state = 'running', lease = ?, locked_by = ?, locked_at = {now}
WHERE id IN (SELECT value FROM json_each(?))
RETURNING {live}

-- name: claim_one
UPDATE backburner_jobs
SET state = 'running', lease = ?, locked_by = ?, locked_at = {now}
WHERE id = ? AND state = 'queued'
RETURNING {live}

-- name: held_under
-- What a claim took whose answer was lost.
SELECT {live}
FROM backburner_jobs
WHERE state = 'running' AND lease = ?
ORDER BY priority, run_at, id
