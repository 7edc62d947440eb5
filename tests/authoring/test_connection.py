"""`connection=`: the job is written in the caller's transaction."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from backburner import Backburner, ConfigurationError, bulk, delay, enqueue, enqueue_all, jobs
from backburner.app import use
from tests.authoring import shop


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shop.db"


@pytest.fixture
def app(path):
    with Backburner(f"sqlite:///{path}", allow=["tests.authoring.shop"]) as app, use(app):
        app.migrate()
        yield app


@pytest.fixture
def connection(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE users (name TEXT)")
    connection.commit()
    yield connection
    connection.close()


def sign_up(connection):
    connection.execute("INSERT INTO users VALUES ('Ann')")


def users(path):
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT count(*) FROM users").fetchone()[0]
    finally:
        connection.close()


FORMS = {
    "delay": lambda user, connection: delay(user, connection=connection).activate("code"),
    "mixin": lambda user, connection: user.delay(connection=connection).activate("code"),
    "function": lambda user, connection: shop.send_welcome.options(connection=connection).delay(1),
    "object": lambda user, connection: enqueue(shop.Hello(user), connection=connection),
    "all": lambda user, connection: enqueue_all([shop.Hello(user)], connection=connection)[0],
}


@pytest.mark.parametrize("form", FORMS)
def test_commit_keeps_both(app, user, connection, path, form):
    sign_up(connection)
    job = FORMS[form](user, connection)
    assert (jobs.count(), users(path)) == (0, 0)
    connection.commit()
    assert jobs.get(job.id) == job
    assert users(path) == 1


@pytest.mark.parametrize("form", FORMS)
def test_rollback_drops_both(app, user, connection, path, form):
    sign_up(connection)
    FORMS[form](user, connection)
    connection.rollback()
    assert (jobs.count(), users(path)) == (0, 0)


def test_rollback_to_a_savepoint_drops_the_job(app, user, connection):
    sign_up(connection)
    connection.execute("SAVEPOINT here")
    delay(user, connection=connection).activate("dropped")
    connection.execute("ROLLBACK TO here")
    delay(user, connection=connection).activate("kept")
    connection.commit()
    assert [job.payload.args for job in jobs.where()] == [("kept",)]


def test_a_thousand_and_one_in_the_callers_transaction(app, user, connection):
    with bulk():
        for number in range(1001):
            shop.send_welcome.options(connection=connection).delay(number)
    assert connection.in_transaction
    connection.rollback()
    assert jobs.count() == 0


def test_a_block_writes_each_job_where_it_belongs(app, user, connection):
    with bulk():
        joined = shop.send_welcome.options(connection=connection).delay(1)
        own = shop.send_welcome.delay(2)
        assert not connection.in_transaction
    assert connection.in_transaction
    assert list(jobs.where()) == [own]
    connection.commit()
    assert list(jobs.where()) == [joined, own]


def test_async_forms_use_it_in_the_thread_that_made_it(app, user, connection):
    async def main():
        return await shop.send_welcome.options(connection=connection).adelay(1)

    job = asyncio.run(main())
    assert jobs.count() == 0
    connection.commit()
    assert jobs.get(job.id) == job


def test_workers_are_not_woken_before_the_commit(app, user, connection, monkeypatch):
    told = []
    monkeypatch.setattr(app.store, "notify", told.append)
    delay(user, connection=connection).activate("code")
    assert told == [connection]


def test_a_watch_sees_the_commit_and_nothing_before(app, user, connection):
    app.migrate()
    watch = app.store.watch()
    delay(user, connection=connection).activate("code")
    assert watch.wait(0) is False
    connection.commit()
    assert watch.wait(20) is True
    watch.close()


def test_what_is_no_connection(app, user):
    with pytest.raises(ConfigurationError, match=r"expected connection= to be a sqlite3\.Connection"):
        delay(user, connection="shop.db").activate("code")
    assert jobs.count() == 0


def test_the_memory_store_has_no_transactions(user):
    with Backburner("memory://") as app, pytest.raises(ConfigurationError, match="cannot join a transaction"):
        app.delay(user, connection=object()).activate("code")
