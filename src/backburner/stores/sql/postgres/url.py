"""What a URL says about a PostgreSQL database and about our use of it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from backburner.core.errors import ConfigurationError
from backburner.stores.sql.names import DEFAULT_PREFIX, Names, checked_name
from backburner.stores.sql.url_options import checked_pool_size, checked_timeout, secrets_of

OURS = frozenset({"schema", "table_prefix", "pool_size", "pooler", "timeout"})
"""The options that are not libpq's."""

POOLERS: dict[str, bool | None] = {"auto": None, "yes": True, "no": False}

PARAMETERS = {
    "fallback_application_name": "backburner",
    "client_encoding": "UTF8",
    # A server or a network that has gone silently is noticed after some twenty seconds, and after eight when we send.
    "keepalives_idle": "10",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "8000",
}
"""libpq's parameters that we set, unless the URL does."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the database is, and how to use it."""

    url: str
    """As it may be shown: without a password."""
    parameters: Mapping[str, str] = field(repr=False)
    """libpq's, the password among them."""
    names: Names
    pool_size: int
    timeout: float
    """Seconds that the server may say nothing."""
    is_pooled: bool | None
    """Whether a pooler that gives every transaction another connection stands in between; None: find out."""
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def shown(self) -> str:
        """The URL without its options, for messages."""
        return self.url.partition("?")[0]

    def masked(self, text: str) -> str:
        """Return a text of libpq's without our passwords."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def parse(url: str, shown: str) -> Place:
    """Take a URL to pieces; `shown` is the same without passwords. Raises ConfigurationError."""
    rest, _, query = url.partition("://")[2].partition("?")
    pieces = [piece.partition("=") for piece in query.split("&") if piece]
    ours = {name: unquote(value) for name, _, value in pieces if name in OURS}
    theirs = "&".join("".join(piece) for piece in pieces if piece[0] not in OURS)
    given = _given(f"postgresql://{rest}" + (f"?{theirs}" if theirs else ""), shown)
    timeout = checked_timeout(ours.get("timeout", "10"))
    schema = ours.get("schema")
    return Place(
        url=f"postgresql://{shown.partition('://')[2]}",
        parameters={**PARAMETERS, **_depending(given, timeout), **given},
        names=Names(
            checked_name("table_prefix", ours.get("table_prefix", DEFAULT_PREFIX)),
            None if schema is None else checked_name("schema", schema),
        ),
        pool_size=checked_pool_size(ours.get("pool_size", "10")),
        timeout=timeout,
        is_pooled=_pooler(ours.get("pooler", "auto")),
        secrets=secrets_of(url, [given.get("password"), given.get("sslpassword"), os.environ.get("PGPASSWORD")]),
    )


def _given(url: str, shown: str) -> dict[str, str]:
    """Let libpq read its part of the URL."""
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except psycopg.Error as error:
        # What libpq quotes may be a piece of a password. Neither is the error shown as the cause.
        why = re.sub(r"\"[^\"]*\"", '"…"', str(error)) if "***" in shown else str(error)
        why = " ".join(why.split())
        raise ConfigurationError(f"expected the URL of a PostgreSQL database, got {shown!r}: {why}") from None
    if not re.fullmatch(r"[0-9,]*", given.get("port", "")) or "@" in given.get("dbname", ""):
        # Probably a piece of a password stands where a port is expected, so nothing of the URL is shown.
        raise ConfigurationError(
            "expected a URL of the form postgresql://user:password@host:port/database, where in user and password "
            "@ is written %40, / is %2F, : is %3A, ? is %3F, # is %23 and % is %25"
        )
    return given


def _depending(given: Mapping[str, str], timeout: float) -> dict[str, str]:
    parameters = {"connect_timeout": str(max(2, round(min(timeout, 10))))}
    if "," in given.get("host", "") + given.get("hostaddr", ""):
        parameters["target_session_attrs"] = "read-write"  # of several servers, the one that takes jobs
    return parameters


def _pooler(value: str) -> bool | None:
    if value not in POOLERS:
        raise ConfigurationError(f"expected pooler to be {', '.join(POOLERS)}, got {value!r}")
    return POOLERS[value]
