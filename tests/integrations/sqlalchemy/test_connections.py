"""Jobs in the transactions of connections, without a session."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine

from backburner import Backburner, ConfigurationError, UnsavedRecord, delay, jobs
from backburner.app import use
from tests.integrations.sqlalchemy.grounds import LIMIT, Ground, sleepy_worker
from tests.integrations.sqlalchemy.models import User, note


def test_jobs_are_written_at_once(ground: Ground) -> None:
    with ground.engine.connect() as connection:
        delay(note, connection=connection)("dropped")
        connection.rollback()
        delay(note, connection=connection)("kept")
        with connection.begin_nested() as savepoint:
            delay(note, connection=connection)("dropped")
            savepoint.rollback()
        assert jobs.count() == 0
        connection.commit()
    assert [job.payload.args for job in jobs.where()] == [("kept",)]


def test_one_statement(ground: Ground) -> None:
    with ground.engine.begin() as connection:
        delay(note, connection=connection)("the first time, it is found out where the engine leads to")
        with ground.statements() as statements:
            delay(note, connection=connection)("")
    assert len(statements) == (2 if ground.engine.dialect.name == "mysql" else 1)


def test_a_connection_of_a_session(shop: Ground) -> None:
    with shop.sessions() as session:
        delay(note, connection=session.connection())("dropped")
        session.rollback()
        delay(note, connection=session.connection())("kept")
        session.commit()
    assert jobs.count() == 1


def test_records_without_a_key(shop: Ground) -> None:
    with shop.sessions() as session:
        user = User(name="Ann")
        session.add(user)
        with shop.engine.connect() as connection, pytest.raises(UnsavedRecord, match="is not part of its transaction"):
            user.delay(connection=connection).activate()


def test_another_database(tmp_path, shop: Ground) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/other.db")
    with (
        engine.connect() as connection,
        pytest.raises(
            ConfigurationError, match="expected connection= to be connected to the store's database .*shop.db"
        ),
    ):
        delay(note, connection=connection)("")
    engine.dispose()


def test_a_store_that_is_no_database(shop: Ground, backburner) -> None:
    with shop.engine.connect() as connection:
        delay(note, connection=connection)("as every connection, in tests")
    backburner.assert_enqueued(note, "as every connection, in tests")
    with (
        Backburner("memory://", allow=["tests.integrations"]) as app,
        use(app),
        shop.engine.connect() as connection,
        pytest.raises(ConfigurationError, match="the memory store cannot join"),
    ):
        delay(note, connection=connection)("")


def test_a_worker_is_woken_when_the_connection_is_given_back(ground: Ground, seen: list) -> None:
    with sleepy_worker(ground.app) as done:
        with ground.engine.begin() as connection:
            delay(note, connection=connection)("hello")
        assert done.wait(LIMIT)
    assert seen == ["hello"]
