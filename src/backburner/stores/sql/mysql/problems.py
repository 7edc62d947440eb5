"""What is wrong or risky about a MySQL or MariaDB database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backburner.core.ops import Op, Reply, Statement
from backburner.core.times import MICROSECOND, from_micros, system_now
from backburner.stores.sql.mysql.server import TIME

CLOCKS_APART = 1.0
"""Seconds."""

LONG = 300
"""Seconds after which a transaction is worth a word: deleted rows cannot be cleared away while it sees them."""

SETTINGS = (
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN "
    "('innodb_flush_log_at_trx_commit', 'innodb_doublewrite', 'log_bin', 'sync_binlog', 'read_only', 'wsrep_on')"
)

STARTED = "convert_tz(trx_started, 'SYSTEM', '+00:00')"
"""It is noted in the time of the machine, whatever time zone the server or the session is in."""

HOLDERS = f"""
SELECT trx_mysql_thread_id, timestampdiff(SECOND, {STARTED}, utc_timestamp())
FROM information_schema.innodb_trx
WHERE trx_mysql_thread_id <> connection_id() AND {STARTED} < utc_timestamp() - INTERVAL {LONG} SECOND
ORDER BY trx_started
LIMIT 5
"""

MAY_SEE_ALL = "SELECT count(*) FROM information_schema.user_privileges WHERE privilege_type = 'PROCESS'"
"""Without this right a user is shown no transactions."""


def looking_for_problems() -> Op[list[str]]:
    """Return a sentence for each problem."""
    settings: Reply = yield Statement(SETTINGS)
    right: Reply = yield Statement(MAY_SEE_ALL)
    holders: list[Any] = []
    if right.rows[0][0]:
        found: Reply = yield Statement(HOLDERS)
        holders = list(found.rows)
    ahead = yield from _ahead()
    return [*_of_the_settings(dict(settings.rows)), *(_held_back(*row) for row in holders), *_of_the_clock(ahead)]


def _of_the_settings(settings: Mapping[str, str]) -> Iterator[str]:
    flush = settings.get("innodb_flush_log_at_trx_commit", "1")
    if flush != "1":
        yield (
            f"innodb_flush_log_at_trx_commit is {flush}: a crash may lose jobs that were committed just before. "
            "Set it to 1."
        )
    if settings.get("log_bin") == "ON" and settings.get("sync_binlog", "1") == "0":
        yield "sync_binlog is 0: after a crash a replica may lack jobs, or have others. Set it to 1."
    if settings.get("innodb_doublewrite", "ON").upper() in {"OFF", "0", "DETECT_ONLY"}:
        yield "innodb_doublewrite is off: a crash of the machine may destroy the database."
    if settings.get("read_only", "OFF").upper() not in {"OFF", "0", ""}:
        yield "The server is read-only: let the URL lead to the primary server."
    if settings.get("wsrep_on", "OFF").upper() in {"ON", "1"}:
        yield "This is a node of a Galera cluster: let all workers use the same one, as nodes do not see others' locks."


def _held_back(thread: int, seconds: int) -> str:
    since = f"{seconds // 3600} h" if seconds >= 7200 else f"{seconds // 60} min"
    return (
        f"The transaction of connection {thread} has been open for {since} and keeps deleted rows from being cleared "
        f"away; claims become slow: end it (KILL {thread})."
    )


def _ahead() -> Op[float]:
    """Return by how many seconds the database's clock is ahead of this machine's."""
    before = system_now()
    reply: Reply = yield Statement(TIME)
    after = system_now()
    answered = from_micros(reply.rows[0][0])
    if before <= answered <= after:
        return 0.0
    return ((answered - before if answered < before else answered - after) // MICROSECOND) / 1_000_000


def _of_the_clock(ahead: float) -> Iterator[str]:
    if abs(ahead) > CLOCKS_APART:
        direction = "ahead of" if ahead > 0 else "behind"
        yield (
            f"The database's clock is {abs(ahead):.0f} s {direction} this machine's, and decides when a job is due: "
            "use NTP on both."
        )
