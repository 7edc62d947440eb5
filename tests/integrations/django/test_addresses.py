"""From entries of DATABASES to URLs of stores."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from backburner.core.errors import ConfigurationError
from backburner.integrations.django.addresses import url_of
from backburner.stores.open import open_store

AWKWARD = "p@ss/w:o?r#d %"


def url(vendor: str, **given: Any) -> str:
    """Return the URL for a connection of Django's, of which only the settings are looked at."""
    return url_of(SimpleNamespace(vendor=vendor, settings_dict=given, alias="default"))


def parameters(vendor: str, **given: Any) -> dict[str, Any]:
    """Return what the store gives to its driver."""
    store: Any = open_store(url(vendor, **given))
    return dict(store._server.place.parameters)


def test_sqlite() -> None:
    assert open_store(url("sqlite", NAME="/srv/a b/100%?.sqlite3")).url == "sqlite:////srv/a b/100%?.sqlite3"
    assert open_store(url("sqlite", NAME="file:/srv/shop.db?mode=rwc")).url == "sqlite:////srv/shop.db"
    assert url("sqlite", NAME=":memory:") == "sqlite://"


def test_a_relative_path_is_one_from_where_the_program_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_store(url("sqlite", NAME="shop.db")).url == f"sqlite:///{tmp_path}/shop.db"


def test_postgresql() -> None:
    given = {"NAME": "my shop", "USER": "an@n", "PASSWORD": AWKWARD, "HOST": "db.example", "PORT": "6543"}
    found = parameters("postgresql", **given)
    assert {
        "dbname": "my shop",
        "user": "an@n",
        "password": AWKWARD,
        "host": "db.example",
        "port": "6543",
    }.items() <= found.items()
    assert "p@ss" not in open_store(url("postgresql", **given)).url


def test_options_of_postgresql_are_libpqs_own() -> None:
    options = {
        "sslmode": "require",
        "service": "shop",
        "options": "-c search_path=jobs",
        "pool": {"min_size": 2},
        "server_side_binding": True,
        "isolation_level": 3,
        "assume_role": "owner",
    }
    found = parameters("postgresql", NAME="", OPTIONS=options)
    assert (found["sslmode"], found["service"]) == ("require", "shop")
    assert found["options"] == "-c search_path=jobs -c role=owner"
    assert not found.keys() & {"pool", "server_side_binding", "isolation_level", "assume_role", "host"}


@pytest.mark.parametrize("host", ["/var/run/postgresql", "::1"])
def test_sockets_and_addresses_of_postgresql(host: str) -> None:
    found = parameters("postgresql", NAME="shop", HOST=host, PORT=5433, USER="ann")
    assert (found["host"], found["port"], found["user"], found["dbname"]) == (host, "5433", "ann", "shop")


def test_mysql() -> None:
    options = {
        "charset": "utf8mb4",
        "ssl": {"ca": "/etc/ca.pem"},
        "ssl_mode": "VERIFY_IDENTITY",
        "init_command": "SET x",
    }
    given = {"NAME": "shop", "USER": "ann", "PASSWORD": AWKWARD, "HOST": "db.example", "PORT": "3307"}
    found = parameters("mysql", **given, OPTIONS=options)
    assert (found["database"], found["user"], found["host"], found["port"]) == ("shop", "ann", "db.example", 3307)
    assert found["password"].decode() == AWKWARD
    assert (found["ssl_ca"], found["ssl_verify_cert"], found["ssl_verify_identity"]) == ("/etc/ca.pem", True, True)


def test_a_socket_of_mysql() -> None:
    assert parameters("mysql", NAME="shop", HOST="/run/mysqld.sock")["unix_socket"] == "/run/mysqld.sock"


def test_other_databases_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="SQLite, PostgreSQL, MySQL or MariaDB, got oracle"):
        url("oracle", NAME="shop")
