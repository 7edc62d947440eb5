"""PgBouncer in front of PostgreSQL: connections are lent by the transaction."""

from __future__ import annotations

import psycopg
import pytest

from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import Postgres
from tests.servers.support import rows

WHO = "SELECT pg_backend_pid()"


def test_it_leads_to_the_database_of_the_test(postgres_url: str, pgbouncer_url: str) -> None:
    rows(pgbouncer_url, "CREATE TABLE notes (note text)")
    assert rows(postgres_url, "SELECT note FROM notes") == []
    assert postgres_url != pgbouncer_url


def test_a_connection_is_another_ones_after_each_transaction(postgres_server: Postgres, pgbouncer_url: str) -> None:
    with psycopg.connect(pgbouncer_url) as first, psycopg.connect(pgbouncer_url) as second:
        (mine,) = first.execute(WHO).fetchone()
        (other,) = second.execute(WHO).fetchone()
        assert mine != other
        first.commit()
        second.commit()
        with psycopg.connect(pgbouncer_url) as third, psycopg.connect(pgbouncer_url) as fourth:
            assert {third.execute(WHO).fetchone()[0], fourth.execute(WHO).fetchone()[0]} == {mine, other}


def test_the_pool_may_be_small(postgres_server: Postgres, postgres_url: str, pgbouncer_url: str) -> None:
    with PgBouncer(postgres_server, pool_size=1, settings={"query_wait_timeout": "1"}) as bouncer:
        url = bouncer.url_of(postgres_url)
        with psycopg.connect(url) as first, psycopg.connect(url) as second:
            first.execute(WHO)
            with pytest.raises(psycopg.OperationalError, match="query_wait_timeout"):
                second.execute(WHO)


def test_it_can_be_killed_and_started_again(postgres_server: Postgres, postgres_url: str, pgbouncer_url: str) -> None:
    with PgBouncer(postgres_server) as bouncer:
        url = bouncer.url_of(postgres_url)
        bouncer.kill()
        with pytest.raises(psycopg.OperationalError, match="refused"):
            rows(url, "SELECT 1")
        bouncer.start()
        assert rows(url, "SELECT 1") == [(1,)]
    assert not bouncer.folder.exists()
