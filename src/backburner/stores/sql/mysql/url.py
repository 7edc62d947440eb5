"""What a URL says about a MySQL or MariaDB database and about our use of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, unquote_to_bytes, urlsplit

from backburner.core.errors import ConfigurationError
from backburner.stores.sql.names import DEFAULT_PREFIX, Names, checked_name
from backburner.stores.sql.url_options import checked_pool_size, checked_timeout, secrets_of

OURS = frozenset({"table_prefix", "pool_size", "timeout"})

TEXTS = frozenset({"unix_socket", "ssl_ca", "ssl_cert", "ssl_key", "ssl_key_password", "read_default_file"})
"""PyMySQL's options that are passed on as they are."""

SWITCHES = frozenset({"ssl_verify_cert", "ssl_verify_identity", "ssl_disabled"})

ENCRYPTING = ("ssl_ca", "ssl_cert", "ssl_key", "ssl_verify_cert", "ssl_verify_identity")
"""Those that ask for TLS."""

IGNORED = frozenset({"charset"})
"""What other libraries want to be told: our connections always use utf8mb4."""

MEANINGS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}

DEFAULT_PORT = 3306


@dataclass(frozen=True, slots=True)
class Place:
    """Where the database is, and how to use it."""

    url: str
    """As it may be shown: without a password."""
    parameters: Mapping[str, Any] = field(repr=False)
    """PyMySQL's, the password among them."""
    names: Names
    pool_size: int
    timeout: float
    """Seconds that the server may say nothing."""
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def shown(self) -> str:
        """The URL without its options, for messages."""
        return self.url.partition("?")[0]

    @property
    def end(self) -> tuple[str, str, str]:
        """The database, and the host and port or the socket, as connections to it tell them."""
        given = self.parameters
        way = given.get("unix_socket") or given.get("host") or "localhost"
        return given["database"], str(way), str(given.get("port", DEFAULT_PORT))

    @property
    def wants_encryption(self) -> bool:
        """Whether a connection that anybody can read is not to be used."""
        asked = any(self.parameters.get(name) for name in ENCRYPTING)
        return asked and not self.parameters.get("ssl_disabled")

    def masked(self, text: str) -> str:
        """Return a text of the server's without our passwords."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def parse(url: str, shown: str) -> Place:
    """Take a URL to pieces; `shown` is the same without passwords. Raises ConfigurationError."""
    parts = _split(url)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    parameters = {**_address(parts), **_theirs(given, shown)}
    scheme, _, rest = shown.partition("://")
    return Place(
        url=f"{scheme.partition('+')[0].lower()}://{rest}",
        parameters=parameters,
        names=Names(checked_name("table_prefix", given.get("table_prefix", DEFAULT_PREFIX))),
        pool_size=checked_pool_size(given.get("pool_size", "10")),
        timeout=checked_timeout(given.get("timeout", "10")),
        secrets=secrets_of(url, [unquote(parts.password or ""), given.get("ssl_key_password")]),
    )


def _split(url: str) -> SplitResult:
    parts = _split_if_possible(url)
    if parts is None or "@" in (parts.hostname or "") or {"@", "/"} & set(_database(parts)):
        # Probably a piece of a password stands where a port is expected, so nothing of the URL is shown.
        raise ConfigurationError(
            "expected a URL of the form mysql://user:password@host:port/database, where in user and password "
            "@ is written %40, / is %2F, : is %3A, ? is %3F, # is %23 and % is %25"
        )
    return parts


def _split_if_possible(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises what splitting has not
    except ValueError:
        return None
    return parts


def _address(parts: SplitResult) -> dict[str, Any]:
    """Return user, password, host, port and database."""
    database = _database(parts)
    if not database:
        raise ConfigurationError("expected the URL to name a database, as in mysql://user@host/database")
    address = {
        "user": unquote(parts.username or ""),
        "password": unquote_to_bytes(parts.password or ""),  # PyMySQL takes text for Latin-1, and servers for UTF-8
        "host": unquote(parts.hostname or ""),
        "port": parts.port,
        "database": database,
    }
    return {name: value for name, value in address.items() if value}


def _database(parts: SplitResult) -> str:
    return unquote(parts.path.removeprefix("/"))


def _theirs(given: Mapping[str, str], shown: str) -> dict[str, Any]:
    """Return the options that are PyMySQL's."""
    unknown = sorted(set(given) - OURS - TEXTS - SWITCHES - IGNORED)
    if unknown:
        known = ", ".join(sorted(OURS | TEXTS | SWITCHES))
        raise ConfigurationError(f"expected no options but {known}, got {', '.join(unknown)} in {shown!r}")
    options: dict[str, Any] = {name: value for name, value in given.items() if name in TEXTS}
    return options | {name: _switch(name, value) for name, value in given.items() if name in SWITCHES}


def _switch(name: str, value: str) -> bool:
    if value.lower() not in MEANINGS:
        raise ConfigurationError(f"expected {name} to be true or false, got {value!r}")
    return MEANINGS[value.lower()]
