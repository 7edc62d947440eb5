"""No statement of the hot path reads or sorts a table: what it costs does not depend on how many jobs there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from itertools import count
from statistics import median
from typing import Any, NamedTuple

import psycopg
import pytest

from backburner.authoring.ids import UuidMaker
from backburner.core.job import Progress
from backburner.core.lifecycle import Move, State
from backburner.core.ops import Op, Statement
from backburner.core.ports import Claimed, ClaimRequest, JobFilter, Settlement, WorkerInfo, lease_of
from backburner.core.times import system_now
from backburner.stores.open import open_store
from backburner.stores.sql.postgres.floors import MANY_QUEUES
from backburner.stores.sql.postgres.store import PostgresStore
from backburner.testing.contract.driving import new_job
from tests.servers.postgres import Postgres
from tests.stores.postgres_crowds import Crowd
from tests.stores.postgres_plans import Explained, ExplainingSession, Node, complaints

FEW, MANY, DEAD = 1_000, 1_000_000, 100_000

MOST_PAGES = 500
"""Pages of 8 kB that a statement may look at for about ten jobs; a million jobs and their indexes fill 50,000."""

LEFT_BY_OTHERS = 50
"""Pages more where all operations went before, each undone, and nothing has cleared away what they left."""

PAGES_OF_A_CLAIM, PAGES_OF_BOTH = 20, 30
"""For each job that is claimed, and for each that is claimed while another one is settled."""

next_id = UuidMaker()  # such as applications make, not those of the tests, which look old

Connect = Callable[[str], psycopg.Connection[Any]]
Make = Callable[[PostgresStore, Crowd], Op[Any]]


def request(crowd: Crowd, *, limit: int = 10, **fields: Any) -> ClaimRequest:
    return ClaimRequest(lease_of(crowd.worker, 2), "ann", limit, **fields)


def ends(crowd: Crowd, move: Move, *, keep: bool = True) -> list[Settlement]:
    now = system_now()
    return [Settlement(job, crowd.lease, move, run_at=now, error="why", keep=keep) for job in crowd.running]


def brand_new(number: int) -> list[Any]:
    return [new_job(system_now(), id=next_id()) for _ in range(number)]


SETTLEMENTS: dict[str, Make] = {
    f"settle: {move.value}{'' if keep else ', not kept'}": lambda store, crowd, move=move, keep=keep: store.settle(
        ends(crowd, move, keep=keep)
    )
    for move in (Move.FINISH, Move.RETRY, Move.SNOOZE, Move.RELEASE, Move.FAIL, Move.CANCEL)
    for keep in (True, False)
}
CLAIMS: dict[str, Make] = {
    "claim from all queues": lambda store, crowd: store.claim(request(crowd)),
    "claim and settle": lambda store, crowd: store.claim(request(crowd), ends(crowd, Move.FINISH)),
    "claim from one queue": lambda store, crowd: store.claim(request(crowd, queues=("single",))),
    "claim from single queues": lambda store, crowd: store.claim(request(crowd, queues=("single", "urgent"))),
    "claim from many queues": lambda store, crowd: store.claim(request(crowd, queues=("default", "mail"))),
    "claim carefully from one queue": lambda store, crowd: store.claim(request(crowd, queues=("suspect",))),
    "claim carefully from single queues": lambda store, crowd: store.claim(request(crowd, queues=("suspect", "late"))),
    "claim nothing": lambda store, crowd: store.claim(request(crowd, queues=("nobody's",))),
    "claim once more": lambda store, crowd: store.claim(
        ClaimRequest(crowd.lease, "ann", 10, repeats=True), ends(crowd, Move.FINISH)
    ),
    "claim one": lambda store, crowd: store.claim_one(crowd.queued[0], lease_of(crowd.worker, 2), "ann"),
}
ENQUEUES: dict[str, Make] = {
    "enqueue": lambda store, crowd: store.enqueue(brand_new(1)),
    "enqueue many": lambda store, crowd: store.enqueue(brand_new(20)),
    "enqueue what may be there": lambda store, crowd: store.enqueue([new_job() for _ in range(15)]),
}
CHANGES: dict[str, Make] = {
    "cancel": lambda store, crowd: store.cancel(crowd.queued[0]),
    "cancel a running job": lambda store, crowd: store.cancel(crowd.running[0]),
    "requeue a failed job": lambda store, crowd: store.requeue(crowd.failed[0]),
    "requeue a cancelled job": lambda store, crowd: store.requeue(crowd.finished[1]),
    "delete": lambda store, crowd: store.delete(crowd.queued[0]),
    "delete a finished job": lambda store, crowd: store.delete(crowd.finished[0]),
    "get": lambda store, crowd: store.get(crowd.queued[0]),
    "get a finished job": lambda store, crowd: store.get(crowd.finished[0]),
}
UPKEEP: dict[str, Make] = {
    "report progress": lambda store, crowd: store.report_progress(crowd.running[0], crowd.lease, Progress(1, 2, None)),
    "standing": lambda store, crowd: store.standing([(job, crowd.lease) for job in crowd.running]),
    "crash": lambda store, crowd: store.settle([Settlement(crowd.running[0], crowd.lease, Move.SNOOZE, crashed=True)]),
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
    "prune": lambda store, crowd: store.prune(system_now() - timedelta(days=1), limit=20),
}
HOT = {**SETTLEMENTS, **CLAIMS, **ENQUEUES, **CHANGES, **UPKEEP}
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


def only(*states: State) -> JobFilter:
    return JobFilter(states=frozenset(states))


class Database(NamedTuple):
    """A database with a crowd of jobs in it."""

    url: str
    crowd: Crowd


@pytest.fixture(scope="module")
def thousand(postgres_server: Postgres) -> Iterator[Database]:
    """A thousand jobs, without statistics."""
    with crowded(postgres_server, FEW, analyzed_with=None) as database:
        yield database


@pytest.fixture(scope="module")
def known_thousand(postgres_server: Postgres) -> Iterator[Database]:
    """A thousand jobs, with statistics."""
    with crowded(postgres_server, FEW, analyzed_with=FEW) as database:
        yield database


@pytest.fixture(scope="module")
def million(postgres_server: Postgres) -> Iterator[Database]:
    """A million jobs, and statistics from when there were a thousand."""
    with crowded(postgres_server, FEW, MANY, analyzed_with=FEW) as database:
        yield database


@pytest.fixture(scope="module")
def known_million(postgres_server: Postgres, million: Database) -> Iterator[Database]:
    """A million jobs, with statistics that are true."""
    with copy_of(million, postgres_server) as database, connected(database.url) as connection:
        connection.execute("ANALYZE")
        yield database


@contextmanager
def crowded(server: Postgres, *sizes: int, analyzed_with: int | None) -> Iterator[Database]:
    """Give a database with layers of so many jobs, and statistics from when the first of them were there, if ever."""
    with server.fresh_database() as url, connected(url) as connection, closing(opened(url)) as store:
        crowd = Crowd(store, connection)
        for size in sizes:
            crowd.add_layer(size)
            if size == analyzed_with:
                connection.execute("ANALYZE")
        store.close()
        yield Database(url, crowd)


@contextmanager
def copy_of(original: Database, server: Postgres) -> Iterator[Database]:
    name = original.url.rpartition("/")[2]
    server.execute_as_admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
    server.execute_as_admin(f"CREATE DATABASE {name}_copy TEMPLATE {name}")
    try:
        yield original._replace(url=server.url(f"{name}_copy"))
    finally:
        server.drop_database(f"{name}_copy")


def connected(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url, autocommit=True)


def opened(url: str) -> PostgresStore:
    store = open_store(url)
    assert isinstance(store, PostgresStore)
    return store


MILLIONS = [pytest.param(name, marks=pytest.mark.slow) for name in ("million", "known_million")]


@pytest.fixture(params=["thousand", "known_thousand", *MILLIONS])
def database(request: pytest.FixtureRequest) -> Database:
    return request.getfixturevalue(request.param)


# Sessions: what a plan is made for depends on how they are set up.


def own_session(url: str) -> psycopg.Connection[Any]:
    """Connect as the store does; every statement is prepared, and its plan is for any parameters."""
    connection = opened(url)._server.connect().connection
    connection.prepare_threshold = 0
    return connection


def pooled_session(url: str) -> psycopg.Connection[Any]:
    """Connect as the store does behind a pooler: nothing is set or prepared, a plan is for its parameters."""
    return opened(f"{url}?pooler=yes")._server.connect().connection


def session_of_the_caller(url: str) -> psycopg.Connection[Any]:
    """Connect as an application does that prepares its statements; nothing else is set."""
    options = "-c plan_cache_mode=force_generic_plan"
    return psycopg.connect(url, autocommit=True, prepare_threshold=0, options=options)


def check(database: Database, connect: Connect, make: Make) -> None:
    """Check how the statements of an operation are performed."""
    store = opened(database.url)
    with connect(database.url) as connection:
        found = ExplainingSession(connection, store).explained(make(store, database.crowd))
    assert found
    for each in found:
        assert each.complaints == [], str(each)
        assert each.pages <= MOST_PAGES, str(each)


@pytest.mark.parametrize("name", HOT)
def test_a_hot_operation_reads_by_index_alone(database: Database, name: str) -> None:
    check(database, own_session, HOT[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", LOOKS)
def test_so_does_a_page(known_million: Database, name: str) -> None:
    check(known_million, own_session, LOOKS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", {**HOT, **LOOKS})
def test_so_it_is_behind_a_pooler_when_the_statistics_are_true(known_million: Database, name: str) -> None:
    check(known_million, pooled_session, {**HOT, **LOOKS}[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", {**SETTLEMENTS, **CLAIMS, **ENQUEUES, **CHANGES})
def test_so_it_is_on_a_connection_of_the_caller(known_million: Database, name: str) -> None:
    check(known_million, session_of_the_caller, HOT[name])


def test_every_form_of_a_claim_is_among_them(thousand: Database) -> None:
    store = opened(thousand.url)
    with own_session(thousand.url) as connection:
        session = ExplainingSession(connection, store)
        found = [each for make in CLAIMS.values() for each in session.explained(make(store, thousand.crowd))]
    never = {store._claims["claim", MANY_QUEUES]}  # from many queues a claim is always careful
    missing = set(store._claims.values()) - never - {each.text for each in found}
    assert [form for form, text in store._claims.items() if text in missing] == []


def test_plans_that_are_kept_while_the_table_grows(postgres_server: Postgres) -> None:
    """Without new statistics nothing tells the server that a plan is for another table now."""
    with crowded(postgres_server, FEW, analyzed_with=FEW) as database, own_session(database.url) as connection:
        session = ExplainingSession(connection, opened(database.url))
        operations = [lambda make=make: make(opened(database.url), database.crowd) for make in HOT.values()]
        for operation in operations:
            session.explained(operation())
        database.crowd.add_layer(100 * FEW)
        found = [each for operation in operations for each in session.explained(operation())]
    for each in found:
        assert each.complaints == [], str(each)
        assert each.pages <= MOST_PAGES + LEFT_BY_OTHERS, str(each)


# Dead rows that nothing can clear away.


@contextmanager
def pinned(url: str) -> Iterator[None]:
    """Let a transaction see how everything is now, so that no row that dies within the block can be cleared away."""
    with connected(url) as other, other.transaction():
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        other.execute("SELECT count(*) FROM backburner_workers")
        yield


class Worker:
    """Claims and finishes as a worker does: each claim settles what the last one gave."""

    def __init__(self, store: PostgresStore) -> None:
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

    def settle(self) -> None:
        """Settle what is done."""
        self._store.run(self._store.settle(self._done))
        self._done = []


@pytest.fixture
def worn(postgres_url: str) -> Iterator[tuple[PostgresStore, Worker]]:
    """A store in which 100,000 jobs have come and gone, none of which could be cleared away."""
    with closing(opened(postgres_url)) as store:
        store.migrate()
        store.run(store.prune(system_now()))
        with pinned(postgres_url):
            store.run(store.enqueue(brand_new(DEAD + 5_000)))
            worker = Worker(store)
            for _ in range(DEAD // 1000):
                worker.perform(1000)
            yield store, worker


@pytest.mark.slow
def test_a_claim_does_not_pass_over_dead_rows(worn: tuple[PostgresStore, Worker]) -> None:
    store, worker = worn
    with own_session(store.url) as connection:
        session = ExplainingSession(connection, store)
        store._forget()
        look, *_ = session.explained(worker.claim(1))
        assert look.pages > 50 * PAGES_OF_A_CLAIM, "there are no dead rows"
        for limit in (1, 10, 100):
            pages = [pages_of_next_claim(session, worker, limit) for _ in range(7)]
            assert median(pages) <= PAGES_OF_A_CLAIM * limit
            worker.perform(limit)
            (both,) = session.explained(worker.claim(limit))
            assert both.pages <= PAGES_OF_BOTH * limit


def pages_of_next_claim(session: ExplainingSession, worker: Worker, limit: int) -> int:
    """Return what a claim looks at that follows on another one."""
    worker.perform(limit)
    worker.settle()
    (claim,) = session.explained(worker.claim(limit))
    return claim.pages


# The checks themselves.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("connect", "condition"),
    [(own_session, "(id = $1)"), (session_of_the_caller, "(id = $1)"), (pooled_session, "(id = '01900000-")],
)
def test_the_plans_are_those_of_such_sessions(known_million: Database, connect: Connect, condition: str) -> None:
    store = opened(known_million.url)
    with connect(known_million.url) as connection:
        (found,) = ExplainingSession(connection, store).explained(store.get(known_million.crowd.queued[0]))
    assert condition in str(found)


TOO_MUCH = [
    "SELECT id FROM backburner_jobs WHERE name = 'x'",
    "SELECT id FROM backburner_finished WHERE name = 'x'",
    "SELECT id FROM backburner_jobs WHERE state = 'failed' AND name = 'x' ORDER BY id LIMIT 1",
    "SELECT count(*) FROM backburner_jobs",
    "SELECT id FROM backburner_jobs WHERE state = 'queued' AND queue = 'mail' ORDER BY run_at LIMIT 1",
    "SELECT 1 FROM backburner_jobs AS a, backburner_finished AS b WHERE a.created_at = b.created_at",
]


@pytest.mark.slow
@pytest.mark.parametrize("connect", [own_session, pooled_session])
@pytest.mark.parametrize("text", TOO_MUCH)
def test_what_reads_too_much_is_found(known_million: Database, text: str, connect: Connect) -> None:
    found = explained_by_itself(known_million, text, connect)
    assert found.complaints, str(found)
    assert found.pages > MOST_PAGES


@pytest.mark.slow
def test_so_are_the_pages_that_a_filter_passes_over(known_million: Database) -> None:
    text = "SELECT id FROM backburner_jobs WHERE id > '01900000-0000-7000-8000-000000000000' AND name = 'x'"
    found = explained_by_itself(known_million, text, own_session)
    assert found.complaints == [], str(found)
    assert found.pages > MOST_PAGES


def explained_by_itself(database: Database, text: str, connect: Connect) -> Explained:
    def asking() -> Op[None]:
        yield Statement(text)

    with connect(database.url) as connection:
        (found,) = ExplainingSession(connection, opened(database.url)).explained(asking())
    return found


def node(kind: str, *children: Node, **fields: str) -> Node:
    return {"Node Type": kind, "Plans": children, **{name.replace("_", " "): value for name, value in fields.items()}}


def jobs(kind: str, **fields: str) -> Node:
    return node(kind, Relation_Name="backburner_jobs", **fields)


ALONG = jobs("Index Scan", Index_Cond="(queue = $1)")
BY_ID = jobs("Index Scan", Index_Cond="(id = ANY ($1))")
WHOLE = jobs("Index Scan")
FILTERED = jobs("Index Scan", Filter="(name = $1)")


@pytest.mark.parametrize(
    ("plan", "number"),
    [
        (jobs("Seq Scan"), 1),
        (node("Limit", jobs("Seq Scan")), 1),
        (node("Seq Scan", Relation_Name="backburner_workers"), 0),
        (ALONG, 0),
        (WHOLE, 1),
        (node("Limit", WHOLE), 0),
        (node("Limit", node("LockRows", WHOLE)), 0),
        (node("Limit", node("Nested Loop", WHOLE)), 1),
        (node("Limit", FILTERED), 1),
        (node("Bitmap Heap Scan", node("Bitmap Index Scan", Index_Name="backburner_jobs_queued")), 1),
        (node("Sort", ALONG), 1),
        (node("Incremental Sort", node("Nested Loop", ALONG)), 1),
        (node("Sort", node("Limit", ALONG)), 0),
        (node("Sort", BY_ID), 0),
        (node("Sort", jobs("Index Scan", Index_Name="backburner_jobs_running")), 0),
        (node("Hash Join", ALONG, node("Hash", BY_ID)), 1),
        (node("Hash Join", BY_ID, node("Hash", ALONG)), 1),
        (node("Hash Join", node("Seq Scan", Relation_Name="pg_class")), 0),
        (node("ModifyTable", BY_ID, Relation_Name="backburner_jobs"), 0),
    ],
)
def test_what_is_said_of_a_plan(plan: Node, number: int) -> None:
    assert len(list(complaints(plan))) == number
