"""A URL becomes a store, or an error that says what was expected."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backburner.core.errors import ConfigurationError
from backburner.core.ports import JobFilter
from backburner.stores import open_store
from backburner.testing.contract.driving import START, ManualClock, new_job


def test_memory() -> None:
    store = open_store("memory://")
    store.run(store.enqueue([new_job()]))
    assert store.run(store.count(JobFilter())) == 1
    assert open_store("memory://").run(store.count(JobFilter())) == 1


def test_an_absolute_path(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/shop.db")
    store.run(store.enqueue([new_job()]))
    store.close()
    assert (tmp_path / "shop.db").exists()
    assert store.url == f"sqlite:///{tmp_path}/shop.db"


def test_a_relative_path_is_that_of_the_directory_where_the_store_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///shop.db")
    monkeypatch.chdir("elsewhere")
    store.run(store.enqueue([new_job()]))
    store.close()
    assert sorted(os.listdir(tmp_path)) == ["elsewhere", "shop.db"]
    assert store.url == f"sqlite:///{tmp_path}/shop.db"


@pytest.mark.parametrize("url", ["sqlite:///:memory:", "sqlite://", "sqlite+pysqlite:///:memory:"])
def test_a_database_in_memory(url: str) -> None:
    store = open_store(url)
    store.run(store.enqueue([new_job()]))
    assert store.run(store.count(JobFilter())) == 1
    assert not store.capabilities.durable
    store.close()


def test_the_form_of_sqlalchemy(tmp_path: Path) -> None:
    store = open_store(f"sqlite+pysqlite:///{tmp_path}/shop.db")
    assert store.url == f"sqlite:///{tmp_path}/shop.db"


def test_odd_characters_in_a_path(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/sh%20%C3%B6p%3F%23.db")
    store.migrate()
    store.close()
    assert (tmp_path / "sh öp?#.db").exists()


def test_nothing_is_written_before_the_first_use(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/shop.db")
    assert store.schema_state().found == 0
    store.close()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("url", ["memory://", "sqlite://"])
def test_the_clock_may_be_replaced(url: str) -> None:
    assert open_store(url, clock=ManualClock()).now() == START


@pytest.mark.parametrize(
    ("query", "level"), [("", 1), ("?synchronous=NORMAL", 1), ("?synchronous=full", 2), ("?synchronous=FULL", 2)]
)
def test_how_carefully_is_written(tmp_path: Path, query: str, level: int) -> None:
    from backburner.core.ops import Op, Statement

    def level_of() -> Op[int]:
        reply = yield Statement("PRAGMA synchronous")
        return int(reply.rows[0][0])

    store = open_store(f"sqlite:///{tmp_path}/shop.db{query}")
    assert store.run(level_of()) == level
    store.close()


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("sqlite:///shop.db?synchronous=OFF", "expected synchronous to be NORMAL or FULL, got 'OFF'"),
        ("sqlite:///shop.db?cache=1&timeout=5", "expected no option but synchronous, got cache, timeout"),
        ("sqlite:///shop.db?synchronous", "expected ?name=value"),
        ("sqlite://shop.db", "expected sqlite:///shop.db with three slashes"),
        ("sqlite+pysqlcipher:///shop.db", "expected sqlite://"),
        ("sqlite:shop.db", "expected the URL of a store"),
        ("memory://shop", "expected memory:// and nothing else, got 'memory://shop'"),
        ("memory://?a=b", "expected memory:// and nothing else"),
        ("mongodb://localhost", "expected the URL of a store (memory://, sqlite:///relative.db"),
        ("oracle://localhost", "postgresql://user:password@host/database, mysql://user:password@host/database)"),
        ("shop.db", "got 'shop.db'"),
        ("", "got ''"),
        (None, "got 'None'"),
    ],
)
def test_what_is_not_understood_is_said(url: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        open_store(url)
    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["redis", "rediss", "valkey", "valkeys", "redis+cluster"])
def test_databases_that_have_no_store_in_this_version(scheme: str) -> None:
    with pytest.raises(ConfigurationError, match="this version of backburner has no store for"):
        open_store(f"{scheme}://localhost/shop")


@pytest.mark.parametrize(
    "url",
    [
        "redis://ann:s3cret@localhost/shop",
        "redis://ann:s3cret/p@rt@localhost/shop",
        "redis://ann:s3cret?p@rt@localhost/shop",
        "redis://:s3cret@localhost",
        "mongodb://ann:s3cret@localhost",
        "mysql://localhost/shop?user=ann&password=s3cret",
        "mysql://localhost/shop?sslpassword=s3cret&x=1",
    ],
)
def test_passwords_are_not_shown(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        open_store(url)
    assert "s3cret" not in str(refused.value)
    assert "p@rt" not in str(refused.value)
    assert "***" in str(refused.value)


def test_a_store_is_loaded_when_it_is_needed() -> None:
    code = (
        "import sys; from backburner.stores import open_store; open_store('memory://'); "
        "assert 'sqlite3' not in sys.modules; assert 'backburner.stores.sql.sqlite' not in sys.modules; "
        "open_store('sqlite://'); assert 'asyncio' not in sys.modules; assert 'concurrent.futures' not in sys.modules"
    )
    # Where coverage is measured, a process has imported more.
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    subprocess.run([sys.executable, "-c", code], check=True, env=unmeasured)
