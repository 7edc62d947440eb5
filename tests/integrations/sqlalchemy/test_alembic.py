"""Alembic: the tables in the application's revisions, and nothing of them in what it compares."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from backburner import Backburner, job
from backburner.cli.main import main
from backburner.cli.revisions import Revision, bodies, version_in
from backburner.core.schema import MigrationStep
from backburner.integrations.sqlalchemy import include_object
from tests.integrations.sqlalchemy.grounds import with_driver
from tests.integrations.sqlalchemy.models import Base

ENV = """
from alembic import context
from sqlalchemy import create_engine

engine = create_engine({url!r})
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
"""


@job
def greet() -> None:
    """Greet somebody."""


@pytest.fixture(params=["sqlite", "psycopg", "psycopg2", "pymysql"])
def driver(request) -> str:
    return request.param


@pytest.fixture
def url(driver: str, request, tmp_path: Path) -> str:
    fixtures = {"psycopg": "postgres_url", "psycopg2": "postgres_url", "pymysql": "mysql_url"}
    return request.getfixturevalue(fixtures[driver]) if driver in fixtures else f"sqlite:///{tmp_path}/shop.db"


@pytest.fixture
def config(driver: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A project that uses Alembic, in the working directory, with a revision of its own."""
    monkeypatch.chdir(tmp_path)
    config = Config("alembic.ini", stdout=StringIO())
    command.init(config, "migrations")
    Path("migrations/env.py").write_text(ENV.format(url=with_driver(url, driver)))
    command.revision(config, "the application's own")
    return config


@pytest.fixture
def call(url: str, capsys) -> Callable[..., Any]:
    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["alembic", "--url", url, *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def tables(url: str, driver: str) -> set[str]:
    engine = create_engine(with_driver(url, driver))
    try:
        return {name for name in inspect(engine).get_table_names() if name.startswith("backburner_")}
    finally:
        engine.dispose()


def test_a_revision_makes_the_tables_and_another_way_drops_them(config: Config, call, url: str, driver: str) -> None:
    code, out, _ = call()
    assert code == 0
    assert out == f"wrote {Path.cwd()}/migrations/versions/backburner_0001_tables.py: run `alembic upgrade head`\n"
    command.upgrade(config, "head")
    with Backburner(url) as app:
        assert app.migrate() == []
        app.delay(greet)()
        assert app.worker().work_off() == (1, 0)
    assert "backburner_jobs" in tables(url, driver)
    command.downgrade(config, "-1")
    assert tables(url, driver) == set()


def test_there_is_one_revision(config: Config, call) -> None:
    call()
    code, out, _ = call()
    assert (code, out) == (1, "nothing is missing: the tables are made by revisions that are there\n")
    assert len(list(Path("migrations/versions").glob("*.py"))) == 2


def test_it_is_printed(config: Config, call, url: str, driver: str) -> None:
    code, out, _ = call("--print")
    assert code == 0
    [path] = Path("migrations/versions").glob("*.py")
    own, _, _ = path.read_text().partition("def upgrade")
    path.write_text(own + out[out.index("def upgrade") :])
    command.upgrade(config, "head")
    with Backburner(url) as app:
        assert app.migrate() == []


def test_autogenerate_leaves_the_tables_alone(url: str, driver: str) -> None:
    engine = create_engine(with_driver(url, driver))
    Base.metadata.create_all(engine)
    with Backburner(url) as app:
        app.migrate()
    with engine.connect() as connection:
        careless = compare_metadata(MigrationContext.configure(connection), Base.metadata)
        assert {"backburner_jobs"} <= {change[1].name for change in careless if change[0] == "remove_table"}
        options = {"include_object": include_object}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata) == []
    engine.dispose()


@pytest.mark.parametrize("driver", ["sqlite"], indirect=True)
def test_without_a_project(call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = call()
    assert code == 2
    assert "expected --config to name the file alembic.ini, got alembic.ini: there is none; or use --print" in err


@pytest.mark.parametrize("driver", ["sqlite"], indirect=True)
def test_two_heads(config: Config, call) -> None:
    command.revision(config, "another", head="base", splice=True)
    code, _, err = call()
    assert code == 2
    assert "say with --head which revision it comes after" in err
    head = next(Path("migrations/versions").glob("*another.py")).name.partition("_")[0]
    assert call("--head", head)[0] == 0


NOTE = "INSERT INTO backburner_schema (version, name, works_with, applied_at)\nVALUES ({})"

STEPS = [
    MigrationStep(
        1,
        [
            "CREATE TABLE backburner_schema (version integer)",
            "CREATE TABLE backburner_jobs (at text DEFAULT ':midnight')",
            NOTE.format("1, '0001_jobs', 1, 0"),
        ],
        ["backburner_schema", "backburner_jobs"],
    ),
    MigrationStep(2, ["ALTER TABLE backburner_jobs ADD name text", NOTE.format("2, '0002_names', 1, 0::bigint")], []),
]


def test_what_is_missing_of_a_later_version() -> None:
    revision = Revision.of(STEPS, 1)
    assert [text.split()[0] for text in revision.statements] == ["ALTER", "INSERT"]
    assert bodies(revision)[1] == 'raise NotImplementedError("no way leads back from here")'
    assert Revision.of(STEPS, 2).statements == []
    whole = Revision.of(STEPS)
    assert whole.undone == ["DROP TABLE IF EXISTS backburner_jobs", "DROP TABLE IF EXISTS backburner_schema"]
    assert "\\:midnight" in bodies(whole)[0]
    assert "0::bigint" in bodies(whole)[0]
    assert version_in(bodies(whole)[0]) == 2
    assert version_in("ALTER TABLE orders ADD name text") == 0
