"""PostgreSQL for tests: a database of one's own, and a server of one's own that can be mistreated."""

from __future__ import annotations

import psycopg
import pytest

from tests.servers.postgres import DURABLE, FAST, Postgres, PostgresServer
from tests.servers.support import rows, table_with_a_row

CREATE = "CREATE TABLE notes (note text)"


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_has_an_empty_database(postgres_url: str, time: str) -> None:
    rows(postgres_url, CREATE)


def test_a_database_is_dropped_with_the_connections_that_are_left(postgres_server: Postgres) -> None:
    with postgres_server.fresh_database() as url:
        forgotten = psycopg.connect(url)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        rows(url, "SELECT 1")
    forgotten.close()


def test_databases_are_in_utf_8(postgres_url: str) -> None:
    assert rows(postgres_url, "SHOW server_encoding") == [("UTF8",)]


def test_the_version_is_known(postgres_server: Postgres) -> None:
    assert postgres_server.version >= 120000


def test_a_user_with_a_password_is_asked_for_it(module_postgres: PostgresServer) -> None:
    module_postgres.create_user("mary", "p@ss/word")
    assert rows(module_postgres.url(user="mary", password="p@ss/word"), "SELECT current_user") == [("mary",)]
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        rows(module_postgres.url(user="mary", password="guess"), "SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        rows(module_postgres.url(user="mary"), "SELECT 1")
    module_postgres.drop_user("mary")


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_stopped_server_is_gone_and_comes_back_with_its_data(module_postgres: PostgresServer, mode: str) -> None:
    with module_postgres.fresh_database() as url, psycopg.connect(url) as connection:
        table_with_a_row(connection)
        module_postgres.stop(mode)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError, match="refused"):
            rows(url, "SELECT 1")
        module_postgres.start()
        assert rows(url, "SELECT note FROM notes") == [("here",)]


def test_a_killed_server_keeps_what_was_committed(module_postgres: PostgresServer) -> None:
    with module_postgres.fresh_database() as url, psycopg.connect(url) as connection:
        table_with_a_row(connection)
        connection.execute("INSERT INTO notes VALUES ('not committed')")
        module_postgres.kill()
        with pytest.raises(psycopg.OperationalError):
            connection.commit()
        module_postgres.start()
        assert rows(url, "SELECT note FROM notes") == [("here",)]


def test_a_paused_server_answers_when_it_is_resumed(module_postgres: PostgresServer) -> None:
    with psycopg.connect(module_postgres.url(), autocommit=True) as connection:
        module_postgres.pause()
        connection.pgconn.send_query(b"SELECT 1")
        with pytest.raises(psycopg.errors.ConnectionTimeout):
            psycopg.connect(module_postgres.url(), connect_timeout=2)
        connection.pgconn.consume_input()
        assert connection.pgconn.is_busy()
        module_postgres.resume()
        result = connection.pgconn.get_result()
        assert result is not None
        assert result.get_value(0, 0) == b"1"
        assert connection.pgconn.get_result() is None


def test_a_server_takes_settings(private_postgres: PostgresServer) -> None:
    with PostgresServer({**FAST, "max_connections": "7"}) as small, PostgresServer(DURABLE) as durable:
        assert small.execute_as_admin("SHOW max_connections") == [("7",)]
        assert small.execute_as_admin("SHOW fsync") == [("off",)]
        assert durable.execute_as_admin("SHOW fsync") == [("on",)]
        assert len({small.port, durable.port, private_postgres.port}) == 3


def test_a_server_that_is_left_is_gone_with_its_data(private_postgres: PostgresServer) -> None:
    with PostgresServer() as server:
        assert (server.folder / "data").is_dir()
        server.pause()
    assert not server.folder.exists()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        server.execute_as_admin("SELECT 1")
