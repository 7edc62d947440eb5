-- Which migrations the tables have had.

-- name: take_turn
-- One after the other; the connection that asks for it keeps the lock until it is given back or ended. A table that
-- somebody uses is waited for, but not for so long that everybody else queues up behind. A name has at most 64 characters.
SELECT GET_LOCK(CONCAT(LEFT(DATABASE(), 20), '.backburner_schema'), 60)

-- name: end_turn
DO RELEASE_LOCK(CONCAT(LEFT(DATABASE(), 20), '.backburner_schema'))

-- name: make_schema
CREATE TABLE IF NOT EXISTS backburner_schema (
    version INT NOT NULL,
    name VARCHAR(200) NOT NULL,
    works_with INT NOT NULL,                        -- the oldest version whose code may work on these tables
    applied_at BIGINT NOT NULL,
    PRIMARY KEY (version)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin

-- name: schema_version
SELECT coalesce(max(version), 0), coalesce(max(works_with), 0) FROM backburner_schema

-- name: note_migration
INSERT INTO backburner_schema (version, name, works_with, applied_at)
VALUES ({version}, '{name}', {works_with}, {clock})
