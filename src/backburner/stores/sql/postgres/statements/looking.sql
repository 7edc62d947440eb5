-- Looking. {conditions} is made of a filter; see filters.py.

-- name: get
SELECT {live} FROM backburner_jobs WHERE id = %s
UNION ALL
SELECT {history} FROM backburner_finished WHERE id = %s

-- name: get_many
SELECT {live} FROM backburner_jobs WHERE id = ANY(%s::uuid[])
UNION ALL
SELECT {history} FROM backburner_finished WHERE id = ANY(%s::uuid[])

-- name: find_jobs
SELECT {live} FROM backburner_jobs WHERE {conditions}

-- name: find_finished
SELECT {history} FROM backburner_finished WHERE {conditions}

-- name: count_jobs
SELECT count(*) FROM backburner_jobs WHERE {conditions}

-- name: count_finished
SELECT count(*) FROM backburner_finished WHERE {conditions}

-- name: oldest
-- The inner SELECT sorts ids, not handlers.
SELECT {live}
FROM backburner_jobs
WHERE id = (SELECT id FROM backburner_jobs WHERE {conditions} ORDER BY run_at, id LIMIT 1)

-- name: paused_queues
SELECT name FROM backburner_queues WHERE paused

-- name: queue_counts
-- One state at a time, because each has an index of its own and the table itself is wide.
SELECT queue, 'queued', count(*), min(run_at) FROM backburner_jobs WHERE state = 'queued' GROUP BY queue
UNION ALL
SELECT queue, 'running', count(*), NULL FROM backburner_jobs WHERE state = 'running' GROUP BY queue
UNION ALL
SELECT queue, 'failed', count(*), NULL FROM backburner_jobs WHERE state = 'failed' GROUP BY queue
UNION ALL
SELECT queue, 'blocked', count(*), NULL FROM backburner_jobs WHERE state = 'blocked' GROUP BY queue

-- name: workers
SELECT
    number, name, host, pid, queues, concurrency, started_at, beat_at,
    (
        SELECT count(*)
        FROM backburner_jobs
        WHERE state = 'running' AND lease BETWEEN number << 32 AND (number << 32) + 4294967295
    )
FROM backburner_workers
ORDER BY number
