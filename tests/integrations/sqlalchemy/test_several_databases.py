"""Sessions with several databases, and with none that the jobs are kept in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session, sessionmaker

from backburner import Backburner, StoreUnavailable, delay, jobs
from backburner.app import use
from tests.integrations.sqlalchemy.grounds import Ground, begin_as_told, listening
from tests.integrations.sqlalchemy.models import Base, Seat, User, note

ROOT = Path(__file__).parents[3]


@dataclass
class Two:
    """Two databases; the jobs are kept in the second."""

    first: Engine
    second: Engine


@pytest.fixture
def two(tmp_path) -> Iterator[Two]:
    engines = [create_engine(f"sqlite:///{tmp_path}/{name}.db") for name in ("first", "second")]
    for engine in engines:
        begin_as_told(engine)
        Base.metadata.create_all(engine)
    with Backburner(f"sqlite:///{tmp_path}/second.db", allow=["tests.integrations.sqlalchemy"]) as app, use(app):
        app.migrate()
        yield Two(*engines)
    for engine in engines:
        engine.dispose()


def seats(two: Two) -> int:
    with Session(two.second) as session:
        return session.query(Seat).count()


def test_the_database_of_the_store_is_found_among_the_binds(two: Two) -> None:
    sessions = sessionmaker(binds={User: two.first, Seat: two.second})
    for end in ("rollback", "commit"):
        with sessions() as session:
            seat = Seat(row="A", number=7)
            session.add_all([seat, User(name="Ann")])
            seat.delay.take()
            delay(note, connection=session)("about nothing")
            session.flush()
            assert jobs.count() == 0
            getattr(session, end)()
    assert (seats(two), jobs.count()) == (1, 2)


def test_the_default_of_the_session_leads_elsewhere(two: Two) -> None:
    with sessionmaker(two.first, binds={Seat: two.second})() as session:
        session.add(Seat(row="A", number=7))
        delay(note, connection=session)("dropped")
        session.flush()
        session.rollback()
        delay(note, connection=session)("kept")
        session.commit()
    assert jobs.count() == 1


class Routing(Session):
    """A session that decides by its class, as that of Flask-SQLAlchemy does."""

    engines: dict[Any, Engine]

    def get_bind(self, mapper: Any = None, **given: Any) -> Any:
        table = getattr(mapper, "local_table", None)
        return self.engines.get(getattr(table, "name", None), self.engines["users"])


def test_a_session_that_decides_by_its_class(two: Two) -> None:
    Routing.engines = {"users": two.first, "seats": two.second}
    with Routing() as session:
        session.add(Seat(row="A", number=7))
        session.commit()
        seat = session.query(Seat).one()
        seat.delay.take()
        session.flush()
        session.rollback()
        seat.delay.take()
        session.commit()
    assert jobs.count() == 1


def test_two_sessions(two: Two) -> None:
    with Session(two.first) as one, Session(two.second) as other:
        ann, seat = User(name="Ann"), Seat(row="A", number=7)
        one.add(ann)
        one.flush()
        other.add(seat)
        delay(note)([ann, seat])  # the record without its key goes first
        one.commit()
        assert jobs.count() == 0
        other.commit()
        assert jobs.count() == 1


# Kept elsewhere: enqueued after the commit.


def test_jobs_leave_after_the_commit(ground: Ground, backburner) -> None:
    heard: list[str] = []
    with ground.sessions() as session:
        event.listen(session, "after_commit", lambda _: heard.append(f"committed, {backburner.jobs.count()} jobs"))
        user = User(name="Ann")
        session.add(user)
        backburner.delay(user).activate("code")
        session.flush()
        assert backburner.jobs.count() == 0
        session.commit()
        backburner.delay(user).activate("again")
        session.rollback()
    assert heard == ["committed, 0 jobs"]
    backburner.assert_enqueued(user.activate, "code", count=1)


def test_savepoints(shop: Ground, backburner) -> None:
    with shop.sessions.begin() as session:
        user = User(name="Ann")
        session.add(user)
        with session.begin_nested():
            user.delay.activate("kept")
            with session.begin_nested() as savepoint:
                user.delay.activate("dropped")
                session.flush()
                savepoint.rollback()
        assert backburner.jobs.count() == 0
    backburner.assert_enqueued(user.activate, "kept", count=1)
    assert backburner.jobs.count() == 1


def test_nothing_is_asked_of_a_database_that_cannot_be_the_store(shop: Ground, postgres_url: str, backburner) -> None:
    with Backburner(postgres_url, allow=["tests.integrations"]) as app, listening(shop.engine) as statements:
        app.migrate()
        with shop.sessions() as session:
            delay(note, connection=session)("in memory")
            app.delay(note, connection=session)("on a server")
            session.commit()
        assert app.jobs.count() == 1
    assert (statements, backburner.jobs.count()) == ([], 1)


def test_what_goes_wrong_after_the_commit_is_heard(shop: Ground, two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    with Backburner("memory://", allow=["tests.integrations"]) as app:

        def run(op: Any, connection: Any = None) -> Any:
            raise StoreUnavailable("gone")

        with shop.sessions() as session:
            user = User(name="Ann")
            session.add(user)
            app.delay(user).activate()
            monkeypatch.setattr(app.store, "run", run)
            with pytest.raises(StoreUnavailable, match="gone"):
                session.commit()
            monkeypatch.undo()
            session.add(User(name="Ben"))
            session.commit()
        assert (shop.names(), app.jobs.count()) == (["Ann", "Ben"], 0)


WITHOUT_GREENLETS = """
import sys
sys.modules["greenlet"] = None
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker
from backburner import Backburner
from backburner.app import use
from tests.integrations.sqlalchemy.models import Base, User

engine = create_engine(sys.argv[1])
Base.metadata.create_all(engine)
sessions = sessionmaker(engine)
for number, url in enumerate([sys.argv[1], "memory://"]):
    with Backburner(url, allow=["tests.integrations.sqlalchemy"]) as app, use(app):
        app.bind(sessions)
        with sessions.begin() as session:
            user = User(name=str(number))
            session.add(user)
            user.delay.activate()
        print(app.worker(concurrency=2).work_off())
"""


def test_no_greenlets_are_needed(tmp_path) -> None:
    command = [sys.executable, "-W", "error", "-c", WITHOUT_GREENLETS, f"sqlite:///{tmp_path}/shop.db"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "(1, 0)\n(1, 0)\n", "")


def test_the_recipe_for_tests_that_are_rolled_back(shop: Ground, backburner, seen: list) -> None:
    with shop.engine.connect() as connection:
        outside = connection.begin()
        sessions = sessionmaker(connection, join_transaction_mode="create_savepoint")
        backburner.bind(sessions)
        with sessions() as session:
            user = User(name="Ann")
            session.add(user)
            user.delay.activate("code")
            session.commit()
            assert backburner.drain() == (1, 0)
            session.refresh(user)
            assert user.is_active
        outside.rollback()
    assert (seen, shop.names()) == ([("Ann", "code")], [])
