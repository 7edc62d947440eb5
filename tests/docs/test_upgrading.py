"""The notes about upgrading know this version, and what it keeps in the database."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest

from backburner.core.codec import FORMAT
from backburner.stores.sql.dialect import SQLITE, Dialect
from backburner.stores.sql.migrate import Migrator
from backburner.stores.sql.mysql.dialect import MYSQL
from backburner.stores.sql.postgres.dialect import POSTGRES
from tests.docs.blocks import DOCS

PAGE = (DOCS / "how-to" / "upgrading.md").read_text()
NOTES = dict(re.findall(r"^### (\S+)\n(.*?)(?=^### |\Z)", PAGE, re.M | re.S))
"""What the page says of each version."""


def test_the_newest_note_is_about_this_version() -> None:
    assert next(iter(NOTES)) == version("backburner")


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES, MYSQL], ids=lambda dialect: dialect.name)
def test_the_newest_note_says_which_tables_it_needs(dialect: Dialect) -> None:
    assert f"version {Migrator(dialect).needed} of the tables" in next(iter(NOTES.values()))


def test_the_newest_note_says_which_format_handlers_have() -> None:
    assert f"version {FORMAT} of the format of handlers" in next(iter(NOTES.values()))


def test_each_note_has_a_date() -> None:
    assert [name for name, note in NOTES.items() if not re.search(r"\b20\d\d-\d\d-\d\d\b", note)] == []
