-- The partitions of history, one for each day. A claim waits while one is made or dropped, so whoever cannot have the
-- locks in a tenth of a second leaves it to the next round. Who may not do it at all leaves it to somebody else: what
-- has no day of its own goes to backburner_finished_rest.

-- name: days
-- Which there are and about how many rows they hold, and the time.
SELECT day.relname, day.reltuples::bigint, {clock}
FROM pg_inherits AS part
INNER JOIN pg_class AS day ON day.oid = part.inhrelid
WHERE part.inhparent = 'backburner_finished'::regclass

-- name: make_day
-- Made apart and attached: to make it as a partition would take the lock that everybody waits for.
DO $$
BEGIN
    SET LOCAL lock_timeout = '100ms';
    CREATE TABLE {day} (LIKE backburner_finished INCLUDING ALL) WITH (autovacuum_vacuum_insert_threshold = -1);
    ALTER TABLE backburner_finished ATTACH PARTITION {day} FOR VALUES FROM ({start}) TO ({end});
EXCEPTION
    -- In this order: no lock, no right, made by somebody else at the same time, rows of that day in the rest.
    WHEN lock_not_available OR deadlock_detected THEN NULL;
    WHEN insufficient_privilege THEN NULL;
    WHEN duplicate_table OR unique_violation OR invalid_object_definition THEN NULL;
    WHEN check_violation THEN NULL;
END
$$

-- name: drop_day
DO $$
BEGIN
    SET LOCAL lock_timeout = '100ms';
    DROP TABLE {day};
EXCEPTION
    WHEN lock_not_available OR deadlock_detected OR insufficient_privilege OR undefined_table THEN NULL;
END
$$
