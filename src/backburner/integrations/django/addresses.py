"""From an entry of DATABASES to the URL of the store in that database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from backburner.core.errors import ConfigurationError

POSTGRES_OPTIONS = frozenset(
    [
        "application_name",
        "channel_binding",
        "connect_timeout",
        "gssencmode",
        "hostaddr",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "krbsrvname",
        "load_balance_hosts",
        "options",
        "passfile",
        "require_auth",
        "service",
        "sslcert",
        "sslcertmode",
        "sslcrl",
        "sslcrldir",
        "sslkey",
        "sslmode",
        "sslpassword",
        "sslrootcert",
        "target_session_attrs",
        "tcp_user_timeout",
    ]
)
"""libpq's parameters among the OPTIONS; others (`pool`, `server_side_binding`, …) are about Django's connections."""

MYSQL_OPTIONS = frozenset({"read_default_file", "unix_socket"})

MYSQL_SSL = {"ca": "ssl_ca", "cert": "ssl_cert", "key": "ssl_key"}

MYSQL_SSL_MODES: Mapping[str, Mapping[str, str]] = {
    "DISABLED": {"ssl_disabled": "true"},
    "VERIFY_CA": {"ssl_verify_cert": "true"},
    "VERIFY_IDENTITY": {"ssl_verify_cert": "true", "ssl_verify_identity": "true"},
}


def url_of(connection: Any) -> str:
    """Return the URL of the store in the database of a connection, as that is configured now: tests have another.

    Raises ConfigurationError for a database in which jobs cannot be kept.
    """
    given = connection.settings_dict
    match connection.vendor:
        case "sqlite":
            return _sqlite(given)
        case "postgresql":
            return _postgres(given)
        case "mysql":
            return _mysql(given)
    raise ConfigurationError(
        f"expected the database {connection.alias!r} to be SQLite, PostgreSQL, MySQL or MariaDB, "
        f"got {connection.vendor}"
    )


def is_in_memory(connection: Any) -> bool:
    """Say whether only connections of Django's lead to this database."""
    return connection.vendor == "sqlite" and bool(connection.is_in_memory_db())


def _sqlite(given: Mapping[str, Any]) -> str:
    name = os.fspath(given["NAME"])
    if name == ":memory:" or "mode=memory" in name:
        return "sqlite://"
    path = unquote(urlsplit(name).path) if name.startswith("file:") else name
    return f"sqlite:///{quote(os.path.abspath(path))}"


def _postgres(given: Mapping[str, Any]) -> str:
    options = {name: str(value) for name, value in _options(given) if name in POSTGRES_OPTIONS}
    role = dict(_options(given)).get("assume_role")
    if role:
        options["options"] = f"{options.get('options', '')} -c role={role}".strip()
    return _url("postgresql", given, options, socket_option="host")


def _mysql(given: Mapping[str, Any]) -> str:
    options = {name: str(value) for name, value in _options(given) if name in MYSQL_OPTIONS}
    ssl = dict(_options(given)).get("ssl") or {}
    options |= {MYSQL_SSL[name]: str(value) for name, value in ssl.items() if name in MYSQL_SSL}
    options |= MYSQL_SSL_MODES.get(str(dict(_options(given)).get("ssl_mode", "")).upper(), {})
    return _url("mysql", given, options, socket_option="unix_socket")


def _url(scheme: str, given: Mapping[str, Any], options: dict[str, str], *, socket_option: str) -> str:
    """Put a URL together; a host that is a path is a folder or file of sockets, which stands among the options."""
    host, port, name = (str(given.get(part) or "") for part in ("HOST", "PORT", "NAME"))
    if host.startswith("/"):
        options, host = {socket_option: host, **options}, ""
    user, password = (quote(str(given.get(part) or ""), safe="") for part in ("USER", "PASSWORD"))
    who = f"{user}:{password}@" if password else f"{user}@" if user else ""
    where = f"[{host}]" if ":" in host and not host.startswith("[") else host
    if port and not where and socket_option == "host":
        options, port = {"port": port, **options}, ""
    query = urlencode(options, quote_via=quote)
    return f"{scheme}://{who}{where}{port and f':{port}'}/{quote(name, safe='')}{query and f'?{query}'}"


def _options(given: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return list((given.get("OPTIONS") or {}).items())
