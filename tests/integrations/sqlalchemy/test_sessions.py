"""Jobs in the transaction of a session."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from backburner import Backburner, SchemaMissing, UnsavedRecord, bulk, delay, enqueue_all, jobs
from tests.integrations.sqlalchemy.grounds import Ground
from tests.integrations.sqlalchemy.models import Address, User, note, note_names

ROOT = Path(__file__).parents[3]


@pytest.fixture
def ann(ground: Ground):
    with ground.sessions.begin() as session:
        session.add(User(name="Ann"))
    with ground.sessions() as session:
        yield session.query(User).one()


def test_commit_keeps_the_job_and_its_record(ground: Ground) -> None:
    with ground.sessions() as session:
        user = User(name="Ann", password="hidden")
        session.add(user)
        job = user.delay.activate("code")
        assert ground.jobs() == 0
        session.commit()
        key = user.id
    assert (ground.names(), ground.jobs()) == (["Ann"], 1)
    assert jobs.get(job.id).handler == job.handler
    assert f'"key":{key},' in job.handler


def test_rollback_drops_both(ground: Ground) -> None:
    with ground.sessions() as session:
        user = User(name="Ann")
        session.add(user)
        user.delay.activate("code")
        session.flush()
        user.delay.activate("again")
        session.rollback()
        session.commit()
    assert (ground.names(), ground.jobs()) == ([], 0)


def test_a_session_that_is_closed_without_a_commit_enqueues_nothing(ground: Ground, ann: User) -> None:
    ann.delay.activate()
    session = ann._sa_instance_state.session
    session.close()
    session.commit()
    assert ground.jobs() == 0


def test_a_commit_with_nothing_but_jobs(ground: Ground, ann: User) -> None:
    ann.delay.activate()
    ann._sa_instance_state.session.commit()
    assert ground.jobs() == 1


def test_one_insert_and_no_other_statement(ground: Ground, ann: User) -> None:
    session = ann._sa_instance_state.session
    ann.delay.activate()
    session.commit()  # the first time, it is found out where the engine leads to
    session.refresh(ann)
    with ground.statements() as statements:
        ann.delay.activate()
        assert not statements
        session.commit()
    parts = 2 if ground.engine.dialect.name == "mysql" else 1  # MySQL's store keeps jobs and who is next apart
    assert [statement.split()[0] for statement in statements] == ["INSERT"] * parts


def test_nothing_is_flushed_expired_or_loaded(ground: Ground, ann: User) -> None:
    session = ann._sa_instance_state.session
    other = User(name="Ben")
    session.add(other)
    ann.nickname = "Annie"
    session.expire(ann, ["is_active"])
    with ground.statements() as statements:
        ann.delay.activate()
    assert not statements
    assert other in session.new
    assert ann in session.dirty
    assert "is_active" not in vars(ann)


def test_a_savepoint_that_is_rolled_back_drops_its_jobs(ground: Ground, ann: User) -> None:
    session = ann._sa_instance_state.session
    kept = ann.delay.activate("before")
    savepoint = session.begin_nested()
    ann.delay.activate("inside, flushed")
    session.flush()
    user = User(name="Ben")
    session.add(user)
    user.delay.activate("inside, pending")
    savepoint.rollback()
    also_kept = ann.delay.activate("after")
    session.commit()
    assert [job.id for job in jobs.where()] == [kept.id, also_kept.id]
    assert ground.names() == ["Ann"]


def test_a_savepoint_that_is_released_keeps_them(ground: Ground, ann: User) -> None:
    session = ann._sa_instance_state.session
    with session.begin_nested(), session.begin_nested():
        ann.delay.activate()
    assert ground.jobs() == 0
    session.commit()
    assert ground.jobs() == 1


def test_released_savepoints_in_a_transaction_that_is_rolled_back(ground: Ground, ann: User) -> None:
    session = ann._sa_instance_state.session
    with session.begin_nested():
        ann.delay.activate()
    session.rollback()
    assert ground.jobs() == 0


def test_a_flush_that_fails_drops_the_jobs_of_its_transaction(ground: Ground, ann: User) -> None:
    session = ann._sa_instance_state.session
    ann.delay.activate()
    session.add(User(name="Ann"))  # there is one
    with pytest.raises(IntegrityError):
        session.commit()
    session.rollback()
    session.commit()
    assert ground.jobs() == 0


def test_a_flush_that_fails_in_a_savepoint_drops_only_its_jobs(ground: Ground, ann: User) -> None:
    session = ann._sa_instance_state.session
    ann.delay.activate("kept")
    savepoint = session.begin_nested()
    twin = User(name="Ann")
    session.add(twin)
    twin.delay.activate("dropped")
    ann.delay.activate("dropped")
    with pytest.raises(IntegrityError):
        session.flush()
    savepoint.rollback()
    session.commit()
    assert ground.jobs() == 1


def test_new_records_as_arguments_and_deep_in_them(ground: Ground, ann: User, seen: list) -> None:
    session = ann._sa_instance_state.session
    ben, eve = User(name="Ben"), User(name="Eve")
    session.add_all([ben, eve])
    ann.delay.greet(ben)
    delay(note_names)({"some": [ben, ann], "others": [eve]})
    session.commit()
    ground.app.bind(ground.sessions)
    assert ground.app.worker().work_off() == (2, 0)
    assert seen == [("Ann", "Ben"), ["Ben", "Ann", "Eve"]]


def test_many_jobs_at_once(ground: Ground, ann: User) -> None:
    session = ann._sa_instance_state.session
    with bulk():
        for number in range(25):
            ann.delay.activate(str(number))
        assert not session.new
    enqueue_all([], queue="mail")
    assert ground.jobs() == 0
    session.commit()
    assert ground.jobs() == 25


def test_a_bulk_that_raises_enqueues_nothing(ground: Ground, ann: User) -> None:
    session = ann._sa_instance_state.session
    with pytest.raises(ZeroDivisionError), bulk():
        enqueue_and_fail(ann)
    session.commit()
    assert ground.jobs() == 0


def test_a_savepoint_that_is_rolled_back_inside_a_bulk_takes_its_jobs_along(ground: Ground, ann: User) -> None:
    session = ann._sa_instance_state.session
    with bulk():
        ann.delay.activate("first")
        with session.begin_nested() as savepoint:
            ann.delay.activate("undone")
            with session.begin_nested():
                ann.delay.activate("undone with the outer one")
            savepoint.rollback()
        with session.begin_nested():
            ann.delay.activate("second")
    session.commit()
    assert [json.loads(job.handler)["call"]["args"] for job in jobs.where()] == [["first"], ["second"]]


def test_a_transaction_that_is_committed_inside_a_bulk_leaves_its_jobs_to_the_next(ground: Ground, ann: User) -> None:
    session = ann._sa_instance_state.session
    with bulk():
        ann.delay.activate("first")
        session.commit()
        ann.delay.activate("undone")
        session.rollback()
        ann.delay.activate("second")
    session.commit()
    assert [json.loads(job.handler)["call"]["args"] for job in jobs.where()] == [["first"], ["second"]]


def enqueue_and_fail(user: User) -> None:
    user.delay.activate()
    raise ZeroDivisionError


def test_a_connection_that_is_named(ground: Ground) -> None:
    scoped = scoped_session(ground.sessions)
    with ground.sessions() as session:
        delay(note, connection=session)(1)
        session.rollback()
        delay(note, connection=session)(2)
        session.commit()
    delay(note, connection=scoped)(3)
    scoped.rollback()
    delay(note, connection=scoped)(4)
    scoped.commit()
    scoped.remove()
    assert [job.payload.args for job in jobs.where()] == [(2,), (4,)]


@pytest.mark.parametrize("ground", ["pymysql"], indirect=True)  # PostgreSQL would have to be set up for it
def test_two_phases(ground: Ground) -> None:
    with Session(ground.engine, twophase=True) as session:
        user = User(name="Ann")
        session.add(user)
        user.delay.activate()
        session.prepare()
        session.commit()
    assert (ground.names(), ground.jobs()) == (["Ann"], 1)


# What does not depend on the database.


def test_records_that_have_no_key_and_get_none(shop: Ground) -> None:
    with pytest.raises(UnsavedRecord, match="this User has no key: save it before"):
        User(name="Ann").delay.activate()


def test_deleted_records(shop: Ground) -> None:
    with shop.sessions.begin() as session:
        session.add(User(name="Ann"))
    with shop.sessions() as session:
        user = session.query(User).one()
        session.delete(user)
        with pytest.raises(UnsavedRecord):
            user.delay.activate()
        session.flush()
        with pytest.raises(UnsavedRecord):
            user.delay.activate()
        session.commit()
        with pytest.raises(UnsavedRecord):
            user.delay.activate()


def test_a_record_that_is_not_written_after_all_is_refused_at_the_flush(shop: Ground) -> None:
    with shop.sessions() as session:
        user = User(name="Ann")
        session.add(user)
        user.delay.activate()
        session.expunge(user)
        with pytest.raises(UnsavedRecord, match="was not saved"):
            session.commit()
        with pytest.raises(UnsavedRecord, match="was not saved"):
            session.commit()
        session.rollback()
        session.commit()
    assert shop.jobs() == 0


def test_detached_records_go_by_themselves(shop: Ground) -> None:
    with shop.sessions.begin() as session:
        user = User(name="Ann")
        session.add(user)
    user.delay.activate()
    assert shop.jobs() == 1


def test_a_session_that_does_not_flush_by_itself(shop: Ground) -> None:
    with shop.sessions(autoflush=False) as session:
        user = User(name="Ann")
        session.add(user)
        user.delay.activate()
        assert session.query(User).all() == []
        session.commit()
    assert (shop.names(), shop.jobs()) == (["Ann"], 1)


def test_an_autoflush_writes_jobs_too(shop: Ground) -> None:
    with shop.sessions() as session:
        user = User(name="Ann")
        session.add(user)
        job = user.delay.activate()
        assert session.query(User).one() is user
        assert session.scalar(text("SELECT count(*) FROM backburner_jobs")) == 1
        assert '"key":1,' in job.handler
        assert not session.new
        with session.no_autoflush:
            user.delay.activate()
            assert session.scalar(text("SELECT count(*) FROM backburner_jobs")) == 1
        session.commit()
    assert shop.jobs() == 2


def test_a_flush_of_some_records_leaves_jobs_about_others(shop: Ground) -> None:
    with shop.sessions() as session:
        ann, ben = User(name="Ann"), User(name="Ben")
        session.add_all([ann, ben])
        ben.delay.activate()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # from SQLAlchemy 2.1 on, one is not to do this
            session.flush([ann])
        assert ben in session.new
        session.commit()
    assert (shop.names(), shop.jobs()) == (["Ann", "Ben"], 1)


def test_listeners_that_enqueue_while_the_session_flushes(shop: Ground, seen: list) -> None:
    sessions = sessionmaker(shop.engine)

    @event.listens_for(sessions, "before_flush")
    def before(session, context, instances):
        for record in list(session.new):
            if isinstance(record, User):
                record.delay.activate("before_flush")

    @event.listens_for(sessions, "after_flush")
    def after(session, context):
        for record in session.new:
            record.delay.activate("after_flush")

    def inserted(mapper, connection, record):
        record.delay.activate("after_insert")
        delay(note, connection=connection)("on the connection")

    event.listen(User, "after_insert", inserted)
    try:
        with sessions() as session:
            session.add(User(name="Ann"))
            session.commit()
            session.add(User(name="Ben"))
            session.flush()
            session.rollback()
    finally:
        event.remove(User, "after_insert", inserted)
    shop.app.bind(sessions)
    assert shop.app.worker().work_off() == (4, 0)
    assert seen.count("on the connection") == 1
    assert sorted(one for one in seen if one != "on the connection") == [
        ("Ann", "after_flush"),
        ("Ann", "after_insert"),
        ("Ann", "before_flush"),
    ]


def test_a_listener_that_adds_another_record_when_the_session_has_flushed(shop: Ground) -> None:
    sessions = sessionmaker(shop.engine)

    @event.listens_for(sessions, "after_flush")
    def after(session, context):
        if any(record.name == "Ann" for record in session.new):
            session.add(ben := User(name="Ben"))
            ben.delay.activate()

    with sessions() as session:
        session.add(User(name="Ann"))
        session.commit()
    assert (shop.names(), shop.jobs()) == (["Ann", "Ben"], 1)


def test_nothing_is_kept_of_transactions_that_have_ended(shop: Ground, backburner) -> None:
    with shop.sessions() as session:
        for end in ("commit", "rollback", "close"):
            user = User(name=end)
            session.add(user)
            with session.begin_nested():
                user.delay.activate()
                backburner.delay(user).activate()
            savepoint = session.begin_nested()
            user.delay.activate()
            backburner.delay(user).activate()
            session.flush()
            savepoint.rollback()
            getattr(session, end)()
            for account in session.info["backburner"].values():
                assert not account._ledger._pages
                assert account._pending is None


def test_jobs_of_a_flush_that_failed_do_not_come_back_with_its_records(shop: Ground) -> None:
    def inserted(mapper, connection, record):
        record.delay.activate()

    event.listen(User, "after_insert", inserted)
    with shop.sessions() as session:
        try:
            user = User(name="Ann")
            session.add_all([user, Address(street=None, user=user)])
            with pytest.raises(IntegrityError):
                session.flush()
        finally:
            event.remove(User, "after_insert", inserted)
        session.rollback()
        user.addresses.clear()
        session.add(user)
        session.commit()
    assert (shop.names(), shop.jobs()) == (["Ann"], 0)


def test_a_listener_that_enqueues_at_the_last_moment(shop: Ground) -> None:
    sessions = sessionmaker(shop.engine)

    @event.listens_for(sessions, "before_commit")
    def before(session):
        delay(note, connection=session)("committed")

    with sessions.begin() as session:
        session.add(User(name="Ann"))
    assert shop.jobs() == 1


def test_mappers_that_were_cleared() -> None:
    """As some tests of applications do; in a process of its own, because they would be missed here."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CLEARED],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")


CLEARED = """
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, clear_mappers
from backburner import Backburner, job

@job
def greet():
    pass

with Backburner("memory://") as app, Session(create_engine("sqlite://")) as session:
    for _ in range(2):
        app.delay(greet, connection=session)()
        session.commit()
        clear_mappers()
    print(app.jobs.count())
"""


def test_tables_that_are_missing(postgres_url: str) -> None:
    from sqlalchemy import create_engine

    engine = create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    with Backburner(postgres_url, allow=["tests.integrations"]) as app, Session(engine) as session:
        app.delay(note, connection=session)(1)
        with pytest.raises(SchemaMissing, match="run `backburner migrate`") as raised:
            session.commit()
    assert isinstance(raised.value.__cause__, (ProgrammingError, OperationalError))
    engine.dispose()


def test_a_write_that_fails_is_not_forgotten(shop: Ground) -> None:
    with shop.sessions() as session:
        session.execute(text("CREATE TRIGGER no BEFORE INSERT ON backburner_jobs BEGIN SELECT RAISE(FAIL, 'no'); END"))
        delay(note, connection=session)(1)
        with pytest.raises(IntegrityError, match="no"):
            session.commit()
        with session.no_autoflush:
            session.execute(text("DROP TRIGGER no"))
        session.commit()
    assert shop.jobs() == 1
