"""The files of SQL and the code that uses them fit each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import backburner.stores.sql
from backburner.core.lifecycle import State
from backburner.stores.sql.dialect import SQLITE
from backburner.stores.sql.names import Names
from backburner.stores.sql.rows import COLUMN_LISTS
from backburner.stores.sql.statements import parse, statements_of

FOLDER = Path(backburner.stores.sql.__file__).parent
STATEMENTS = statements_of(SQLITE, Names())
CODE = "\n".join(file.read_text() for file in FOLDER.glob("*.py"))


def test_every_statement_is_used() -> None:
    made = {f"{verb}_{table}" for verb in ("find", "count", "delete", "requeue") for table in ("jobs", "finished")}
    assert [name for name in STATEMENTS if f'"{name}"' not in CODE and name not in made] == []


def test_every_statement_has_a_name_of_its_own() -> None:
    names = [
        name
        for file in FOLDER.glob("sqlite/statements/*.sql")
        for name in re.findall(r"^-- name: (\w+)", file.read_text(), re.MULTILINE)
    ]
    assert sorted(names) == sorted(STATEMENTS)


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_that_writes_begins_with_the_word_that_says_so(name: str) -> None:
    """Else sqlite3 would not begin a transaction on the application's connection."""
    text = STATEMENTS[name]
    first = text.split()[0]
    assert first in {"INSERT", "UPDATE", "DELETE", "SELECT", "WITH", "CREATE"}
    if first == "WITH":
        assert not re.search(r"\b(INSERT|UPDATE|DELETE)\b", text)


@pytest.mark.parametrize("name", STATEMENTS)
def test_states_are_written_out(name: str) -> None:
    """Else SQLite would not use partial indexes."""
    named = set(re.findall(r"state = '(\w+)'", STATEMENTS[name]))
    assert named <= {state.value for state in State}
    assert "state = ?" not in STATEMENTS[name]


def test_jobs_and_history_are_read_alike() -> None:
    assert COLUMN_LISTS["live"].count(",") == COLUMN_LISTS["history"].count(",")


def test_comments_are_not_sent() -> None:
    source = "-- For the reader.\n\n-- name: a\n-- Why.\nSELECT 1\n-- why not\nFROM b\n\n-- name: c\nSELECT {moved}\n"
    parsed = dict(parse(source))
    assert parsed == {"a": "SELECT 1\nFROM b", "c": f"SELECT {COLUMN_LISTS['moved']}"}
