"""What is wrong or risky about a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from backburner.core.ops import Op, Repeatable, Reply, Statement
from backburner.core.times import MICROSECOND, from_micros, system_now
from backburner.stores.sql.base import LOOK
from backburner.stores.sql.names import Names
from backburner.stores.sql.postgres.server import TIME, Server

T = TypeVar("T")

LONG = 300
"""Seconds after which a transaction is worth a word: dead rows cannot be cleared away while it sees them."""

CLOCKS_APART = 1.0
"""Seconds."""

MANY = 10_000
"""Rows of history in the partition that takes what no day takes."""

HOLDERS = f"""
SELECT 'the transaction of process ' || pid || ' (' || coalesce(nullif(application_name, ''), 'unnamed') || ', '
    || coalesce(usename, '?') || ', ' || state || ')', extract(epoch FROM clock_timestamp() - xact_start)::bigint
FROM pg_stat_activity
WHERE
    datname = current_database() AND pid <> pg_backend_pid()
    AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL) AND clock_timestamp() - xact_start > interval '{LONG} s'
UNION ALL
SELECT 'the prepared transaction ' || gid, extract(epoch FROM clock_timestamp() - prepared)::bigint
FROM pg_prepared_xacts
WHERE database = current_database() AND clock_timestamp() - prepared > interval '{LONG} s'
UNION ALL
SELECT 'the replication slot ' || slot_name || CASE WHEN active THEN '' ELSE ' (which nobody uses)' END, NULL
FROM pg_replication_slots
WHERE (xmin IS NOT NULL OR catalog_xmin IS NOT NULL) AND NOT active
ORDER BY 2 DESC NULLS LAST
LIMIT 5
"""
"""What keeps dead rows from being cleared away, and since how many seconds."""

SETTINGS = """
SELECT name, setting
FROM pg_settings
WHERE name IN ('autovacuum', 'track_counts', 'synchronous_commit', 'fsync', 'full_page_writes')
"""

INVALID = """
SELECT index.relname
FROM pg_index
INNER JOIN pg_class AS index ON index.oid = indexrelid
WHERE NOT indisvalid AND indrelid IN (to_regclass('backburner_jobs'), to_regclass('backburner_finished'))
"""

REST = "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass('backburner_finished_rest')"


def problems_of(server: Server, run: Callable[[Op[list[str]]], list[str]]) -> list[str]:
    """Return a sentence for each problem."""
    return run(Repeatable(lambda: _looking(server, server.place.names)))


def _looking(server: Server, names: Names) -> Op[list[str]]:
    yield LOOK
    holders = yield from _rows(HOLDERS)
    settings = yield from _rows(SETTINGS)
    invalid = yield from _rows(names.applied(INVALID))
    rest = yield from _rows(names.applied(REST))
    ahead = yield from _ahead()
    return [
        *_of_the_way(server),
        *(_held_back(*row) for row in holders),
        *_of_the_settings(dict(settings)),
        *(f"The index {name} is not valid: drop it, and make it again." for (name,) in invalid),
        *_of_the_rest(rest),
        *_of_the_clock(ahead),
    ]


def _rows(text: str) -> Op[list[Any]]:
    reply: Reply = yield Statement(text)
    return list(reply.rows)


def _ahead() -> Op[float]:
    """Return by how many seconds the database's clock is ahead of this machine's."""
    before = system_now()
    reply: Reply = yield Statement(f"SELECT {TIME}")
    after = system_now()
    answered = from_micros(reply.rows[0][0])
    if before <= answered <= after:
        return 0.0
    return ((answered - before if answered < before else answered - after) // MICROSECOND) / 1_000_000


def _of_the_way(server: Server) -> Iterator[str]:
    if server.is_pooled:
        yield (
            "A pooler stands before the database: workers cannot hear of new jobs, and look for them up to fifty times "
            "a second. Give workers a URL that leads to the database itself."
        )


def _held_back(what: str, seconds: int | None) -> str:
    since = "" if seconds is None else f" for {_duration(seconds)}"
    return f"{what[0].upper()}{what[1:]} keeps dead rows from being cleared away{since}; claims become slow: end it."


def _of_the_settings(settings: dict[str, str]) -> Iterator[str]:
    if "off" in (settings.get("autovacuum"), settings.get("track_counts")):
        yield "Autovacuum is off: dead rows pile up, and claims become slow. Turn autovacuum and track_counts on."
    if settings.get("synchronous_commit") == "off":
        yield "synchronous_commit is off: a crash of the server may lose jobs that were committed just before."
    unsafe = [name for name in ("fsync", "full_page_writes") if settings.get(name) == "off"]
    if unsafe:
        yield f"{' and '.join(unsafe)} off: a crash of the machine may destroy the database."


def _of_the_rest(rows: list[Any]) -> Iterator[str]:
    if rows and rows[0][0] > MANY:
        yield (
            f"About {rows[0][0]} finished jobs lie in the partition that takes what no day takes, and are pruned one "
            "by one: let the role of the workers make tables, or migrate as that role."
        )


def _of_the_clock(ahead: float) -> Iterator[str]:
    if abs(ahead) > CLOCKS_APART:
        direction = "ahead of" if ahead > 0 else "behind"
        yield (
            f"The database's clock is {abs(ahead):.0f} s {direction} this machine's, and decides when a job is due: "
            "use NTP on both."
        )


def _duration(seconds: int) -> str:
    return f"{seconds // 3600} h" if seconds >= 7200 else f"{seconds // 60} min"
