"""Jobs about records, in a worker: each has a session of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session, object_session, scoped_session, sessionmaker

from backburner import Backburner, ConfigurationError, JobHooks, RecordMissing, Snooze, delay, enqueue, jobs, testing
from backburner.integrations.sqlalchemy import current_session
from tests.integrations.sqlalchemy.grounds import LIMIT, Ground, sleepy_worker
from tests.integrations.sqlalchemy.models import (
    SEEN,
    Address,
    Employee,
    Manager,
    Person,
    Seat,
    Tag,
    User,
    note,
    note_names,
)


def add(ground: Ground, *records: Any) -> None:
    with ground.sessions.begin() as session:
        session.add_all(records)


def is_active(ground: Ground) -> list[bool]:
    with ground.sessions() as session:
        return list(session.scalars(select(User.is_active).order_by(User.name)))


@pytest.fixture
def bound(ground: Ground) -> Ground:
    ground.app.bind(ground.sessions)
    return ground


@pytest.fixture
def shop(shop: Ground) -> Ground:
    shop.app.bind(shop.sessions)
    return shop


def test_what_a_job_did_is_committed(bound: Ground, seen: list) -> None:
    with bound.sessions.begin() as session:
        user = User(name="Ann")
        session.add(user)
        user.delay.activate("code")
    assert bound.app.worker().work_off() == (1, 0)
    assert (seen, is_active(bound)) == ([("Ann", "code")], [True])


def test_what_a_failing_job_did_is_rolled_back(bound: Ground) -> None:
    with bound.sessions.begin() as session:
        user = User(name="Ann")
        session.add(user)
        user.delay.fail()
    assert bound.app.worker().work_off() == (0, 1)
    assert is_active(bound) == [False]
    assert jobs.first().last_error.startswith("RuntimeError: no")


def test_records_are_as_they_are_when_the_job_runs(bound: Ground, seen: list) -> None:
    with bound.sessions.begin() as session:
        user = User(name="Ann")
        session.add(user)
        user.delay.activate("code")
        session.flush()
        user.name = "Anna"
    with bound.sessions.begin() as session:
        session.query(User).one().name = "Annie"
    bound.app.worker().work_off()
    assert seen == [("Annie", "code")]


def test_a_record_that_is_gone_fails_for_good(bound: Ground) -> None:
    with bound.sessions.begin() as session:
        user = User(name="Ann")
        session.add(user)
        user.delay.activate("code")
        user.delay(missing_record="discard").activate("code")
    with bound.sessions.begin() as session:
        session.delete(session.query(User).one())
    assert bound.app.worker().work_off()[0] == 0
    failed = list(jobs.where(state="failed"))
    assert [job.last_error.partition(":")[0] for job in failed] == ["RecordMissing"]
    with pytest.raises(RecordMissing):
        failed[0].payload  # noqa: B018


def test_composite_keys_and_inheritance(bound: Ground, seen: list) -> None:
    with bound.sessions.begin() as session:
        records = [Seat(row="A", number=7), Person(), Employee(desk="1"), Manager(), Tag(label="red")]
        session.add_all(records)
        for record, method in zip(records, ["take", "work", "work", "work", "show"], strict=True):
            getattr(record.delay, method)()
    assert bound.app.worker().work_off() == (5, 0)
    assert seen == [("A", 7), "Person", "Employee", "Manager", "red"]


def test_a_record_loads_what_it_has_not_loaded(bound: Ground, seen: list) -> None:
    with bound.sessions.begin() as session:
        user = User(name="Ann", addresses=[Address(street="Main Street")])
        session.add(user)
        user.delay.list_addresses()
    assert bound.app.worker().work_off() == (1, 0)
    assert seen == [["Main Street"]]


def test_jobs_that_a_job_enqueues_are_part_of_its_transaction(bound: Ground, seen: list) -> None:
    with bound.sessions.begin() as session:
        user = User(name="Ann")
        session.add(user)
        user.delay.befriend("Ben")
    assert bound.app.worker().work_off() == (3, 0)
    assert seen == [("Ben", "later"), "later"]


def test_jobs_that_a_failing_job_enqueued_are_dropped_with_what_it_did(shop: Ground, seen: list) -> None:
    add(shop, User(name="Ann"), User(name="Ben"))
    with shop.sessions.begin() as session:
        session.query(User).filter_by(name="Ann").one().delay.befriend("Ben")  # whose name is taken
    assert shop.app.worker().work_off() == (0, 1)
    assert (shop.names(), shop.jobs(), seen) == (["Ann", "Ben"], 1, [])


def test_a_commit_that_fails_fails_the_attempt(shop: Ground, seen: list) -> None:
    add(shop, User(name="Ann"), User(name="Ben"))
    with shop.sessions() as session:
        ann = session.query(User).filter_by(name="Ann").one()
        enqueue(RenamingJob(ann, "Ben"))
        session.commit()
    assert shop.app.worker().work_off() == (0, 1)
    assert jobs.first().attempts == 1
    assert "IntegrityError" in jobs.first().last_error
    assert shop.names() == ["Ann", "Ben"]


class RenamingJob(JobHooks):
    def __init__(self, user: User, name: str) -> None:
        self.user = user
        self.name = name

    def perform(self) -> None:
        self.user.name = self.name
        if self.name == "Snooze":
            raise Snooze(timedelta(minutes=5))
        if self.name == "Fail":
            raise RuntimeError("no")

    def failure(self, job: Any) -> None:
        self.user.nickname = "failed"
        delay(note)(f"sorry, {self.user.name}")


def test_the_failure_hook_outlasts_the_rollback(shop: Ground, seen: list) -> None:
    with shop.sessions.begin() as session:
        ann = User(name="Ann")
        session.add(ann)
        enqueue(RenamingJob(ann, "Fail"), max_attempts=1)
    assert shop.app.worker().work_off() == (1, 1)
    assert seen == ["sorry, Ann"]
    with shop.sessions() as session:
        assert session.query(User.name, User.nickname).all() == [("Ann", "failed")]


def test_a_job_that_is_put_off_is_rolled_back(shop: Ground) -> None:
    with shop.sessions.begin() as session:
        ann = User(name="Ann")
        session.add(ann)
        enqueue(RenamingJob(ann, "Snooze"))
    assert shop.app.worker().work_off() == (0, 0)
    assert shop.names() == ["Ann"]


def test_each_attempt_has_a_session_which_is_closed(shop: Ground, seen: list) -> None:
    add(shop, User(name="Ann"))
    delay(remember_session)()
    delay(remember_session)()
    assert shop.app.worker().work_off() == (2, 0)
    assert seen[0][0] is not seen[1][0]
    assert all(inspect(user).detached for _, user in seen)
    assert not any(session.in_transaction() for session, _ in seen)


def remember_session() -> None:
    session = current_session()
    user = session.query(User).one()
    assert object_session(user) is session
    SEEN.append((session, user))


def test_a_job_that_reads_no_record_needs_no_connection(shop: Ground, seen: list) -> None:
    delay(note)("hello")
    with shop.statements() as statements:
        assert shop.app.worker().work_off() == (1, 0)
    assert (seen, statements) == (["hello"], [])


@pytest.mark.parametrize("concurrency", [1, 2])
def test_async_jobs(bound: Ground, seen: list, concurrency: int) -> None:
    with bound.sessions.begin() as session:
        for name in ["Ann", "Ben", "Eve"]:
            user = User(name=name)
            session.add(user)
            user.delay.wait()
    if bound.engine.dialect.name == "sqlite":
        concurrency = 1  # it takes one writer at a time
    assert bound.app.worker(concurrency=concurrency).work_off() == (3, 0)
    assert sorted(seen) == ["Ann", "Ben", "Eve"]
    assert is_active(bound) == [True, True, True]
    assert bound.engine.pool.checkedout() == 0


def test_several_jobs_at_once(bound: Ground, seen: list) -> None:
    with bound.sessions.begin() as session:
        for number in range(12):
            user = User(name=f"{number:02}")
            session.add(user)
            user.delay.activate()
    concurrency = 1 if bound.engine.dialect.name == "sqlite" else 4  # SQLite takes one writer at a time
    assert bound.app.worker(concurrency=concurrency).work_off() == (12, 0)
    assert is_active(bound) == [True] * 12


def test_a_process_of_its_own(bound: Ground) -> None:
    with bound.sessions.begin() as session:
        user = User(name="Ann")
        session.add(user)
        user.delay(isolation="process").activate()
        delay(note_connection, isolation="process")(user)
    with bound.sessions() as session:
        ours = connection_id(session)
    assert bound.app.worker().work_off() == (2, 0)
    assert is_active(bound) == [True]
    with bound.sessions() as session:
        assert connection_id(session) == ours
        theirs = session.query(User.nickname).scalar()
    assert theirs != ours or bound.engine.dialect.name == "sqlite"


def note_connection(user: User) -> None:
    user.nickname = connection_id(current_session())


def connection_id(session: Session) -> str:
    """Which connection of the server's a session uses."""
    asked = {"postgresql": "pg_backend_pid()", "mysql": "connection_id()", "sqlite": "0"}[session.bind.dialect.name]
    return str(session.scalar(text(f"SELECT {asked}")))


def test_a_scoped_session_is_the_session_of_the_job(shop: Ground, seen: list) -> None:
    shop.app.bind(scoped)
    scoped.configure(bind=shop.engine)
    try:
        outside = scoped()
        ann = User(name="Ann")
        outside.add(ann)
        ann.delay.activate()
        delay(look_at_scoped)(ann)
        outside.commit()
        assert shop.app.worker().work_off() == (2, 0)
        assert scoped() is outside
        assert seen[1] is not outside
    finally:
        scoped.remove()
    assert not scoped.registry.has()


scoped = scoped_session(sessionmaker())


def look_at_scoped(user: User) -> None:
    assert scoped() is object_session(user) is current_session()
    SEEN.append(scoped())


def test_the_present_session_takes_jobs_about_no_record(shop: Ground) -> None:
    shop.app.bind(scoped)
    scoped.configure(bind=shop.engine)
    try:
        delay(note)("no transaction is open: it goes by itself")
        assert shop.jobs() == 1
        scoped.add(User(name="Ann"))
        delay(note)("in the transaction")
        scoped.rollback()
        assert shop.jobs() == 1
        scoped.add(User(name="Ann"))
        delay(note)("in the transaction")
        assert shop.jobs() == 1
        scoped.commit()
        assert shop.jobs() == 2
    finally:
        scoped.remove()


def test_a_payload_that_is_looked_at(shop: Ground) -> None:
    with shop.sessions.begin() as session:
        user = User(name="Ann")
        session.add(user)
        job = user.delay.activate()
    looked_at = jobs.get(job.id).payload.target
    assert (looked_at.name, object_session(looked_at)) == ("Ann", None)


def test_without_bind(tmp_path, ground: Ground) -> None:
    with ground.sessions.begin() as session:
        user = User(name="Ann")
        session.add(user)
        user.delay.activate()
    assert ground.app.worker().work_off() == (0, 1)
    assert "write app.bind(sessionmaker)" in jobs.first().last_error
    assert jobs.first().state == "queued"
    with pytest.raises(ConfigurationError, match="app.bind"):
        current_session()


def test_what_cannot_be_bound(shop: Ground) -> None:
    with pytest.raises(ConfigurationError, match="expected a sessionmaker, .* got sqlalchemy.engine.base.Engine"):
        shop.app.bind(shop.engine)


def test_two_apps_keep_to_themselves(tmp_path, shop: Ground, seen: list) -> None:
    with Backburner(f"sqlite:///{tmp_path}/other.db", allow=["tests.integrations.sqlalchemy"]) as other:
        other.bind(shop.sessions)
        with shop.sessions.begin() as session:
            user = User(name="Ann")
            session.add(user)
            shop.app.delay(user).activate("here")
            other.delay(user).activate("there")
        assert (shop.app.jobs.count(), other.jobs.count()) == (1, 1)
        with shop.sessions() as session:
            user = session.query(User).one()
            other.delay(user).activate("nowhere")
            session.rollback()
        assert other.jobs.count() == 1
        assert other.worker().work_off() == (1, 0)
    assert seen == [("Ann", "there")]


def test_a_worker_that_waits_is_woken_by_the_commit(shop: Ground, seen: list) -> None:
    with sleepy_worker(shop.app) as done:
        with shop.sessions.begin() as session:
            session.add(user := User(name="Ann"))
            user.delay.activate()
        assert done.wait(LIMIT)


# Performed at once, in the caller.


def test_a_job_that_is_performed_at_once_works_on_the_records_of_the_caller(shop: Ground, seen: list) -> None:
    add(shop, User(name="Ann"))
    with testing.inline(), shop.sessions() as session:
        user = session.query(User).one()
        with shop.statements() as statements:
            user.delay.activate("code")
        assert not statements
        delay(remember_session, connection=session)()
        assert user.is_active
        assert seen[1] == (session, user)
        session.rollback()
        assert not user.is_active


def test_a_job_that_is_performed_at_once_about_a_record_that_is_new(shop: Ground, seen: list) -> None:
    with testing.inline(), shop.sessions() as session:
        user = User(name="Ann")
        session.add(user)
        delay(note_names)({"new": [user]})
        user.delay.activate("code")
        assert user.is_active
        assert user in session.new
        session.commit()
    assert (seen, is_active(shop)) == ([["Ann"], ("Ann", "code")], [True])


def test_a_job_that_is_performed_at_once_about_a_record_that_the_caller_has_let_go(shop: Ground, seen: list) -> None:
    add(shop, User(name="Ann"), Seat(row="A", number=7))
    with shop.sessions() as session:
        user, seat = session.query(User).one(), session.query(Seat).one()
    with testing.inline(), shop.sessions() as session:
        user.delay(connection=session).activate("code")
        seat.delay(connection=session).take()
        session.commit()
    assert (seen, is_active(shop)) == ([("Ann", "code"), ("A", 7)], [True])


def test_a_job_that_is_performed_at_once_about_nothing(shop: Ground, seen: list) -> None:
    add(shop, User(name="Ann"))
    with testing.inline():
        delay(rename_ann)("Anna")
        assert shop.names() == ["Anna"]
        with pytest.raises(RuntimeError):
            delay(rename_ann)("no")
    assert shop.names() == ["Anna"]


def rename_ann(name: str) -> None:
    current_session().query(User).one().name = name
    current_session().flush()
    if name == "no":
        raise RuntimeError


def test_jobs_that_are_only_collected(shop: Ground) -> None:
    with testing.fake() as enqueued, shop.sessions() as session:
        user = User(name="Ann")
        session.add(user)
        user.delay.activate("code")
        assert [job.name for job in enqueued.enqueued()] == ["User.activate"]
        session.commit()
        enqueued.assert_enqueued(user.activate, "code")
    assert shop.jobs() == 0


def test_what_is_performed_at_once_inside_a_job_commits_nothing(shop: Ground, seen: list) -> None:
    add(shop, User(name="Ann"))
    delay(rename_and_fail)()
    assert shop.app.worker().work_off() == (0, 1)
    assert (shop.names(), seen) == (["Ann"], ["inline"])


def rename_and_fail() -> None:
    current_session().query(User).one().name = "Anna"
    with testing.inline():
        delay(note)("inline")
    raise RuntimeError
