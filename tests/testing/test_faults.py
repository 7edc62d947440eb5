"""Killing jobs everywhere."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import aiosqlite
import psycopg
import psycopg2
import pytest
import sqlalchemy
from psycopg2.extras import RealDictCursor

from backburner import Backburner, ConfigurationError, current_job, job
from backburner.mail import Mailer, Message
from backburner.testing import BackburnerTestCase, Harness, faults, harness
from backburner.testing.faults import Fault
from tests.stores import mysql
from tests.testing.shop import done
from tests.testing.test_case import run

SCHEMA = (
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)",
    "CREATE TABLE charges (job VARCHAR(40) PRIMARY KEY, amount INTEGER NOT NULL)",
)
FRESH = ("DELETE FROM accounts", "DELETE FROM charges", "INSERT INTO accounts VALUES (1, 100)")

Loop = Callable[..., Iterator[Fault]]


class Bank:
    """Where the jobs find their database."""

    connect: ClassVar[Callable[[], Any]]

    @classmethod
    def ask(cls, *statements: str) -> Any:
        """Execute statements, commit, and return the first value of the last one."""
        with closing(cls.connect()) as connection, closing(connection.cursor()) as cursor:
            for statement in statements:
                cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            connection.commit()
        return row and row[0]

    @classmethod
    def balance(cls) -> int:
        return int(cls.ask("SELECT balance FROM accounts"))


@job
def withdraw(amount: int) -> None:
    """Withdraw again when it is performed again."""
    with closing(Bank.connect()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(f"UPDATE accounts SET balance = balance - {amount}")  # noqa: S608
        connection.commit()


@job
def withdraw_once(amount: int) -> None:
    with closing(Bank.connect()) as connection, closing(connection.cursor()) as cursor:
        name = str(current_job().id)
        cursor.execute(f"SELECT count(*) FROM charges WHERE job = '{name}'")  # noqa: S608
        if cursor.fetchone()[0] == 0:
            cursor.execute(f"INSERT INTO charges VALUES ('{name}', {amount})")  # noqa: S608
            cursor.execute(f"UPDATE accounts SET balance = balance - {amount}")  # noqa: S608
        connection.commit()


@job
def withdraw_in_two_steps(amount: int) -> None:
    """Note the charge in one transaction and take the money in another: killed in between, it is never taken."""
    with closing(Bank.connect()) as connection, closing(connection.cursor()) as cursor:
        name = str(current_job().id)
        cursor.execute(f"SELECT count(*) FROM charges WHERE job = '{name}'")  # noqa: S608
        if cursor.fetchone()[0] == 0:
            cursor.execute(f"INSERT INTO charges VALUES ('{name}', {amount})")  # noqa: S608
            connection.commit()
            cursor.execute(f"UPDATE accounts SET balance = balance - {amount}")  # noqa: S608
        connection.commit()


@job
def stubborn() -> None:
    """Catch everything, and commit all the same."""
    with closing(Bank.connect()) as connection, closing(connection.cursor()) as cursor:
        try:
            cursor.execute("UPDATE accounts SET balance = balance - 1")
        except BaseException:
            connection.commit()
        finally:
            connection.commit()


@job
def send() -> None:
    Message("ann@example.com", sender="shop@example.com").deliver()
    faults.point("the mail is out")


@job
async def send_slowly() -> None:
    await asyncio.sleep(0)
    send()


@job
def stepwise() -> None:
    for number in current_job().steps([1, 2]):
        done.append(number)
        faults.point(f"{number} is done")


@job
def crash() -> None:
    raise ZeroDivisionError


class Place(NamedTuple):
    """The jobs' database, and that of the application."""

    url: str
    connect: Callable[[], Any]


@pytest.fixture(params=["sqlite", "postgres", "mysql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return Place(f"sqlite:///{tmp_path}/jobs.db", lambda: sqlite3.connect(tmp_path / "jobs.db"))
    url = request.getfixturevalue(f"{request.param}_url")
    if request.param == "postgres":
        return Place(url, lambda: psycopg.connect(url))
    return Place(url, lambda: mysql.connect(url))


@pytest.fixture
def backburner(place: Place) -> Iterator[Harness]:
    """A harness whose jobs are in the same database as the accounts."""
    Bank.connect = place.connect  # type: ignore[method-assign]  # it is a class variable
    with Backburner(place.url, allow=["tests.testing"]) as app, harness(app) as under_test:
        app.migrate()
        Bank.ask(*SCHEMA)
        yield under_test


def perform_all(loop: Iterator[Fault], make: Callable[[], Any]) -> list[str | None]:
    """Perform a job in every fault; return where it was killed."""
    places = []
    for fault in loop:
        fault.perform(make())
        places.append(fault.where)
    return places


def balances(loop: Iterator[Fault], make: Callable[[], Any]) -> dict[str | None, int]:
    """Perform a job in every fault; return the balance after each, by where the job was killed."""
    found = {}
    for fault in loop:
        Bank.ask(*FRESH)
        fault.perform(make())
        found[fault.where] = Bank.balance()
    return found


def test_a_job_that_may_not_be_repeated(backburner_faults: Loop) -> None:
    found = balances(backburner_faults(), lambda: withdraw.delay(10))
    assert found == {
        "before UPDATE accounts SET balance = balance - 10": 90,
        "after UPDATE accounts SET balance = balance - 10": 90,
        "before COMMIT": 90,
        "after COMMIT": 80,
        "when it had returned, before that was noted": 80,
        None: 90,
    }


def test_a_job_that_may_be_repeated(backburner: Harness, backburner_faults: Loop) -> None:
    found = balances(backburner_faults(), lambda: withdraw_once.delay(10))
    assert set(found.values()) == {90}
    assert len(found) == 10  # before and after three statements and a commit, at the end, and not at all
    assert backburner.jobs.count() == 0
    assert backburner.app.workers() == []


def test_a_job_that_forgets_half_of_it(backburner_faults: Loop) -> None:
    found = balances(backburner_faults(), lambda: withdraw_in_two_steps.delay(10))
    assert sorted(set(found.values())) == [90, 100]


def test_what_was_killed_stays_dead(backburner_faults: Loop) -> None:
    found = balances(backburner_faults(), stubborn.delay)
    assert found["after UPDATE accounts SET balance = balance - 1"] == 99  # and not 98: the first time did not count
    assert found["before COMMIT"] == 99


def test_a_crash_is_counted(backburner: Harness, backburner_faults: Loop) -> None:
    Bank.ask(*FRESH)
    for fault in backburner_faults():
        job = withdraw.delay(1)
        fault.perform(job)
        found = backburner.jobs.get(job.id)
        assert (found.state, found.attempts, found.crashes) == ("succeeded", 0, 0 if fault.where is None else 1)


def test_an_assertion_says_where_the_job_was_killed(backburner_faults: Loop) -> None:
    def test() -> None:
        for fault in backburner_faults():
            with fault:
                Bank.ask(*FRESH)
                fault.perform(withdraw.delay(10))
                assert Bank.balance() == 90

    with pytest.raises(AssertionError) as raised:
        test()
    assert raised.value.__notes__ == ["after the job was killed after COMMIT, and performed again"]


def test_a_connection_that_stays_open(place: Place, backburner_faults: Loop) -> None:
    with closing(place.connect()) as Way.shared:
        found = balances(backburner_faults(), on_a_shared_one.delay)
    assert list(found.values()) == [97, 97, 97, 97, 97, 94, 94, 97]


@pytest.mark.parametrize("place", ["postgres"], indirect=True)  # only those of psycopg say when they were not closed
def test_what_a_job_cannot_close_any_more_is_closed(backburner_faults: Loop) -> None:
    balances(backburner_faults(), careless.delay)
    gc.collect()


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_the_ways_of_psycopg(place: Place, backburner_faults: Loop) -> None:
    Bank.ask(*FRESH)
    Way.url = place.url
    assert perform_all(backburner_faults(), in_a_transaction.delay) == [
        "before UPDATE accounts SET balance = %s",
        "after UPDATE accounts SET balance = %s",
        "before COMMIT",
        "after COMMIT",
        "before UPDATE accounts SET balance = 2",
        "after UPDATE accounts SET balance = 2",
        "before COMMIT",
        "after COMMIT",
        "when it had returned, before that was noted",
        None,
    ]
    assert perform_all(backburner_faults(), awaiting.delay)[:4] == [
        "before UPDATE accounts SET balance = 3",
        "after UPDATE accounts SET balance = 3",
        "before COMMIT",
        "after COMMIT",
    ]
    assert Bank.balance() == 3


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_the_ways_of_psycopg2(place: Place, backburner_faults: Loop) -> None:
    Bank.ask(*FRESH)
    Way.url = place.url
    assert perform_all(backburner_faults(), by_psycopg2.delay)[:6] == [
        "before UPDATE accounts SET balance = %s",
        "after UPDATE accounts SET balance = %s",
        "before UPDATE accounts SET balance = 7",
        "after UPDATE accounts SET balance = 7",
        "before COMMIT",
        "after COMMIT",
    ]
    Way.engine = sqlalchemy.create_engine(place.url.replace("postgresql", "postgresql+psycopg2"))
    with Way.engine.connect():
        pass
    assert perform_all(backburner_faults(), by_sqlalchemy.delay)[:4] == [
        "before UPDATE accounts SET balance = 5",
        "after UPDATE accounts SET balance = 5",
        "before COMMIT",
        "after COMMIT",
    ]
    Way.engine.dispose()
    assert Bank.balance() == 5


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
class TestOfAnyDatabase:
    def test_points(self, backburner: Harness, backburner_faults: Loop) -> None:
        for make in (send, send_slowly):
            places, sent = [], []
            for fault in backburner_faults(statements=False):
                Mailer.deliveries.clear()
                fault.perform(make.delay())
                places.append(fault.where)
                sent.append(len(Mailer.deliveries))
            assert places == ["when the mail is out", "when it had returned, before that was noted", None]
            assert sent == [2, 2, 1]
        faults.point("nobody strikes")
        assert backburner.jobs.count() == 0

    def test_a_place_that_was_not_stored_is_lost(self, backburner: Harness, backburner_faults: Loop) -> None:
        found = {}
        for fault in backburner_faults(statements=False):
            done.clear()
            fault.perform(stepwise.delay())
            found[fault.where] = done.copy()
        assert found == {
            "when 1 is done": [1, 1, 2],
            "when 2 is done": [1, 2, 1, 2],
            "when it had returned, before that was noted": [1, 2, 1, 2],
            None: [1, 2],
        }

    def test_the_ways_of_sqlite3(self, backburner_faults: Loop) -> None:
        def in_a_block(connection: sqlite3.Connection) -> None:
            with connection:
                connection.execute("UPDATE accounts SET balance = 1")
                connection.executemany("UPDATE accounts SET balance = ?", [(2,)])

        def in_a_script(connection: sqlite3.Connection) -> None:
            connection.executescript("UPDATE accounts SET balance = 3")

        Bank.ask(*FRESH)
        for way, places in ((in_a_block, 6), (in_a_script, 2)):
            Way.go = way
            assert len(perform_all(backburner_faults(), go.delay)) == places + 2

    def test_a_library_in_between(self, backburner_faults: Loop, tmp_path: Path) -> None:
        Bank.ask(*FRESH)
        Way.engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/jobs.db")
        with Way.engine.connect():
            pass  # the first connection asks more than those after it
        assert perform_all(backburner_faults(), by_sqlalchemy.delay)[:4] == [
            "before UPDATE accounts SET balance = 5",
            "after UPDATE accounts SET balance = 5",
            "before COMMIT",
            "after COMMIT",
        ]
        Way.engine.dispose()

    def test_sqlite_in_an_event_loop(self, backburner_faults: Loop, tmp_path: Path) -> None:
        Bank.ask(*FRESH)
        Way.url = str(tmp_path / "jobs.db")
        assert perform_all(backburner_faults(), by_aiosqlite.delay)[:4] == [
            "before UPDATE accounts SET balance = 4",
            "after UPDATE accounts SET balance = 4",
            "before COMMIT",
            "after COMMIT",
        ]

    def test_what_the_job_raises_leaves_the_loop(self, backburner: Harness, backburner_faults: Loop) -> None:
        with pytest.raises(ZeroDivisionError):
            perform_all(backburner_faults(), crash.delay)
        assert backburner.jobs.last().attempts == 1

    def test_a_job_that_is_never_performed(self, backburner_faults: Loop) -> None:
        with pytest.raises(AssertionError, match=r"^expected the body of the loop to call fault.perform\(job\)$"):
            for _ in backburner_faults():
                pass

    def test_a_job_whose_connection_is_not_seen(self, backburner: Harness, backburner_faults: Loop) -> None:
        with pytest.raises(
            AssertionError, match=r"^expected statements on a connection of sqlite3, psycopg, psycopg2 or PyMySQL"
        ):
            perform_all(backburner_faults(), send.delay)

    def test_a_harness_on_a_connection(self, place: Place) -> None:
        with (
            closing(place.connect()) as connection,
            Backburner(place.url) as app,
            harness(app, connection=connection) as under_test,
            pytest.raises(ConfigurationError, match=r"^faults: expected a database of the test's own, got a harness"),
        ):
            next(faults.everywhere(under_test))

    def test_drivers_are_left_as_they_were(self, backburner: Harness) -> None:
        before = (sqlite3.connect, psycopg.Cursor.execute, psycopg.Connection.commit)
        for fault in faults.everywhere(backburner):
            Bank.ask(*FRESH)
            fault.perform(withdraw.delay(1))
        assert (sqlite3.connect, psycopg.Cursor.execute, psycopg.Connection.commit) == before


class Way:
    """How the job uses its connection."""

    go: ClassVar[Callable[[sqlite3.Connection], None]]
    engine: ClassVar[sqlalchemy.Engine]
    url: ClassVar[str]
    shared: ClassVar[Any]


@job
def go() -> None:
    with closing(Bank.connect()) as connection:
        Way.go(connection)


@job
def on_a_shared_one() -> None:
    with closing(Way.shared.cursor()) as cursor:
        cursor.execute("UPDATE accounts SET balance = balance - 1")
        cursor.execute("UPDATE accounts SET balance = balance - 2")
    Way.shared.commit()


@job
def careless() -> None:
    connection = Bank.connect()
    connection.cursor().execute("UPDATE accounts SET balance = 2")
    connection.commit()
    connection.close()


@job
def in_a_transaction() -> None:
    with psycopg.connect(Way.url) as connection:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.executemany("UPDATE accounts SET balance = %s", [(1,)])
        connection.execute("UPDATE accounts SET balance = 2")


@job
def by_psycopg2() -> None:
    with (
        closing(psycopg2.connect(Way.url, cursor_factory=RealDictCursor)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.executemany("UPDATE accounts SET balance = %s", [(6,)])
        cursor.execute("UPDATE accounts SET balance = 7")


@job
async def awaiting() -> None:
    connection = await psycopg.AsyncConnection.connect(Way.url)
    async with connection, connection.transaction():
        await connection.execute("UPDATE accounts SET balance = 3")


@job
async def by_aiosqlite() -> None:
    async with aiosqlite.connect(Way.url) as connection:
        await connection.execute("UPDATE accounts SET balance = 4")
        await connection.commit()


@job
def by_sqlalchemy() -> None:
    with Way.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE accounts SET balance = 5")


class Charges(BackburnerTestCase):
    def test_faults(self) -> None:
        places = []
        for fault in self.faults(statements=False):
            with fault:
                fault.perform(send.delay())
                places.append(fault.where)
        assert len(places) == 3


def test_under_unittest() -> None:
    result = run(Charges)
    assert (result.errors, result.failures, result.testsRun) == ([], [], 1)
