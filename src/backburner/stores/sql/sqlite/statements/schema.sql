-- Which migrations the tables have had. Not `PRAGMA user_version`: the file is the application's own.

-- name: has_schema
SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'backburner_schema'

-- name: make_schema
CREATE TABLE IF NOT EXISTS backburner_schema (
    version INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    works_with INTEGER NOT NULL,                    -- the oldest version whose code may work on these tables
    applied_at INTEGER NOT NULL
)

-- name: schema_version
SELECT coalesce(max(version), 0), coalesce(max(works_with), 0) FROM backburner_schema

-- name: note_migration
INSERT INTO backburner_schema (version, name, works_with, applied_at)
VALUES ({version}, '{name}', {works_with}, CAST(strftime('%s', 'now') AS INTEGER) * 1000000)
