"""What the URL of a PostgreSQL store may say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backburner.core.errors import ConfigurationError
from backburner.core.ports import JobFilter
from backburner.stores.open import open_store
from backburner.stores.sql.postgres.store import PostgresStore
from backburner.stores.sql.postgres.url import Place
from backburner.testing.contract.driving import START, ManualClock, new_job
from tests.servers.postgres import Postgres
from tests.servers.urls import with_parts


def opened(url: str) -> PostgresStore:
    store = open_store(url)
    assert isinstance(store, PostgresStore)
    return store


def place(url: str) -> Place:
    return opened(url)._server.place


@pytest.mark.parametrize(
    "scheme",
    ["postgresql", "postgres", "POSTGRESQL", "postgresql+psycopg", "postgresql+psycopg2", "postgresql+asyncpg"],
)
def test_every_form_is_understood(postgres_url: str, scheme: str) -> None:
    store = opened(postgres_url.replace("postgresql", scheme))
    store.migrate()
    store.run(store.enqueue([new_job()]))
    assert store.run(store.count(JobFilter())) == 1
    assert store.url == postgres_url
    store.close()


def test_a_socket(postgres_server: Postgres, postgres_url: str) -> None:
    folder = postgres_server.execute_as_admin("SHOW unix_socket_directories")[0][0]
    port = postgres_server.execute_as_admin("SHOW port")[0][0]
    database = postgres_url.rpartition("/")[2]
    store = opened(f"postgresql+psycopg:///{database}?host={folder}&port={port}&user=postgres")
    assert store.schema_state().found == 0
    store.close()


def test_a_service(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host, _, port = postgres_url.partition("@")[2].partition("/")[0].partition(":")
    database = postgres_url.rpartition("/")[2]
    service = f"[shop]\nhost={host}\nport={port}\ndbname={database}\nuser=postgres\n"
    (tmp_path / "services").write_text(service)
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    store = opened("postgresql://?service=shop")
    store.migrate()
    assert store.schema_state().is_current
    store.close()


def test_libpqs_variables(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    host, _, port = postgres_url.partition("@")[2].partition("/")[0].partition(":")
    monkeypatch.setenv("PGHOST", host)
    monkeypatch.setenv("PGPORT", port)
    monkeypatch.setenv("PGUSER", "postgres")
    monkeypatch.setenv("PGDATABASE", postgres_url.rpartition("/")[2])
    store = opened("postgresql://")
    assert store.schema_state().found == 0
    store.close()


def test_several_hosts_of_which_one_is_there(postgres_url: str) -> None:
    host = postgres_url.partition("@")[2].partition("/")[0]
    store = opened(postgres_url.replace(host, f"127.0.0.1:1,{host}"))
    store.migrate()
    assert store.schema_state().is_current
    store.close()


def test_the_primary_of_several_hosts_is_looked_for() -> None:
    assert place("postgresql://a,b/shop").parameters["target_session_attrs"] == "read-write"
    assert place("postgresql://a,b/shop?target_session_attrs=any").parameters["target_session_attrs"] == "any"
    assert "target_session_attrs" not in place("postgresql://a/shop").parameters


def test_options_are_passed_on() -> None:
    parameters = place("postgresql://a/shop?options=-c%20search_path%3Dx&sslmode=require&keepalives_idle=5").parameters
    assert parameters["options"] == "-c search_path=x"
    assert parameters["sslmode"] == "require"
    assert parameters["keepalives_idle"] == "5"
    assert parameters["tcp_user_timeout"] == "8000"


def test_ours_are_taken_out() -> None:
    found = place("postgresql://a/shop?schema=jobs&table_prefix=bb_&pool_size=3&timeout=2.5&pooler=yes")
    assert (found.names.schema, found.names.prefix) == ("jobs", "bb_")
    assert (found.pool_size, found.timeout, found.is_pooled) == (3, 2.5, True)
    assert not {"schema", "table_prefix", "pool_size", "timeout", "pooler"} & set(found.parameters)


def test_tables_in_another_schema_with_another_prefix(postgres_url: str) -> None:
    first, second = opened(postgres_url), opened(f"{postgres_url}?schema=jobs&table_prefix=bb_")
    for store in (first, second):
        store.migrate()
    first.run(first.enqueue([new_job()]))
    assert (first.run(first.count(JobFilter())), second.run(second.count(JobFilter()))) == (1, 0)
    assert first._server.channel != second._server.channel
    first.close()
    second.close()


def test_the_clock_may_be_replaced() -> None:
    assert open_store("postgresql://localhost/shop", clock=ManualClock()).now() == START


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("postgresql://a/b?schema=A-b", "expected schema to be 1 to 30 lower-case letters"),
        ("postgresql://a/b?table_prefix=", "expected table_prefix to be 1 to 30 lower-case letters"),
        ("postgresql://a/b?pool_size=0", "expected pool_size to be a number of connections from 1 to 9999, got '0'"),
        ("postgresql://a/b?pool_size=many", "got 'many'"),
        ("postgresql://a/b?timeout=0", "expected timeout to be a number of seconds above 0, got '0'"),
        ("postgresql://a/b?timeout=nan", "got 'nan'"),
        ("postgresql://a/b?timeout=soon", "expected timeout to be a number of seconds above 0, got 'soon'"),
        ("postgresql://a/b?pooler=maybe", "expected pooler to be auto, yes, no, got 'maybe'"),
        ("postgresql://a/b?colour=red", 'expected the URL of a PostgreSQL database, got .*parameter: "colour"'),
        ("postgresql+pg8000://a/b", r"expected postgresql:// \(it is psycopg that is used\)"),
        ("postgresql://a:b/c", "expected a URL of the form postgresql://user:password@host:port/database"),
        ("postgresql://ann:s3cret/p@rt@localhost/shop", "where in user and password @ is written %40"),
        ("postgresql://ann:s3cret?p@rt@localhost/shop", "expected"),
        ("postgresql://ann:s3%zzcret@localhost/shop", "invalid percent-encoded token"),
    ],
)
def test_what_is_not_understood_is_said(url: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint) as refused:
        open_store(url)
    assert "\n" not in str(refused.value)
    assert "s3" not in str(refused.value)
    assert "p@rt" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgres://ann:s3cret@localhost/shop", "postgresql://ann:***@localhost/shop"),
        ("postgresql://localhost/shop?user=ann&password=s3cret", "postgresql://localhost/shop?user=ann&password=***"),
        ("postgresql://localhost/shop?sslpassword=s3cret", "postgresql://localhost/shop?sslpassword=***"),
        ("postgresql://localhost:5432/shop?user=ann@west", "postgresql://localhost:5432/shop?user=ann@west"),
    ],
)
def test_the_url_is_shown_without_a_password(url: str, shown: str) -> None:
    store = open_store(url)
    assert store.url == shown
    assert "s3cret" not in repr(store.__dict__)


def test_a_password_with_odd_characters_works(postgres_server: Postgres, postgres_url: str) -> None:
    password = "p@s/s:w?r#d%20"
    postgres_server.create_user("odd_user", password)
    try:
        store = opened(with_parts(postgres_url, user="odd_user", password=password))
        assert store.schema_state().found == 0
        store.close()
    finally:
        postgres_server.drop_user("odd_user")


def test_a_missing_driver() -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from backburner.stores.open import open_store\n"
        "try: open_store('postgresql://localhost/shop')\n"
        "except Exception as error: print(type(error).__name__, error, error.__cause__)"
    )
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert output == "ConfigurationError psycopg is not installed: pip install 'backburner[postgres]' None\n"


def test_a_driver_that_is_broken(tmp_path: Path) -> None:
    (tmp_path / "psycopg").mkdir()
    (tmp_path / "psycopg" / "__init__.py").write_text("raise ImportError('no pq wrapper available.\\n- more')")
    code = (
        "from backburner.stores.open import open_store\n"
        "try: open_store('postgresql://localhost/shop')\n"
        "except Exception as error: print(error)"
    )
    environment = {"PYTHONPATH": str(tmp_path)}
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    ).stdout
    expected = "psycopg cannot be used (no pq wrapper available.): pip install 'backburner[postgres]'\n"
    assert output == expected


def test_the_driver_is_loaded_when_it_is_needed() -> None:
    code = (
        "import sys; from backburner.stores import open_store; open_store('memory://'); open_store('sqlite://'); "
        "assert 'psycopg' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
