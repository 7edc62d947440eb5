"""No statement of the hot path reads or sorts a table: what it costs does not depend on how many jobs there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from itertools import count
from statistics import median
from typing import Any, NamedTuple

import pytest
from pymysql.connections import Connection

from backburner.authoring.ids import UuidMaker
from backburner.core.job import Progress
from backburner.core.lifecycle import Move, State
from backburner.core.ops import Op, Statement
from backburner.core.ports import Claimed, ClaimRequest, JobFilter, Settlement, WorkerInfo, lease_of
from backburner.core.times import system_now
from backburner.stores.open import open_store
from backburner.stores.sql.mysql.store import MySQLStore
from backburner.testing.contract.driving import new_job
from tests.servers.finding import MYSQL
from tests.servers.fixtures import skip_if_missing
from tests.servers.mysql import FAST, MySQLServer
from tests.stores.mysql import connect
from tests.stores.mysql_crowds import Crowd
from tests.stores.mysql_plans import EXPLAINABLE, Explained, ExplainingSession, Row, complaints

FEW, MANY, DEAD = 1_000, 1_000_000, 100_000

MOST_ROWS, MOST_ROWS_OF_A_PAGE = 110, 210
"""Rows that a statement may read for at most twenty jobs, and for a hundred that are looked at.

Those are the rows of all tables that it goes through, of the list of ids that it is given, and of the table that MySQL
makes of what an UPDATE joins.
"""

PAGES_OF_A_CLAIM, PAGES_OF_A_JOB, PAGES_OF_DEAD = 60, 60, 500
"""Pages of 16 kB: what a claim may look at altogether is so much, and so much for each job that it claims and settles.

The last is what it must pass over at the least where 100,000 jobs were deleted, when it begins before them.
"""

next_id = UuidMaker()  # such as applications make, not those of the tests, which look old

Connect = Callable[[str], "Connection[Any]"]
Make = Callable[[MySQLStore, Crowd], Op[Any]]


def request(crowd: Crowd, *, limit: int = 10, **fields: Any) -> ClaimRequest:
    return ClaimRequest(lease_of(crowd.worker, 2), "ann", limit, **fields)


def ends(crowd: Crowd, move: Move, **fields: Any) -> list[Settlement]:
    now = system_now()
    return [Settlement(job, crowd.lease, move, run_at=now, error="why", **fields) for job in crowd.running]


def brand_new(number: int) -> list[Any]:
    return [new_job(system_now(), id=next_id()) for _ in range(number)]


SETTLEMENTS: dict[str, Make] = {
    f"settle: {move.value}{'' if keep else ', not kept'}": lambda store, crowd, move=move, keep=keep: store.settle(
        ends(crowd, move, keep=keep)
    )
    for move in (Move.FINISH, Move.RETRY, Move.SNOOZE, Move.RELEASE, Move.FAIL, Move.CANCEL)
    for keep in (True, False)
} | {
    "settle: finish with a result": lambda store, crowd: store.settle(ends(crowd, Move.FINISH, result='"done"')),
    "settle: release, crashed": lambda store, crowd: store.settle(ends(crowd, Move.RELEASE, crashed=True)),
    "settle what is lost": lambda store, crowd: store.settle(
        [settlement._replace(lease=lease_of(crowd.worker, 9)) for settlement in ends(crowd, Move.FINISH)]
    ),
}
CLAIMS: dict[str, Make] = {
    "claim from all queues": lambda store, crowd: store.claim(request(crowd)),
    "claim and settle": lambda store, crowd: store.claim(request(crowd), ends(crowd, Move.FINISH)),
    "claim from one queue": lambda store, crowd: store.claim(request(crowd, queues=("single",))),
    "claim from many queues": lambda store, crowd: store.claim(request(crowd, queues=("default", "mail", "late"))),
    "claim from some priorities": lambda store, crowd: store.claim(request(crowd, min_priority=1, max_priority=4)),
    "claim from other queues": lambda store, crowd: store.claim(request(crowd, exclude=("default", "urgent"))),
    "claim carefully": lambda store, crowd: store.claim(request(crowd, queues=("suspect",))),
    "claim nothing": lambda store, crowd: store.claim(request(crowd, queues=("nobody's",))),
    "claim once more": lambda store, crowd: store.claim(
        ClaimRequest(crowd.lease, "ann", 10, repeats=True), ends(crowd, Move.FINISH)
    ),
    "claim one": lambda store, crowd: store.claim_one(crowd.queued[0], lease_of(crowd.worker, 2), "ann"),
}
ENQUEUES: dict[str, Make] = {
    "enqueue": lambda store, crowd: store.enqueue(brand_new(1)),
    "enqueue many": lambda store, crowd: store.enqueue(brand_new(20)),
    "enqueue what may be there": lambda store, crowd: store.enqueue([new_job() for _ in range(20)]),
}
CHANGES: dict[str, Make] = {
    "cancel": lambda store, crowd: store.cancel(crowd.queued[0]),
    "cancel a running job": lambda store, crowd: store.cancel(crowd.running[0]),
    "requeue": lambda store, crowd: store.requeue(crowd.queued[0]),
    "requeue a failed job": lambda store, crowd: store.requeue(crowd.failed[0]),
    "requeue a cancelled job": lambda store, crowd: store.requeue(crowd.finished[1]),
    "delete": lambda store, crowd: store.delete(crowd.queued[0]),
    "delete a running job": lambda store, crowd: store.delete(crowd.running[0]),
    "delete a finished job": lambda store, crowd: store.delete(crowd.finished[0]),
    "get": lambda store, crowd: store.get(crowd.queued[0]),
    "get a finished job": lambda store, crowd: store.get(crowd.finished[0]),
}
UPKEEP: dict[str, Make] = {
    "report progress": lambda store, crowd: store.report_progress(crowd.running[0], crowd.lease, Progress(1, 2, None)),
    "standing": lambda store, crowd: store.standing([(job, crowd.lease) for job in crowd.running]),
    "is cancel requested": lambda store, crowd: store.is_cancel_requested(crowd.running[0], crowd.lease),
    "beat": lambda store, crowd: store.beat(crowd.worker),
    "check in": lambda store, crowd: store.check_in(30, crowd.worker, request(crowd)),
    "check in for some queues": lambda store, crowd: store.check_in(
        30, crowd.worker, request(crowd, queues=("default", "mail"))
    ),
    "check in without a wish": lambda store, crowd: store.check_in(30, crowd.worker),
    "retire": lambda store, crowd: store.retire(crowd.worker),
    "rescue": lambda store, crowd: store.rescue(0),
    "rescue nobody": lambda store, crowd: store.rescue(3600),
    "prune": lambda store, crowd: store.prune(system_now() - timedelta(days=5), limit=20),
}
LOOKS: dict[str, Make] = {
    "next page": lambda store, crowd: store.find(JobFilter(), after=crowd.queued[0]),
    "last page": lambda store, crowd: store.find(JobFilter(), newest_first=True),
    "next page of failed jobs": lambda store, crowd: store.find(only(State.FAILED), after=crowd.failed[0]),
    "last page of failed jobs": lambda store, crowd: store.find(only(State.FAILED), newest_first=True),
    "next page of finished jobs": lambda store, crowd: store.find(
        only(State.SUCCEEDED, State.CANCELLED), after=crowd.finished[0]
    ),
    "next page of all jobs": lambda store, crowd: store.find(only(*State), after=crowd.queued[0]),
    "last page of all jobs": lambda store, crowd: store.find(only(*State), newest_first=True),
}
OF_PEOPLE = {
    *("count_finished", "count_jobs", "find_in_state", "oldest", "queue_counts", "workers"),
    *("next_jobs", "next_finished"),
    *("lock_jobs", "lock_finished", "not_running", "pause", "resume", "register", "new_number"),
    *("note_migration", "schema_version", "take_turn"),
}
"""The statements that nobody waits for while jobs are performed; some of them are for all jobs."""

HOT = {**SETTLEMENTS, **CLAIMS, **ENQUEUES, **CHANGES, **UPKEEP}


def only(*states: State) -> JobFilter:
    return JobFilter(states=frozenset(states))


class Database(NamedTuple):
    """A database with a crowd of jobs in it."""

    url: str
    crowd: Crowd


@pytest.fixture(scope="module")
def server() -> Iterator[MySQLServer]:
    """A server of this module's own, with room for a million jobs."""
    skip_if_missing(MYSQL)
    room = {
        "innodb-buffer-pool-size": "512M",
        "loose-innodb-log-file-size": "256M",
        "loose-innodb-redo-log-capacity": "512M",
        "innodb-flush-log-at-trx-commit": "0",
    }
    with MySQLServer({**FAST, **room}) as server:
        yield server


@pytest.fixture(scope="module")
def hardly_any(server: MySQLServer) -> Iterator[Database]:
    """A few jobs of each kind."""
    with crowded(server) as database:
        yield database


@pytest.fixture(scope="module")
def thousand(server: MySQLServer) -> Iterator[Database]:
    """A thousand jobs, with statistics."""
    with crowded(server, FEW) as database:
        analyze(database)
        yield database


@pytest.fixture(scope="module")
def million(server: MySQLServer) -> Iterator[Database]:
    """A million jobs, and the statistics that the server has made by itself meanwhile."""
    with crowded(server, FEW, MANY) as database:
        yield database


@pytest.fixture(scope="module")
def known_million(million: Database) -> Database:
    """A million jobs, with statistics."""
    analyze(million)
    return million


@contextmanager
def crowded(server: MySQLServer, *sizes: int) -> Iterator[Database]:
    """Give a database with layers of so many jobs."""
    with server.fresh_database() as url, closing(connect(url)) as connection, closing(opened(url)) as store:
        crowd = Crowd(store, connection)
        for size in sizes:
            crowd.add_layer(size)
        store.close()
        yield Database(url, crowd)


def analyze(database: Database) -> None:
    with closing(connect(database.url)) as connection, connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE backburner_jobs, backburner_ready, backburner_running, backburner_finished")


def opened(url: str) -> MySQLStore:
    store = open_store(url)
    assert isinstance(store, MySQLStore)
    return store


MILLIONS = [pytest.param(name, marks=pytest.mark.slow) for name in ("million", "known_million")]


@pytest.fixture(params=["hardly_any", "thousand", *MILLIONS])
def database(request: pytest.FixtureRequest) -> Database:
    return request.getfixturevalue(request.param)


def own_session(url: str) -> Connection[Any]:
    """Connect as the store does."""
    return opened(url)._server.connect().connection


def session_of_the_caller(url: str) -> Connection[Any]:
    """Connect as an application does: REPEATABLE READ, and nothing is set."""
    return connect(url)


def check(database: Database, connect: Connect, make: Make, most: int = MOST_ROWS) -> None:
    """Check how the statements of an operation are performed."""
    store = opened(database.url)
    with closing(connect(database.url)) as connection:
        found = ExplainingSession(connection, store).explain(make(store, database.crowd))
    assert found
    for each in found:
        assert each.complaints == [], str(each)
        assert each.rows_read <= most, str(each)


@pytest.mark.parametrize("name", HOT)
def test_a_hot_operation_reads_by_index_alone(database: Database, name: str) -> None:
    check(database, own_session, HOT[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", LOOKS)
def test_so_does_a_page(known_million: Database, name: str) -> None:
    check(known_million, own_session, LOOKS[name], MOST_ROWS_OF_A_PAGE)


@pytest.mark.parametrize("name", ENQUEUES)
def test_so_it_is_on_a_connection_of_the_caller(database: Database, name: str) -> None:
    check(database, session_of_the_caller, HOT[name])


def test_every_statement_is_among_them(thousand: Database) -> None:
    store = opened(thousand.url)
    with closing(own_session(thousand.url)) as connection:
        session = ExplainingSession(connection, store)
        found = [each.template for make in HOT.values() for each in session.explain(make(store, thousand.crowd))]
    beginnings = {name: text.partition("{")[0] for name, text in store._sql.items() if EXPLAINABLE.match(text)}
    never = {name for name, text in beginnings.items() if not any(done.startswith(text) for done in found)}
    assert never == OF_PEOPLE


# Rows that were deleted and cannot be cleared away.


@contextmanager
def pinned(url: str) -> Iterator[None]:
    """Let a transaction see how everything is now, so that no row that is deleted within the block can go."""
    with closing(connect(url)) as other, other.cursor() as cursor:
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        yield


class Worker:
    """Claims and finishes as a worker does: each claim settles what the last one gave."""

    def __init__(self, store: MySQLStore) -> None:
        self._store = store
        self._number = store.run(store.register(WorkerInfo("ann", "host", 1, None, 1)))
        self._batches = count(1)
        self._done: list[Settlement] = []

    def claim(self, limit: int) -> Op[Claimed]:
        """Return the next claim."""
        return self._store.claim(ClaimRequest(lease_of(self._number, next(self._batches)), "ann", limit), self._done)

    def perform(self, limit: int) -> None:
        """Claim so many jobs, and have them done."""
        jobs = self._store.run(self.claim(limit)).jobs
        assert len(jobs) == limit
        self._done = [Settlement(job.id, job.lease or 0, Move.FINISH) for job in jobs]


@pytest.fixture
def worn(server: MySQLServer) -> Iterator[MySQLStore]:
    """A store from which 100,000 jobs have gone, none of which can be cleared away."""
    with crowded(server) as database, closing(opened(database.url)) as store:
        database.crowd.add_line(DEAD + 2_000)
        with pinned(database.url), closing(connect(database.url)) as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM backburner_jobs WHERE created_at < %s", [DEAD])
            cursor.execute("DELETE FROM backburner_ready WHERE run_at < %s", [DEAD])
            connection.commit()
            yield store


@pytest.mark.slow
def test_a_claim_does_not_pass_over_deleted_rows(worn: MySQLStore) -> None:
    worker = Worker(worn)
    with closing(own_session(worn.url)) as connection:
        session = ExplainingSession(connection, worn)
        for limit in (1, 10, 100):
            claims, looks = [], []
            for _ in range(5):
                worker.perform(limit)
                claims.append(pages_of(session.explain(worker.claim(limit))))
                worn._forget()
                looks.append(pages_of(session.explain(worker.claim(limit))))
            assert median(looks) > PAGES_OF_DEAD + median(claims), "there are no deleted rows"
            assert median(claims) <= PAGES_OF_A_CLAIM + PAGES_OF_A_JOB * limit


def pages_of(found: list[Explained]) -> int:
    return sum(each.pages for each in found)


# The checks themselves.

TOO_MUCH = [
    "SELECT id FROM backburner_jobs WHERE name = 'x'",
    "SELECT id FROM backburner_finished WHERE name = 'x'",
    "SELECT id FROM backburner_jobs WHERE name = 'x' ORDER BY id LIMIT 1",
    "SELECT id FROM backburner_ready WHERE crashes = 1 ORDER BY run_at LIMIT 1",
    "SELECT count(*) FROM backburner_ready WHERE crashes < 5",
    "SELECT 1 FROM backburner_jobs AS jobs JOIN backburner_finished AS done ON jobs.created_at = done.run_at + 5",
]


@pytest.mark.parametrize("text", TOO_MUCH)
def test_what_reads_too_much_is_found(thousand: Database, text: str) -> None:
    found = explained_by_itself(thousand, text)
    assert found.complaints, str(found)
    assert found.rows_read > MOST_ROWS, str(found)


def test_so_is_what_only_mariadb_sorts(thousand: Database, server: MySQLServer) -> None:
    if not server.is_mariadb:
        pytest.skip("MySQL sees that one queue is in order")
    text = "SELECT queue FROM backburner_ready WHERE queue = 'default' ORDER BY queue, priority, run_at, id LIMIT 1"
    test_what_reads_too_much_is_found(thousand, text)


def test_so_are_the_rows_that_a_condition_passes_over(thousand: Database) -> None:
    found = explained_by_itself(
        thousand,
        "SELECT id FROM backburner_ready FORCE INDEX (PRIMARY) WHERE queue = 'default' AND crashes = 1 LIMIT 1",
    )
    assert found.complaints == [], str(found)
    assert found.rows_read > MOST_ROWS


def explained_by_itself(database: Database, text: str) -> Explained:
    def asking() -> Op[None]:
        yield Statement(text)

    with closing(own_session(database.url)) as connection:
        (found,) = ExplainingSession(connection, opened(database.url)).explain(asking())
    return found


def line(kind: str, table: str = "jobs", *, rows: int | None = 1, extra: str = "") -> Row:
    return {"table": table, "type": kind, "rows": rows, "Extra": extra}


@pytest.mark.parametrize(
    ("plan", "text", "number"),
    [
        (line("ALL"), "", 1),
        (line("ALL", "backburner_jobs"), "", 1),
        (line("ALL", "wanted"), "", 0),
        (line("ALL", "backburner_workers"), "", 0),
        (line("ALL", rows=None), "", 0),
        (line("eq_ref"), "", 0),
        (line("range", "ready", extra="Using where"), "", 0),
        (line("index"), "", 1),
        (line("index"), "SELECT 1 LIMIT 1", 0),
        (line("index", rows=5), "SELECT 1 LIMIT 1", 1),
        (line("index", extra="Using where"), "SELECT 1 LIMIT 1", 1),
        (line("ref", extra="Using where; Using filesort"), "", 1),
        (line("ref", extra="Using temporary"), "", 1),
        (line("ref", extra="Using join buffer (flat, BNL join)"), "", 1),
        (line("ref", "wanted", extra="Using temporary; Using filesort"), "", 0),
    ],
)
def test_what_is_said_of_a_plan(plan: Row, text: str, number: int) -> None:
    assert len(list(complaints([plan], text))) == number
