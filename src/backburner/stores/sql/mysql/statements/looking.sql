-- Looking. {conditions} is made of a filter; see filters.py. Only a condition on who holds a job needs
-- backburner_running.

-- name: get
SELECT {live} FROM backburner_jobs LEFT JOIN backburner_running ON job_id = id WHERE id = %s
UNION ALL
SELECT {history} FROM backburner_finished WHERE id = %s

-- name: find_jobs
SELECT {live} FROM backburner_jobs LEFT JOIN backburner_running ON job_id = id WHERE {conditions}

-- name: find_in_state
-- A page of jobs that all have failed or are all blocked: MySQL would go through all other jobs to have them in order.
SELECT {live}
FROM backburner_jobs FORCE INDEX (backburner_jobs_state)
LEFT JOIN backburner_running ON job_id = id
WHERE {conditions}

-- name: find_finished
SELECT {history} FROM backburner_finished WHERE {conditions}

-- name: count_jobs
SELECT count(*) FROM backburner_jobs LEFT JOIN backburner_running ON job_id = id WHERE {conditions}

-- name: count_finished
SELECT count(*) FROM backburner_finished WHERE {conditions}

-- name: oldest
-- The inner SELECT sorts ids, not handlers. Queued jobs alone are in the line.
SELECT {live}
FROM backburner_jobs
LEFT JOIN backburner_running ON job_id = id
WHERE id = (
    SELECT ready.id
    FROM backburner_ready AS ready
    STRAIGHT_JOIN backburner_jobs AS jobs FORCE INDEX (PRIMARY) ON jobs.id = ready.id
    WHERE {conditions}
    ORDER BY ready.run_at, ready.id
    LIMIT 1
)

-- name: paused_queues
SELECT CONVERT(name USING utf8mb4) FROM backburner_queues WHERE paused

-- name: queue_counts
-- One state at a time, because each has a narrow table or an index of its own, and the wide table takes long.
SELECT CONVERT(queue USING utf8mb4), 'queued', count(*), min(run_at) FROM backburner_ready GROUP BY queue
UNION ALL
SELECT min(queue), 'running', count(*), NULL
FROM backburner_running
STRAIGHT_JOIN backburner_jobs FORCE INDEX (PRIMARY) ON id = job_id
GROUP BY CAST(queue AS BINARY)
UNION ALL
SELECT min(queue), 'failed', count(*), NULL
FROM backburner_jobs
WHERE state = 'failed'
GROUP BY CAST(queue AS BINARY)
UNION ALL
SELECT min(queue), 'blocked', count(*), NULL
FROM backburner_jobs
WHERE state = 'blocked'
GROUP BY CAST(queue AS BINARY)

-- name: workers
SELECT number, name, host, pid, queues, concurrency, started_at, beat_at, coalesce(held, 0)
FROM backburner_workers
LEFT JOIN (
    SELECT lease >> 32 AS owner, count(*) AS held FROM backburner_running GROUP BY lease >> 32
) AS holding ON owner = number
ORDER BY number
