-- Which migrations the tables have had.

-- name: has_schema
SELECT to_regclass('backburner_schema') IS NOT NULL

-- name: begin_migrating
-- One after the other; and who cannot have a table soon gives up, rather than make everybody queue behind.
SELECT pg_advisory_xact_lock(hashtext('backburner_schema')), set_config('lock_timeout', '5s', true)

-- name: make_namespace
-- Not CREATE SCHEMA IF NOT EXISTS: that asks for the right to make one even when it is there.
DO $$
BEGIN
    IF to_regnamespace('"{namespace}"') IS NULL THEN
        CREATE SCHEMA "{namespace}";
    END IF;
END
$$

-- name: make_schema
CREATE TABLE IF NOT EXISTS backburner_schema (
    version integer NOT NULL PRIMARY KEY,
    name text NOT NULL,
    works_with integer NOT NULL,                    -- the oldest version whose code may work on these tables
    applied_at bigint NOT NULL
)

-- name: schema_version
SELECT coalesce(max(version), 0), coalesce(max(works_with), 0) FROM backburner_schema

-- name: note_migration
INSERT INTO backburner_schema (version, name, works_with, applied_at)
VALUES ({version}, '{name}', {works_with}, (date_part('epoch', statement_timestamp()) * 1000000)::bigint)
