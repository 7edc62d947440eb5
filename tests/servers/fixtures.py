"""The fixtures of the test servers, and what pytest says when one cannot be had."""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from tests.servers import keeping
from tests.servers.finding import KINDS, MYSQL, PGBOUNCER, POSTGRES, Kind, ServerMissing, missing
from tests.servers.mysql import MySQL, MySQLServer
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import Postgres, PostgresServer
from tests.servers.proxy import Proxy

Server = TypeVar("Server", PostgresServer, MySQLServer)

MISSING = re.compile(rf"No ({'|'.join(kind.name for kind in KINDS)}): .*")


@pytest.fixture(scope="session")
def postgres_server() -> Postgres:
    """The PostgreSQL server that all tests share; nobody stops or reconfigures it."""
    return Postgres(shared_url(POSTGRES, lambda: started(PostgresServer(shared=True))))


@pytest.fixture(scope="session")
def mysql_server() -> MySQL:
    """The MariaDB or MySQL server that all tests share; nobody stops or reconfigures it."""
    return MySQL(shared_url(MYSQL, lambda: started(MySQLServer(shared=True))))


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of this test's own."""
    with postgres_server.fresh_database() as url:
        yield url


@pytest.fixture
def mysql_url(mysql_server: MySQL) -> Iterator[str]:
    """The URL of an empty MariaDB or MySQL database of this test's own."""
    with mysql_server.fresh_database() as url:
        yield url


@pytest.fixture
def private_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test's own, which may be stopped, killed and paused."""
    yield from private(POSTGRES, PostgresServer)


@pytest.fixture(scope="module")
def module_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this module's own; who stops it starts it again."""
    yield from private(POSTGRES, PostgresServer)


@pytest.fixture
def private_mysql() -> Iterator[MySQLServer]:
    """A MariaDB or MySQL server of this test's own, which may be stopped, killed and paused."""
    yield from private(MYSQL, MySQLServer)


@pytest.fixture(scope="module")
def module_mysql() -> Iterator[MySQLServer]:
    """A MariaDB or MySQL server of this module's own; who stops it starts it again."""
    yield from private(MYSQL, MySQLServer)


@pytest.fixture
def pgbouncer_url(postgres_server: Postgres, postgres_url: str) -> Iterator[str]:
    """The URL of the database of `postgres_url` through a PgBouncer in transaction mode with two connections."""
    skip_if_missing(PGBOUNCER)
    with PgBouncer(postgres_server) as bouncer:
        yield bouncer.url_of(postgres_url)


@pytest.fixture
def proxy_to() -> Iterator[Callable[[str], Proxy]]:
    """A function that gives a proxy in front of the server of a URL."""
    with contextlib.ExitStack() as proxies:
        yield lambda url: proxies.enter_context(Proxy(url))


def shared_url(kind: Kind, start: Callable[[], str]) -> str:
    """Return the administrator's URL of the one server of a kind in this run: the given one, or one that is started."""
    if kind.given_url:
        return kind.given_url
    skip_if_missing(kind)
    return str(keeping.current_run().once(kind.name, start))


def started(server: PostgresServer | MySQLServer) -> str:
    server.start()
    server.daemon.leave()
    return server.admin_url


def private(kind: Kind, make: type[Server]) -> Iterator[Server]:
    skip_if_missing(kind)
    with make() as server:
        yield server


def skip_if_missing(kind: Kind) -> None:
    try:
        kind.folder()
    except ServerMissing as problem:
        pytest.skip(str(problem))


# What pytest does around it: one run for the workers of pytest-xdist, its end, and a word about what is missing.


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") and "servers" in config.workerinput:
        keeping.join_run(config.workerinput["servers"])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["servers"] = str(keeping.current_run().folder)


def pytest_sessionstart(session: pytest.Session) -> None:
    problems = missing() if os.environ.get("CI") == "true" else {}
    if problems:
        raise pytest.UsageError("CI=true, so that every test server must be there.", *map(str, problems.values()))


def pytest_unconfigure(config: pytest.Config) -> None:
    keeping.end_run()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reasons = Counter(reason_of(report) for report in terminalreporter.getreports("skipped"))
    problems = {reason: count for reason, count in reasons.items() if MISSING.search(reason)}
    if problems:
        terminalreporter.section("TEST SERVERS ARE MISSING", red=True, bold=True)
    for reason, count in problems.items():
        terminalreporter.line(f"SKIPPED {count} tests: {reason.removeprefix('Skipped: ')}", red=True, bold=True)


def reason_of(report: Any) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
