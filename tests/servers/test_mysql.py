"""MariaDB for tests: a database of one's own, and a server of one's own that can be mistreated."""

from __future__ import annotations

import socket

import pymysql
import pytest

from tests.servers.mysql import DURABLE, MySQL, MySQLServer
from tests.servers.support import rows


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_has_an_empty_database(mysql_url: str, time: str) -> None:
    rows(mysql_url, "CREATE TABLE notes (note text)")


def test_a_database_is_dropped_although_a_transaction_holds_its_tables(mysql_server: MySQL) -> None:
    with mysql_server.fresh_database() as url:
        rows(url, "CREATE TABLE notes (note text)")
        forgotten = connect(url)
        forgotten.cursor().execute("INSERT INTO notes VALUES ('here')")
    with pytest.raises(pymysql.err.OperationalError, match="Unknown database"):
        rows(url, "SELECT 1")
    forgotten.close()


def test_databases_are_in_utf8mb4(mysql_url: str) -> None:
    assert rows(mysql_url, "SELECT @@character_set_database") == [("utf8mb4",)]
    assert rows(mysql_url, "SELECT '\N{SNAIL}'") == [("\N{SNAIL}",)]


def test_the_version_is_known(mysql_server: MySQL) -> None:
    assert int(mysql_server.version.split(".")[0]) >= 8


def test_a_user_with_a_password_is_asked_for_it(module_mysql: MySQLServer) -> None:
    module_mysql.create_user("mary", "p@ss/word")
    assert rows(module_mysql.url(user="mary", password="p@ss/word"), "SELECT current_user()") == [("mary@%",)]
    for password in ("guess", None):
        with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
            rows(module_mysql.url(user="mary", password=password), "SELECT 1")
    module_mysql.drop_user("mary")


@pytest.mark.parametrize("end", [MySQLServer.stop, MySQLServer.kill])
def test_a_server_that_was_stopped_or_killed_keeps_what_was_committed(module_mysql: MySQLServer, end) -> None:
    with module_mysql.fresh_database() as url:
        rows(url, "CREATE TABLE notes (note text)")
        rows(url, "INSERT INTO notes VALUES ('here')")
        connection = connect(url)
        connection.cursor().execute("INSERT INTO notes VALUES ('not committed')")
        end(module_mysql)
        with pytest.raises(pymysql.err.OperationalError):
            connection.commit()
        with pytest.raises(pymysql.err.OperationalError, match="refused"):
            rows(url, "SELECT 1")
        module_mysql.start()
        assert rows(url, "SELECT note FROM notes") == [("here",)]


def test_a_paused_server_answers_when_it_is_resumed(module_mysql: MySQLServer) -> None:
    module_mysql.pause()
    with socket.create_connection(("127.0.0.1", module_mysql.port), timeout=0.2) as connection:
        with pytest.raises(TimeoutError):
            connection.recv(1)
        module_mysql.resume()
        connection.settimeout(20)
        assert connection.recv(1)


def test_a_server_takes_settings(module_mysql: MySQLServer) -> None:
    with MySQLServer(DURABLE) as durable:
        assert durable.execute_as_admin("SELECT @@innodb_flush_log_at_trx_commit") == [(1,)]
    assert module_mysql.execute_as_admin("SELECT @@innodb_flush_log_at_trx_commit") == [(2,)]


def test_a_server_that_is_left_is_gone_with_its_data(module_mysql: MySQLServer) -> None:
    with MySQLServer() as server:
        server.pause()
    assert not server.folder.exists()
    with pytest.raises(pymysql.err.OperationalError, match="refused"):
        server.execute_as_admin("SELECT 1")


def connect(url: str) -> pymysql.Connection:
    return MySQL(url).connect()
